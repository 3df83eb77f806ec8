//! TLS to the database, as far as the server that the tests use speaks it.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use hookyard_domain::secret::Secret;
use hookyard_store::{Store, StoreError};
use hookyard_store_postgres::{PostgresStore, Settings};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use crate::place::Place;

async fn settings(place: &Place, mode: &str) -> Settings {
    let settings = place.settings();
    let url = settings.url.reveal();
    let name = &place.name;
    Settings {
        url: Secret::new(format!("{url}&sslmode={mode}&application_name={name}")),
        ..settings
    }
}

/// Whether the server speaks TLS to us, and whether every connection of the place uses it.
async fn seen(place: &Place) -> (bool, bool) {
    const SQL: &str = "SELECT current_setting('ssl')::bool AND inet_server_addr() IS NOT NULL,
            coalesce(bool_and(s.ssl), false)
        FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE application_name = $1";
    let (client, connection) = tokio_postgres::connect(&place.url, NoTls).await.unwrap();
    let mut task = JoinSet::new();
    task.spawn(connection);
    let row = client.query_one(SQL, &[&place.name]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn tls_is_used_where_the_server_speaks_it_unless_it_is_disabled() {
    for mode in ["prefer", "disable"] {
        let place = Place::new().await;
        let store = PostgresStore::connect(&settings(&place, mode).await, "one").await.unwrap();
        store.ping().await.unwrap();
        let (speaks, used) = seen(&place).await;
        assert_eq!(used, speaks && mode == "prefer", "{mode}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_prove_itself_is_refused_where_it_must() {
    let place = Place::new().await;
    let wanted = settings(&place, "require").await;
    let Err(StoreError::Unavailable(why)) = PostgresStore::connect(&wanted, "one").await else {
        panic!("it was taken")
    };
    place.open("two").await.ping().await.unwrap();
    let why = why.to_string();
    assert!(why.contains("certificate") || why.contains("TLS"), "{why}");
}

#[tokio::test]
async fn a_root_certificate_that_cannot_be_read_is_refused() {
    let place = Place::new().await;
    let root = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let wanted = settings(&place, "require").await;
    let wanted = Settings { root_certificates: Some(root.into()), ..wanted };
    let Err(StoreError::Unavailable(why)) = PostgresStore::connect(&wanted, "one").await else {
        panic!("it was taken")
    };
    assert!(why.to_string().contains("root certificate"), "{why}");
}
