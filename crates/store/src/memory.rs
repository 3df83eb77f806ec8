//! Idempotent replies: what was answered to a request that carried an `Idempotency-Key`.

use hookyard_domain::secret::Sealed;
use hookyard_domain::time::Timestamp;

use crate::Answer;

/// Where a key counts: the tenant's name, or `operator`, and the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplyKey {
    /// Whose key it is.
    pub owner: String,
    /// The header's value.
    pub key: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// It is new, and now taken: execute, then [`Memory::remember`] or [`Memory::forget`].
    Fresh,
    /// It was used with another request.
    OtherRequest,
    /// The first use has not ended.
    Running,
    /// The first use was broken off, or its process ended: what came of it is not known.
    Unknown,
    /// It ended with this answer (sealed: it may hold a secret that is shown once).
    Replied(Sealed),
}

/// Replies, each kept for a day.
pub trait Memory {
    /// Takes a key for a request with this content hash. One older than `expired_before` is fresh again; one that was
    /// taken and neither answered nor given back never is, since its request may have been done.
    fn recall(
        &self,
        key: &ReplyKey,
        request: [u8; 32],
        now: Timestamp,
        expired_before: Timestamp,
    ) -> Answer<'_, Recalled>;
    /// Keeps the answer.
    fn remember(&self, key: &ReplyKey, reply: Sealed) -> Answer<'_, ()>;
    /// Gives the key back: the request failed in a way that may be tried again.
    fn forget(&self, key: &ReplyKey) -> Answer<'_, ()>;
    /// Its request was broken off: what came of it is not known, and will not be.
    fn lose(&self, key: &ReplyKey) -> Answer<'_, ()>;
    /// Drops what is older; answers how many.
    fn forget_before(&self, before: Timestamp) -> Answer<'_, u64>;
}
