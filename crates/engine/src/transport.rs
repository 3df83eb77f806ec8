//! The HTTP client: one request, one answer, under one deadline.
//!
//! Connections are kept per origin and driven by whoever uses them, so an attempt costs no second task and no channel.
//! Redirects are never followed; the answer's head and body are read up to a bound; what was not read ends the connection.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::limit;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::connect::{Connector, Failure, Origin, Stream, plain};

/// An idle connection is not used again after this long: many receivers close theirs after 60 to 75 seconds.
const IDLE_FOR: Duration = Duration::from_secs(50);
/// Idle connections kept per origin.
const IDLE_MAX: usize = 128;
/// Idle connections kept in all: each is an open file.
const IDLE_TOTAL_MAX: usize = 2048;
/// A kept connection that breaks within about a round trip had been closed by the receiver before our request came;
/// later, the receiver may have read the request, and sending it again is the schedule's business. A round trip is taken
/// to be what opening the connection took, within these bounds.
const ROUND_TRIP_MIN: Duration = Duration::from_millis(5);
const ROUND_TRIP_MAX: Duration = Duration::from_millis(250);

/// What a receiver answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// The first bytes of the body, as many as are kept.
    pub body: Bytes,
}

/// Connections to one origin; shared by every endpoint that goes there.
pub(crate) struct Pool {
    origin: Origin,
    idle: Mutex<Vec<Connection>>,
    /// Idle connections of all pools.
    total: Arc<AtomicUsize>,
}

/// Sends requests.
pub(crate) struct Transport {
    connector: Connector,
    pools: Mutex<HashMap<Origin, Weak<Pool>>>,
    idle: Arc<AtomicUsize>,
}

struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    wire: Pin<Box<http1::Connection<TokioIo<Stream>, Full<Bytes>>>>,
    since: Instant,
    round_trip: Duration,
}

/// How a request on a connection ended without an answer.
enum Broken {
    /// It was closed before any of the answer came.
    Unused(Failure),
    Other(Failure),
}

impl Transport {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, pools: Mutex::new(HashMap::new()), idle: Arc::default() }
    }

    /// The connections to an origin.
    pub(crate) fn pool(&self, origin: &Origin) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(origin).and_then(Weak::upgrade) {
            return pool;
        }
        pools.retain(|_, pool| pool.strong_count() > 0);
        let pool = Arc::new(Pool {
            origin: origin.clone(),
            idle: Mutex::new(Vec::new()),
            total: Arc::clone(&self.idle),
        });
        pools.insert(origin.clone(), Arc::downgrade(&pool));
        pool
    }

    /// Sends one request and reads its answer, all within `within`.
    pub(crate) async fn send(
        &self,
        pool: &Pool,
        mut request: http::Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Answered, Failure> {
        if request.body().is_end_stream() {
            // The client tells no length of an empty body, and there are receivers that answer 411 then (RFC 9110 §8.6).
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match tokio::time::timeout(within, self.exchange(pool, request)).await {
            Ok(done) => done,
            Err(_) => Err(Failure::new(
                OutcomeKind::Timeout,
                format!("no whole answer within {} s", within.as_secs_f32()),
            )),
        }
    }

    async fn exchange(
        &self,
        pool: &Pool,
        request: http::Request<Full<Bytes>>,
    ) -> Result<Answered, Failure> {
        // A kept connection may have been closed by the receiver in the very moment it is used again. Nothing of an answer
        // came then, so the same attempt goes on over a fresh one.
        while let Some(mut connection) = pool.take() {
            if !connection.is_alive().await {
                continue;
            }
            match connection.exchange(request.clone()).await {
                Ok((answered, reusable)) => {
                    if reusable {
                        pool.give_back(connection);
                    }
                    return Ok(answered);
                }
                Err(Broken::Unused(_)) => break,
                Err(Broken::Other(failure)) => return Err(failure),
            }
        }
        let began = Instant::now();
        let stream = self.connector.connect(&pool.origin).await?;
        let mut connection = Connection::over(stream, began.elapsed()).await?;
        match connection.exchange(request).await {
            Ok((answered, reusable)) => {
                if reusable {
                    pool.give_back(connection);
                }
                Ok(answered)
            }
            Err(Broken::Unused(failure) | Broken::Other(failure)) => Err(failure),
        }
    }

    /// Drops connections that have been idle for long.
    pub(crate) fn drop_idle(&self) {
        let pools: Vec<_> = {
            let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
            pools.values().filter_map(Weak::upgrade).collect()
        };
        for pool in pools {
            pool.drop_idle();
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        // The youngest first: the others may then grow old and go.
        let connection = idle.pop()?;
        self.total.fetch_sub(1, Ordering::Relaxed);
        if connection.since.elapsed() < IDLE_FOR {
            return Some(connection);
        }
        self.total.fetch_sub(idle.len(), Ordering::Relaxed);
        idle.clear();
        None
    }

    fn give_back(&self, mut connection: Connection) {
        connection.since = Instant::now();
        let mut idle = self.lock();
        if idle.len() < IDLE_MAX && self.total.load(Ordering::Relaxed) < IDLE_TOTAL_MAX {
            self.total.fetch_add(1, Ordering::Relaxed);
            idle.push(connection);
        }
    }

    fn drop_idle(&self) {
        let mut idle = self.lock();
        let before = idle.len();
        idle.retain(|it| it.since.elapsed() < IDLE_FOR);
        self.total.fetch_sub(before - idle.len(), Ordering::Relaxed);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let idle = self.lock().len();
        self.total.fetch_sub(idle, Ordering::Relaxed);
    }
}

impl Connection {
    async fn over(stream: Stream, opened_in: Duration) -> Result<Self, Failure> {
        let round_trip = opened_in.clamp(ROUND_TRIP_MIN, ROUND_TRIP_MAX);
        let (sender, wire) = http1::Builder::new()
            .max_buf_size(limit::RESPONSE_HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failure(&error))?;
        Ok(Self { sender, wire: Box::pin(wire), since: Instant::now(), round_trip })
    }

    /// Looks once whether the other side has closed meanwhile.
    async fn is_alive(&mut self) -> bool {
        poll_fn(|cx| {
            if self.wire.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            Poll::Ready(matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
        })
        .await
    }

    /// One request and its answer; and whether the connection may be used again.
    async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<(Answered, bool), Broken> {
        let began = Instant::now();
        let mut response = {
            let mut sent = std::pin::pin!(self.sender.send_request(request));
            let mut over = false;
            let wire = &mut self.wire;
            poll_fn(|cx| {
                if !over && wire.as_mut().poll(cx).is_ready() {
                    over = true;
                }
                sent.as_mut().poll(cx)
            })
            .await
            .map_err(|error| {
                let early = is_early(&error) && began.elapsed() < self.round_trip;
                let unused = error.is_canceled() || error.is_closed() || early;
                let failure = failure(&error);
                if unused { Broken::Unused(failure) } else { Broken::Other(failure) }
            })?
        };
        let (body, whole) = self.read_body(response.body_mut()).await.map_err(Broken::Other)?;
        let (head, _) = response.into_parts();
        let reusable = whole && self.is_ready_again().await;
        Ok((Answered { status: head.status.as_u16(), headers: head.headers, body }, reusable))
    }

    /// Reads up to the bound; answers the bytes kept, and whether the body ended.
    async fn read_body(&mut self, body: &mut Incoming) -> Result<(Bytes, bool), Failure> {
        if body.is_end_stream() {
            return Ok((Bytes::new(), true));
        }
        let mut kept = BytesMut::new();
        let mut read = 0;
        let mut over = false;
        loop {
            let wire = &mut self.wire;
            let frame = poll_fn(|cx| {
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    return Poll::Ready(frame);
                }
                if !over && wire.as_mut().poll(cx).is_ready() {
                    over = true;
                }
                Pin::new(&mut *body).poll_frame(cx)
            })
            .await;
            let data = match frame {
                None => return Ok((kept.freeze(), true)),
                Some(Err(error)) => return Err(failure(&error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_trailers) => continue,
                },
            };
            read += data.len();
            let room = limit::RESPONSE_KEPT_BYTES_MAX.saturating_sub(kept.len());
            kept.extend_from_slice(&data[..data.len().min(room)]);
            if read >= limit::RESPONSE_READ_BYTES_MAX {
                return Ok((kept.freeze(), false));
            }
        }
    }

    async fn is_ready_again(&mut self) -> bool {
        poll_fn(|cx| {
            if self.wire.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            // Not ready although the answer is read means that the receiver asked to close.
            Poll::Ready(matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
        })
        .await
    }
}

/// The socket broke or ended before the answer's first byte.
fn is_early(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || io_cause(error).is_some()
}

fn io_cause(error: &hyper::Error) -> Option<&std::io::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() {
        return Failure::new(
            OutcomeKind::TooLarge,
            format!("the answer's head is larger than {} bytes", limit::RESPONSE_HEAD_BYTES_MAX),
        );
    }
    if error.is_parse() {
        return Failure::new(OutcomeKind::Connect, "the answer is not HTTP/1.1");
    }
    if error.is_incomplete_message() {
        return Failure::new(OutcomeKind::Connect, "connection closed before the answer was whole");
    }
    let text = io_cause(error).map_or("connection closed early", plain);
    Failure::new(OutcomeKind::Connect, text)
}

#[cfg(test)]
mod tests;
