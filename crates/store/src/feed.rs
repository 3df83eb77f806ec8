//! The feed: events accepted, attempts that ended and changes of configuration, in the order they were written, to be read
//! on from any place in it.
//!
//! Whatever is written behind a position that was told is found from there on, by any process and after any restart: a
//! position never passes what a commit under way may still bring.

use hookyard_domain::attempt::Attempt;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::Delivery;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::feed::FeedPosition;
use hookyard_domain::id::{EventKey, SourceId};
use hookyard_domain::subscription::{Pattern, Scope};
use hookyard_domain::tenant::TenantNo;

use crate::Answer;
use crate::ledger::Share;

/// What of the feed is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// Events that were accepted.
    pub accepted: bool,
    /// Attempts that ended.
    pub finished: bool,
    /// Changes of endpoints and sources; the rest of the filter says nothing of them.
    pub changed: bool,
    /// Of one of these types, or below one of these prefixes; empty is any.
    pub types: Vec<Pattern>,
    /// Of this scope.
    pub scope: Option<Scope>,
    /// Received by this source, even a deleted one.
    pub source: Option<SourceId>,
    /// Owed to this endpoint when they were accepted, or sent to it; even a deleted one.
    pub endpoint: Option<EndpointNo>,
    /// Events come with what they carry, those that carry more bytes than this left out; `None` is without.
    pub payload: Option<u64>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedItem {
    /// An event was accepted.
    Accepted {
        /// The event.
        event: Box<Event>,
        /// How many deliveries it had from the beginning.
        deliveries: u32,
        /// Bytes of what it carries, about.
        bytes: u64,
        /// That is here. Else its `data` is empty, and so is whatever comes seldom: headers, the object before, the type of
        /// its content.
        is_whole: bool,
    },
    /// An attempt ended.
    Finished {
        /// Its delivery, as it stands now.
        delivery: Box<Delivery>,
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// The configuration was changed.
    Changed(Box<AuditEntry>),
}

/// One thing that happened, and where a reader stands who has read it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedEntry {
    /// The thing.
    pub item: FeedItem,
    /// Right behind it.
    pub position: FeedPosition,
}

/// A piece of the feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedPage {
    /// What passed the filter, in order.
    pub entries: Vec<FeedEntry>,
    /// Behind everything that was looked at.
    pub position: FeedPosition,
    /// There is more to look at already.
    pub more: bool,
}

/// What happens in a tenant.
pub trait Feed {
    /// The end of a tenant's feed: what is behind it has not happened yet.
    fn feed_end(&self, tenant: TenantNo) -> Answer<'_, FeedPosition>;
    /// What comes next; it looks at a bounded number of things, so a page may be empty with more behind it. An attempt whose
    /// event is gone is left out. `None` when this store has never told such a position.
    fn feed<'a>(
        &'a self,
        tenant: TenantNo,
        filter: &'a FeedFilter,
        from: &'a FeedPosition,
        share: Share,
    ) -> Answer<'a, Option<FeedPage>>;
    /// Forgets which attempts ended below a key, in every tenant, at most about `limit` notes; answers how many.
    fn forget_feed(&self, before: EventKey, limit: u32) -> Answer<'_, u32>;
}
