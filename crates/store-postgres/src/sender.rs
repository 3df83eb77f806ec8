//! Endpoints that one node alone sends to: who that is, and giving it deliveries.
//!
//! Whoever gives one shares the lock of the row that names the node, so that nobody is given anything while it is taken over.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Transaction;
use hookyard_domain::endpoint::{EndpointNo, EndpointSettings};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::Batch;
use tokio_postgres::Row;

use crate::codec::{no, uno};
use crate::db::{execute, query, query_opt};
use crate::error::{Result, corrupt};
use crate::listen;

/// Gives endpoints that have no sender this node as theirs; tenants and endpoints as columns.
pub(crate) const TAKE: &str = "INSERT INTO sender (tenant, endpoint, node)
    SELECT *, $3::int2 FROM unnest($1::int4[], $2::int4[]) ON CONFLICT DO NOTHING";

/// Who sends to them. In order, as whoever takes over locks them.
pub(crate) const FIND: &str = "SELECT s.tenant, s.endpoint, s.node FROM sender s
    JOIN unnest($1::int4[], $2::int4[]) AS u (tenant, endpoint) USING (tenant, endpoint)
    ORDER BY s.tenant, s.endpoint FOR SHARE OF s";

/// The endpoints of a batch that one node alone sends to.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) tenants: Vec<i32>,
    pub(crate) endpoints: Vec<i32>,
}

impl Asked {
    pub(crate) fn of(batch: &Batch) -> Self {
        let of = batch.accepts.iter();
        of.flat_map(|it| it.singles.iter().map(|endpoint| (it.tenant, *endpoint))).collect()
    }

    async fn find(&self, tx: &Transaction<'_>) -> Result<Senders> {
        Senders::read(&query(tx, FIND, &[&self.tenants, &self.endpoints]).await?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }
}

impl FromIterator<(TenantNo, EndpointNo)> for Asked {
    /// In order, each once.
    fn from_iter<T: IntoIterator<Item = (TenantNo, EndpointNo)>>(lanes: T) -> Self {
        let lanes: BTreeSet<_> = lanes.into_iter().collect();
        let mut asked = Self::default();
        for (tenant, endpoint) in lanes {
            asked.tenants.push(no(tenant.0));
            asked.endpoints.push(no(endpoint.0));
        }
        asked
    }
}

/// Who sends to each endpoint of a batch.
#[derive(Default)]
pub(crate) struct Senders(HashMap<(TenantNo, EndpointNo), i16>);

impl Senders {
    pub(crate) fn read(rows: &[Row]) -> Result<Self> {
        let mut all = HashMap::with_capacity(rows.len());
        for row in rows {
            let lane = (TenantNo(uno(row.try_get(0)?)), EndpointNo(uno(row.try_get(1)?)));
            all.insert(lane, row.try_get(2)?);
        }
        Ok(Self(all))
    }

    pub(crate) fn of(&self, tenant: TenantNo, endpoint: EndpointNo) -> Option<i16> {
        self.0.get(&(tenant, endpoint)).copied()
    }

    /// What is said to the other nodes that were given something.
    pub(crate) fn hints(&self, me: i16) -> Vec<String> {
        let others = self.0.iter().filter(|(_, node)| **node != me);
        others.map(|((tenant, endpoint), node)| listen::due(*node, *tenant, *endpoint)).collect()
    }
}

/// Who sends, as this node saw it last.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<EndpointNo, i16>>);

impl Seen {
    pub(crate) fn see(&self, senders: &Senders) {
        if !senders.0.is_empty() {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.extend(senders.0.iter().map(|((_, endpoint), node)| (*endpoint, *node)));
        }
    }

    pub(crate) fn node(&self, endpoint: EndpointNo) -> Option<i16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&endpoint).copied()
    }
}

/// Who makes the next attempt of a delivery to the endpoint that this node makes due: the one that alone sends to it, who
/// is told of it, else this node.
pub(crate) async fn owner(
    tx: &Transaction<'_>,
    (tenant, endpoint): (TenantNo, EndpointNo),
    me: i16,
) -> Result<i16> {
    const SQL: &str = "SELECT node FROM sender WHERE tenant = $1 AND endpoint = $2 FOR SHARE";
    let key = [&no(tenant.0) as _, &no(endpoint.0) as _];
    let mut row = query_opt(tx, SQL, &key).await?;
    if row.is_none() {
        let new = alone(tx, &[(tenant, endpoint)].into_iter().collect()).await?;
        if !new.is_empty() {
            execute(tx, TAKE, &[&new.tenants, &new.endpoints, &me]).await?;
            row = query_opt(tx, SQL, &key).await?;
        }
    }
    let owner = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(me);
    if owner != me {
        listen::say(tx, &listen::due(owner, tenant, endpoint)).await?;
    }
    Ok(owner)
}

/// The same of many endpoints at once, those whom any node may send to left out; nobody is told. Locked in one order by
/// everybody: what is given together must not stand in the way of a taking over.
pub(crate) async fn owners(
    tx: &Transaction<'_>,
    lanes: &[(TenantNo, EndpointNo)],
    me: i16,
) -> Result<Senders> {
    let mut all = lanes.iter().copied().collect::<Asked>().find(tx).await?;
    let unknown = lanes.iter().copied().filter(|it| all.of(it.0, it.1).is_none()).collect();
    let new = alone(tx, &unknown).await?;
    if !new.is_empty() {
        execute(tx, TAKE, &[&new.tenants, &new.endpoints, &me]).await?;
        all.0.extend(new.find(tx).await?.0);
    }
    Ok(all)
}

/// Those of the endpoints that one node alone sends to.
async fn alone(tx: &Transaction<'_>, asked: &Asked) -> Result<Asked> {
    const SQL: &str = "SELECT e.tenant, e.no, e.settings FROM endpoint e
        JOIN unnest($1::int4[], $2::int4[]) AS u (tenant, no) USING (tenant, no)
        WHERE NOT e.deleted";
    let mut found = Vec::new();
    for row in query(tx, SQL, &[&asked.tenants, &asked.endpoints]).await? {
        let lane = (TenantNo(uno(row.try_get(0)?)), EndpointNo(uno(row.try_get(1)?)));
        let settings: EndpointSettings = serde_json::from_str(row.try_get(2)?)
            .map_err(|_| corrupt("endpoint", "settings", lane.1.0))?;
        if settings.has_one_sender() {
            found.push(lane);
        }
    }
    Ok(found.into_iter().collect())
}
