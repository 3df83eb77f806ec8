//! Fills an empty database with a history such as a large installation has, and asks what a node asks of it. For the bench
//! alone; nothing that serves uses it.

use std::sync::Arc;

use deadpool_postgres::Client;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;
use hookyard_store::ledger::{Ledger, Share};
use hookyard_store::nodes::Nodes;

use crate::codec::{self, no, time};
use crate::db::{execute, query, query_opt};
use crate::error::{Fault, Result, unavailable};
use crate::open::Settings;
use crate::{PostgresStore, days, owed};

/// Whose everything is: a tenant that is not there, so that nothing ever serves it.
const TENANT: TenantNo = TenantNo(1);
/// The endpoint that asks for what is due, and that what has ended went to.
const HEALTHY: EndpointNo = EndpointNo(1);
/// The endpoint that the rest waits for.
const DEAD: EndpointNo = EndpointNo(2);
/// What the healthy endpoint has due, and asks for at once.
const DUE: u32 = 100;
/// Rows made by one statement.
const CHUNK: i64 = 100_000;
/// Bits of a key below its millisecond, and milliseconds of a day.
const MS_BITS: u32 = 12;
const DAY_MS: i64 = 86_400_000;
/// What waits for the dead endpoint stands behind what the healthy one has due.
const HOUR_MS: i64 = 3_600_000;

/// What tables take, and how much of it is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes of all tables and indexes.
    pub bytes: i64,
    /// Rows that are dead, as the server counts them.
    pub dead_rows: i64,
}

/// A database for it.
pub struct Rehearsal {
    store: Arc<PostgresStore>,
    /// The beginning of the database's day, in milliseconds.
    today: i64,
}

impl Rehearsal {
    /// Takes an empty database, and gives the healthy endpoint something that is due.
    ///
    /// # Errors
    /// When it is not empty, or cannot be reached.
    pub async fn open(settings: &Settings) -> std::result::Result<Self, StoreError> {
        let store = PostgresStore::connect(settings, "rehearsal").await?;
        let client = store.client().await?;
        const LOOK: &str =
            "SELECT EXISTS (SELECT 1 FROM tenant) OR EXISTS (SELECT 1 FROM delivery),
            floor(extract(epoch from clock_timestamp()) / 86400)::int8 * 86400000";
        let row = query_opt(&client, LOOK, &[]).await?;
        let row = row.ok_or_else(|| unavailable("the database answers nothing"))?;
        let read = || -> Result<(bool, i64)> { Ok((row.try_get(0)?, row.try_get(1)?)) };
        let (taken, today) = read()?;
        if taken {
            return Err(unavailable("the database is not empty"));
        }
        let rehearsal = Self { store: Arc::clone(&store), today };
        rehearsal.put_events(&client).await?;
        rehearsal.put(&client, (HEALTHY, DUE, today, 0)).await?;
        client.batch_execute("ANALYZE").await.map_err(Fault::from)?;
        drop(client);
        Ok(rehearsal)
    }

    /// Makes deliveries that have ended, yesterday, and others that wait for the dead endpoint since today.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fill(&self, ended: u32, due: u32) -> std::result::Result<(), StoreError> {
        let client = self.store.client().await?;
        self.put(&client, (HEALTHY, ended, self.today - DAY_MS, 1)).await?;
        self.put(&client, (DEAD, due, self.today + HOUR_MS, 0)).await?;
        client.batch_execute("ANALYZE").await.map_err(Fault::from)?;
        Ok(())
    }

    /// Asks for what the healthy endpoint has due, as its lane does.
    ///
    /// # Errors
    /// When the database refuses, or finds something else.
    pub async fn ask(&self) -> std::result::Result<(), StoreError> {
        let share = Share { deliveries: DUE, bytes: 1 << 30 };
        let page = self.store.due(TENANT, HEALTHY, self.now(), share, &[]).await?;
        if page.due.len() == DUE as usize {
            return Ok(());
        }
        Err(unavailable("the rehearsal found something else than it had put there"))
    }

    /// How the server finds it, in its own words.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn explain(&self) -> std::result::Result<Vec<String>, StoreError> {
        let client = self.store.client().await?;
        let sql = format!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {}", owed::BY_TIME);
        let (tenant, endpoint, node) = (no(TENANT.0), no(HEALTHY.0), self.store.node().no);
        let rows = query(&client, &sql, &[&tenant, &endpoint, &node, &i64::from(DUE + 1)]).await?;
        let line = |row: &tokio_postgres::Row| row.try_get(0).map_err(Fault::from);
        Ok(rows.iter().map(line).collect::<Result<_>>()?)
    }

    /// Drops the day of what has ended, as retention does; false when it is still there.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn drop_the_day(&self) -> std::result::Result<bool, StoreError> {
        let mut client = self.store.client().await?;
        let before = self.today << MS_BITS;
        let bounds = days::Bounds::of(&[(TENANT, EventKey(codec::uint(before)))]);
        days::drop_below(&mut client, &bounds).await?;
        let sql = "SELECT 1 FROM delivery WHERE tenant = $1 AND key < $2 LIMIT 1";
        Ok(query_opt(&client, sql, &[&no(TENANT.0), &before]).await?.is_none())
    }

    /// What everything takes.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn room(&self) -> std::result::Result<Room, StoreError> {
        const SQL: &str = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::int8,
            coalesce(sum(n_dead_tup), 0)::int8 FROM pg_stat_user_tables";
        let client = self.store.client().await?;
        let row = query_opt(&client, SQL, &[]).await?;
        let row = row.ok_or_else(|| unavailable("the database answers nothing"))?;
        let read =
            || -> Result<Room> { Ok(Room { bytes: row.try_get(0)?, dead_rows: row.try_get(1)? }) };
        Ok(read()?)
    }

    /// Takes everything away again and leaves, so that what serves from the database next finds it empty.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn clear(&self) -> std::result::Result<(), StoreError> {
        let client = self.store.client().await?;
        client.batch_execute("TRUNCATE event, delivery; ANALYZE").await.map_err(Fault::from)?;
        drop(client);
        self.store.leave().await
    }

    fn now(&self) -> Timestamp {
        time(self.today + DAY_MS)
    }

    /// The events that the healthy endpoint's due deliveries are of.
    async fn put_events(&self, client: &Client) -> Result<()> {
        const SQL: &str = "INSERT INTO event (tenant, key, node, type, fan_out, targets, data)
            SELECT $1, $2 + (it / 16 << 12) + it % 16, $3, 'order.created', 1, $4,
                decode(repeat('20', 600), 'hex')
            FROM generate_series(0::int8, $5::int8 - 1) it";
        let mut targets = Vec::new();
        codec::put(&mut targets, u64::from(HEALTHY.0) << 3);
        let first = codec::int(EventKey::at(time(self.today)).0);
        let node = self.store.node().no;
        execute(client, SQL, &[&no(TENANT.0), &first, &node, &targets, &i64::from(DUE)]).await?;
        Ok(())
    }

    /// Deliveries of sixteen events a millisecond, each with a first attempt of ordinary size.
    async fn put(
        &self,
        client: &Client,
        (endpoint, many, first_ms, status): (EndpointNo, u32, i64, i16),
    ) -> Result<()> {
        const SQL: &str =
            "INSERT INTO delivery (tenant, key, node, target, endpoint, status, attempts,
                set_off, due_ms, updated_ms, code, first, owner)
            SELECT $1, ($2::int8 << 12) + (it / 16 << 12) + it % 16, $3, 0, $4, $5::int2, 1, 0,
                CASE WHEN $5::int2 = 0 THEN $2::int8 + it / 16 END, $2::int8 + it / 16,
                CASE WHEN $5::int2 = 0 THEN 503 ELSE 200 END, decode(repeat('00', 250), 'hex'), $3
            FROM generate_series($6::int8, $7::int8 - 1) it";
        let many = i64::from(many);
        let (tenant, endpoint, node) = (no(TENANT.0), no(endpoint.0), self.store.node().no);
        let mut from = 0;
        while from < many {
            let to = (from + CHUNK).min(many);
            let params: crate::db::Params<'_> =
                &[&tenant, &first_ms, &node, &endpoint, &status, &from, &to];
            execute(client, SQL, params).await?;
            from = to;
        }
        Ok(())
    }
}
