//! What the binary refuses at start, with which exit code, and that it says why in one line.

use tokio::net::TcpListener;

use crate::world::{OPERATOR_KEY, World};

#[tokio::test]
async fn bad_arguments_end_with_2() {
    let world = World::new();
    for args in [
        &["serve", "--no-such-flag"][..],
        &["no-such-command"],
        &[],
        &["serve", "--listen", "nowhere"],
        &["serve", "--allow-network", "10.0.0.0/40"],
        &["serve", "--shutdown-grace", "soon"],
        &["openapi", "no-such-surface"],
        &["completions", "no-such-shell"],
    ] {
        let ran = world.run(args).await;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:#?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}: {ran:#?}");
    }
}

#[tokio::test]
async fn help_and_version_end_with_0() {
    let world = World::new();
    for args in [&["--help"][..], &["--version"], &["serve", "--help"], &["dev", "--help"]] {
        let ran = world.run(args).await.ok();
        assert!(ran.stdout.to_lowercase().contains("hookyard"), "{ran:#?}");
    }
}

#[tokio::test]
async fn an_unknown_key_of_the_settings_file_is_named_with_its_file() {
    let world = World::new();
    std::fs::write(world.path("hookyard.toml"), "allow-http = true\nlisen = \"127.0.0.1:0\"\n")
        .unwrap();
    let ran = world.run(&["serve", "--config", "hookyard.toml"]).await;
    ran.refused(2, &["lisen", "hookyard.toml", "line 2"]);
}

#[tokio::test]
async fn a_wrong_variable_of_the_environment_is_named() {
    let world = World::new();
    world
        .run_with(&["serve"], &[("HOOKYARD_LISTEN", "8080")])
        .await
        .refused(2, &["HOOKYARD_LISTEN"]);
}

#[tokio::test]
async fn a_short_operator_key_is_refused() {
    let world = World::new();
    for key in ["abcde", "", "nineteen-characters"] {
        let ran = world.run_with(&["serve"], &[("HOOKYARD_OPERATOR_KEY", key)]).await;
        ran.refused(2, &["HOOKYARD_OPERATOR_KEY", "20 characters"]);
        assert!(key.is_empty() || !ran.stderr.contains(key), "the key is shown: {ran:#?}");
    }
    assert!(!world.path("hookyard-data").exists(), "nothing is made before the settings are good");
}

#[tokio::test]
async fn a_master_key_of_another_length_is_refused() {
    let world = World::new();
    for key in ["not base64!", "c2hvcnQ=", "", "c2hvcnQ=,c2hvcnQ="] {
        let ran = world.run_with(&["serve"], &[("HOOKYARD_MASTER_KEY", key)]).await;
        ran.refused(2, &["HOOKYARD_MASTER_KEY", "base64 32"]);
    }
}

#[tokio::test]
async fn a_port_in_use_ends_with_1_and_names_the_flag() {
    let world = World::new();
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = holder.local_addr().unwrap().to_string();
    for command in ["serve", "dev"] {
        let ran = world.run(&[command, "--listen", &address]).await;
        ran.refused(1, &[&address, "in use", "--listen"]);
    }
}

#[tokio::test]
async fn two_servers_do_not_share_a_data_folder() {
    let world = World::new();
    let first = world.serve().await;
    let data = world.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let ran = world.run_with(&args, &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await;
    ran.refused(1, &[data.to_str().unwrap(), "another Hookyard"]);
    assert_eq!(first.operator().get("/readyz").await.status, 200, "the first one goes on");
}

#[tokio::test]
async fn a_master_key_that_does_not_fit_the_store_is_noticed_at_start() {
    let world = World::new();
    let server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let wanted = serde_json::json!({ "url": "http://127.0.0.1:9/", "events": ["*"] });
    acme.post("/v1/tenants/acme/endpoints", &wanted).await.expect(201);
    assert!(server.stop().await.success());

    let data = world.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("HOOKYARD_MASTER_KEY", other)];
    world.run_with(&args, &env).await.refused(2, &["master key", "does not fit"]);

    let file = data.join("master.key");
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "garbage\n").unwrap();
    world.run_with(&args, &env[..1]).await.refused(2, &["master.key", "base64"]);
    std::fs::remove_file(&file).unwrap();
    world.run_with(&args, &env[..1]).await.refused(2, &["master.key", "HOOKYARD_MASTER_KEY"]);
    assert!(!file.exists(), "no new key is made for a store that was sealed with another");

    // An old key at the end of the list still opens what it sealed.
    let both = format!("{other},{}", kept.trim());
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("HOOKYARD_MASTER_KEY", both.as_str())];
    assert!(world.serve_with(&[], &env).await.stop().await.success());
}
