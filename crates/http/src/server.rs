//! Connections: accepts them, bounds them, times them out, and lets them go in peace.
//!
//! An accept loop of our own over `hyper`, since a header that never ends must not hold a connection. Three things stand here
//! that a handler cannot do for itself: at most so many connections at once; time-outs for headers (bodies have theirs in
//! [`crate::body`], answers that nobody reads in `linger`); and a change runs to its end even when its client hangs up in
//! the middle.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::Service;

use crate::linger::Lingering;

/// Connections at once; more wait in the kernel's queue. Each costs about 20 KiB and a file descriptor.
const CONNECTIONS_MAX: usize = 10_000;
/// How long a request's head may take, and how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request's head; also the read buffer's bound.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long to wait when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The caller's address, among a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Serves until `shutdown` is ready, then lets open requests finish for at most `grace`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (stream, peer, permit) = accept(&listener, &room) => {
                connections.spawn(connection(stream, peer, permit, router.clone(), closed.clone()));
            }
        }
    }
    drop(listener);
    closing.send_replace(true);
    let rest = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, rest).await.is_err() {
        tracing::warn!(open = connections.len(), "gave up waiting for open requests");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit in the end.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    _permit: Option<OwnedSemaphorePermit>,
    router: Router,
    mut closed: watch::Receiver<bool>,
) {
    // An answer is one small write; waiting to send more with it only delays it.
    let _ = stream.set_nodelay(true);
    let left = Left::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let change = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let answer = router.clone().call(request);
        if change { Answering::to_its_end(answer, &left) } else { Answering::while_wanted(answer) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES_MAX);
    let ended = {
        // Dropped at the end of this block, and with it an answer that nobody waits for any more: into `left`.
        let mut serving =
            std::pin::pin!(builder.serve_connection(TokioIo::new(Lingering::new(stream)), service));
        let closing = async { closed.wait_for(|it| *it).await.is_ok() };
        tokio::select! {
            ended = &mut serving => ended,
            _ = closing => {
                serving.as_mut().graceful_shutdown();
                serving.as_mut().await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
    let unfinished = left.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(unfinished) = unfinished {
        let _ = unfinished.await;
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Where a change that nobody waits for any more is left, for the connection's task to finish.
type Left = Arc<Mutex<Option<Answer>>>;

/// A request being answered. A change that is dropped half-way, because its client hung up, is left to be finished.
struct Answering {
    answer: Option<Answer>,
    left: Option<Left>,
}

impl Answering {
    fn while_wanted(
        answer: impl Future<Output = Result<Response, Infallible>> + Send + 'static,
    ) -> Self {
        Self { answer: Some(Box::pin(answer)), left: None }
    }

    fn to_its_end(
        answer: impl Future<Output = Result<Response, Infallible>> + Send + 'static,
        left: &Left,
    ) -> Self {
        Self { answer: Some(Box::pin(answer)), left: Some(Arc::clone(left)) }
    }
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        let ready = answer.as_mut().poll(ctx);
        if ready.is_ready() {
            self.answer = None;
        }
        ready
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let (Some(answer), Some(left)) = (self.answer.take(), &self.left) {
            *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    /// A server, its address, and the switch that ends it.
    async fn start(router: Router) -> (SocketAddr, oneshot::Sender<()>, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, router, async { drop(stopped.await) }, GRACE));
        (address, stop, tasks)
    }

    async fn send(address: SocketAddr, head: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    #[tokio::test]
    async fn a_change_runs_to_its_end_although_its_client_hangs_up() {
        let (begun, go, ended) =
            (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handler = {
            let (begun, go, ended) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&ended));
            async move || {
                begun.notify_one();
                go.notified().await;
                ended.notify_one();
            }
        };
        let gone = Arc::new(Notify::new());
        let watched = {
            let gone = Arc::clone(&gone);
            async move || {
                let _on_drop = OnDrop(gone);
                std::future::pending::<()>().await;
            }
        };
        let router = Router::new().route("/", post(handler)).route("/look", get(watched));
        let (address, _stop, _tasks) = start(router).await;
        let stream = send(address, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
        begun.notified().await;
        drop(stream);
        // A mere look whose client hangs up is dropped; that also shows that the server has noticed such things.
        drop(send(address, "GET /look HTTP/1.1\r\nhost: a\r\n\r\n").await);
        gone.notified().await;
        go.notify_one();
        ended.notified().await;
    }

    struct OnDrop(Arc<Notify>);

    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn what_is_being_answered_at_shutdown_is_answered_and_nothing_new_is_taken() {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handler = {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            async move || {
                begun.notify_one();
                go.notified().await;
                "done"
            }
        };
        let (address, stop, mut tasks) = start(Router::new().route("/", get(handler))).await;
        let mut stream = send(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        begun.notified().await;
        drop(stop);
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        go.notify_one();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("done"), "{answer}");
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let (address, _stop, _tasks) = start(Router::new()).await;
        // Exactly as much as the server reads: bytes it has not read would reset the connection and lose its answer.
        let mut head = "GET / HTTP/1.1\r\nhost: a\r\nx-filler: ".to_owned();
        head.push_str(&"a".repeat(HEAD_BYTES_MAX - head.len()));
        let mut stream = send(address, &head).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn handlers_see_the_address_of_their_caller() {
        let router = Router::new()
            .route("/", get(async |peer: axum::Extension<Peer>| peer.0.0.ip().to_string()));
        let (address, _stop, _tasks) = start(router).await;
        let mut stream =
            send(address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("127.0.0.1"), "{answer}");
    }
}
