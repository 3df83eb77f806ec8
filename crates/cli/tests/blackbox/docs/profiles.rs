//! `docs/profiles`: the example requests have the form of what is sent, the programs verify it, and the tables say what the
//! profile keeps to.

use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, Verify};
use hookyard_rules::profiles::{self, ProfileRules, Terminal};
use serde_json::{Value, json};
use tokio::process::Command;

use super::page;
use super::verifying::runs;
use crate::python::python;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Scene, text};

const SIGNING_KEY: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PUBLIC_KEY: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

fn page_of(profile: Profile) -> String {
    page::text(&format!("profiles/{}.md", profile.as_str()))
}

/// The example on a page: its type, its headers' names in lower case, its body.
fn example(page: &str) -> (Vec<String>, Value) {
    let block = page::block(page, "http");
    let (head, body) = block.split_once("\n\n").unwrap();
    let names = head.lines().skip(1).map(|it| it.split(':').next().unwrap().to_lowercase());
    (names.collect(), serde_json::from_str(body).unwrap())
}

/// The names of an object's members in order, which tell its form.
fn members(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A delivery of what the example on the page tells of.
async fn delivered(profile: Profile, secret: Option<&str>, example: &Value) -> (Value, Arrival) {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|arrival, _| {
        // The challenge comes back as it came.
        let body = String::from_utf8(arrival.body.clone()).unwrap();
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    let mut settings = json!({ "url": receiver.url(), "events": "*", "profile": profile.as_str() });
    if let Some(secret) = secret {
        settings["secret"] = json!(secret);
    }
    let endpoint = scene.acme.endpoint(settings).await;
    let name = example.get("type").or(example.get("name")).unwrap();
    let data = example.get("data").unwrap_or(example);
    scene.acme.publish(json!({ "type": name, "data": data })).await;
    let challenged = usize::from(profiles::of(profile).verify == Verify::Challenge);
    (endpoint, receiver.first(challenged + 1).await.remove(challenged))
}

/// What the page's program says of a request, and of the same with another body.
async fn verified(program: &str, secret: &str, arrival: &Arrival, example: &[String]) -> [bool; 2] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("verify.py");
    std::fs::write(&file, program).unwrap();
    let block: Vec<String> = example
        .iter()
        .filter(|it| arrival.has(&it.to_lowercase()))
        .map(|it| format!("{it}: {}", arrival.header(&it.to_lowercase())))
        .collect();
    let mut good = [false; 2];
    let other = [&arrival.body[..], b" "].concat();
    for (good, body) in good.iter_mut().zip([&arrival.body[..], &other]) {
        let mut command = Command::new(python());
        command.arg(&file).arg(secret).args(&block);
        let (code, stderr) = runs(command, body).await;
        assert!(matches!(code, Some(0 | 1)) && stderr.is_empty(), "{code:?} {stderr}");
        *good = code == Some(0);
    }
    good
}

/// The names of the example's headers as they are written there.
fn written(page: &str) -> Vec<String> {
    let block = page::block(page, "http");
    let head = block.split("\n\n").next().unwrap().to_owned();
    head.lines().skip(1).map(|it| it.split(':').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_example_of_every_page_has_the_form_of_what_is_sent_and_its_program_verifies_it() {
    for profile in Profile::ALL {
        let page = page_of(profile);
        let (names, body) = example(&page);
        let key = (profile == Profile::Standard).then_some(SIGNING_KEY);
        let (endpoint, arrival) = delivered(profile, key, &body).await;
        let sent: Vec<_> = arrival.headers.iter().map(|(name, _)| name.clone()).collect();
        let own: Vec<_> = sent.into_iter().filter(|it| it != "content-length").collect();
        assert_eq!(own, names, "{}", profile.as_str());
        assert_eq!(members(&arrival.json()), members(&body), "{}", profile.as_str());
        let shown = endpoint["public_key"].as_str();
        assert_eq!(shown, key.map(|_| PUBLIC_KEY), "{}", profile.as_str());
        if let Some(program) = page::blocks(&page).into_iter().find(|it| it.language == "python") {
            let secret = key.map_or_else(|| text(&endpoint["secret"]), |_| PUBLIC_KEY);
            let said = verified(&program.text, secret, &arrival, &written(&page)).await;
            assert_eq!(said, [true, false], "{}", profile.as_str());
        }
    }
}

/// A row of the table on a page.
fn row<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("| {name} | ");
    let line = page.lines().find_map(|it| it.strip_prefix(start.as_str()));
    line.unwrap_or_else(|| panic!("no row `{name}`")).trim_end_matches(" |")
}

fn span(ms: u64) -> String {
    match ms / 1_000 {
        s if s % 3_600 == 0 && s > 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 && s > 60 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// The attempts as the pages tell of them: many alike at the end stand together.
fn attempts(rules: &ProfileRules) -> String {
    let mut delays: Vec<String> = rules.retry_delays_ms.iter().map(|it| span(*it)).collect();
    let count = delays.len() + 1;
    let last = delays.last().cloned().unwrap_or_default();
    let alike = delays.iter().rev().take_while(|it| **it == last).count();
    if alike > 2 {
        delays.truncate(delays.len() - alike);
        delays.push(format!("and {alike} times {last}"));
    }
    let jitter = match rules.retry_jitter {
        0.0 => String::new(),
        share => format!(", each ±{:.0} %", share * 100.0),
    };
    format!("{count}; delay before each: 0 s, then {}{jitter}", delays.join(", "))
}

#[test]
fn the_table_of_every_page_says_what_the_profile_keeps_to() {
    for profile in Profile::ALL {
        let (page, rules) = (page_of(profile), profiles::of(profile));
        let name = profile.as_str();
        assert_eq!(row(&page, "attempts"), attempts(rules), "{name}");
        assert_eq!(row(&page, "time-out"), format!("{} s", rules.timeout_s), "{name}");
        let last = match rules.terminal {
            Terminal::Never => "none: everything but 2xx is tried again",
            Terminal::Gone => "`410` ends the delivery and switches the endpoint off",
            Terminal::ClientErrors => "every 4xx but `408` and `429`",
        };
        assert_eq!(row(&page, "final answers"), last, "{name}");
        let off = match rules.auto_disable {
            AutoDisable::Never => "never".to_owned(),
            AutoDisable::AfterEvents(n) => format!("after {n} events in a row that failed"),
            AutoDisable::AfterSeconds(s) => {
                format!("after {} days of nothing but failures", s / 86_400)
            }
        };
        assert_eq!(row(&page, "switched off by itself"), off, "{name}");
        let change = row(&page, "secret being changed");
        match rules.overlap {
            None => assert_eq!(change, "the old one ends at once", "{name}"),
            Some(span) => {
                let hours = format!("for {} h", span.as_secs() / 3_600);
                assert!(change.contains(&hours), "{name}: {change}");
            }
        }
        let handshake = row(&page, "handshake");
        assert_eq!(handshake.starts_with("none"), rules.verify == Verify::None, "{name}");
    }
}

#[test]
fn every_profile_has_a_page_and_every_page_is_in_the_list() {
    let list = page::text("profiles/README.md");
    for profile in Profile::ALL {
        assert!(list.contains(&format!("({}.md)", profile.as_str())), "{}", profile.as_str());
    }
}
