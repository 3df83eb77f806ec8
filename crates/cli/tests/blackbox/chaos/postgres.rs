//! PostgreSQL servers that a test may kill: each in a folder of its own, on a free port, as a user that PostgreSQL runs for.

use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::cluster::run;
use crate::world::until;

/// What every server of these tests is told. None of them loses the machine's power, so none waits for its disk.
const OPTIONS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
     -c max_connections=200 -c max_locks_per_transaction=256 -c wal_level=replica -c hot_standby=on";

/// The folder with the server's programs: the newest of Debian's, else where the path leads to.
fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().map_or_else(on_path, |it| it.1)
}

fn on_path() -> PathBuf {
    let said = Command::new("pg_config").arg("--bindir").output();
    let said = said.expect("PostgreSQL's programs are needed: `initdb`, `pg_ctl`, `pg_basebackup`");
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim())
}

/// A certificate, or a key, of the tests.
pub fn certificate(file: &str) -> String {
    format!("{}/tests/verifiers/tls/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A free port, until somebody takes it.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A program of the server, or a pooler, as a user that it runs for, in `home`.
pub fn unprivileged(program: &Path, home: &Path) -> Command {
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A folder that goes away, and that the user PostgreSQL runs for may write to.
pub fn home() -> tempfile::TempDir {
    let home = tempfile::Builder::new().prefix("hookyard-chaos-").tempdir().unwrap();
    if geteuid().is_root() {
        let given = Command::new("chown").arg("postgres").arg(home.path()).status().unwrap();
        assert!(given.success());
    }
    home
}

/// A server of the test's own. It is stopped when it is dropped.
pub struct Postgres {
    bin: PathBuf,
    home: tempfile::TempDir,
    port: u16,
    options: String,
    tls: bool,
}

impl Postgres {
    /// A new one, started with more options, as in `-c synchronous_standby_names=*`.
    pub async fn start(options: &str) -> Self {
        let server = Self::new(options, false).await;
        server.up().await;
        server
    }

    /// The same that speaks TLS too, with the certificate of the tests' own authority.
    pub async fn start_with_tls() -> Self {
        let server = Self::new("", true).await;
        for (from, to) in [("receiver.pem", "server.crt"), ("receiver.key.pem", "server.key")] {
            // It refuses a key that others than its user may read.
            let install = Path::new("install");
            let mut command = unprivileged(install, server.home.path());
            let to = Path::new(&server.data()).join(to);
            let copied = server.home.path().join(from);
            std::fs::copy(certificate(from), &copied).unwrap();
            std::fs::set_permissions(&copied, Permissions::from_mode(0o644)).unwrap();
            assert!(command.args(["-m", "600"]).args([copied, to]).status().unwrap().success());
        }
        server.up().await;
        server
    }

    /// A new one that does not run yet.
    async fn new(options: &str, tls: bool) -> Self {
        let (bin, home, port) = (programs(), home(), free_port());
        let server = Self { bin, home, port, options: options.to_owned(), tls };
        let data = server.data();
        let args = ["-D", &data, "-U", "hookyard", "-A", "trust", "-E", "UTF8", "--no-sync"];
        server.run("initdb", &args).await;
        server
    }

    /// A standby of this one, streaming from it.
    pub async fn standby(&self) -> Self {
        let (bin, home, port) = (self.bin.clone(), home(), free_port());
        let standby = Self { bin, home, port, options: String::new(), tls: self.tls };
        let from =
            format!("host=127.0.0.1 port={} user=hookyard application_name=standby", self.port);
        let data = standby.data();
        let args = ["-D", &data, "-d", &from, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
        standby.run("pg_basebackup", &args).await;
        standby.up().await;
        standby
    }

    /// Waits until a standby confirms each commit.
    pub async fn is_confirmed(&self) {
        let sql = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'";
        until("the standby confirms commits", async || {
            run(&self.url(), sql).await.contains(&"sync".to_owned()).then_some(())
        })
        .await;
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("postgres://hookyard@{}/postgres", self.host())
    }

    /// Its address and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it.
    pub async fn up(&self) {
        let (data, log) = (self.data(), self.home.path().join("log"));
        let tls = if self.tls { "on" } else { "off" };
        let options = format!("{OPTIONS} -c port={} -c ssl={tls} {}", self.port, self.options);
        let log = log.to_string_lossy();
        self.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-t", "60", "-o", &options, "start"])
            .await;
    }

    /// Restarts it without a word to anybody, as after a crash.
    pub async fn restart_immediately(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]).await;
        self.up().await;
    }

    /// Kills its first process, and waits until no other is left.
    pub async fn kill_9(&self) {
        let pid = self.pid();
        let killed = Command::new("kill").args(["-KILL", &pid]).status().unwrap();
        assert!(killed.success());
        let folder = self.data();
        until("every process of the server has ended", async || {
            let left =
                Command::new("pgrep").args(["-f", &format!("-D {folder}")]).output().unwrap();
            let refuses = std::net::TcpStream::connect(self.host()).is_err();
            (refuses && left.stdout.is_empty()).then_some(())
        })
        .await;
    }

    /// Makes a standby the primary.
    pub async fn promote(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"]).await;
    }

    fn pid(&self) -> String {
        let file = std::fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    fn data(&self) -> String {
        self.home.path().join("data").to_string_lossy().into_owned()
    }

    async fn run(&self, program: &str, args: &[&str]) {
        let mut command = unprivileged(&self.bin.join(program), self.home.path());
        command.args(args);
        let (shown, log) = (format!("{command:?}"), self.home.path().join("log"));
        let ran = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
        assert!(ran.success(), "{shown}\n{}", std::fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut command = unprivileged(&self.bin.join("pg_ctl"), self.home.path());
        // It may have been killed by the test.
        let _ = command.args(["-D", &self.data(), "-m", "immediate", "-w", "stop"]).status();
    }
}
