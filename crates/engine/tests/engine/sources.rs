//! What sources received: whom it goes to, what a paused one holds, and how that is passed on.

use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::id::{EventId, SourceId};
use hookyard_domain::page::PageRequest;
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_engine::{Incoming, Published};
use hookyard_store::history::DeliveryFilter;
use hookyard_store::ledger::Once;
use hookyard_store::sources::Forward;
use hookyard_testkit::make;
use hookyard_testkit::sink::Sink;

use crate::world::{World, only, until};

async fn source(world: &World, change: impl FnOnce(&mut Source)) -> SourceId {
    let mut source = make::source(world.tenant);
    change(&mut source);
    let audit = make::audit("source.created");
    let made = world.store.create_source(source, Forward::Keep, 100, audit).await.unwrap();
    world.engine().config_changed(world.tenant).await;
    made.id
}

async fn set_status(world: &World, id: SourceId, status: SourceStatus) {
    let kept = world.store.source(world.tenant, id).await.unwrap().unwrap();
    let source = Source { status, ..kept };
    let audit = make::audit("source.updated");
    world.store.update_source(source, Forward::Keep, audit).await.unwrap().unwrap();
    world.engine().config_changed(world.tenant).await;
}

async fn receive_of(world: &World, source: SourceId, event_type: &str, id: &str) -> Published {
    let mut content = make::content(event_type);
    content.source = Some(source);
    let once = vec![Once::Received { source, id: id.to_owned(), since: None }];
    let incoming = Incoming { content, once, vouched: None };
    world.engine().publish(world.tenant, vec![incoming]).await.unwrap()[0]
}

async fn receive(world: &World, source: SourceId, id: &str) -> EventId {
    let published = receive_of(world, source, "order.created", id).await;
    let Published::Accepted { id, .. } = published else { panic!("{published:?}") };
    id
}

async fn deliveries(world: &World) -> usize {
    let page = PageRequest { limit: 250, cursor: None };
    let filter = DeliveryFilter::default();
    world.store.deliveries(world.tenant, filter, page).await.unwrap().rows.len()
}

#[tokio::test]
async fn an_endpoint_of_a_source_gets_what_that_source_received_and_nothing_else() {
    let world = World::new().await;
    let (mine, other) = (source(&world, |_| {}).await, source(&world, |_| {}).await);
    let of_mine = Sink::start().await;
    world.endpoint(|_| {}).await;
    world.endpoint_at(&of_mine, |it| it.source = Some(mine)).await;
    let published = world.publish().await;
    let (received, elsewhere) =
        (receive(&world, mine, "1").await, receive(&world, other, "1").await);
    for event in [published, received, elsewhere] {
        world.ended(only(event), DeliveryStatus::Succeeded).await;
    }
    until("it got one", async || (!of_mine.received().is_empty()).then_some(())).await;
    assert_eq!(world.sink.received().len(), 3);
    assert_eq!(of_mine.received().len(), 1);
    assert_eq!(deliveries(&world).await, 4);
}

#[tokio::test]
async fn the_same_request_again_is_the_same_event_for_each_source() {
    let world = World::new().await;
    let (one, two) = (source(&world, |_| {}).await, source(&world, |_| {}).await);
    let first = receive(&world, one, "id").await;
    let again = receive_of(&world, one, "order.created", "id").await;
    assert_eq!(again, Published::Duplicate { id: first, deliveries: 0 });
    assert_ne!(receive(&world, two, "id").await, first);
}

#[tokio::test]
async fn what_a_paused_source_received_is_passed_on_once_and_in_order_when_it_is_active_again() {
    let world = World::new().await;
    let id = source(&world, |it| it.status = SourceStatus::Paused).await;
    world.endpoint(|it| it.ordered = true).await;
    let mut held = Vec::new();
    for number in 0..5 {
        held.push(receive(&world, id, &number.to_string()).await.to_string());
    }
    assert_eq!(deliveries(&world).await, 0, "nobody is owed it yet");
    // Over a restart too.
    let world = world.restarted().await;
    set_status(&world, id, SourceStatus::Active).await;
    until("all came", async || (world.sink.received().len() == 5).then_some(())).await;
    let received = world.sink.received();
    let came: Vec<_> = received.iter().map(|it| it.header("webhook-id")).collect();
    assert_eq!(came, held);
    set_status(&world, id, SourceStatus::Paused).await;
    set_status(&world, id, SourceStatus::Active).await;
    let next = receive(&world, id, "next").await.to_string();
    let came = async || world.sink.received().iter().any(|it| it.header("webhook-id") == next);
    until("the next came", async || came().await.then_some(())).await;
    assert_eq!(world.sink.received().len(), 6, "none came twice");
}

#[tokio::test]
async fn a_disabled_source_takes_nothing_and_one_with_a_list_passes_on_what_is_on_it() {
    let world = World::new().await;
    world.endpoint(|_| {}).await;
    let off = source(&world, |it| it.status = SourceStatus::Disabled).await;
    assert_eq!(receive_of(&world, off, "a.b", "1").await, Published::NoSource);
    let gone = SourceId::from_u128(77);
    assert_eq!(receive_of(&world, gone, "a.b", "1").await, Published::NoSource);
    let listed = source(&world, |it| it.settings.events = vec!["order.*".parse().unwrap()]).await;
    let other = receive_of(&world, listed, "a.b", "1").await;
    assert!(matches!(other, Published::Accepted { deliveries: 0, .. }), "{other:?}");
    let wanted = receive(&world, listed, "2").await;
    world.ended(only(wanted), DeliveryStatus::Succeeded).await;
    assert_eq!(deliveries(&world).await, 1);
}

#[tokio::test]
async fn what_is_received_while_held_events_are_passed_on_does_not_overtake_them() {
    let world = World::new().await;
    let id = source(&world, |it| it.status = SourceStatus::Paused).await;
    world.endpoint(|it| it.ordered = true).await;
    let mut all = Vec::new();
    for number in 0..100 {
        all.push(receive(&world, id, &number.to_string()).await.to_string());
    }
    set_status(&world, id, SourceStatus::Active).await;
    for number in 100..120 {
        all.push(receive(&world, id, &number.to_string()).await.to_string());
    }
    until("all came", async || (world.sink.received().len() == 120).then_some(())).await;
    let received = world.sink.received();
    let came: Vec<_> = received.iter().map(|it| it.header("webhook-id")).collect();
    assert_eq!(came, all);
}

#[tokio::test]
async fn what_a_source_vouched_for_before_it_was_changed_is_sent_back() {
    let world = World::new().await;
    let id = source(&world, |_| {}).await;
    let prepared = async || world.engine().snapshot(world.tenant).await.unwrap().unwrap();
    let before = prepared().await.source(id).cloned();
    let vouched = async || {
        let mut content = make::content("a.b");
        content.source = Some(id);
        let incoming = Incoming { content, once: Vec::new(), vouched: before.clone() };
        world.engine().publish(world.tenant, vec![incoming]).await.unwrap()[0]
    };
    assert!(matches!(vouched().await, Published::Accepted { .. }));
    // As another node would: this one hears of it from the commit alone.
    let change = async |change: fn(&mut Source)| {
        let mut kept = world.store.source(world.tenant, id).await.unwrap().unwrap();
        change(&mut kept);
        let audit = make::audit("source.updated");
        world.store.update_source(kept, Forward::Keep, audit).await.unwrap().unwrap();
    };
    change(|it| it.status = SourceStatus::Paused).await;
    assert!(matches!(vouched().await, Published::Accepted { .. }), "its secret is the same");
    change(|it| it.settings.provider = "github".into()).await;
    assert_eq!(vouched().await, Published::SourceChanged);
}
