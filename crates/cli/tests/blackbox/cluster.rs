//! Several servers over one database, made for one test on the PostgreSQL that `HOOKYARD_TEST_DATABASE_URL` names.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::Command;
use tokio::task::JoinSet;

use crate::world::{OPERATOR_KEY, Ran, Server, World};

const VARIABLE: &str = "HOOKYARD_TEST_DATABASE_URL";
/// The master key of every node: base64 of 32 zeroes.
pub const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// Seconds that a node of these tests may be silent.
pub const LEASE_S: &str = "3";

/// The server that tests make databases on.
#[expect(clippy::disallowed_methods, reason = "the gate tells a test where its database is")]
pub fn server_url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: these tests need a real PostgreSQL, for instance \
             postgres://postgres@localhost/postgres"
        )
    })
}

/// A database of its own, gone when it is dropped, and a folder.
pub struct Cluster {
    pub world: World,
    /// The server, if the database is to be dropped from it in the end.
    shared: Option<String>,
    database: String,
    url: String,
}

impl Cluster {
    /// An empty database on a server that the test has for itself.
    pub async fn on(server: &str) -> Self {
        run(server, "CREATE DATABASE hookyard").await;
        let (database, url) = ("hookyard".to_owned(), named(server, "hookyard"));
        Self { world: World::new(), shared: None, database, url }
    }

    /// The same database by another address, as behind a pooler.
    pub fn through(mut self, server: &str) -> Self {
        self.url = named(server, &self.database);
        self
    }

    /// An empty database.
    pub async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let database = format!("hookyard_cluster_{}_{number}", std::process::id());
        let server = server_url();
        // What an ended process of the same number may have left behind.
        for sql in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            run(&server, &format!("{sql} {database}")).await;
        }
        let url = named(&server, &database);
        Self { world: World::new(), shared: Some(server), database, url }
    }

    /// Where the database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts the node of that name on a free port, with plain http and this machine allowed.
    pub async fn node(&self, name: &str) -> Server {
        self.node_with(name, &[], &[]).await
    }

    /// The same with more arguments for `serve`, and more variables.
    pub async fn node_with(&self, name: &str, args: &[&str], env: &[(&str, &str)]) -> Server {
        let mut command = self.command(name, args);
        command.envs(env.iter().copied());
        self.start(name, command).await
    }

    /// What starts a node, for tests that change it.
    pub fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut all = vec!["serve", "--node-name", name];
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(["--allow-http", "--allow-network", "127.0.0.0/8"]);
        if !args.contains(&"--node-lease") {
            all.extend(["--node-lease", LEASE_S]);
        }
        all.extend(args);
        let mut command = self.world.hookyard(&all);
        command.envs(self.env());
        command
    }

    /// Starts a node by its command.
    pub async fn start(&self, name: &str, command: Command) -> Server {
        Server::start(command, self.world.path(&format!("{name}.log"))).await
    }

    /// Runs a command that needs the database to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        let env = self.env();
        let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.world.run_with(args, &env).await
    }

    fn env(&self) -> HashMap<&'static str, String> {
        HashMap::from([
            ("HOOKYARD_DATABASE_URL", self.url.clone()),
            ("HOOKYARD_MASTER_KEY", MASTER_KEY.to_owned()),
            ("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY.to_owned()),
        ])
    }

    /// Asks the database; every row's first column as text.
    pub async fn ask(&self, sql: &str) -> Vec<String> {
        run(&self.url, sql).await
    }

    /// Runs a statement in a transaction that stays open: what it locks stays locked until the answer is dropped.
    pub async fn hold(&self, sql: &str) -> Session {
        let session = Session::new(&self.url).await;
        session.client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
        session
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(server) = self.shared.take() else { return };
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, &sql));
        });
        if dropping.join().is_err() {
            eprintln!("the database {} stays behind", self.database);
        }
    }
}

/// The same server, another database.
fn named(server: &str, database: &str) -> String {
    let (place, options) = server.split_once('?').map_or((server, None), |(a, b)| (a, Some(b)));
    let (scheme, rest) = place.split_once("://").expect("an address");
    let host = rest.split_once('/').map_or(rest, |it| it.0);
    let options = options.map(|it| format!("?{it}")).unwrap_or_default();
    format!("{scheme}://{host}/{database}{options}")
}

/// A connection to the database, and what it holds there until it is dropped.
pub struct Session {
    client: tokio_postgres::Client,
    /// Ends with it.
    _tasks: JoinSet<Result<(), tokio_postgres::Error>>,
}

impl Session {
    async fn new(url: &str) -> Self {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Self { client, _tasks: tasks }
    }
}

/// Runs one statement; every row's first column as text.
pub async fn run(url: &str, sql: &str) -> Vec<String> {
    let Session { client, _tasks } = Session::new(url).await;
    let mut rows = Vec::new();
    for message in client.simple_query(sql).await.unwrap() {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            rows.push(row.get(0).unwrap_or_default().to_owned());
        }
    }
    rows
}
