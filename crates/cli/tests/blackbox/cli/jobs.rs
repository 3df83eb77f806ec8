//! `hookyard webhooks recover` and `hookyard jobs`.

use std::process::Stdio;

use serde_json::json;
use tokio::time::timeout;

use super::{Shell, cells, field};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Scene, on_both_stores, order, text};
use crate::world::{PATIENCE, Ran, until};

on_both_stores!(
    a_recovery_is_watched_until_it_has_ended,
    whoever_stops_watching_does_not_stop_the_job,
    a_recovery_that_is_not_waited_for_or_fails_says_so,
);

/// A shell, and a webhook whose only deliveries, so many, failed for good; its receiver works by now.
async fn after_an_outage(many: usize, scene: Scene) -> (Shell, Receiver, String) {
    let shell = Shell::over(scene);
    let receiver =
        Receiver::scripted(move |_, at| Reply::Status(if at < many { 500 } else { 200 })).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [] } });
    let webhook = text(&shell.scene.acme.endpoint(settings).await["id"]).to_owned();
    for n in 0..many {
        shell.scene.acme.0.post("/v1/tenants/acme/events", &order(n as u64)).await.expect(202);
    }
    shell.scene.acme.count_is("status=failed", many).await;
    (shell, receiver, webhook)
}

async fn a_recovery_is_watched_until_it_has_ended(scene: Scene) {
    let (shell, _receiver, webhook) = after_an_outage(6, scene).await;
    // One document, when it has ended.
    let job = shell.json(&["webhooks", "recover", &webhook, "--since", "1h", "--rate", "4"]).await;
    assert_eq!(
        (&job["status"], &job["done"], &job["total"]),
        (&json!("done"), &json!(6), &json!(6))
    );
    shell.scene.acme.count_is("status=succeeded", 6).await;
    let printed = shell.table(&["webhooks", "recover", &webhook, "--since", "1h"]).await;
    assert_eq!((field(&printed, "status"), field(&printed, "done")), ("done", "0"));
    let list = shell.table(&["jobs", "list"]).await;
    let rows: Vec<_> = list.lines().map(cells).collect();
    assert_eq!(rows[0], ["ID", "KIND", "STATUS", "DONE", "WEBHOOK", "CREATED", "ERROR"]);
    assert_eq!(rows[2][1..5], ["recover", "done", "6 of 6", &webhook]);
    assert_eq!(shell.lines(&["jobs", "list", "--limit", "1"]).await.len(), 1);
}

async fn whoever_stops_watching_does_not_stop_the_job(scene: Scene) {
    let (shell, _receiver, webhook) = after_an_outage(8, scene).await;
    let mut command =
        shell.command(&["webhooks", "recover", &webhook, "--since", "1h", "--rate", "1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let job = until("the job is there", async || shell.lines(&["jobs", "list"]).await.pop()).await;
    // It watches when it has made the job.
    until("it goes on", async || {
        let job = shell.json(&["jobs", "get", text(&job["id"])]).await;
        (job["done"].as_u64() >= Some(2)).then_some(())
    })
    .await;
    let pid = child.id().unwrap().to_string();
    assert!(
        tokio::process::Command::new("kill")
            .args(["-s", "INT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    let ran = Ran::from(timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap());
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{ran:#?}");
    let cancel = format!("hookyard jobs cancel {}", text(&job["id"]));
    assert!(ran.stderr.contains(&cancel), "{ran:#?}");
    let now = shell.json(&["jobs", "get", text(&job["id"])]).await;
    assert_eq!(now["status"], "running", "{now}");
    let printed = shell.table(&["jobs", "cancel", text(&job["id"])]).await;
    assert_eq!(field(&printed, "status"), "cancelled");
}

async fn a_recovery_that_is_not_waited_for_or_fails_says_so(scene: Scene) {
    let (shell, _receiver, webhook) = after_an_outage(4, scene).await;
    let slow = ["webhooks", "recover", &webhook, "--since", "1h", "--rate", "1", "--detach"];
    let job = shell.json(&slow).await;
    assert_eq!((&job["status"], &job["done"]), (&json!("running"), &json!(0)));
    let watched =
        shell.command(&["webhooks", "recover", &webhook, "--since", "1h", "--rate", "1", "--json"]);
    let (ran, ()) = tokio::join!(ended(watched), async {
        until("both are there", async || {
            (shell.lines(&["jobs", "list"]).await.len() == 2).then_some(())
        })
        .await;
        shell.table(&["webhooks", "disable", &webhook]).await;
    });
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.lines().last().unwrap().contains("the endpoint was disabled"), "{ran:#?}");
    shell.fails(&["webhooks", "recover", &webhook, "--since", "1h"], 6).await;
    shell
        .fails(&["webhooks", "recover", &webhook, "--since", "1h", "--status", "succeeded"], 6)
        .await;
    shell.fails(&["jobs", "get", "job_00000000000000000000000005"], 5).await;
    let error = shell.fails(&["webhooks", "recover", &webhook, "--since", "soon"], 2).await;
    assert!(text(&error["message"]).contains("soon"), "{error}");
}

async fn ended(mut command: tokio::process::Command) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ran::from(timeout(PATIENCE, command.output()).await.unwrap().unwrap())
}
