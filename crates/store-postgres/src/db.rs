//! Asking PostgreSQL: prepared statements by their text, statements sent one behind the other, and sixteen-byte ids.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, BytesMut};
use deadpool_postgres::{Client, Transaction};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Error, IsolationLevel, Row, Statement};

use crate::error::{Fault, Result, unavailable};

/// What a statement is given.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Whether statements have names. A pooler that gives each transaction another connection knows no names, and one given
/// on a connection would be found there by somebody else. A process reaches one database, so this is one fact; statements
/// without names are right everywhere, but planned anew each time.
static NAMELESS: AtomicBool = AtomicBool::new(false);

/// From here on no statement is given a name.
pub(crate) fn give_no_names() {
    NAMELESS.store(true, Ordering::Relaxed);
}

/// Whether statements have no names.
pub(crate) fn is_nameless() -> bool {
    NAMELESS.load(Ordering::Relaxed)
}

/// A connection, or a transaction on one.
pub(crate) trait GenericClient: deadpool_postgres::GenericClient {
    /// Asks in one go, without a name: each parameter with its type.
    fn ask_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> impl Future<Output = std::result::Result<Vec<Row>, Error>> + Send + 'a;

    /// The same, for how many rows were changed.
    fn execute_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> impl Future<Output = std::result::Result<u64, Error>> + Send + 'a;
}

impl GenericClient for Client {
    async fn ask_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> std::result::Result<Vec<Row>, Error> {
        self.query_typed(sql, params).await
    }

    async fn execute_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> std::result::Result<u64, Error> {
        self.execute_typed(sql, params).await
    }
}

impl GenericClient for Transaction<'_> {
    async fn ask_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> std::result::Result<Vec<Row>, Error> {
        self.query_typed(sql, params).await
    }

    async fn execute_unnamed<'a>(
        &'a self,
        sql: &'a str,
        params: &'a [(&'a (dyn ToSql + Sync), Type)],
    ) -> std::result::Result<u64, Error> {
        self.execute_typed(sql, params).await
    }
}

/// A statement that is asked again and again on one connection.
pub(crate) enum Asked {
    Named(Statement),
    Unnamed(String),
}

impl Asked {
    /// Prepares it, where it may have a name.
    pub(crate) async fn prepare(db: &impl GenericClient, sql: &str) -> Result<Self> {
        if is_nameless() {
            return Ok(Self::Unnamed(sql.to_owned()));
        }
        Ok(Self::Named(db.prepare_cached(sql).await?))
    }

    /// Asks it.
    pub(crate) async fn ask(
        &self,
        db: &impl GenericClient,
        params: Params<'_>,
    ) -> Result<Vec<Row>> {
        match self {
            Self::Named(statement) => Ok(db.query(statement, params).await?),
            Self::Unnamed(sql) => Ok(db.ask_unnamed(sql, &typed(params)?).await?),
        }
    }
}

/// What our parameters are, as far as their values tell.
const TYPES: [Type; 14] = [
    Type::INT8,
    Type::INT4,
    Type::INT2,
    Type::TEXT,
    Type::BYTEA,
    Type::UUID,
    Type::BOOL,
    Type::INT8_ARRAY,
    Type::INT4_ARRAY,
    Type::INT2_ARRAY,
    Type::TEXT_ARRAY,
    Type::BYTEA_ARRAY,
    Type::UUID_ARRAY,
    Type::BOOL_ARRAY,
];

/// Parameters with their types: the first type that takes the value.
fn typed<'a>(params: Params<'a>) -> Result<Vec<(&'a (dyn ToSql + Sync), Type)>> {
    let mut scratch = BytesMut::new();
    let mut one = |param: &'a (dyn ToSql + Sync)| {
        let found = TYPES.iter().find(|ty| {
            scratch.clear();
            param.to_sql_checked(ty, &mut scratch).is_ok()
        });
        let ty = found.ok_or_else(|| unavailable("a parameter has a type that is not known"))?;
        Ok((param, ty.clone()))
    };
    params.iter().map(|param| one(*param)).collect()
}

/// Every row.
pub(crate) async fn query(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Row>> {
    Asked::prepare(db, sql).await?.ask(db, params).await
}

/// The row, if there is one.
pub(crate) async fn query_opt(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Option<Row>> {
    if is_nameless() {
        return Ok(query(db, sql, params).await?.pop());
    }
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query_opt(&statement, params).await?)
}

/// How many rows were changed.
pub(crate) async fn execute(db: &impl GenericClient, sql: &str, params: Params<'_>) -> Result<u64> {
    if is_nameless() {
        return db.execute_unnamed(sql, &typed(params)?).await.map_err(Fault::from);
    }
    let statement = db.prepare_cached(sql).await?;
    Ok(db.execute(&statement, params).await?)
}

/// Begins to read, all as of one moment.
pub(crate) async fn snapshot(client: &mut Client) -> Result<Transaction<'_>> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    Ok(begin.read_only(true).start().await?)
}

type Step<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>>> + Send + 'a>>;

enum State<'a> {
    Sent(Step<'a>),
    Done(Result<Vec<Row>>),
}

/// Statements that are sent one behind the other without waiting for what comes of them.
#[derive(Default)]
pub(crate) struct Pipeline<'a>(Vec<State<'a>>);

impl<'a> Pipeline<'a> {
    /// Sends the next one: its request goes out when it is first polled, which is now.
    pub(crate) fn push(&mut self, step: impl Future<Output = Result<Vec<Row>>> + Send + 'a) {
        let mut step: Step<'a> = Box::pin(step);
        let state = match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => State::Done(done),
            Poll::Pending => State::Sent(step),
        };
        self.0.push(state);
    }

    /// How many were sent.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What came of each; the first error and its place if there was one, when all have ended.
    pub(crate) async fn finish(mut self) -> std::result::Result<Vec<Vec<Row>>, (usize, Fault)> {
        poll_fn(|context| {
            let mut waits = false;
            for state in &mut self.0 {
                if let State::Sent(step) = state {
                    match step.as_mut().poll(context) {
                        Poll::Ready(done) => *state = State::Done(done),
                        Poll::Pending => waits = true,
                    }
                }
            }
            if waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        self.0
            .into_iter()
            .enumerate()
            .filter_map(|(at, state)| match state {
                State::Done(done) => Some(done.map_err(|fault| (at, fault))),
                State::Sent(_) => None,
            })
            .collect()
    }
}

/// Sixteen bytes of an id, as a `uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Uid(pub(crate) u128);

impl ToSql for Uid {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_u128(self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Uid {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(u128::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
}
