//! Hints between nodes, by LISTEN and NOTIFY. They may be lost without harm, since nodes also look by themselves.
//!
//! `c12.34`: tenant 12 is at version 34, or a key of it was made or taken away · `d3.12.56`: node 3 has something to send to
//! endpoint 56 of tenant 12 · `x56.…`: a delivery to endpoint 56 was cancelled · `n`: a node left.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::DeliveryId;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;
use hookyard_store::nodes::{Moved, Signal};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_postgres::{AsyncMessage, Client};

use crate::codec::{time, uint, uno};
use crate::db::{GenericClient, execute, query};
use crate::error::{Fault, Result, unavailable};
use crate::node::NOW_MS;
use crate::open::Settings;

/// Hints that wait to be taken; whoever has more looks by himself.
const HEARD_MAX: usize = 1024;

/// Says something to every node, when the transaction has ended.
pub(crate) async fn say(db: &impl GenericClient, what: &str) -> Result<()> {
    execute(db, "SELECT pg_notify('hookyard', $1)", &[&what]).await?;
    Ok(())
}

/// What is said of a cancelled delivery.
pub(crate) fn cancelled(endpoint: EndpointNo, delivery: DeliveryId) -> String {
    format!("x{}.{:x}", endpoint.0, delivery.as_u128())
}

/// What is said when a node has something to send.
pub(crate) fn due(node: i16, tenant: TenantNo, endpoint: EndpointNo) -> String {
    format!("d{node}.{}.{}", tenant.0, endpoint.0)
}

/// What a hint means to this node; `None` when it is for another one, or of a newer version.
fn signal(text: &str, me: i16) -> Option<Signal> {
    let kind = text.chars().next()?;
    let mut words = text.get(1..)?.split('.');
    match kind {
        'c' => {
            let tenant = TenantNo(words.next()?.parse().ok()?);
            let version = words.next()?.parse().ok()?;
            // Newer than whatever was seen by looking.
            Some(Signal::Moved(Moved { tenant, version, at: Timestamp::from_millis(i64::MAX) }))
        }
        'd' if words.next()?.parse() == Ok(me) => Some(Signal::Due {
            tenant: TenantNo(words.next()?.parse().ok()?),
            endpoint: EndpointNo(words.next()?.parse().ok()?),
        }),
        'x' => Some(Signal::Cancelled {
            endpoint: EndpointNo(words.next()?.parse().ok()?),
            delivery: DeliveryId::from_u128(u128::from_str_radix(words.next()?, 16).ok()?),
        }),
        'n' => Some(Signal::Nodes),
        _ => None,
    }
}

/// Tenants that were changed within so many milliseconds.
pub(crate) async fn moved(db: &impl GenericClient, within_ms: i64) -> Result<Vec<Moved>> {
    let sql =
        format!("SELECT no, version, moved_ms FROM tenant WHERE moved_ms >= {NOW_MS} - $1::int8");
    let mut all = Vec::new();
    for row in query(db, &sql, &[&within_ms]).await? {
        all.push(Moved {
            tenant: TenantNo(uno(row.try_get(0)?)),
            version: uint(row.try_get(1)?),
            at: time(row.try_get(2)?),
        });
    }
    Ok(all)
}

/// Endpoints that this node alone sends to, and has something for.
pub(crate) async fn given(
    db: &impl GenericClient,
    node: i16,
) -> Result<Vec<(TenantNo, EndpointNo)>> {
    const SQL: &str = "SELECT s.tenant, s.endpoint FROM sender s WHERE s.node = $1 AND EXISTS (
            SELECT FROM delivery d WHERE d.tenant = s.tenant AND d.endpoint = s.endpoint
                AND d.owner = $1 AND d.due_ms IS NOT NULL)";
    let mut all = Vec::new();
    for row in query(db, SQL, &[&node]).await? {
        all.push((TenantNo(uno(row.try_get(0)?)), EndpointNo(uno(row.try_get(1)?))));
    }
    Ok(all)
}

/// A connection that only listens.
struct Open {
    heard: mpsc::Receiver<String>,
    overrun: Arc<AtomicBool>,
    /// The connection ends with it.
    _client: Client,
    _task: JoinSet<()>,
}

/// Listens, and connects again when it was cut off.
pub(crate) struct Ear {
    settings: Settings,
    open: Mutex<Option<Open>>,
}

impl Ear {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), open: Mutex::new(None) }
    }

    /// Waits for the next hint.
    pub(crate) async fn next(
        &self,
        me: impl Fn() -> i16,
    ) -> std::result::Result<Signal, StoreError> {
        if self.settings.pooler {
            // Nothing is heard through it.
            std::future::pending::<()>().await;
        }
        let mut open = self.open.lock().await;
        loop {
            let Some(ear) = open.as_mut() else {
                *open = Some(connect(&self.settings).await?);
                // What was said before is not heard.
                return Ok(Signal::Lagged);
            };
            if ear.overrun.swap(false, Ordering::Relaxed) {
                return Ok(Signal::Lagged);
            }
            match ear.heard.recv().await {
                Some(text) => {
                    if let Some(signal) = signal(&text, me()) {
                        return Ok(signal);
                    }
                }
                None => *open = None,
            }
        }
    }
}

async fn connect(settings: &Settings) -> std::result::Result<Open, StoreError> {
    let (config, tls) = settings.raw()?;
    let (client, mut connection) = config.connect(tls).await.map_err(Fault::from)?;
    let (told, heard) = mpsc::channel(HEARD_MAX);
    let overrun = Arc::new(AtomicBool::new(false));
    let missed = Arc::clone(&overrun);
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(said) = message
                && told.try_send(said.payload().to_owned()).is_err()
            {
                missed.store(true, Ordering::Relaxed);
            }
        }
    });
    client.batch_execute("LISTEN hookyard").await.map_err(|_| unavailable("LISTEN is refused"))?;
    Ok(Open { heard, overrun, _client: client, _task: task })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_read_as_they_were_said_and_what_is_for_others_is_nothing() {
        let (tenant, endpoint) = (TenantNo(12), EndpointNo(56));
        let delivery = DeliveryId::from_u128(7 << 80);
        let cancelled = cancelled(endpoint, delivery);
        assert_eq!(signal(&cancelled, 1), Some(Signal::Cancelled { endpoint, delivery }));
        let due = due(3, tenant, endpoint);
        assert_eq!(signal(&due, 3), Some(Signal::Due { tenant, endpoint }));
        assert_eq!(signal(&due, 4), None);
        assert_eq!(signal("n", 4), Some(Signal::Nodes));
        let Some(Signal::Moved(moved)) = signal("c12.34", 4) else { panic!("not understood") };
        assert_eq!((moved.tenant, moved.version), (tenant, 34));
        for strange in ["", "c", "c1", "cx.1", "d1", "x1", "z1.2", "é"] {
            assert_eq!(signal(strange, 1), None, "{strange}");
        }
    }
}
