//! `hookyard verify`: does a signature verify, and if not, which part of it differs. Asks no server.

use std::time::Duration;

use anyhow::Context as _;
use hookyard_api::signatures;
use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{self, Received, Trust};
use hookyard_rules::signing::{self, Check, Verification};

use super::scheme::{Line, Named};
use crate::exit::Exit;
use crate::output::{self, Column, Printer};
use crate::remote::{self, input};

/// How far the signed time may be off under a profile when nobody says (standards.md §1).
const TOLERANCE_DEFAULT: Duration = Duration::from_secs(300);

/// Arguments of `verify`.
#[derive(clap::Args)]
pub struct Args {
    /// A profile such as standard or aly, or a provider such as github
    #[arg(long)]
    scheme: String,
    /// The signing secret in the scheme's own form; `@FILE` or `-` reads it
    #[arg(long)]
    secret: String,
    /// The exact body: a text, `@FILE` or `-`
    #[arg(long, value_name = "BODY")]
    data: String,
    /// A header as it was received, `Name: value`; repeatable
    #[arg(long = "header", value_name = "HEADER", value_parser = input::header)]
    headers: Vec<(String, String)>,
    /// All headers as they were received, one on each line: `@FILE` or `-`
    #[arg(long = "headers", value_name = "HEADERS")]
    all_headers: Option<String>,
    /// How far the signed time may be off, such as `5m` [default: the scheme's]
    #[arg(long, value_name = "SPAN", value_parser = input::seconds)]
    tolerance: Option<u64>,
    #[command(flatten)]
    line: Line,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

const COLUMNS: &[Column<Check>] = &[
    ("PART", |it| it.what.replace('_', " ")),
    ("", |it| if it.ok { "ok" } else { "wrong" }.to_owned()),
    ("EXPECTED", |it| it.expected.clone().unwrap_or_default()),
    ("GOT", |it| it.got.clone().unwrap_or_default()),
];

/// Ends with 0 if it verifies, else with 1.
pub fn run(args: &Args) -> Exit {
    let found = match verified(args, remote::now()) {
        Ok(found) => found,
        Err(error) => return remote::report(&error, args.json),
    };
    if args.json {
        output::say(serde_json::to_string(&verdict(&found)).unwrap_or_default());
    } else {
        let word = if found.valid { "valid" } else { "not valid" };
        output::say(format!("{word}: {}", output::printable(&found.reason)));
        output::say("");
        Printer::new(false, &crate::config::sources::environment).table(COLUMNS, &found.checks);
    }
    if found.valid { Exit::Ok } else { Exit::Failure }
}

fn verified(args: &Args, now: Timestamp) -> anyhow::Result<Verification> {
    let named = Named::find(&args.scheme)?;
    let (secret, body) = (input::secret(&args.secret)?, input::bytes(&args.data)?);
    if secret.is_empty() {
        return Err(Exit::Usage.because("a secret is needed"));
    }
    let headers = headers(args)?;
    let tolerance = args.tolerance.map(Duration::from_secs);
    Ok(match named {
        Named::Profile(scheme) => {
            let tolerance = tolerance.unwrap_or(TOLERANCE_DEFAULT);
            signing::verify_signature(scheme, &secret, &headers, &body, tolerance, now)
        }
        Named::Provider(preset) => {
            let Line { url, method } = &args.line;
            let received = Received { method, url, headers: &headers, body: &body };
            inbound::report(
                &preset.recipe,
                &received,
                &Trust { secrets: &[&secret], tolerance, now },
            )
        }
    })
}

/// Headers of both kinds of flag. A first line such as `POST / HTTP/1.1` and empty lines are passed over.
fn headers(args: &Args) -> anyhow::Result<Headers> {
    let mut headers = args.headers.clone();
    if let Some(given) = &args.all_headers {
        let text = String::from_utf8(input::bytes(given)?).context("reading the headers")?;
        for line in text.lines().filter(|it| !it.trim().is_empty()) {
            match line.split_once(':') {
                Some((name, value)) if !name.contains(' ') => {
                    headers.push((name.to_owned(), value.trim().to_owned()));
                }
                Some(_) | None if line.contains("HTTP/") => {}
                Some(_) | None => {
                    let message = format!("this is no header: {}", output::printable(line));
                    return Err(Exit::Usage.because(message));
                }
            }
        }
    }
    Ok(Headers(headers))
}

fn verdict(found: &Verification) -> signatures::Verdict {
    let checks = found.checks.iter().map(|it| signatures::Check {
        what: it.what.to_owned(),
        ok: it.ok,
        expected: it.expected.clone(),
        got: it.got.clone(),
    });
    signatures::Verdict {
        valid: found.valid,
        reason: Some(found.reason.clone()),
        checks: checks.collect(),
    }
}
