//! Settings as they are used: every source merged, every default filled in, every bound checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use hookyard_domain::secret::Secret;
use ipnet::IpNet;

use super::raw::{LogFormat, Raw};
use crate::exit::Exit;

/// Where the server listens unless told otherwise (contract §1).
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Where the embedded store is unless told otherwise (contract §1).
pub const DATA_DEFAULT: &str = "./hookyard-data";
/// Seconds for attempts in flight at shutdown unless told otherwise (contract §1).
const SHUTDOWN_GRACE_S_DEFAULT: u64 = 30;
/// An hour: longer is a typing error, and orchestrators kill long before.
const SHUTDOWN_GRACE_S_MAX: u64 = 3600;
/// Attempts in flight at most: each costs a socket, and processes get no more than about a million.
const IN_FLIGHT_MAX: u64 = 1_000_000;

/// Connections to the database unless told otherwise.
const CONNECTIONS_DEFAULT: u64 = 8;
/// A server of ordinary size gives no more to everybody together.
const CONNECTIONS_MAX: u64 = 1000;
/// Seconds a statement may take unless told otherwise.
const STATEMENT_TIMEOUT_S_DEFAULT: u64 = 30;
const STATEMENT_TIMEOUT_S_MAX: u64 = 3600;
/// Seconds a node may be silent unless told otherwise.
const NODE_LEASE_S_DEFAULT: u64 = 15;
/// Less than a few heartbeats, and a slow moment of the database looks like a dead node.
const NODE_LEASE_S_MIN: u64 = 3;
const NODE_LEASE_S_MAX: u64 = 3600;
/// Characters of a node's name.
const NODE_NAME_MAX: usize = 100;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Folder of the embedded store.
    pub data: PathBuf,
    /// The shared store, where one is used in place of the embedded one.
    pub database: Option<Database>,
    /// What receive URLs show; `None` is the request's origin.
    pub public_url: Option<String>,
    /// Exceptions to the outbound address policy.
    pub allow_networks: Vec<IpNet>,
    /// Endpoint URLs may be plain http.
    pub allow_http: bool,
    /// Who may show the portal in a frame, as a Content-Security-Policy names them.
    pub portal_frame_ancestors: Vec<String>,
    /// How long attempts in flight may take when the server stops.
    pub shutdown_grace: Duration,
    /// Attempts in flight at once; `None` is the engine's own bound.
    pub in_flight_max: Option<usize>,
    /// What is logged.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// The shared store, and this process among those that serve from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where it is.
    pub url: Secret,
    /// Certificates it may prove itself by.
    pub ca: Option<PathBuf>,
    /// Connections for everything but commits and hints.
    pub connections: usize,
    /// What takes longer is broken off.
    pub statement_timeout: Duration,
    /// A pooler stands between.
    pub pooler: bool,
    /// The node's name; `None` is made of the machine's and the port.
    pub node_name: Option<String>,
    /// How long a node may be silent before others take over.
    pub lease: Duration,
}

impl Database {
    /// What was said of it; `None` where there is none.
    fn of(raw: &mut Raw) -> anyhow::Result<Option<Self>> {
        let Some(url) = raw.database_url.take() else {
            let idle = [
                ("database-ca", raw.database_ca.is_some()),
                ("database-connections", raw.database_connections.is_some()),
                ("database-statement-timeout", raw.database_statement_timeout.is_some()),
                ("database-pooler", raw.database_pooler.is_some()),
                ("node-name", raw.node_name.is_some()),
                ("node-lease", raw.node_lease.is_some()),
            ];
            return match idle.iter().find(|(_, set)| *set) {
                None => Ok(None),
                Some((flag, _)) => Err(Exit::Usage.because(format!(
                    "`--{flag}` is set without `--database-url`; name the database too, or leave it out"
                ))),
            };
        };
        let scheme = url.0.reveal().split_once("://").map(|it| it.0);
        if !matches!(scheme, Some("postgres" | "postgresql")) {
            return Err(Exit::Usage.because(
                "`--database-url`: use an address such as `postgres://user@host:5432/name`",
            ));
        }
        let connections = raw.database_connections.unwrap_or(CONNECTIONS_DEFAULT);
        bounded("database-connections", connections, 1, CONNECTIONS_MAX)?;
        let timeout = raw.database_statement_timeout.unwrap_or(STATEMENT_TIMEOUT_S_DEFAULT);
        bounded("database-statement-timeout", timeout, 1, STATEMENT_TIMEOUT_S_MAX)?;
        let lease = raw.node_lease.unwrap_or(NODE_LEASE_S_DEFAULT);
        bounded("node-lease", lease, NODE_LEASE_S_MIN, NODE_LEASE_S_MAX)?;
        let name = raw.node_name.take();
        if name.as_ref().is_some_and(|it| !is_node_name(it)) {
            return Err(Exit::Usage.because(format!(
                "`--node-name`: use 1 to {NODE_NAME_MAX} letters, digits, `.`, `-`, `_` or `:`"
            )));
        }
        Ok(Some(Self {
            url: url.0,
            ca: raw.database_ca.take(),
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            statement_timeout: Duration::from_secs(timeout),
            pooler: raw.database_pooler.unwrap_or(false),
            node_name: name,
            lease: Duration::from_secs(lease),
        }))
    }
}

impl Settings {
    /// The command works on the embedded store alone; `instead` is what to do for a shared one.
    pub fn must_be_embedded(&self, command: &str, instead: &str) -> anyhow::Result<()> {
        match self.database {
            None => Ok(()),
            Some(_) => Err(Exit::Usage.because(format!(
                "`hookyard {command}` is for the embedded store, and `--database-url` is set: {instead}"
            ))),
        }
    }
}

fn is_node_name(name: &str) -> bool {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_' | ':');
    (1..=NODE_NAME_MAX).contains(&name.len()) && name.chars().all(fits)
}

impl TryFrom<Raw> for Settings {
    type Error = anyhow::Error;

    fn try_from(mut raw: Raw) -> anyhow::Result<Self> {
        let database = Database::of(&mut raw)?;
        let grace = raw.shutdown_grace.unwrap_or(SHUTDOWN_GRACE_S_DEFAULT);
        bounded("shutdown-grace", grace, 0, SHUTDOWN_GRACE_S_MAX)?;
        if let Some(most) = raw.max_in_flight {
            bounded("max-in-flight", most, 1, IN_FLIGHT_MAX)?;
        }
        let log = raw.log.unwrap_or_else(|| "info".to_owned());
        crate::telemetry::filter(&log)?;
        let data = raw.data.unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
        if data.as_os_str().is_empty() {
            return Err(Exit::Usage.because("`--data` is empty; name a folder"));
        }
        Ok(Self {
            listen: raw.listen.map_or(LISTEN_DEFAULT, |it| it.0),
            data,
            database,
            public_url: raw.public_url.map(|it| it.0),
            allow_networks: raw.allow_network.unwrap_or_default().iter().map(|it| it.0).collect(),
            allow_http: raw.allow_http.unwrap_or(false),
            portal_frame_ancestors: raw.portal_frame_ancestors.map_or_else(
                || vec!["'self'".to_owned()],
                |it| it.into_iter().map(|it| it.0).collect(),
            ),
            shutdown_grace: Duration::from_secs(grace),
            in_flight_max: raw.max_in_flight.and_then(|it| usize::try_from(it).ok()),
            log,
            log_format: raw.log_format.unwrap_or_default(),
        })
    }
}

fn bounded(flag: &str, value: u64, least: u64, most: u64) -> anyhow::Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Exit::Usage.because(format!("`--{flag} {value}`: use a number from {least} to {most}")))
}
