//! `hookyard doctor`: looks at everything a server needs, changes nothing, says what is wrong and what to do.

mod database;
mod health;
mod machine;
mod place;

use serde_json::{Value, json};

use crate::config::settings::Settings;
use crate::config::sources::{self, Flags};
use crate::exit::Exit;
use crate::output;
use crate::secrets::Given;

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the report.
struct Check {
    what: &'static str,
    state: State,
    said: String,
}

impl Check {
    fn ok(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, state: State::Ok, said: said.into() }
    }

    fn warn(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, state: State::Warn, said: said.into() }
    }

    fn fail(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, state: State::Fail, said: said.into() }
    }
}

/// Runs every check; ends with 1 if one fails, with 2 if it is the configuration.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let (settings, given) = match read(args.flags) {
        Ok(read) => read,
        Err(error) => {
            report(&[Check::fail("configuration", format!("{error:#}"))], args.json);
            return Ok(Exit::Usage);
        }
    };
    let mut checks = vec![Check::ok("configuration", summary(&settings))];
    match &settings.database {
        None => checks.extend(place::checks(&settings, given).await),
        Some(it) => checks.extend(database::checks(it, given).await),
    }
    checks.extend(machine::checks(&settings));
    report(&checks, args.json);
    let failed = checks.iter().any(|it| it.state == State::Fail);
    Ok(if failed { Exit::Failure } else { Exit::Ok })
}

fn read(flags: Flags) -> anyhow::Result<(Settings, Given)> {
    let settings = sources::load(flags, &sources::environment)?;
    Ok((settings, Given::from_env(&sources::environment)?))
}

fn summary(settings: &Settings) -> String {
    let public = settings.public_url.as_deref().unwrap_or("the request's origin");
    let store = match &settings.database {
        None => format!("data in {}", settings.data.display()),
        Some(_) => "data in a shared database".to_owned(),
    };
    format!(
        "listen on {}, {store}, public URL: {public}, shutdown grace {} s",
        settings.listen,
        settings.shutdown_grace.as_secs()
    )
}

fn report(checks: &[Check], as_json: bool) {
    if as_json {
        let rows: Vec<Value> = checks
            .iter()
            .map(|it| json!({ "check": it.what, "state": it.state.as_str(), "message": it.said }))
            .collect();
        let good = checks.iter().all(|it| it.state != State::Fail);
        output::say(json!({ "ok": good, "checks": rows }).to_string());
        return;
    }
    let width = checks.iter().map(|it| it.what.len()).max().unwrap_or(0);
    for Check { what, state, said } in checks {
        output::say(format!("{:4}  {what:width$}  {said}", state.as_str()));
    }
}
