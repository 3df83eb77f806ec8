//! Settings as they are used: every source merged, every default filled in, every bound checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

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

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Folder of the embedded store.
    pub data: PathBuf,
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

impl TryFrom<Raw> for Settings {
    type Error = anyhow::Error;

    fn try_from(raw: Raw) -> anyhow::Result<Self> {
        if raw.database_url.is_some() {
            return Err(Exit::Usage.because(
                "`--database-url` is set, but this build has the embedded store only; use `--data DIR` instead",
            ));
        }
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
