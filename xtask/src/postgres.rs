//! A PostgreSQL of the gate's own for the tests of the shared store: made in a temporary folder, on a port of its own,
//! without waiting for the disk, and gone when the gate ends. A server that stands elsewhere is used instead when
//! [`VARIABLE`] names it.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{command, quietly};
use crate::verifiers::{install, is_root};

/// The variable by which the tests find a server that they may make databases in.
pub const VARIABLE: &str = "HOOKYARD_TEST_DATABASE_URL";

/// Where the tests look for PgBouncer.
const POOLERS: [&str; 2] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];

/// A server, and where it is.
pub enum Server {
    /// Somebody else's.
    Given(OsString),
    /// Ours, stopped when this is dropped.
    Own(Own),
}

/// A server of our own.
pub struct Own {
    bin: PathBuf,
    home: PathBuf,
    url: String,
}

impl Server {
    /// Finds or starts one, and says which.
    pub fn start() -> Result<Self> {
        if !POOLERS.iter().any(|it| Path::new(it).exists()) {
            install(&["pgbouncer"], "a pooler (`pgbouncer`)")?;
        }
        if let Some(url) = given() {
            println!("{VARIABLE} names a PostgreSQL: the tests use that");
            return Ok(Self::Given(url));
        }
        let bin = match programs() {
            Some(bin) => bin,
            None => {
                println!("no PostgreSQL server is installed");
                install(&["postgresql"], "a PostgreSQL server (`initdb`, `pg_ctl`)")?;
                programs().context("PostgreSQL was installed but `initdb` is not found")?
            }
        };
        Own::start(bin).map(Self::Own)
    }

    /// What the variable must hold.
    pub fn url(&self) -> OsString {
        match self {
            Self::Given(url) => url.clone(),
            Self::Own(own) => own.url.clone().into(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the gate has no settings but this one")]
fn given() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|it| !it.is_empty())
}

/// The folder with the server's programs: the newest of Debian's, else where the path leads to.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists() && bin.join("pg_ctl").exists())
        .collect();
    versions.sort();
    let on_path = || {
        let shown = quietly(&mut command("pg_config", &["--bindir"])).ok()?;
        let bin = PathBuf::from(String::from_utf8(shown).ok()?.trim());
        bin.join("initdb").exists().then_some(bin)
    };
    versions.pop().map(|it| it.1).or_else(on_path)
}

impl Own {
    fn start(bin: PathBuf) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("hookyard-postgres-{}", std::process::id()));
        std::fs::create_dir(&home).context("making a folder for PostgreSQL")?;
        if is_root() {
            // PostgreSQL does not run as root.
            quietly(&mut command("chown", &["postgres", &home.to_string_lossy()]))?;
        }
        let port = free_port()?;
        let url = format!("postgres://hookyard@127.0.0.1:{port}/postgres");
        let own = Self { bin, home, url };
        let data = own.data();
        let initdb = ["-D", &data, "-U", "hookyard", "-A", "trust", "-E", "UTF8", "--no-sync"];
        own.run("initdb", &initdb)?;
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' \
             -c fsync=off -c max_connections=400"
        );
        let log = own.home.join("log").to_string_lossy().into_owned();
        own.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-o", &options, "start"])?;
        println!("PostgreSQL runs at {} until the gate ends", own.url);
        Ok(own)
    }

    fn data(&self) -> String {
        self.home.join("data").to_string_lossy().into_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let path = self.bin.join(program);
        let failed = || format!("running `{program}`");
        quietly(&mut as_postgres(&path, arguments, &self.home)).map(drop).with_context(failed)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let data = self.data();
        if let Err(error) = self.run("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]) {
            println!("the gate's PostgreSQL could not be stopped: {error:#}");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.home) {
            println!("{} could not be removed: {error}", self.home.display());
        }
    }
}

/// A program of the server, as a user that it runs for.
fn as_postgres(program: &Path, arguments: &[&str], home: &Path) -> Command {
    let program = program.to_string_lossy();
    let mut command = if is_root() {
        let mut words = vec!["-u", "postgres", "--", &program];
        words.extend(arguments);
        command("runuser", &words)
    } else {
        command(&program, arguments)
    };
    command.current_dir(home);
    command
}

fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    let port = listener.local_addr()?.port();
    if port == 0 {
        bail!("the system gave no port");
    }
    Ok(port)
}
