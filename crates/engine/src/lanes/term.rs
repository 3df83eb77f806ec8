//! Terms: what this node holds is its own as long as nobody has taken it over. When somebody has, the lanes begin anew, and
//! what is told of work begun before is stale.

use super::Lanes;
use super::state::State;

impl Lanes {
    /// The term of now.
    pub(crate) fn term(&self) -> u64 {
        self.lock().term
    }

    /// Others took over: nothing that is held is this node's any more. Attempts under way end as they may.
    pub(crate) fn forsake(&self, term: u64) {
        let mut state = self.lock();
        let State { prepared, waiting, idle, unrecorded, bytes_max, draining, shared, .. } =
            std::mem::take(&mut *state);
        *state = State {
            prepared,
            waiting,
            idle,
            unrecorded,
            bytes_max,
            draining,
            shared,
            ..State::default()
        };
        state.term = term;
    }

    /// So many records that were on the way are not written: they are stale.
    pub(crate) fn unrecorded(&self, many: usize) {
        let mut state = self.lock();
        state.unrecorded = state.unrecorded.saturating_sub(many);
        if state.unrecorded == 0 {
            self.quiet.notify_waiters();
        }
        self.release(state, 1);
    }
}
