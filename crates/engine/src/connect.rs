//! Opens connections to receivers, and only to addresses the policy allows.
//!
//! The check stands here, at the socket, and is made for every connection: a literal address skips no step, a name is
//! refused whole when any of its addresses is denied, a failed look-up fails closed, and exactly the checked addresses are
//! connected to (standards.md §8.3). Proxy variables are never read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hickory_resolver::TokioResolver;
use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::limit;
use hookyard_rules::egress::EgressPolicy;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Between the beginnings of two connections to the same host.
const STAGGER: Duration = Duration::from_millis(250);

/// Where requests of an endpoint go: what a connection may be shared by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub tls: bool,
    pub host: Host,
    pub port: u16,
}

/// A host, as the URL parser understood it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

/// Why a request did not get its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub kind: OutcomeKind,
    pub error: String,
}

impl Failure {
    pub(crate) fn new(kind: OutcomeKind, error: impl Into<String>) -> Self {
        Self { kind, error: error.into() }
    }
}

/// A connection, in the open or under TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens connections.
pub(crate) struct Connector {
    policy: Arc<EgressPolicy>,
    resolver: Option<TokioResolver>,
    tls: TlsConnector,
}

impl Connector {
    pub(crate) fn new(policy: Arc<EgressPolicy>) -> Self {
        let resolver = TokioResolver::builder_tokio().ok().and_then(|it| it.build().ok());
        Self { policy, resolver, tls: TlsConnector::from(Arc::new(tls_config())) }
    }

    pub(crate) async fn connect(&self, origin: &Origin) -> Result<Stream, Failure> {
        let addresses = self.addresses(&origin.host).await?;
        self.policy
            .check_addrs(&addresses)
            .map_err(|denied| Failure::new(OutcomeKind::Blocked, denied.to_string()))?;
        let tcp = open(&addresses, origin.port).await?;
        // One write per request, nothing to gain from waiting for more.
        let _ = tcp.set_nodelay(true);
        if !origin.tls {
            return Ok(Stream::Plain(tcp));
        }
        let name = match &origin.host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| {
                Failure::new(OutcomeKind::Tls, "the host cannot stand in a certificate")
            })?,
        };
        let tls = self.tls.connect(name, tcp).await.map_err(|error| {
            Failure::new(OutcomeKind::Tls, format!("TLS handshake failed: {error}"))
        })?;
        Ok(Stream::Tls(Box::new(tls)))
    }

    async fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>, Failure> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        if is_this_machine(name) {
            return Ok(self.this_machine());
        }
        let Some(resolver) = &self.resolver else {
            return Err(Failure::new(
                OutcomeKind::Dns,
                "no resolver is configured on this machine",
            ));
        };
        // A final dot keeps the search list of this machine out of a tenant's names.
        let absolute = format!("{}.", name.trim_end_matches('.'));
        match resolver.lookup_ip(absolute).await {
            Ok(answer) => Ok(answer.iter().collect()),
            Err(error) if error.is_no_records_found() => {
                Err(Failure::new(OutcomeKind::Dns, "the host name has no address"))
            }
            Err(_) => Err(Failure::new(OutcomeKind::Dns, "the host name could not be resolved")),
        }
    }

    /// Its two addresses, without asking anybody. Nobody owns this name who could choose between them by order or timing,
    /// so whoever allowed one of them is not refused for the other.
    fn this_machine(&self) -> Vec<IpAddr> {
        let both = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let allowed = both.into_iter().filter(|it| self.policy.check_addr(*it).is_ok());
        let allowed: Vec<_> = allowed.collect();
        if allowed.is_empty() { both.to_vec() } else { allowed }
    }
}

/// `localhost` and what is below it (RFC 6761 §6.3).
fn is_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.strip_suffix("localhost").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Tries the addresses side by side, each a little after the one before (RFC 8305 §5): one that swallows packets must
/// not use up the time of those that answer.
async fn open(addresses: &[IpAddr], port: u16) -> Result<TcpStream, Failure> {
    let mut under_way = FuturesUnordered::new();
    for (place, address) in (0_u32..).zip(addresses) {
        let address = SocketAddr::new(*address, port);
        under_way.push(async move {
            if place > 0 {
                tokio::time::sleep(STAGGER * place).await;
            }
            socket(address)?.connect(address).await
        });
    }
    let mut last = None;
    while let Some(opened) = under_way.next().await {
        match opened {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    let error = last.map_or("no address", |it| plain(&it));
    Err(Failure::new(OutcomeKind::Connect, error))
}

/// A socket whose kernel buffer takes no more than is read of an answer: a receiver that sends without end would fill
/// megabytes of it before it is cut off, at every attempt.
fn socket(to: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket
        .set_recv_buffer_size(u32::try_from(limit::RESPONSE_READ_BYTES_MAX).unwrap_or(u32::MAX))?;
    Ok(socket)
}

/// What a tenant may know of a socket's error: the kind, never the machine's own words.
#[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's list is long and grows")]
pub(crate) fn plain(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "connection refused",
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => "connection reset",
        Kind::HostUnreachable | Kind::NetworkUnreachable => "host unreachable",
        Kind::TimedOut => "connection timed out",
        Kind::UnexpectedEof => "connection closed early",
        _ => "connection failed",
    }
}

/// The machine's own roots (so that an operator's private authority counts), the public ones where it has none.
fn tls_config() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
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
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
