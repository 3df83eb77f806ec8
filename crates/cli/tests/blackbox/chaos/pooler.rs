//! Behind PgBouncer in transaction mode, each transaction on another connection.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::load::{Load, all_arrive};
use super::postgres::{Postgres, free_port, home, unprivileged};
use super::{Stage, metric};
use crate::cluster::{Cluster, run};
use crate::crash::dice::Dice;
use crate::world::until;

/// Connections that all nodes together have to the database.
const CONNECTIONS: usize = 5;

/// A pooler before a server. It ends when it is dropped.
struct Pooler {
    home: tempfile::TempDir,
    port: u16,
}

impl Pooler {
    async fn start(before: &Postgres) -> Self {
        let (home, port) = (home(), free_port());
        let server_port = before.port();
        let folder = home.path().display();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users\n\
             pool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\nmax_client_conn = 200\n\
             pidfile = {folder}/pid\nlogfile = {folder}/log\n"
        );
        std::fs::write(home.path().join("users"), "\"hookyard\" \"\"\n").unwrap();
        std::fs::write(home.path().join("ini"), settings).unwrap();
        let program = [Path::new("/usr/sbin/pgbouncer"), Path::new("/usr/bin/pgbouncer")];
        let program = program.into_iter().find(|it| it.exists());
        let program = program.map_or_else(|| PathBuf::from("pgbouncer"), Path::to_owned);
        let mut command = unprivileged(&program, home.path());
        let started =
            command.args(["-d", "ini"]).status().expect("PgBouncer is needed: `pgbouncer`");
        let pooler = Self { home, port };
        assert!(started.success(), "{}", pooler.log());
        until("the pooler listens", async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        })
        .await;
        pooler
    }

    fn url(&self) -> String {
        format!("postgres://hookyard@127.0.0.1:{}/postgres", self.port)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.home.path().join("pid")).unwrap_or_default();
        if !pid.trim().is_empty() {
            let _ = Command::new("kill").args(["-s", "INT", pid.trim()]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_work_through_a_pooler_in_transaction_mode() {
    const EVENTS: usize = 2_000;
    let mut dice = Dice::new();
    let postgres = Postgres::start("").await;
    let pooler = Pooler::start(&postgres).await;
    let cluster = Cluster::on(&postgres.url()).await.through(&pooler.url());
    let mut stage = Stage::new(cluster, 3, &["--database-pooler"]).await;
    let load = Load::start((8, 10), EVENTS, stage.key(), stage.addresses(), &mut dice);
    load.more(EVENTS / 4).await;
    stage.nodes.pop().unwrap().kill_9().await;
    load.nodes(stage.addresses());
    until("the others take over", async || {
        let mut all = 0;
        for node in &stage.nodes {
            all += metric(node, "hookyard_takeovers_total").await;
        }
        (all > 0).then_some(())
    })
    .await;
    load.more(EVENTS).await;
    let acknowledged = load.stop().await;
    assert!(acknowledged.len() >= EVENTS);
    all_arrive(&stage.receiver, &acknowledged).await;
    stage.nothing_is_pending().await;
    // All of it came through the pooler, and nothing stands in its log.
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'hookyard'";
    let connections: usize = run(&postgres.url(), sql).await[0].parse().unwrap();
    assert!(connections <= CONNECTIONS, "{connections} connections");
    for node in stage.nodes {
        assert!(node.stop().await.success());
    }
}
