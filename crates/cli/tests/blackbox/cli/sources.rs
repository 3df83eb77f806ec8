//! `hookyard sources`.

use serde_json::json;

use super::{Shell, cells, field};
use crate::scene::{Acme, text};

#[tokio::test]
async fn a_source_is_made_changed_rotated_and_deleted() {
    let shell = Shell::new().await;
    let line = "sources create --name GitHub --provider github --scope s --event push --event pull_request.* \
        --description D --metadata {\"a\":1}";
    let ran = shell.run(&line.split_whitespace().collect::<Vec<_>>()).await.ok();
    let (id, secret) = (field(&ran.stdout, "id"), field(&ran.stdout, "secret"));
    assert!(ran.stderr.contains("shown this once") && !ran.stderr.contains(secret), "{ran:#?}");
    let got = shell.json(&["sources", "get", id]).await;
    assert_eq!(
        got,
        shell.scene.acme.0.get(&Acme::path(&format!("/sources/{id}"))).await.expect(200)
    );
    assert_eq!(
        (&got["provider"], &got["events"]),
        (&json!("github"), &json!(["push", "pull_request.*"]))
    );
    assert!(got.get("secret").is_none() && got["has_secret"] == true, "{got}");

    let table = shell.table(&["sources", "list"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(
        lines[0],
        ["ID", "NAME", "PROVIDER", "STATUS", "EVENTS", "LAST EVENT", "RECEIVE URL"]
    );
    assert_eq!(lines[1][..6], [id, "GitHub", "github", "active", "0", "-"]);
    assert_eq!(shell.lines(&["sources", "list"]).await.len(), 1);

    let update =
        ["sources", "update", id, "--name", "Hub", "--status", "paused", "--clear", "scope"];
    let changed = shell.json(&update).await;
    assert_eq!((&changed["name"], &changed["status"]), (&json!("Hub"), &json!("paused")));
    assert!(changed["scope"].is_null(), "{changed}");

    let rotated = shell.run(&["sources", "rotate-secret", id, "--overlap", "1h"]).await.ok();
    assert_ne!(field(&rotated.stdout, "secret"), secret);
    assert!(rotated.stderr.contains("shown this once"), "{rotated:#?}");
    let own = ["sources", "rotate-secret", id, "--secret", "-", "--json"];
    let own = shell.run_with(&own, "a-secret-of-our-own\n").await.ok();
    assert!(own.stdout.contains("\"a-secret-of-our-own\""), "{own:#?}");

    assert_eq!(shell.table(&["sources", "delete", id]).await, format!("deleted {id}\n"));
    assert_eq!(shell.fails(&["sources", "get", id], 5).await["code"], "not_found");
    let made = shell.json(&["sources", "create", "--name", "Ours"]).await;
    assert_eq!(made["provider"], "custom");
    assert!(text(&made["receive_url"]).starts_with("http://"), "{made}");
    let deleted = shell.json(&["sources", "delete", text(&made["id"])]).await;
    assert_eq!(deleted, json!({ "id": made["id"], "deleted": true }));
}
