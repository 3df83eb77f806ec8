//! Connecting, sending, and reading what comes back, each under a bound.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

use super::{ClientError, Refusal, Server};

/// For one address; a host's other addresses come after.
const CONNECT_FOR: Duration = Duration::from_secs(10);
/// For the head of an answer. The longest a server works on one: a test of an endpoint takes up to 120 s.
const ANSWER_FOR: Duration = Duration::from_secs(150);
/// Between two pieces of an answer's body.
const PIECE_FOR: Duration = Duration::from_secs(60);
/// Bytes of an answer. A page of a hundred events of 16 MiB, the largest a tenant can be allowed, is 1.6 GiB.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024 - 1;
/// Bytes of an answer that is no success.
const REFUSAL_BYTES_MAX: usize = 1024 * 1024;

/// A connection, in the open or under TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Connects to a server.
pub(super) async fn connect(
    server: &Server,
    tls: &Arc<OnceLock<TlsConnector>>,
) -> Result<Stream, ClientError> {
    let failed = |why: String| ClientError::Connect(format!("cannot connect to {server}: {why}"));
    let tcp = open(server).await.map_err(|error| failed(error.to_string()))?;
    let _ = tcp.set_nodelay(true);
    if !server.tls() {
        return Ok(Stream::Plain(tcp));
    }
    let name = match server.host() {
        Host::Domain(name) => ServerName::try_from(name.clone())
            .map_err(|_| failed("the host cannot stand in a certificate".to_owned()))?,
        Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
    };
    let connector = tls.get_or_init(|| TlsConnector::from(Arc::new(tls_config())));
    let shaken = timeout(CONNECT_FOR, connector.connect(name, tcp)).await;
    let shaken = shaken.map_err(|_| failed("the TLS handshake takes too long".to_owned()))?;
    let stream = shaken.map_err(|error| failed(format!("TLS: {error}")))?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn open(server: &Server) -> io::Result<TcpStream> {
    let port = server.port();
    let addresses: Vec<SocketAddr> = match server.host() {
        Host::Domain(name) => lookup_host((name.as_str(), port)).await?.collect(),
        Host::Ipv4(address) => vec![(*address, port).into()],
        Host::Ipv6(address) => vec![(*address, port).into()],
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match timeout(CONNECT_FOR, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// The machine's own roots (`SSL_CERT_FILE` names others), the public ones where it has none.
fn tls_config() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

/// Sends one request and has its answer read. The connection is driven by whoever asks, and ends with the answer.
pub(super) async fn exchange<R>(
    stream: Stream,
    request: Request<Full<Bytes>>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<R, ClientError>,
) -> Result<R, ClientError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let asking = async {
        let answer = timeout(ANSWER_FOR, sender.send_request(request)).await;
        let answer = answer.map_err(|_| ClientError::TimedOut(ANSWER_FOR))?.map_err(broken)?;
        read(answer).await
    };
    let (mut asking, connection) = (pin!(asking), pin!(connection));
    tokio::select! {
        biased;
        done = &mut asking => done,
        // What it read before it ended is still there to be taken.
        _ = connection => asking.await,
    }
}

/// A connection that is driven by whoever reads from it.
pub(super) type Driven = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The head of an answer whose body is read by and by.
pub(super) struct Opened {
    pub(super) answer: Response<Incoming>,
    /// `None` when it has ended already.
    pub(super) connection: Option<Driven>,
    pub(super) sender: http1::SendRequest<Full<Bytes>>,
}

/// Sends one request; answers when the head of its answer is there.
pub(super) async fn open_answer(
    stream: Stream,
    request: Request<Full<Bytes>>,
) -> Result<Opened, ClientError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut connection: Driven = Box::pin(async move {
        // What went wrong is told by whoever reads.
        let _ = connection.await;
    });
    let mut asking = Box::pin(timeout(ANSWER_FOR, sender.send_request(request)));
    let (answer, has_ended) = tokio::select! {
        biased;
        answer = &mut asking => (answer, false),
        () = &mut connection => (asking.as_mut().await, true),
    };
    drop(asking);
    let answer = answer.map_err(|_| ClientError::TimedOut(ANSWER_FOR))?.map_err(broken)?;
    let connection = (!has_ended).then_some(connection);
    Ok(Opened { answer, connection, sender })
}

/// The whole body.
pub(super) async fn whole(answer: Response<Incoming>) -> Result<Bytes, ClientError> {
    let mut body = BytesMut::new();
    let mut fits = true;
    pieces(answer, &mut |piece| {
        fits = body.len().saturating_add(piece.len()) <= ANSWER_BYTES_MAX;
        if fits {
            body.extend_from_slice(piece);
        }
        fits
    })
    .await?;
    if fits { Ok(body.freeze()) } else { Err(ClientError::Strange("it is too large".to_owned())) }
}

/// The body as it comes, as long as it is wanted.
pub(super) async fn pieces(
    answer: Response<Incoming>,
    take: &mut impl FnMut(&[u8]) -> bool,
) -> Result<(), ClientError> {
    let mut body = answer.into_body();
    loop {
        let frame = timeout(PIECE_FOR, body.frame()).await;
        let frame = frame.map_err(|_| ClientError::TimedOut(PIECE_FOR))?;
        let Some(frame) = frame.transpose().map_err(broken)? else { return Ok(()) };
        if frame.data_ref().is_some_and(|piece| !take(piece)) {
            return Ok(());
        }
    }
}

/// What an answer says that is no success.
pub(super) async fn refusal(answer: Response<Incoming>) -> ClientError {
    let status = answer.status().as_u16();
    let header = |name: HeaderName| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let retry_after = header(RETRY_AFTER).and_then(|it| it.trim().parse().ok());
    let location = header(LOCATION).filter(|_| (300..400).contains(&status));
    let mut body = BytesMut::new();
    let mut take = |piece: &[u8]| {
        body.extend_from_slice(piece);
        body.len() <= REFUSAL_BYTES_MAX
    };
    // The status says enough where the rest does not come.
    let _ = pieces(answer, &mut take).await;
    let problem = serde_json::from_slice(&body).ok();
    ClientError::Refused(Box::new(Refusal { status, problem, retry_after, location }))
}

pub(super) fn broken(error: hyper::Error) -> ClientError {
    ClientError::Broken(format!("the connection broke: {error}"))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
