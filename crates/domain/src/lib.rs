//! The nouns of Hookyard: ids, tenants, endpoints, events, deliveries, attempts.
//!
//! Every room speaks in these words. Start reading at [`event`], [`delivery`] and [`endpoint`].
//!
//! **Never** here: I/O, async, a clock or dice that really tick (only their traits), the JSON of any API, logging.
//! The `serde` derives are the *stored* form of a noun; what callers see is made in `api`.

pub mod attempt;
pub mod audit;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod event_type;
pub mod feed;
pub mod headers;
pub mod id;
pub mod invalid;
pub mod job;
pub mod key;
pub mod limit;
pub mod node;
pub mod page;
pub mod portal;
pub mod profile;
pub mod retry;
pub mod scheme;
pub mod secret;
pub mod source;
pub mod statistics;
pub mod subscription;
pub mod tenant;
pub mod time;
pub mod url;
