//! Days of history go whole when nobody needs them, and event by event when somebody does.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::page::PageRequest;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::history::{EventFilter, History};
use hookyard_store::ledger::{Accept, Batch, LaneNote, Ledger, Once, Receipt};
use hookyard_store::nodes::Nodes;
use hookyard_store::tenants::Tenants;
use hookyard_store_postgres::PostgresStore;
use hookyard_testkit::make;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use crate::place::Place;

const DAY: Duration = Duration::from_secs(86_400);

#[expect(clippy::disallowed_methods, reason = "days are made by the database's clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

struct World {
    place: Arc<Place>,
    store: Arc<PostgresStore>,
    tenant: TenantNo,
    endpoint: EndpointNo,
    yesterday: Timestamp,
}

impl World {
    async fn new() -> Self {
        let place = Place::new().await;
        let store = place.open("one").await;
        let (tenant, endpoint) = owner(&store, "acme").await;
        Self { place, store, tenant, endpoint, yesterday: now().minus(DAY) }
    }

    async fn accept(&self) -> Accept {
        let version = self.store.tenant_config(self.tenant).await.unwrap().unwrap().version;
        make::accept(self.tenant, version, &[self.endpoint])
    }

    /// Accepts as many yesterday.
    async fn accepted(&self, accept: &Accept, many: usize) -> Vec<EventId> {
        let accepts = vec![accept.clone(); many];
        let batch = Batch { now: self.yesterday, accepts, ..Batch::default() };
        self.store.commit(&batch).await.unwrap().iter().map(id_of).collect()
    }

    /// Records what became of these deliveries, and that nothing is owed any more.
    async fn ended(&self, events: &[EventId], next: Next) {
        let one = |event: &EventId| {
            let attempt = Some(make::attempt(1, 200));
            make::record(self.tenant, self.endpoint, first(*event), attempt, next)
        };
        let mark = events[events.len() - 1].key().next();
        let activity = Activity::default();
        let note = LaneNote { tenant: self.tenant, endpoint: self.endpoint, mark, activity };
        let batch = Batch {
            now: self.yesterday,
            records: events.iter().map(one).collect(),
            notes: vec![note],
            ..Batch::default()
        };
        self.store.commit(&batch).await.unwrap();
    }

    async fn listed(&self) -> Vec<EventId> {
        let filter = EventFilter::default();
        let page = self.store.events(self.tenant, filter, PageRequest::first(100)).await.unwrap();
        page.rows.iter().map(|row| row.event.id).collect()
    }

    /// A round for the tenant; answers how many events went one by one.
    async fn pruned(&self) -> u32 {
        let bound = (self.tenant, EventKey::at(now()));
        assert!(self.store.begin_pruning(&[bound]).await.unwrap());
        self.store.prune(self.tenant, EventKey(0)..EventKey::at(now()), 1000).await.unwrap().dropped
    }

    /// Whether yesterday has partitions of its own.
    async fn has_yesterday(&self) -> bool {
        let day = self.yesterday.as_millis() / 86_400_000;
        self.tells(&format!("to_regclass('event_d{day}') IS NOT NULL")).await
    }

    /// Whether that is so in the database.
    async fn tells(&self, condition: &str) -> bool {
        let (client, connection) = tokio_postgres::connect(&self.place.url, NoTls).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(connection);
        let path = format!("SET search_path = {}", self.place.name);
        client.batch_execute(&path).await.unwrap();
        client.query_one(&format!("SELECT {condition}"), &[]).await.unwrap().get(0)
    }
}

async fn owner(store: &PostgresStore, name: &str) -> (TenantNo, EndpointNo) {
    let tenant = store.create_tenant(make::tenant(name), make::audit("made")).await.unwrap().no;
    let endpoint = make::endpoint(tenant);
    let endpoint = store.create_endpoint(endpoint, None, make::audit("made")).await.unwrap();
    (tenant, endpoint.no)
}

fn id_of(receipt: &Receipt) -> EventId {
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    *id
}

fn first(event: EventId) -> DeliveryId {
    event.delivery(TargetNo(0))
}

#[tokio::test]
async fn a_day_that_nobody_needs_goes_whole() {
    let world = World::new().await;
    let accept = world.accept().await;
    let mut named = accept.clone();
    named.once = vec![Once::PublisherId("order-1".into())];
    let mut events = world.accepted(&named, 1).await;
    events.extend(world.accepted(&accept, 40).await);
    world.ended(&events, Next::Succeeded).await;
    assert!(world.has_yesterday().await);
    assert_eq!(world.pruned().await, 0);
    assert!(!world.has_yesterday().await);
    assert_eq!(world.listed().await, []);
    assert_eq!(world.store.delivery(world.tenant, first(events[0])).await.unwrap(), None);
    // Its time is over, but whoever comes late is kept all the same, and its id is free again.
    let late = world.accepted(&named, 1).await;
    assert_eq!(world.listed().await, late);
    let owed = world.store.owed().await.unwrap();
    assert_eq!(owed[0].last, late[0].key());
}

#[tokio::test]
async fn days_are_asked_about_once_a_round_and_not_for_each_tenant() {
    let world = World::new().await;
    let events = world.accepted(&world.accept().await, 3).await;
    world.ended(&events, Next::Succeeded).await;
    let (other, _) = owner(&world.store, "other").await;
    let bound = EventKey::at(now());
    for tenant in [other, world.tenant] {
        let pruned = world.store.prune(tenant, EventKey(0)..bound, 2).await.unwrap();
        assert_eq!(pruned.dropped, if tenant == other { 0 } else { 2 });
        assert!(world.has_yesterday().await, "it goes with the round alone");
    }
    // Of one whose bound is not given nothing is known.
    assert!(world.store.begin_pruning(&[(other, bound)]).await.unwrap());
    assert!(world.has_yesterday().await);
    assert!(world.store.begin_pruning(&[(other, bound), (world.tenant, bound)]).await.unwrap());
    assert!(!world.has_yesterday().await);
    assert_eq!(world.listed().await, []);
}

#[tokio::test]
async fn one_node_does_the_round_and_another_when_it_has_left() {
    let world = World::new().await;
    let events = world.accepted(&world.accept().await, 3).await;
    world.ended(&events, Next::Succeeded).await;
    let second = world.place.open("two").await;
    let bound = (world.tenant, EventKey::at(now()));
    assert!(!second.begin_pruning(&[bound]).await.unwrap());
    assert!(world.has_yesterday().await);
    world.store.leave().await.unwrap();
    assert!(second.begin_pruning(&[bound]).await.unwrap());
    assert!(!world.has_yesterday().await);
}

#[tokio::test]
async fn a_day_stays_while_something_of_it_is_owed_or_waits() {
    let world = World::new().await;
    let accept = world.accept().await;
    let events = world.accepted(&accept, 10).await;
    let (waiting, ended) = events.split_last().unwrap();
    world.ended(&[*waiting], Next::RetryAt(world.yesterday)).await;
    // The mark says that all have rows; those that have none are still owed by what is recorded.
    world.ended(ended, Next::Succeeded).await;
    let owed = world.accepted(&accept, 1).await[0];
    assert_eq!(world.pruned().await, 9);
    assert!(world.has_yesterday().await);
    assert_eq!(world.listed().await, [owed, *waiting]);
    world.ended(&[*waiting], Next::Succeeded).await;
    assert_eq!(world.pruned().await, 1);
    assert!(world.has_yesterday().await);
    world.ended(&[owed], Next::Succeeded).await;
    assert_eq!(world.pruned().await, 0);
    assert!(!world.has_yesterday().await);
}

#[tokio::test]
async fn a_day_stays_for_a_tenant_that_keeps_its_events_longer() {
    let mut world = World::new().await;
    let (acme, its_endpoint) = (world.tenant, world.endpoint);
    let accept = world.accept().await;
    let mine = world.accepted(&accept, 5).await;
    world.ended(&mine, Next::Succeeded).await;
    (world.tenant, world.endpoint) = owner(&world.store, "longer").await;
    let accept = world.accept().await;
    let theirs = world.accepted(&accept, 3).await;
    world.ended(&theirs, Next::Succeeded).await;
    let longer = std::mem::replace(&mut world.tenant, acme);
    world.endpoint = its_endpoint;
    assert_eq!(world.pruned().await, 5);
    assert!(world.has_yesterday().await);
    world.tenant = longer;
    assert_eq!(world.listed().await.len(), 3);
    world.store.delete_tenant(longer, make::audit("tenant.deleted")).await.unwrap();
    world.tenant = acme;
    assert_eq!(world.pruned().await, 0);
    assert!(!world.has_yesterday().await);
    let kept = world.store.retained().await.unwrap();
    assert_eq!(kept.iter().map(|it| it.tenant).collect::<Vec<_>>(), [acme]);
}

#[tokio::test]
async fn todays_events_stay_until_the_day_is_over() {
    let mut world = World::new().await;
    world.yesterday = now();
    let accept = world.accept().await;
    let events = world.accepted(&accept, 3).await;
    world.ended(&events, Next::Succeeded).await;
    let before = EventKey::at(now().plus(Duration::from_secs(1)));
    assert_eq!(world.store.prune(world.tenant, EventKey(0)..before, 100).await.unwrap().dropped, 0);
    assert_eq!(world.listed().await.len(), 3);
    let before = EventKey::at(now().plus(DAY * 30));
    assert_eq!(world.store.prune(world.tenant, EventKey(0)..before, 100).await.unwrap().dropped, 3);
    assert!(world.has_yesterday().await);
}

#[tokio::test]
async fn a_day_that_has_events_already_is_passed_over() {
    let world = World::new().await;
    world.store.tidy().await.unwrap();
    let later = now().plus(DAY * 4);
    let day = later.as_millis() / 86_400_000;
    let (client, connection) = tokio_postgres::connect(&world.place.url, NoTls).await.unwrap();
    let mut task = JoinSet::new();
    task.spawn(connection);
    let undo = format!(
        "SET search_path = {}; DROP TABLE event_d{day}, delivery_d{day}, attempt_d{day}, run_d{day};
         DELETE FROM day WHERE no = {day}",
        world.place.name
    );
    client.batch_execute(&undo).await.unwrap();
    let batch = Batch { now: later, accepts: vec![world.accept().await], ..Batch::default() };
    let event = id_of(&world.store.commit(&batch).await.unwrap()[0]);
    for _ in 0..2 {
        world.store.tidy().await.unwrap();
        assert!(world.tells(&format!("to_regclass('event_d{day}') IS NULL")).await);
        assert!(world.tells(&format!("NOT made FROM day WHERE no = {day}")).await);
    }
    assert_eq!(world.listed().await, [event]);
}
