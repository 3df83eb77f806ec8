//! What callers write about an endpoint, and the checks of it.

use std::collections::BTreeSet;

use hookyard_domain::endpoint::EndpointSettings;
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, RateLimit, RetryPolicy, Verify};
use hookyard_domain::subscription::{Pattern, Scope};
use hookyard_domain::tenant::Tenant;
use hookyard_domain::url::EndpointUrl;
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::{custom_headers, profiles};

use super::MASKED;
use crate::AppError;
use crate::catalogue;
use crate::checks::Checks;

/// Attempts per second an endpoint may be limited to at least: one in a quarter of an hour or so.
const PER_S_MIN: f64 = 0.001;
/// Attempts per second an endpoint may be limited to at most.
const PER_S_MAX: f64 = 10_000.0;
/// Events or attempts in a burst at most.
const BURST_MAX: i64 = 1_000_000;
/// Failed events in a row before an endpoint is switched off, at most.
const AFTER_EVENTS_MAX: i64 = 1_000_000;
/// Seconds of nothing but failures before an endpoint is switched off, at most: a year.
const AFTER_S_MAX: i64 = 366 * 24 * 3600;

/// When to try again, as it was written: delays, or a profile's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryInput {
    /// Seconds before each retry; a leading 0 stands for the first attempt.
    pub delays_s: Option<Vec<f64>>,
    /// By which share a delay may be moved.
    pub jitter: Option<f64>,
    /// A profile whose schedule is meant.
    pub preset: Option<String>,
}

/// How fast an endpoint may be called, as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateLimitInput {
    /// Attempts per second.
    pub per_s: f64,
    /// Attempts at once after a pause.
    pub burst: Option<i64>,
}

/// When an endpoint is switched off by itself, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoDisableInput {
    /// `false`: never.
    Off,
    /// After events or seconds, one of them.
    On {
        /// Failed events in a row.
        after_events: Option<i64>,
        /// Seconds of nothing but failures.
        after_s: Option<i64>,
    },
}

/// An endpoint to be made. `None` is the profile's value.
#[derive(Clone, Debug, Default)]
pub struct NewEndpoint {
    /// Where deliveries go.
    pub url: String,
    /// Types, patterns such as `order.*`, or `*`.
    pub events: Vec<String>,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Only events of this scope.
    pub scope: Option<String>,
    /// Wire format and policy; the tenant's when none is named.
    pub profile: Option<String>,
    /// A secret of the caller's own. An empty one is none at all, where the profile allows that.
    pub secret: Option<String>,
    /// Headers of every delivery.
    pub headers: Option<Headers>,
    /// When to try again.
    pub retry: Option<RetryInput>,
    /// Seconds one attempt may take.
    pub timeout_s: Option<i64>,
    /// How fast it may be called.
    pub rate_limit: Option<RateLimitInput>,
    /// One after the other.
    pub ordered: Option<bool>,
    /// Attempts at once.
    pub max_in_flight: Option<i64>,
    /// It wants `data.diff.previousAttributes`.
    pub include_previous_attributes: Option<bool>,
    /// When it is switched off by itself.
    pub auto_disable: Option<AutoDisableInput>,
    /// `none` or `challenge`.
    pub verify: Option<String>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<String>,
    /// It begins switched off, by hand.
    pub off: bool,
}

/// What to change of an endpoint. `None` stays as it is, null is the profile's value or nothing.
#[derive(Clone, Debug, Default)]
pub struct EndpointPatch {
    /// Change it only if its revision is one of these.
    pub if_revision: Option<Vec<u64>>,
    /// Where deliveries go.
    pub url: Option<String>,
    /// Types, patterns such as `order.*`, or `*`.
    pub events: Option<Vec<String>>,
    /// For people.
    pub name: Option<Option<String>>,
    /// For people.
    pub description: Option<Option<String>>,
    /// Only events of this scope.
    pub scope: Option<Option<String>>,
    /// Wire format and policy; null is the tenant's.
    pub profile: Option<Option<String>>,
    /// Headers of every delivery, all of them. A value that reads [`MASKED`] stays what it is.
    pub headers: Option<Option<Headers>>,
    /// When to try again.
    pub retry: Option<Option<RetryInput>>,
    /// Seconds one attempt may take.
    pub timeout_s: Option<Option<i64>>,
    /// How fast it may be called.
    pub rate_limit: Option<Option<RateLimitInput>>,
    /// One after the other.
    pub ordered: Option<Option<bool>>,
    /// Attempts at once.
    pub max_in_flight: Option<Option<i64>>,
    /// It wants `data.diff.previousAttributes`.
    pub include_previous_attributes: Option<Option<bool>>,
    /// When it is switched off by itself.
    pub auto_disable: Option<Option<AutoDisableInput>>,
    /// `none` or `challenge`.
    pub verify: Option<Option<String>>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<Option<String>>,
}

/// What the checks need to know.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) egress: &'a EgressPolicy,
    pub(super) surface: Option<Profile>,
    /// Types of the tenant's own catalogue, as far as they matter.
    pub(super) own_types: &'a BTreeSet<EventType>,
}

impl Bounds<'_> {
    /// The profile of an endpoint that names none.
    pub(super) fn profile(self) -> Profile {
        self.surface.unwrap_or(self.tenant.profile)
    }

    /// Why an endpoint of that profile cannot ask for that; `None` when it can. A vendor's surface knows the vendor's types
    /// and the tenant's own (vendors.md ALY-REG-1, -4); natively any type may be asked for, also one that is yet to come.
    fn refuses(self, profile: Profile, pattern: &Pattern) -> Option<&'static str> {
        self.surface?;
        let is_prefix = matches!(pattern, Pattern::Below(_)) && catalogue::has(profile);
        let is_offered = !is_prefix && catalogue::offers(profile, self.own_types, pattern);
        (!is_offered).then_some("use exact types of the catalogue, or `*` for all of them")
    }
}

impl NewEndpoint {
    /// The settings, the headers, and the secret that was given. All that is wrong is told at once.
    pub(super) fn check(
        self,
        checks: &mut Checks,
        bounds: Bounds<'_>,
    ) -> Option<(EndpointSettings, Headers)> {
        let profile = profile(checks, bounds, self.profile.as_deref());
        let url = url(checks, bounds, &self.url);
        let events = patterns(checks, bounds, (profile, &[]), &self.events);
        let headers = self.headers.unwrap_or_default();
        checks.all(custom_headers::check(&headers, "/headers"));
        let settings = EndpointSettings {
            events,
            name: checks.text("/name", self.name, limit::NAME_CHARS_MAX),
            description: description(checks, self.description),
            scope: scope(checks, self.scope.as_deref()),
            source: None,
            profile,
            retry: self.retry.and_then(|it| retry(checks, it)),
            timeout_s: timeout(checks, self.timeout_s),
            rate_limit: self.rate_limit.and_then(|it| rate_limit(checks, &it)),
            ordered: self.ordered.unwrap_or(false),
            max_in_flight: in_flight(checks, self.max_in_flight),
            include_previous_attributes: self.include_previous_attributes.unwrap_or(false),
            auto_disable: self.auto_disable.and_then(|it| auto_disable(checks, it)),
            verify: verify(checks, self.verify.as_deref()),
            metadata: metadata(checks, self.metadata),
            // Last, so that all the rest is checked without a URL too.
            url: url?,
        };
        Some((settings, headers))
    }
}

impl EndpointPatch {
    /// The settings and the headers after the change.
    pub(super) fn check(
        self,
        checks: &mut Checks,
        bounds: Bounds<'_>,
        mut settings: EndpointSettings,
        old_headers: Headers,
    ) -> (EndpointSettings, Headers) {
        if let Some(text) = self.url
            && let Some(url) = url(checks, bounds, &text)
        {
            settings.url = url;
        }
        let old_profile = settings.profile;
        if let Some(text) = self.profile {
            settings.profile = profile(checks, bounds, text.as_deref());
        }
        // Those it has may be sent back as they were shown; under another profile they must be offered anew.
        let had = std::mem::take(&mut settings.events);
        let had_here = if settings.profile == old_profile { had.as_slice() } else { &[] };
        let list = match &self.events {
            Some(list) => patterns(checks, bounds, (settings.profile, had_here), list),
            None if settings.profile == old_profile => had,
            None => {
                let shown: Vec<String> = had.iter().map(ToString::to_string).collect();
                patterns(checks, bounds, (settings.profile, &[]), &shown)
            }
        };
        settings.events = list;
        if let Some(name) = self.name {
            settings.name = checks.text("/name", name, limit::NAME_CHARS_MAX);
        }
        if let Some(text) = self.description {
            settings.description = description(checks, text);
        }
        if let Some(text) = self.scope {
            settings.scope = scope(checks, text.as_deref());
        }
        if let Some(input) = self.retry {
            settings.retry = input.and_then(|it| retry(checks, it));
        }
        if let Some(number) = self.timeout_s {
            settings.timeout_s = timeout(checks, number);
        }
        if let Some(input) = self.rate_limit {
            settings.rate_limit = input.and_then(|it| rate_limit(checks, &it));
        }
        if let Some(flag) = self.ordered {
            settings.ordered = flag.unwrap_or(false);
        }
        if let Some(number) = self.max_in_flight {
            settings.max_in_flight = in_flight(checks, number);
        }
        if let Some(flag) = self.include_previous_attributes {
            settings.include_previous_attributes = flag.unwrap_or(false);
        }
        if let Some(input) = self.auto_disable {
            settings.auto_disable = input.and_then(|it| auto_disable(checks, it));
        }
        if let Some(text) = self.verify {
            settings.verify = verify(checks, text.as_deref());
        }
        if let Some(text) = self.metadata {
            settings.metadata = metadata(checks, text);
        }
        let headers = match self.headers {
            None => old_headers,
            Some(given) => unmask(checks, given.unwrap_or_default(), &old_headers),
        };
        (settings, headers)
    }
}

/// More entries than the tenant or the profile allows.
pub(super) fn within_limits(settings: &EndpointSettings, tenant: &Tenant) -> Result<(), AppError> {
    let limits =
        [tenant.limits.event_types_per_endpoint, profiles::of(settings.profile).events_max];
    let most = limits.into_iter().flatten().min();
    match most {
        Some(limit) if settings.events.len() > usize::try_from(limit).unwrap_or(usize::MAX) => {
            Err(AppError::LimitReached { what: "event types per endpoint", limit })
        }
        _ => Ok(()),
    }
}

fn profile(checks: &mut Checks, bounds: Bounds<'_>, text: Option<&str>) -> Profile {
    checks.parse("/profile", "unknown_profile", text).unwrap_or(bounds.profile())
}

fn url(checks: &mut Checks, bounds: Bounds<'_>, text: &str) -> Option<EndpointUrl> {
    if text.is_empty() {
        checks.required("/url");
        return None;
    }
    match bounds.egress.check_url(text) {
        Ok(url) => Some(url),
        Err(refused) => {
            checks.wrong("/url", refused.code(), refused.to_string());
            None
        }
    }
}

/// The patterns of an endpoint of that profile that has those already.
fn patterns(
    checks: &mut Checks,
    bounds: Bounds<'_>,
    (profile, had): (Profile, &[Pattern]),
    list: &[String],
) -> Vec<Pattern> {
    if list.is_empty() {
        checks.required("/events");
    }
    if list.len() > limit::PATTERNS_MAX {
        let most = limit::PATTERNS_MAX;
        checks.wrong("/events", "too_many", format!("use {most} entries at most"));
        return Vec::new();
    }
    let read = list.iter().enumerate().filter_map(|(at, text)| {
        let pointer = format!("/events/{at}");
        let pattern: Pattern = checks.parse(&pointer, "bad_event_type", Some(text))?;
        if let Some(message) = bounds.refuses(profile, &pattern).filter(|_| !had.contains(&pattern))
        {
            checks.wrong(pointer, "unknown_event_type", message);
        }
        Some(pattern)
    });
    Checks::distinct(read.collect())
}

pub(crate) fn description(checks: &mut Checks, text: Option<String>) -> Option<String> {
    checks.text("/description", text, limit::DESCRIPTION_CHARS_MAX)
}

pub(crate) fn scope(checks: &mut Checks, text: Option<&str>) -> Option<Scope> {
    checks.parse("/scope", "bad_scope", text)
}

fn timeout(checks: &mut Checks, number: Option<i64>) -> Option<u32> {
    checks.whole("/timeout_s", number, 1, i64::from(limit::TIMEOUT_S_MAX))
}

fn in_flight(checks: &mut Checks, number: Option<i64>) -> Option<u32> {
    checks.whole("/max_in_flight", number, 1, i64::from(limit::IN_FLIGHT_PER_ENDPOINT_MAX))
}

fn verify(checks: &mut Checks, text: Option<&str>) -> Option<Verify> {
    checks.one_of("/verify", text, &[Verify::None, Verify::Challenge], |it| match it {
        Verify::None => "none",
        Verify::Challenge => "challenge",
    })
}

fn retry(checks: &mut Checks, input: RetryInput) -> Option<RetryPolicy> {
    match (input.preset, input.delays_s) {
        (Some(preset), None) => {
            if input.jitter.is_some() {
                checks.wrong("/retry/jitter", "not_with_preset", "a preset has its own jitter");
            }
            let profile: Profile =
                checks.parse("/retry/preset", "unknown_profile", Some(&preset))?;
            Some(profiles::preset(profile))
        }
        (None, Some(delays)) => {
            let jitter = input.jitter.unwrap_or(0.0);
            if !(0.0..=1.0).contains(&jitter) {
                checks.wrong("/retry/jitter", "out_of_range", "use 0.0 to 1.0");
            }
            Some(RetryPolicy { delays_ms: delays_ms(checks, &delays), jitter })
        }
        (Some(_), Some(_)) => {
            checks.wrong("/retry", "ambiguous", "give either `delays_s` or `preset`");
            None
        }
        (None, None) => {
            checks.wrong("/retry", "required", "give `delays_s` or `preset`");
            None
        }
    }
}

fn delays_ms(checks: &mut Checks, delays: &[f64]) -> Vec<u64> {
    let least = limit::RETRY_DELAY_MIN.as_secs_f64();
    let most = limit::RETRY_DELAY_MAX.as_secs_f64();
    let mut delays_ms = Vec::new();
    for (at, delay) in delays.iter().enumerate() {
        // The schedules of the vendors' pages begin with the first attempt, which waits for nothing.
        if at == 0 && *delay == 0.0 {
            continue;
        }
        if (least..=most).contains(delay) {
            let delay = std::time::Duration::from_secs_f64(*delay).as_millis();
            delays_ms.push(u64::try_from(delay).unwrap_or(u64::MAX));
        } else {
            let pointer = format!("/retry/delays_s/{at}");
            checks.wrong(pointer, "out_of_range", format!("use {least} to {most} seconds"));
        }
    }
    if delays.len() > limit::RETRIES_MAX + 1 {
        let most = limit::RETRIES_MAX;
        checks.wrong("/retry/delays_s", "too_many", format!("use {most} delays at most"));
    }
    delays_ms
}

fn rate_limit(checks: &mut Checks, input: &RateLimitInput) -> Option<RateLimit> {
    let good = (PER_S_MIN..=PER_S_MAX).contains(&input.per_s);
    if !good {
        let message = format!("use {PER_S_MIN} to {PER_S_MAX}");
        checks.wrong("/rate_limit/per_s", "out_of_range", message);
    }
    let burst = checks.whole("/rate_limit/burst", input.burst, 1, BURST_MAX);
    good.then_some(RateLimit { per_s: input.per_s, burst })
}

fn auto_disable(checks: &mut Checks, input: AutoDisableInput) -> Option<AutoDisable> {
    match input {
        AutoDisableInput::Off => Some(AutoDisable::Never),
        AutoDisableInput::On { after_events: Some(events), after_s: None } => checks
            .whole("/auto_disable/after_events", Some(events), 1, AFTER_EVENTS_MAX)
            .map(AutoDisable::AfterEvents),
        AutoDisableInput::On { after_events: None, after_s: Some(seconds) } => checks
            .whole("/auto_disable/after_s", Some(seconds), 1, AFTER_S_MAX)
            .map(AutoDisable::AfterSeconds),
        AutoDisableInput::On { after_events: Some(_), after_s: Some(_) } => {
            let message = "give either `after_events` or `after_s`";
            checks.wrong("/auto_disable", "ambiguous", message);
            None
        }
        AutoDisableInput::On { after_events: None, after_s: None } => {
            let message = "give `false`, `after_events` or `after_s`";
            checks.wrong("/auto_disable", "required", message);
            None
        }
    }
}

pub(crate) fn metadata(checks: &mut Checks, text: Option<String>) -> Option<String> {
    let text = text?;
    if text.len() > limit::METADATA_BYTES_MAX {
        let most = limit::METADATA_BYTES_MAX;
        checks.wrong("/metadata", "too_long", format!("use {most} bytes of JSON at most"));
    } else if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_err() {
        checks.wrong("/metadata", "not_an_object", "use a JSON object");
    }
    Some(text)
}

/// Headers as they were shown may be sent back: a masked value means the one that is kept.
fn unmask(checks: &mut Checks, given: Headers, old: &Headers) -> Headers {
    let mut headers = given;
    let mut unknown = BTreeSet::new();
    for (name, value) in &mut headers.0 {
        if value == MASKED {
            match old.get(name) {
                Some(kept) => kept.clone_into(value),
                None => {
                    unknown.insert(name.clone());
                }
            }
        }
    }
    for name in unknown {
        let pointer = crate::checks::member("/headers", &name);
        let message = "this is the mask of a value, and there is no value of that name to keep";
        checks.wrong(pointer, "redacted", message);
    }
    checks.all(custom_headers::check(&headers, "/headers"));
    headers
}

#[cfg(test)]
mod tests;
