//! The checker agrees with the signer, refuses what must not verify, and names what is wrong.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_614_265_330);
const TOLERANCE: Duration = Duration::from_secs(300);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WHSK: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &str = r#"{"test": 2432232314}"#;
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
const SCHEMES: [Scheme; 4] = [Scheme::Standard, Scheme::Aly, Scheme::Alvys, Scheme::Aryeo];

fn headers(list: &[(&str, &str)]) -> Headers {
    Headers(list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn received(signed: &SignedHeaders) -> Headers {
    // Receivers see names in any case.
    Headers(signed.iter().map(|(name, it)| (name.to_ascii_lowercase(), it.clone())).collect())
}

fn standard(signature: &str) -> Headers {
    headers(&[
        ("Webhook-Id", ID),
        ("Webhook-Timestamp", "1614265330"),
        ("Webhook-Signature", signature),
    ])
}

fn signed(scheme: Scheme, secret: &str, payload: &[u8]) -> Headers {
    received(&sign_offline(scheme, secret, Some("evt_1"), NOW, payload).unwrap())
}

fn run(scheme: Scheme, secret: &str, headers: &Headers, payload: &str) -> Verification {
    verify(scheme, secret, headers, payload.as_bytes(), TOLERANCE, NOW)
}

#[track_caller]
fn check_valid(scheme: Scheme, secret: &str, headers: &Headers, payload: &str) {
    let got = run(scheme, secret, headers, payload);
    assert!(got.valid && got.checks.iter().all(|it| it.ok), "{got:?}");
    assert_eq!(got.reason, "the signature is valid");
}

/// The part that is wrong, and words of the reason. The parts before it must have been right.
#[track_caller]
fn check_wrong(got: Verification, what: &str, words: &str) {
    assert!(!got.valid, "{got:?}");
    let first = got.checks.iter().find(|it| !it.ok).map(|it| it.what);
    assert_eq!(first, Some(what), "{got:?}");
    assert!(got.reason.contains(words), "{}", got.reason);
}

#[test]
fn the_vectors_verify() {
    check_valid(Scheme::Standard, SECRET, &standard(V1), BODY);
    check_valid(Scheme::Standard, SECRET.trim_start_matches("whsec_"), &standard(V1), BODY);
    check_valid(Scheme::Standard, WHSK, &standard(V1A), BODY);
    check_valid(Scheme::Standard, WHPK, &standard(V1A), BODY);
}

#[test]
fn one_entry_that_fits_among_others_is_enough_and_unknown_versions_are_skipped() {
    let other = V1.replace("g0h", "AAA");
    check_valid(Scheme::Standard, SECRET, &standard(&format!("v9,?? {other} {V1A} {V1}")), BODY);
    check_valid(Scheme::Standard, WHPK, &standard(&format!("{V1} {V1A}")), BODY);
}

#[test]
fn headers_under_svix_names_are_accepted() {
    let svix =
        headers(&[("svix-id", ID), ("svix-timestamp", "1614265330"), ("svix-signature", V1)]);
    check_valid(Scheme::Standard, SECRET, &svix, BODY);
}

#[test]
fn a_missing_header_is_named() {
    let full = standard(V1);
    for (name, what) in [
        ("webhook-id", "id"),
        ("webhook-timestamp", "timestamp"),
        ("webhook-signature", "signature_header"),
    ] {
        let mut headers = full.clone();
        headers.0.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
        let words = format!("the header `{name}` is missing");
        check_wrong(run(Scheme::Standard, SECRET, &headers, BODY), what, &words);
    }
    let none = Headers::default();
    let words = "`X-Aly-Signature` is missing";
    check_wrong(run(Scheme::Aly, "s", &none, BODY), "signature_header", words);
    check_wrong(run(Scheme::Alvys, "s", &none, BODY), "id", "`X-Alvys-Event-Id` is missing");
    check_wrong(run(Scheme::Aryeo, "s", &none, BODY), "signature_header", "`Signature` is missing");
}

/// The two parts of a good header of Aly's.
fn sign_aly(secret: &str) -> (String, String) {
    let signed = sign_offline(Scheme::Aly, secret, None, NOW, BODY.as_bytes()).unwrap();
    let (_, value) = signed.into_iter().find(|it| it.0 == "X-Aly-Signature").unwrap();
    let (time, signature) = value.split_once(',').unwrap();
    (time.to_owned(), signature.to_owned())
}

#[test]
fn a_malformed_header_is_told_from_a_wrong_one() {
    let standard = |value: &str| run(Scheme::Standard, SECRET, &standard(value), BODY);
    check_wrong(standard("g0hM9SsE"), "signature_header", "no `version,` before it");
    check_wrong(standard("v1,***"), "signature_header", "is not base64");
    check_wrong(standard(V1A), "signature_header", "no `v1` entry, as a `whsec_` secret needs");
    let aly = |value: &str| run(Scheme::Aly, "s", &headers(&[("X-Aly-Signature", value)]), BODY);
    check_wrong(aly("abc"), "signature_header", "a part has no `=`");
    check_wrong(aly("t=1614265330"), "signature_header", "it has no `v1=`");
    check_wrong(aly("t=1614265330,v1=abc"), "signature_header", "`v1` is not 64 hex digits");
    let hex = "0".repeat(64);
    check_wrong(aly(&format!("v1={hex}")), "signature_header", "it has no `t=`");
    check_wrong(aly(&format!("t=x,v1={hex}")), "timestamp", "`x` is not a number of seconds");
    check_wrong(aly(&format!("t=,v1={hex}")), "timestamp", "is not a number of seconds");
    let (t, v1) = sign_aly("whsec_test");
    check_valid(
        Scheme::Aly,
        "whsec_test",
        &headers(&[("X-Aly-Signature", &format!("{t},{v1}"))]),
        BODY,
    );
    for two in
        [format!("{t},{v1},v1={hex}"), format!("{t},v1={hex},{v1}"), format!("{t},{v1},{v1}")]
    {
        let got = run(Scheme::Aly, "whsec_test", &headers(&[("X-Aly-Signature", &two)]), BODY);
        check_wrong(got, "signature_header", "more than one `v1=`");
    }
    // Aly knows no `v0`: it must not count.
    check_wrong(aly(&format!("t=1614265330,v0={hex}")), "signature_header", "it has no `v1=`");
    let aryeo = headers(&[("Signature", "sha256=00")]);
    check_wrong(run(Scheme::Aryeo, "s", &aryeo, BODY), "signature_header", "not 64 hex digits");
}

#[test]
fn a_timestamp_outside_the_tolerance_is_told_with_distance_and_direction() {
    let at = |seconds: i64| {
        let now = Timestamp::from_secs(NOW.as_secs() + seconds);
        verify(Scheme::Standard, SECRET, &standard(V1), BODY.as_bytes(), TOLERANCE, now)
    };
    assert!(at(300).valid && at(-300).valid);
    check_wrong(at(301), "tolerance", "lies 301 s in the past, 300 s are allowed");
    check_wrong(at(-301), "tolerance", "lies 301 s in the future, 300 s are allowed");
    // The signature is looked at all the same, and is right.
    assert!(at(301).checks.iter().any(|it| it.what == "signature" && it.ok));
}

#[test]
fn a_timestamp_in_milliseconds_is_recognised() {
    let mut headers = standard(V1);
    headers.0[1].1 = "1614265330000".into();
    let got = run(Scheme::Standard, SECRET, &headers, BODY);
    check_wrong(got, "tolerance", "it seems to be in milliseconds");
}

#[test]
fn an_unusable_secret_is_told_without_showing_it() {
    let got = run(Scheme::Standard, "whsec_geheim!", &standard(V1), BODY);
    assert!(!format!("{got:?}").contains("geheim"), "{got:?}");
    check_wrong(got, "secret", "the secret is unusable");
    check_wrong(run(Scheme::Aly, "", &Headers::default(), BODY), "secret", "is needed");
}

#[test]
fn neither_the_secret_nor_the_right_signature_is_ever_shown() {
    let wrong = V1.replace("g0h", "AAA");
    for payload in [BODY, "{}"] {
        let shown = format!("{:?}", run(Scheme::Standard, SECRET, &standard(&wrong), payload));
        assert!(!shown.contains("g0hM9SsE") && !shown.contains("MfKQ9r8G"), "{shown}");
    }
    let shown =
        format!("{:?}", run(Scheme::Aryeo, "topsecret", &signed(Scheme::Aryeo, "x", b"1"), "1"));
    let right = signed(Scheme::Aryeo, "topsecret", b"1");
    assert!(!shown.contains(right.get("signature").unwrap()) && !shown.contains("topsecret"));
}

#[test]
fn a_wrong_secret_or_payload_is_a_signature_that_differs() {
    for scheme in SCHEMES {
        let headers = signed(scheme, SECRET, BODY.as_bytes());
        let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let words = "the signature differs: the secret is another one, or the payload";
        check_wrong(run(scheme, other, &headers, BODY), "signature", words);
        check_wrong(run(scheme, SECRET, &headers, "{}"), "signature", words);
    }
}

#[test]
fn a_changed_payload_is_recognised_where_the_change_is_a_usual_one() {
    for (sent, seen, words) in [
        ("{}", "{}\n", "without the newline or blank at its end"),
        ("{}", "{}\r\n", "without the newline or blank at its end"),
        ("{}\n", "{}", "with a newline at its end"),
        ("{}\r\n", "{}", "with a newline at its end"),
        ("{}", "\u{feff}{}", "byte order mark"),
        ("{\r\n}", "{\n}", "other line ends"),
        ("{\n}", "{\r\n}", "other line ends"),
        (r#"{"a b":"c \" d"}"#, "{\n  \"a b\": \"c \\\" d\"\n}", "the same JSON without blanks"),
    ] {
        for scheme in SCHEMES {
            let headers = signed(scheme, SECRET, sent.as_bytes());
            check_wrong(run(scheme, SECRET, &headers, seen), "signature", words);
        }
    }
    let headers = signed(Scheme::Standard, WHSK, b"{}");
    check_wrong(run(Scheme::Standard, WHPK, &headers, "{}\n"), "signature", "without the newline");
}

#[test]
fn an_alvys_signature_without_the_event_id_is_refused_and_explained() {
    let v1 = "d0911a2c526af0628149c9ddfaf860adc515efb7533dfa8a37ea37f3e5c39d2d";
    let headers = headers(&[
        ("X-Alvys-Event-Id", "evt-123456"),
        ("X-Alvys-Signature", &format!("t=1699200000,v1={v1}")),
    ]);
    let now = Timestamp::from_secs(1_699_200_000);
    let body = br#"{"id":"evt-123456"}"#;
    let got = verify(Scheme::Alvys, "secret", &headers, body, TOLERANCE, now);
    check_wrong(got, "signature", "made over `{timestamp}.{body}`, without the event's id");
}

#[test]
fn an_alvys_receiver_with_the_previous_secret_accepts_v0() {
    let v1 = "71e72e0285362d86defe952d8aef9027d920ea00204b11fd042115a9a28d5171";
    let v0 = "d6c39219d5b8b2bd809620390521e50c84f96027d8a2536684d1e28ebecbe8a2";
    let headers = headers(&[
        ("X-Alvys-Event-Id", "evt-123456"),
        ("X-Alvys-Signature", &format!("t=1699200000,v1={v1},v0={v0}")),
    ]);
    let now = Timestamp::from_secs(1_699_200_000);
    for secret in ["secret", "oldsecret"] {
        let body = br#"{"id":"evt-123456"}"#;
        let got = verify(Scheme::Alvys, secret, &headers, body, TOLERANCE, now);
        assert!(got.valid, "{got:?}");
    }
}

#[test]
fn an_escaped_body_does_not_verify_as_the_unescaped_one() {
    let escaped = "7aa04fed24c9043531449b71a5088a2e50f7fc2c340dadb87b15978e758e8e11";
    let headers = headers(&[("Signature", escaped)]);
    check_valid(Scheme::Aryeo, "secret", &headers, r#"{"url":"https:\/\/a.b\/c"}"#);
    let got = run(Scheme::Aryeo, "secret", &headers, r#"{"url":"https://a.b/c"}"#);
    check_wrong(got, "signature", "the signature differs");
}

#[test]
fn a_secret_with_or_without_its_prefix_is_recognised() {
    let bare = SECRET.trim_start_matches("whsec_");
    for scheme in [Scheme::Aly, Scheme::Alvys, Scheme::Aryeo] {
        for (signer, verifier, words) in [
            (bare, SECRET, "made with the secret without its `whsec_`"),
            (SECRET, bare, "the secret given lacks its `whsec_`"),
            (SECRET, &*format!("{SECRET}\n"), "blanks or a newline around it"),
        ] {
            let headers = signed(scheme, signer, BODY.as_bytes());
            check_wrong(run(scheme, verifier, &headers, BODY), "signature", words);
        }
    }
}

/// Signs as `scheme` does, but with these bytes as key.
fn signed_with(key: &[u8], layout: Layout) -> Vec<u8> {
    base::mac(&base::key(key), &layout.pieces(ID, "1614265330", BODY.as_bytes())).as_ref().to_vec()
}

#[test]
fn a_key_that_was_decoded_or_not_decoded_is_recognised() {
    for key in [SECRET, SECRET.trim_start_matches("whsec_")] {
        let mut value = "v1,".to_owned();
        base::push_base64(&mut value, &signed_with(key.as_bytes(), Layout::IdTimeBody));
        let got = run(Scheme::Standard, SECRET, &standard(&value), BODY);
        check_wrong(got, "signature", "decodes to");
    }
    let decoded = base::from_base64(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut value = "t=1614265330,v1=".to_owned();
    base::push_hex(&mut value, &signed_with(&decoded, Layout::TimeBody));
    let got = run(Scheme::Aly, SECRET, &headers(&[("X-Aly-Signature", &value)]), BODY);
    check_wrong(got, "signature", "decoded from base64");
}

#[test]
fn schemes_are_found_by_the_names_of_the_profiles() {
    for (name, want) in [
        ("standard", Some(Scheme::Standard)),
        ("alumia", Some(Scheme::Standard)),
        ("aly", Some(Scheme::Aly)),
        ("alvys", Some(Scheme::Alvys)),
        ("aryeo", Some(Scheme::Aryeo)),
        ("Aly", None),
        ("", None),
    ] {
        assert_eq!(scheme_named(name), want, "{name}");
    }
}

#[test]
fn offline_signing_without_an_id_makes_one_that_is_an_event_id() {
    let headers = sign_offline(Scheme::Standard, SECRET, None, NOW, b"{}").unwrap();
    let id: EventId = headers[0].1.parse().unwrap();
    assert_eq!(id.key().time(), NOW);
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_what_is_changed_does_not(
        body in proptest::collection::vec(any::<u8>(), 1..200),
        id in "[a-zA-Z0-9_-]{1,40}",
        random in any::<[u8; 32]>(),
        at in 0..4_000_000_000_i64,
        flip in any::<prop::sample::Index>(),
    ) {
        let now = Timestamp::from_secs(at);
        for profile in Profile::ALL {
            let secret = super::super::generate(profile, &random);
            let asymmetric = super::super::generate_v1a(&random);
            let scheme = profiles::of(profile).scheme;
            let secrets = if scheme == Scheme::Standard { vec![secret, asymmetric] } else { vec![secret] };
            for secret in secrets {
                let secret = secret.reveal();
                let headers = received(&sign_offline(scheme, secret, Some(&id), now, &body).unwrap());
                let got = verify(scheme, secret, &headers, &body, TOLERANCE, now);
                prop_assert!(got.valid, "{:?}", got);
                let mut changed = body.clone();
                changed[flip.index(body.len())] ^= 1;
                prop_assert!(!verify(scheme, secret, &headers, &changed, TOLERANCE, now).valid);
            }
        }
    }

    #[test]
    fn no_headers_make_the_checker_panic(
        value in "\\PC{0,60}", secret in "\\PC{0,20}", body in "\\PC{0,20}",
    ) {
        let headers = headers(&[
            ("webhook-id", &value),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", &value),
            ("x-aly-signature", &value),
            ("x-alvys-event-id", &value),
            ("x-alvys-signature", &value),
            ("signature", &value),
        ]);
        for scheme in SCHEMES {
            prop_assert!(!run(scheme, &secret, &headers, &body).valid);
        }
    }
}
