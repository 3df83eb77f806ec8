//! Numbers over time: counted as things are committed, so that no page ever counts rows.
//!
//! A commit counts what it writes, in the same transaction, in rows of a minute: one for each endpoint something happened
//! to, and one for its tenant as a whole. What is older is folded into longer spans, and at last forgotten. What is counted
//! outside of commits (a cancelled delivery, waiting ones discarded by hand) is not in the numbers.

mod bytes;
mod counting;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::statistics::{Span, Tally};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::Answer;

pub use bytes::{tally, tally_to_bytes};
pub use counting::{Counted, Counting};

/// What was counted in one span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the span begins.
    pub at: Timestamp,
    /// What was counted.
    pub tally: Tally,
}

/// What to fold, and into what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Spans of this kind.
    pub from: Span,
    /// Into spans of this kind, which are whole numbers of the others.
    pub into: Span,
    /// Those that begin before this.
    pub before: Timestamp,
    /// Pieces at most.
    pub limit: u32,
}

/// What has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that have not ended.
    pub pending: u64,
    /// Those of them that wait for a retry.
    pub retrying: u64,
    /// There are more than were counted.
    pub more: bool,
    /// When the event of the oldest was accepted.
    pub oldest: Option<Timestamp>,
}

/// Numbers over time, and of the moment.
pub trait Statistics {
    /// What was counted of an endpoint, or of the tenant as a whole, in spans that begin at `since` or later; in no order, and
    /// several pieces may tell of one span.
    fn pieces(
        &self,
        tenant: TenantNo,
        endpoint: Option<EndpointNo>,
        since: Timestamp,
    ) -> Answer<'_, Vec<Piece>>;
    /// Makes fewer pieces of older ones; answers how many are gone. Nothing is lost or counted twice, whoever does it.
    fn fold(&self, fold: Fold) -> Answer<'_, u32>;
    /// Forgets spans of an hour that began before this, at most `limit`; answers how many.
    fn forget_pieces(&self, before: Timestamp, limit: u32) -> Answer<'_, u32>;
    /// What a tenant's endpoints, or these of them, are owed; counted up to `most` deliveries.
    fn backlog(
        &self,
        tenant: TenantNo,
        endpoints: Option<&[EndpointNo]>,
        most: u32,
    ) -> Answer<'_, Backlog>;
}
