//! Settings as one source gives them: flags, the environment and the file share this one record.
//!
//! A new setting is a field here (its flag and its key in the file follow), a line in [`Raw::from_env`] and in
//! [`Raw::or`], and a field of [`super::settings::Settings`]. A test notices a line that is missing.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use hookyard_domain::secret::Secret;
use serde::Deserialize;

use crate::exit::Exit;

/// What one source says; `None` where it says nothing.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Raw {
    /// Address and port to serve on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<Listen>,
    /// Folder of the embedded store [default: ./hookyard-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Shared store, for several nodes: postgres://user@host,standby/name?target_session_attrs=read-write
    #[arg(long, value_name = "URL")]
    #[serde(alias = "database_url")]
    pub database_url: Option<DatabaseUrl>,
    /// Certificates (PEM) that the database may prove itself by, beside this machine's own
    #[arg(long, value_name = "FILE")]
    #[serde(alias = "database_ca")]
    pub database_ca: Option<PathBuf>,
    /// Connections to the database, beside the three that commit, listen and beat [default: 8]
    #[arg(long, value_name = "N")]
    #[serde(alias = "database_connections")]
    pub database_connections: Option<u64>,
    /// Seconds after which the database breaks off a statement [default: 30]
    #[arg(long, value_name = "SECONDS")]
    #[serde(alias = "database_statement_timeout")]
    pub database_statement_timeout: Option<u64>,
    /// A pooler in transaction mode stands before the database
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(alias = "database_pooler")]
    pub database_pooler: Option<bool>,
    /// Name of this node among those of the database [default: the machine's name and the port]
    #[arg(long, value_name = "NAME")]
    #[serde(alias = "node_name")]
    pub node_name: Option<String>,
    /// Seconds without a sign of life after which other nodes take over what a node owes [default: 15]
    #[arg(long, value_name = "SECONDS")]
    #[serde(alias = "node_lease")]
    pub node_lease: Option<u64>,
    /// Where callers reach this server; shown in receive URLs [default: the request's origin]
    #[arg(long, value_name = "URL")]
    #[serde(alias = "public_url")]
    pub public_url: Option<PublicUrl>,
    /// Address range that deliveries may go to although it is private (repeatable)
    #[arg(long, value_name = "CIDR")]
    #[serde(alias = "allow_network")]
    pub allow_network: Option<Vec<Network>>,
    /// Accept endpoint URLs with plain http
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(alias = "allow_http")]
    pub allow_http: Option<bool>,
    /// Page that may show the portal in a frame: `https://app.example.com`, `https://*.example.com`, `self` or `*`
    /// (repeatable) [default: self]
    #[arg(long, value_name = "SOURCE")]
    #[serde(alias = "portal_frame_ancestors")]
    pub portal_frame_ancestors: Option<Vec<Frame>>,
    /// Seconds that attempts in flight get to finish when the server stops [default: 30]
    #[arg(long, value_name = "SECONDS")]
    #[serde(alias = "shutdown_grace")]
    pub shutdown_grace: Option<u64>,
    /// Attempts in flight at once, over all endpoints
    #[arg(long, value_name = "N")]
    #[serde(alias = "max_in_flight")]
    pub max_in_flight: Option<u64>,
    /// What is logged: a level, or `target=level` pairs joined by commas [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How it is logged [default: text]
    #[arg(long, value_name = "FORMAT")]
    #[serde(alias = "log_format")]
    pub log_format: Option<LogFormat>,
}

/// Looks up a variable of the environment.
pub type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

impl Raw {
    /// What the environment says. An empty variable says nothing, as compose files leave them.
    pub fn from_env(lookup: &Lookup<'_>) -> anyhow::Result<Self> {
        let env = Env(lookup);
        Ok(Self {
            listen: env.parsed("LISTEN")?,
            data: env.raw("DATA").map(PathBuf::from),
            database_url: env.text("DATABASE_URL")?.map(DatabaseUrl::from),
            database_ca: env.raw("DATABASE_CA").map(PathBuf::from),
            database_connections: env.parsed("DATABASE_CONNECTIONS")?,
            database_statement_timeout: env.parsed("DATABASE_STATEMENT_TIMEOUT")?,
            database_pooler: env.parsed::<Switch>("DATABASE_POOLER")?.map(|it| it.0),
            node_name: env.text("NODE_NAME")?,
            node_lease: env.parsed("NODE_LEASE")?,
            public_url: env.parsed("PUBLIC_URL")?,
            allow_network: env.list("ALLOW_NETWORK")?,
            allow_http: env.parsed::<Switch>("ALLOW_HTTP")?.map(|it| it.0),
            portal_frame_ancestors: env.list("PORTAL_FRAME_ANCESTORS")?,
            shutdown_grace: env.parsed("SHUTDOWN_GRACE")?,
            max_in_flight: env.parsed("MAX_IN_FLIGHT")?,
            log: env.text("LOG")?,
            log_format: env.parsed("LOG_FORMAT")?,
        })
    }

    /// What this source says, and where it says nothing what `other` says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            data: self.data.or(other.data),
            database_url: self.database_url.or(other.database_url),
            database_ca: self.database_ca.or(other.database_ca),
            database_connections: self.database_connections.or(other.database_connections),
            database_statement_timeout: self
                .database_statement_timeout
                .or(other.database_statement_timeout),
            database_pooler: self.database_pooler.or(other.database_pooler),
            node_name: self.node_name.or(other.node_name),
            node_lease: self.node_lease.or(other.node_lease),
            public_url: self.public_url.or(other.public_url),
            allow_network: self.allow_network.or(other.allow_network),
            allow_http: self.allow_http.or(other.allow_http),
            portal_frame_ancestors: self.portal_frame_ancestors.or(other.portal_frame_ancestors),
            shutdown_grace: self.shutdown_grace.or(other.shutdown_grace),
            max_in_flight: self.max_in_flight.or(other.max_in_flight),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
        }
    }
}

/// The environment, read with errors that name the variable.
struct Env<'a>(&'a Lookup<'a>);

impl Env<'_> {
    fn raw(&self, flag: &str) -> Option<OsString> {
        (self.0)(&format!("HOOKYARD_{flag}")).filter(|it| !it.is_empty())
    }

    fn text(&self, flag: &str) -> anyhow::Result<Option<String>> {
        let bad = |_| Exit::Usage.because(format!("HOOKYARD_{flag} is not UTF-8"));
        self.raw(flag).map(OsString::into_string).transpose().map_err(bad)
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&self, flag: &str) -> anyhow::Result<Option<T>> {
        self.text(flag)?.map(|text| parse(flag, text.trim())).transpose()
    }

    fn list<T: FromStr<Err: fmt::Display>>(&self, flag: &str) -> anyhow::Result<Option<Vec<T>>> {
        let entries = |text: String| {
            let entries = text.split(',').map(str::trim).filter(|it| !it.is_empty());
            entries.map(|entry| parse(flag, entry)).collect()
        };
        self.text(flag)?.map(entries).transpose()
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(flag: &str, text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|bad| Exit::Usage.because(format!("HOOKYARD_{flag}=`{text}`: {bad}")))
}

/// `true` or `false`, also as `1` and `0`.
struct Switch(bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "true" | "1" => Ok(Self(true)),
            "false" | "0" => Ok(Self(false)),
            _ => Err("use `true` or `false`"),
        }
    }
}

/// Where the shared store is. Read where the database is reached: no message shows it, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct DatabaseUrl(pub Secret);

impl From<String> for DatabaseUrl {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text.to_owned()))
    }
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Listen(pub SocketAddr);

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let local = local.map(|port: u16| (IpAddr::V4(Ipv4Addr::LOCALHOST), port).into());
        local
            .or_else(|| text.parse().ok())
            .map(Self)
            .ok_or("use an address and a port, as in `127.0.0.1:8080` or `[::]:8080`")
    }
}

/// A range of addresses; one address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(pub ipnet::IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = text.parse::<ipnet::IpNet>().map(|it| it.trunc());
        range
            .or_else(|_| text.parse::<IpAddr>().map(ipnet::IpNet::from))
            .map(Self)
            .map_err(|_| "use a range such as `10.0.0.0/8` or `fd00::/8`")
    }
}

/// The server's own address as callers see it: `http` or `https`, a host, perhaps a path; no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(pub String);

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usable = |it: &url::Url| {
            matches!(it.scheme(), "http" | "https")
                && it.has_host()
                && it.username().is_empty()
                && it.password().is_none()
                && it.query().is_none()
                && it.fragment().is_none()
        };
        let url = url::Url::parse(text).ok().filter(usable);
        url.map(|it| Self(it.as_str().trim_end_matches('/').to_owned()))
            .ok_or("use an `https://` or `http://` address without query, as in `https://hooks.example.com`")
    }
}

/// Whose pages may show ours in a frame, as a Content-Security-Policy names them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Frame(pub String);

impl FromStr for Frame {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "use an origin such as `https://app.example.com` or `https://*.example.com`, `self`, or `*`";
        match text {
            "*" => return Ok(Self("*".to_owned())),
            "self" | "'self'" => return Ok(Self("'self'".to_owned())),
            _ => {}
        }
        let (scheme, host) = text.split_once("://").ok_or(WANTED)?;
        let (subdomains, host) = host.strip_prefix("*.").map_or(("", host), |it| ("*.", it));
        let url = url::Url::parse(&format!("{scheme}://{host}")).map_err(|_| WANTED)?;
        let is_origin = matches!(scheme, "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let origin = url.origin().ascii_serialization();
        let host = origin.split_once("://").map(|(_, host)| host).filter(|_| is_origin);
        host.map(|host| Self(format!("{scheme}://{subdomains}{host}"))).ok_or(WANTED)
    }
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| "use `text` or `json`")
    }
}

macro_rules! read_from_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}
read_from_text!(Listen, Network, PublicUrl, Frame);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_in_every_usual_form() {
        for good in ["127.0.0.1:8080", "[::]:80", "0.0.0.0:0"] {
            assert_eq!(good.parse::<Listen>().unwrap().0.to_string(), good);
        }
        assert_eq!("localhost:9".parse::<Listen>().unwrap().0.to_string(), "127.0.0.1:9");
        for bad in ["", "8080", ":8080", "127.0.0.1", "localhost:x", "127.0.0.1:70000"] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_keeps_its_network_part_and_an_address_is_a_range_of_one() {
        for (text, range) in
            [("10.1.2.3/8", "10.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("::1", "::1/128")]
        {
            assert_eq!(text.parse::<Network>().unwrap().0.to_string(), range);
        }
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn who_may_frame_the_portal_is_an_origin() {
        for (text, source) in [
            ("self", "'self'"),
            ("*", "*"),
            ("https://app.example.com", "https://app.example.com"),
            ("https://*.example.com/", "https://*.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(text.parse::<Frame>().unwrap().0, source);
        }
        for bad in
            ["", "example.com", "https://", "https://a/b", "https://a; script-src *", "ftp://a"]
        {
            assert!(bad.parse::<Frame>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_loses_its_last_slash_and_may_not_carry_more_than_a_path() {
        let url = "https://hooks.example.com/gate/".parse::<PublicUrl>().unwrap();
        assert_eq!(url.0, "https://hooks.example.com/gate");
        for bad in ["hooks.example.com", "ftp://a", "https://a?b", "https://a#b", "https://u:p@a"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
