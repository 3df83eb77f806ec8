//! Settings of the connections, and pools of them.

use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Metrics, Pool, RecyclingMethod, Runtime,
};
use hookyard_domain::secret::Secret;
use hookyard_store::StoreError;
use tokio_postgres::Config;

use crate::db;
use crate::error::unavailable;
use crate::tls::Tls;

/// How statements are planned. A plan is kept, and outlives the smallness of a table that it was made for, so a scan of the
/// whole table must never look cheap; and none of ours is long enough to be worth compiling.
const PLANS: &str = "-c enable_seqscan=off -c jit=off";

/// How long a transaction may wait for its node, which may have been stopped. Changes of the tenants it touches wait for it.
const STALLED: Duration = Duration::from_secs(10);

/// A connection that was used since is taken as it is.
const IDLE: Duration = Duration::from_secs(1);

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `postgres://user:password@host:port,other:port/database?target_session_attrs=read-write`.
    pub url: Secret,
    /// Certificates in PEM that the server may prove itself by, beside the machine's own.
    pub root_certificates: Option<String>,
    /// Connections at most, beside the one that commits.
    pub connections: usize,
    /// What the server breaks off when it takes longer. For as long it is asked what came of a commit whose answer was lost.
    pub statement_timeout: Duration,
    /// A pooler stands between, which gives each transaction another connection: nothing is asked for at the start of one.
    /// What is asked for otherwise (the time-outs, `enable_seqscan=off`, `jit=off`) should then be settings of the role.
    pub pooler: bool,
    /// How long to wait for a host to answer, and for a connection to be free.
    pub connect_timeout: Duration,
}

impl Settings {
    /// The usual ones for a database.
    #[must_use]
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            root_certificates: None,
            connections: 8,
            statement_timeout: Duration::from_secs(30),
            pooler: false,
            connect_timeout: Duration::from_secs(5),
        }
    }

    /// Whether the URL and the certificates can be read; nothing is connected to.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(&self) -> Result<(), StoreError> {
        pool(self, 1).map(drop)
    }

    /// What one connection outside of every pool needs.
    pub(crate) fn raw(&self) -> Result<(Config, Tls), StoreError> {
        let config = self.config()?;
        let tls = Tls::new(config.get_ssl_mode(), self.root_certificates.as_deref())?;
        Ok((config, tls))
    }

    /// The same as the driver takes it. What is wrong with a URL is not told: it holds a password.
    fn config(&self) -> Result<Config, StoreError> {
        let mut config: Config = self
            .url
            .reveal()
            .parse()
            .map_err(|_| unavailable("the database URL cannot be read"))?;
        if config.get_application_name().is_none() {
            config.application_name("hookyard");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.connect_timeout);
        }
        // A host that went away without a word is given up after half a minute.
        config.keepalives_idle(Duration::from_secs(15));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(30));
        if !self.pooler {
            let given = config.get_options().unwrap_or_default();
            let timeout = self.statement_timeout.as_millis();
            let stalled = STALLED.as_millis();
            let options = format!(
                "{given} {PLANS} -c idle_in_transaction_session_timeout={stalled} \
                 -c statement_timeout={timeout}"
            );
            config.options(options.trim_start());
        }
        Ok(config)
    }
}

/// A pool that connects when somebody asks for a connection, and again when one was lost.
pub(crate) fn pool(settings: &Settings, connections: usize) -> Result<Pool, StoreError> {
    let config = settings.config()?;
    if settings.pooler {
        db::give_no_names();
    }
    let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    // One host after the other may have to be given up.
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
    let tls = Tls::new(config.get_ssl_mode(), settings.root_certificates.as_deref())?;
    let manager = Manager::from_config(config, tls, how);
    Pool::builder(manager)
        .max_size(connections.max(1))
        .pre_recycle(Hook::async_fn(|client, metrics| Box::pin(is_alive(client, metrics))))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(settings.connect_timeout))
        .create_timeout(Some(settings.connect_timeout.saturating_mul(hosts.saturating_add(1))))
        .recycle_timeout(Some(settings.connect_timeout))
        .build()
        .map_err(unavailable)
}

/// Asks the server for a word where the connection was not used for a while: it may have been lost unseen.
async fn is_alive(client: &mut ClientWrapper, metrics: &Metrics) -> Result<(), HookError> {
    if metrics.last_used() > IDLE {
        client.simple_query("").await.map_err(HookError::Backend)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings {
        Settings::new(Secret::new(url.into()))
    }

    #[test]
    fn an_unreadable_url_shows_nothing_of_itself() {
        for url in ["postgres://me:hunter2@host:port/x", "postgres://me:hunter2@h/x?hunter2=1"] {
            let Err(error) = settings(url).config() else { panic!("{url} was taken") };
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
            assert!(!format!("{:?}", settings(url)).contains("hunter2"));
        }
    }

    #[test]
    fn a_url_may_name_several_hosts_and_options_of_its_own() {
        let url = "postgres://me@a:1,b:2/x?target_session_attrs=read-write&options=-c%20a%3Db";
        let config = settings(url).config().unwrap();
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(config.get_ports(), [1, 2]);
        let options = config.get_options().unwrap_or_default();
        assert!(options.starts_with("-c a=b -c enable_seqscan=off"), "{options}");
        assert!(options.ends_with("-c statement_timeout=30000"), "{options}");
        let attrs = tokio_postgres::config::TargetSessionAttrs::ReadWrite;
        assert_eq!(config.get_target_session_attrs(), attrs);
    }
}
