//! Delivery profiles: what a delivery looks like to a vendor's receivers, and the policies that go with it.
//!
//! One `RULES` record and one envelope per profile (contract.md §4). Whatever an endpoint sets itself goes before its
//! profile's value.

mod alumia;
mod alvys;
mod aly;
mod aryeo;
mod envelope;
mod standard;

use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::endpoint::EndpointSettings;
use hookyard_domain::event::Event;
use hookyard_domain::id::DeliveryId;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, RetryPolicy, Verify};
use hookyard_domain::scheme::Scheme;
use hookyard_domain::time::Timestamp;

use crate::diff::{self, Change};
use crate::signing::{SignedHeaders, Signer};

/// Which answers end a delivery at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// None: everything but success is tried again.
    Never,
    /// 410 Gone, which switches the endpoint off too.
    Gone,
    /// Every 4xx other than 408 and 429.
    ClientErrors,
}

/// Everything a profile fixes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfileRules {
    /// Whose rules these are.
    pub profile: Profile,
    /// How deliveries are signed.
    pub scheme: Scheme,
    /// The delay before attempt 2, 3, … in milliseconds.
    pub retry_delays_ms: &'static [u64],
    /// The share by which a delay is moved either way.
    pub retry_jitter: f64,
    /// Seconds one attempt may take.
    pub timeout_s: u32,
    /// How long an old secret is used beside a new one; `None`: it ends at once.
    pub overlap: Option<Duration>,
    /// Which answers are final.
    pub terminal: Terminal,
    /// When an endpoint that only fails is switched off.
    pub auto_disable: AutoDisable,
    /// Whether an endpoint must prove itself.
    pub verify: Verify,
    /// Endpoints of a tenant at most; `None`: the tenant's limit.
    pub endpoints_max: Option<u32>,
    /// Entries of an endpoint's `events` at most; `None`: the tenant's limit.
    pub events_max: Option<u32>,
    /// It does not send without a signature.
    pub secret_required: bool,
}

/// A profile's rules.
#[must_use]
pub fn of(profile: Profile) -> &'static ProfileRules {
    match profile {
        Profile::Standard => &standard::RULES,
        Profile::Aly => &aly::RULES,
        Profile::Alvys => &alvys::RULES,
        Profile::Alumia => &alumia::RULES,
        Profile::Aryeo => &aryeo::RULES,
    }
}

/// A profile's retry policy.
#[must_use]
pub fn preset(profile: Profile) -> RetryPolicy {
    let rules = of(profile);
    RetryPolicy { delays_ms: rules.retry_delays_ms.to_vec(), jitter: rules.retry_jitter }
}

/// When deliveries to this endpoint are tried again.
#[must_use]
pub fn retry_policy(settings: &EndpointSettings) -> RetryPolicy {
    settings.retry.clone().unwrap_or_else(|| preset(settings.profile))
}

/// How long one attempt to this endpoint may take.
#[must_use]
pub fn timeout(settings: &EndpointSettings) -> Duration {
    let seconds = settings.timeout_s.unwrap_or_else(|| of(settings.profile).timeout_s);
    Duration::from_secs(u64::from(seconds))
}

/// When this endpoint is switched off by itself.
#[must_use]
pub fn auto_disable(settings: &EndpointSettings) -> AutoDisable {
    settings.auto_disable.unwrap_or_else(|| of(settings.profile).auto_disable)
}

/// Whether this endpoint must prove itself.
#[must_use]
pub fn verify(settings: &EndpointSettings) -> Verify {
    settings.verify.unwrap_or_else(|| of(settings.profile).verify)
}

/// The exact bytes that are signed and sent: the profile's envelope around the exact bytes of the event's `data`, which
/// gets a member `diff` when the publisher told of a change (contract.md §3).
#[must_use]
pub fn body(settings: &EndpointSettings, event: &Event) -> Bytes {
    let with_diff = data_with_diff(settings, event);
    let data = with_diff.as_ref().unwrap_or(&event.content.data);
    match settings.profile {
        Profile::Standard => standard::body(event, data),
        Profile::Aly => aly::body(event, data),
        Profile::Alvys => alvys::body(event, data),
        Profile::Alumia => alumia::body(event, data),
        Profile::Aryeo => aryeo::body(data),
    }
}

fn data_with_diff(settings: &EndpointSettings, event: &Event) -> Option<Bytes> {
    let content = &event.content;
    let (previous, mut changes) = (content.previous.as_deref(), content.changes.as_deref());
    let asked = settings.include_previous_attributes;
    let knows_none = previous.is_none() && changes.is_none();
    match settings.profile {
        Profile::Alvys => {
            if !alvys::carries_diff(&content.event_type) {
                return None;
            }
            if knows_none {
                return if asked { None } else { diff::data_without_previous(&content.data) };
            }
            // That something differs is told to everybody (vendors.md ALV-DIFF-12), with `changes: []` where nothing is
            // known of it.
            changes = changes.or(Some(b"[]"));
        }
        Profile::Standard | Profile::Aly | Profile::Alumia | Profile::Aryeo if knows_none => {
            return None;
        }
        Profile::Standard | Profile::Aly | Profile::Alumia | Profile::Aryeo => {}
    }
    let noun = content.event_type.as_str().split('.').next().unwrap_or_default();
    let change = Change { noun, data: &content.data, previous, changes, asked };
    diff::data_with_diff(&change)
}

/// What the event is about, as a profile has it that dispatches events about the same thing one after another.
#[must_use]
pub fn series(event: &Event) -> Option<String> {
    alvys::series(event)
}

/// Whether the profile dispatches events of one series one after another.
#[must_use]
pub fn keeps_series(profile: Profile) -> bool {
    profile == Profile::Alvys
}

/// What the body is: JSON, but for what a source received and the profile passes on as it came.
fn content_type(profile: Profile, event: &Event) -> &str {
    let as_it_came = match profile {
        Profile::Alumia | Profile::Aryeo => event.content.source.is_some(),
        Profile::Standard | Profile::Aly | Profile::Alvys => false,
    };
    let received = event.content.content_type.as_deref().filter(|_| as_it_came);
    received.unwrap_or("application/json")
}

/// One attempt, as its headers tell of it.
#[derive(Clone, Copy, Debug)]
pub struct Dress<'a> {
    /// What is delivered.
    pub event: &'a Event,
    /// To whom.
    pub delivery: DeliveryId,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// When it is made.
    pub now: Timestamp,
    /// What [`body`] answered.
    pub body: &'a [u8],
}

/// Every header the profile sends, in the case its documentation shows. `signer` is the endpoint's, made for the
/// profile's scheme.
#[must_use]
pub fn headers(profile: Profile, signer: &Signer, dress: &Dress<'_>) -> SignedHeaders {
    let mut headers = Vec::with_capacity(8);
    headers.push(("Content-Type", content_type(profile, dress.event).to_owned()));
    let id = dress.event.id.to_string();
    match profile {
        Profile::Aly => aly::headers(&id, dress, &mut headers),
        Profile::Alvys => alvys::headers(&id, dress, &mut headers),
        Profile::Standard | Profile::Alumia | Profile::Aryeo => {}
    }
    signer.sign_into(&id, dress.now, dress.body, &mut headers);
    headers
}

#[cfg(test)]
pub(crate) mod tests;
