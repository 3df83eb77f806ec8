//! A stream that is followed: its messages, as they come.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use super::ClientError;
use super::sse::Parser;
use super::wire::{self, Driven, Stream};
use crate::stream::StreamData;

/// A server of ours breaks its silence every 15 seconds: one that is silent for so long is not there any more.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(45);

/// The answer is a stream of messages.
#[derive(Clone, Copy, Debug)]
pub enum Messages {}

/// A message of a stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where its reader stands: to go on behind it, connect with this.
    pub id: String,
    /// What it tells; `None` when it tells nothing but its place, or something this version does not know.
    pub data: Option<StreamData>,
    /// The exact text of what it tells.
    pub text: String,
}

/// A stream that is being followed. Dropping it hangs up.
pub struct Following {
    body: Incoming,
    connection: Option<Driven>,
    parser: Parser,
    silence_max: Duration,
    _sender: SendRequest<Full<Bytes>>,
}

impl Following {
    /// Asks, and answers when the head of the stream is there.
    pub(super) async fn open(
        stream: Stream,
        request: Request<Full<Bytes>>,
        silence_max: Duration,
    ) -> Result<Self, ClientError> {
        let opened = wire::open_answer(stream, request).await?;
        Self::read(opened, silence_max).await
    }

    async fn read(opened: wire::Opened, silence_max: Duration) -> Result<Self, ClientError> {
        let wire::Opened { answer, mut connection, sender } = opened;
        if answer.status().is_success() {
            let (body, parser) = (answer.into_body(), Parser::default());
            return Ok(Self { body, connection, parser, silence_max, _sender: sender });
        }
        Err(driven(&mut connection, wire::refusal(answer)).await)
    }

    /// The next message. `None` is the end of the stream: connect again with the last `id`.
    ///
    /// # Errors
    /// The connection broke, or nothing at all came for too long: connect again as well.
    pub async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        loop {
            if let Some(raw) = self.parser.next() {
                let data = match &raw.data[..] {
                    "" => None,
                    data => StreamData::read(&raw.kind, data)
                        .map_err(|error| ClientError::Strange(error.to_string()))?,
                };
                return Ok(Some(Message { id: raw.id, data, text: raw.data }));
            }
            let frame = driven(&mut self.connection, self.body.frame());
            let frame = timeout(self.silence_max, frame).await;
            let frame = frame.map_err(|_| ClientError::TimedOut(self.silence_max))?;
            let Some(frame) = frame.transpose().map_err(wire::broken)? else { return Ok(None) };
            if let Some(piece) = frame.data_ref() {
                let pushed = self.parser.push(piece);
                pushed.map_err(|_| ClientError::Strange("a message is too long".to_owned()))?;
            }
        }
    }
}

/// Does something that needs the connection to go on.
async fn driven<T>(connection: &mut Option<Driven>, asking: impl Future<Output = T>) -> T {
    let mut asking = std::pin::pin!(asking);
    if let Some(going_on) = connection {
        tokio::select! {
            biased;
            done = &mut asking => return done,
            () = &mut *going_on => {}
        }
        // What it read before it ended is still there to be taken.
        *connection = None;
    }
    asking.await
}
