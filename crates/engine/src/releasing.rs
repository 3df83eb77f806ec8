//! Sources that are being released: what they receive meanwhile is held too, so that it does not overtake what was held
//! before it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookyard_domain::id::SourceId;
use hookyard_domain::source::SourceStatus;
use hookyard_domain::time::Timestamp;

use crate::snapshot::Snapshot;

/// For so long nothing overtakes. A source that receives faster than it can be released must not stay behind for ever.
const AT_MOST: Duration = Duration::from_secs(60);

/// The sources, and since when.
#[derive(Default)]
pub(crate) struct Releasing(Mutex<HashMap<SourceId, Timestamp>>);

impl Releasing {
    fn lock(&self) -> MutexGuard<'_, HashMap<SourceId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A configuration is about to be in force in place of another: sources that were paused and are active begin.
    pub(crate) fn begin(&self, before: &Snapshot, after: &Snapshot, now: Timestamp) {
        for source in after.sources().map(|it| &it.source) {
            let was = before.source(source.id).map(|it| it.source.status);
            if source.status == SourceStatus::Active && was == Some(SourceStatus::Paused) {
                self.lock().insert(source.id, now);
            }
        }
    }

    /// What the source receives now is held.
    pub(crate) fn holds(&self, source: SourceId, now: Timestamp) -> bool {
        self.lock().get(&source).is_some_and(|since| now.since(*since) < AT_MOST)
    }

    /// Nothing is held any more; true when something was being released.
    pub(crate) fn end(&self) -> bool {
        let mut all = self.lock();
        let were_any = !all.is_empty();
        all.clear();
        were_any
    }
}
