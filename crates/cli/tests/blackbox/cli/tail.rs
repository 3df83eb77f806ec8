//! `hookyard tail`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::time::timeout;

use super::{Shell, cells};
use crate::proxy::Proxy;
use crate::receiver::{Receiver, Reply};
use crate::scene::{Scene, on_both_stores, text};
use crate::world::PATIENCE;

on_both_stores!(
    attempts_are_shown_as_they_end_in_a_table_and_as_json_lines,
    a_lost_connection_is_told_and_taken_up_again_where_it_was,
);

struct Tail {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Tail {
    async fn start(shell: &Shell, args: &[&str]) -> Self {
        let mut command = shell.command(&[&["tail"], args].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut tail = Self { child, stdout, stderr };
        assert!(tail.says().await.contains("connected to http://"));
        tail
    }

    async fn says(&mut self) -> String {
        let line = timeout(PATIENCE, self.stderr.next_line()).await.expect("it says nothing");
        line.unwrap().expect("it ended")
    }

    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.stdout.next_line()).await.expect("it prints nothing");
        line.unwrap().expect("it ended")
    }

    async fn ends_well(mut self) {
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap();
        assert_eq!(ended.code(), Some(0));
    }
}

async fn attempts_are_shown_as_they_end_in_a_table_and_as_json_lines(scene: Scene) {
    let shell = Shell::over(scene);
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 503 } else { 200 })).await;
    let endpoint = shell.scene.acme.endpoint_at(&receiver.url()).await;
    let mut table = Tail::start(&shell, &["--event", "order.*", "--limit", "2"]).await;
    let mut json = Tail::start(&shell, &["--json", "--webhook", text(&endpoint["id"])]).await;
    let mut failed = Tail::start(&shell, &["--json", "--failed"]).await;
    shell.scene.acme.order(1).await;
    assert_eq!(cells(&table.line().await)[..3], ["TIME", "TYPE", "WEBHOOK"]);
    let line = table.line().await;
    let row = cells(&line);
    assert_eq!((row[1], row[2]), ("order.created", text(&endpoint["id"])));
    assert_eq!(row[4..7], ["1", "http_error", "503"]);
    let line = table.line().await;
    let row = cells(&line);
    assert_eq!((&row[4..7], row[8]), (&["2", "succeeded", "200"][..], "succeeded"));
    table.ends_well().await;
    let rows: [Value; 2] =
        [json.line().await, json.line().await].map(|it| serde_json::from_str(&it).unwrap());
    assert_eq!((&rows[0]["number"], &rows[0]["status_code"]), (&json!(1), &json!(503)));
    assert_eq!((&rows[1]["number"], &rows[1]["outcome"]), (&json!(2), &json!("succeeded")));
    let row: Value = serde_json::from_str(&failed.line().await).unwrap();
    assert_eq!(row, rows[0]);
}

async fn a_lost_connection_is_told_and_taken_up_again_where_it_was(scene: Scene) {
    let shell = Shell::over(scene);
    let proxy = Proxy::start(shell.scene.server.address).await;
    let shell = shell.set("HOOKYARD_URL", &format!("http://{}", proxy.address));
    let receiver = Receiver::start().await;
    shell.scene.acme.endpoint_at(&receiver.url()).await;
    let mut tail = Tail::start(&shell, &["--json", "--limit", "6"]).await;
    let mut published = shell.scene.acme.orders(0..3).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(tail.line().await);
    }
    proxy.cut();
    assert!(tail.says().await.contains("not connected"));
    published.extend(shell.scene.acme.orders(3..6).await);
    receiver.first(6).await;
    proxy.open();
    for _ in 0..3 {
        seen.push(tail.line().await);
    }
    let event = |line: &String| {
        let row: Value = serde_json::from_str(line).unwrap();
        text(&row["event_id"]).to_owned()
    };
    let mut seen: Vec<_> = seen.iter().map(event).collect();
    seen.sort();
    assert_eq!(seen, published);
    tail.ends_well().await;
}

#[tokio::test]
async fn a_tail_that_cannot_begin_says_why_by_its_code() {
    let shell = Shell::new().await;
    shell.fails(&["tail", "--api-key", "hk_wrong"], 3).await;
    let made = shell.json(&["keys", "create", "--name", "p", "--scope", "publish"]).await;
    shell.fails(&["tail", "--api-key", text(&made["key"])], 4).await;
    shell.fails(&["tail", "--tenant", "nobody"], 5).await;
    shell.fails(&["tail", "--event", "a b"], 6).await;
    shell.fails(&["tail", "--server", "http://127.0.0.1:1"], 8).await;
}
