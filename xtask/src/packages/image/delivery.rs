//! One event through a server that runs, by the binary's own commands, to a receiver that believes a good signature alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::packages::dist::{self, text};
use crate::run::{command, quietly};

const TENANT: &str = "acme";
/// For a delivery to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `GET` answers, head and body.
pub fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("connecting")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading an answer")?;
    Ok(answer)
}

/// A command of the binary's, as somebody with this key.
fn hookyard(port: u16, key: &str, arguments: &[&str]) -> Result<Command> {
    let binary = dist::folder().join("hookyard");
    let mut command = command(text(&binary)?, arguments);
    command.env("HOOKYARD_URL", format!("http://127.0.0.1:{port}"));
    command.env("HOOKYARD_API_KEY", key).env("HOOKYARD_TENANT", TENANT);
    Ok(command)
}

/// A request that came: its headers, a line each, and its body.
struct Came {
    headers: String,
    body: Vec<u8>,
}

/// Takes one request and answers 204.
fn taken(listener: &TcpListener) -> Result<Came> {
    let (stream, _) = listener.accept().context("waiting for a delivery")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let (mut headers, mut length) = (String::new(), 0);
    reader.read_line(&mut String::new())?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("the length of a delivery")?;
        }
        headers.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).context("reading a delivery")?;
    reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
    Ok(Came { headers, body })
}

/// Publishes an event, and looks at what comes of it.
pub fn one(port: u16, operator_key: &str) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening")?;
    let to = format!("http://127.0.0.1:{}/hooks", listener.local_addr()?.port());
    let json = |arguments: &[&str]| -> Result<Value> {
        let printed = quietly(hookyard(port, operator_key, arguments)?.arg("--json"))?;
        serde_json::from_slice(&printed).context("reading what the binary prints")
    };
    json(&["tenants", "create", TENANT])?;
    let made = json(&["webhooks", "create", "--url", &to, "--event", "order.*"])?;
    let secret = made["secret"].as_str().context("a new webhook has no secret")?;
    let event = json(&["events", "publish", "order.created", "--data", r#"{"n": 1.0}"#])?;
    // Accepted whenever the delivery comes: the connection waits in the listener's queue.
    let came = taken(&listener)?;
    let id = event["id"].as_str().context("an event without an id")?;
    ensure!(came.headers.contains(id), "the delivery is not of {id}: {}", came.headers);
    let folder = dist::folder();
    let (body, headers) = (folder.join("body"), folder.join("headers"));
    std::fs::write(&body, &came.body)?;
    std::fs::write(&headers, &came.headers)?;
    let arguments = [
        "verify",
        "--scheme",
        "standard",
        "--secret",
        secret,
        "--data",
        &format!("@{}", text(&body)?),
        "--headers",
        &format!("@{}", text(&headers)?),
    ];
    let verdict = quietly(hookyard(port, operator_key, &arguments)?.stderr(Stdio::inherit()))?;
    let verdict = String::from_utf8_lossy(&verdict).into_owned();
    ensure!(verdict.starts_with("valid"), "the delivery's signature: {verdict}");
    Ok(())
}
