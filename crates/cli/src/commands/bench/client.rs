//! A small HTTP/1.1 client: one kept connection, one request at a time. The connection is driven by the
//! task that asks, so a request costs no hop between threads; gateway and bare rounds use the same one.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Characters of an unexpected answer that are shown.
const SHOWN_CHARS_MAX: usize = 300;
/// What every problem has, and nothing else in a batch's answer.
const PROBLEM_MARK: &[u8] = b"\"code\":";

type Driver = http1::Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// One kept connection.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Option<Pin<Box<Driver>>>,
}

/// What the other side answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Connection {
    /// Connects to `addr`.
    pub(super) async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(addr).await.with_context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true).context("setting TCP_NODELAY")?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Some(Box::pin(driver)) })
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let Self { sender, driver } = self;
        let mut asked = pin!(async move {
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Answer { status, body })
        });
        let answer = poll_fn(|cx| {
            if let Poll::Ready(done) = asked.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            drive(driver, cx);
            asked.as_mut().poll(cx)
        });
        answer.await.context("sending a request")
    }
}

/// Moves the connection on; its end (or failure) reaches the asker through the sender.
fn drive(driver: &mut Option<Pin<Box<Driver>>>, cx: &mut TaskContext<'_>) {
    if let Some(connection) = driver
        && connection.as_mut().poll(cx).is_ready()
    {
        *driver = None;
    }
}

impl Answer {
    /// What the answer says, for a message to a person: a problem's detail if it is one.
    pub(super) fn describe(&self) -> String {
        let problem: Option<Value> = serde_json::from_slice(&self.body).ok();
        let said = problem.as_ref().and_then(detail_of).map(str::to_owned);
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned());
        let shown: String = said.chars().take(SHOWN_CHARS_MAX).collect();
        if shown.is_empty() { self.status.to_string() } else { format!("{}: {shown}", self.status) }
    }

    /// Why the first item of a batch that was not accepted was not. The usual answer, in which all
    /// were, is only searched, not parsed.
    pub(super) fn refused_item(&self) -> Option<String> {
        self.body.windows(PROBLEM_MARK.len()).find(|window| *window == PROBLEM_MARK)?;
        let answer: Value = serde_json::from_slice(&self.body).ok()?;
        let mut items = answer.get("results")?.as_array()?.iter();
        let problem = items.find_map(|item| item.get("error").filter(|error| !error.is_null()))?;
        Some(detail_of(problem).map_or_else(|| problem.to_string(), str::to_owned))
    }
}

/// The most telling text of a problem.
fn detail_of(problem: &Value) -> Option<&str> {
    ["detail", "title", "code"].iter().find_map(|field| problem.get(field)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &'static str) -> Answer {
        Answer { status: StatusCode::ACCEPTED, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn a_refused_item_of_a_batch_is_found_by_its_problem() {
        let body = r#"{"results":[{"index":0,"status":202,"id":"evt_1"},
            {"index":1,"status":422,"error":{"code":"unknown_field","detail":"no such field"}}]}"#;
        assert_eq!(answer(body).refused_item().as_deref(), Some("no such field"));
        assert_eq!(answer(r#"{"results":[{"index":0,"status":202}]}"#).refused_item(), None);
    }

    #[test]
    fn a_problem_is_described_by_its_detail_and_anything_else_by_itself() {
        let problem = answer(r#"{"title":"Bad","detail":"too long"}"#);
        assert_eq!(problem.describe(), "202 Accepted: too long");
        assert_eq!(answer("plain").describe(), "202 Accepted: plain");
        assert_eq!(answer("").describe(), "202 Accepted");
    }
}
