//! `docs/quick-start.md`, line by line, by a real shell in an empty folder.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

use super::page;
use crate::world::{PATIENCE, Ran, World};

/// Ports that nobody listens on.
async fn ports() -> [String; 2] {
    let (a, b) = (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    let (a, b) = (a.await.unwrap(), b.await.unwrap());
    [a, b].map(|it| it.local_addr().unwrap().port().to_string())
}

/// The page as a script. The binary is built already, and the ports are free ones.
fn script(page: &str, receiver: &str) -> String {
    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n".to_owned();
    for block in page::blocks(page) {
        if let Some(name) = block.saved_as {
            writeln!(script, "cat > {name} <<'END-OF-FILE'\n{}END-OF-FILE", block.text).unwrap();
        }
        if block.language != "console" {
            continue;
        }
        for line in block.text.lines().filter_map(|it| it.strip_prefix("$ ")) {
            let is_of_the_build = line.contains("cargo build") || line.contains("target/release");
            let line = line.replace("dev --once", "dev --once --listen 127.0.0.1:0");
            let line = line.replace("receiver.py 3000", &format!("receiver.py {receiver}"));
            let line = line.replace("127.0.0.1:3000", &format!("127.0.0.1:{receiver}"));
            if !is_of_the_build {
                writeln!(script, "{line}").unwrap();
            }
        }
    }
    script
}

#[tokio::test]
async fn every_line_of_the_quick_start_runs_and_the_event_arrives_verified() {
    let world = World::new();
    let [server, receiver] = ports().await;
    let script = script(&page::text("quick-start.md"), &receiver);
    let binary = Path::new(env!("CARGO_BIN_EXE_hookyard")).parent().unwrap().to_str().unwrap();
    let script = format!("PATH=\"{binary}:$PATH\"\n{script}");
    let mut shell: Command = world.hookyard_through("timeout", &["60", "bash", "-c", &script]);
    shell.env("HOME", world.path("home"));
    shell.env("HOOKYARD_LISTEN", format!("127.0.0.1:{server}"));
    shell.env("HOOKYARD_URL", format!("http://127.0.0.1:{server}"));
    shell.stdin(Stdio::null());
    // `timeout` ends with the shell whatever it started.
    let ended = timeout(3 * PATIENCE, shell.output()).await.expect("it does not end").unwrap();
    let ran = Ran::from(ended).ok();
    assert!(ran.stdout.contains("signature    verified"), "{ran:#?}");
    assert!(ran.stdout.contains("verified evt_"), "{ran:#?}");
    assert!(
        ran.stdout.lines().any(|it| it.contains("order.created") && it.contains("succeeded")),
        "{ran:#?}"
    );
    assert!(!ran.stdout.contains("REFUSED"), "{ran:#?}");
}
