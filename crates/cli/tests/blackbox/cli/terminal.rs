//! What only happens on a terminal: questions, and headings in bold.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Child;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::timeout;

use super::Shell;
use crate::world::{OPERATOR_KEY, PATIENCE};

/// What stood on the terminal, and the exit code.
struct Shown {
    text: String,
    code: Option<i32>,
}

impl Shell {
    /// Runs a command on a terminal of its own. Each answer is typed once the text before it has been shown.
    async fn on_a_terminal(&self, args: &[&str], answers: &[(&str, &str)]) -> Shown {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let theirs =
            open(ptsname(&ours, Vec::new()).unwrap(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let theirs = File::from(theirs.unwrap());
        let mut command = self.command(args).into_std();
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs);
        let child = command.spawn().unwrap();
        // It holds the other end of the terminal, which must be the child's alone for its end to be seen.
        drop(command);
        let answers = answers.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
        let watching = tokio::task::spawn_blocking(move || watch(File::from(ours), child, answers));
        timeout(PATIENCE, watching).await.expect("it does not end").unwrap()
    }
}

fn watch(mut terminal: File, mut child: Child, mut answers: Vec<(String, String)>) -> Shown {
    let (mut seen, mut piece) = (Vec::new(), [0_u8; 4096]);
    // When the last who holds the other end is gone, reading fails.
    while let Ok(read @ 1..) = terminal.read(&mut piece) {
        seen.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((_, answer)) = answers.first().filter(|it| text.contains(&it.0)) {
            terminal.write_all(answer.as_bytes()).unwrap();
            answers.remove(0);
        }
    }
    let code = child.wait().unwrap().code();
    Shown { text: String::from_utf8(seen).unwrap(), code }
}

#[tokio::test]
async fn a_key_that_is_typed_is_not_shown_and_giving_up_saves_nothing() {
    let mut shell = Shell::new().await;
    shell.unset("HOOKYARD_API_KEY").unset("HOOKYARD_TENANT");
    let given_up = shell.on_a_terminal(&["login"], &[("API key", "abc\u{3}")]).await;
    assert_eq!(given_up.code, Some(1), "{}", given_up.text);
    assert!(!shell.scene.world.path("config").exists());

    let (start, end) = OPERATOR_KEY.split_at(12);
    let typed = format!("{start}zz\u{7f}\u{7f}{end}\r");
    let saved = shell.on_a_terminal(&["login"], &[("API key", &typed)]).await;
    assert_eq!(saved.code, Some(0), "{}", saved.text);
    assert!(saved.text.contains("Saved `default`"), "{}", saved.text);
    assert!(!saved.text.contains(start) && !saved.text.contains(end), "{}", saved.text);
    shell.table(&["tenants", "list"]).await;
}

#[tokio::test]
async fn deleting_a_tenant_asks_for_its_name() {
    let shell = Shell::operator().await;
    let delete = ["tenants", "delete", "acme"];
    let kept = shell.on_a_terminal(&delete, &[("Type its name", "other\n")]).await;
    assert_eq!(kept.code, Some(1), "{}", kept.text);
    shell.table(&["tenants", "get", "acme"]).await;
    let deleted = shell.on_a_terminal(&delete, &[("Type its name", "acme\n")]).await;
    assert_eq!(deleted.code, Some(0), "{}", deleted.text);
    shell.fails(&["tenants", "get", "acme"], 5).await;
}

#[tokio::test]
async fn headings_are_bold_on_a_terminal_that_may_have_it() {
    let shell = Shell::operator().await;
    let list = ["tenants", "list"];
    assert!(shell.on_a_terminal(&list, &[]).await.text.starts_with("\u{1b}[1mID"));
    let shell = shell.set("NO_COLOR", "1");
    assert!(shell.on_a_terminal(&list, &[]).await.text.starts_with("ID"));
    assert!(shell.table(&list).await.starts_with("ID"));
}

#[tokio::test]
async fn what_others_wrote_cannot_steer_the_terminal_and_a_reader_may_leave_early() {
    let shell = Shell::new().await;
    let name = "\u{202e}red";
    shell
        .json(&[
            "webhooks",
            "create",
            "--url",
            "https://a.example/",
            "--event",
            "*",
            "--name",
            name,
        ])
        .await;
    let shown = shell.table(&["webhooks", "list"]).await;
    assert!(shown.contains("\\u{202e}red") && !shown.contains(name), "{shown:?}");
    shell.scene.acme.orders(0..300).await;
    // As in `hookyard events list | head -n 1`: stdout is gone before the first page is there.
    let mut command = shell.command(&["events", "list", "--json"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended =
        timeout(PATIENCE, child.wait_with_output()).await.expect("it does not end").unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}
