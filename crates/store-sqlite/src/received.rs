//! What accepting a received event means to its source: its list, its counts, and the hold while it is paused.

use std::collections::HashMap;

use hookyard_domain::id::EventKey;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Accept;
use rusqlite::{Connection, params};

use crate::codec::int;
use crate::error::Result;
use crate::held;
use crate::runs::ListNo;
use crate::sources::SourceNo;
use crate::writer::{Draft, State};

/// The received events of one batch, counted.
#[derive(Default)]
pub(crate) struct Received(HashMap<SourceNo, u64>);

impl Received {
    /// Takes an accepted event in; a published one is none of our business.
    pub(crate) fn add(
        &mut self,
        tx: &Connection,
        state: &mut State,
        draft: &mut Draft,
        (accept, key): (&Accept, EventKey),
    ) -> Result<()> {
        let Some(id) = accept.content.source else { return Ok(()) };
        let Some(source) = state.source(tx, accept.tenant, id)? else { return Ok(()) };
        draft.lists.append(ListNo::of_source(source), key.0);
        *self.0.entry(source).or_default() += 1;
        if accept.held {
            held::hold(tx, source, key)?;
        }
        Ok(())
    }

    /// Writes the counts, one row for each source.
    pub(crate) fn write(self, tx: &Connection, now: Timestamp) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut count = tx.prepare_cached(
            "UPDATE source SET event_count = event_count + ?2, last_event_ms = ?3 WHERE no = ?1",
        )?;
        for (source, many) in self.0 {
            count.execute(params![source.0, int(many), now.as_millis()])?;
        }
        Ok(())
    }
}
