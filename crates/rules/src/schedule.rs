//! When is the next try: the policy's delay, moved by the dice, never before what the receiver asked for.

use std::fmt::Write as _;
use std::time::Duration;

use hookyard_domain::limit;
use hookyard_domain::retry::RetryPolicy;
use hookyard_domain::time::Timestamp;

/// When a delivery is tried again after `attempts_made` attempts, the last of which ended at `now`; `None` when the
/// policy allows no more. `jitter` is the throw of the dice, -1.0 to 1.0; `retry_after` is a lower bound.
#[must_use]
pub fn retry_at(
    policy: &RetryPolicy,
    attempts_made: u32,
    now: Timestamp,
    retry_after: Option<Duration>,
    jitter: f64,
) -> Option<Timestamp> {
    let delay = moved(policy.delay_after(attempts_made)?, policy.jitter * jitter);
    let asked = retry_after.unwrap_or_default().min(limit::RETRY_AFTER_MAX);
    Some(now.plus(delay.clamp(limit::RETRY_DELAY_MIN, limit::RETRY_DELAY_MAX).max(asked)))
}

fn moved(delay: Duration, share: f64) -> Duration {
    let share = if share.is_finite() { share.clamp(-1.0, 1.0) } else { 0.0 };
    Duration::try_from_secs_f64(delay.as_secs_f64() * (1.0 + share)).unwrap_or(Duration::MAX)
}

/// How long a receiver's `Retry-After` asks to wait: seconds, or an HTTP-date in any of the three forms of RFC 9110
/// §5.6.7. A date gone by is zero; garbage is `None`; nothing is longer than [`limit::RETRY_AFTER_MAX`].
#[must_use]
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let text = header.trim();
    let wait = if !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit()) {
        // More digits than fit are a very long wait, not garbage.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        http_date(text, now)?.since(now)
    };
    Some(wait.min(limit::RETRY_AFTER_MAX))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn http_date(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_ascii_whitespace().take(7).collect();
    let (year, month, day, time) = match words[..] {
        // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        [_, day, month, year, time, "GMT"] => (number(year, 4)?, month, day, time),
        // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
        [_, date, time, "GMT"] => {
            let (day, rest) = date.split_once('-')?;
            let (month, year) = rest.split_once('-')?;
            (in_our_century(number(year, 2)?, now)?, month, day, time)
        }
        // asctime: Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (number(year, 4)?, month, day, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|it| *it == month)? + 1;
    let day = number(day, day.len().min(2))?;
    let plain = |it: u8| it.is_ascii_digit() || it == b':';
    if time.len() != "08:49:37".len() || !time.bytes().all(plain) {
        return None;
    }
    format!("{year:04}-{month:02}-{day:02}T{time}Z").parse().ok()
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|it| it.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// RFC 9110 §5.6.7: two digits that seem more than 50 years ahead mean the last such year in the past.
fn in_our_century(year: u32, now: Timestamp) -> Option<u32> {
    let mut today = String::new();
    write!(today, "{now}").ok()?;
    let this_year = number(today.get(..4)?, 4)?;
    let year = this_year - this_year % 100 + year;
    Some(if year > this_year + 50 { year - 100 } else { year })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000_000);

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    /// The delay after `made` attempts of a policy of 10 s and 100 s.
    fn delay(made: u32, asked: Option<u64>, share: f64, jitter: f64) -> Option<Duration> {
        let policy = RetryPolicy { delays_ms: vec![10_000, 100_000], jitter: share };
        retry_at(&policy, made, NOW, asked.map(seconds), jitter).map(|it| it.since(NOW))
    }

    #[test]
    fn each_attempt_has_the_delay_of_its_place_until_there_is_none() {
        assert_eq!(delay(1, None, 0.0, 1.0), Some(seconds(10)));
        assert_eq!(delay(2, None, 0.0, 1.0), Some(seconds(100)));
        assert_eq!(delay(3, None, 0.0, 1.0), None);
        assert_eq!(delay(0, None, 0.0, 1.0), None);
    }

    #[test]
    fn the_dice_move_a_delay_by_the_policys_share_of_it() {
        assert_eq!(delay(2, None, 0.2, 1.0), Some(seconds(120)));
        assert_eq!(delay(2, None, 0.2, -1.0), Some(seconds(80)));
        assert_eq!(delay(2, None, 0.2, 0.0), Some(seconds(100)));
        assert_eq!(delay(2, None, f64::NAN, 1.0), Some(seconds(100)));
    }

    #[test]
    fn retry_after_only_ever_makes_the_wait_longer() {
        assert_eq!(delay(1, Some(60), 0.0, 0.0), Some(seconds(60)));
        assert_eq!(delay(1, Some(3), 0.0, 0.0), Some(seconds(10)));
        assert_eq!(delay(1, Some(u64::MAX), 0.0, 0.0), Some(limit::RETRY_AFTER_MAX));
        assert_eq!(delay(3, Some(60), 0.0, 0.0), None);
    }

    #[test]
    fn no_delay_is_shorter_than_a_second_or_longer_than_a_week() {
        let at = |ms| {
            let policy = RetryPolicy { delays_ms: vec![ms], jitter: 1.0 };
            retry_at(&policy, 1, NOW, None, 0.5).map(|it| it.since(NOW))
        };
        assert_eq!(at(0), Some(limit::RETRY_DELAY_MIN));
        assert_eq!(at(u64::MAX), Some(limit::RETRY_DELAY_MAX));
    }

    proptest! {
        #[test]
        fn a_jittered_delay_stays_within_its_share(
            ms in 2_000_u64..500_000_000, share in 0.0..=0.5_f64, jitter in -1.0..=1.0_f64,
        ) {
            let policy = RetryPolicy { delays_ms: vec![ms], jitter: share };
            let got = retry_at(&policy, 1, NOW, None, jitter).unwrap().since(NOW).as_millis() as f64;
            let (least, most) = (ms as f64 * (1.0 - share), ms as f64 * (1.0 + share));
            prop_assert!((least - 1.0..=most + 1.0).contains(&got), "{got} of {least} to {most}");
        }

        #[test]
        fn no_header_breaks_the_reading_of_retry_after(text in "\\PC*") {
            let got = retry_after(&text, NOW);
            prop_assert!(got.is_none_or(|it| it <= limit::RETRY_AFTER_MAX));
        }
    }

    /// 1994-11-06T08:49:37Z, the moment of RFC 9110's examples.
    const EXAMPLE: i64 = 784_111_777;

    #[track_caller]
    fn check(header: &str, now: i64, want: Option<u64>) {
        assert_eq!(retry_after(header, Timestamp::from_secs(now)), want.map(seconds), "{header}");
    }

    #[test]
    fn retry_after_may_be_seconds() {
        check("120", 0, Some(120));
        check(" 0 ", 0, Some(0));
        check("86401", 0, Some(86_400));
        check("99999999999999999999999", 0, Some(86_400));
    }

    #[test]
    fn retry_after_may_be_a_date_in_any_of_three_forms() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            check(date, EXAMPLE - 30, Some(30));
            check(date, EXAMPLE, Some(0));
            check(date, EXAMPLE + 30, Some(0));
            check(date, EXAMPLE - 100_000, Some(86_400));
        }
    }

    #[test]
    fn a_year_of_two_digits_is_the_nearest_that_is_not_half_a_century_ahead() {
        // In 2026, `27` is next year and `94` was 1994.
        let now = "2026-12-31T23:59:50Z".parse::<Timestamp>().unwrap().as_secs();
        check("Friday, 01-Jan-27 00:00:00 GMT", now, Some(10));
        check("Sunday, 06-Nov-94 08:49:37 GMT", now, Some(0));
    }

    #[test]
    fn garbage_in_retry_after_is_ignored() {
        for garbage in [
            "",
            "soon",
            "-5",
            "1.5",
            "12 s",
            "0x10",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:00:00 GMT",
            "Sun, 06 Nov 1994 8:49:37.5 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            check(garbage, 0, None);
        }
    }
}
