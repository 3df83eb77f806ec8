//! A store under test, and what the behaviours need again and again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, Next};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Clock, Timestamp};
use hookyard_store::Store;
use hookyard_store::history::DeliveryFilter;
use hookyard_store::ledger::{Accept, Batch, LaneNote, Receipt, Record};
use hookyard_store::sources::Forward;

use crate::clock::FixedClock;
use crate::make;

type Opening = Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send>>;

/// A store that can be closed and opened again with what it kept.
pub struct Cellar {
    store: Option<Arc<dyn Store>>,
    open: Box<dyn Fn() -> Opening + Send + Sync>,
}

impl Cellar {
    /// A store that `open` opens: empty at first, then with what was kept.
    pub async fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Arc<dyn Store>> + Send + 'static,
    {
        let open = Box::new(move || Box::pin(open()) as Opening);
        Self { store: Some(open().await), open }
    }

    /// The open store.
    pub(crate) fn store(&self) -> &dyn Store {
        &**self.store.as_ref().expect("it is only closed while it is opened again")
    }

    /// The open store, to be shared with tasks that end before it is opened again.
    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("it is only closed while it is opened again"))
    }

    /// Closes it and opens it again.
    pub(crate) async fn reopen(&mut self) {
        self.store = None;
        self.store = Some((self.open)().await);
    }
}

/// A store with a tenant in it.
pub(crate) struct World {
    pub(crate) cellar: Cellar,
    pub(crate) tenant: TenantNo,
    pub(crate) clock: FixedClock,
}

impl World {
    pub(crate) async fn new(cellar: Cellar) -> Self {
        let tenant = make::tenant("acme");
        let made = cellar.store().create_tenant(tenant, make::audit("tenant.created")).await;
        let clock = FixedClock::new(make::NOW);
        Self { tenant: made.unwrap().no, cellar, clock }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.cellar.store()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock by a millisecond, so that what follows has a time of its own.
    pub(crate) fn tick(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(1));
        self.now()
    }

    /// Another tenant.
    pub(crate) async fn stranger(&self) -> TenantNo {
        let tenant = make::tenant("stranger");
        self.store().create_tenant(tenant, make::audit("tenant.created")).await.unwrap().no
    }

    /// A new active endpoint.
    pub(crate) async fn endpoint(&self) -> EndpointNo {
        self.endpoint_of(self.tenant).await
    }

    pub(crate) async fn endpoint_of(&self, tenant: TenantNo) -> EndpointNo {
        let endpoint = make::endpoint(tenant);
        let audit = make::audit("endpoint.created");
        self.store().create_endpoint(endpoint, None, audit).await.unwrap().no
    }

    /// A new active source.
    pub(crate) async fn source(&self) -> Source {
        self.source_of(self.tenant).await
    }

    pub(crate) async fn source_of(&self, tenant: TenantNo) -> Source {
        let audit = make::audit("source.created");
        let create = self.store().create_source(make::source(tenant), Forward::Keep, 100, audit);
        create.await.unwrap()
    }

    /// A source as it is kept.
    pub(crate) async fn kept(&self, source: &Source) -> Source {
        self.store().source(source.tenant, source.id).await.unwrap().unwrap()
    }

    /// Changes the state of a source.
    pub(crate) async fn set_source(&self, source: &Source, status: SourceStatus) {
        let changed = Source { status, ..self.kept(source).await };
        let audit = make::audit("source.updated");
        self.store().update_source(changed, Forward::Keep, audit).await.unwrap().unwrap();
    }

    /// An event that a source has received, for nobody yet.
    pub(crate) async fn received(&self, source: &Source) -> Accept {
        let version = self.version_of(source.tenant).await;
        let mut accept = make::accept(source.tenant, version, &[]);
        accept.content.source = Some(source.id);
        accept
    }

    pub(crate) async fn version(&self) -> u64 {
        self.version_of(self.tenant).await
    }

    pub(crate) async fn version_of(&self, tenant: TenantNo) -> u64 {
        self.store().tenant_config(tenant).await.unwrap().unwrap().version
    }

    /// An event for these endpoints as it would be accepted.
    pub(crate) async fn event(&self, endpoints: &[EndpointNo]) -> Accept {
        make::accept(self.tenant, self.version().await, endpoints)
    }

    /// Accepts one event for these endpoints.
    pub(crate) async fn accepted(&self, endpoints: &[EndpointNo]) -> EventId {
        let accept = self.event(endpoints).await;
        id_of(self.accept(accept).await)
    }

    /// Accepts as many, in one batch.
    pub(crate) async fn many_accepted(
        &self,
        endpoints: &[EndpointNo],
        many: usize,
    ) -> Vec<EventId> {
        let accept = self.event(endpoints).await;
        self.accept_all(vec![accept; many]).await.into_iter().map(id_of).collect()
    }

    pub(crate) async fn accept(&self, accept: Accept) -> Receipt {
        self.accept_all(vec![accept]).await[0]
    }

    pub(crate) async fn accept_all(&self, accepts: Vec<Accept>) -> Vec<Receipt> {
        let batch = Batch { now: self.now(), accepts, ..Batch::default() };
        self.store().commit(&batch).await.unwrap()
    }

    pub(crate) async fn record_all(&self, records: Vec<Record>) {
        let batch = Batch { now: self.now(), records, ..Batch::default() };
        assert_eq!(self.store().commit(&batch).await.unwrap(), []);
    }

    pub(crate) async fn note(&self, note: LaneNote) {
        let batch = Batch { now: self.now(), notes: vec![note], ..Batch::default() };
        self.store().commit(&batch).await.unwrap();
    }

    /// Records something about a delivery at this moment.
    pub(crate) async fn record(
        &self,
        endpoint: EndpointNo,
        delivery: DeliveryId,
        attempt: Option<Attempt>,
        next: Next,
    ) {
        let record = make::record(self.tenant, endpoint, delivery, attempt, next);
        self.record_all(vec![Record { at: self.now(), ..record }]).await;
    }

    /// Records that the first attempt at a delivery succeeded.
    pub(crate) async fn succeeded(&self, endpoint: EndpointNo, delivery: DeliveryId) {
        self.record(endpoint, delivery, Some(make::attempt(1, 200)), Next::Succeeded).await;
    }

    /// Records that the first attempt failed and the next is due then.
    pub(crate) async fn retried_at(&self, endpoint: EndpointNo, to: DeliveryId, at: Timestamp) {
        self.record(endpoint, to, Some(make::attempt(1, 500)), Next::RetryAt(at)).await;
    }

    pub(crate) async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.store().delivery(self.tenant, id).await.unwrap().unwrap()
    }

    /// The ids of what a refill from `from` answers, all pages.
    pub(crate) async fn owed(&self, endpoint: EndpointNo, from: EventKey) -> Vec<DeliveryId> {
        let mut from = from;
        let mut owed = Vec::new();
        loop {
            let refill =
                self.store().refill(self.tenant, endpoint, from, make::share(100)).await.unwrap();
            owed.extend(refill.owed.iter().map(|(event, target)| event.id.delivery(*target)));
            if !refill.more {
                return owed;
            }
            assert!(refill.through >= from, "a refill with more behind it moves on");
            from = refill.through.next();
        }
    }

    /// Every delivery that a filter finds, by pages of `limit`.
    pub(crate) async fn deliveries(&self, filter: &DeliveryFilter, limit: u32) -> Vec<DeliveryId> {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.delivery_page(filter, limit, cursor).await;
            assert!(page.rows.len() <= limit as usize);
            found.extend(page.rows.iter().map(|row| row.id));
            match page.next {
                None => return found,
                Some(next) => cursor = Some(next),
            }
        }
    }

    pub(crate) async fn delivery_page(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Page<Delivery> {
        let request = PageRequest { limit, cursor };
        self.store().deliveries(self.tenant, filter.clone(), request).await.unwrap()
    }
}

/// The id of an event that was accepted.
pub(crate) fn id_of(receipt: Receipt) -> EventId {
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    id
}

/// The first target's delivery.
pub(crate) fn first(event: EventId) -> DeliveryId {
    event.delivery(TargetNo(0))
}

/// The same, newest first.
pub(crate) fn reversed<T: Clone>(items: &[T]) -> Vec<T> {
    items.iter().rev().cloned().collect()
}

/// A page of everything.
pub(crate) fn all() -> PageRequest {
    PageRequest::first(hookyard_domain::limit::PAGE_MAX)
}
