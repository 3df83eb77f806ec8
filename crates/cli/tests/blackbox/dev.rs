//! `hookyard dev`: a newcomer's first minute.

use serde_json::Value;

use crate::world::{Client, PATIENCE, World};
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn after<'a>(text: &'a str, label: &str) -> &'a str {
    let line = text.lines().find(|it| it.trim_start().starts_with(label));
    let line = line.unwrap_or_else(|| panic!("no `{label}` in {text}"));
    line.trim_start().strip_prefix(label).unwrap().trim()
}

#[tokio::test]
async fn once_delivers_the_sample_event_verified_and_ends_with_0() {
    let world = World::new();
    let ran = world.run(&["dev", "--once", "--listen", "127.0.0.1:0"]).await.ok();
    assert!(after(&ran.stdout, "event").contains("order.created"));
    assert!(after(&ran.stdout, "event").starts_with("evt_"));
    assert!(after(&ran.stdout, "signature").starts_with("verified ✓"));
    assert!(after(&ran.stdout, "attempt 1").starts_with("succeeded (200) in "));
    assert!(after(&ran.stdout, "API docs").ends_with("/docs"));
    assert_eq!(ran.stdout.matches("  curl -sS ").count(), 3);
    assert_eq!(ran.stderr, "", "nothing to worry about is said");
}

#[tokio::test]
async fn a_data_folder_that_was_used_before_works_again() {
    let world = World::new();
    for _ in 0..2 {
        let args = ["dev", "--once", "--listen", "127.0.0.1:0", "--data", "kept"];
        let ran = world.run(&args).await.ok();
        assert!(after(&ran.stdout, "signature").starts_with("verified ✓"));
        assert!(ran.stdout.contains("its data in kept"), "{ran:#?}");
    }
}

#[tokio::test]
async fn of_its_keys_the_last_one_alone_works() {
    let world = World::new();
    let mut keys = Vec::new();
    for _ in 0..3 {
        let args = ["dev", "--once", "--listen", "127.0.0.1:0", "--data", "data"];
        let ran = world.run(&args).await.ok();
        keys.push(after(&ran.stdout, "API key").to_owned());
    }
    let server = world.serve().await;
    let list = "/v1/tenants/demo/api-keys";
    let named = server.operator().get(list).await.expect(200);
    assert_eq!(named["data"].as_array().unwrap().len(), 1, "{named}");
    let answers = keys.iter().map(async |key| server.client(key).get(list).await.status);
    let mut statuses = Vec::new();
    for answer in answers {
        statuses.push(answer.await);
    }
    assert_eq!(statuses, [401, 401, 200]);
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn the_folder_address_and_settings_of_a_server_are_not_taken_over() {
    let world = World::new();
    let production = world.path("production");
    let env = [
        ("HOOKYARD_DATA", production.to_str().unwrap()),
        ("HOOKYARD_LISTEN", "203.0.113.1:80"),
        ("HOOKYARD_CONFIG", "no-such-file.toml"),
        ("HOOKYARD_DATABASE_URL", "postgres://localhost/production"),
    ];
    let ran = world.run_with(&["dev", "--once", "--listen", "127.0.0.1:0"], &env).await.ok();
    assert!(ran.stdout.contains("in a temporary folder"), "{ran:#?}");
    assert!(!production.exists());
}

#[tokio::test]
async fn it_goes_on_serving_and_its_commands_work_as_they_stand() {
    let world = World::new();
    let mut command = world.hookyard(&["dev", "--listen", "127.0.0.1:0"]);
    let log = std::fs::File::create(world.path("stderr.log")).unwrap();
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    while !text.contains("Ctrl-C ends it.") {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        text += &(line.expect("it ended") + "\n");
    }
    let commands = text.split("  curl -sS ").skip(1).map(|it| {
        let end = it.find("\n\n").unwrap();
        format!("curl -sS {}", &it[..end])
    });
    for command in commands {
        let shell =
            tokio::process::Command::new("sh").args(["-c", &command]).output().await.unwrap();
        assert!(shell.status.success(), "{command}: {shell:?}");
        let answer: Value = serde_json::from_slice(&shell.stdout).unwrap();
        assert!(answer["id"].is_string() || answer["data"].is_array(), "{command}: {answer}");
    }

    let base = after(&text, "dashboard").strip_prefix("http://").unwrap();
    let base = base.split_whitespace().next().unwrap();
    let address = base.trim_end_matches('/').parse().unwrap();
    let stranger = Client { address, key: String::new() };
    let inbox = stranger.get("/dev/inbox").await.expect(200);
    assert_eq!(inbox["data"].as_array().unwrap().last().unwrap()["verified"], true, "{inbox}");
    let forged = stranger.post("/dev/inbox", &serde_json::json!({})).await;
    assert_eq!(forged.status, 401, "a delivery without signature is refused");

    let pid = child.id().unwrap().to_string();
    let sent =
        tokio::process::Command::new("kill").args(["-s", "INT", &pid]).status().await.unwrap();
    assert!(sent.success());
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
