//! `hookyard sign` and `hookyard verify`: no server, every scheme.

use serde_json::{Value, json};

use super::field;
use crate::scene::text;
use crate::world::{Ran, World};

const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn sign(world: &World, scheme: &str, secret: &str, more: &[&str]) -> Ran {
    let args = ["sign", "--scheme", scheme, "--secret", secret, "--data", "{\"a\": 1}"];
    world.run(&[&args[..], more].concat()).await
}

async fn verify(world: &World, scheme: &str, secret: &str, more: &[&str]) -> Ran {
    let args = ["verify", "--scheme", scheme, "--secret", secret, "--data", "{\"a\": 1}"];
    world.run(&[&args[..], more].concat()).await
}

// standards.md §1: the vector of the specification.
#[tokio::test]
async fn the_vector_of_standard_webhooks_is_signed_as_it_is_published() {
    let world = World::new();
    std::fs::write(world.path("body"), "{\"test\": 2432232314}").unwrap();
    let line = format!(
        "sign --scheme standard --secret {STANDARD} --data @body --id msg_p5jXN8AQM9LWM0D4loKWxJek --timestamp 1614265330"
    );
    let ran = world.run(&line.split(' ').collect::<Vec<_>>()).await.ok();
    let signature = "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert!(
        ran.stdout
            .lines()
            .any(|it| it.eq_ignore_ascii_case(signature) && it.ends_with(&signature[18..])),
        "{ran:#?}"
    );
    std::fs::write(world.path("head"), format!("POST /hook HTTP/1.1\r\n{}", ran.stdout)).unwrap();
    let line = format!("verify --scheme standard --secret {STANDARD} --data @body --headers @head");
    let args: Vec<_> = line.split(' ').collect();
    let old = world.run(&args).await;
    assert_eq!(old.code, Some(1), "{old:#?}");
    assert!(old.stdout.starts_with("not valid: "), "{old:#?}");
    let wrong: Vec<_> = old.stdout.lines().filter(|it| it.contains("  wrong")).collect();
    assert!(wrong.len() == 1 && wrong[0].starts_with("tolerance"), "{old:#?}");
    let ran = world.run(&[&args[..], &["--tolerance", "9999w"]].concat()).await.ok();
    assert!(ran.stdout.starts_with("valid: "), "{ran:#?}");
}

#[tokio::test]
async fn what_every_profile_signs_verifies_and_each_wrong_part_is_named() {
    let world = World::new();
    for (scheme, secret) in [
        ("standard", STANDARD),
        ("aly", "whsec_test"),
        ("alvys", "whsec_test"),
        ("alumia", STANDARD),
        ("aryeo", "any"),
    ] {
        let signed = sign(&world, scheme, secret, &["--json"]).await.ok().stdout;
        let signed: Value = serde_json::from_str(&signed).unwrap();
        let headers = signed["headers"].as_object().unwrap();
        let given: Vec<String> =
            headers.iter().map(|(name, it)| format!("{name}: {}", text(it))).collect();
        let given: Vec<&str> = given.iter().flat_map(|it| ["--header", it.as_str()]).collect();
        let good = verify(&world, scheme, secret, &[&given[..], &["--json"]].concat()).await.ok();
        let good: Value = serde_json::from_str(&good.stdout).unwrap();
        assert_eq!(good["valid"], true, "{scheme}: {good}");
        assert!(good["checks"].as_array().unwrap().iter().all(|it| it["ok"] == true), "{good}");

        let other = format!("{}A", &secret[..secret.len() - 1]);
        let bad = verify(&world, scheme, &other, &[&given[..], &["--json"]].concat()).await;
        assert_eq!(bad.code, Some(1), "{scheme}: {bad:#?}");
        let bad: Value = serde_json::from_str(&bad.stdout).unwrap();
        let wrong: Vec<_> =
            bad["checks"].as_array().unwrap().iter().filter(|it| it["ok"] == false).collect();
        assert!(wrong.len() == 1 && wrong[0]["what"] == "signature", "{scheme}: {bad}");
        let table = verify(&world, scheme, secret, &[]).await;
        assert_eq!(table.code, Some(1), "{table:#?}");
        assert!(table.stdout.contains("  wrong"), "{table:#?}");
    }
}

#[tokio::test]
async fn every_provider_that_signs_with_headers_can_be_signed_for_and_verified() {
    let world = World::new();
    // Linear signs the time that stands in the body.
    let body = "{\"webhookTimestamp\": 1779177600000}";
    let mut verified = Vec::new();
    for provider in hookyard_rules::inbound::presets::ALL {
        let url = ["--url", "https://hooks.example.com/in/src_1"];
        // Some take a key of a form of their own; that is said, with 2.
        for secret in
            [STANDARD, "0123456789abcdef0123456789abcdef", "a-secret-of-32-characters-or-more"]
        {
            let of = ["--scheme", provider.name, "--secret", secret, "--data", body];
            let signed = world.run(&[&["sign"][..], &of, &url].concat()).await;
            if signed.code == Some(2) {
                assert_eq!(signed.stderr.lines().count(), 1, "{}: {signed:#?}", provider.name);
                assert!(!signed.stderr.contains(secret), "{}: {signed:#?}", provider.name);
                continue;
            }
            std::fs::write(world.path("head"), signed.ok().stdout).unwrap();
            let more = ["--headers", "@head", "--tolerance", "9999w"];
            let ran = world.run(&[&["verify"][..], &of, &url, &more].concat()).await;
            assert_eq!(ran.code, Some(0), "{}: {ran:#?}", provider.name);
            verified.push(provider.name);
            break;
        }
    }
    assert!(verified.len() >= 20, "{verified:?}");
}

#[tokio::test]
async fn a_scheme_that_is_not_there_names_those_that_are_and_secrets_stay_unsaid() {
    let world = World::new();
    sign(&world, "none", "hush", &[]).await.refused(2, &["`none`", "aly", "github"]);
    let bad = sign(&world, "standard", "whsec_%%hush%%", &["--json"]).await;
    assert_eq!(bad.code, Some(2), "{bad:#?}");
    let said: Value = serde_json::from_str(&bad.stderr).unwrap();
    assert_eq!(said["error"]["exit"], json!(2));
    assert!(!bad.stderr.contains("hush"), "{bad:#?}");
    verify(&world, "aly", "", &[]).await.refused(2, &["secret"]);
    let twice = world.run(&["sign", "--scheme", "aly", "--secret", "-", "--data", "-"]).await;
    twice.refused(2, &["stdin is read once"]);
    let printed =
        verify(&world, "aly", "whsec_test", &["--header", "X-Aly-Signature=t=1,v1=\u{9b}31m"])
            .await;
    assert!(!printed.stdout.contains('\u{9b}'), "{printed:#?}");
    let id = sign(&world, "alvys", "s", &["--id", "evt_1", "--timestamp", "2026-05-19T08:00:00Z"])
        .await
        .ok();
    assert!(field(&id.stdout, "X-Alvys-Signature:").starts_with("t=1779177600,v1="), "{id:#?}");
}
