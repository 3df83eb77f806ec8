//! `docs/cli.md`: its examples are run line by line, and no remote command is without one.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use super::Shell;
use crate::receiver::{Receiver, Reply};
use crate::scene::text;
use crate::world::{OPERATOR_KEY, PATIENCE, until};

/// The lines after `$ `, continued ones joined.
fn examples() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap().replace("\\\n", "");
    page.lines().filter_map(|it| it.strip_prefix("$ ")).map(ToOwned::to_owned).collect()
}

/// The few words of a shell that the page uses: quotes, `NAME=$(… | jq -r .path)`, `export`, `echo … |`, `>`, `&`, `$NAME`.
struct Reader {
    shell: Shell,
    /// What was started with `&`.
    background: Vec<Child>,
    variables: BTreeMap<String, String>,
}

impl Reader {
    fn words(&self, line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for char in line.chars() {
            match char {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                _ => word.push(char),
            }
        }
        words.push(word);
        let given = |word: String| match word.strip_prefix('$') {
            Some(name) => self.variables[name].clone(),
            None => word,
        };
        words.into_iter().filter(|it| !it.is_empty()).map(given).collect()
    }

    /// Starts `hookyard …`, and waits until it is connected.
    async fn start(&mut self, line: &str) {
        let words = self.words(line);
        let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let mut child = self.shell.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let connected = async {
            while let Some(line) = said.next_line().await.unwrap() {
                if line.starts_with("connected") {
                    return;
                }
            }
            panic!("`{line}` ended");
        };
        timeout(PATIENCE, connected).await.expect("it does not connect");
        // Nobody reads on: what it says from here on goes nowhere.
        self.background.push(child);
    }

    /// Runs `hookyard …`; answers what it printed.
    async fn hookyard(&self, line: &str, stdin: &str) -> String {
        let words = self.words(line);
        assert_eq!(words[0], "hookyard", "{line}");
        let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let ran = self.shell.run_with(&args, stdin).await;
        assert_eq!(ran.code, Some(0), "{line}: {ran:#?}");
        ran.stdout
    }

    async fn run(mut self, line: &str) -> Self {
        if let Some(assignment) = line.strip_prefix("export ") {
            let (name, value) = assignment.split_once('=').unwrap();
            let value = self.words(value).remove(0);
            self.shell = self.shell.set(name, &value);
        } else if let Some((name, command)) = line.split_once("=$(") {
            let (command, path) =
                command.strip_suffix(')').unwrap().split_once(" | jq -r ").unwrap();
            let printed: Value = serde_json::from_str(&self.hookyard(command, "").await).unwrap();
            let pointer = path.replace(['.', '['], "/").replace(']', "");
            let value = text(printed.pointer(&pointer).unwrap()).to_owned();
            self.variables.insert(name.to_owned(), value);
        } else if let Some(command) = line.strip_suffix(" &") {
            self.start(command).await;
        } else if let Some(piped) = line.strip_prefix("echo ") {
            let (said, command) = piped.split_once(" | ").unwrap();
            let said = self.words(said).remove(0);
            self.hookyard(command, &said).await;
        } else if let Some((command, file)) = line.split_once(" > ") {
            let printed = self.hookyard(command, "").await;
            std::fs::write(self.shell.scene.world.path(file), printed).unwrap();
        } else {
            self.hookyard(line, "").await;
        }
        self
    }
}

#[tokio::test]
async fn every_example_of_the_page_does_what_it_says() {
    let mut shell = Shell::new().await;
    shell.scene.server.operator().delete("/v1/tenants/acme").await;
    for name in ["HOOKYARD_URL", "HOOKYARD_API_KEY", "HOOKYARD_TENANT"] {
        shell.unset(name);
    }
    let receiver = Receiver::scripted(|arrival, _| {
        let body = String::from_utf8(arrival.body.clone()).unwrap();
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    let (server, hooks) = (shell.scene.server.address.to_string(), receiver.address.to_string());
    let variables = BTreeMap::from([("OPERATOR_KEY".to_owned(), OPERATOR_KEY.to_owned())]);
    let mut reader = Reader { shell, background: Vec::new(), variables };
    for line in examples() {
        let line = line.replace("127.0.0.1:8080", &server).replace("localhost:3000", &hooks);
        if line.contains("events replay events") {
            let kept = reader.shell.scene.world.path("events");
            until("an event that is recorded", async || kept.read_dir().ok()?.next().map(|_| ()))
                .await;
        }
        reader = reader.run(&line).await;
    }
    let shell = reader.shell;
    assert_eq!(
        shell.json(&["event-types", "list", "--limit", "1"]).await["deprecated"],
        json!(false)
    );
    assert!(shell.scene.world.path("deliveries.csv").exists());
    assert!(receiver.count() >= 4, "{}", receiver.count());
}

#[tokio::test]
async fn every_remote_command_has_an_example() {
    let shell = Shell::new().await;
    let examples = examples();
    let mut open = vec![
        "login",
        "tenants",
        "nodes",
        "keys",
        "webhooks",
        "sources",
        "events",
        "jobs",
        "event-types",
        "mcp",
        "listen",
        "tail",
        "sign",
        "verify",
    ]
    .into_iter()
    .map(|it| vec![it.to_owned()])
    .collect::<Vec<_>>();
    let mut leaves = 0;
    while let Some(path) = open.pop() {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = shell.table(&args).await;
        let Some((_, verbs)) = help.split_once("Commands:\n") else {
            leaves += 1;
            let line = format!("hookyard {}", path.join(" "));
            let shown = |it: &&String| format!("{it} ").contains(&format!("{line} "));
            assert!(examples.iter().any(|it| shown(&it)), "docs/cli.md has no example of `{line}`");
            continue;
        };
        let verbs = verbs.lines().take_while(|it| !it.is_empty());
        let verbs = verbs.filter_map(|it| it.split_whitespace().next()).filter(|it| *it != "help");
        open.extend(verbs.map(|verb| [&path[..], &[verb.to_owned()]].concat()));
    }
    assert_eq!(leaves, 45, "a command came or went");
}
