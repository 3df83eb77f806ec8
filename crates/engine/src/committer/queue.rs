//! What the committer is given between two batches, and when it is time for the next.

use std::sync::Arc;
use std::time::Duration;

use hookyard_store::StoreError;
use hookyard_store::ledger::{Accept, Record};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Settled, Unwritten};

/// How long outcomes wait for a publisher to go with. What was sent in it may be sent again after a crash.
pub(super) const LINGER: Duration = Duration::from_millis(5);
/// Outcomes that go without one.
pub(super) const LINGER_RECORDS: usize = 256;
/// How long the outcomes of receivers that only fail gather. Their retries are due a second later at the earliest, and who
/// watches sees them within two.
pub(super) const GATHER: Duration = Duration::from_millis(500);
/// So many of them are written at once.
pub(super) const GATHER_RECORDS: usize = 128;

pub(super) type Reply = oneshot::Sender<Result<Vec<Settled>, Unwritten>>;

pub(super) struct Submission {
    pub(super) accepts: Vec<Accept>,
    pub(super) reply: Reply,
}

impl Submission {
    /// Tells the publisher, who may be gone, that nothing was accepted.
    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(Unwritten(Arc::new(StoreError::Fenced))));
    }
}

/// What one batch is made of.
pub(super) struct Taken {
    pub(super) term: u64,
    pub(super) submissions: Vec<Submission>,
    pub(super) records: Vec<Record>,
    pub(super) awaited: Vec<oneshot::Sender<()>>,
    pub(super) closing: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) submissions: Vec<Submission>,
    pub(super) records: Vec<Record>,
    /// Outcomes that are written together, and since when the first of them is known to wait.
    pub(super) gathered: Vec<Record>,
    pub(super) gathering_since: Option<Instant>,
    /// Who waits until the records are on disk.
    pub(super) awaited: Vec<oneshot::Sender<()>>,
    /// Lanes have something to note although nothing else is to be written.
    pub(super) nudged: bool,
    pub(super) closing: bool,
    /// Others have taken over from this node: until it is back nothing is accepted.
    pub(super) suspended: bool,
    /// Counts how often that was so; records of an earlier term are refused.
    pub(super) term: u64,
    /// A batch was taken, and what came of it is not told yet.
    pub(super) is_writing: bool,
    /// The thread is gone: nothing is written any more.
    pub(super) ended: bool,
    pub(super) waiting: Waiting,
}

/// What the thread waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Waiting {
    #[default]
    Nothing,
    /// Something to write.
    Work,
    /// Something that does not gather.
    Fullness,
    /// Something that does not linger.
    Urgency,
}

impl Queue {
    /// There is something that is to be written at once.
    pub(super) fn is_urgent(&self) -> bool {
        !self.submissions.is_empty()
            || self.nudged
            || self.closing
            || !self.awaited.is_empty()
            || self.records.len() >= LINGER_RECORDS
    }

    /// Nothing but outcomes that may gather on.
    pub(super) fn gathers(&self) -> bool {
        self.records.is_empty() && !self.is_urgent() && self.gathered.len() < GATHER_RECORDS
    }

    /// Puts all that has gathered to the records.
    pub(super) fn hurry(&mut self) {
        self.gathering_since = None;
        self.records.append(&mut self.gathered);
    }

    /// Puts what has gathered long enough to the records.
    pub(super) fn end_gathering(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let since = *self.gathering_since.get_or_insert_with(Instant::now);
        let is_over =
            self.closing || self.gathered.len() >= GATHER_RECORDS || since.elapsed() >= GATHER;
        if is_over {
            self.hurry();
        }
    }
}
