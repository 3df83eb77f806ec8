//! The signature checker: signs like the gateway, and says precisely why something does not verify.

use serde_json::{Value, json};

use super::{Home, Tenant, merged, text, wrong};

const BODY: &str = r#"{"test": 2432232314}"#;
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const WHSK: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
/// Ten years: the vectors are old.
const OLD: i64 = 315_360_000;

struct Checker(Tenant);

impl Checker {
    async fn open(home: &Home, name: &str) -> Self {
        Self(home.tenant(name).await.with_scopes(&["read"]).await)
    }

    async fn sign(&self, body: Value) -> Value {
        self.0.client.post("/v1/signatures/sign", &body).await.expect(200)["headers"].clone()
    }

    async fn verify(&self, body: Value) -> Value {
        self.0.client.post("/v1/signatures/verify", &body).await.expect(200)
    }

    /// Verifies; what is wrong must be in this part, and the reason say these words.
    async fn wrong(&self, body: Value, part: &str, words: &str) -> Value {
        let verdict = self.verify(body.clone()).await;
        assert_eq!(verdict["valid"], false, "{body}: {verdict}");
        assert!(text(&verdict["reason"]).contains(words), "{body}: {verdict}");
        let checks = verdict["checks"].as_array().unwrap();
        let first = checks.iter().find(|it| it["ok"] == false).unwrap();
        assert_eq!(first["what"], part, "{body}: {verdict}");
        verdict
    }
}

/// A header by its name in whatever case.
#[track_caller]
fn header<'a>(headers: &'a Value, name: &str) -> &'a str {
    let all = headers.as_object().unwrap();
    let found = all.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
    text(found.unwrap_or_else(|| panic!("no {name} in {headers}")).1)
}

struct Vector {
    scheme: &'static str,
    secret: &'static str,
    id: &'static str,
    timestamp: i64,
    payload: &'static str,
    header: &'static str,
    value: &'static str,
}

/// standards.md §1.4: secret, id, time, body, `webhook-signature`.
const STANDARD: [(&str, &str, i64, &str, &str); 5] = [
    ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ID, 1_614_265_330, BODY, V1),
    (SECRET, ID, 1_614_265_330, BODY, V1),
    (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
    (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1_731_705_121,
        r#"{"event_type":"ping","data":{"success":true}}"#,
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
    (WHSK, ID, 1_614_265_330, BODY, V1A),
];

/// vendors.md §1.1, §2.1, §4.1: scheme, secret, body, name and value of the header.
const VENDORS: [(&str, &str, &str, &str, &str); 5] = [
    (
        "aly",
        "whsec_test",
        r#"{"id":"evt_1"}"#,
        "X-Aly-Signature",
        "t=1748112900,v1=ea5eff9e961d53d403c870b0c70cae92a29b3d94f75e90927f1e262d15855b45",
    ),
    (
        "aly",
        "whsec_test",
        r#"{"n":"Linen Tote — natural"}"#,
        "X-Aly-Signature",
        "t=1748112900,v1=a72ba120892317e861ffccb7f528521d3c8a5d0dc033735bbf320ac4a4de1ffc",
    ),
    (
        "alvys",
        "secret",
        r#"{"id":"evt-123456"}"#,
        "X-Alvys-Signature",
        "t=1699200000,v1=71e72e0285362d86defe952d8aef9027d920ea00204b11fd042115a9a28d5171",
    ),
    (
        "aryeo",
        "secret",
        r#"{"object":"ACTIVITY"}"#,
        "Signature",
        "9c0eb0d405d50abc96e42c9502bbc05c694ef8d94b69f06cb966500ca7058bc8",
    ),
    (
        "aryeo",
        "secret",
        r#"{"url":"https:\/\/a.b\/c"}"#,
        "Signature",
        "7aa04fed24c9043531449b71a5088a2e50f7fc2c340dadb87b15978e758e8e11",
    ),
];

fn vectors() -> Vec<Vector> {
    let mut all = Vec::new();
    for scheme in ["standard", "alumia"] {
        all.extend(STANDARD.map(|(secret, id, timestamp, payload, value)| Vector {
            scheme,
            secret,
            id,
            timestamp,
            payload,
            header: "webhook-signature",
            value,
        }));
    }
    all.extend(VENDORS.map(|(scheme, secret, payload, header, value)| {
        let timestamp = if scheme == "aly" { 1_748_112_900 } else { 1_699_200_000 };
        Vector { scheme, secret, id: "evt-123456", timestamp, payload, header, value }
    }));
    all
}

#[tokio::test]
async fn the_vectors_of_every_scheme_are_signed_and_verify() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-vectors").await;
    for it in vectors() {
        let (scheme, payload) = (it.scheme, it.payload);
        let sign = json!({
            "scheme": scheme, "secret": it.secret, "id": it.id, "timestamp": it.timestamp,
            "payload": payload,
        });
        let headers = checker.sign(sign).await;
        assert_eq!(header(&headers, it.header), it.value, "{scheme} {payload}");
        let verify = json!({
            "scheme": scheme, "secret": it.secret, "headers": headers, "payload": payload,
            "tolerance_s": OLD,
        });
        let verdict = checker.verify(verify).await;
        assert_eq!(verdict["valid"], true, "{scheme} {payload}: {verdict}");
        let checks = verdict["checks"].as_array().unwrap();
        assert!(!checks.is_empty() && checks.iter().all(|it| it["ok"] == true), "{verdict}");
    }
}

#[tokio::test]
async fn a_time_that_no_calendar_has_is_refused() {
    let scene = crate::scene::Scene::new().await;
    for scheme in ["twitch", "zendesk", "standard"] {
        for (time, status) in [(253_402_300_799_i64, 422), (253_402_207_200, 200)] {
            let secret = if scheme == "standard" { SECRET } else { "a-secret-of-ten" };
            let sign =
                json!({ "scheme": scheme, "secret": secret, "timestamp": time, "payload": BODY });
            let answer = scene.acme.0.post("/v1/signatures/sign", &sign).await;
            assert_eq!(answer.status, status, "{scheme} {time}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_time_may_be_written_in_either_form_and_is_now_when_left_out() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-time").await;
    for timestamp in [json!(1_614_265_330), json!("1614265330"), json!("2021-02-25T15:02:10Z")] {
        let sign = json!({
            "scheme": "standard", "secret": SECRET, "id": ID, "timestamp": timestamp, "payload": BODY,
        });
        assert_eq!(header(&checker.sign(sign).await, "webhook-signature"), V1, "{timestamp}");
    }
    for (scheme, secret) in [
        ("standard", SECRET),
        ("standard", WHSK),
        ("aly", "x"),
        ("alvys", "x"),
        ("aryeo", "x"),
        ("alumia", SECRET),
    ] {
        let headers =
            checker.sign(json!({ "scheme": scheme, "secret": secret, "payload": "{}" })).await;
        let verify =
            json!({ "scheme": scheme, "secret": secret, "headers": headers, "payload": "{}" });
        assert_eq!(checker.verify(verify).await["valid"], true, "{scheme} {headers}");
    }
}

fn standard(signature: &str) -> Value {
    json!({ "webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": signature })
}

fn case(scheme: &str, secret: &str, headers: Value, payload: &str) -> Value {
    json!({ "scheme": scheme, "secret": secret, "headers": headers, "payload": payload, "tolerance_s": OLD })
}

#[tokio::test]
async fn a_receivers_own_means_verify_too() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-means").await;
    let upper =
        json!({ "Webhook-Id": ID, "WEBHOOK-TIMESTAMP": "1614265330", "Webhook-Signature": V1 });
    let svix = json!({ "svix-id": ID, "svix-timestamp": "1614265330", "svix-signature": V1 });
    let rotating = standard(&format!("v1,AAAA {V1A} {V1}"));
    let alvys = json!({
        "X-Alvys-Event-Id": "evt-123456",
        "X-Alvys-Signature": "t=1699200000,v1=71e72e0285362d86defe952d8aef9027d920ea00204b11fd042115a9a28d5171,\
            v0=d6c39219d5b8b2bd809620390521e50c84f96027d8a2536684d1e28ebecbe8a2",
    });
    for good in [
        case("standard", SECRET, upper, BODY),
        case("standard", SECRET, svix, BODY),
        case("standard", SECRET, rotating, BODY),
        case("standard", WHPK, standard(V1A), BODY),
        case("alvys", "oldsecret", alvys, r#"{"id":"evt-123456"}"#),
    ] {
        let verdict = checker.verify(good.clone()).await;
        assert_eq!(verdict["valid"], true, "{good}: {verdict}");
    }
}

#[tokio::test]
async fn the_reason_says_precisely_what_is_wrong() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-reasons").await;
    let without = |name: &str| {
        let mut headers = standard(V1);
        headers.as_object_mut().unwrap().remove(name);
        case("standard", SECRET, headers, BODY)
    };
    let hex = "0".repeat(64);
    let aly = |value: &str| case("aly", "x", json!({ "X-Aly-Signature": value }), BODY);
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let no_id = json!({
        "X-Alvys-Event-Id": "evt-123456",
        "X-Alvys-Signature": "t=1699200000,v1=d0911a2c526af0628149c9ddfaf860adc515efb7533dfa8a37ea37f3e5c39d2d",
    });
    let escaped = "7aa04fed24c9043531449b71a5088a2e50f7fc2c340dadb87b15978e758e8e11";
    for (body, part, words) in [
        (without("webhook-id"), "id", "`webhook-id` is missing"),
        (without("webhook-timestamp"), "timestamp", "`webhook-timestamp` is missing"),
        (without("webhook-signature"), "signature_header", "`webhook-signature` is missing"),
        (case("standard", SECRET, standard("g0hM"), BODY), "signature_header", "no `version,`"),
        (case("standard", SECRET, standard("v1,***"), BODY), "signature_header", "not base64"),
        (case("standard", SECRET, standard(V1A), BODY), "signature_header", "no `v1` entry"),
        (case("standard", "whsec_!", standard(V1), BODY), "secret", "unusable"),
        (case("standard", other, standard(V1), BODY), "signature", "the signature differs"),
        (case("standard", SECRET, standard(V1), &format!("{BODY}\n")), "signature", "newline"),
        (case("standard", SECRET, standard(V1), "{}"), "signature", "not byte for byte"),
        (case("aly", "x", json!({}), BODY), "signature_header", "`X-Aly-Signature` is missing"),
        (aly("abc"), "signature_header", "malformed"),
        (aly("t=1614265330,v1=abc"), "signature_header", "not 64 hex digits"),
        (aly(&format!("v1={hex}")), "signature_header", "no `t=`"),
        (aly(&format!("t=soon,v1={hex}")), "timestamp", "not a number of seconds"),
        (aly(&format!("t=1614265330,v0={hex}")), "signature_header", "no `v1=`"),
        (
            case("alvys", "secret", no_id, r#"{"id":"evt-123456"}"#),
            "signature",
            "without the event's id",
        ),
        (case("alvys", "secret", json!({}), BODY), "id", "`X-Alvys-Event-Id` is missing"),
        (case("aryeo", "x", json!({}), BODY), "signature_header", "`Signature` is missing"),
        (case("aryeo", "x", json!({ "Signature": "sha256=00" }), BODY), "signature_header", "hex"),
        (
            case("aryeo", "secret", json!({ "Signature": escaped }), r#"{"url":"https://a.b/c"}"#),
            "signature",
            "differs",
        ),
    ] {
        checker.wrong(body, part, words).await;
    }
    let early =
        json!({ "scheme": "standard", "secret": SECRET, "headers": standard(V1), "payload": BODY });
    let verdict = checker.wrong(early, "tolerance", "s in the past, 300 s are allowed").await;
    let signature =
        verdict["checks"].as_array().unwrap().iter().find(|it| it["what"] == "signature");
    assert_eq!(signature.unwrap()["ok"], true, "the rest is looked at all the same: {verdict}");
}

#[tokio::test]
async fn the_expected_signature_and_the_secret_are_never_told() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-hush").await;
    let forged = V1.replace("g0h", "AAA");
    for headers in [standard(&forged), standard("v1,AAAA"), json!({})] {
        let verdict = checker.verify(case("standard", SECRET, headers, BODY)).await.to_string();
        assert!(!verdict.contains("g0hM9SsE") && !verdict.contains(&SECRET[6..]), "{verdict}");
    }
    let right = "9c0eb0d405d50abc96e42c9502bbc05c694ef8d94b69f06cb966500ca7058bc8";
    let headers = json!({ "Signature": "0".repeat(64) });
    let verdict = checker
        .verify(case("aryeo", "secret-of-aryeo", headers.clone(), r#"{"object":"ACTIVITY"}"#))
        .await;
    assert!(!verdict.to_string().contains("secret-of-aryeo"), "{verdict}");
    let verdict =
        checker.verify(case("aryeo", "secret", headers, r#"{"object":"ACTIVITY"}"#)).await;
    assert!(!verdict.to_string().contains(right), "{verdict}");
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let home = Home::open().await;
    let checker = Checker::open(&home, "signature-wrong").await;
    let client = &checker.0.client;
    for (body, fields) in [
        (json!({}), &[("/scheme", "required"), ("/secret", "required")][..]),
        (json!({ "scheme": "hmac", "secret": "x" }), &[("/scheme", "unknown_scheme")]),
        (json!({ "scheme": "aly", "secret": "" }), &[("/secret", "required")]),
        (json!({ "scheme": "standard", "secret": "whsec_!" }), &[("/secret", "bad_secret")]),
        (
            json!({ "scheme": "aly", "secret": "x", "timestamp": "soon" }),
            &[("/timestamp", "bad_time")],
        ),
        (
            json!({ "scheme": "aly", "secret": "x", "timestamp": -1 }),
            &[("/timestamp", "out_of_range")],
        ),
        (
            json!({ "scheme": "aly", "secret": "x", "timestamp": [] }),
            &[("/timestamp", "wrong_type")],
        ),
        (json!({ "scheme": "aly", "secret": "x", "id": "a b" }), &[("/id", "bad_character")]),
        (json!({ "scheme": "aly", "secret": "x", "payload": {} }), &[("/payload", "wrong_type")]),
        (json!({ "scheme": "aly", "secret": "x", "body": "" }), &[("/body", "unknown_field")]),
    ] {
        let body = merged(json!({ "payload": "" }), body);
        wrong(&client.post("/v1/signatures/sign", &body).await, fields);
    }
    for (body, fields) in [
        (json!({ "scheme": "x" }), &[("/scheme", "unknown_scheme"), ("/secret", "required")][..]),
        (
            json!({ "scheme": "aly", "secret": "x", "tolerance_s": -1 }),
            &[("/tolerance_s", "out_of_range")],
        ),
        (json!({ "scheme": "aly", "secret": "x", "headers": [] }), &[("/headers", "wrong_type")]),
        (json!({ "scheme": "aly", "secret": "x", "id": "x" }), &[("/id", "unknown_field")]),
    ] {
        let body = merged(json!({ "payload": "", "headers": {} }), body);
        wrong(&client.post("/v1/signatures/verify", &body).await, fields);
    }
    for (route, more, missing) in [
        ("sign", json!({}), "/payload"),
        ("verify", json!({ "headers": {} }), "/payload"),
        ("verify", json!({ "payload": "" }), "/headers"),
    ] {
        let body = merged(json!({ "scheme": "aly", "secret": "x" }), more);
        let answer = client.post(&format!("/v1/signatures/{route}"), &body).await;
        wrong(&answer, &[(missing, "required")]);
    }
}
