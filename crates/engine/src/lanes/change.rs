//! What a change of configuration, and a restart, mean to the lanes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hookyard_domain::endpoint::{Activity, EndpointNo, EndpointStatus};
use hookyard_domain::id::EventKey;
use hookyard_store::ledger::Owed;

use super::Lanes;
use super::given::rebased;
use crate::snapshot::{Prepared, Snapshot};

impl Lanes {
    /// Puts a tenant's configuration in force. Endpoints that `before` had and `now` has not are gone; what is counted of
    /// endpoints that were not known before is given by `counted`.
    pub(crate) fn configure(
        &self,
        before: Option<&Snapshot>,
        now: Option<&Snapshot>,
        counted: Vec<(EndpointNo, Activity)>,
    ) {
        let time = self.clock.now();
        let changed = changed(before, now);
        let mut state = self.lock();
        for (endpoint, all) in counted {
            if state.lanes.contains_key(&endpoint) {
                continue;
            }
            let activity = match state.shared {
                // Each node notes its own: what others counted would be counted twice.
                true => rebased(state.counted.get(&endpoint).copied().unwrap_or_default(), all),
                false => all,
            };
            state.counted.insert(endpoint, activity);
        }
        for enabled in enabled(before, now) {
            state.start_afresh(enabled);
        }
        for (endpoint, prepared) in changed {
            match &prepared {
                Some(prepared) => state.prepared.insert(endpoint, Arc::clone(prepared)),
                None => state.prepared.remove(&endpoint),
            };
            if let Some(lane) = state.lanes.get_mut(&endpoint) {
                lane.configure(prepared);
                state.revive(endpoint, time);
            }
        }
        self.release(state, 1);
    }

    /// Takes in what a restart found owed; nothing when others took over since that term began.
    pub(crate) fn resume(&self, term: u64, owed: &[Owed]) {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.term != term {
            return;
        }
        for it in owed {
            state.counted.insert(it.endpoint, it.activity);
            let something = it.last >= it.from;
            if !something && it.due.is_none() {
                continue;
            }
            let lane = state.lane(it.tenant, it.endpoint, now);
            lane.last_offered = it.last.max(EventKey(it.from.0.saturating_sub(1)));
            lane.overflow = something.then_some(it.from);
            lane.due_at(it.due);
            state.revive(it.endpoint, now);
        }
        self.release(state, 1);
    }
}

/// What a change of configuration means to the lanes: endpoints that are new, changed, or (`None`) gone.
fn changed(
    before: Option<&Snapshot>,
    now: Option<&Snapshot>,
) -> Vec<(EndpointNo, Option<Arc<Prepared>>)> {
    let mut gone: HashMap<_, _> =
        before.into_iter().flat_map(|it| &it.endpoints).map(|it| (it.endpoint.no, it)).collect();
    let mut changed = Vec::new();
    for it in now.into_iter().flat_map(|it| &it.endpoints) {
        let same = gone.remove(&it.endpoint.no).is_some_and(|old| Arc::ptr_eq(old, it));
        if !same {
            changed.push((it.endpoint.no, Some(Arc::clone(it))));
        }
    }
    changed.extend(gone.into_keys().map(|it| (it, None)));
    changed
}

/// Endpoints that were off, or not there, and are on.
fn enabled<'a>(
    before: Option<&'a Snapshot>,
    now: Option<&'a Snapshot>,
) -> impl Iterator<Item = EndpointNo> + 'a {
    let is_on = |it: &Prepared| {
        matches!(it.endpoint.status, EndpointStatus::Active | EndpointStatus::Paused)
    };
    let endpoints = |it: &'a Snapshot| it.endpoints.iter();
    let were_on: HashSet<_> = before
        .into_iter()
        .flat_map(endpoints)
        .filter(|it| is_on(it))
        .map(|it| it.endpoint.no)
        .collect();
    // At the first look nobody knows what was before; the store does.
    now.filter(|_| before.is_some())
        .into_iter()
        .flat_map(endpoints)
        .filter(move |it| is_on(it))
        .map(|it| it.endpoint.no)
        .filter(move |it| !were_on.contains(it))
}
