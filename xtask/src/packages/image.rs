//! The container image: built by buildah from the Dockerfile's last stage around a static binary, started as it is meant to
//! run (nobody's rights, a read-only file system), asked whether it is well, given an event to deliver, and stopped.

mod delivery;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Make, NotHad, dist, has};
use crate::run::{command, loudly, quietly};
use crate::verifiers::is_root;

/// How long it may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a container gets of this machine's programs.
const PATH: (&str, &str) = ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
/// May do everything in the image while it is tried.
const OPERATOR_KEY: &str = "operator-key-of-the-image-on-trial";

/// An image that is started.
struct Trial<'a> {
    /// Its root.
    files: &'a str,
    /// Its own variables, and those of the trial.
    environment: Vec<(String, String)>,
    port: u16,
}

/// Builds, starts, asks, delivers, stops.
pub fn run(make: Make) -> Result<()> {
    has("buildah", &["buildah"])?;
    may_mount()?;
    let binary = dist::run(make)?.join("hookyard");
    let context = dist::folder().join("image");
    fs::create_dir_all(context.join("out/bin"))?;
    fs::create_dir_all(context.join("out/empty"))?;
    fs::copy(binary, context.join("out/bin/hookyard"))?;
    let stage = format!("build={}", context.display());
    let tag = match make {
        Make::Release => "localhost/hookyard",
        Make::Trial => "localhost/hookyard-trial",
    };
    // The stage that would build from source is passed over: what it would leave behind is there.
    let build = ["build", "--format", "docker", "--build-context", &stage, "--tag", tag, "."];
    loudly(&mut buildah(&build))?;
    let config = inspect(tag)?;
    let container = quietly(&mut buildah(&["from", "--pull-never", tag]))?;
    let container = String::from_utf8(container)?.trim().to_owned();
    let tried = try_out(&container, &config);
    let mut removed = quietly(&mut buildah(&["rm", &container]));
    if make == Make::Trial {
        removed = removed.and(quietly(&mut buildah(&["rmi", tag])));
    }
    tried.and(removed.map(drop))
}

/// In a container of its own buildah can make no other ones; it needs neither overlays nor namespaces for this.
fn buildah(arguments: &[&str]) -> Command {
    let mut command = command("buildah", arguments);
    command.env("STORAGE_DRIVER", "vfs").env("BUILDAH_ISOLATION", "chroot");
    command
}

/// Starting it needs mounts of its own.
fn may_mount() -> Result<()> {
    let probe = ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    if !is_root() {
        return Err(NotHad("starting the image needs root".to_owned()).into());
    }
    quietly(&mut command("unshare", &probe)).map(drop).map_err(|error| {
        NotHad(format!(
            "starting the image needs mounts, which this machine lets nobody make: {error:#}"
        ))
        .into()
    })
}

/// The image's own settings, looked over.
fn inspect(tag: &str) -> Result<Value> {
    let told = quietly(&mut buildah(&["inspect", "--type", "image", tag]))?;
    let told: Value = serde_json::from_slice(&told)?;
    let config = told["Docker"]["config"].clone();
    ensure!(config["User"] == "10001:10001", "the image runs as {}", config["User"]);
    ensure!(config["Healthcheck"]["Test"][2] == "healthcheck", "the image has no health check");
    let starts = (&config["Entrypoint"][0], &config["Cmd"][0]);
    ensure!(starts.0 == "/usr/bin/hookyard" && starts.1 == "serve", "the image starts {starts:?}");
    Ok(config)
}

fn try_out(container: &str, config: &Value) -> Result<()> {
    let mounted = String::from_utf8(quietly(&mut buildah(&["mount", container]))?)?;
    let files = mounted.trim();
    let all = String::from_utf8(quietly(command("find", &[files, "-type", "f"]).arg("-print"))?)?;
    let all: Vec<_> = all.lines().map(|it| it.trim_start_matches(files)).collect();
    ensure!(all == ["/usr/bin/hookyard"], "the image holds more than the binary: {all:?}");
    let port = free_port()?;
    let trial = Trial { files, environment: environment(config, port)?, port };
    let mut server = trial.start()?;
    let tried = trial.is_well(&mut server).and_then(|()| delivery::one(port, OPERATOR_KEY));
    if tried.is_err() {
        let _ = server.kill();
        let _ = server.wait();
        return tried;
    }
    loudly(&mut command("kill", &["-s", "TERM", &server.id().to_string()]))?;
    let code = ended(&mut server)?;
    ensure!(code == Some(0), "after SIGTERM it ended with {code:?}");
    println!(
        "the image runs without rights on a read-only file system, is well, shows the dashboard, delivers a signed event, \
         and stops in order"
    );
    Ok(())
}

/// The image's environment and the trial's: a port that is free, and deliveries to this machine.
fn environment(config: &Value, port: u16) -> Result<Vec<(String, String)>> {
    let all = config["Env"].as_array().context("the image has no environment")?;
    let pair = |it: &Value| {
        let (name, value) = it.as_str()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let mut all: Vec<_> = all.iter().filter_map(pair).collect();
    // Of the image's, the path leads to its binary; what starts it needs the machine's.
    all.retain(|(name, _)| name != "HOOKYARD_LISTEN" && name != PATH.0);
    let listen = format!("0.0.0.0:{port}");
    let more = [
        PATH,
        ("HOOKYARD_LISTEN", listen.as_str()),
        ("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY),
        ("HOOKYARD_ALLOW_HTTP", "true"),
        ("HOOKYARD_ALLOW_NETWORK", "127.0.0.0/8"),
    ];
    all.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok(all)
}

fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

impl Trial<'_> {
    /// Starts it as `docker run --read-only` would: with the few devices that every engine gives, and only its folder can
    /// be written to.
    fn start(&self) -> Result<Child> {
        let script = r#"
            mkdir -p "$1/dev" && mount --bind "$1" "$1" && mount -t tmpfs tmpfs "$1/dev"
            for it in null zero random urandom; do
                : > "$1/dev/$it" && mount --bind "/dev/$it" "$1/dev/$it"
            done
            mount -o remount,bind,ro "$1"
            mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$1/var/lib/hookyard"
            exec chroot --userspec=10001:10001 "$1" /usr/bin/hookyard serve
        "#;
        let arguments = ["--mount", "sh", "-euc", script, "sh", self.files];
        let mut unshare = command("unshare", &arguments);
        unshare.env_clear().envs(self.environment.iter().cloned()).stdin(Stdio::null());
        unshare.spawn().context("starting the image")
    }

    /// Waits until its health check is content.
    fn is_well(&self, server: &mut Child) -> Result<()> {
        let began = now();
        loop {
            let mut ask = command("nsenter", &["--mount", "--target", &server.id().to_string()]);
            ask.args(["chroot", "--userspec=10001:10001", self.files]);
            ask.args(["/usr/bin/hookyard", "healthcheck"])
                .env_clear()
                .envs(self.environment.iter().cloned());
            if quietly(&mut ask).is_ok() {
                break;
            }
            if let Some(status) = server.try_wait()? {
                bail!("it ended by itself ({status})");
            }
            ensure!(began.elapsed() < PATIENCE, "it is not well after {} s", PATIENCE.as_secs());
            pause();
        }
        let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
        let uid = status.lines().find(|it| it.starts_with("Uid:")).unwrap_or_default();
        ensure!(uid.contains("10001") && !uid.contains("\t0"), "it runs with rights: {uid}");
        let page = delivery::get(self.port, "/")?;
        ensure!(page.contains("/assets/"), "it shows no dashboard: {page}");
        Ok(())
    }
}

fn ended(server: &mut Child) -> Result<Option<i32>> {
    let began = now();
    loop {
        if let Some(status) = server.try_wait()? {
            return Ok(status.code());
        }
        ensure!(began.elapsed() < PATIENCE, "it does not end");
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "a chore of the project has no clock handed to it")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "between two looks at another process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(100));
}
