//! The policies of an endpoint as they are written: profile, retry, rate, switching off, proving itself.

use std::fmt;

use hookyard_domain::profile as domain_profile;
use hookyard_domain::retry as domain;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::json::{Number, Seconds};

mirror! {
    /// Wire format and policy an endpoint follows.
    Profile = domain_profile::Profile {
        /// Standard Webhooks.
        Standard,
        /// Aly.
        Aly,
        /// Alvys.
        Alvys,
        /// Alumia.
        Alumia,
        /// Aryeo.
        Aryeo,
    }
}

mirror! {
    /// Whether an endpoint must prove itself before it gets anything.
    Verify = domain::Verify {
        /// It need not.
        None,
        /// It must echo a challenge.
        Challenge,
    }
}

/// When a delivery is tried again: delays of your own, or those of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Retry {
    /// Delays of your own.
    Delays(RetryDelays),
    /// The delays of a profile.
    Preset(RetryPreset),
}

/// Delays of your own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetryDelays {
    /// Seconds before attempt 2, 3, …; attempt 1 is made at once. An empty list: one attempt only.
    #[schema(value_type = Vec<f64>, max_items = 100, example = json!([10, 100]))]
    pub delays_s: Vec<Seconds>,
    /// Each delay is moved by up to this share of itself, either way.
    #[schema(minimum = 0.0, maximum = 1.0, default = 0.0, example = 0.1)]
    pub jitter: f64,
}

/// The delays of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetryPreset {
    /// The profile.
    pub preset: Profile,
}

/// A retry policy as it is asked for. One flat form, so that a wrong field is named and not "no variant fits".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryForm {
    /// Seconds before attempt 2, 3, …
    pub delays_s: Option<Vec<f64>>,
    /// The share of itself each delay is moved by.
    pub jitter: Option<f64>,
    /// Or the name of a profile.
    pub preset: Option<String>,
}

impl From<domain::RetryPolicy> for Retry {
    fn from(it: domain::RetryPolicy) -> Self {
        let delays_s = it.delays_ms.into_iter().map(Seconds::from_millis).collect();
        Self::Delays(RetryDelays { delays_s, jitter: it.jitter })
    }
}

/// How fast an endpoint may be called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RateLimit {
    /// Attempts per second.
    #[schema(value_type = f64, minimum = 0.001, maximum = 10_000.0, example = 20)]
    pub per_s: Number,
    /// Attempts at once after a pause; left out is one second's worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub burst: Option<u32>,
}

impl From<domain::RateLimit> for RateLimit {
    fn from(it: domain::RateLimit) -> Self {
        Self { per_s: Number(it.per_s), burst: it.burst }
    }
}

/// A rate as it is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitForm {
    /// Attempts per second.
    pub per_s: f64,
    /// Attempts at once after a pause.
    pub burst: Option<i64>,
}

/// When an endpoint that only fails is switched off: `false`, `{"after_events": n}` or `{"after_s": n}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoDisable(pub domain::AutoDisable);

/// The three forms of `auto_disable`.
#[derive(ToSchema)]
#[schema(as = AutoDisable)]
#[serde(untagged)]
pub enum AutoDisableSchema {
    /// `false`: never.
    Never(bool),
    /// After this many consecutive events whose every attempt failed.
    Events(AfterEvents),
    /// After this many seconds of nothing but failures.
    Seconds(AfterSeconds),
}

/// After this many consecutive events whose every attempt failed.
#[derive(Serialize, ToSchema)]
pub struct AfterEvents {
    /// How many.
    #[schema(minimum = 1, example = 10)]
    pub after_events: u32,
}

/// After this many seconds of nothing but failures.
#[derive(Serialize, ToSchema)]
pub struct AfterSeconds {
    /// How many.
    #[schema(minimum = 1, example = 432_000)]
    pub after_s: u64,
}

impl Serialize for AutoDisable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            domain::AutoDisable::Never => to.serialize_bool(false),
            domain::AutoDisable::AfterEvents(after_events) => {
                AfterEvents { after_events }.serialize(to)
            }
            domain::AutoDisable::AfterSeconds(after_s) => AfterSeconds { after_s }.serialize(to),
        }
    }
}

const AUTO_DISABLE_FORMS: &str = "`false`, `{\"after_events\": n}` or `{\"after_s\": n}`";

impl<'de> Deserialize<'de> for AutoDisable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bad =
            |what: &str| serde::de::Error::custom(format!("{what}; use {AUTO_DISABLE_FORMS}"));
        Ok(Self(match AutoDisableForm::deserialize(from)? {
            AutoDisableForm::Off => domain::AutoDisable::Never,
            AutoDisableForm::On(AutoDisableWhen { after_events: Some(events), after_s: None }) => {
                let events = u32::try_from(events).map_err(|_| bad("out of range"))?;
                domain::AutoDisable::AfterEvents(events)
            }
            AutoDisableForm::On(AutoDisableWhen { after_events: None, after_s: Some(s) }) => {
                let s = u64::try_from(s).map_err(|_| bad("out of range"))?;
                domain::AutoDisable::AfterSeconds(s)
            }
            AutoDisableForm::On(_) => return Err(bad("neither or both")),
        }))
    }
}

/// When to switch off, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoDisableForm {
    /// `false`.
    Off,
    /// An object that says when.
    On(AutoDisableWhen),
}

/// The object that says when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoDisableWhen {
    /// After this many consecutive events whose every attempt failed.
    pub after_events: Option<i64>,
    /// After this many seconds of nothing but failures.
    pub after_s: Option<i64>,
}

impl<'de> Deserialize<'de> for AutoDisableForm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AutoDisableVisitor)
    }
}

struct AutoDisableVisitor;

impl<'de> Visitor<'de> for AutoDisableVisitor {
    type Value = AutoDisableForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AUTO_DISABLE_FORMS)
    }

    fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<AutoDisableForm, E> {
        if on {
            return Err(E::custom(format!("`true` does not say when; use {AUTO_DISABLE_FORMS}")));
        }
        Ok(AutoDisableForm::Off)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AutoDisableForm, A::Error> {
        let from = serde::de::value::MapAccessDeserializer::new(map);
        AutoDisableWhen::deserialize(from).map(AutoDisableForm::On)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_auto_disable(text: &str, want: Option<domain::AutoDisable>) {
        let read = serde_json::from_str::<AutoDisable>(text).ok();
        assert_eq!(read.map(|it| it.0), want, "{text}");
        if let Some(it) = read {
            assert_eq!(serde_json::to_string(&it).unwrap(), text);
        }
    }

    #[test]
    fn auto_disable_has_three_forms() {
        check_auto_disable("false", Some(domain::AutoDisable::Never));
        check_auto_disable(r#"{"after_events":10}"#, Some(domain::AutoDisable::AfterEvents(10)));
        check_auto_disable(r#"{"after_s":60}"#, Some(domain::AutoDisable::AfterSeconds(60)));
        for bad in ["true", "{}", r#"{"after_s":1,"after_events":1}"#, r#"{"x":1}"#, "3"] {
            check_auto_disable(bad, None);
        }
    }

    #[test]
    fn a_retry_policy_is_written_in_seconds() {
        let policy = domain::RetryPolicy { delays_ms: vec![10_000, 1_500], jitter: 0.25 };
        let written = serde_json::to_string(&Retry::from(policy)).unwrap();
        assert_eq!(written, r#"{"delays_s":[10,1.5],"jitter":0.25}"#);
    }

    #[test]
    fn a_slow_rate_is_shown_as_it_is() {
        let rate = domain::RateLimit { per_s: 0.0015, burst: None };
        assert_eq!(serde_json::to_string(&RateLimit::from(rate)).unwrap(), r#"{"per_s":0.0015}"#);
    }

    #[test]
    fn unknown_fields_of_a_policy_are_refused() {
        assert!(serde_json::from_str::<RetryForm>(r#"{"delays":[1]}"#).is_err());
        assert!(serde_json::from_str::<RateLimitForm>(r#"{"per_s":1,"x":1}"#).is_err());
    }
}
