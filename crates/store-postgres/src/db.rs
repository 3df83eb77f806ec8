//! Asking PostgreSQL: prepared statements by their text, statements sent one behind the other, and sixteen-byte ids.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, BytesMut};
use deadpool_postgres::{Client, GenericClient, Transaction};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{IsolationLevel, Row};

use crate::error::{Fault, Result};

/// What a statement is given.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Every row.
pub(crate) async fn query(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Row>> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query(&statement, params).await?)
}

/// The row, if there is one.
pub(crate) async fn query_opt(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
) -> Result<Option<Row>> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query_opt(&statement, params).await?)
}

/// How many rows were changed.
pub(crate) async fn execute(db: &impl GenericClient, sql: &str, params: Params<'_>) -> Result<u64> {
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
