//! `docs/verify-signatures.md`: each program, in every language that this machine has, against what the binary signs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::page;
use crate::python::python;
use crate::world::World;

/// A language of the page.
struct Language {
    fence: &'static str,
    file: &'static str,
    /// What runs the file.
    runner: &'static [&'static str],
}

const fn language(
    fence: &'static str,
    file: &'static str,
    runner: &'static [&'static str],
) -> Language {
    Language { fence, file, runner }
}

const LANGUAGES: [Language; 8] = [
    language("python", "verify.py", &["python3"]),
    language("js", "verify.mjs", &["node"]),
    language("go", "verify.go", &["go", "run"]),
    language("java", "Verify.java", &["java"]),
    language("php", "verify.php", &["php"]),
    language("ruby", "verify.rb", &["ruby"]),
    language("perl", "verify.pl", &["perl"]),
    language("bash", "verify.sh", &["bash"]),
];

/// What the gate brings along, and so is never passed over.
const ALWAYS: [&str; 2] = ["python", "js"];

/// A compiler may be among them.
const PATIENCE: Duration = Duration::from_secs(120);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const BODY: &str = "{\"a\": \"é/\", \"n\": 1.0}";

#[expect(
    clippy::disallowed_methods,
    reason = "which languages there are is told by the environment"
)]
pub fn on_the_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|it| it.join(program).is_file())
}

/// Ends with 0 when the program says that the signature is good.
pub async fn runs(mut command: Command, stdin: &[u8]) -> (Option<i32>, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // It may have made up its mind before.
    let _ = pipe.write_all(stdin).await;
    drop(pipe);
    let ended =
        timeout(PATIENCE, child.wait_with_output()).await.expect("it does not end").unwrap();
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "the programs that are tested read the real clock")]
fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Headers that the binary signs a body with: the id, the time, the signature.
async fn signed(world: &World, secret: &str, seconds_ago: i64, body: &str) -> [String; 3] {
    let mut args =
        vec!["sign", "--scheme", "standard", "--secret", secret, "--data", body, "--json"];
    let when = (now_s() - seconds_ago).to_string();
    args.extend(["--timestamp", &when]);
    let printed: Value = serde_json::from_str(&world.run(&args).await.ok().stdout).unwrap();
    ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| printed["headers"][name].as_str().unwrap().to_owned())
}

/// Headers that the binary signs a body with at some time, as lines, whatever the scheme.
pub async fn signed_by(
    world: &World,
    scheme: &str,
    secret: &str,
    seconds_ago: i64,
    body: &str,
) -> Vec<String> {
    let when = (now_s() - seconds_ago).to_string();
    let args = [
        "sign",
        "--scheme",
        scheme,
        "--secret",
        secret,
        "--data",
        body,
        "--timestamp",
        &when,
        "--json",
    ];
    let printed: Value = serde_json::from_str(&world.run(&args).await.ok().stdout).unwrap();
    let headers = printed["headers"].as_object().unwrap().iter();
    headers
        .map(|(name, value)| format!("{}: {}", name.to_lowercase(), value.as_str().unwrap()))
        .collect()
}

struct Case {
    what: &'static str,
    args: [String; 4],
    body: String,
    good: bool,
}

async fn cases(world: &World) -> Vec<Case> {
    let case = |what, good, [id, time, signature]: [String; 3], body: &str| {
        let args = [SECRET.to_owned(), id, time, signature];
        Case { what, args, body: body.to_owned(), good }
    };
    let right = signed(world, SECRET, 0, BODY).await;
    let wrong = signed(world, OTHER, 0, BODY).await;
    let with = |signature: String| [right[0].clone(), right[1].clone(), signature];
    let both = format!("{} v1a,AAAA {}", wrong[2], right[2]);
    let bare = right[2].trim_start_matches("v1,").to_owned();
    vec![
        case("a good signature", true, right.clone(), BODY),
        case("one of several", true, with(both), BODY),
        case("another body", false, right.clone(), "{\"a\": \"é/\", \"n\": 1}"),
        case("another secret", false, wrong, BODY),
        case("too old", false, signed(world, SECRET, 400, BODY).await, BODY),
        case("from the future", false, signed(world, SECRET, -400, BODY).await, BODY),
        case("no time", false, [right[0].clone(), "soon".into(), right[2].clone()], BODY),
        case("no signature", false, with(String::new()), BODY),
        case("an empty signature", false, with("v1,".into()), BODY),
        case("no version", false, with(bare.clone()), BODY),
        case("another version", false, with(format!("v2,{bare}")), BODY),
    ]
}

fn command(world: &World, it: &Language, file: &Path) -> Command {
    let program = if it.fence == "python" { python() } else { PathBuf::from(it.runner[0]) };
    let mut command = Command::new(program);
    command.args(&it.runner[1..]).arg(file).current_dir(world.path(""));
    command
}

#[tokio::test]
async fn every_program_of_the_page_knows_good_signatures_from_bad_ones() {
    let world = World::new();
    let page = page::text("verify-signatures.md");
    let cases = cases(&world).await;
    for it in LANGUAGES {
        let text = page::block(&page, it.fence);
        if !ALWAYS.contains(&it.fence) && !on_the_path(it.runner[0]) {
            println!("this machine has no `{}`: its program was not run", it.runner[0]);
            continue;
        }
        let file = world.path(it.file);
        std::fs::write(&file, text).unwrap();
        for Case { what, args, body, good } in &cases {
            let mut command = command(&world, &it, &file);
            command.args(args);
            let (code, stderr) = runs(command, body.as_bytes()).await;
            assert_eq!(code, Some(i32::from(!good)), "{}: {what}: {stderr}", it.fence);
        }
    }
}

#[test]
fn every_language_of_the_page_is_run() {
    let page = page::text("verify-signatures.md");
    for block in page::blocks(&page) {
        let known = LANGUAGES.iter().any(|it| it.fence == block.language);
        assert!(known || block.language == "console", "{}", block.language);
    }
}
