//! Numbers over time: what is counted of deliveries, in what spans it is kept, how far back it is looked at.

use std::time::Duration;

use crate::attempt::OutcomeKind;

/// How far back numbers go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// The last hour.
    Hour,
    /// The last six hours.
    SixHours,
    /// The last day.
    #[default]
    Day,
    /// The last seven days.
    Week,
    /// The last thirty days.
    Month,
}

impl Range {
    /// Every range.
    pub const ALL: [Self; 5] = [Self::Hour, Self::SixHours, Self::Day, Self::Week, Self::Month];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// All of it.
    #[must_use]
    pub const fn whole(self) -> Duration {
        let hours = match self {
            Self::Hour => 1,
            Self::SixHours => 6,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        };
        Duration::from_secs(hours * 3600)
    }

    /// From one point of it to the next: a whole number of the spans that are still kept so far back.
    #[must_use]
    pub const fn step(self) -> Duration {
        let minutes = match self {
            Self::Hour => 1,
            Self::SixHours => 5,
            Self::Day => 15,
            Self::Week => 120,
            Self::Month => 480,
        };
        Duration::from_secs(minutes * 60)
    }
}

/// What counts are kept for: the older, the longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// A minute; what is counted now.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    Hour,
}

impl Span {
    /// How long it is.
    #[must_use]
    pub const fn whole(self) -> Duration {
        Duration::from_secs(self.seconds())
    }

    /// The same in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }
}

/// Classes of status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeClass {
    /// 200 to 299.
    Success,
    /// 300 to 399.
    Redirection,
    /// 400 to 499.
    ClientError,
    /// 500 to 599.
    ServerError,
    /// Any other code.
    Other,
    /// No answer at all.
    None,
}

impl CodeClass {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// The class of a code.
    #[must_use]
    pub const fn of(code: Option<u16>) -> Self {
        match code {
            Option::None => Self::None,
            Some(200..=299) => Self::Success,
            Some(300..=399) => Self::Redirection,
            Some(400..=499) => Self::ClientError,
            Some(500..=599) => Self::ServerError,
            Some(_) => Self::Other,
        }
    }

    /// Its place in [`Tally::codes`].
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Success => 0,
            Self::Redirection => 1,
            Self::ClientError => 2,
            Self::ServerError => 3,
            Self::Other => 4,
            Self::None => 5,
        }
    }
}

/// How many outcomes an attempt can have.
pub const OUTCOMES: usize = 8;

/// The place of an outcome in [`Tally::outcomes`].
#[must_use]
pub const fn outcome_place(outcome: OutcomeKind) -> usize {
    match outcome {
        OutcomeKind::Succeeded => 0,
        OutcomeKind::HttpError => 1,
        OutcomeKind::Timeout => 2,
        OutcomeKind::Connect => 3,
        OutcomeKind::Tls => 4,
        OutcomeKind::Dns => 5,
        OutcomeKind::Blocked => 6,
        OutcomeKind::TooLarge => 7,
    }
}

/// What was counted in some time, of one endpoint or of a tenant as a whole. Tests of endpoints are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events accepted; of a tenant as a whole alone.
    pub events: u64,
    /// Deliveries that succeeded.
    pub succeeded: u64,
    /// Deliveries that failed for good.
    pub failed: u64,
    /// Deliveries that were discarded.
    pub discarded: u64,
    /// Attempts that failed and are made again.
    pub retried: u64,
    /// Attempts by [`outcome_place`].
    pub outcomes: [u64; OUTCOMES],
    /// Attempts by [`CodeClass::place`].
    pub codes: [u64; CodeClass::COUNT],
    /// From acceptance to success, of deliveries that nobody sent again by hand.
    pub delivery_time: Histogram,
    /// How long answers took.
    pub response_time: Histogram,
}

impl Tally {
    /// Attempts made.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.discarded += other.discarded;
        self.retried += other.retried;
        for (mine, others) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += others;
        }
        for (mine, others) in self.codes.iter_mut().zip(other.codes) {
            *mine += others;
        }
        self.delivery_time.add(&other.delivery_time);
        self.response_time.add(&other.response_time);
    }
}

/// How often something took how long: a count for each range of milliseconds, the ranges an eighth wide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<(u8, u64)>);

/// Parts of each doubling: a power of two.
const PARTS: u64 = 8;
const PARTS_BITS: u32 = PARTS.trailing_zeros();

impl Histogram {
    /// A histogram of buckets and their counts, in the order of the buckets; `None` when they are not.
    #[must_use]
    pub fn from_buckets(buckets: Vec<(u8, u64)>) -> Option<Self> {
        buckets.is_sorted_by(|a, b| a.0 < b.0).then_some(Self(buckets))
    }

    /// Buckets and their counts.
    #[must_use]
    pub fn buckets(&self) -> &[(u8, u64)] {
        &self.0
    }

    /// Counts one.
    pub fn count(&mut self, took: Duration) {
        self.put(bucket(took), 1);
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            self.put(*bucket, *count);
        }
    }

    fn put(&mut self, bucket: u8, count: u64) {
        match self.0.binary_search_by_key(&bucket, |it| it.0) {
            Ok(at) => self.0[at].1 += count,
            Err(at) => self.0.insert(at, (bucket, count)),
        }
    }

    /// What `per_cent` of a hundred took at most; `None` when nothing was counted.
    #[must_use]
    pub fn percentile(&self, per_cent: u64) -> Option<Duration> {
        let all: u64 = self.0.iter().map(|it| it.1).sum();
        let wanted = (all * per_cent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.0.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        found.map(|(bucket, _)| Duration::from_millis(longest_ms(*bucket)))
    }
}

/// The bucket of a duration: its milliseconds below eight, from there on eight to each doubling.
fn bucket(took: Duration) -> u8 {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
    if ms < PARTS {
        return ms as u8;
    }
    let doublings = ms.ilog2() - PARTS_BITS;
    let part = (ms >> doublings) & (PARTS - 1);
    // 29 doublings of 32 bits at most, so it fits.
    (PARTS + u64::from(doublings) * PARTS + part) as u8
}

/// The most milliseconds that fall into a bucket.
fn longest_ms(bucket: u8) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < PARTS {
        return bucket;
    }
    let (doublings, part) = (bucket / PARTS - 1, bucket % PARTS);
    ((PARTS + part + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bucket_is_an_eighth_wide_at_most() {
        let mut last = 0;
        for it in (0..5000).chain([60_000, 3_600_000, 86_400_000, u64::from(u32::MAX)]) {
            let longest = longest_ms(bucket(ms(it)));
            assert!(longest >= it && longest <= it + it / 8, "{it} {longest}");
            assert!(bucket(ms(it)) >= last, "{it}");
            last = bucket(ms(it));
        }
        assert_eq!(bucket(Duration::MAX), bucket(ms(u64::from(u32::MAX))));
    }

    #[test]
    fn percentiles_are_read_off_the_counts() {
        let mut all = Histogram::default();
        assert_eq!(all.percentile(50), None);
        for it in 1..=100 {
            all.count(ms(it));
        }
        for (per_cent, want) in [(50, 50), (95, 95), (99, 99), (100, 100), (0, 1)] {
            let found = all.percentile(per_cent).unwrap();
            assert!(found >= ms(want) && found <= ms(want + want / 8), "{per_cent} {found:?}");
        }
    }

    #[test]
    fn what_was_counted_apart_adds_up_to_what_was_counted_together() {
        let (mut one, mut other, mut both) = (Tally::default(), Tally::default(), Tally::default());
        for it in 0..200 {
            let part = if it % 3 == 0 { &mut one } else { &mut other };
            for tally in [part, &mut both] {
                tally.succeeded += 1;
                tally.outcomes[outcome_place(OutcomeKind::Succeeded)] += 1;
                tally.codes[CodeClass::of(Some(204)).place()] += 1;
                tally.delivery_time.count(ms(it * it));
            }
        }
        one.add(&other);
        assert_eq!((one.attempts(), &one), (200, &both));
    }

    #[test]
    fn every_step_is_a_whole_number_of_kept_spans() {
        for (range, span) in [
            (Range::Hour, Span::Minute),
            (Range::SixHours, Span::FiveMinutes),
            (Range::Day, Span::FiveMinutes),
            (Range::Week, Span::Hour),
            (Range::Month, Span::Hour),
        ] {
            assert_eq!(range.step().as_secs() % span.seconds(), 0, "{range:?}");
            assert_eq!(range.whole().as_secs() % range.step().as_secs(), 0, "{range:?}");
        }
    }
}
