//! Notes of attempts that ended: a row for each tenant of a commit.

use std::collections::BTreeMap;

use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Record;

use crate::codec::{Input, int, no, put, put_signed, uno};
use crate::events::Place;
use crate::record::place;

/// Attempts in one note: a reader that stops inside one reads it again.
const NOTE_IDS: usize = 1000;
/// Writes notes: tenants, keys, ids, and the node.
pub(crate) const PUT: &str = "INSERT INTO feed (tenant, key, ids, node)
    SELECT *, $4::int2 FROM unnest($1::int4[], $2::int8[], $3::bytea[])";

/// An attempt's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub(super) event: Place,
    pub(super) target: i32,
    pub(super) number: i32,
}

/// The notes of one tenant in the making.
#[derive(Default)]
struct Note {
    ids: Vec<u8>,
    many: usize,
    last: i64,
}

impl Note {
    fn put(&mut self, spot: Spot) {
        put_signed(&mut self.ids, spot.event.key - self.last);
        put(&mut self.ids, u64::from(spot.event.node.unsigned_abs()));
        put(&mut self.ids, u64::from(uno(spot.target)));
        put(&mut self.ids, u64::from(uno(spot.number)));
        self.last = spot.event.key;
        self.many += 1;
    }
}

/// The places of a note.
pub(super) fn spots(bytes: &[u8]) -> Option<Vec<Spot>> {
    let mut input = Input(bytes);
    let mut spots = Vec::new();
    let mut key = 0_i64;
    while !input.is_empty() {
        key = key.checked_add(input.signed()?)?;
        let node = i16::try_from(input.number()?).ok()?;
        let target = i32::try_from(input.number()?).ok()?;
        let number = i32::try_from(input.number()?).ok()?;
        spots.push(Spot { event: Place { key, node }, target, number });
    }
    Some(spots)
}

/// Columns of notes.
pub(crate) type NoteColumns = (Vec<i32>, Vec<i64>, Vec<Vec<u8>>);

/// Which attempts ended, as notes behind the last key that was given.
pub(crate) fn columns(records: &[Record], now: Timestamp, last_key: &mut u64) -> NoteColumns {
    let mut notes: BTreeMap<TenantNo, Vec<Note>> = BTreeMap::new();
    for record in records {
        let (Some(attempt), Some((event, target))) = (&record.attempt, place(record.delivery))
        else {
            continue;
        };
        let notes = notes.entry(record.tenant).or_default();
        if notes.last().is_none_or(|note| note.many == NOTE_IDS) {
            notes.push(Note::default());
        }
        if let Some(note) = notes.last_mut() {
            note.put(Spot { event, target, number: no(attempt.number) });
        }
    }
    let mut columns = NoteColumns::default();
    for (tenant, notes) in notes {
        for note in notes {
            *last_key = EventKey::at(now).0.max(*last_key + 1);
            columns.0.push(no(tenant.0));
            columns.1.push(int(*last_key));
            columns.2.push(note.ids);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_attempts_read_back_and_torn_ones_do_not() {
        let spot = |key, node, target, number| Spot { event: Place { key, node }, target, number };
        let some =
            [spot(7 << 40, 1, 0, 1), spot((7 << 40) + 3, 2, 2, 1), spot(5, i16::MAX, 0, i32::MAX)];
        let mut note = Note::default();
        some.into_iter().for_each(|spot| note.put(spot));
        assert_eq!(spots(&note.ids), Some(some.to_vec()));
        assert_eq!(spots(&note.ids[..note.ids.len() - 1]), None);
    }
}
