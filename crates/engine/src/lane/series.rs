//! Series: deliveries about the same thing, which go out one after another although the lane itself does not.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use hookyard_domain::event::Event;
use hookyard_domain::id::DeliveryId;
use hookyard_rules::profiles;

use super::Job;

/// A series. Two that fall together by chance wait for each other, which harms nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SeriesKey(u64);

/// The series of an event. Its data may have to be read for it, so ask without holding a lock.
pub(crate) fn of(event: &Event) -> Option<SeriesKey> {
    let about = profiles::series(event)?;
    let mut hasher = DefaultHasher::new();
    about.hash(&mut hasher);
    Some(SeriesKey(hasher.finish()))
}

/// Deliveries looked at for one whose series is free: a long queue of one series must not cost each turn its length.
const LOOK: usize = 64;

/// The series that have a delivery under way.
#[derive(Default)]
pub(super) struct Series(HashMap<SeriesKey, DeliveryId>);

impl Series {
    /// Takes the first delivery whose series is free.
    pub(super) fn take(&mut self, jobs: &mut VecDeque<Job>) -> Option<Job> {
        let busy = &self.0;
        let is_free = |it: &Job| it.series.is_none_or(|it| !busy.contains_key(&it));
        let at = jobs.iter().take(LOOK).position(is_free)?;
        let job = jobs.remove(at)?;
        if let Some(series) = job.series {
            self.0.insert(series, job.delivery);
        }
        Some(job)
    }

    /// A delivery is not under way any more.
    pub(super) fn ended(&mut self, delivery: DeliveryId) {
        if !self.0.is_empty() {
            self.0.retain(|_, it| *it != delivery);
        }
    }
}
