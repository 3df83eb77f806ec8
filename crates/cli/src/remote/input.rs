//! What people type: texts from files and stdin, JSON, headers, moments such as `1h`, spans of time.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use hookyard_domain::time::Timestamp;
use serde_json::value::RawValue;

use crate::exit::Exit;

/// Stdin has been read: there is nothing left for a second `-`.
static STDIN_IS_READ: AtomicBool = AtomicBool::new(false);

/// Bytes: `@FILE` of a file, `-` of stdin, anything else is itself.
pub fn bytes(given: &str) -> anyhow::Result<Vec<u8>> {
    let mut read = Vec::new();
    match given.strip_prefix('@') {
        Some(path) => {
            return std::fs::read(path)
                .map_err(|error| Exit::Usage.because(format!("cannot read {path}: {error}")));
        }
        None if given == "-" => {
            if STDIN_IS_READ.swap(true, Ordering::Relaxed) {
                return Err(Exit::Usage.because("only one option can be `-`: stdin is read once"));
            }
            std::io::stdin().lock().read_to_end(&mut read).context("reading stdin")?;
        }
        None => read.extend_from_slice(given.as_bytes()),
    }
    Ok(read)
}

/// A secret on one line: `@FILE`, `-` or itself. It is never repeated in an error.
pub fn secret(given: &str) -> anyhow::Result<String> {
    let read = String::from_utf8(bytes(given)?);
    let read = read.map_err(|_| Exit::Usage.because("a secret that was read is not UTF-8 text"))?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

/// A JSON value, its text kept: `@FILE`, `-` or itself.
pub fn json(flag: &str, given: &str) -> anyhow::Result<Box<RawValue>> {
    serde_json::from_slice(&bytes(given)?)
        .map_err(|error| Exit::Usage.because(format!("{flag} is no JSON: {error}")))
}

/// The same for a flag that may be left out.
pub fn maybe_json(flag: &str, given: Option<&str>) -> anyhow::Result<Option<Box<RawValue>>> {
    given.map(|it| json(flag, it)).transpose()
}

/// `Name=value` or `Name: value`.
pub fn header(text: &str) -> Result<(String, String), String> {
    let at = text.find(['=', ':']).filter(|at| *at > 0);
    let Some(at) = at else { return Err("use NAME=VALUE".to_owned()) };
    Ok((text[..at].trim().to_owned(), text[at + 1..].trim().to_owned()))
}

/// Headers as the API takes them.
pub fn headers(given: Vec<(String, String)>) -> Option<hookyard_api::json::Headers> {
    (!given.is_empty()).then_some(hookyard_api::json::Headers(given))
}

/// A list that was not given at all is left out.
pub fn some<T>(given: Vec<T>) -> Option<Vec<T>> {
    (!given.is_empty()).then_some(given)
}

/// Seconds: `90`, `90s`, `15m`, `24h`, `7d`, `2w`.
pub fn seconds(text: &str) -> Result<u64, String> {
    const FORM: &str = "use a number with s, m, h, d or w, such as `24h`";
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(FORM.to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| FORM.to_owned())?;
    number.checked_mul(unit).ok_or_else(|| FORM.to_owned())
}

/// A moment: so long ago (`1h`), or a time that the server reads (RFC 3339).
pub fn ago(text: &str, now: Timestamp) -> anyhow::Result<String> {
    moment(text, now, Timestamp::minus)
}

/// A moment: in so long (`90d`), or a time that the server reads (RFC 3339).
pub fn ahead(text: &str, now: Timestamp) -> anyhow::Result<String> {
    moment(text, now, Timestamp::plus)
}

fn moment(
    text: &str,
    now: Timestamp,
    shift: fn(Timestamp, std::time::Duration) -> Timestamp,
) -> anyhow::Result<String> {
    if text.contains(['-', ':']) {
        return Ok(text.to_owned());
    }
    let span = seconds(text).map_err(|bad| {
        Exit::Usage.because(format!("`{text}`: {bad}, or a time such as `2026-05-19T08:00:00Z`"))
    })?;
    let moment = shift(now, std::time::Duration::from_secs(span));
    if [Timestamp::MIN, Timestamp::MAX].contains(&moment) {
        return Err(Exit::Usage.because(format!("`{text}` is longer than any calendar")));
    }
    Ok(moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        for (text, want) in
            [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("2w", 1_209_600)]
        {
            assert_eq!(seconds(text), Ok(want), "{text}");
        }
        for bad in ["", "h", "-1h", "1y", "1.5h", "99999999999999999999", "9999999999999999999w"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_refused() {
        let now = Timestamp::from_secs(1_800_000_000);
        for text in ["20000000w", "99999999999999s", "999999999d"] {
            assert!(ago(text, now).is_err(), "{text}");
            assert!(ahead(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let now = Timestamp::from_secs(7200);
        assert_eq!(ago("1h", now).unwrap(), "1970-01-01T01:00:00.000Z");
        assert_eq!(ahead("1h", now).unwrap(), "1970-01-01T03:00:00.000Z");
        assert_eq!(ago("2026-05-19T08:00:00Z", now).unwrap(), "2026-05-19T08:00:00Z");
        assert_eq!(Exit::of(&ago("yesterday", now).unwrap_err()), Exit::Usage);
    }

    #[test]
    fn a_header_is_split_at_its_first_sign() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(header("X-A=b=c"), pair("X-A", "b=c"));
        assert_eq!(header("X-Aly-Signature: t=1,v1=2"), pair("X-Aly-Signature", "t=1,v1=2"));
        assert_eq!(header("X-A="), pair("X-A", ""));
        assert!(header("X-A").is_err() && header("=b").is_err());
    }

    #[test]
    fn json_keeps_its_text_and_names_its_flag() {
        assert_eq!(json("--data", r#"{"n": 1.10}"#).unwrap().get(), r#"{"n": 1.10}"#);
        let error = json("--data", "{").unwrap_err();
        assert!(error.to_string().contains("--data is no JSON"), "{error}");
        let error = json("--data", "@/no/such").unwrap_err();
        assert!(error.to_string().contains("/no/such"), "{error}");
    }
}
