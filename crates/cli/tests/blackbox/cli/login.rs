//! `hookyard login`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{Shell, cells};
use crate::scene::text;
use crate::world::OPERATOR_KEY;

#[tokio::test]
async fn what_is_saved_serves_the_other_commands_is_private_and_never_shown() {
    let mut shell = Shell::new().await;
    let url = format!("http://{}", shell.scene.server.address);
    let key = shell.scene.acme.0.key.clone();
    for name in ["HOOKYARD_URL", "HOOKYARD_API_KEY", "HOOKYARD_TENANT"] {
        shell.unset(name);
    }
    let login = ["login", "--server", &url];
    let ran = shell.run_with(&login, &format!("{key}\n")).await.ok();
    assert!(ran.stdout.contains("Saved `default`"), "{ran:#?}");
    assert!(ran.stderr.contains("the tenant `acme`; its scopes: read, write"), "{ran:#?}");
    let file = shell.scene.world.path("config/hookyard/logins.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains(&key));
    shell.table(&["webhooks", "list"]).await;

    let operator = ["login", "ops", "--server", &url, "--api-key", "-", "--json"];
    let ran_ops = shell.run_with(&operator, OPERATOR_KEY).await.ok();
    let saved: serde_json::Value = serde_json::from_str(&ran_ops.stdout).unwrap();
    let mut want = json!({ "login": "ops", "server": url, "tenant": null });
    want["operator"] = json!(true);
    want["scopes"] = json!(["admin"]);
    assert_eq!(saved, want);
    let tenants = shell.lines(&["tenants", "list", "--login", "ops"]).await;
    assert_eq!(tenants[0]["id"], "acme");
    shell.fails(&["tenants", "list"], 4).await;

    let listed = shell.run(&["login", "--list"]).await.ok();
    let lines: Vec<_> = listed.stdout.lines().map(cells).collect();
    assert_eq!(
        lines,
        [vec!["LOGIN", "SERVER", "TENANT"], vec!["default", &url, "acme"], vec!["ops", &url, "-"]]
    );
    assert_eq!(shell.lines(&["login", "--list"]).await.len(), 2);
    for ran in [&ran, &ran_ops, &listed] {
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(&key) && !said.contains(OPERATOR_KEY), "{said}");
    }

    assert_eq!(shell.table(&["login", "ops", "--remove"]).await, "removed ops\n");
    shell.fails(&["tenants", "list", "--login", "ops"], 2).await;
    shell.fails(&["login", "ops", "--remove"], 5).await;
    assert_eq!(
        shell.json(&["login", "--remove"]).await,
        json!({ "id": "default", "removed": true })
    );
    shell.fails(&["webhooks", "list", "--server", &url], 3).await;
}

#[tokio::test]
async fn a_login_that_does_not_work_is_not_saved() {
    let shell = Shell::new().await;
    let bad = shell.fails(&["login", "--api-key", "hk_hush"], 3).await;
    assert!(!bad.to_string().contains("hush"), "{bad}");
    shell.fails(&["login", "--tenant", "other"], 5).await;
    shell.fails(&["login", "--server", "http://127.0.0.1:1"], 8).await;
    assert!(!shell.scene.world.path("config").exists());
    // A key that may only publish may not look, and is good all the same.
    let made = shell.json(&["keys", "create", "--name", "p", "--scope", "publish"]).await;
    let saved = shell.json(&["login", "--api-key", text(&made["key"])]).await;
    assert_eq!((&saved["tenant"], &saved["scopes"]), (&json!("acme"), &json!(["publish"])));
    let operator = shell.set("HOOKYARD_API_KEY", OPERATOR_KEY);
    operator.fails(&["login", "--tenant", "nobody"], 5).await;
    assert_eq!(operator.json(&["login"]).await["tenant"], "acme");
}

#[tokio::test]
async fn a_saved_key_is_not_sent_to_another_server() {
    let mut shell = Shell::new().await;
    shell.table(&["login"]).await;
    for name in ["HOOKYARD_URL", "HOOKYARD_API_KEY"] {
        shell.unset(name);
    }
    shell.table(&["webhooks", "list"]).await;
    let error = shell.fails(&["webhooks", "list", "--server", "http://127.0.0.1:1"], 3).await;
    assert!(text(&error["message"]).contains("http://127.0.0.1:1"), "{error}");
}
