//! A receiver whose answer a test changes as it goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::sync::Semaphore;

use crate::receiver::{Arrival, Receiver, Reply};

/// A receiver that answers every request with one status, which may change.
pub struct Sink {
    receiver: Receiver,
    status: Arc<AtomicU16>,
    gate: Arc<Semaphore>,
}

impl Sink {
    /// Answers with this status.
    pub async fn answering(status: u16) -> Self {
        Self::open(status, false).await
    }

    /// Takes requests, but answers none before [`Sink::let_go`].
    pub async fn holding() -> Self {
        Self::open(200, true).await
    }

    async fn open(status: u16, held: bool) -> Self {
        let (status, gate) = (Arc::new(AtomicU16::new(status)), Arc::new(Semaphore::new(0)));
        let (now, barrier) = (Arc::clone(&status), Arc::clone(&gate));
        let receiver = Receiver::scripted(move |_, _| {
            let status = now.load(Ordering::SeqCst);
            if held { Reply::Held(Arc::clone(&barrier), status) } else { Reply::Status(status) }
        });
        Self { receiver: receiver.await, status, gate }
    }

    /// Answers with this status from here on.
    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Answers what is held, and what is to come.
    pub fn let_go(&self) {
        self.gate.add_permits(10_000);
    }

    pub fn url(&self) -> String {
        self.receiver.url()
    }

    pub fn received(&self) -> Vec<Arrival> {
        self.receiver.arrivals()
    }

    /// Waits until this many requests have arrived.
    pub async fn wait_for(&self, count: usize) -> Vec<Arrival> {
        self.receiver.first(count).await
    }
}

/// The body of a request as text.
#[track_caller]
pub fn sent(arrival: &Arrival) -> &str {
    std::str::from_utf8(&arrival.body).unwrap()
}
