//! Receivers that misbehave, each in its own way and on a port of its own.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response, StatusCode, header};
use tokio::time::{Interval, interval};

use super::sink::{Receiver, serve};

const ENDLESS_CHUNK: [u8; 16 * 1024] = [b'.'; 16 * 1024];
const DRIP_EVERY: Duration = Duration::from_secs(1);
/// Where cloud machines find their credentials: the classic target of a redirect.
const PRIVATE_URL: &str = "http://169.254.169.254/latest/meta-data/";

/// How a neighbour misbehaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    /// Accepts the request and never answers.
    Hangs,
    /// Answers 200 at once, then sends a byte of the body per second.
    Drips,
    /// Answers 200 with a body that never ends, as fast as it is read.
    NeverEnds,
    /// Answers 302 to a private address.
    Redirects,
}

impl Manner {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Hangs, Self::Drips, Self::NeverEnds, Self::Redirects];
}

/// Starts a neighbour of this manner.
pub(super) async fn start(manner: Manner) -> anyhow::Result<Receiver> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    serve(any_port, move |request| misbehave(request, manner)).await
}

async fn misbehave(request: Request<Incoming>, manner: Manner) -> Response<Misbehaviour> {
    // Read, so that the sender is not stopped by a full buffer but by the answer.
    let _ = request.into_body().collect().await;
    match manner {
        Manner::Hangs => std::future::pending().await,
        Manner::Drips => Response::new(Misbehaviour::Drip(interval(DRIP_EVERY))),
        Manner::NeverEnds => Response::new(Misbehaviour::NeverEnd),
        Manner::Redirects => {
            let mut response = Response::new(Misbehaviour::Nothing);
            *response.status_mut() = StatusCode::FOUND;
            let target = header::HeaderValue::from_static(PRIVATE_URL);
            response.headers_mut().insert(header::LOCATION, target);
            response
        }
    }
}

enum Misbehaviour {
    Nothing,
    Drip(Interval),
    NeverEnd,
}

impl Body for Misbehaviour {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Nothing => Poll::Ready(None),
            Self::Drip(interval) => {
                interval.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from_static(b".")))))
            }
            Self::NeverEnd => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ENDLESS_CHUNK)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}
