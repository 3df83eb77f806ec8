//! What holds for recipes in general; each provider's vectors stand beside its preset.

use hookyard_domain::headers::Headers;
use proptest::prelude::*;

use super::*;
use crate::inbound::presets::{ALL, named};
use crate::inbound::recipe::Encoding;
use crate::inbound::{Outgoing, sign};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const URL: &str = "https://hooks.example.com/in/src_1?a=1";

fn recipe(name: &str) -> &'static Recipe {
    &named(name).unwrap().recipe
}

fn run(
    name: &str,
    headers: &Headers,
    body: &[u8],
    secrets: &[&str],
) -> Result<Verified, Rejection> {
    let received = Received { method: "POST", url: URL, headers, body };
    verify(recipe(name), &received, &Trust { secrets, tolerance: None, now: NOW })
}

fn signed(name: &str, secret: &str, body: &[u8]) -> Headers {
    let outgoing = Outgoing { id: "msg_1", now: NOW, method: "POST", url: URL, body };
    sign(recipe(name), secret, &outgoing).unwrap()
}

#[test]
fn without_a_secret_or_with_an_empty_one_nothing_verifies() {
    for preset in ALL {
        let none = Headers::default();
        assert_eq!(run(preset.name, &none, b"{}", &[]), Err(Rejection::NoSecret));
        for secrets in [&[""][..], &["good", ""]] {
            let got = run(preset.name, &none, b"{}", secrets);
            assert_eq!(got, Err(Rejection::EmptySecret), "{}", preset.name);
        }
    }
    // A prefix or a coding with nothing in it is empty too.
    let headers = signed("standard", "whsec_c2VjcmV0", b"{}");
    let got = run("standard", &headers, b"{}", &["whsec_"]);
    assert!(matches!(got, Err(Rejection::BadSecret(_))), "{got:?}");
}

/// Headers and body that prove, in the provider's way, nothing but knowledge of that text.
fn by_text(name: &str, text: &str) -> (Headers, Vec<u8>) {
    use aws_lc_rs::hmac;

    let mac = |algorithm, bytes: &[u8]| {
        hmac::sign(&hmac::Key::new(algorithm, text.as_bytes()), bytes).as_ref().to_vec()
    };
    let encoded = |encoding, bytes: &[u8]| key::encode(encoding, bytes);
    let one = |header: &str, value: String| (Headers(vec![(header.into(), value)]), b"{}".to_vec());
    match name {
        "custom" => {
            let mac = mac(hmac::HMAC_SHA256, b"{}");
            one("X-Webhook-Signature", encoded(Encoding::Hex, &mac))
        }
        "github" => {
            let mac = encoded(Encoding::Hex, &mac(hmac::HMAC_SHA256, b"{}"));
            one("X-Hub-Signature-256", format!("sha256={mac}"))
        }
        "gitlab" => one("X-Gitlab-Token", text.into()),
        "telegram" => one("X-Telegram-Bot-Api-Secret-Token", text.into()),
        "microsoft-graph" => {
            let body = format!(r#"{{"value":[{{"clientState":"{text}"}}]}}"#);
            (Headers::default(), body.into_bytes())
        }
        _ => {
            let mac = mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, URL.as_bytes());
            let value = encoded(Encoding::Base64, &mac);
            (Headers(vec![("X-Twilio-Signature".into(), value)]), Vec::new())
        }
    }
}

#[test]
fn a_public_key_is_never_a_shared_secret_in_whichever_proof() {
    const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    for name in ["custom", "github", "gitlab", "telegram", "microsoft-graph", "twilio"] {
        // The same by a text that is a secret verifies, so the proof is one that would be taken.
        let (headers, body) = by_text(name, "whpkx");
        assert!(run(name, &headers, &body, &["whpkx"]).is_ok(), "{name}");
        let (headers, body) = by_text(name, WHPK);
        for secrets in [&[WHPK][..], &[WHPK, "another"], &["another", WHPK]] {
            let got = run(name, &headers, &body, secrets);
            assert!(got.is_err(), "{name}: {got:?}");
        }
        let outgoing = Outgoing { id: "1", now: NOW, method: "POST", url: URL, body: b"{}" };
        assert!(sign(recipe(name), WHPK, &outgoing).is_err(), "{name}");
    }
}

#[test]
fn a_public_key_is_taken_for_a_source_only_where_it_can_check_signatures() {
    const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    for preset in ALL {
        let standard = matches!(preset.name, "custom" | "standard" | "gitlab");
        let checked = check_secret(&preset.recipe, WHPK);
        assert_eq!(checked.is_ok(), standard, "{}: {checked:?}", preset.name);
    }
}

#[test]
fn without_a_signature_the_place_where_it_belongs_is_named() {
    for preset in ALL {
        let got = run(preset.name, &Headers::default(), b"{}", &["secret"]).unwrap_err();
        assert_eq!(got.code(), "missing_signature", "{}", preset.name);
    }
    let got = run("gitlab", &Headers::default(), b"{}", &["secret"]).unwrap_err();
    let words = "the header `X-Gitlab-Token` or the header `webhook-signature` is missing";
    assert_eq!(got.to_string(), words);
}

#[test]
fn any_of_several_secrets_verifies_and_it_is_told_which() {
    let headers = signed("github", "old", b"{}");
    assert_eq!(run("github", &headers, b"{}", &["new", "old"]).map(|it| it.secret), Ok(1));
    assert_eq!(run("github", &headers, b"{}", &["old", "new"]).map(|it| it.secret), Ok(0));
    assert_eq!(run("github", &headers, b"{}", &["new"]), Err(Rejection::WrongSignature));
}

#[test]
fn the_body_counts_byte_for_byte() {
    let body = b"\xef\xbb\xbf{ \"a\":\t1.0 }\r\n\0\xff";
    let headers = signed("github", "secret", body);
    assert!(run("github", &headers, body, &["secret"]).is_ok());
    for other in [&body[..body.len() - 1], &body[3..], b"{\"a\":1.0}", b""] {
        let got = run("github", &headers, other, &["secret"]);
        assert_eq!(got, Err(Rejection::WrongSignature));
    }
}

#[test]
fn a_secret_means_what_its_provider_means() {
    // `whsec_` is base64 of a key for Standard Webhooks, and a text for Stripe.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let stripe = signed("stripe", secret, b"{}");
    assert!(run("stripe", &stripe, b"{}", &[secret]).is_ok());
    assert_eq!(run("stripe", &stripe, b"{}", &[&secret[6..]]), Err(Rejection::WrongSignature));
    let standard = signed("standard", secret, b"{}");
    assert!(run("standard", &standard, b"{}", &[&secret[6..]]).is_ok());
}

#[test]
fn a_timestamp_that_is_no_number_is_told() {
    for value in ["soon", "-1", "1.5", "+1700000000", "99999999999999999999", "１７００"] {
        let mut headers = signed("slack", "secret", b"{}");
        headers.0[0].1 = value.to_owned();
        let got = run("slack", &headers, b"{}", &["secret"]).unwrap_err();
        assert_eq!(got.code(), "malformed_timestamp", "{value}");
    }
}

#[test]
fn a_tolerance_that_is_given_counts_instead_of_the_recipes() {
    let headers = signed("zoom", "secret", b"{}");
    let received = Received { method: "POST", url: URL, headers: &headers, body: b"{}" };
    let later = NOW.plus(Duration::from_secs(100));
    let at = |tolerance| {
        let trust = Trust { secrets: &["secret"], tolerance, now: later };
        verify(recipe("zoom"), &received, &trust).map(|it| it.signed_at)
    };
    assert_eq!(at(None), Ok(Some(NOW)));
    assert_eq!(at(Some(Duration::from_secs(100))), Ok(Some(NOW)));
    let stale = Rejection::Stale { off_s: 100, allowed_s: 99 };
    assert_eq!(at(Some(Duration::from_secs(99))), Err(stale));
}

#[test]
fn types_take_the_form_that_types_have_here() {
    for (given, want) in [
        ("orders/create", Some("orders.create")),
        ("repo:push", Some("repo.push")),
        ("zen:event-type:ticket.created", Some("zen.event-type.ticket.created")),
        ("#Microsoft.Graph.Message", Some("Microsoft.Graph.Message")),
        ("Push Hook", Some("Push_Hook")),
        ("/94070", Some("94070")),
        ("a..b.", Some("a.b")),
        ("größe", Some("gr__e")),
        ("", None),
        ("///", None),
    ] {
        assert_eq!(normalised(given).as_deref(), want, "{given}");
    }
    let long = normalised(&"a.".repeat(200)).unwrap();
    assert!(long.parse::<hookyard_domain::event_type::EventType>().is_ok(), "{long}");
}

#[test]
fn ids_that_cannot_be_kept_are_kept_as_their_hash() {
    let read = |id: &str| {
        let mut headers = signed("github", "secret", b"{}");
        headers.0.push(("X-GitHub-Delivery".into(), id.into()));
        run("github", &headers, b"{}", &["secret"]).unwrap().dedupe_id.unwrap()
    };
    assert_eq!(read("abc"), "abc");
    assert!(read("with blank").starts_with("sha256:"));
    assert!(read(&"a".repeat(300)).starts_with("sha256:"));
}

#[test]
fn content_is_the_id_for_a_while_where_there_is_no_other() {
    let id = |body: &[u8]| {
        let got = run("dropbox", &signed("dropbox", "secret", body), body, &["secret"]).unwrap();
        assert_eq!(got.dedupe_within, Some(dedupe::CONTENT_WITHIN));
        got.dedupe_id.unwrap()
    };
    assert_eq!(id(b"{}"), id(b"{}"));
    assert_ne!(id(b"{}"), id(b"[]"));
}

#[test]
fn a_rejection_never_shows_the_secret_or_the_right_signature() {
    let headers = signed("github", "topsecret", b"{}");
    let right = headers.get("x-hub-signature-256").unwrap().to_owned();
    let shown = format!("{:?}", run("github", &headers, b"[]", &["topsecret"]));
    assert!(!shown.contains("topsecret") && !shown.contains(&right), "{shown}");
}

#[test]
fn a_header_full_of_signatures_does_not_cost_more_than_one() {
    let body = vec![b'a'; 1024 * 1024];
    let headers = signed("pagerduty", "secret", &body);
    let good = headers.0[0].1.clone();
    let other = format!("v1={},", "0".repeat(64)).repeat(10_000);
    let headers = Headers(vec![("X-PagerDuty-Signature".into(), format!("{other}{good}"))]);
    assert!(run("pagerduty", &headers, &body, &["secret"]).is_ok());
    // Signatures by private keys cost the whole body each, so only the first few are tried.
    let seed = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    let good = signed("standard", seed, b"{}");
    let other = format!("v1a,{}== ", "A".repeat(86));
    for (others, is_good) in [(7, true), (8, false)] {
        let mut headers = good.clone();
        let entries = &mut headers.0[2].1;
        *entries = format!("{}{entries}", other.repeat(others));
        assert_eq!(run("standard", &headers, b"{}", &[seed]).is_ok(), is_good, "{others}");
    }
}

#[test]
fn a_secret_that_can_prove_nothing_is_found_out_when_it_is_given() {
    let check =
        |preset: &str, secret: &str| check_secret(recipe(preset), secret).map_err(|it| it.code());
    let spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";
    for (preset, good) in [
        ("custom", "any text"),
        ("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("stripe", "whsec_not base64 at all"),
        ("adyen", "00ff"),
        ("gitlab", "a token"),
        ("discord", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
        ("sendgrid", spki),
    ] {
        assert_eq!(check(preset, good), Ok(()), "{preset}");
    }
    for (preset, bad) in [
        ("standard", "not base64!"),
        ("standard", "whpk_AAAA"),
        ("adyen", "zz"),
        ("discord", "00ff"),
        ("sendgrid", "00ff"),
    ] {
        assert_eq!(check(preset, bad), Err("bad_secret"), "{preset}");
    }
    for preset in ALL {
        assert_eq!(check(preset.name, ""), Err("empty_secret"), "{}", preset.name);
        let public = matches!(preset.name, "discord" | "sendgrid");
        assert_eq!(preset.recipe.key_is_public(), public, "{}", preset.name);
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_what_is_changed_does_not(
        body in proptest::collection::vec(any::<u8>(), 1..200),
        key in proptest::collection::vec(any::<u8>(), 24..64),
        flip in any::<prop::sample::Index>(),
    ) {
        let hex = key::encode(Encoding::Hex, &key);
        let base64 = format!("whsec_{}", key::encode(Encoding::Base64, &key));
        for preset in ALL {
            let secret = if preset.name == "standard" { &base64 } else { &hex };
            let outgoing = Outgoing { id: "msg_1", now: NOW, method: "POST", url: URL, body: &body };
            let is_covered = !matches!(preset.name, "gitlab" | "telegram" | "twilio");
            let Ok(headers) = sign(&preset.recipe, secret, &outgoing) else { continue };
            // Discord's key is of another form, and Linear's time stands in the body.
            if !is_covered || matches!(preset.name, "discord" | "linear") { continue }
            let got = run(preset.name, &headers, &body, &[secret.as_str()]);
            prop_assert!(got.is_ok(), "{}: {:?}", preset.name, got);
            let mut changed = body.clone();
            changed[flip.index(body.len())] ^= 1;
            let got = run(preset.name, &headers, &changed, &[secret.as_str()]);
            prop_assert!(got.is_err(), "{}", preset.name);
        }
    }

    #[test]
    fn no_request_makes_it_panic(
        value in "\\PC{0,60}", secret in "\\PC{1,20}", body in "\\PC{0,60}", url in "\\PC{0,30}",
    ) {
        let names = [
            "webhook-id", "webhook-timestamp", "webhook-signature", "X-Webhook-Signature",
            "Stripe-Signature", "Paddle-Signature", "X-Slack-Signature", "X-Slack-Request-Timestamp",
            "X-Twilio-Signature", "X-DocuSign-Signature-1", "Content-Type",
        ];
        let headers = Headers(names.map(|it| (it.to_owned(), value.clone())).to_vec());
        for preset in ALL {
            let received =
                Received { method: "POST", url: &url, headers: &headers, body: body.as_bytes() };
            let secrets = [secret.as_str()];
            let trust = Trust { secrets: &secrets, tolerance: None, now: NOW };
            prop_assert!(verify(&preset.recipe, &received, &trust).is_err());
        }
    }
}
