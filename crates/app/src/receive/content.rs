//! What of a received request is kept: its bytes as they are, a legal type, and the headers that may go on.

use std::collections::BTreeSet;

use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::limit;
use hookyard_rules::{custom_headers, redact};

const JSON: &str = "application/json";

/// Headers between the sender and us, which tell a receiver nothing of the event. Those that end in `-` stand for every name
/// that begins so.
const DROPPED: [&str; 22] = [
    "accept",
    "accept-",
    "cache-control",
    "cdn-loop",
    "cf-",
    "content-",
    "date",
    "forwarded",
    "host",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-",
    "true-client-ip",
    "user-agent",
    "via",
    "x-amzn-trace-id",
    "x-forwarded-",
    "x-real-ip",
    "x-request-id",
];

/// The headers that go on to receivers, within bounds; the rest is dropped.
pub(super) fn kept_headers(received: &Headers) -> Headers {
    let by_hop = named_by_connection(received);
    let mut names = BTreeSet::new();
    let mut bytes = 0;
    let mut kept = Headers::default();
    for (name, value) in &received.0 {
        let name = name.to_ascii_lowercase();
        let long = name.len() + value.len();
        if kept.0.len() == limit::HEADERS_MAX || bytes + long > limit::RECEIVED_HEADERS_BYTES_MAX {
            continue;
        }
        if is_dropped(&name) || by_hop.contains(&name) || redact::is_sensitive(&name) {
            continue;
        }
        let one = Headers(vec![(name.clone(), value.clone())]);
        if !custom_headers::check(&one, "").is_empty() || !names.insert(name) {
            continue;
        }
        bytes += long;
        kept.0.extend(one.0);
    }
    kept
}

fn is_dropped(name: &str) -> bool {
    DROPPED.iter().any(|it| name == *it || it.ends_with('-') && name.starts_with(it))
}

/// The headers that this one connection alone is about.
fn named_by_connection(received: &Headers) -> BTreeSet<String> {
    let all = received.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    all.flat_map(|(_, value)| value.split(',')).map(|it| it.trim().to_ascii_lowercase()).collect()
}

/// The content type, letter by letter; `None` is JSON.
pub(super) fn content_type(received: &Headers) -> Option<String> {
    let value = received.get("content-type")?.trim();
    let is_plain = value.bytes().all(|it| it == b' ' || it.is_ascii_graphic());
    let good = !value.is_empty() && is_plain && value.len() <= limit::HEADER_VALUE_BYTES_MAX;
    (good && value != JSON).then(|| value.to_owned())
}

/// The event's type: what the request tells, else one made of the provider's name.
pub(super) fn event_type(told: Option<String>, provider: &str) -> Option<EventType> {
    told.and_then(|it| it.parse().ok()).or_else(|| fallback(provider).parse().ok())
}

fn fallback(provider: &str) -> String {
    const EVENT: &str = ".event";
    let legal = |it: char| if it.is_ascii_alphanumeric() || "_-".contains(it) { it } else { '_' };
    let mut name: String = provider.trim().chars().map(legal).collect();
    if name.is_empty() {
        name.push_str("source");
    }
    name.truncate(limit::EVENT_TYPE_CHARS_MAX - EVENT.len());
    name.push_str(EVENT);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Headers {
        Headers(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], want: &[&str]) {
        let kept = kept_headers(&of(pairs));
        let names: Vec<_> = kept.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, want);
    }

    #[test]
    fn headers_of_the_event_go_on() {
        check(
            &[
                ("X-GitHub-Event", "push"),
                ("X-Hub-Signature-256", "sha256=00"),
                ("traceparent", "00-1"),
            ],
            &["x-github-event", "x-hub-signature-256", "traceparent"],
        );
    }

    #[test]
    fn headers_of_the_way_of_the_connection_and_of_the_sender_s_client_do_not() {
        let pairs = [
            "Host",
            "Content-Length",
            "Content-Type",
            "Content-Encoding",
            "Transfer-Encoding",
            "TE",
            "User-Agent",
            "Accept",
            "Accept-Encoding",
            "X-Forwarded-For",
            "Forwarded",
            "Via",
            "X-Real-IP",
            "Keep-Alive",
            "Upgrade",
            "Expect",
            "CF-Connecting-IP",
            "Sec-Fetch-Mode",
        ];
        check(&pairs.map(|it| (it, "1")), &[]);
        check(&[("Connection", "close, X-Hop"), ("x-hop", "1"), ("X-Other", "1")], &["x-other"]);
    }

    #[test]
    fn credentials_and_names_that_sign_deliveries_do_not() {
        let pairs = [
            "Authorization",
            "Cookie",
            "X-Gitlab-Token",
            "X-Api-Key",
            "webhook-id",
            "webhook-signature",
            "svix-id",
            "Signature",
            "X-Aly-Signature",
            "X-Hook-Secret",
        ];
        check(&pairs.map(|it| (it, "1")), &[]);
    }

    #[test]
    fn what_cannot_be_sent_again_is_left_out_and_a_name_goes_once() {
        check(
            &[("x-a", "1"), ("X-A", "2"), ("x-b", "\u{e9}"), ("x-c", "a\tb"), ("x-d", " ")],
            &["x-a"],
        );
    }

    #[test]
    fn they_are_bounded_in_number_and_in_bytes() {
        let many: Vec<_> = (0..600).map(|it| (format!("x-{it}"), "1".to_owned())).collect();
        assert_eq!(kept_headers(&Headers(many)).0.len(), limit::HEADERS_MAX);
        let long: Vec<_> = (0..20).map(|it| (format!("x-{it}"), "a".repeat(4000))).collect();
        let kept = kept_headers(&Headers(long));
        let bytes: usize = kept.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert_eq!(kept.0.len(), 4);
        assert!(bytes <= limit::RECEIVED_HEADERS_BYTES_MAX);
    }

    #[test]
    fn the_content_type_is_kept_letter_by_letter_unless_it_is_plain_json() {
        let of_value = |value| content_type(&of(&[("Content-Type", value)]));
        assert_eq!(of_value("application/json"), None);
        let form = "application/x-www-form-urlencoded";
        for value in [form, "application/json; charset=utf-8", "Text/Plain;charset=\"x y\""] {
            assert_eq!(of_value(value).as_deref(), Some(value));
        }
        assert_eq!(of_value("text/\u{e9}"), None);
        assert_eq!(content_type(&Headers::default()), None);
    }

    #[test]
    fn a_type_is_always_a_legal_one() {
        let of_told = |told: &str| event_type(Some(told.to_owned()), "x").unwrap().to_string();
        assert_eq!(of_told("push.created"), "push.created");
        assert_eq!(of_told(""), "x.event");
        assert_eq!(of_told("a..b"), "x.event");
        for provider in ["github", "Mein Händler", "", "   ", &"ä".repeat(300), "a.b", "*"] {
            let made = event_type(None, provider);
            assert!(made.is_some(), "{provider}");
        }
        assert_eq!(event_type(None, "custom").unwrap().as_str(), "custom.event");
    }
}
