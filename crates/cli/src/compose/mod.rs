//! Builds the house: store, engine, app, doors. The only place that names adapters.

pub mod moving;
pub mod shared;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use hookyard_app::App;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::{Chance, Clock};
use hookyard_engine::{Engine, Running};
use hookyard_http::{Asset, Dashboard, DoorState, Gauge};
use hookyard_rules::egress::EgressPolicy;
use hookyard_store::Store;
use hookyard_store_postgres::Settings as DatabaseSettings;
pub use hookyard_store_postgres::rehearsal::{Rehearsal, Room};
use hookyard_store_sqlite::SqliteStore;
use hookyard_store_sqlite::backup::{self, BackupError};
use hookyard_store_sqlite::inspect;
pub use hookyard_store_sqlite::inspect::Folder;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::settings::Settings;
use crate::data;
use crate::exit::Exit;
use crate::sealed;
use crate::secrets::Given;

/// What the house is built of.
pub struct Materials<'a> {
    /// Everything that was set.
    pub settings: &'a Settings,
    /// Where it listens.
    pub address: SocketAddr,
    /// The secrets of the environment.
    pub given: Given,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub chance: Arc<dyn Chance>,
    /// What `/metrics` prints.
    pub metrics: PrometheusHandle,
}

/// The house, running but with its doors still closed.
pub struct House {
    /// The engine.
    pub running: Running,
    /// The doors.
    pub doors: DoorState,
    /// The door for agents, to be mounted beside them.
    pub agents: Router,
    /// The operator's key, where this start made it.
    pub operator_key_made: Option<Secret>,
}

/// Opens the store and builds everything upon it.
pub async fn build(materials: Materials<'_>) -> anyhow::Result<House> {
    let Materials { settings, address, given, clock, chance, metrics } = materials;
    data::keep_private();
    given.fit_for(settings)?;
    let (master, operator) = given.apart();
    let (store, keyring) = match &settings.database {
        None => {
            data::prepare(&settings.data)?;
            let store = open_store(&settings.data).await?;
            let keyring = master.keyring(&settings.data, &*store, &*chance).await?;
            (store, keyring)
        }
        Some(database) => {
            let store = shared::open(database, address).await?;
            let keyring = master.shared(&*store).await?;
            (store, keyring)
        }
    };
    let anew = sealed::anew(&*store, &keyring, &*chance).await?;
    if keyring.is_rotating() {
        let sealed::Anew { endpoints, sources, shut } = anew;
        tracing::info!(
            endpoints,
            sources,
            shut,
            "sealed with the newest master key what an older one had sealed"
        );
    }
    let egress = Arc::new(EgressPolicy {
        allow: settings.allow_networks.clone(),
        allow_http: settings.allow_http,
    });
    let running = Engine::start(hookyard_engine::Parts {
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        chance: Arc::clone(&chance),
        keyring: Arc::clone(&keyring),
        egress: Arc::clone(&egress),
        settings: engine_settings(settings),
    })
    .await
    .context("starting the engine")?;
    let engine = Arc::clone(&running.engine);
    // After everything that may fail: a key that was made, kept and never shown would lock its operator out.
    let (operator_key, operator_key_made) = operator.hash(&*store, &*chance).await?;
    let app = App::new(hookyard_app::Parts {
        store,
        engine: Arc::clone(&engine),
        clock,
        chance: Arc::clone(&chance),
        keyring,
        egress,
        operator_key,
    });
    let doors = DoorState::new(hookyard_http::Parts {
        app: app.clone(),
        public_url: settings.public_url.clone(),
        chance,
        metrics: Some(metrics),
        gauges: Arc::new(move || gauges(&engine)),
        dashboard: dashboard(settings),
    });
    let agents = hookyard_mcp::router(hookyard_mcp::Parts {
        app,
        api: hookyard_http::native::router(&doors),
        public_url: settings.public_url.clone(),
    });
    Ok(House { running, doors, agents, operator_key_made })
}

/// The pages, as the doors serve them.
fn dashboard(settings: &Settings) -> Dashboard {
    if let Some(why) = hookyard_dashboard::missing() {
        tracing::info!(why, "the dashboard is not part of this build");
    }
    let asset = |it: &hookyard_dashboard::File| {
        (it.path, Asset { plain: it.plain, brotli: it.brotli, gzip: it.gzip })
    };
    Dashboard {
        index: hookyard_dashboard::index(),
        assets: hookyard_dashboard::files().iter().map(asset).collect(),
        portal_frame_ancestors: settings.portal_frame_ancestors.clone(),
    }
}

/// Opens the embedded store for this process alone, its schema brought up to date.
pub async fn open_store(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let shown = folder.display().to_string();
    let dir = folder.to_owned();
    let store = blocking(move || SqliteStore::open(&dir)).await?;
    let store = store.with_context(|| format!("opening the store in {shown}"))?;
    Ok(store)
}

/// Takes an empty database for the bench.
pub async fn rehearse(url: &Secret) -> anyhow::Result<Rehearsal> {
    let opened = Rehearsal::open(&DatabaseSettings::new(url.clone())).await;
    opened.context("taking the database of `--database-url`")
}

/// Who has the embedded store's folder at the moment.
pub fn folder(folder: &Path) -> anyhow::Result<Folder> {
    inspect::folder(folder).with_context(|| format!("looking into {}", folder.display()))
}

/// The schema version of the embedded store; 0 where there is none.
pub fn schema_version(folder: &Path) -> anyhow::Result<u32> {
    inspect::schema_version(folder)
        .with_context(|| format!("reading the store in {}", folder.display()))
}

/// The schema version that this binary works with.
pub fn schema_version_known() -> u32 {
    inspect::schema_version_known()
}

/// What is damaged in the embedded store.
pub async fn quick_check(folder: &Path) -> anyhow::Result<Vec<String>> {
    let dir = folder.to_owned();
    Ok(blocking(move || inspect::quick_check(&dir)).await??)
}

/// Copies the embedded store to a file.
pub async fn back_up(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let (dir, to) = (folder.to_owned(), file.to_owned());
    blocking(move || backup::backup(&dir, &to)).await?.map_err(coded)
}

/// Puts a copy of the embedded store into an empty folder.
pub async fn restore(file: &Path, folder: &Path) -> anyhow::Result<()> {
    let (from, dir) = (file.to_owned(), folder.to_owned());
    blocking(move || backup::restore(&from, &dir)).await?.map_err(coded)
}

/// What would overwrite something is refused; everything else failed.
fn coded(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::HoldsStore(_) => Exit::Refused.because(error.to_string()),
        BackupError::NoStore(_)
        | BackupError::NotABackup(_)
        | BackupError::Damaged(..)
        | BackupError::Io(..)
        | BackupError::Store(_) => error.into(),
    }
}

/// Runs what waits for the disk where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("working with the store")
}

fn engine_settings(settings: &Settings) -> hookyard_engine::Settings {
    let usual = hookyard_engine::Settings::default();
    hookyard_engine::Settings {
        in_flight_max: settings.in_flight_max.unwrap_or(usual.in_flight_max),
        node_lease: settings.database.as_ref().map_or(usual.node_lease, |it| it.lease),
        ..usual
    }
}

fn gauges(engine: &Engine) -> Vec<Gauge> {
    let seen = engine.gauges();
    let count = |name, help, value: usize| Gauge { name, help, value: value as f64 };
    vec![
        count("hookyard_engine_in_flight", "Attempts under way.", seen.in_flight),
        count("hookyard_engine_lanes", "Endpoints with something owed.", seen.lanes),
        count("hookyard_engine_queued", "Deliveries held in memory.", seen.queued),
        count(
            "hookyard_engine_overflowing",
            "Endpoints with more owed in the store than in memory.",
            seen.overflowing,
        ),
        count("hookyard_engine_unrecorded", "Outcomes that are not on disk yet.", seen.unrecorded),
        Gauge {
            name: "hookyard_nodes",
            help: "Nodes that serve from the store and have shown so within the lease.",
            value: f64::from(seen.nodes),
        },
        Gauge {
            name: "hookyard_engine_held_bytes",
            help: "Bytes that deliveries held in memory take, about.",
            value: seen.held_bytes as f64,
        },
    ]
}
