//! A provider's own library, in a process of its own that is asked line by line.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::javascript::packages;
use crate::python::python;
use crate::world::PATIENCE;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/inbound.py");
const JAVASCRIPT: &str = include_str!("../../../verifiers/node/inbound.mjs");

/// What the library is written in.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    Python,
    JavaScript,
}

/// A request of a provider. Names of headers are in small letters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// A running library. It ends when it is dropped.
pub struct Library {
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Library {
    pub fn of(provider: &str, language: Language) -> Self {
        let mut command = match language {
            Language::Python => {
                let mut command = Command::new(python());
                command.args([PYTHON, provider]);
                command
            }
            Language::JavaScript => {
                let mut command = Command::new("node");
                command.args(["--input-type=module", "--eval", JAVASCRIPT, provider]);
                command.current_dir(packages());
                command
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{language:?}: {error}"));
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { stdin, stdout, _child: child }
    }

    /// The request as the provider would have sent it `age_s` seconds ago.
    pub async fn sign(&mut self, request: &Request, secret: &str, age_s: i64) -> Request {
        let more = json!({ "do": "sign", "secret": secret, "age_s": age_s });
        serde_json::from_value(self.ask(request, more).await).unwrap()
    }

    /// Whether a receiver who uses the library would take the request.
    pub async fn takes(&mut self, request: &Request, secret: &str) -> bool {
        let answer = self.ask(request, json!({ "do": "verify", "secret": secret })).await;
        answer["valid"].as_bool().unwrap()
    }

    async fn ask(&mut self, request: &Request, more: Value) -> Value {
        let mut question = json!(request);
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        let answer = timeout(PATIENCE, self.stdout.next_line()).await.expect("it does not answer");
        let answer = answer.unwrap().unwrap_or_else(|| panic!("the library failed at {question}"));
        serde_json::from_str(&answer).unwrap()
    }
}
