//! The signature checker, for the schemes of profiles and of providers, and the list of providers.

use hookyard_app::{SignInput, VerifyInput};
use hookyard_domain::headers::Headers;

use crate::world::{World, wrong};

const URL: &str = "https://hooks.example.com/in/src_1";

fn to_sign(scheme: &str, secret: &str) -> SignInput {
    SignInput {
        scheme: scheme.into(),
        secret: secret.into(),
        payload: "{}".into(),
        url: Some(URL.into()),
        ..SignInput::default()
    }
}

fn to_verify(scheme: &str, secret: &str, headers: Headers) -> VerifyInput {
    VerifyInput {
        scheme: scheme.into(),
        secret: secret.into(),
        headers,
        payload: "{}".into(),
        url: Some(URL.into()),
        ..VerifyInput::default()
    }
}

#[tokio::test]
async fn every_providers_name_is_a_scheme() {
    let world = World::new().await;
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    // Linear's time stands in the body.
    let payload = format!(r#"{{"webhookTimestamp":{}}}"#, world.app.now().as_millis());
    for provider in world.app.providers(&world.operator) {
        let name = provider.name;
        let secret = if name == "standard" { whsec } else { seed };
        let asked = SignInput { payload: payload.clone().into(), ..to_sign(name, secret) };
        let signed = world.app.sign(&world.operator, asked);
        // The last two sign with a key that does not verify.
        match name {
            "mailgun" | "microsoft-graph" => {
                assert_eq!(wrong(signed), [("/scheme".into(), "not_in_headers")]);
                continue;
            }
            "sendgrid" => {
                assert_eq!(wrong(signed), [("/secret".into(), "bad_secret")]);
                continue;
            }
            "discord" => {
                assert!(signed.unwrap().get("X-Signature-Ed25519").is_some());
                continue;
            }
            _ => {}
        }
        let headers = signed.unwrap();
        let verify = |secret: &str| VerifyInput {
            payload: payload.clone().into(),
            ..to_verify(name, secret, headers.clone())
        };
        let good = verify(secret);
        let good = world.app.verify_signature(&world.operator, good).unwrap();
        assert!(good.valid, "{name}: {good:?}");
        let bad = verify(&format!("{secret}x"));
        let bad = world.app.verify_signature(&world.operator, bad).unwrap();
        assert!(!bad.valid && bad.checks.iter().any(|it| !it.ok), "{name}: {bad:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_examples_of_providers_verify_by_their_names() {
    let world = World::new().await;
    for (scheme, secret, header, value, payload, url) in [
        (
            "github",
            "It's a Secret to Everybody",
            "X-Hub-Signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            "Hello, World!",
            None,
        ),
        (
            "twilio",
            "12345",
            "X-Twilio-Signature",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
            Some("https://mycompany.com/myapp.php?foo=1&bar=2"),
        ),
    ] {
        let input = VerifyInput {
            headers: Headers(vec![(header.into(), value.into())]),
            payload: payload.into(),
            url: url.map(str::to_owned),
            ..to_verify(scheme, secret, Headers::default())
        };
        let got = world.app.verify_signature(&world.operator, input).unwrap();
        assert!(got.valid, "{got:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_recipes_own_tolerance_counts_unless_another_is_given() {
    let world = World::new().await;
    let late = (world.app.now().as_secs() - 100).to_string();
    let sign = SignInput { timestamp: Some(late), ..to_sign("paddle", "secret") };
    let headers = world.app.sign(&world.operator, sign).unwrap();
    let input = to_verify("paddle", "secret", headers);
    let run = |tolerance_s| {
        let input = VerifyInput { tolerance_s, ..input.clone() };
        world.app.verify_signature(&world.operator, input).unwrap()
    };
    let stale = run(None);
    assert!(!stale.valid && stale.reason.unwrap().contains("5 s are allowed"));
    assert_eq!(stale.checks.last().map(|it| (it.what.as_str(), it.ok)), Some(("tolerance", false)));
    assert!(run(Some(300)).valid);
    world.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_question_is_named() {
    let world = World::new().await;
    let sign = |input| wrong(world.app.sign(&world.operator, input));
    let square = to_sign("square", "secret");
    assert_eq!(sign(SignInput { url: None, ..square.clone() }), [("/url".into(), "required")]);
    let method = Some("post".to_owned());
    assert_eq!(sign(SignInput { method, ..square }), [("/method".into(), "bad_method")]);
    assert_eq!(sign(to_sign("adyen", "zz")), [("/secret".into(), "bad_secret")]);
    assert_eq!(sign(to_sign("mailgun", "s")), [("/scheme".into(), "not_in_headers")]);
    let nameless = [("/scheme".into(), "unknown_scheme"), ("/secret".into(), "required")];
    assert_eq!(sign(to_sign("Stripe", "")), nameless);
    world.end().await;
}

#[tokio::test]
async fn anybody_with_a_key_may_list_the_providers() {
    let world = World::new().await;
    let reader = world.caller("acme", &["read"]).await;
    let providers = world.app.providers(&reader);
    assert_eq!((providers[0].name, providers[1].name), ("custom", "standard"));
    let twilio = providers.iter().find(|it| it.name == "twilio").unwrap();
    assert!(twilio.signs_url && !twilio.handshake && twilio.secret_from == "provider");
    let asana = providers.iter().find(|it| it.name == "asana").unwrap();
    assert!(asana.handshake && asana.secret_from == "handshake");
    assert!(providers.iter().all(|it| it.setup.iter().any(|step| step.contains("{url}"))));
    world.end().await;
}
