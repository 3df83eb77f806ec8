//! `hookyard keys`.

use serde_json::json;

use super::{Shell, cells, field};
use crate::scene::text;

#[tokio::test]
async fn a_key_is_shown_once_listed_without_its_text_and_revoked() {
    let shell = Shell::new().await;
    let create =
        ["keys", "create", "--name", "shop", "--scope", "read,publish", "--expires", "90d"];
    let ran = shell.run(&create).await.ok();
    let (id, key) = (field(&ran.stdout, "id"), field(&ran.stdout, "key"));
    assert!(ran.stderr.contains("shown this once") && !ran.stderr.contains(key), "{ran:#?}");
    let acme = shell.scene.acme.0.with_key(key);
    assert_eq!(acme.get("/v1/tenants/acme/events").await.status, 200);

    let listed = shell.lines(&["keys", "list"]).await;
    let listed = listed.iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(listed["scopes"], json!(["read", "publish"]));
    assert!(text(&listed["expires_at"]) > text(&listed["created_at"]), "{listed}");
    let table = shell.table(&["keys", "list"]).await;
    assert!(!table.contains(key), "{table}");
    let line = table.lines().find(|it| it.starts_with(id)).unwrap();
    assert_eq!(&cells(line)[1..3], ["shop", "read,publish"]);

    assert_eq!(shell.table(&["keys", "revoke", id]).await, format!("deleted {id}\n"));
    assert_eq!(acme.get("/v1/tenants/acme/events").await.status, 401);
    let made =
        shell.json(&["keys", "create", "--name", "b", "--scope", "read", "--scope", "write"]).await;
    let revoked = shell.json(&["keys", "revoke", text(&made["id"])]).await;
    assert_eq!(revoked, json!({ "id": made["id"], "deleted": true }));
}
