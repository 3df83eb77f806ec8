//! The committer: events and outcomes of the moment → one transaction, one sync → publishers, lanes.
//!
//! One per node, on a thread of its own, since the embedded store writes where it is asked. A publisher never waits for
//! more: what has queued up while the last batch was synced is the next batch, so its size adapts by itself. Outcomes that
//! nobody waits for linger a moment for the next publisher, whose sync then writes them too, instead of standing in its way
//! with one of their own. Outcomes of receivers that only fail gather longer and are written together: each costs pages of
//! its own in several indexes, and apart they would make every publisher's commit heavier.

mod queue;
mod settle;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookyard_domain::time::{Clock, Timestamp};
use hookyard_store::ledger::{Accept, Batch, Receipt, Record};
use hookyard_store::{Store, StoreError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use self::queue::{GATHER, LINGER};
use self::queue::{Queue, Submission, Taken, Waiting};
use self::settle::{Offers, settle};
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::news::News;

/// Events of one transaction at most; bounds how long the first of them waits for the last.
const ACCEPTS_MAX: usize = 4096;
/// Pause after a failed commit, doubled up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What became of one event.
#[derive(Debug)]
pub(crate) enum Settled {
    Done {
        receipt: Receipt,
        /// Deliveries of a newly accepted event.
        deliveries: u32,
    },
    /// To be matched again.
    Stale(Box<Accept>),
}

/// The store could not write; nothing was.
#[derive(Debug)]
pub(crate) struct Unwritten(pub Arc<StoreError>);

pub(crate) struct Committer {
    queue: Mutex<Queue>,
    ready: Condvar,
    rested: Notify,
}

impl Committer {
    pub(crate) fn new() -> Self {
        Self { queue: Mutex::new(Queue::default()), ready: Condvar::new(), rested: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, queue: MutexGuard<'_, Queue>) {
        let wake = match queue.waiting {
            Waiting::Nothing => false,
            Waiting::Work => true,
            Waiting::Fullness => !queue.gathers(),
            Waiting::Urgency => queue.is_urgent(),
        };
        drop(queue);
        if wake {
            self.ready.notify_one();
        }
    }

    /// Has events written; answers when they are on disk.
    pub(crate) async fn accept(&self, accepts: Vec<Accept>) -> Result<Vec<Settled>, Unwritten> {
        let (reply, answer) = oneshot::channel();
        self.submit(Submission { accepts, reply });
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Queues a submission; once closed, drops it, and its reply with it.
    fn submit(&self, submission: Submission) {
        let mut queue = self.lock();
        if queue.suspended {
            drop(queue);
            submission.refuse();
        } else if !queue.closing {
            queue.submissions.push(submission);
            self.wake(queue);
        }
    }

    /// Has an outcome written; it is tried until it is. False when it is of an earlier term, and stale.
    pub(crate) fn record(&self, term: u64, record: Record) -> bool {
        self.queue_record(term, record, None)
    }

    /// The same of a receiver that only fails: together with others like it, half a second later at most.
    pub(crate) fn gather(&self, term: u64, record: Record) -> bool {
        let mut queue = self.lock();
        if queue.term != term {
            return false;
        }
        queue.gathered.push(record);
        self.wake(queue);
        true
    }

    fn queue_record(
        &self,
        term: u64,
        record: Record,
        awaited: Option<oneshot::Sender<()>>,
    ) -> bool {
        let mut queue = self.lock();
        if queue.term != term {
            return false;
        }
        queue.records.push(record);
        if !queue.ended {
            queue.awaited.extend(awaited);
        }
        self.wake(queue);
        true
    }

    /// The same without lingering; tells when it is on disk. An error means that the node is stopping, with the record
    /// still to be written, or that others took over.
    pub(crate) fn record_at_once(
        &self,
        term: u64,
        record: Record,
    ) -> Option<oneshot::Receiver<()>> {
        let (told, written) = oneshot::channel();
        self.queue_record(term, record, Some(told)).then_some(written)
    }

    /// Has everything written that lingers or gathers; tells when it is on disk. An error means what it means there.
    pub(crate) fn flush(&self) -> oneshot::Receiver<()> {
        let (told, written) = oneshot::channel();
        let mut queue = self.lock();
        queue.hurry();
        if !queue.ended {
            queue.awaited.push(told);
        }
        self.wake(queue);
        written
    }

    /// Others took over: publishers are refused, the lanes let go of everything, and what is not written is stale. The term
    /// that begins, and how many records that were.
    pub(crate) fn suspend(&self, lanes: &Lanes) -> (u64, usize) {
        Self::end_term(self.lock(), lanes)
    }

    /// The same, unless that term is over already: whoever ended it is at bringing this node back.
    fn suspend_in(&self, term: u64, lanes: &Lanes) -> usize {
        let queue = self.lock();
        if queue.term == term { Self::end_term(queue, lanes).1 } else { 0 }
    }

    /// In one piece: the queue and the lanes are never in different terms, whoever else is at it.
    fn end_term(mut queue: MutexGuard<'_, Queue>, lanes: &Lanes) -> (u64, usize) {
        queue.suspended = true;
        queue.term += 1;
        lanes.forsake(queue.term);
        let gathered = std::mem::take(&mut queue.gathered).len();
        queue.gathering_since = None;
        let stale = std::mem::take(&mut queue.records).len() + gathered;
        queue.awaited.clear();
        let submissions = std::mem::take(&mut queue.submissions);
        let term = queue.term;
        drop(queue);
        submissions.into_iter().for_each(Submission::refuse);
        (term, stale)
    }

    /// Others took over, and this node is not back yet.
    pub(crate) fn is_suspended(&self) -> bool {
        self.lock().suspended
    }

    /// This node is back; false when others took over again in the meantime.
    pub(crate) fn go_on(&self, term: u64) -> bool {
        let mut queue = self.lock();
        let is_back = queue.term == term;
        queue.suspended &= !is_back;
        is_back
    }

    /// Waits for the batch that is being written, if there is one. After it nothing of a term that was ended before is
    /// written any more, and nobody hears late that it was refused.
    pub(crate) async fn rested(&self) {
        loop {
            let rested = self.rested.notified();
            if !self.lock().is_writing {
                return;
            }
            rested.await;
        }
    }

    /// Has the lanes' notes written.
    pub(crate) fn nudge(&self) {
        let mut queue = self.lock();
        queue.nudged = true;
        self.wake(queue);
    }

    /// Writes what is queued, then ends.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closing = true;
        self.wake(queue);
    }

    /// Waits for something to write; `None` when closed and all is written.
    fn take(&self) -> Option<Taken> {
        let mut queue = self.await_work();
        queue.waiting = Waiting::Nothing;
        queue.end_gathering();
        let is_empty = queue.submissions.is_empty() && queue.records.is_empty();
        if is_empty && queue.closing && !queue.nudged {
            return None;
        }
        queue.nudged = false;
        queue.is_writing = true;
        let mut count = 0;
        let fit = queue
            .submissions
            .iter()
            .take_while(|it| {
                let first = count == 0;
                count += it.accepts.len();
                first || count <= ACCEPTS_MAX
            })
            .count();
        let rest = queue.submissions.split_off(fit);
        let submissions = std::mem::replace(&mut queue.submissions, rest);
        Some(Taken {
            term: queue.term,
            submissions,
            records: std::mem::take(&mut queue.records),
            awaited: std::mem::take(&mut queue.awaited),
            closing: queue.closing,
        })
    }

    fn await_work(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.lock();
        queue.is_writing = false;
        self.rested.notify_waiters();
        queue.waiting = Waiting::Work;
        let none = |queue: &mut Queue| queue.gathers() && queue.gathered.is_empty();
        queue = self.ready.wait_while(queue, none).unwrap_or_else(PoisonError::into_inner);
        if queue.gathers() {
            queue.waiting = Waiting::Fullness;
            let since = *queue.gathering_since.get_or_insert_with(Instant::now);
            let rest = GATHER.saturating_sub(since.elapsed());
            let gathered = self.ready.wait_timeout_while(queue, rest, |queue| queue.gathers());
            (queue, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        }
        if !queue.records.is_empty() {
            queue.waiting = Waiting::Urgency;
            let lingered = self.ready.wait_timeout_while(queue, LINGER, |it| !it.is_urgent());
            (queue, _) = lingered.unwrap_or_else(PoisonError::into_inner);
        }
        queue
    }

    /// The thread's life.
    pub(crate) fn run(&self, tools: &Tools) {
        let _end = End(self);
        let mut left = Vec::new();
        let mut awaited = Vec::new();
        let mut pause = PAUSE;
        let mut term = 0;
        while let Some(taken) = self.take() {
            if taken.term != term {
                term = taken.term;
                tools.stale(left.len());
                left.clear();
                awaited.clear();
            }
            left.extend(taken.records);
            awaited.extend(taken.awaited);
            left = match tools.write(term, taken.submissions, left) {
                Ok(left) => left,
                Err(Fenced { stale }) => {
                    tools.forsake(self, term, stale);
                    awaited.clear();
                    Vec::new()
                }
            };
            if left.is_empty() {
                pause = PAUSE;
                // Who waited may be gone.
                for told in awaited.drain(..) {
                    let _ = told.send(());
                }
                continue;
            }
            if taken.closing && pause >= PAUSE_MAX {
                // The store stays away: what was sent will be owed, and sent again, after the restart.
                return;
            }
            tools.runtime.block_on(async { tokio::time::sleep(pause).await });
            pause = (pause * 2).min(PAUSE_MAX);
            self.nudge();
        }
    }
}

/// However the thread ends, nobody is left waiting for it: publishers are refused from then on.
struct End<'a>(&'a Committer);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closing = true;
        queue.ended = true;
        queue.is_writing = false;
        self.0.rested.notify_waiters();
        queue.submissions.clear();
        queue.awaited.clear();
        if std::thread::panicking() {
            tracing::error!(
                "the committer broke off; restart this node: nothing acknowledged is lost"
            );
        }
    }
}

/// Others took over: so many records of a batch are stale.
struct Fenced {
    stale: usize,
}

/// What the committer's thread works with.
pub(crate) struct Tools {
    /// Told when others took over.
    pub fenced: Arc<Notify>,
    pub store: Arc<dyn Store>,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    pub news: Arc<News>,
    pub runtime: tokio::runtime::Runtime,
}

impl Tools {
    /// Lets go of everything this node held in that term, since others took over; whoever is told brings it back.
    fn forsake(&self, committer: &Committer, term: u64, stale: usize) {
        let more = committer.suspend_in(term, &self.lanes);
        self.stale(stale + more);
        self.fenced.notify_one();
    }

    /// So many records are not written.
    fn stale(&self, many: usize) {
        if many > 0 {
            self.lanes.unrecorded(many);
            self.metrics.stale.increment(many as u64);
        }
    }

    /// Writes one batch; answers the records that could not be written.
    fn write(
        &self,
        term: u64,
        mut submissions: Vec<Submission>,
        records: Vec<Record>,
    ) -> Result<Vec<Record>, Fenced> {
        let mut batch = Batch {
            now: self.clock.now(),
            accepts: Vec::with_capacity(submissions.iter().map(|it| it.accepts.len()).sum()),
            records,
            notes: self.lanes.notes(),
        };
        let sizes: Vec<_> = submissions.iter().map(|it| it.accepts.len()).collect();
        for submission in &mut submissions {
            batch.accepts.append(&mut submission.accepts);
        }
        self.metrics.batch.record(batch.accepts.len() as f64);
        match self.runtime.block_on(self.store.commit(&batch)) {
            Ok(receipts) => {
                self.lanes.recorded(&batch.records);
                self.news.tell_of(&batch);
                self.settle(term, submissions, &sizes, (batch.accepts, receipts), batch.now);
                Ok(Vec::new())
            }
            Err(StoreError::Fenced) => {
                submissions.into_iter().for_each(Submission::refuse);
                Err(Fenced { stale: batch.records.len() })
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a batch could not be written"
                );
                self.lanes.notes_lost(&batch.notes);
                let error = Arc::new(error);
                for submission in submissions {
                    // The publisher may be gone.
                    let _ = submission.reply.send(Err(Unwritten(Arc::clone(&error))));
                }
                Ok(batch.records)
            }
        }
    }

    fn settle(
        &self,
        term: u64,
        submissions: Vec<Submission>,
        sizes: &[usize],
        (accepts, receipts): (Vec<Accept>, Vec<Receipt>),
        now: Timestamp,
    ) {
        let mut offers = Offers::default();
        let mut replies = Vec::with_capacity(submissions.len());
        let mut settled = accepts.into_iter().zip(receipts);
        let mut accepted = 0;
        for (submission, size) in submissions.into_iter().zip(sizes) {
            let mut answers = Vec::with_capacity(*size);
            for (accept, receipt) in settled.by_ref().take(*size) {
                accepted += u64::from(matches!(receipt, Receipt::Accepted { .. }));
                answers.push(settle(&*self.store, accept, receipt, now, &mut offers));
            }
            replies.push((submission.reply, answers));
        }
        self.metrics.accepted.increment(accepted);
        self.lanes.offer(term, offers.all.into_iter());
        self.lanes.gave(term, &offers.given);
        for (reply, answers) in replies {
            // The publisher may be gone; its event is accepted all the same.
            let _ = reply.send(Ok(answers));
        }
    }
}

fn closed() -> Unwritten {
    Unwritten(Arc::new(StoreError::Unavailable("the node is stopping".into())))
}

#[cfg(test)]
mod tests;
