//! What the committer tells the lanes, and what it takes from them to disk.

use hookyard_domain::delivery::Next;
use hookyard_store::ledger::{LaneNote, Record};

use super::Lanes;

impl Lanes {
    /// These are on disk.
    pub(crate) fn recorded(&self, records: &[Record]) {
        let now = self.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        for record in records {
            state.unrecorded = state.unrecorded.saturating_sub(1);
            let retry_at = match record.next {
                Next::RetryAt(at) => Some(at),
                Next::Succeeded | Next::Failed(_) | Next::Discarded(_) => None,
            };
            let Some(lane) = state.lanes.get_mut(&record.endpoint) else { continue };
            let freed = lane.recorded(record.delivery, retry_at);
            state.dirty.mark(record.endpoint, lane);
            state.held_bytes = state.held_bytes.saturating_sub(freed);
            state.revive(record.endpoint, now);
        }
        if state.unrecorded == 0 {
            self.quiet.notify_waiters();
        }
        self.release(guard, 1);
    }

    /// Where the lanes stand that something was recorded for since the last call.
    pub(crate) fn notes(&self) -> Vec<LaneNote> {
        let mut state = self.lock();
        let dirty = state.dirty.take();
        dirty
            .into_iter()
            .filter_map(|endpoint| {
                let lane = state.lanes.get_mut(&endpoint)?;
                lane.noted();
                Some(LaneNote {
                    tenant: lane.tenant,
                    endpoint,
                    mark: lane.mark(),
                    activity: lane.activity,
                })
            })
            .collect()
    }

    /// The notes could not be written: they are still to be.
    pub(crate) fn notes_lost(&self, notes: &[LaneNote]) {
        let mut state = self.lock();
        for note in notes {
            state.mark_dirty(note.endpoint);
        }
    }
}
