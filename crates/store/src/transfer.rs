//! Everything a store holds as plain rows: the form in which one adapter hands it to another.
//!
//! Called by the adapters' own `transfer`, and by `cli`, which carries the rows and compares both sides. It stands beside
//! the port: no server speaks of it. What is derived (lists of events, marks of the adapter itself) is not among the rows;
//! whoever takes events in derives it again.

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// None.
    Null,
    /// A number, a time in milliseconds, or 0 and 1 for no and yes.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes; ids are sixteen of them.
    Bytes(Vec<u8>),
}

/// What the values of a column are, where they are not null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Cell::Int`].
    Int,
    /// [`Cell::Text`].
    Text,
    /// [`Cell::Bytes`].
    Bytes,
}

/// The values of a row, one for each of its table's columns.
pub type Row = Vec<Cell>;

macro_rules! tables {
    ($($table:ident, $name:literal, $doc:literal, [$($column:ident $kind:ident),* $(,)?];)*) => {
        /// What rows are of, in the order in which they are carried: nothing refers to what comes after it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Table {$(
            #[doc = $doc]
            $table,
        )*}

        impl Table {
            /// All of them, in their order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$table),*];

            /// Its name, for people and for notes on disk.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$table => $name,)*}
            }

            /// Its columns.
            #[must_use]
            pub const fn columns(self) -> &'static [(&'static str, Kind)] {
                match self {$(Self::$table => &[$((stringify!($column), Kind::$kind)),*],)*}
            }
        }
    };
}

tables! {
    Fact, "meta", "Facts that stand alone.", [name Text, value Bytes];
    Tenant, "tenant", "Tenants, those that are gone too.", [
        no Int, id Text, name Text, profile Text, limits Text, retention_days Int, created_ms Int,
        updated_ms Int, version Int, deleted Int,
    ];
    ApiKey, "api_key", "API keys.", [
        no Int, id Bytes, tenant Int, name Text, scopes Text, hash Bytes, hint Text, expires_ms Int,
        created_ms Int,
    ];
    Endpoint, "endpoint", "Endpoints with what is sealed of them, those that are gone too.", [
        no Int, id Bytes, tenant Int, settings Text, headers Bytes, secret Bytes, secret_before Bytes,
        secret_before_until_ms Int, status Int, disabled_reason Int, disabled_ms Int, created_ms Int,
        updated_ms Int, revision Int, deleted Int,
    ];
    Source, "source", "Sources, as endpoints.", [
        no Int, id Bytes, tenant Int, provider Text, settings Text, secret Bytes, secret_before Bytes,
        secret_before_until_ms Int, verify_token Bytes, status Int, created_ms Int, updated_ms Int,
        revision Int, deleted Int,
    ];
    Received, "received", "What is counted of sources.", [
        source Bytes, tenant Int, event_count Int, last_event_ms Int,
    ];
    EventType, "event_type", "The catalogues.", [
        no Int, tenant Int, name Text, description Text, group Text, schema Text, sample Text,
        deprecated Int, created_ms Int, updated_ms Int,
    ];
    Audit, "audit", "The audit log.", [
        no Int, tenant Int, id Bytes, at_ms Int, actor Text, origin Text, action Text, subject Text,
        before Text, after Text,
    ];
    Reply, "reply", "Idempotent replies.", [
        owner Text, key Text, request Bytes, taken_ms Int, incarnation Int, answer Bytes,
    ];
    Event, "event", "Events. `targets` and `extra` are lists of numbers of variable length, see the adapters.", [
        key Int, tenant Int, accepted_ms Int, occurred_ms Int, fan_out Int, type Text, scope Text,
        publisher_id Bytes, source Bytes, targets Bytes, extra Bytes, data Bytes,
    ];
    Once, "once", "What makes a publish happen once. `text` of a received one is its source's id and the sender's.", [
        tenant Int, kind Int, text Bytes, key Int, accepted_ms Int, deliveries Int, content Bytes,
    ];
    Delivery, "delivery", "What happened to deliveries.", [
        key Int, target Int, tenant Int, endpoint Int, status Int, reason Int, attempts Int, set_off Int,
        due_ms Int, created_ms Int, updated_ms Int, code Int, first Bytes,
    ];
    Attempt, "attempt", "Attempts beyond each delivery's first.", [
        key Int, target Int, number Int, tenant Int, attempt Bytes,
    ];
    Lane, "lane", "Where lanes stand and what is counted of endpoints.", [
        endpoint Int, tenant Int, mark Int, delivery_count Int, last_delivery_ms Int,
        consecutive_failures Int, failing_since_ms Int,
    ];
    Replayed, "replayed", "Events replayed to an endpoint that was not among their targets.", [
        endpoint Int, key Int, tenant Int,
    ];
    Held, "held", "Events that are held since their source is paused.", [
        source Bytes, key Int, tenant Int,
    ];
    Feed, "feed", "Which attempts ended, in order. `ids` are their places, see the adapters.", [
        key Int, tenant Int, ids Bytes,
    ];
    TallyNow, "tally_now", "What was counted lately.", [
        minute Int, incarnation Int, tenant Int, endpoint Int, tally Bytes,
    ];
    TallyPast, "tally_past", "What was counted longer ago.", [
        at_s Int, tenant Int, endpoint Int, span_s Int, tally Bytes,
    ];
    Job, "job", "Jobs; nobody works on one that was moved until it is taken up.", [
        no Int, id Bytes, tenant Int, endpoint Int, recovery Text, status Int, total Int, done Int,
        at_key Int, at_target Int, at_node Int, owner Int, incarnation Int, lease_ms Int, error Text,
        created_ms Int, finished_ms Int,
    ];
}

impl Table {
    /// The table of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// Tags of the rare parts of an event, each followed by its value: the column `extra`.
pub mod extra {
    /// Headers.
    pub const HEADERS: u64 = 1;
    /// The object before the change.
    pub const PREVIOUS: u64 = 2;
    /// What the publisher says has changed.
    pub const CHANGES: u64 = 3;
    /// The content type of a received body.
    pub const CONTENT_TYPE: u64 = 4;
}

/// What tells one state of one store from every other: whoever goes on with what was begun compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub Vec<u8>);

/// A piece of a table.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// Its rows.
    pub rows: Vec<Row>,
    /// Where the next piece begins; `None` at the table's end. It means something to the store that gave it alone.
    pub next: Option<Row>,
}

/// Cells as bytes: the same for the same cells, whatever store they come from.
#[must_use]
pub fn to_bytes(row: &[Cell]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.len() * 16);
    let put = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    for cell in row {
        match cell {
            Cell::Null => put(&mut out, 0, &[]),
            Cell::Int(value) => put(&mut out, 1, &value.to_be_bytes()),
            Cell::Text(text) => put(&mut out, 2, text.as_bytes()),
            Cell::Bytes(bytes) => put(&mut out, 3, bytes),
        }
    }
    out
}

/// The way back of [`to_bytes`]; `None` for anything else.
#[must_use]
pub fn from_bytes(mut bytes: &[u8]) -> Option<Row> {
    let mut row = Row::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        row.push(match tag {
            0 if value.is_empty() => Cell::Null,
            1 => Cell::Int(i64::from_be_bytes(value.try_into().ok()?)),
            2 => Cell::Text(String::from_utf8(value.to_vec()).ok()?),
            3 => Cell::Bytes(value.to_vec()),
            _ => return None,
        });
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_and_torn_ones_do_not() {
        let row = vec![
            Cell::Null,
            Cell::Int(-5),
            Cell::Text("é".into()),
            Cell::Bytes(vec![0, 255]),
            Cell::Text(String::new()),
        ];
        let bytes = to_bytes(&row);
        assert_eq!(from_bytes(&bytes).unwrap(), row);
        assert_eq!(from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(from_bytes(&[9]), None);
        assert_ne!(to_bytes(&[Cell::Null]), to_bytes(&[Cell::Text(String::new())]));
    }

    #[test]
    fn every_table_has_a_name_of_its_own() {
        for table in Table::ALL {
            assert_eq!(Table::named(table.name()), Some(table));
            assert!(!table.columns().is_empty());
        }
    }
}
