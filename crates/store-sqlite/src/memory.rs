//! Idempotent replies.

use hookyard_domain::secret::Sealed;
use hookyard_domain::time::Timestamp;
use hookyard_store::Answer;
use hookyard_store::memory::{Memory, Recalled, ReplyKey};
use rusqlite::{Connection, OptionalExtension, params};

use crate::SqliteStore;
use crate::error::Result;

/// In the place of the process that took a key: nobody will answer it any more. Processes count from 1.
const NOBODY: i64 = 0;

/// What is kept of a key.
struct Kept {
    request: Vec<u8>,
    taken_ms: i64,
    incarnation: i64,
    answer: Option<Vec<u8>>,
}

fn kept(tx: &Connection, key: &ReplyKey) -> Result<Option<Kept>> {
    let mut find = tx.prepare_cached(
        "SELECT request, taken_ms, incarnation, answer FROM reply WHERE owner = ?1 AND key = ?2",
    )?;
    let row = find.query_row(params![key.owner, key.key], |row| {
        Ok(Kept {
            request: row.get(0)?,
            taken_ms: row.get(1)?,
            incarnation: row.get(2)?,
            answer: row.get(3)?,
        })
    });
    Ok(row.optional()?)
}

fn recall(
    tx: &Connection,
    incarnation: i64,
    key: &ReplyKey,
    request: [u8; 32],
    (now, expired_before): (Timestamp, Timestamp),
) -> Result<Recalled> {
    let kept = kept(tx, key)?.filter(|kept| kept.taken_ms >= expired_before.as_millis());
    Ok(match kept {
        Some(kept) if kept.request != request => Recalled::OtherRequest,
        Some(Kept { answer: Some(answer), .. }) => Recalled::Replied(Sealed(answer)),
        Some(kept) if kept.incarnation == incarnation => Recalled::Running,
        // A process that has ended since will not answer any more, but it may have done what was asked.
        Some(_) => Recalled::Unknown,
        None => {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO reply (owner, key, request, taken_ms, incarnation, answer)
                 VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
            )?
            .execute(params![
                key.owner,
                key.key,
                &request[..],
                now.as_millis(),
                incarnation
            ])?;
            Recalled::Fresh
        }
    })
}

impl Memory for SqliteStore {
    fn recall(
        &self,
        key: &ReplyKey,
        request: [u8; 32],
        now: Timestamp,
        expired_before: Timestamp,
    ) -> Answer<'_, Recalled> {
        let key = key.clone();
        self.change(move |tx, state| {
            recall(tx, state.incarnation, &key, request, (now, expired_before))
        })
    }

    fn remember(&self, key: &ReplyKey, reply: Sealed) -> Answer<'_, ()> {
        let key = key.clone();
        self.change(move |tx, _| {
            tx.prepare_cached("UPDATE reply SET answer = ?3 WHERE owner = ?1 AND key = ?2")?
                .execute(params![key.owner, key.key, reply.0])?;
            Ok(())
        })
    }

    fn forget(&self, key: &ReplyKey) -> Answer<'_, ()> {
        let key = key.clone();
        self.change(move |tx, _| {
            tx.prepare_cached("DELETE FROM reply WHERE owner = ?1 AND key = ?2")?
                .execute(params![key.owner, key.key])?;
            Ok(())
        })
    }

    fn lose(&self, key: &ReplyKey) -> Answer<'_, ()> {
        let key = key.clone();
        self.change(move |tx, _| {
            tx.prepare_cached(
                "UPDATE reply SET incarnation = ?3 WHERE owner = ?1 AND key = ?2 AND answer IS NULL",
            )?
            .execute(params![key.owner, key.key, NOBODY])?;
            Ok(())
        })
    }

    fn forget_before(&self, before: Timestamp) -> Answer<'_, u64> {
        self.change(move |tx, _| {
            let gone = tx.execute("DELETE FROM reply WHERE taken_ms < ?1", [before.as_millis()])?;
            Ok(gone as u64)
        })
    }
}
