//! The receiver: a real HTTP/1.1 server in this process that writes each arrival into the ledger and
//! answers 200. Gateway and bare rounds send to the same one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ledger::Ledger;
use super::payload::find_seq;

/// A pause after `accept` failed, for want of file handles as a rule.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// A running receiver. Dropped, it stops listening and closes its connections.
pub(super) struct Receiver {
    addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of its endpoint number `endpoint`.
    pub(super) fn url(&self, endpoint: usize) -> String {
        endpoint_url(self.addr, endpoint)
    }
}

/// The URL of endpoint number `endpoint` of a sink that listens, or will listen, on `addr`.
pub(super) fn endpoint_url(addr: SocketAddr, endpoint: usize) -> String {
    format!("http://{addr}/e/{endpoint}")
}

/// Starts the counting sink.
pub(super) async fn start(addr: SocketAddr, ledger: Arc<Ledger>) -> anyhow::Result<Receiver> {
    serve(addr, move |request| count(request, Arc::clone(&ledger))).await
}

/// Starts a server whose every request is answered by `handler`.
pub(super) async fn serve<H, F, B>(addr: SocketAddr, handler: H) -> anyhow::Result<Receiver>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listener = TcpListener::bind(addr).await.with_context(|| format!("listening on {addr}"))?;
    let addr = listener.local_addr().context("asking for the own address")?;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, handler));
    Ok(Receiver { addr, _tasks: tasks })
}

async fn accept<H, F, B>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, handler.clone()));
                }
                Err(_) => sleep(ACCEPT_AGAIN_AFTER).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse<H, F, B>(stream: TcpStream, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| {
        let answered = handler(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    // How a connection ends is the sender's affair: what counts is what arrived.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn count(request: Request<Incoming>, ledger: Arc<Ledger>) -> Response<Empty<Bytes>> {
    let endpoint = request.uri().path().strip_prefix("/e/").and_then(|number| number.parse().ok());
    if let Ok(body) = request.into_body().collect().await {
        let seq = endpoint.and_then(|_| find_seq(&body.to_bytes()));
        ledger.arrive(seq, endpoint.unwrap_or(usize::MAX));
    }
    Response::new(Empty::new())
}
