//! What people look at: events, deliveries and attempts, newest first.
//!
//! A delivery is its row if something was recorded, else it is derived from its event, so what is accepted can be read at
//! once. A page reads only as far as it needs; with a rare filter it may end early, short but with a cursor to go on from.

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventId, SourceId};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::subscription::{Pattern, Scope};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::Answer;

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this type, or below this prefix.
    pub event_type: Option<Pattern>,
    /// Of this scope.
    pub scope: Option<Scope>,
    /// Received by this source, even a deleted one.
    pub source: Option<SourceId>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
    /// With this text in their payload or as their publisher's id.
    pub text: Option<String>,
}

/// Which deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// To this endpoint, even a deleted one.
    pub endpoint: Option<EndpointNo>,
    /// In this state (`Sending` is found as `Pending`).
    pub status: Option<DeliveryStatus>,
    /// Of this type, or below this prefix.
    pub event_type: Option<Pattern>,
    /// Of events accepted at or after.
    pub since: Option<Timestamp>,
    /// Of events accepted before.
    pub until: Option<Timestamp>,
}

/// An event as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEvent {
    /// The event.
    pub event: Event,
    /// How many deliveries it has, those made by replays and releases counted.
    pub deliveries: u32,
}

/// What people look at.
pub trait History {
    /// A tenant's events.
    fn events(
        &self,
        tenant: TenantNo,
        filter: EventFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<ListedEvent>>;
    /// One event.
    fn event(&self, tenant: TenantNo, id: EventId) -> Answer<'_, Option<ListedEvent>>;
    /// A tenant's deliveries, newest event first.
    fn deliveries(
        &self,
        tenant: TenantNo,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<Delivery>>;
    /// The deliveries of one event, last target first; `None` when the event is not there.
    fn deliveries_of(
        &self,
        tenant: TenantNo,
        event: EventId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Delivery>>>;
    /// One delivery.
    fn delivery(&self, tenant: TenantNo, id: DeliveryId) -> Answer<'_, Option<Delivery>>;
    /// The attempts of one delivery, newest first; `None` when the delivery is not there.
    fn attempts(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Attempt>>>;
}
