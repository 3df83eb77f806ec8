//! The promises of the port, kept by SQLite.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

use std::sync::Arc;

use hookyard_store::Store;
use hookyard_store_sqlite::SqliteStore;
use hookyard_testkit::conformance::Cellar;

async fn cellar() -> Cellar {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    Cellar::new(move || {
        let dir = Arc::clone(&dir);
        async move { SqliteStore::open(dir.path()).unwrap() as Arc<dyn Store> }
    })
    .await
}

hookyard_testkit::conformance_tests!(cellar);
