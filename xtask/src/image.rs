//! The container image: built by buildah from the Dockerfile's last stage around a static binary, started as it is meant to
//! run (nobody's rights, a read-only file system), asked whether it is well, and stopped.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::dist;
use crate::run::{command, loudly, quietly, root};

const IMAGE: &str = "localhost/hookyard";
/// How long it may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(40);

/// Builds, starts, asks, stops.
pub fn run() -> Result<()> {
    let binary = dist::run()?.join("hookyard");
    let context = root().join("target/dist/image");
    fs::create_dir_all(context.join("out/bin"))?;
    fs::create_dir_all(context.join("out/empty"))?;
    fs::copy(binary, context.join("out/bin/hookyard"))?;
    let stage = format!("build={}", context.display());
    // The stage that would build from source is passed over: what it would leave behind is there.
    let build = ["build", "--format", "docker", "--build-context", &stage, "--tag", IMAGE, "."];
    loudly(&mut buildah(&build))?;
    let config = inspect()?;
    let container = quietly(&mut buildah(&["from", "--pull-never", IMAGE]))?;
    let container = String::from_utf8(container)?.trim().to_owned();
    let tried = try_out(&container, &config);
    let removed = quietly(&mut buildah(&["rm", &container]));
    tried.and(removed.map(drop))
}

/// In a container of its own buildah can make no other ones; it needs neither overlays nor namespaces for this.
fn buildah(arguments: &[&str]) -> Command {
    let mut command = command("buildah", arguments);
    command.env("STORAGE_DRIVER", "vfs").env("BUILDAH_ISOLATION", "chroot");
    command
}

/// The image's own settings, looked over.
fn inspect() -> Result<Value> {
    let told = quietly(&mut buildah(&["inspect", "--type", "image", IMAGE]))?;
    let told: Value = serde_json::from_slice(&told)?;
    let config = told["Docker"]["config"].clone();
    ensure!(config["User"] == "10001:10001", "the image runs as {}", config["User"]);
    ensure!(config["Healthcheck"]["Test"][2] == "healthcheck", "the image has no health check");
    Ok(config)
}

fn try_out(container: &str, config: &Value) -> Result<()> {
    let mounted = String::from_utf8(quietly(&mut buildah(&["mount", container]))?)?;
    let image = mounted.trim();
    let files = quietly(command("find", &[image, "-type", "f"]).arg("-print"))?;
    println!("files in the image:\n{}", String::from_utf8_lossy(&files).replace(image, "  "));
    let mut server = start(image, config)?;
    let asked = ask(image, config, &mut server);
    if asked.is_err() {
        let _ = server.kill();
        let _ = server.wait();
        return asked;
    }
    loudly(&mut command("kill", &["-s", "TERM", &server.id().to_string()]))?;
    let code = ended(&mut server)?;
    ensure!(code == Some(0), "after SIGTERM it ended with {code:?}");
    println!(
        "the image runs without rights on a read-only file system, is well, and stops in order"
    );
    Ok(())
}

/// The image's environment, on a port that is not likely to be taken.
fn environment(config: &Value) -> Result<Vec<(String, String)>> {
    let all = config["Env"].as_array().context("the image has no environment")?;
    let pair = |it: &Value| {
        let (name, value) = it.as_str()?.split_once('=')?;
        let value = if name == "HOOKYARD_LISTEN" { "0.0.0.0:18080" } else { value };
        Some((name.to_owned(), value.to_owned()))
    };
    Ok(all.iter().filter_map(pair).collect())
}

/// Starts it as `docker run --read-only` would: only its folder can be written to.
fn start(image: &str, config: &Value) -> Result<Child> {
    let script = r#"
        mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
        mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$1/var/lib/hookyard"
        exec chroot --userspec=10001:10001 "$1" /usr/bin/hookyard serve
    "#;
    let mut unshare = command("unshare", &["--mount", "sh", "-euc", script, "sh", image]);
    unshare.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(environment(config)?);
    // Of the two that the image sets, the machine's own is needed to find `chroot`.
    unshare.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    unshare.spawn().context("starting the image; it needs `unshare` and root")
}

/// Waits until its health check is content.
fn ask(image: &str, config: &Value, server: &mut Child) -> Result<()> {
    let began = now();
    loop {
        let ask = ["--userspec=10001:10001", image, "/usr/bin/hookyard", "healthcheck"];
        let mut ask = command("chroot", &ask);
        ask.envs(environment(config)?).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
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
    Ok(())
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
