//! The server that bench starts for itself: this same binary, in a data folder that goes with it.

use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use hookyard_domain::secret::Secret;
use hookyard_rules::seal;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::client::Answer;
use crate::output::talk;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to end; what it still holds is thrown away with its folder.
const STOP_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOG_LINES_SHOWN: usize = 20;

/// A server process of our own. Dropped, it is killed.
pub(super) struct Child {
    process: std::process::Child,
    addr: SocketAddr,
    operator_key: String,
    log: PathBuf,
    /// Removed when the process has ended.
    _folder: TempDir,
}

impl Child {
    /// Starts `serve` on a free port with a fresh data folder inside `data` (or the system's place), or over `database`.
    pub(super) fn start(
        data: Option<&Path>,
        database: Option<&Secret>,
        extra: &[String],
    ) -> anyhow::Result<Self> {
        let folder = match data {
            Some(parent) => TempDir::with_prefix_in("hookyard-bench-", parent),
            None => TempDir::with_prefix("hookyard-bench-"),
        };
        let folder = folder.context("making a data folder")?;
        let addr = closed_port()?;
        let operator_key = random_hex(24)?;
        let log = folder.path().join("serve.log");
        let output = File::create(&log).context("making the server's log")?;
        let binary = std::env::current_exe().context("finding this binary")?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .args(["--listen", &addr.to_string(), "--allow-http"])
            .args(["--allow-network", "127.0.0.0/8", "--data"])
            .arg(folder.path().join("data"))
            .args(extra)
            // No setting of the caller's environment, such as a database, may reach it.
            .env_clear()
            .env("HOOKYARD_OPERATOR_KEY", &operator_key)
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("sharing the server's log")?)
            .stderr(output);
        if let Some(url) = database {
            let mut key = [0; 32];
            random(&mut key)?;
            let key = seal::master_key(&key);
            command.env("HOOKYARD_DATABASE_URL", url.reveal()).env("HOOKYARD_MASTER_KEY", &*key);
        }
        let process = command.spawn().context("starting the server")?;
        Ok(Self { process, addr, operator_key, log, _folder: folder })
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The operator's key it was given.
    pub(super) fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Asks until it says that it is ready.
    pub(super) async fn ready<F>(&mut self, ask: impl Fn() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<Answer>>,
    {
        let until = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.process.try_wait().context("looking at the server")? {
                self.show_log();
                bail!("the server ended at its start ({status})");
            }
            let answer = timeout(READY_WITHIN, ask()).await;
            if matches!(answer, Ok(Ok(answer)) if answer.status.is_success()) {
                return Ok(());
            }
            if Instant::now() > until {
                self.show_log();
                bail!("the server was not ready in {READY_WITHIN:?}");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends it: SIGTERM first, by force when it takes too long. An end by its own failure is an error.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.process.try_wait().context("looking at the server")? {
            self.show_log();
            bail!("the server had ended before the run was over ({status})");
        }
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().context("running kill")?;
        if !sent.success() {
            bail!("kill -TERM {pid} failed ({sent})");
        }
        match timeout(STOP_WITHIN, self.ended()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    self.show_log();
                    bail!("the server ended with {status}");
                }
            }
            Err(_) => talk(format!("the server did not end in {STOP_WITHIN:?}; killing it")),
        }
        Ok(())
    }

    async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.process.try_wait().context("waiting for the server")? {
                return Ok(status);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn show_log(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        for line in &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..] {
            talk(format!("server: {line}"));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port on which nobody listens now. It lies below the range from which the kernel gives ports to
/// outgoing connections: one of those could take it, or even connect to itself.
pub(super) fn closed_port() -> anyhow::Result<SocketAddr> {
    let start = 12_000 + u16::try_from(std::process::id() % 8_000).unwrap_or(0);
    (start..32_000)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .find(|addr| TcpListener::bind(addr).is_ok())
        .context("no free port below 32000")
}

/// Random bytes as hex, from the operating system.
pub(super) fn random_hex(bytes: usize) -> anyhow::Result<String> {
    let mut drawn = vec![0_u8; bytes];
    random(&mut drawn)?;
    Ok(drawn.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random(bytes: &mut [u8]) -> anyhow::Result<()> {
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(bytes))
        .context("reading /dev/urandom")
}
