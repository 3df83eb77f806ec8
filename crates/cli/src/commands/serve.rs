//! `hookyard serve`: the server.

use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::{SystemChance, SystemClock};
use crate::compose::{self, Materials};
use crate::config::sources::{self, Flags};
use crate::exit::Exit;
use crate::secrets::Given;
use crate::{output, server, telemetry};

/// Arguments of `serve`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
}

/// Runs until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let settings = sources::load(args.flags, &sources::environment)?;
    let given = Given::from_env(&sources::environment)?;
    given.fit_for(&settings)?;
    telemetry::start_logs(&settings.log, settings.log_format)?;
    let metrics = telemetry::start_metrics()?;
    let mut signals = server::Signals::listen()?;
    server::raise_open_files();
    let chance = SystemChance::open()?;
    // The port first: whoever holds it most likely holds the data folder too, and "in use" says more than "locked".
    let listener = server::bind(settings.listen).await?;
    let address = listener.local_addr().context("asking for the port")?;

    let clock = Arc::new(SystemClock);
    let materials =
        Materials { settings: &settings, address, given, clock, chance, metrics: metrics.clone() };
    let house = compose::build(materials).await?;
    if let Some(key) = &house.operator_key_made {
        output::say(format!("operator key (shown only now, keep it safe): {}", key.reveal()));
    }
    let open = server::Open {
        listener,
        router: hookyard_http::router_with(house.doors.clone(), house.agents),
        doors: house.doors,
        running: house.running,
        metrics,
        grace: settings.shutdown_grace,
    };
    let version = env!("CARGO_PKG_VERSION");
    match settings.database {
        None => tracing::info!(version, %address, data = %settings.data.display(), "serving"),
        Some(_) => tracing::info!(version, %address, "serving from the shared store"),
    }
    server::keep_open(open, &mut signals, async {
        output::say(format!("hookyard listening on http://{address}"));
        std::future::pending().await
    })
    .await
}
