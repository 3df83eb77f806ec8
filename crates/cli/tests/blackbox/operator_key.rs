//! The operator's key: given by the environment, or made at the first start and shown once.

use crate::world::{OPERATOR_KEY, Server, World};

fn shown(server: &Server) -> Option<String> {
    let line = server.greeting.iter().find(|it| it.contains("operator key"))?;
    line.rsplit(' ').next().map(ToOwned::to_owned)
}

#[tokio::test]
async fn without_one_a_key_is_made_at_the_first_start_shown_once_and_works_ever_after() {
    let world = World::new();
    let server = world.serve_with(&[], &[]).await;
    let key = shown(&server).expect("no key is shown");
    assert!(key.len() >= 20, "{key}");
    assert_eq!(server.client(&key).get("/v1/tenants").await.status, 200);
    assert!(!server.log().contains(&key), "the key is in the log");
    assert!(server.stop().await.success());

    for file in std::fs::read_dir(world.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(key.len()).any(|it| it == key.as_bytes());
        assert!(!found, "the key is kept in the open");
    }

    let again = world.serve_with(&[], &[]).await;
    assert_eq!(shown(&again), None);
    assert_eq!(again.client(&key).get("/v1/tenants").await.status, 200);
    assert_eq!(again.client("another-operator-key-entirely").get("/v1/tenants").await.status, 401);
}

#[tokio::test]
async fn a_given_key_is_the_only_one_that_works_and_is_shown_nowhere() {
    let world = World::new();
    let server = world.serve().await;
    assert_eq!(server.greeting.len(), 1, "{:?}", server.greeting);
    assert_eq!(server.operator().get("/v1/tenants").await.status, 200);
    assert_eq!(server.client("").get("/v1/tenants").await.status, 401);
    assert_eq!(server.client("operator-key-of-somebody-else").get("/v1/tenants").await.status, 401);
    assert!(!server.log().contains(OPERATOR_KEY));
}

#[tokio::test]
async fn the_data_folder_and_the_master_key_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let server = world.serve().await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.data()), 0o700);
    assert_eq!(mode(world.data().join("master.key")), 0o600);
    assert!(server.stop().await.success());
}
