//! A server in a folder of its own, and a small client for it. What it logged is shown when a test fails.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The operator's key of every server that a test does not give another.
pub const OPERATOR_KEY: &str = "operator-key-of-the-black-box-tests";
/// How long anything may take that takes milliseconds on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that goes away with the test.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The data folder of the server.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The binary, in this folder, with nothing of the surrounding environment that it would read.
    pub fn hookyard(&self, args: &[&str]) -> Command {
        self.hookyard_through(env!("CARGO_BIN_EXE_hookyard"), args)
    }

    /// The same for another program, one that starts the binary.
    pub fn hookyard_through(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).args(args).kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOOKYARD_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[]).await
    }

    /// Runs a command to its end, with variables of the environment.
    pub async fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = self.hookyard(args);
        command.envs(env.iter().copied()).stdin(Stdio::null());
        Ran::from(timeout(PATIENCE, command.output()).await.expect("it does not end").unwrap())
    }

    /// Starts `serve` on a free port, in `data`, with an operator's key, plain http and this machine allowed.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[], &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await
    }

    /// Starts `serve` with more arguments and another environment.
    pub async fn serve_with(&self, args: &[&str], env: &[(&str, &str)]) -> Server {
        let data = self.data();
        let mut all = vec!["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
        all.extend(["--allow-http", "--allow-network", "127.0.0.0/8"]);
        all.extend(args);
        let mut command = self.hookyard(&all);
        command.envs(env.iter().copied());
        Server::start(command, self.path("stderr.log")).await
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// It ended with `code` and said one line on stderr that holds all of `parts`.
    #[track_caller]
    pub fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let lines: Vec<_> = self.stderr.lines().filter(|it| it.starts_with("error: ")).collect();
        assert_eq!(lines.len(), 1, "{self:#?}");
        for part in parts {
            assert!(lines[0].contains(part), "`{part}` is missing in: {}", lines[0]);
        }
    }

    /// It ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// What it said on stdout up to its line of readiness.
    pub greeting: Vec<String>,
    log: PathBuf,
}

impl Server {
    /// Starts the command, its stderr in the file `log`, and waits until it says that it listens.
    pub async fn start(mut command: Command, log: PathBuf) -> Self {
        let stderr = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = Vec::new();
        let address = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.expect("it does not get ready");
            let Some(line) = line.unwrap() else {
                panic!("it ended before it was ready:\n{}", std::fs::read_to_string(&log).unwrap());
            };
            let ready = line.strip_prefix("hookyard listening on http://").map(ToOwned::to_owned);
            greeting.push(line);
            if let Some(address) = ready {
                break address.parse().unwrap();
            }
        };
        Self { child, address, greeting, log }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// A client with a key.
    pub fn client(&self, key: &str) -> Client {
        Client { address: self.address, key: key.to_owned() }
    }

    /// A client with the operator's key.
    pub fn operator(&self) -> Client {
        self.client(OPERATOR_KEY)
    }

    /// The most memory it ever had, in MiB.
    pub fn memory_max_mib(&self) -> u64 {
        let pid = self.child.id().expect("it has ended");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has ended")
    }

    /// Sends it a signal by its name, as in `TERM`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it has ended").to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Ends it as a power cut would.
    pub async fn kill_9(mut self) {
        self.child.kill().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the server at {} ---\n{}", self.address, self.log());
        }
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON, if the status is `status`.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// Speaks HTTP with one server, one connection a request.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: SocketAddr,
    pub key: String,
}

impl Client {
    /// The same server, another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { address: self.address, key: key.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[JSON], Bytes::from(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[JSON], Bytes::from(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[JSON], Bytes::from(body.to_string())).await
    }

    /// Any request at all. The key is sent unless it is empty.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let asked = self.try_send(method, path, headers, body);
        timeout(PATIENCE, asked).await.expect("no answer").expect("the connection broke")
    }

    /// The same, where the server may be gone.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, self.address.to_string());
        if !self.key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        let asking = async {
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await?.to_bytes();
            drop(sender);
            hyper::Result::Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        let (answer, _) = tokio::join!(asking, connection);
        Ok(answer?)
    }

    /// Makes a tenant with a key that may do everything, and answers a client with it. Asks as the operator.
    pub async fn tenant(&self, id: &str) -> Client {
        self.post("/v1/tenants", &json!({ "id": id })).await.expect(201);
        let wanted = json!({ "name": "all", "scopes": ["read", "write", "publish", "admin"] });
        let made = self.post(&format!("/v1/tenants/{id}/api-keys"), &wanted).await.expect(201);
        self.with_key(made["key"].as_str().unwrap())
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// Asks again until the answer is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
