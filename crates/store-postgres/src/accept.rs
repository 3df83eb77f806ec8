//! Accepting events: is the tenant there, was it said before, does the match still hold; then the rows.

use std::collections::{BTreeMap, HashMap};

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::id::{EventId, EventKey, SourceId};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Accept, Batch, Receipt, Target};

use crate::codec::{self, PENDING, int, no};
use crate::deliveries::NewDelivery;
use crate::events::{self, Place};
use crate::once::Book;
use crate::runs::{self, Lane};
use crate::sender::Senders;

/// Bytes of payload in one statement, and rows.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
const CHUNK_ROWS: usize = 4096;

/// An event to be written.
struct NewEvent<'b> {
    key: i64,
    accept: &'b Accept,
    targets: Vec<u8>,
    extra: Option<Vec<u8>>,
}

impl NewEvent<'_> {
    fn bytes(&self) -> usize {
        let extra = self.extra.as_ref().map_or(0, Vec::len);
        self.accept.content.data.len() + self.targets.len() + extra
    }
}

/// What one commit will write of its events.
pub(crate) struct Draft<'b> {
    node: i16,
    now: Timestamp,
    /// The last key that was given.
    pub(crate) last_key: u64,
    events: Vec<NewEvent<'b>>,
    pub(crate) book: Book,
    pub(crate) senders: Senders,
    pub(crate) deliveries: Vec<NewDelivery>,
    pub(crate) runs: runs::Draft,
    /// Events that each source has received.
    received: BTreeMap<(TenantNo, SourceId), i64>,
    held: Vec<(TenantNo, SourceId, i64)>,
}

impl<'b> Draft<'b> {
    pub(crate) fn new(
        (node, last_key): (i16, u64),
        now: Timestamp,
        book: Book,
        senders: Senders,
    ) -> Self {
        Self {
            node,
            now,
            last_key,
            events: Vec::new(),
            book,
            senders,
            deliveries: Vec::new(),
            runs: runs::Draft::default(),
            received: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// No event is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Accepts a batch's events, in order; a receipt for each.
    pub(crate) fn accept(
        &mut self,
        batch: &'b Batch,
        versions: &HashMap<TenantNo, u64>,
    ) -> Vec<Receipt> {
        let one = |accept: &'b Accept| match versions.get(&accept.tenant) {
            None => Receipt::NoTenant,
            Some(version) => match self.book.said_before(accept, self.now) {
                Some(receipt) => receipt,
                None if *version != accept.version => Receipt::Stale,
                None => Receipt::Accepted { id: self.write(accept) },
            },
        };
        batch.accepts.iter().map(one).collect()
    }

    fn write(&mut self, accept: &'b Accept) -> EventId {
        let key = EventKey::at(self.now).max(EventKey(self.last_key).next());
        self.last_key = key.0;
        let place = Place { key: int(key.0), node: self.node };
        self.events.push(NewEvent {
            key: place.key,
            accept,
            targets: codec::targets_to_bytes(&accept.targets),
            extra: events::extra_to_bytes(&accept.content),
        });
        self.book.put(accept, place, self.now);
        for (at, target) in (0..).zip(&accept.targets) {
            self.deliveries.extend(self.delivery(accept, place, (at, *target)));
            let lane = Lane { tenant: accept.tenant, endpoint: target.endpoint };
            self.runs.append(lane, place.key);
        }
        if let Some(source) = accept.content.source {
            *self.received.entry((accept.tenant, source)).or_default() += 1;
            if accept.held {
                self.held.push((accept.tenant, source, place.key));
            }
        }
        place.id()
    }

    /// The row of a delivery that is more than owed from the beginning.
    fn delivery(
        &self,
        accept: &Accept,
        place: Place,
        (at, target): (u32, Target),
    ) -> Option<NewDelivery> {
        let alone = match accept.singles.contains(&target.endpoint) {
            true => self.senders.of(accept.tenant, target.endpoint),
            false => None,
        };
        let now_ms = self.now.as_millis();
        let (status, set_off, due) = match (accept.sent_by_publisher, target.discarded) {
            (Some(due), _) => (PENDING, Trigger::Test, Some(due.as_millis())),
            (None, Some(_)) => {
                (codec::status_code(DeliveryStatus::Discarded), Trigger::Automatic, None)
            }
            // Given to the one that sends it.
            (None, None) if alone.is_some() => (PENDING, Trigger::Automatic, Some(now_ms)),
            (None, None) => return None,
        };
        let reason = target.discarded.filter(|_| status != PENDING).map(codec::reason_code);
        Some(NewDelivery {
            tenant: accept.tenant,
            place,
            target: at,
            endpoint: target.endpoint,
            owner: alone.unwrap_or(self.node),
            status,
            reason,
            set_off: codec::trigger_code(set_off),
            due_ms: due,
            created_ms: None,
            updated_ms: now_ms,
        })
    }

    /// The events in pieces that one statement takes.
    pub(crate) fn event_columns(&self) -> Vec<EventColumns<'_>> {
        let mut all: Vec<EventColumns<'_>> = Vec::new();
        let mut bytes = CHUNK_BYTES;
        for event in &self.events {
            if bytes + event.bytes() > CHUNK_BYTES
                || all.last().is_some_and(|it| it.keys.len() == CHUNK_ROWS)
            {
                all.push(EventColumns::default());
                bytes = 0;
            }
            bytes += event.bytes();
            if let Some(columns) = all.last_mut() {
                columns.push(event, self.now);
            }
        }
        all
    }

    /// Tenant, source, count of each source.
    pub(crate) fn received_columns(&self) -> (Vec<i32>, Vec<crate::db::Uid>, Vec<i64>) {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for ((tenant, source), many) in &self.received {
            columns.0.push(no(tenant.0));
            columns.1.push(crate::db::Uid(source.as_u128()));
            columns.2.push(*many);
        }
        columns
    }

    /// Tenant, source, key of each held event.
    pub(crate) fn held_columns(&self) -> (Vec<i32>, Vec<crate::db::Uid>, Vec<i64>) {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for (tenant, source, key) in &self.held {
            columns.0.push(no(tenant.0));
            columns.1.push(crate::db::Uid(source.as_u128()));
            columns.2.push(*key);
        }
        columns
    }
}

/// Writes events: the columns of [`EventColumns`] in their order, and the node.
pub(crate) const PUT_EVENTS: &str =
    "INSERT INTO event (tenant, key, type, scope, accepted_ms, occurred_ms,
        publisher_id, source, fan_out, targets, extra, data, node)
    SELECT *, $13::int2 FROM unnest($1::int4[], $2::int8[], $3::text[], $4::text[], $5::int8[],
        $6::int8[], $7::bytea[], $8::uuid[], $9::int4[], $10::bytea[], $11::bytea[], $12::bytea[])";

/// Writes runs: tenants, endpoints, last keys, keys, and the node.
pub(crate) const PUT_RUNS: &str = "INSERT INTO run (tenant, endpoint, key, keys, node)
    SELECT *, $5::int2 FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::bytea[])";

/// Counts received events: tenants, sources, counts, the node, and when.
pub(crate) const PUT_RECEIVED: &str =
    "INSERT INTO received AS r (tenant, source, event_count, node, last_event_ms)
    SELECT *, $4::int2, $5::int8 FROM unnest($1::int4[], $2::uuid[], $3::int8[])
    ON CONFLICT (tenant, source, node) DO UPDATE SET
        event_count = r.event_count + excluded.event_count, last_event_ms = excluded.last_event_ms";

/// Holds events: tenants, sources, keys, and the node.
pub(crate) const PUT_HELD: &str = "INSERT INTO held (tenant, source, key, node)
    SELECT *, $4::int2 FROM unnest($1::int4[], $2::uuid[], $3::int8[])";

/// Columns of events.
#[derive(Default)]
pub(crate) struct EventColumns<'d> {
    pub(crate) tenants: Vec<i32>,
    pub(crate) keys: Vec<i64>,
    pub(crate) types: Vec<&'d str>,
    pub(crate) scopes: Vec<Option<&'d str>>,
    pub(crate) accepted: Vec<Option<i64>>,
    pub(crate) occurred: Vec<Option<i64>>,
    pub(crate) publisher_ids: Vec<Option<&'d [u8]>>,
    pub(crate) sources: Vec<Option<crate::db::Uid>>,
    pub(crate) fan_outs: Vec<i32>,
    pub(crate) targets: Vec<&'d [u8]>,
    pub(crate) extras: Vec<Option<&'d [u8]>>,
    pub(crate) data: Vec<&'d [u8]>,
}

impl<'d> EventColumns<'d> {
    fn push(&mut self, event: &'d NewEvent<'_>, now: Timestamp) {
        let content = &event.accept.content;
        let own_time = EventKey(codec::uint(event.key)).time() == now;
        self.tenants.push(no(event.accept.tenant.0));
        self.keys.push(event.key);
        self.types.push(content.event_type.as_str());
        self.scopes.push(content.scope.as_ref().map(|scope| scope.as_str()));
        self.accepted.push((!own_time).then_some(now.as_millis()));
        self.occurred.push(content.occurred_at.map(|at| at.as_millis()));
        self.publisher_ids.push(content.publisher_id.as_ref().map(String::as_bytes));
        self.sources.push(content.source.map(|source| crate::db::Uid(source.as_u128())));
        self.fan_outs.push(no(event.accept.targets.len() as u32));
        self.targets.push(&event.targets);
        self.extras.push(event.extra.as_deref());
        self.data.push(&content.data);
    }
}
