//! The programs that the dashboard shows beside a new secret: each is run, in every language that this machine has, against
//! a delivery as the binary signs it, and has to refuse what is not one.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use super::verifying::{on_the_path, runs, signed_by};
use crate::python::python;
use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Scene, text};

/// Profiles by their names, which are those of their schemes.
const SCHEMES: [&str; 4] = ["standard", "aly", "alvys", "aryeo"];

/// What a runner ends with when the program believes a request, and when it does not: neither is what a crash ends with.
const BELIEVED: Option<i32> = Some(0);
const REFUSED: Option<i32> = Some(3);

const NODE: &str = r#"import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";
const [secret, ...lines] = process.argv.slice(2);
const headers = Object.fromEntries(lines.map((it) => it.split(/: (.*)/s).slice(0, 2)));
process.exit(verify(readFileSync(0), headers, secret) ? 0 : 3);
"#;

const PYTHON: &str = r#"import sys
from verify import verify
headers = dict(it.split(": ", 1) for it in sys.argv[2:])
sys.exit(0 if verify(sys.stdin.buffer.read(), headers, sys.argv[1]) else 3)
"#;

const GO: &str = r#"package main

import (
	"io"
	"net/http"
	"os"
	"snippet/receiver"
	"strings"
)

func main() {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	header := http.Header{}
	for _, it := range os.Args[2:] {
		name, value, _ := strings.Cut(it, ": ")
		header.Set(name, value)
	}
	if !receiver.Verify(body, header, os.Args[1]) {
		os.Exit(3)
	}
}
"#;

const RUST: &str = r#"mod verify;
use std::io::Read as _;

fn main() {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).unwrap();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let lines = args[1..].iter().map(|it| it.split_once(": ").unwrap());
    let headers = lines.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    if verify::verify(&body, &headers, &args[0]).is_none() {
        std::process::exit(3);
    }
}
"#;

/// The program that the dashboard shows for a scheme.
fn program(scheme: &str, language: &str) -> String {
    let folder = "../dashboard/ui/src/lib/snippets";
    let path = format!("{}/{folder}/{scheme}.{language}.txt", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Compiles, and says what the compiler said when it did not.
async fn built(mut command: Command, folder: &Path) {
    command.current_dir(folder);
    let (code, said) = runs(command, b"").await;
    assert_eq!(code, Some(0), "{}: {said}", folder.display());
}

/// What runs a program; `None` where the machine does not have its language.
async fn runner(folder: &Path, scheme: &str, language: &str) -> Option<Command> {
    let text = program(scheme, language);
    let folder = &folder.join(scheme).join(language);
    match language {
        "node" => {
            write(folder, "verify.mjs", &text);
            write(folder, "run.mjs", NODE);
            Some(with("node".into(), Some(folder.join("run.mjs"))))
        }
        "python" => {
            write(folder, "verify.py", &text);
            write(folder, "run.py", PYTHON);
            Some(with(python(), Some(folder.join("run.py"))))
        }
        "go" if on_the_path("go") => {
            write(folder, "receiver/receiver.go", &text);
            write(folder, "main.go", GO);
            write(folder, "go.mod", "module snippet\n\ngo 1.18\n");
            let mut go = Command::new("go");
            go.args(["build", "-o", "run", "."])
                .env("GOFLAGS", "-mod=mod")
                .env("GOTOOLCHAIN", "local");
            built(go, folder).await;
            Some(with(folder.join("run"), None))
        }
        "go" => None,
        "rust" => Some(with(rust(folder, scheme, &text).await, None)),
        other => panic!("{other}"),
    }
}

fn with(program: PathBuf, argument: Option<PathBuf>) -> Command {
    let mut command = Command::new(program);
    command.args(argument);
    command
}

/// Builds it with what it says it needs, at the versions this workspace has already.
async fn rust(folder: &Path, scheme: &str, text: &str) -> PathBuf {
    let needs = text.lines().next().and_then(|it| it.strip_prefix("// Cargo.toml: ")).unwrap();
    let manifest = format!(
        "[package]\nname = \"run\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n",
        needs.replace("\", ", "\"\n")
    );
    write(folder, "Cargo.toml", &manifest);
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    std::fs::copy(lock, folder.join("Cargo.lock")).unwrap();
    write(folder, "src/main.rs", RUST);
    write(folder, "src/verify.rs", text);
    // The four share what they are built of.
    let target = folder.parent().and_then(Path::parent).unwrap().join("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline"]).env("CARGO_TARGET_DIR", &target);
    built(cargo, folder).await;
    let named = folder.join(format!("run-{scheme}"));
    std::fs::copy(target.join("debug/run"), &named).unwrap();
    named
}

/// A request, and whether a program has to believe it.
struct Case {
    what: &'static str,
    secret: String,
    headers: Vec<String>,
    body: Vec<u8>,
    believed: bool,
}

fn lines(arrival: &Arrival) -> Vec<String> {
    arrival.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

/// An endpoint of a profile whose receiver proves itself where it has to.
async fn delivering(scene: &Scene, scheme: &str) -> (Value, Receiver) {
    let receiver = Receiver::scripted(|arrival, _| {
        let body = String::from_utf8(arrival.body.clone()).unwrap();
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    let mut settings = json!({ "url": receiver.url(), "events": "*", "profile": scheme });
    if scheme == "aryeo" {
        settings["secret"] = json!("any text at all");
    }
    (scene.acme.endpoint(settings).await, receiver)
}

/// What arrives next.
async fn next(scene: &Scene, receiver: &Receiver) -> Arrival {
    let before = receiver.count();
    scene
        .acme
        .publish(json!({ "type": "order.created", "data": { "note": "é/\u{202e}", "n": 1.0 } }))
        .await;
    receiver.first(before + 1).await.remove(before)
}

async fn cases(scene: &Scene, scheme: &str) -> Vec<Case> {
    let (endpoint, receiver) = delivering(scene, scheme).await;
    let secret = text(&endpoint["secret"]).to_owned();
    let arrival = next(scene, &receiver).await;
    let case = |what, believed, secret: &str, headers: Vec<String>, body: &[u8]| Case {
        what,
        secret: secret.to_owned(),
        headers,
        body: body.to_owned(),
        believed,
    };
    let (headers, body) = (lines(&arrival), &arrival.body[..]);
    let signature = headers.iter().find(|it| it.contains("signature: ")).unwrap().clone();
    let unsigned: Vec<_> = headers.iter().filter(|it| **it != signature).cloned().collect();
    let instead = |value: &str| {
        let name = signature.split(": ").next().unwrap();
        [&unsigned[..], &[format!("{name}: {value}")]].concat()
    };
    let mut cases = vec![
        case("a delivery", true, &secret, headers.clone(), body),
        case("with a longer body", false, &secret, headers.clone(), &[body, b" "].concat()),
        case("with another body", false, &secret, headers.clone(), b"{}"),
        case("by another secret", false, "whsec_AAECAwQFBgcICQoLDA0ODw==", headers.clone(), body),
        case("without its signature", false, &secret, unsigned.clone(), body),
        case("with an empty signature", false, &secret, instead(""), body),
        case("with a signature of no sense", false, &secret, instead("v1,\u{e9}=t,v1=x"), body),
    ];
    if scheme != "aryeo" {
        let late =
            signed_by(&scene.world, scheme, &secret, 400, std::str::from_utf8(body).unwrap()).await;
        cases.push(case("kept and sent again later", false, &secret, late, body));
    }
    if matches!(scheme, "standard" | "alvys") {
        let rotated = scene.acme.ask(&endpoint["id"], "rotate-secret").await;
        let both = next(scene, &receiver).await;
        for (what, secret) in
            [("by the old of two", &secret[..]), ("by the new of two", text(&rotated["secret"]))]
        {
            cases.push(case(what, true, secret, lines(&both), &both.body));
        }
    }
    cases
}

#[tokio::test]
async fn every_program_the_dashboard_shows_knows_a_delivery_from_what_is_none() {
    let scene = Scene::new().await;
    let folder = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        let cases = cases(&scene, scheme).await;
        for language in ["node", "python", "go", "rust"] {
            let Some(runner) = runner(folder.path(), scheme, language).await else {
                println!("this machine has no `{language}`: its program was not run");
                continue;
            };
            for Case { what, secret, headers, body, believed } in &cases {
                let mut command = Command::new(runner.as_std().get_program());
                command.args(runner.as_std().get_args()).arg(secret).args(headers);
                let (code, said) = runs(command, body).await;
                let wanted = if *believed { BELIEVED } else { REFUSED };
                assert_eq!(code, wanted, "{scheme} in {language}: {what}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_shell_sends_is_signed_as_the_gateway_signs() {
    if let Some(lacking) = ["bash", "curl", "openssl", "od"].into_iter().find(|it| !on_the_path(it))
    {
        println!("this machine has no `{lacking}`: nothing was sent");
        return;
    }
    let scene = Scene::new().await;
    for scheme in SCHEMES {
        let secret = match scheme {
            "standard" | "aly" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            _ => "any text at all",
        };
        let receiver = Receiver::start().await;
        let script = program(scheme, "curl").replace("{url}", &format!("'{}'", receiver.url()));
        let mut shell = Command::new("bash");
        shell.args(["-e", "-o", "pipefail", "-c", &script]).env("HOOKYARD_SECRET", secret);
        let (code, said) = runs(shell, b"").await;
        assert_eq!(code, Some(0), "{scheme}: {said}");
        let arrival = receiver.first(1).await.remove(0);
        for (payload, valid) in
            [(arrival.body.clone(), true), ([&arrival.body[..], b" "].concat(), false)]
        {
            let headers: serde_json::Map<_, _> =
                arrival.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let asked = json!({
                "scheme": scheme, "secret": secret, "headers": headers,
                "payload": String::from_utf8(payload).unwrap(),
            });
            let said = scene.acme.0.post("/v1/signatures/verify", &asked).await.expect(200);
            assert_eq!(said["valid"], valid, "{scheme}: {said}");
        }
    }
}
