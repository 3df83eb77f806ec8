//! The remote commands: each against a running server, as a table and as JSON, with its exit codes.

mod deliveries;
mod docs;
mod events;
mod exits;
mod jobs;
mod keys;
mod listen;
mod login;
mod nodes;
mod offline;
mod sources;
mod tail;
mod tenants;
mod terminal;
mod webhooks;
mod wire;

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::scene::Scene;
use crate::world::{OPERATOR_KEY, PATIENCE, Ran};

/// Somebody at a shell, in whose environment server, key and tenant stand.
pub struct Shell {
    pub scene: Scene,
    env: Vec<(String, String)>,
}

impl Shell {
    /// With a key of `acme` that may do everything.
    pub async fn new() -> Self {
        Self::over(Scene::new().await)
    }

    /// The same in a scene that is there already.
    pub fn over(scene: Scene) -> Self {
        let key = scene.acme.0.key.clone();
        let url = format!("http://{}", scene.server.address);
        let env = [("HOOKYARD_URL", url), ("HOOKYARD_API_KEY", key)];
        let shell = Self { scene, env: env.map(|(name, value)| (name.to_owned(), value)).into() };
        shell.set("HOOKYARD_TENANT", "acme")
    }

    /// With the operator's key.
    pub async fn operator() -> Self {
        Self::new().await.set("HOOKYARD_API_KEY", OPERATOR_KEY)
    }

    /// The same with a variable.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.unset(name).env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.env.retain(|(it, _)| it != name);
        self
    }

    /// A command in this environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.world.hookyard(args);
        command.env("XDG_CONFIG_HOME", self.scene.world.path("config"));
        command.env("XDG_STATE_HOME", self.scene.world.path("state"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "").await
    }

    /// The same, with a text on its stdin.
    pub async fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // Nobody has to read it.
        let _ = pipe.write_all(stdin.as_bytes()).await;
        drop(pipe);
        let ended = timeout(PATIENCE, child.wait_with_output()).await;
        Ran::from(ended.expect("it does not end").unwrap())
    }

    /// What a command that ends well prints.
    pub async fn table(&self, args: &[&str]) -> String {
        self.run(args).await.ok().stdout
    }

    /// The one document that a command prints with `--json`.
    pub async fn json(&self, args: &[&str]) -> Value {
        let mut lines = self.lines(args).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    /// The JSON Lines that a command prints.
    pub async fn lines(&self, args: &[&str]) -> Vec<Value> {
        let printed = self.table(&[args, &["--json"]].concat()).await;
        printed.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// A command fails with this code, as a line and as a document, and prints nothing on stdout; answers the document.
    pub async fn fails(&self, args: &[&str], code: i32) -> Value {
        let ran = self.run(args).await;
        ran.refused(code, &[]);
        assert_eq!(ran.stdout, "");
        let ran = self.run(&[args, &["--json"]].concat()).await;
        assert_eq!((ran.code, &*ran.stdout), (Some(code), ""), "{ran:#?}");
        let document: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(document["error"]["exit"], code, "{document}");
        document["error"].clone()
    }
}

/// The cells of a table's line, which stand two spaces or more apart.
pub fn cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect()
}

/// The value of a field in what `get` prints.
#[track_caller]
pub fn field<'a>(printed: &'a str, name: &str) -> &'a str {
    let line = printed.lines().find(|it| it.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no `{name}` in:\n{printed}"))[name.len()..].trim()
}
