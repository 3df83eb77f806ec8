//! The port of the store: the facts Hookyard keeps, as traits; adapters stand in rooms of their own.
//!
//! Called by `app` (what callers wish) and `engine` (what happens by itself). Every method is **one atomic fact**, batched
//! where the engine batches; no transaction crosses the port. `None` means "not there". What an adapter must keep is
//! told by the conformance suite in `testkit`.
//!
//! **Never** here: a database, a word of SQL, a decision.

pub mod audit;
pub mod endpoints;
pub mod error;
pub mod event_types;
pub mod feed;
pub mod history;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod memory;
pub mod nodes;
pub mod sources;
pub mod statistics;
pub mod tenants;
pub mod transfer;

use std::future::Future;
use std::pin::Pin;

pub use error::StoreError;

/// The answer of a port method.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A whole store.
pub trait Store:
    tenants::Tenants
    + keys::Keys
    + endpoints::Endpoints
    + sources::Sources
    + event_types::EventTypes
    + ledger::Ledger
    + history::History
    + feed::Feed
    + jobs::Jobs
    + memory::Memory
    + nodes::Nodes
    + audit::Audit
    + statistics::Statistics
    + Send
    + Sync
    + 'static
{
    /// Answers when the store can be written to; what readiness and self-checks ask.
    fn ping(&self) -> Answer<'_, ()>;
}
