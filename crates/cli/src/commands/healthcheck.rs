//! `hookyard healthcheck`: is the server on this machine ready? For images without another program in them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use crate::config::raw::{Listen, Raw};
use crate::config::sources::{self, Flags};
use crate::exit::Exit;
use crate::local::Local;
use crate::output;

/// How long it may take; a supervisor's own patience is usually longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `healthcheck`.
#[derive(clap::Args)]
pub struct Args {
    /// Settings file of the server (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server listens [env: HOOKYARD_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
}

/// Asks `/readyz`: ends with 0 when events can be accepted, with 1 when not, with 8 when nobody answers.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let raw = Raw { listen: args.listen, ..Raw::default() };
    let settings = sources::load(Flags { config: args.config, raw }, &sources::environment)?;
    // The route asks for no key.
    let server = Local::new(settings.listen, String::new());
    let nobody = |why: &str| Exit::Network.because(format!("{}: {why}", server.base()));
    let answer = match timeout(PATIENCE, server.get("/readyz")).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) if Exit::of(&error) == Exit::Network => return Err(error),
        Ok(Err(error)) => return Err(nobody(&format!("{error:#}"))),
        Err(_) => return Err(nobody(&format!("no answer within {} s", PATIENCE.as_secs()))),
    };
    let said = answer.body["status"].as_str().unwrap_or_default();
    let said = output::printable(said);
    if answer.status == 200 {
        output::say(format!("ready: {}", server.base()));
        return Ok(Exit::Ok);
    }
    Err(Exit::Failure.because(format!("not ready: {} {said}", answer.status)))
}
