//! `hookyard mcp`: the relay, line by line.

use serde_json::{Value, json};

use crate::cli::Shell;
use crate::receiver::{Receiver, Reply};
use crate::world::OPERATOR_KEY;

/// The lines that the relay answers.
async fn relay(shell: &Shell, args: &[&str], lines: &[Value]) -> Vec<Value> {
    let stdin: String = lines.iter().map(|it| format!("{it}\n")).collect();
    let ran = shell.run_with(&[&["mcp"], args].concat(), &stdin).await.ok();
    assert_eq!(ran.stderr, "", "{ran:#?}");
    ran.stdout.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn list(id: &str) -> Value {
    let params = json!({ "name": "webhooks_endpoints_list", "arguments": {} });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

#[tokio::test]
async fn each_request_is_answered_under_its_id_and_a_notification_is_not() {
    let shell = Shell::new().await;
    let hello = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } },
    });
    let notified = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let mut answers = relay(&shell, &[], &[hello, notified, list("a"), list("b")]).await;
    answers.sort_by_key(|it| it["id"].to_string());
    let ids: Vec<_> = answers.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, [json!("a"), json!("b"), json!(0)]);
    assert!(answers.iter().all(|it| it["result"].is_object()), "{answers:?}");
}

#[tokio::test]
async fn the_operator_names_the_tenant_on_the_command_line() {
    let mut shell = Shell::operator().await;
    shell.unset("HOOKYARD_TENANT");
    let answer = relay(&shell, &["--tenant", "acme"], &[list("a")]).await;
    assert_eq!(answer[0]["result"]["structuredContent"]["data"], json!([]), "{answer:?}");
    let answer = relay(&shell, &[], &[list("a")]).await;
    assert_eq!(answer[0]["result"]["isError"], true, "{answer:?}");
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_neither_waited_for_nor_answered() {
    let shell = Shell::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Hang).await;
    let wanted = json!({ "url": receiver.url(), "events": "*", "timeout_s": 120 });
    let endpoint = shell.scene.acme.endpoint(wanted).await;
    let params =
        json!({ "name": "webhooks_endpoints_test", "arguments": { "id": endpoint["id"] } });
    let test = json!({ "jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": params });
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "slow" },
    });
    // It ends with its input, long before the receiver would have been given up.
    let answers = relay(&shell, &[], &[test, cancel, list("a")]).await;
    let ids: Vec<_> = answers.iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["a"]);
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_is_told_to_the_agent() {
    let shell = Shell::new().await.set("HOOKYARD_API_KEY", "hk_wrong");
    let answer = relay(&shell, &[], &[list("a")]).await;
    let why = answer[0]["error"]["message"].as_str().unwrap();
    assert!(why.contains("not valid") && why.contains("HOOKYARD_API_KEY"), "{why}");
    assert!(!why.contains("hk_wrong"), "{why}");
    let shell =
        shell.set("HOOKYARD_URL", "http://127.0.0.1:9").set("HOOKYARD_API_KEY", OPERATOR_KEY);
    let answer = relay(&shell, &[], &[list("a")]).await;
    assert_eq!(answer[0]["id"], "a");
    assert!(
        answer[0]["error"]["message"].as_str().unwrap().contains("cannot connect"),
        "{answer:?}"
    );
    // Without any key there is nothing to be relayed.
    let mut shell = shell;
    shell.unset("HOOKYARD_API_KEY");
    shell.run(&["mcp"]).await.refused(3, &["no API key"]);
}
