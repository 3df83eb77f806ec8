//! Vectors of standards.md §1.4 and vendors.md §1.1, §2.1, §4.1; rotations; secrets.

use hookyard_domain::profile::Profile;

use super::*;

const UNTIL: Timestamp = Timestamp::from_secs(2_000_000_000);

fn secrets(current: &str, previous: Option<(&str, Timestamp)>) -> Secrets {
    let secret = |text: &str| Secret::new(text.to_owned());
    Secrets {
        current: Some(secret(current)),
        previous: previous.map(|(text, until)| (secret(text), until)),
    }
}

fn signed(
    scheme: Scheme,
    (current, previous): (&str, Option<&str>),
    id: &str,
    now: i64,
    body: &str,
) -> SignedHeaders {
    let secrets = secrets(current, previous.map(|it| (it, UNTIL)));
    let signer = Signer::prepare(scheme, &secrets).unwrap();
    signer.sign(id, Timestamp::from_secs(now), body.as_bytes())
}

fn last(headers: &SignedHeaders) -> (&str, &str) {
    headers.last().map(|(name, value)| (*name, value.as_str())).unwrap()
}

#[track_caller]
fn check_standard(secret: &str, id: &str, now: i64, body: &str, want: &str) {
    let got = signed(Scheme::Standard, (secret, None), id, now, body);
    let want = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", want.to_owned()),
    ];
    assert_eq!(got, want);
}

const BARE: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;
const WHSK: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const WHSK_SEED: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
const BAD_WHSK: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kv";
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

#[test]
fn standard_webhooks_signs_as_its_vectors_say() {
    check_standard(BARE, MESSAGE, AT, BODY, V1);
    check_standard(&format!("whsec_{BARE}"), MESSAGE, AT, BODY, V1);
    check_standard(
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    );
    check_standard(
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1_731_705_121,
        r#"{"event_type":"ping","data":{"success":true}}"#,
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    );
}

#[test]
fn a_whsk_secret_signs_v1a_whether_it_holds_its_public_half_or_not() {
    check_standard(WHSK, MESSAGE, AT, BODY, V1A);
    check_standard(WHSK_SEED, MESSAGE, AT, BODY, V1A);
}

#[test]
fn the_public_key_of_a_whsk_secret_can_be_shown_to_receivers() {
    let public = |text: &str| public_key(&Secret::new(text.to_owned()));
    let want = Some("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=".to_owned());
    assert_eq!(public(WHSK), want);
    assert_eq!(public(WHSK_SEED), want);
    assert_eq!(public(BARE), None);
    assert_eq!(public(BAD_WHSK), None);
}

#[test]
fn standard_webhooks_adds_a_second_signature_while_a_rotation_overlaps() {
    for (current, previous, want) in [
        (BARE, "whsec_plJ3nmyCDGBKInavdOK15jsl", (V1, "v1,")),
        (BARE, WHSK, (V1, V1A)),
        (WHSK, BARE, (V1A, V1)),
    ] {
        let got = signed(Scheme::Standard, (current, Some(previous)), MESSAGE, AT, BODY);
        let (new, old) = last(&got).1.split_once(' ').unwrap();
        assert_eq!(new, want.0);
        assert!(old.starts_with(want.1), "{old}");
    }
}

// vendors.md ALV-SIG-2, §2.6.
#[test]
fn an_overlap_ends_at_its_time() {
    let signer = |scheme, until| {
        Signer::prepare(scheme, &secrets(BARE, Some((BARE, Timestamp::from_secs(until))))).unwrap()
    };
    let value = |scheme, until| {
        let headers = signer(scheme, until).sign(MESSAGE, Timestamp::from_secs(AT), b"{}");
        last(&headers).1.to_owned()
    };
    assert!(value(Scheme::Standard, AT + 1).contains(' '));
    assert!(!value(Scheme::Standard, AT).contains(' '));
    assert!(value(Scheme::Alvys, AT + 1).contains(",v0="));
    assert!(!value(Scheme::Alvys, AT).contains(",v0="));
}

// vendors.md ALY-SIG-1 to -4, ALY-SIG-9.
#[test]
fn aly_signs_as_its_vectors_say() {
    let now = 1_748_112_900;
    for (body, want) in [
        (r#"{"id":"evt_1"}"#, "ea5eff9e961d53d403c870b0c70cae92a29b3d94f75e90927f1e262d15855b45"),
        (
            r#"{"n":"Linen Tote — natural"}"#,
            "a72ba120892317e861ffccb7f528521d3c8a5d0dc033735bbf320ac4a4de1ffc",
        ),
    ] {
        let got = signed(Scheme::Aly, ("whsec_test", None), "evt_1", now, body);
        let want = [
            ("X-Aly-Timestamp", now.to_string()),
            ("X-Aly-Signature", format!("t={now},v1={want}")),
        ];
        assert_eq!(got, want);
    }
}

// vendors.md ALY-SIG-8.
#[test]
fn aly_has_one_signature_even_if_a_rotation_were_to_overlap() {
    let alone = signed(Scheme::Aly, ("whsec_test", None), "evt_1", AT, BODY);
    let rotating = signed(Scheme::Aly, ("whsec_test", Some("whsec_old")), "evt_1", AT, BODY);
    assert_eq!(alone, rotating);
}

// vendors.md ALV-SIG-1 to -4.
#[test]
fn alvys_signs_as_its_vectors_say_with_v0_by_the_previous_secret() {
    let v1 = "71e72e0285362d86defe952d8aef9027d920ea00204b11fd042115a9a28d5171";
    let v0 = "d6c39219d5b8b2bd809620390521e50c84f96027d8a2536684d1e28ebecbe8a2";
    let sign = |previous| {
        let body = r#"{"id":"evt-123456"}"#;
        signed(Scheme::Alvys, ("secret", previous), "evt-123456", 1_699_200_000, body)
    };
    let time = ("X-Alvys-Timestamp", "1699200000".to_owned());
    let want = format!("t=1699200000,v1={v1}");
    assert_eq!(sign(None), [time.clone(), ("X-Alvys-Signature", want.clone())]);
    assert_eq!(sign(Some("oldsecret")), [time, ("X-Alvys-Signature", format!("{want},v0={v0}"))]);
}

// vendors.md ARY-SIG-1 to -3, ARY-SIG-6.
#[test]
fn aryeo_signs_as_its_vectors_say_and_tells_escaped_from_unescaped() {
    for (body, want) in [
        (
            r#"{"object":"ACTIVITY"}"#,
            "9c0eb0d405d50abc96e42c9502bbc05c694ef8d94b69f06cb966500ca7058bc8",
        ),
        (
            r#"{"url":"https:\/\/a.b\/c"}"#,
            "7aa04fed24c9043531449b71a5088a2e50f7fc2c340dadb87b15978e758e8e11",
        ),
        (
            r#"{"url":"https://a.b/c"}"#,
            "47c0c590d374c970967cb848c0f37ce9e6c140fc3e1e2aa930a38c52da6a1b01",
        ),
    ] {
        let got = signed(Scheme::Aryeo, ("secret", None), "evt_1", AT, body);
        assert_eq!(got, [("Signature", want.to_owned())]);
    }
}

// vendors.md ARY-SIG-5.
#[test]
fn only_aryeo_sends_without_a_secret_and_then_without_a_signature() {
    let none = Secrets { current: None, previous: None };
    let aryeo = Signer::prepare(Scheme::Aryeo, &none).unwrap();
    assert_eq!(aryeo.sign("evt_1", UNTIL, b"{}"), []);
    for scheme in [Scheme::Standard, Scheme::Aly, Scheme::Alvys] {
        let got = Signer::prepare(scheme, &none).err();
        assert_eq!(got, Some(BadSecret::Missing), "{scheme:?}");
    }
}

#[test]
fn printing_a_signer_shows_no_key() {
    let signer = Signer::prepare(Scheme::Aly, &secrets("whsec_test", None)).unwrap();
    assert_eq!(format!("{signer:?}"), "Signer(Aly, …)");
}

#[track_caller]
fn check_bad(profile: Profile, text: &str, want: BadSecret) {
    assert_eq!(check_secret(profile, text), Err(want));
    let message = want.to_string();
    let rest = text.trim_start_matches("whsec_").trim_start_matches("whsk_");
    assert!(rest.len() < 4 || !message.contains(rest), "{message}");
}

#[test]
fn a_secret_of_standard_webhooks_is_base64_of_24_to_64_bytes() {
    for good in [BARE, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", WHSK, WHSK_SEED] {
        assert_eq!(check_secret(Profile::Standard, good), Ok(()));
        assert_eq!(check_secret(Profile::Alumia, good), Ok(()));
    }
    let of = |bytes: usize| {
        let mut text = "whsec_".to_owned();
        base::push_base64(&mut text, &vec![7; bytes]);
        text
    };
    assert_eq!(check_secret(Profile::Standard, &of(24)), Ok(()));
    assert_eq!(check_secret(Profile::Standard, &of(64)), Ok(()));
    check_bad(Profile::Standard, &of(23), BadSecret::KeyLength(23));
    check_bad(Profile::Standard, &of(65), BadSecret::KeyLength(65));
    check_bad(Profile::Standard, "whsec_not-base64-at-all!", BadSecret::NotBase64);
    check_bad(Profile::Standard, &format!("{BARE}\n"), BadSecret::Blanks);
    check_bad(Profile::Standard, "whsec_", BadSecret::Missing);
    check_bad(Profile::Standard, "", BadSecret::Missing);
}

#[test]
fn a_whsk_secret_that_is_cut_short_or_mixed_up_is_refused() {
    check_bad(Profile::Standard, BAD_WHSK, BadSecret::NotBase64);
    check_bad(Profile::Standard, "whsk_6Xb/dCcH", BadSecret::SigningKeyLength(6));
    let mixed = WHSK.replace("MbfVKIDi", "MbfVKIDj");
    check_bad(Profile::Standard, &mixed, BadSecret::SigningKeyHalves);
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    check_bad(Profile::Standard, public, BadSecret::PublicKey);
}

// vendors.md ARY-SIG-4.
#[test]
fn a_secret_of_the_other_profiles_is_any_text_of_a_sane_length() {
    for profile in [Profile::Aly, Profile::Alvys, Profile::Aryeo] {
        assert_eq!(check_secret(profile, "geheim, weiß"), Ok(()));
        assert_eq!(check_secret(profile, &"ü".repeat(512)), Ok(()));
        check_bad(profile, &"x".repeat(513), BadSecret::Length(513));
    }
    check_bad(Profile::Aly, "", BadSecret::Missing);
    check_bad(Profile::Aryeo, "", BadSecret::Length(0));
}

#[test]
fn a_secret_made_here_has_its_profiles_form_and_signs() {
    let random: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
    let hex = "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9";
    let base64 = "whsec_AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tk=";
    for (profile, want) in [
        (Profile::Standard, base64.to_owned()),
        (Profile::Alumia, base64.to_owned()),
        (Profile::Aly, format!("whsec_{hex}")),
        (Profile::Alvys, format!("whsec_{hex}")),
        (Profile::Aryeo, hex.to_owned()),
    ] {
        let made = generate(profile, &random);
        assert_eq!(made.reveal(), want);
        assert_eq!(check_secret(profile, made.reveal()), Ok(()));
        let scheme = crate::profiles::of(profile).scheme;
        assert!(Signer::prepare(scheme, &secrets(made.reveal(), None)).is_ok());
    }
    let asymmetric = generate_v1a(&random);
    assert_eq!(asymmetric.reveal().len(), "whsk_".len() + 88);
    assert_eq!(check_secret(Profile::Standard, asymmetric.reveal()), Ok(()));
    assert_ne!(asymmetric, generate_v1a(&[1; 32]));
}

#[test]
fn one_signer_serves_many_threads() {
    let signer = Signer::prepare(Scheme::Aly, &secrets("whsec_test", None)).unwrap();
    let sign = || signer.sign("evt_1", Timestamp::from_secs(AT), b"{}");
    let (here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(sign);
        (sign(), there.join().unwrap())
    });
    assert_eq!(here, there);
}

#[test]
fn any_secret_text_has_a_form_that_standard_webhooks_can_sign_with_but_a_public_key_has_none() {
    let form = |text: &str| standard_form(text).map(|it| it.reveal().to_owned());
    for same in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(form(same).as_deref(), Some(same));
    }
    let wrapped = form("no base64").unwrap();
    assert_eq!(wrapped, "whsec_bm8gYmFzZTY0");
    assert!(Signer::prepare(Scheme::Standard, &secrets(&wrapped, None)).is_ok());
    assert!(form("whsk_too short").is_some());
    for none in ["", "whsec_", "whpk_AAAA"] {
        assert_eq!(form(none), None, "{none}");
    }
}
