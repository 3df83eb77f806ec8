//! One delivery in a lane.

use std::sync::Arc;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};

use super::series::SeriesKey;

/// A delivery in a lane.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub event: Arc<Event>,
    pub delivery: DeliveryId,
    /// Attempts made so far.
    pub attempts: u32,
    pub trigger: Trigger,
    /// What it is about, if such deliveries go out one after another.
    pub series: Option<SeriesKey>,
}

impl Job {
    pub(crate) fn first(event: Arc<Event>, target: TargetNo, series: Option<SeriesKey>) -> Self {
        let delivery = event.id.delivery(target);
        Self { event, delivery, attempts: 0, trigger: Trigger::Automatic, series }
    }

    /// Bytes it keeps in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.event.content.bytes() + 512
    }
}

/// Its place in the order of acceptance.
pub(super) fn place(job: &Job) -> (EventKey, TargetNo) {
    (job.event.id.key(), job.delivery.target().unwrap_or_default())
}
