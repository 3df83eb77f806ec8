//! `backup` while the server works, and `restore` into an empty folder.

use serde_json::{Value, json};

use crate::world::{Client, OPERATOR_KEY, Server, World};

async fn events(acme: &Client) -> Vec<Value> {
    let list = acme.get("/v1/tenants/acme/events?limit=250").await.expect(200);
    list["data"].as_array().unwrap().clone()
}

async fn server_with_events(world: &World) -> (Server, Client) {
    let server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    for n in 0..20 {
        let event = json!({ "type": "order.created", "data": { "n": n } });
        acme.post("/v1/tenants/acme/events", &event).await.expect(202);
    }
    (server, acme)
}

#[tokio::test]
async fn a_backup_taken_while_serving_gives_the_same_events_in_an_empty_folder() {
    let world = World::new();
    let (server, acme) = server_with_events(&world).await;
    let data = world.data();
    let backup = ["backup", "copy.db", "--data", data.to_str().unwrap()];
    let ran = world.run(&backup).await.ok();
    assert!(ran.stderr.contains("master key"), "it says that the key is kept apart: {ran:#?}");
    let before = events(&acme).await;
    assert_eq!(before.len(), 20);
    let later = json!({ "type": "order.created", "data": { "n": "later" } });
    acme.post("/v1/tenants/acme/events", &later).await.expect(202);
    assert!(server.stop().await.success());

    world.run(&["restore", "copy.db", "--data", "elsewhere"]).await.ok();
    std::fs::rename(&data, world.path("old")).unwrap();
    std::fs::rename(world.path("elsewhere"), &data).unwrap();
    std::fs::copy(world.path("old/master.key"), data.join("master.key")).unwrap();
    let restored = world.serve().await;
    assert_eq!(events(&restored.client(&acme.key)).await, before);
}

#[tokio::test]
async fn a_restore_refuses_a_folder_that_holds_a_store() {
    let world = World::new();
    let (server, acme) = server_with_events(&world).await;
    let data = world.data();
    world.run(&["backup", "copy.db", "--data", data.to_str().unwrap()]).await.ok();
    let restore = ["restore", "copy.db", "--data", data.to_str().unwrap()];
    world.run(&restore).await.refused(6, &[data.to_str().unwrap()]);
    assert!(server.stop().await.success());
    world.run(&restore).await.refused(6, &[data.to_str().unwrap()]);
    let again = world.serve().await;
    assert_eq!(events(&again.client(&acme.key)).await.len(), 20, "the store is as it was");
}

#[tokio::test]
async fn a_backup_is_never_written_over_another_file() {
    let world = World::new();
    let (server, _) = server_with_events(&world).await;
    std::fs::write(world.path("copy.db"), "precious").unwrap();
    let data = world.data();
    let ran = world.run(&["backup", "copy.db", "--data", data.to_str().unwrap()]).await;
    ran.refused(6, &["copy.db"]);
    assert_eq!(std::fs::read_to_string(world.path("copy.db")).unwrap(), "precious");
    drop(server);
}

#[tokio::test]
async fn a_backup_of_no_store_and_a_restore_of_no_backup_say_so() {
    let world = World::new();
    world.run(&["backup", "copy.db", "--data", "nothing"]).await.refused(1, &["nothing"]);
    assert!(!world.path("nothing").exists() && !world.path("copy.db").exists());
    world.run(&["restore", "missing.db", "--data", "new"]).await.refused(1, &["missing.db"]);
    std::fs::write(world.path("text.db"), "no backup").unwrap();
    world.run(&["restore", "text.db", "--data", "new"]).await.refused(1, &["text.db"]);
    assert!(!world.path("new/hookyard.db").exists());
}

#[tokio::test]
async fn migrate_says_from_which_version_to_which() {
    let world = World::new();
    let data = world.data();
    let migrate = ["migrate", "--data", data.to_str().unwrap()];
    let first = world.run(&migrate).await.ok();
    assert!(first.stdout.contains("from version 0 to"), "{first:#?}");
    let second = world.run(&migrate).await.ok();
    assert!(second.stdout.contains("already at version"), "{second:#?}");
    let server = world.serve().await;
    world.run(&migrate).await.refused(1, &[data.to_str().unwrap()]);
    assert_eq!(server.client(OPERATOR_KEY).get("/readyz").await.status, 200);
}
