//! The headers an endpoint's owner, or a publisher, adds to deliveries: what they may be.

use std::collections::BTreeSet;

use hookyard_domain::headers::Headers;
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;

/// Names that are refused, and why.
const RESERVED: [(&str, &str); 12] = [
    ("host", FROM_URL),
    ("content-length", FRAMING),
    ("content-type", "it follows from the endpoint's profile"),
    ("transfer-encoding", FRAMING),
    ("connection", FRAMING),
    ("te", FRAMING),
    ("trailer", FRAMING),
    ("upgrade", FRAMING),
    ("keep-alive", FRAMING),
    ("expect", FRAMING),
    ("proxy-", "it speaks to proxies, not to the receiver"),
    ("signature", SIGNING),
];

/// Beginnings of names that signatures of any profile use. An endpoint may change its profile later, so all are
/// refused.
const SIGNING_PREFIXES: [&str; 4] = ["webhook-", "svix-", "x-aly-", "x-alvys-"];

const FROM_URL: &str = "it follows from the endpoint's URL";
const FRAMING: &str = "the gateway sets it for each request";
const SIGNING: &str = "signatures use it";

/// Finds what is wrong with `headers`; nothing is good. `pointer` is where they stand in the request, such as
/// `/headers`.
#[must_use]
pub fn check(headers: &Headers, pointer: &str) -> Vec<Invalid> {
    if headers.0.len() > limit::HEADERS_MAX {
        let message =
            format!("use at most {} headers, these are {}", limit::HEADERS_MAX, headers.0.len());
        return vec![Invalid::new(pointer, "too_many", message)];
    }
    let mut seen = BTreeSet::new();
    let mut invalid = Vec::new();
    for (name, value) in &headers.0 {
        let lower = name.to_ascii_lowercase();
        let wrong = wrong_name(&lower).or_else(|| wrong_value(value)).or_else(|| {
            let again = "it stands here more than once; upper and lower case make no difference";
            (!seen.insert(lower)).then(|| ("duplicate", again.to_owned()))
        });
        if let Some((code, message)) = wrong {
            invalid.push(Invalid::new(format!("{pointer}/{}", escaped(name)), code, message));
        }
    }
    invalid
}

type Wrong = (&'static str, String);

fn wrong_name(lower: &str) -> Option<Wrong> {
    if lower.len() > limit::HEADER_NAME_BYTES_MAX {
        let message = format!("use a name of at most {} bytes", limit::HEADER_NAME_BYTES_MAX);
        return Some(("too_long", message));
    }
    if lower.is_empty() || !lower.bytes().all(is_token) {
        let message = "use letters, digits and ``!#$%&'*+-.^_`|~`` for the name, as in `X-Team`";
        return Some(("bad_header_name", message.to_owned()));
    }
    let why = reserved(lower)?;
    Some(("reserved_header", format!("`{lower}` cannot be set: {why}")))
}

fn wrong_value(value: &str) -> Option<Wrong> {
    if value.len() > limit::HEADER_VALUE_BYTES_MAX {
        let message = format!(
            "use a value of at most {} bytes, this one has {}",
            limit::HEADER_VALUE_BYTES_MAX,
            value.len()
        );
        return Some(("too_long", message));
    }
    // Line breaks would begin another header or the body; what is not ASCII arrives differently at every receiver.
    if !value.bytes().all(|it| it == b' ' || it.is_ascii_graphic()) {
        let message =
            "use visible ASCII characters and spaces for the value, no line breaks or tabs";
        return Some(("bad_header_value", message.to_owned()));
    }
    if value.starts_with(' ') || value.ends_with(' ') {
        let message = "take the spaces off the ends of the value; receivers do not get them";
        return Some(("bad_header_value", message.to_owned()));
    }
    None
}

/// Whether signatures of ours go by this name, in whatever profile.
pub(crate) fn signs_deliveries(name: &str) -> bool {
    reserved(&name.to_ascii_lowercase()) == Some(SIGNING)
}

fn reserved(lower: &str) -> Option<&'static str> {
    if SIGNING_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Some(SIGNING);
    }
    let fits = |name: &str| lower == name || name.ends_with('-') && lower.starts_with(name);
    RESERVED.iter().find(|(name, _)| fits(name)).map(|(_, why)| *why)
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A name as a segment of a JSON pointer (RFC 6901 §3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Headers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Headers(pairs.iter().map(owned).collect())
    }

    #[track_caller]
    fn check_one(name: &str, value: &str, want: Option<&str>) {
        let invalid = check(&of(&[(name, value)]), "/headers");
        let got: Vec<_> = invalid.iter().map(|it| it.code).collect();
        assert_eq!(got, want.into_iter().collect::<Vec<_>>(), "{name}: {value:?}");
    }

    #[test]
    fn ordinary_headers_are_fine() {
        for (name, value) in [
            ("User-Agent", "Acme/1.0 (+https://example.com)"),
            ("Authorization", "Bearer abc"),
            ("X-Api-Key", "abc"),
            ("Cookie", "a=b; c=d"),
            ("Accept", "*/*"),
            ("X-Empty", ""),
            ("x!#$%&'*+-.^_`|~9", "odd but legal"),
            ("Signature-Input", "x"),
            ("X-Signature", "x"),
            ("X-Webhook-Id", "x"),
            ("Team", "begins with `te`"),
            ("Hostname", "begins with `host`"),
            ("Proxy", "is not `proxy-`"),
        ] {
            check_one(name, value, None);
        }
    }

    // vendors.md ARY-DEL-5.
    #[test]
    fn names_the_gateway_needs_for_itself_are_reserved() {
        for name in [
            "Host",
            "Content-Length",
            "content-type",
            "Transfer-Encoding",
            "Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "Keep-Alive",
            "Expect",
            "Proxy-Authorization",
            "proxy-connection",
            "webhook-id",
            "Webhook-Signature",
            "webhook-anything",
            "svix-id",
            "X-Aly-Signature",
            "X-Aly-Event",
            "X-Alvys-Signature",
            "Signature",
        ] {
            check_one(name, "x", Some("reserved_header"));
        }
    }

    #[test]
    fn names_are_tokens_of_bounded_length() {
        for name in ["", " ", "X Team", "X-Team:", "X-Team\r\nHost", "X/Y", "X-Tëam", "X\0", "(x)"]
        {
            check_one(name, "x", Some("bad_header_name"));
        }
        check_one(&"x".repeat(limit::HEADER_NAME_BYTES_MAX), "x", None);
        check_one(&"x".repeat(limit::HEADER_NAME_BYTES_MAX + 1), "x", Some("too_long"));
    }

    #[test]
    fn values_are_visible_and_of_bounded_length() {
        for value in ["a\r\nHost: b", "a\nb", "a\rb", "a\tb", "a\0", "\u{7f}", "ä", " a", "a ", " "]
        {
            check_one("X-Team", value, Some("bad_header_value"));
        }
        check_one("X-Team", &"x".repeat(limit::HEADER_VALUE_BYTES_MAX), None);
        check_one("X-Team", &"x".repeat(limit::HEADER_VALUE_BYTES_MAX + 1), Some("too_long"));
    }

    #[test]
    fn a_name_may_stand_once_whatever_its_case() {
        let invalid = check(&of(&[("X-Team", "a"), ("X-Other", "a"), ("x-team", "b")]), "/headers");
        assert_eq!(invalid.len(), 1);
        assert_eq!(invalid[0].code, "duplicate");
        assert_eq!(invalid[0].pointer, "/headers/x-team");
    }

    #[test]
    fn every_problem_is_told_with_a_pointer_to_its_place() {
        let invalid = check(&of(&[("a/b~c", "x"), ("X-Fine", "x"), ("Host", "x")]), "/a/headers");
        let got: Vec<_> = invalid.iter().map(|it| (it.pointer.as_str(), it.code)).collect();
        assert_eq!(
            got,
            [("/a/headers/a~1b~0c", "bad_header_name"), ("/a/headers/Host", "reserved_header")]
        );
        assert_eq!(invalid[1].message, "`host` cannot be set: it follows from the endpoint's URL");
    }

    #[test]
    fn there_may_be_only_so_many() {
        let many = |count: usize| {
            Headers((0..count).map(|it| (format!("x-{it}"), String::new())).collect())
        };
        assert_eq!(check(&many(limit::HEADERS_MAX), "/headers"), []);
        let invalid = check(&many(limit::HEADERS_MAX + 1), "/headers");
        assert_eq!(invalid.len(), 1);
        assert_eq!((invalid[0].pointer.as_str(), invalid[0].code), ("/headers", "too_many"));
        assert!(invalid[0].message.contains("50"));
    }
}
