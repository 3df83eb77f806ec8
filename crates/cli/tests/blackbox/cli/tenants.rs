//! `hookyard tenants`.

use serde_json::json;

use super::{Shell, cells, field};

#[tokio::test]
async fn a_tenant_is_made_shown_changed_listed_and_deleted() {
    let shell = Shell::operator().await;
    let made = shell
        .table(&[
            "tenants",
            "create",
            "shop",
            "--name",
            "The shop",
            "--profile",
            "aly",
            "--limits",
            "endpoints=5",
        ])
        .await;
    assert_eq!((field(&made, "id"), field(&made, "profile")), ("shop", "aly"));
    let got = shell.json(&["tenants", "get", "shop"]).await;
    assert_eq!((&got["name"], &got["limits"]["endpoints"]), (&json!("The shop"), &json!(5)));
    assert_eq!(got, shell.scene.server.operator().get("/v1/tenants/shop").await.expect(200));

    let update =
        ["tenants", "update", "shop", "--retention-days", "7", "--limits", "endpoints=none"];
    let changed = shell.json(&[&update[..], &["--clear", "name"]].concat()).await;
    assert_eq!(changed["retention_days"], 7);
    assert!(changed["name"].is_null() && changed["limits"]["endpoints"].is_null(), "{changed}");

    let table = shell.table(&["tenants", "list"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(lines[0], ["ID", "NAME", "PROFILE", "KEPT DAYS", "CREATED"]);
    assert_eq!(&lines[1][..4], ["shop", "-", "aly", "7"]);
    assert_eq!(shell.lines(&["tenants", "list", "--limit", "1"]).await.len(), 1);
    assert_eq!(shell.lines(&["tenants", "list"]).await.len(), 2);

    assert_eq!(shell.table(&["tenants", "delete", "shop"]).await, "deleted shop\n");
    let deleted = shell.json(&["tenants", "delete", "acme", "--yes"]).await;
    assert_eq!(deleted, json!({ "id": "acme", "deleted": true }));
    let none = shell.run(&["tenants", "list"]).await.ok();
    assert_eq!((&*none.stdout, &*none.stderr), ("", "Nothing found.\n"));
    assert!(shell.lines(&["tenants", "list"]).await.is_empty());
}
