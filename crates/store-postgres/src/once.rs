//! What makes a publish happen once: rows of the table `once`, and what a commit knows of them.

use std::collections::{BTreeMap, HashMap};

use hookyard_domain::id::EventKey;
use hookyard_domain::limit;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Accept, Once, Receipt};
use tokio_postgres::Row;

use crate::codec::{no, time, uint, uno};
use crate::error::{Result, corrupt};
use crate::events::Place;

const KIND_ID: i16 = 0;
const KIND_KEY: i16 = 1;
const KIND_RECEIVED: i16 = 2;

/// Idempotency keys of one event at most: whoever repeats an id with ever new keys does not fill the table.
const KEYS_MAX: u32 = 16;

/// The primary key of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OnceKey {
    tenant: TenantNo,
    kind: i16,
    text: Vec<u8>,
}

impl OnceKey {
    pub(crate) fn of(tenant: TenantNo, once: &Once) -> Self {
        let (kind, text) = match once {
            Once::PublisherId(id) => (KIND_ID, id.as_bytes().to_vec()),
            Once::Key { key, .. } => (KIND_KEY, key.as_bytes().to_vec()),
            Once::Received { source, id, .. } => {
                let mut text = source.as_u128().to_be_bytes().to_vec();
                text.extend_from_slice(id.as_bytes());
                (KIND_RECEIVED, text)
            }
        };
        Self { tenant, kind, text }
    }
}

/// What was said before under a [`OnceKey`].
#[derive(Clone, Debug)]
pub(crate) struct Said {
    place: Place,
    accepted_at: Timestamp,
    deliveries: u32,
    content: Option<Vec<u8>>,
    /// Idempotency keys of its event.
    keys: u32,
}

impl Said {
    fn receipt(&self) -> Receipt {
        Receipt::Duplicate { id: self.place.id(), deliveries: self.deliveries }
    }
}

/// Finds what was said before. A row each, with its number in the question.
pub(crate) const FIND: &str = "SELECT u.at, o.* FROM
        unnest($1::int4[], $2::int2[], $3::bytea[]) WITH ORDINALITY AS u (tenant, kind, text, at)
        CROSS JOIN LATERAL (
            SELECT o.key, o.node, o.accepted_ms, o.deliveries, o.content,
                (SELECT count(*) FROM once k WHERE o.kind <> 1 AND k.tenant = o.tenant
                    AND k.key = o.key AND k.node = o.node AND k.kind = 1)
            FROM once o WHERE o.tenant = u.tenant AND o.kind = u.kind AND o.text = u.text OFFSET 0
        ) o";

/// Takes rows away that do not count any more, to make room for new ones.
pub(crate) const DELETE: &str = "DELETE FROM once o
    USING unnest($1::int4[], $2::int2[], $3::bytea[], $4::int8[], $5::int2[])
        AS u (tenant, kind, text, key, node)
    WHERE o.tenant = u.tenant AND o.kind = u.kind AND o.text = u.text AND o.key = u.key
        AND o.node = u.node";

/// Writes new rows. It fails when another node was first with one; the next try finds that node's.
pub(crate) const PUT: &str =
    "INSERT INTO once (tenant, kind, text, key, node, accepted_ms, deliveries, content)
    SELECT * FROM unnest($1::int4[], $2::int2[], $3::bytea[], $4::int8[], $5::int2[], $6::int8[],
        $7::int4[], $8::bytea[])";

/// The first columns of all three: tenants, kinds and texts.
pub(crate) type KeyColumns<'a> = (Vec<i32>, Vec<i16>, Vec<&'a [u8]>);

fn key_columns<'a>(keys: impl Iterator<Item = &'a OnceKey>) -> KeyColumns<'a> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        columns.0.push(no(key.tenant.0));
        columns.1.push(key.kind);
        columns.2.push(&key.text[..]);
    }
    columns
}

/// The columns after the keys of [`PUT`]: event keys, nodes, times, deliveries and contents.
pub(crate) type RestColumns<'a> = (Vec<i64>, Vec<i16>, Vec<i64>, Vec<i32>, Vec<Option<&'a [u8]>>);

/// What a commit asks for, knows, and will write.
#[derive(Default)]
pub(crate) struct Book {
    asked: Vec<OnceKey>,
    kept: HashMap<OnceKey, Said>,
    /// In order, so that two nodes that write the same ones wait for each other and not in a circle.
    written: BTreeMap<OnceKey, Said>,
}

impl Book {
    /// Everything that a batch's events want to know.
    pub(crate) fn ask(accepts: &[Accept]) -> Self {
        let of = |accept: &Accept| {
            let tenant = accept.tenant;
            accept.once.iter().map(|once| OnceKey::of(tenant, once)).collect::<Vec<_>>()
        };
        let mut asked: Vec<OnceKey> = accepts.iter().flat_map(of).collect();
        asked.sort_unstable();
        asked.dedup();
        Self { asked, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The parameters of [`FIND`].
    pub(crate) fn question(&self) -> KeyColumns<'_> {
        key_columns(self.asked.iter())
    }

    /// Takes in what [`FIND`] found.
    pub(crate) fn answer(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let at: i64 = row.try_get(0)?;
            let key = usize::try_from(at - 1).ok().and_then(|at| self.asked.get(at));
            let key = key.ok_or_else(|| corrupt("once", "text", at))?;
            let said = Said {
                place: Place { key: row.try_get(1)?, node: row.try_get(2)? },
                accepted_at: time(row.try_get(3)?),
                deliveries: uno(row.try_get(4)?),
                content: row.try_get(5)?,
                keys: u32::try_from(row.try_get::<_, i64>(6)?).unwrap_or(u32::MAX),
            };
            self.kept.insert(key.clone(), said);
        }
        Ok(())
    }

    fn find(&self, key: &OnceKey) -> Option<&Said> {
        self.written.get(key).or_else(|| self.kept.get(key))
    }

    /// What an earlier event with the same id or key makes of this one. A publisher's own id, and what a source has
    /// received before, win over an idempotency key, and count as long as the event is kept or since when they are asked
    /// for; a key counts for a day.
    pub(crate) fn said_before(&mut self, accept: &Accept, now: Timestamp) -> Option<Receipt> {
        let forgotten = EventKey::at(now.minus(limit::IDEMPOTENCY_KEPT));
        let mut by_key = None;
        for once in &accept.once {
            let Some(said) = self.find(&OnceKey::of(accept.tenant, once)) else { continue };
            let counts = match once {
                Once::PublisherId(_) | Once::Received { since: None, .. } => true,
                Once::Key { .. } => uint(said.place.key) >= forgotten.0,
                Once::Received { since: Some(since), .. } => said.accepted_at >= *since,
            };
            match once {
                _ if !counts => {}
                Once::PublisherId(_) | Once::Received { .. } => {
                    let said = said.clone();
                    self.keep_keys(accept, &said, forgotten);
                    return Some(said.receipt());
                }
                Once::Key { content, .. } if said.content.as_deref() == Some(&content[..]) => {
                    by_key = by_key.or(Some(said.receipt()));
                }
                Once::Key { .. } => by_key = Some(Receipt::KeyReused),
            }
        }
        by_key
    }

    /// An idempotency key that comes with an id that was there before is that event's from now on, as if it had come with
    /// it the first time: for the rest of the event's day, and no other request's meanwhile.
    fn keep_keys(&mut self, accept: &Accept, said: &Said, forgotten: EventKey) {
        if uint(said.place.key) < forgotten.0 {
            return;
        }
        let mut keys = said.keys;
        for once in &accept.once {
            let Once::Key { content, .. } = once else { continue };
            let key = OnceKey::of(accept.tenant, once);
            let taken = self.find(&key).is_some_and(|it| uint(it.place.key) >= forgotten.0);
            if !taken && keys < KEYS_MAX {
                keys += 1;
                self.written.insert(key, Said { content: Some(content.to_vec()), ..said.clone() });
            }
        }
    }

    /// Notes an event that is accepted now.
    pub(crate) fn put(&mut self, accept: &Accept, place: Place, now: Timestamp) {
        let keys = accept.once.iter().filter(|it| matches!(it, Once::Key { .. })).count() as u32;
        for once in &accept.once {
            let content = match once {
                Once::Key { content, .. } => Some(content.to_vec()),
                Once::PublisherId(_) | Once::Received { .. } => None,
            };
            let deliveries = accept.targets.len() as u32;
            let said = Said { place, accepted_at: now, deliveries, content, keys };
            self.written.insert(OnceKey::of(accept.tenant, once), said);
        }
    }

    /// The parameters of [`DELETE`]; empty when nothing makes room.
    pub(crate) fn replaced(&self) -> (KeyColumns<'_>, Vec<i64>, Vec<i16>) {
        let rows = || self.written.keys().filter_map(|key| Some((key, self.kept.get(key)?)));
        let keys = rows().map(|(_, said)| said.place.key).collect();
        let nodes = rows().map(|(_, said)| said.place.node).collect();
        (key_columns(rows().map(|(key, _)| key)), keys, nodes)
    }

    /// The parameters of [`PUT`]; empty when nothing is written.
    pub(crate) fn written(&self) -> (KeyColumns<'_>, RestColumns<'_>) {
        let mut rest = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for said in self.written.values() {
            rest.0.push(said.place.key);
            rest.1.push(said.place.node);
            rest.2.push(said.accepted_at.as_millis());
            rest.3.push(no(said.deliveries));
            rest.4.push(said.content.as_deref());
        }
        (key_columns(self.written.keys()), rest)
    }
}
