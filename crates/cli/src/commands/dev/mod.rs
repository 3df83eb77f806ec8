//! `hookyard dev`: the main job in one go. Serves, delivers a sample event to a receiver in the same process, shows what
//! happened and what to try next.

mod check;
mod inbox;
mod sample;
mod story;
mod words;

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use ipnet::{Ipv4Net, Ipv6Net};

use self::inbox::Inbox;
use crate::clock::{SystemChance, SystemClock};
use crate::compose::{self, Materials};
use crate::config::raw::{Listen, LogFormat, Raw};
use crate::config::settings::Settings;
use crate::config::sources::{self, Flags};
use crate::exit::Exit;
use crate::local::Local;
use crate::secrets::Given;
use crate::{output, server, telemetry};

/// Arguments of `dev`.
#[derive(clap::Args)]
pub struct Args {
    /// Address and port to serve on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
    /// Folder of the store [default: a fresh temporary one, gone at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// End after the first delivery: 0 if its signature verified, else 1
    #[arg(long)]
    once: bool,
    /// What is logged: a level, or `target=level` pairs joined by commas [default: warn]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

/// Runs until it is interrupted, or with `--once` until the first delivery.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let temporary = tempfile::Builder::new()
        .prefix("hookyard-dev-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .context("making a temporary folder")?;
    let settings = settings(&args, temporary.path().to_owned())?;
    telemetry::start_logs(&settings.log, settings.log_format)?;
    let mut given = Given::from_env(&sources::environment)?;
    let chance = SystemChance::open()?;
    let operator = given.operator_or_passing(&*chance);
    let metrics = telemetry::start_metrics()?;
    let mut signals = server::Signals::listen()?;
    let listener = server::bind(settings.listen).await?;
    let address = listener.local_addr().context("asking for the port")?;

    let clock = Arc::new(SystemClock);
    let inbox = Inbox::new(clock.clone());
    let materials =
        Materials { settings: &settings, address, given, clock, chance, metrics: metrics.clone() };
    let house = compose::build(materials).await?;
    let open = server::Open {
        listener,
        router: hookyard_http::router_with(house.doors.clone(), house.agents.merge(inbox.router())),
        doors: house.doors,
        running: house.running,
        metrics,
        grace: settings.shutdown_grace,
    };
    let kept = (settings.data != temporary.path()).then_some(settings.data.as_path());
    let operator = Local::new(address, operator.reveal().to_owned());
    server::keep_open(open, &mut signals, async {
        let story = story::play(&operator, &inbox).await?;
        let has_dashboard = hookyard_dashboard::missing().is_none();
        let places = words::Places { base: &operator.base(), kept, has_dashboard };
        output::say(words::tell(&story, &places));
        match (args.once, story.refused) {
            (true, None) => Ok(Exit::Ok),
            (true, Some(_)) => Ok(Exit::Failure),
            (false, _) => std::future::pending().await,
        }
    })
    .await
}

/// What it takes from the environment: how it logs, and nothing else. A server's folder, address and settings file must
/// not be taken over by a demonstration that allows everything.
fn surroundings(name: &str) -> Option<OsString> {
    let is_harmless = matches!(name, "HOOKYARD_LOG" | "HOOKYARD_LOG_FORMAT");
    is_harmless.then(|| sources::environment(name)).flatten()
}

/// Everything is allowed here that a public server must refuse: private networks, plain http.
fn settings(args: &Args, temporary: PathBuf) -> anyhow::Result<Settings> {
    let raw = Raw {
        listen: args.listen,
        data: args.data.clone(),
        log: args.log.clone(),
        log_format: args.log_format,
        ..Raw::default()
    };
    let defaults = Raw {
        data: Some(temporary),
        log: Some("warn".to_owned()),
        shutdown_grace: Some(5),
        ..Raw::default()
    };
    let flags = Flags { config: None, raw };
    let mut settings = sources::load_over(defaults, flags, &surroundings)?;
    settings.allow_http = true;
    settings.allow_networks = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
    Ok(settings)
}
