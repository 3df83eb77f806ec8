//! Exit codes, each from a server that is running or gone: as one line for people and one document for programs.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Shell;
use crate::scene::text;
use crate::world::{OPERATOR_KEY, Ran};

const CREATE: &[&str] = &["webhooks", "create", "--event", "*", "--url"];

fn create(url: &str) -> Vec<&str> {
    [CREATE, &[url]].concat()
}

#[tokio::test]
async fn a_key_the_server_does_not_know_ends_with_3_and_so_does_none() {
    let mut shell = Shell::new().await.set("HOOKYARD_API_KEY", "hk_hush_hush");
    let error = shell.fails(&["webhooks", "list"], 3).await;
    assert_eq!((&error["status"], &error["code"]), (&json!(401), &json!("unauthenticated")));
    assert!(text(&error["message"]).contains("HOOKYARD_API_KEY"), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");
    shell.unset("HOOKYARD_API_KEY");
    let error = shell.fails(&["webhooks", "list"], 3).await;
    assert!(text(&error["message"]).contains("hookyard login"), "{error}");
}

#[tokio::test]
async fn flags_may_stand_before_the_command() {
    let shell = Shell::new().await;
    let before = shell.run(&["--json", "--tenant", "acme", "webhooks", "list"]).await.ok().stdout;
    let behind = shell.run(&["webhooks", "list", "--json", "--tenant", "acme"]).await.ok().stdout;
    assert_eq!(before, behind);
    let ran = shell.run(&["--json", "openapi"]).await;
    ran.refused(2, &["--json"]);
}

#[tokio::test]
async fn what_a_key_may_not_do_ends_with_4() {
    let shell = Shell::new().await;
    let made = shell.json(&["keys", "create", "--name", "reader", "--scope", "read"]).await;
    let shell = shell.set("HOOKYARD_API_KEY", text(&made["key"]));
    let error = shell.fails(&create("https://a.example/"), 4).await;
    assert_eq!(error["status"], 403);
    assert_eq!(shell.fails(&["tenants", "list"], 4).await["status"], 403);
}

#[tokio::test]
async fn what_is_not_there_ends_with_5() {
    let shell = Shell::new().await;
    for args in [
        &["webhooks", "get", "wh_01jv0g6xwre3zb0g8v4q5n6m7k"][..],
        &["webhooks", "delete", ".."],
        &["events", "get", "evt_01jv0g6xwre3zb0g8v4q5n6m7k"],
        &["sources", "rotate-secret", "a/b"],
        &["webhooks", "list", "--tenant", "other"],
    ] {
        assert_eq!(shell.fails(args, 5).await["status"], 404, "{args:?}");
    }
}

#[tokio::test]
async fn a_conflict_and_what_is_refused_end_with_6_and_name_the_field() {
    let shell = Shell::operator().await;
    assert_eq!(shell.fails(&["tenants", "create", "acme"], 6).await["status"], 409);
    let error = shell.fails(&create("gopher://a"), 6).await;
    assert_eq!((&error["status"], &error["errors"][0]["pointer"]), (&json!(422), &json!("/url")));
    shell.run(&create("gopher://a")).await.refused(6, &["/url: "]);
}

#[tokio::test]
async fn too_many_requests_end_with_7_and_say_when_to_try_again() {
    let shell = Shell::operator().await;
    shell.table(&["tenants", "update", "acme", "--limits", "publish_per_s=1"]).await;
    let publish = ["events", "publish", "a", "--data", "1"];
    refused_in_the_end(&shell, &publish).await.refused(7, &["Try again in", " s."]);
    let ran = refused_in_the_end(&shell, &[&publish[..], &["--json"]].concat()).await;
    let document: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    assert_eq!(
        (&document["error"]["exit"], &document["error"]["status"]),
        (&json!(7), &json!(429))
    );
    assert!(document["error"]["retry_after_s"].as_u64().unwrap() > 0, "{document}");
}

/// Runs it until it is refused: how many a limit lets through depends on how fast they come.
async fn refused_in_the_end(shell: &Shell, args: &[&str]) -> Ran {
    for _ in 0..100 {
        let ran = shell.run(args).await;
        if ran.code != Some(0) {
            return ran;
        }
    }
    panic!("a hundred were let through");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_ends_with_8() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let shell = Shell::new().await.set("HOOKYARD_URL", &format!("http://{gone}"));
    let error = shell.fails(&["webhooks", "list"], 8).await;
    assert!(text(&error["message"]).contains(&gone.to_string()), "{error}");
    let no_name = ["--server", "http://no-such-host.invalid"];
    shell.fails(&[&["webhooks", "list"][..], &no_name].concat(), 8).await;
}

#[tokio::test]
async fn what_is_wrong_with_the_line_itself_ends_with_2() {
    let mut shell = Shell::new().await;
    for line in [
        "webhooks create --url https://a.example/",
        "webhooks create --event *",
        "webhooks get",
        "webhooks list --limit 0",
        "webhooks create --url https://a.example/ --event * --header none",
        "events publish a",
        "sources create",
        "keys create --name a",
        "tenants nothing",
    ] {
        let ran = shell.run(&line.split_whitespace().collect::<Vec<_>>()).await;
        ran.refused(2, &[]);
    }
    let error = shell.fails(&["webhooks", "list", "--server", "https://u:hush@a.example"], 2).await;
    assert!(!error.to_string().contains("hush"), "{error}");
    shell.fails(&["webhooks", "deliveries", "list", "--since", "yesterday"], 2).await;
    shell.unset("HOOKYARD_TENANT");
    let error = shell.fails(&["webhooks", "list"], 2).await;
    for way in ["--tenant", "HOOKYARD_TENANT", "hookyard login"] {
        assert!(text(&error["message"]).contains(way), "{error}");
    }
}

#[tokio::test]
async fn flags_win_over_the_environment_and_a_key_may_come_from_a_file() {
    let shell = Shell::new().await.set("HOOKYARD_API_KEY", "wrong").set("HOOKYARD_TENANT", "wrong");
    std::fs::write(shell.scene.world.path("key"), format!("{OPERATOR_KEY}\n")).unwrap();
    let flags = ["--api-key", "@key", "--tenant", "acme"];
    shell.table(&[&["webhooks"][..], &flags, &["list"]].concat()).await;
    shell.table(&[&["webhooks", "list"][..], &flags].concat()).await;
}

#[tokio::test]
async fn a_time_that_no_calendar_has_ends_with_2() {
    let shell = Shell::new().await;
    for args in [
        &["webhooks", "deliveries", "list", "--since", "20000000w"][..],
        &["events", "list", "--since", "99999999999999s"],
        &["keys", "create", "--name", "k", "--scope", "read", "--expires", "999999999d"],
    ] {
        shell.run(args).await.refused(2, &["calendar"]);
    }
    let sign = ["sign", "--scheme", "twitch", "--secret", "a-secret-of-ten", "--data", "{}"];
    for time in ["253402300799", "9999999999999999"] {
        let ran = shell.run(&[&sign[..], &["--timestamp", time]].concat()).await;
        assert_eq!(ran.code, Some(2), "{time}: {ran:#?}");
    }
    shell.run(&[&sign[..], &["--timestamp", "253402207200"]].concat()).await.ok();
}
