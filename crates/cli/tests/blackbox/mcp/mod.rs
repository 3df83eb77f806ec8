//! The door for agents: both transports, both eras of the protocol, asked by the protocol's own libraries and by hand.

mod agents;
mod bounds;
mod doors;
mod keys;
mod parity;
mod repairs;
mod stdio;

use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::javascript::packages;
use crate::python::python;
use crate::world::{Answer, Client, PATIENCE, Server};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/agent.py");
const JAVASCRIPT: &str = include_str!("../../verifiers/node/agent.mjs");

/// The library an agent is made with, and how it begins.
#[derive(Clone, Copy, Debug)]
enum Library {
    /// For the current protocol.
    Python,
    /// The same library with the handshake of the protocols before.
    PythonLegacy,
    /// It knows the handshake only.
    JavaScript,
}

/// How an agent reaches a server.
#[derive(Clone, Copy, Debug)]
enum Way {
    Http,
    Stdio,
}

/// A program that speaks the protocol by a library of others. It ends when it is dropped.
struct Agent {
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    /// What it learned at the beginning.
    about: Value,
    _child: Child,
}

impl Agent {
    async fn new(library: Library, way: Way, server: &Server, key: &str) -> Self {
        let base = format!("http://{}", server.address);
        let mode = match library {
            Library::Python => "auto",
            Library::PythonLegacy | Library::JavaScript => "legacy",
        };
        let whom = match way {
            Way::Http => json!({ "url": format!("{base}/mcp"), "key": key, "mode": mode }),
            Way::Stdio => json!({
                "command": env!("CARGO_BIN_EXE_hookyard"), "args": ["mcp"], "mode": mode,
                "env": { "HOOKYARD_URL": base, "HOOKYARD_API_KEY": key, "XDG_CONFIG_HOME": "/nonexistent" },
            }),
        };
        let mut command = match library {
            Library::Python | Library::PythonLegacy => {
                let mut command = Command::new(python());
                command.arg(PYTHON);
                command
            }
            Library::JavaScript => {
                let mut command = Command::new("node");
                command.args(["--input-type=module", "--eval", JAVASCRIPT]);
                command.current_dir(packages());
                command
            }
        };
        command
            .arg(whom.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{library:?}: {error}"));
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut agent = Self { stdin, stdout, about: Value::Null, _child: child };
        agent.about = agent.hear().await;
        agent
    }

    async fn tools(&mut self) -> Vec<Value> {
        let listed = self.ask(&json!({ "do": "list" })).await;
        listed["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
    }

    async fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.ask(&json!({ "do": "call", "name": name, "arguments": arguments })).await
    }

    /// What a call that does not fail answers.
    async fn done(&mut self, name: &str, arguments: Value) -> Value {
        done(&self.call(name, arguments).await)
    }

    async fn ask(&mut self, question: &Value) -> Value {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        self.hear().await
    }

    async fn hear(&mut self) -> Value {
        let line = timeout(PATIENCE, self.stdout.next_line()).await.expect("it does not answer");
        serde_json::from_str(&line.unwrap().expect("the agent failed")).unwrap()
    }
}

/// The structured content of a result that is no failure; its text says the same.
#[track_caller]
fn done(result: &Value) -> Value {
    assert_ne!(result["isError"], true, "{result}");
    let structured = &result["structuredContent"];
    assert!(structured.is_object(), "{result}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(&text, structured);
    structured.clone()
}

/// The text of a result that is a failure.
#[track_caller]
fn failed(result: &Value) -> String {
    assert_eq!(result["isError"], true, "{result}");
    assert!(result.get("structuredContent").is_none(), "{result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

/// Posts to `/mcp` by hand.
async fn post(client: &Client, query: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let all = [headers, &[("content-type", "application/json")]].concat();
    client.send(Method::POST, &format!("/mcp{query}"), &all, body.to_owned().into()).await
}

/// Asks with a method by hand; answers its result.
async fn ask(client: &Client, query: &str, method: &str, params: Value) -> Value {
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let answer = post(client, query, &[], &message.to_string()).await.expect(200);
    assert_eq!(answer["id"], 7, "{answer}");
    answer["result"].clone()
}

/// Calls a tool by hand; answers its result, failure or not.
async fn call(client: &Client, name: &str, arguments: Value) -> Value {
    ask(client, "", "tools/call", json!({ "name": name, "arguments": arguments })).await
}

/// The names that are listed.
async fn names(client: &Client, query: &str) -> Vec<String> {
    let listed = ask(client, query, "tools/list", json!({})).await;
    let tools = listed["tools"].as_array().unwrap();
    tools.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}
