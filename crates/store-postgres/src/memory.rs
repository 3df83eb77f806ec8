//! Idempotent replies.

use hookyard_domain::secret::Sealed;
use hookyard_domain::time::Timestamp;
use hookyard_store::Answer;
use hookyard_store::memory::{Memory, Recalled, ReplyKey};

use crate::db::{GenericClient, execute, query_opt};
use crate::error::{Fault, Result};
use crate::node::Node;
use crate::{PostgresStore, read};

/// In the place of the process that took a key: nobody will answer it any more. Processes count from 1.
const NOBODY: i64 = 0;
/// How often a key is asked for that others take and give back at the same time.
const TRIES: usize = 8;

/// A request that asks for its key.
struct Asked {
    key: ReplyKey,
    request: [u8; 32],
    now: Timestamp,
    expired_before: Timestamp,
}

async fn recall(db: &impl GenericClient, node: Node, asked: &Asked) -> Result<Recalled> {
    const TAKE: &str = "INSERT INTO reply AS r (owner, key, request, taken_ms, node, incarnation)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (owner, key) DO UPDATE SET request = excluded.request,
            taken_ms = excluded.taken_ms, node = excluded.node,
            incarnation = excluded.incarnation, answer = NULL
        WHERE r.taken_ms < $7";
    // Whoever took it may still answer while its process is the one that has the node's name.
    const FIND: &str = "SELECT r.request, r.answer, n.no IS NOT NULL FROM reply r
        LEFT JOIN node n ON n.no = r.node AND n.incarnation = r.incarnation
        WHERE r.owner = $1 AND r.key = $2";
    let Asked { key, request, now, expired_before } = asked;
    for _ in 0..TRIES {
        let taken = execute(
            db,
            TAKE,
            &[
                &key.owner,
                &key.key,
                &&request[..],
                &now.as_millis(),
                &node.no,
                &node.incarnation,
                &expired_before.as_millis(),
            ],
        )
        .await?;
        if taken == 1 {
            return Ok(Recalled::Fresh);
        }
        let Some(row) = query_opt(db, FIND, &[&key.owner, &key.key]).await? else { continue };
        let kept: &[u8] = row.try_get(0)?;
        let answer: Option<Vec<u8>> = row.try_get(1)?;
        let may_answer: bool = row.try_get(2)?;
        return Ok(match answer {
            _ if kept != request => Recalled::OtherRequest,
            Some(answer) => Recalled::Replied(Sealed(answer)),
            None if may_answer => Recalled::Running,
            // A process that has ended since will not answer any more, but it may have done what was asked.
            None => Recalled::Unknown,
        });
    }
    Err(Fault::Again)
}

async fn remember(db: &impl GenericClient, key: &ReplyKey, reply: &Sealed) -> Result<()> {
    const SQL: &str = "UPDATE reply SET answer = $3 WHERE owner = $1 AND key = $2";
    execute(db, SQL, &[&key.owner, &key.key, &reply.0]).await?;
    Ok(())
}

async fn forget(db: &impl GenericClient, key: &ReplyKey) -> Result<()> {
    execute(db, "DELETE FROM reply WHERE owner = $1 AND key = $2", &[&key.owner, &key.key]).await?;
    Ok(())
}

async fn lose(db: &impl GenericClient, key: &ReplyKey) -> Result<()> {
    const SQL: &str = "UPDATE reply SET incarnation = $3
        WHERE owner = $1 AND key = $2 AND answer IS NULL";
    execute(db, SQL, &[&key.owner, &key.key, &NOBODY]).await?;
    Ok(())
}

async fn forget_before(db: &impl GenericClient, before: Timestamp) -> Result<u64> {
    execute(db, "DELETE FROM reply WHERE taken_ms < $1", &[&before.as_millis()]).await
}

impl Memory for PostgresStore {
    fn recall(
        &self,
        key: &ReplyKey,
        request: [u8; 32],
        now: Timestamp,
        expired_before: Timestamp,
    ) -> Answer<'_, Recalled> {
        let asked = Asked { key: key.clone(), request, now, expired_before };
        read!(self, |db| recall(db, self.node(), &asked))
    }

    fn remember(&self, key: &ReplyKey, reply: Sealed) -> Answer<'_, ()> {
        let key = key.clone();
        read!(self, |db| remember(db, &key, &reply))
    }

    fn forget(&self, key: &ReplyKey) -> Answer<'_, ()> {
        let key = key.clone();
        read!(self, |db| forget(db, &key))
    }

    fn lose(&self, key: &ReplyKey) -> Answer<'_, ()> {
        let key = key.clone();
        read!(self, |db| lose(db, &key))
    }

    fn forget_before(&self, before: Timestamp) -> Answer<'_, u64> {
        read!(self, |db| forget_before(db, before))
    }
}
