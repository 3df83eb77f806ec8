//! Schema versions: numbered, forward only, each in a transaction of its own.

use hookyard_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::Result;

/// Marks a file as ours ("hkyd").
pub(crate) const APPLICATION_ID: i32 = 0x686b_7964;

const MIGRATIONS: [&str; 4] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_sources.sql"),
    include_str!("../migrations/0003_tallies.sql"),
    include_str!("../migrations/0004_feed.sql"),
];

/// The newest version this binary knows.
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// The version a store has.
pub(crate) fn found(conn: &Connection) -> Result<u32> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses a store that a newer binary has made.
pub(crate) fn refuse_newer(conn: &Connection) -> Result<u32> {
    let found = found(conn)?;
    if found > KNOWN {
        return Err(StoreError::TooNew { found, known: KNOWN }.into());
    }
    Ok(found)
}

/// Brings the store to the newest version.
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    let found = refuse_newer(conn)?;
    for (before, sql) in (0_u32..).zip(MIGRATIONS).skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", before + 1)?;
        tx.commit()?;
        tracing::info!(schema.version = before + 1, "the store's schema was brought up to date");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hookyard_domain::id::{EventId, EventKey, SourceId};
    use hookyard_domain::page::PageRequest;
    use hookyard_domain::tenant::TenantNo;
    use hookyard_store::endpoints::Endpoints;
    use hookyard_store::history::{EventFilter, History};
    use hookyard_store::ledger::{Batch, Ledger, Receipt};
    use hookyard_store::sources::{Forward, Sources};
    use hookyard_testkit::make;
    use rusqlite::params;

    use super::*;
    use crate::{SqliteStore, open};

    const TENANT: TenantNo = TenantNo(1);

    /// A store as the first version left it: a tenant, an endpoint, and events owed to it, some of them listed in a run.
    fn of_the_first_version(dir: &std::path::Path) -> Vec<EventId> {
        let conn = open::writer(&dir.join(open::FILE), false).unwrap();
        conn.execute_batch(MIGRATIONS[0]).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        conn.execute(
            "INSERT INTO tenant (id, profile, limits, retention_days, created_ms, updated_ms,
                version) VALUES ('acme', 'standard', ?1, 30, 1, 1, 7)",
            [serde_json::to_string(&make::tenant("acme").limits).unwrap()],
        )
        .unwrap();
        let endpoint = make::endpoint(TENANT);
        let settings = serde_json::to_string(&endpoint.settings).unwrap();
        assert!(!settings.contains("source"), "the first version knew no such field");
        conn.execute(
            "INSERT INTO endpoint (id, tenant, settings, status, created_ms, updated_ms, revision)
             VALUES (?1, 1, ?2, 1, 1, 1, 1)",
            params![endpoint.id.as_u128().to_be_bytes(), settings],
        )
        .unwrap();
        let keys: Vec<u64> = (1..=5).map(|at| EventKey::at(make::NOW).0 + at).collect();
        for key in &keys {
            conn.execute(
                "INSERT INTO event (key, tenant, type, targets, data)
                 VALUES (?1, 1, 'order.created', x'08', x'7b7d')",
                [key.cast_signed()],
            )
            .unwrap();
        }
        let run = crate::codec::keys_to_bytes(&keys[..3]);
        for list in [2, 3] {
            conn.execute(
                "INSERT INTO list_run (list, last_key, keys) VALUES (?1, ?2, ?3)",
                params![list, keys[2].cast_signed(), run],
            )
            .unwrap();
        }
        crate::writer::set_number(&conn, "floor_key", keys[2].cast_signed()).unwrap();
        keys.into_iter().map(|key| EventId::of(EventKey(key), 0)).collect()
    }

    async fn listed(store: &SqliteStore, source: Option<SourceId>) -> Vec<EventId> {
        let filter = EventFilter { source, ..EventFilter::default() };
        let page = store.events(TENANT, filter, PageRequest::first(100)).await.unwrap();
        page.rows.iter().rev().map(|row| row.event.id).collect()
    }

    #[tokio::test]
    async fn a_store_of_the_first_version_keeps_what_it_has_and_learns_of_sources() {
        let dir = tempfile::tempdir().unwrap();
        let mut ids = of_the_first_version(dir.path());
        let store = SqliteStore::open(dir.path()).unwrap();
        assert_eq!(listed(&store, None).await, ids);
        let config = store.tenant_config(TENANT).await.unwrap().unwrap();
        assert_eq!((config.version, config.endpoints.len(), config.sources.len()), (7, 1, 0));
        let endpoint = config.endpoints[0].no;
        let share = make::share(100);
        let owed = store.refill(TENANT, endpoint, EventKey(0), share).await.unwrap().owed;
        assert_eq!(owed.iter().map(|(event, _)| event.id).collect::<Vec<_>>(), ids);
        let source = make::source(TENANT);
        let audit = make::audit("source.created");
        let source = store.create_source(source, Forward::Keep, 10, audit).await.unwrap();
        let mut accept = make::accept(TENANT, 8, &[endpoint]);
        accept.content.source = Some(source.id);
        let batch = Batch { now: make::NOW, accepts: vec![accept], ..Batch::default() };
        let receipts = store.commit(&batch).await.unwrap();
        let [Receipt::Accepted { id }] = receipts[..] else { panic!("{receipts:?}") };
        ids.push(id);
        drop(store);
        let store = SqliteStore::open(dir.path()).unwrap();
        assert_eq!(listed(&store, None).await, ids);
        assert_eq!(listed(&store, Some(source.id)).await, [id]);
        assert_eq!(crate::inspect::schema_version(dir.path()).unwrap(), KNOWN);
    }
}
