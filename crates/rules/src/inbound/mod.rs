//! Received requests: whether they come from whom they say, what they tell, and the replies to providers' handshakes.
//!
//! Verification is data: a [`recipe::Recipe`] says where the signature stands, what was signed and with which key, and
//! [`verify()`] runs it. What data cannot express has a file of its own ([`asymmetric`], `token`, `twilio`, `adyen`). One
//! preset per provider stands in [`presets`]. [`challenge`] answers handshakes, [`mod@sign`] is the sender's side, and
//! [`report()`] tells people what is wrong.
//!
//! A refusal never says which signature would have been right. The body is taken byte for byte: nothing here parses it
//! before its signature is known to be good, except where the signature stands inside of it.

mod adyen;
pub mod asymmetric;
pub mod challenge;
pub mod claim;
pub mod dedupe;
mod key;
pub mod presets;
pub mod recipe;
mod rejection;
mod report;
pub mod sign;
mod token;
mod twilio;
pub mod verify;
mod view;

use std::time::Duration;

use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;

pub use challenge::{Handshake, Reply};
pub use claim::{Claim, claim};
pub use presets::{Preset, SecretFrom};
use recipe::{At, Place, Proof, Signature};

pub use recipe::Recipe;
pub use rejection::Rejection;
pub use report::report;
pub use sign::{Outgoing, SignError, sign};
pub use verify::{Verified, check_secret, verify};

/// Whether some provider proves its requests in a header of this name.
#[must_use]
pub fn carries_proof(header_name: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(header_name);
    let proofs = presets::ALL.iter().flat_map(|it| it.recipe.proofs);
    proofs.into_iter().any(|proof| match proof {
        Proof::Signature(Signature { at: At::Header(name), .. })
        | Proof::Token(Place::Header(name)) => is(name),
        Proof::Signature(Signature { at: At::Numbered(start), .. }) => {
            header_name.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
        }
        Proof::Twilio => is(twilio::SIGNATURE),
        // In the body.
        Proof::Signature(Signature { at: At::Field(_), .. })
        | Proof::Token(Place::Json(_) | Place::Form(_) | Place::Each(_, _) | Place::Fixed(_))
        | Proof::Adyen => false,
    })
}

/// A request as it was received.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Its method, in capitals.
    pub method: &'a str,
    /// The whole URL with its query, as the provider was told it; empty when not known.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a Headers,
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

/// What a request is held against.
#[derive(Clone, Copy)]
pub struct Trust<'a> {
    /// The secrets that count, the newest first.
    pub secrets: &'a [&'a str],
    /// How far the signed time may be from now, either way; `None` is what the recipe says.
    pub tolerance: Option<Duration>,
    /// Now.
    pub now: Timestamp,
}
