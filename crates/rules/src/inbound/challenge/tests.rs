//! Handshakes are answered as their provider wants it, by sources of that provider only, and give nothing away.

use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;

use super::*;
use crate::inbound::presets::{ALL, named};
use crate::inbound::{Outgoing, sign};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

struct Ask<'a> {
    provider: &'a str,
    method: &'a str,
    query: &'a str,
    headers: Headers,
    body: &'a str,
    secrets: &'a [&'a str],
    verify_token: Option<&'a str>,
}

impl Ask<'_> {
    fn run(&self) -> Found {
        let url = format!("https://a.example/in/src_1{}", self.query);
        let received = Received {
            method: self.method,
            url: &url,
            headers: &self.headers,
            body: self.body.as_bytes(),
        };
        let trust = Trust { secrets: self.secrets, tolerance: None, now: NOW };
        answer(named(self.provider).unwrap(), &received, &trust, self.verify_token)
    }

    fn reply(&self) -> Reply {
        self.run().unwrap().unwrap().reply
    }
}

fn post<'a>(provider: &'a str, body: &'a str) -> Ask<'a> {
    Ask {
        provider,
        method: "POST",
        query: "",
        headers: Headers::default(),
        body,
        secrets: &["secret"],
        verify_token: None,
    }
}

fn get<'a>(provider: &'a str, query: &'a str) -> Ask<'a> {
    Ask { method: "GET", query, ..post(provider, "") }
}

fn signed(provider: &str, secret: &str, body: &str) -> Headers {
    let outgoing = Outgoing { id: "1", now: NOW, method: "POST", url: "", body: body.as_bytes() };
    sign(&named(provider).unwrap().recipe, secret, &outgoing).unwrap()
}

fn with(name: &str, value: &str) -> Headers {
    Headers(vec![(name.into(), value.into())])
}

#[track_caller]
fn check_echo(reply: &Reply, text: &str) {
    assert_eq!((reply.status, reply.body.as_str()), (200, text));
    let header = |name| reply.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
    assert_eq!(header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
}

const SLACK: &str = r#"{"type":"url_verification","challenge":"3eZbrw1a"}"#;
const ZOOM: &str =
    r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;

#[test]
fn slack_gets_its_challenge_back_unless_the_signature_is_wrong() {
    check_echo(&post("slack", SLACK).reply(), "3eZbrw1a");
    let headers = signed("slack", "secret", SLACK);
    check_echo(&Ask { headers, ..post("slack", SLACK) }.reply(), "3eZbrw1a");
    // Somebody else's app that was pointed here.
    let headers = signed("slack", "theirs", SLACK);
    let got = Ask { headers, ..post("slack", SLACK) }.run();
    assert_eq!(got, Some(Err(Rejection::WrongSignature)));
    assert_eq!(post("slack", r#"{"type":"event_callback","challenge":"x"}"#).run(), None);
}

#[test]
fn a_body_that_is_longer_than_a_handshake_is_not_looked_into() {
    let padded = |body: &str, long: usize| {
        let spaces = " ".repeat(long - body.len());
        format!("{body}{spaces}")
    };
    let notion = r#"{"verification_token":"secret_tMrlL1qK"}"#;
    let ask = |body: &str| Ask { secrets: &[], ..post("notion", body) }.run();
    assert!(matches!(ask(&padded(notion, BODY_BYTES_MAX)), Some(Ok(_))));
    assert_eq!(ask(&padded(notion, BODY_BYTES_MAX + 1)), None);
    assert_eq!(post("slack", &padded(SLACK, BODY_BYTES_MAX + 1)).run(), None);
    assert_eq!(post("zoom", &padded(ZOOM, BODY_BYTES_MAX + 1)).run(), None);
}

#[test]
fn a_secret_that_nobody_could_give_by_hand_is_not_learned_either() {
    let most = "a".repeat(hookyard_domain::limit::SECRET_CHARS_MAX);
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    for (secret, good) in
        [(most.clone(), true), (format!("{most}a"), false), (public.into(), false)]
    {
        let body = format!(r#"{{"verification_token":"{secret}"}}"#);
        let headers = with("X-Hook-Secret", &secret);
        let asana = Ask { headers, secrets: &[], ..post("asana", "{}") }.run();
        let notion = Ask { secrets: &[], ..post("notion", &body) }.run();
        for got in [asana, notion] {
            let learned = got.unwrap().ok().and_then(|it| it.learned);
            assert_eq!(learned, good.then(|| Secret::new(secret.clone())));
        }
    }
}

#[test]
fn zoom_gets_the_hmac_of_its_token() {
    let headers = signed("zoom", "secret", ZOOM);
    let reply = Ask { headers, ..post("zoom", ZOOM) }.reply();
    let hmac = "72cef096bfd47c0b8664df30d07721641e4abd7e885ba432204260db477a9a3e";
    let want = format!(r#"{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{hmac}"}}"#);
    assert_eq!((reply.status, reply.body), (200, want));
    let headers = signed("zoom", "theirs", ZOOM);
    let got = Ask { headers, ..post("zoom", ZOOM) }.run();
    assert_eq!(got, Some(Err(Rejection::WrongSignature)));
}

#[test]
fn zoom_does_not_get_a_request_of_its_choice_signed() {
    for token in [r#"v0:1700000000:{\"event\":\"x\"}"#, "v0:1700000000:x", "", &"a".repeat(200)] {
        let body = ZOOM.replace("qgg8vlvZRS6UYooatFL8Aw", token);
        for headers in [Headers::default(), signed("zoom", "secret", &body)] {
            let got = Ask { headers, ..post("zoom", &body) }.run();
            assert!(!matches!(got, Some(Ok(_))), "{token}: {got:?}");
        }
    }
    let got = Ask { secrets: &[], ..post("zoom", ZOOM) }.run();
    assert_eq!(got, Some(Err(Rejection::NoSecret)));
}

#[test]
fn meta_gets_its_challenge_back_for_the_verify_token() {
    let query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meaty%20amo";
    let ask = |verify_token| Ask { verify_token, ..get("meta", query) };
    check_echo(&ask(Some("meaty amo")).reply(), "1158201444");
    assert_eq!(ask(Some("other")).run(), Some(Err(Rejection::WrongToken)));
    for none in [None, Some("")] {
        assert!(matches!(ask(none).run(), Some(Err(Rejection::BadHandshake(_)))));
    }
    assert_eq!(get("meta", "?hub.mode=other&hub.challenge=1").run(), None);
}

#[test]
fn graph_and_dropbox_get_the_text_of_their_query_back() {
    let graph =
        Ask { query: "?validationToken=Validation%3A+a%2Bb", ..post("microsoft-graph", "") };
    check_echo(&graph.reply(), "Validation: a+b");
    check_echo(&get("dropbox", "?x=1&challenge=abc%3Cb%3E#f").reply(), "abc<b>");
    assert_eq!(get("dropbox", "").run(), None);
    let long = format!("?challenge={}", "a".repeat(5000));
    assert!(matches!(get("dropbox", &long).run(), Some(Err(Rejection::BadHandshake(_)))));
}

#[test]
fn asana_hands_its_secret_over_once() {
    let headers = with("X-Hook-Secret", "b537207f");
    let first = Ask { headers: headers.clone(), secrets: &[], ..post("asana", "{}") };
    let Handshake { reply, learned } = first.run().unwrap().unwrap();
    assert_eq!(learned, Some(Secret::new("b537207f".into())));
    assert!(reply.headers.contains(&("X-Hook-Secret", "b537207f".into())));
    let again = Ask { headers: headers.clone(), secrets: &["b537207f"], ..post("asana", "{}") };
    assert_eq!(again.run().unwrap().unwrap().learned, None);
    let stranger = Ask { headers, secrets: &["known"], ..post("asana", "{}") };
    assert!(matches!(stranger.run(), Some(Err(Rejection::BadHandshake(_)))));
}

#[test]
fn notion_hands_its_token_over_once() {
    let body = r#"{"verification_token":"secret_tMrlL1qK"}"#;
    let first = Ask { secrets: &[], ..post("notion", body) }.run().unwrap().unwrap();
    assert_eq!(first.learned, Some(Secret::new("secret_tMrlL1qK".into())));
    assert!(!first.reply.body.contains("secret_"));
    let stranger = post("notion", body).run();
    assert!(matches!(stranger, Some(Err(Rejection::BadHandshake(_)))));
    assert_eq!(post("notion", r#"{"type":"page.created","verification_token":"x"}"#).run(), None);
}

#[test]
fn twitch_gets_its_challenge_back() {
    let body = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo"}"#;
    let ask = |kind: &str, secret: &str| {
        let mut headers = signed("twitch", secret, body);
        headers.0.push(("Twitch-Eventsub-Message-Type".into(), kind.into()));
        Ask { headers, ..post("twitch", body) }
    };
    let kind = "webhook_callback_verification";
    check_echo(&ask(kind, "secret").reply(), "pogchamp-kappa-360noscope-vohiyo");
    assert_eq!(ask(kind, "theirs").run(), Some(Err(Rejection::WrongSignature)));
    assert_eq!(ask("notification", "secret").run(), None);
}

#[test]
fn discord_gets_its_pong_for_a_good_signature_only() {
    const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    let ask =
        |body: &'static str, headers| Ask { headers, secrets: &[PUBLIC], ..post("discord", body) };
    for (body, status, reply) in
        [(r#"{"type":1,"id":"1"}"#, 200, r#"{"type":1}"#), (r#"{"type":0,"version":1}"#, 204, "")]
    {
        let good = ask(body, signed("discord", SEED, body)).reply();
        assert_eq!((good.status, good.body.as_str()), (status, reply));
        let wrong = ask(body, signed("discord", SEED, "other")).run();
        assert_eq!(wrong, Some(Err(Rejection::WrongSignature)));
        let unsigned = ask(body, Headers::default()).run();
        assert!(matches!(unsigned, Some(Err(Rejection::MissingSignature(_)))));
    }
    assert_eq!(ask(r#"{"type":1,"event":{"type":"X"}}"#, Headers::default()).run(), None);
    assert_eq!(ask(r#"{"type":2}"#, Headers::default()).run(), None);
}

#[test]
fn trello_and_intercom_get_their_head_and_woocommerce_its_first_form() {
    for provider in ["trello", "intercom"] {
        let reply = Ask { method: "HEAD", ..post(provider, "") }.reply();
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
        assert_eq!(post(provider, "{}").run(), None);
    }
    assert_eq!(post("woocommerce", "webhook_id=12").reply().status, 200);
    for other in ["webhook_id=x", "webhook_id=1&a=b", "webhook_id=", r#"{"webhook_id":1}"#] {
        assert_eq!(post("woocommerce", other).run(), None, "{other}");
    }
    let headers = signed("woocommerce", "secret", "webhook_id=12");
    assert_eq!(Ask { headers, ..post("woocommerce", "webhook_id=12") }.run(), None);
}

#[test]
fn only_a_source_of_the_provider_answers_its_handshake() {
    let asks = |provider| {
        [
            post(provider, SLACK),
            post(provider, ZOOM),
            post(provider, r#"{"verification_token":"x"}"#),
            post(provider, r#"{"type":1}"#),
            Ask { headers: with("X-Hook-Secret", "x"), ..post(provider, "{}") },
            Ask { query: "?validationToken=x", ..post(provider, "") },
            get(provider, "?challenge=x"),
            Ask {
                verify_token: Some("t"),
                ..get(provider, "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=t")
            },
            Ask { method: "HEAD", ..post(provider, "") },
        ]
    };
    for preset in ALL.iter().filter(|it| it.challenge.is_none()) {
        for ask in asks(preset.name) {
            assert_eq!(ask.run(), None, "{}", preset.name);
        }
    }
    for preset in ALL.iter().filter(|it| it.challenge.is_some()) {
        let answered = asks(preset.name).iter().filter(|it| it.run().is_some()).count();
        assert!(answered <= 1, "{}", preset.name);
    }
}
