//! A place of its own for each test: a schema in the database that `HOOKYARD_TEST_DATABASE_URL` names.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hookyard_domain::secret::Secret;
use hookyard_store_postgres::{PostgresStore, Settings};

const VARIABLE: &str = "HOOKYARD_TEST_DATABASE_URL";

/// The database that tests use.
#[expect(clippy::disallowed_methods, reason = "the gate tells a test where its database is")]
fn url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: these tests need a real PostgreSQL, for instance \
             postgres://postgres@localhost/test"
        )
    })
}

/// A schema that goes when it is dropped.
pub struct Place {
    /// The database it is in.
    pub url: String,
    /// The schema.
    pub name: String,
}

impl Place {
    /// An empty one.
    pub async fn new() -> Arc<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let url = url();
        let name = format!("hookyard_test_{}_{number}", std::process::id());
        // What an ended process of the same number may have left behind.
        let sql = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
        run(&url, &sql).await;
        Arc::new(Self { url, name })
    }

    /// How the store in it is reached.
    pub fn settings(&self) -> Settings {
        let url = &self.url;
        let and = if url.contains('?') { '&' } else { '?' };
        // No test ends the server itself, so none has to wait for its disk.
        let options = format!("-c%20search_path%3D{}%20-c%20synchronous_commit%3Doff", self.name);
        Settings::new(Secret::new(format!("{url}{and}options={options}")))
    }

    /// The store in it, as a node of that name.
    pub async fn open(&self, node: &str) -> Arc<PostgresStore> {
        PostgresStore::connect(&self.settings(), node).await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (url, sql) = (
            self.url.clone(),
            format!("SET lock_timeout = '10s'; DROP SCHEMA {} CASCADE", self.name),
        );
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&url, &sql));
        });
        if dropping.join().is_err() {
            eprintln!("the schema {} stays behind", self.name);
        }
    }
}

/// Runs statements in a database.
async fn run(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    client.batch_execute(sql).await.unwrap();
}
