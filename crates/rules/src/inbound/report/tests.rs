//! The report names the part that is wrong, and the usual mistakes.

use std::time::Duration;

use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;

use super::*;
use crate::inbound::presets::named;
use crate::inbound::{Outgoing, sign};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

struct Case<'a> {
    provider: &'a str,
    secret: &'a str,
    sent: (&'a str, &'a str),
    seen: (&'a str, &'a str),
    seen_with: &'a str,
    late_s: u64,
}

const CASE: Case<'_> = Case {
    provider: "slack",
    secret: "secret",
    sent: ("https://a.example/in?b=1", "{}"),
    seen: ("https://a.example/in?b=1", "{}"),
    seen_with: "secret",
    late_s: 0,
};

impl Case<'_> {
    fn run(&self) -> Verification {
        let recipe = &named(self.provider).unwrap().recipe;
        let (url, body) = self.sent;
        let outgoing = Outgoing { id: "1", now: NOW, method: "POST", url, body: body.as_bytes() };
        let headers = sign(recipe, self.secret, &outgoing).unwrap();
        let (url, body) = self.seen;
        let received = Received { method: "POST", url, headers: &headers, body: body.as_bytes() };
        let now = NOW.plus(Duration::from_secs(self.late_s));
        report(recipe, &received, &Trust { secrets: &[self.seen_with], tolerance: None, now })
    }

    #[track_caller]
    fn check(&self, what: &str, words: &str) {
        let got = self.run();
        let wrong = got.checks.iter().find(|it| !it.ok).map(|it| it.what);
        assert_eq!((got.valid, wrong), (false, Some(what)), "{got:?}");
        assert!(got.reason.contains(words), "{}", got.reason);
        assert!(got.checks.last().is_some_and(|it| !it.ok && it.expected.is_some()));
    }
}

#[test]
fn a_good_one_is_right_in_every_part() {
    let got = CASE.run();
    assert!(got.valid && got.checks.iter().all(|it| it.ok), "{got:?}");
    let parts: Vec<_> = got.checks.iter().map(|it| it.what).collect();
    assert_eq!(parts, PARTS);
    let got = Case { provider: "github", ..CASE }.run();
    let parts: Vec<_> = got.checks.iter().map(|it| it.what).collect();
    assert_eq!(parts, ["secret", "signature_header", "signature"]);
}

#[test]
fn the_part_that_is_wrong_is_named() {
    Case { seen_with: "", ..CASE }.check("secret", "the secret is empty");
    Case { late_s: 301, ..CASE }.check("tolerance", "lies 301 s in the past, 300 s are allowed");
    Case { seen_with: "other", ..CASE }.check("signature", "the secret is another one, or");
    let none = Headers::default();
    let received = Received { method: "POST", url: "", headers: &none, body: b"" };
    let trust = Trust { secrets: &["s"], tolerance: None, now: NOW };
    let got = report(&named("slack").unwrap().recipe, &received, &trust);
    assert_eq!(got.reason, "the header `X-Slack-Signature` is missing");
    assert_eq!(got.checks.last().map(|it| it.what), Some("signature_header"));
}

#[test]
fn usual_mistakes_are_recognised() {
    let url = CASE.sent.0;
    let body = |seen| Case { seen: (url, seen), ..CASE };
    body("{}\n").check("signature", "without the newline");
    Case { seen_with: "secret\n", ..CASE }.check("signature", "blanks or a newline");
    Case { secret: "whsec_a", seen_with: "a", ..CASE }.check("signature", "lacks its `whsec_`");
    Case { secret: "a", seen_with: "whsec_a", ..CASE }.check("signature", "without its `whsec_`");
    let at = |seen| Case { provider: "square", seen: (seen, "{}"), ..CASE };
    at("https://a.example/in/?b=1").check("signature", "slash at its end");
    at("http://a.example/in?b=1").check("signature", "`https` for `http`");
    let sent = ("https://a.example/in", "{}");
    Case { sent, ..at(url) }.check("signature", "without its query");
    at("").check("signature", "the public URL is missing");
}
