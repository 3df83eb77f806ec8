//! Time and chance as they are handed in: a timestamp, and the traits of a clock and of dice.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0000-01-01T00:00:00Z: what is before it cannot be written with a year of four digits.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// The last moment that can be written, in every time zone, with a year of four digits.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as signatures want them.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment plus `by`, never past [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(by)).within_calendar()
    }

    /// This moment minus `by`, never before [`Timestamp::MIN`].
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(by)).within_calendar()
    }

    fn within_calendar(self) -> Self {
        self.clamp(Self::MIN, Self::MAX)
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, always three decimals: `2026-05-19T08:35:14.000Z`. What no calendar has is written as its end: to
    /// write a time never fails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.within_calendar().0;
        let moment = jiff::Timestamp::from_millisecond(ms).map_err(|_| fmt::Error)?;
        write!(f, "{moment:.3}")
    }
}

/// The text is not an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as `2026-05-19T08:35:14.000Z`")]
pub struct BadTime;

impl FromStr for Timestamp {
    type Err = BadTime;

    /// RFC 3339 has years of four digits; the parser alone would take signed ones of six, and times before the year 0.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let four_digits = text
            .as_bytes()
            .get(..5)
            .is_some_and(|it| it[..4].iter().all(u8::is_ascii_digit) && it[4] == b'-');
        if !four_digits {
            return Err(BadTime);
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| BadTime)?;
        let moment = Self(moment.as_millisecond());
        if moment == moment.within_calendar() { Ok(moment) } else { Err(BadTime) }
    }
}

/// Tells the time. The only real one stands in the front door.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Throws dice. The only real ones stand in the front door.
pub trait Chance: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_can_be_written_and_none_is_reckoned_past_the_calendar() {
        let (first, last) = ("0000-01-01T00:00:00.000Z", "9999-12-30T22:00:00.000Z");
        let long = Duration::from_secs(u64::MAX);
        for (time, want) in [
            (Timestamp::MIN, first),
            (Timestamp::MAX, last),
            (Timestamp::default().minus(long), first),
            (Timestamp::default().plus(long), last),
            (Timestamp::from_millis(i64::MIN), first),
            (Timestamp::from_millis(i64::MAX), last),
            (Timestamp::from_secs(253_402_300_799), last),
        ] {
            assert_eq!(time.to_string(), want);
        }
        assert_eq!(last.parse(), Ok(Timestamp::MAX));
        for late in ["9999-12-30T22:00:00.001Z", "9999-12-31T00:00:00Z"] {
            assert!(late.parse::<Timestamp>().is_err(), "{late}");
        }
    }

    #[test]
    fn a_time_prints_with_three_decimals_and_reads_back() {
        let time: Timestamp = "2026-05-19T08:35:14Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-05-19T08:35:14.000Z");
        assert_eq!("2026-05-19T10:35:14.000+02:00".parse(), Ok(time));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(BadTime));
    }

    #[test]
    fn a_year_has_four_digits() {
        for bad in
            ["-000001-01-01T00:00:00Z", "+002026-05-19T08:35:14Z", "0000-01-01T00:00:00+02:00"]
        {
            assert_eq!(bad.parse::<Timestamp>(), Err(BadTime), "{bad}");
        }
        let first: Timestamp = "0000-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(first.to_string(), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn seconds_round_down_before_1970_too() {
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
        assert_eq!(Timestamp::from_millis(1999).as_secs(), 1);
    }
}
