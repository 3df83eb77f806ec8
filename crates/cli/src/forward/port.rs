//! A port of this machine that requests are brought to, one after another, over one connection for as long as it lasts.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::str::FromStr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

/// For one address.
const CONNECT_FOR: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

type Driven = Pin<Box<dyn Future<Output = ()>>>;

/// A connection, driven by whoever sends.
struct Link {
    sender: SendRequest<Full<Bytes>>,
    connection: Option<Driven>,
}

/// Where requests are brought.
pub struct Port {
    target: Target,
    link: Option<Link>,
}

/// A URL that says where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: Host,
    port: u16,
    /// Path and query.
    pub path: String,
    /// Host and port, as `Host` has them.
    pub authority: String,
}

impl FromStr for Target {
    type Err = String;

    /// A URL, or what is usually left out of one on one's own machine: `3000`, `:3000/hooks`, `localhost:3000`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let full = match text.split(['/', '?']).next().unwrap_or_default() {
            _ if text.contains("://") => text.to_owned(),
            port if port.parse::<u16>().is_ok() => format!("http://localhost:{text}"),
            port if port.starts_with(':') => format!("http://localhost{text}"),
            _ => format!("http://{text}"),
        };
        let form = "use a URL such as `http://localhost:3000/hooks`";
        let url = Url::parse(&full).map_err(|_| form.to_owned())?;
        if url.scheme() != "http" {
            return Err("use `http://`: TLS is for the way between machines".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("put no user name or password into the URL".to_owned());
        }
        let host = url.host().ok_or(form)?.to_owned();
        let port = url.port_or_known_default().ok_or(form)?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let query = url.query().map(|it| format!("?{it}")).unwrap_or_default();
        Ok(Self { host, port, path: format!("{}{query}", url.path()), authority })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Its first bytes.
    pub body: Bytes,
}

/// What came of a request.
pub enum Sent {
    /// It was answered, after so long.
    Answered(Answer, Duration),
    /// It was brought, and no answer came: why, after so long.
    Unanswered(String, Duration),
    /// Nobody listens there.
    Nobody(String),
}

impl Port {
    /// Nothing is connected yet.
    pub fn new(target: Target) -> Self {
        Self { target, link: None }
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Brings one request; `make` makes it when there is somebody to bring it to. One that went out on a connection which
    /// turned out to be dead is brought once more.
    pub async fn bring(
        &mut self,
        make: impl Fn(&Target) -> anyhow::Result<Request<Full<Bytes>>>,
        within: Duration,
    ) -> anyhow::Result<Sent> {
        let began = Instant::now();
        if let Some(link) = self.link.take() {
            match self.exchange(link, make(&self.target)?, within).await {
                Ok(answer) => return Ok(Sent::Answered(answer, began.elapsed())),
                Err(Broken::Late(why)) => return Ok(Sent::Unanswered(why, began.elapsed())),
                Err(Broken::Connection(_)) => {}
            }
        }
        let link = match self.connect().await {
            Ok(link) => link,
            Err(why) => return Ok(Sent::Nobody(why)),
        };
        let began = Instant::now();
        Ok(match self.exchange(link, make(&self.target)?, within).await {
            Ok(answer) => Sent::Answered(answer, began.elapsed()),
            Err(Broken::Late(why) | Broken::Connection(why)) => {
                Sent::Unanswered(why, began.elapsed())
            }
        })
    }

    async fn connect(&self) -> Result<Link, String> {
        let Target { host, port, .. } = &self.target;
        let addresses: Vec<SocketAddr> = match host {
            Host::Ipv4(address) => vec![(*address, *port).into()],
            Host::Ipv6(address) => vec![(*address, *port).into()],
            // Programs listen on one of the two, and which one differs from language to language.
            Host::Domain(name) if name == "localhost" => {
                let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                both.map(|it| SocketAddr::new(it, *port)).into()
            }
            Host::Domain(name) => match lookup_host((name.as_str(), *port)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(format!("{name}: {error}")),
            },
        };
        let mut why = Vec::new();
        for address in addresses {
            match timeout(CONNECT_FOR, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    let shaken = http1::handshake(TokioIo::new(stream)).await;
                    let (sender, connection) = shaken.map_err(|error| error.to_string())?;
                    // What went wrong is told by whoever sends.
                    let connection: Driven = Box::pin(async move { drop(connection.await) });
                    return Ok(Link { sender, connection: Some(connection) });
                }
                Ok(Err(error)) => why.push(format!("{address}: {}", error.kind())),
                Err(_) => why.push(format!("{address}: no answer")),
            }
        }
        Err(why.join(", "))
    }

    async fn exchange(
        &mut self,
        mut link: Link,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Answer, Broken> {
        let sender = &mut link.sender;
        let asking = async {
            let broken = |error: hyper::Error| Broken::Connection(error.to_string());
            sender.ready().await.map_err(broken)?;
            let answer = sender.send_request(request).await.map_err(broken)?;
            read(answer).await
        };
        let asking = async {
            let late = || Broken::Late(format!("no answer within {} s", within.as_secs()));
            timeout(within, asking).await.map_err(|_| late())?
        };
        let (answer, is_whole) = driven(&mut link.connection, asking).await?;
        if is_whole && link.connection.is_some() {
            self.link = Some(link);
        }
        Ok(answer)
    }
}

/// Why no answer came.
enum Broken {
    /// The connection broke.
    Connection(String),
    /// It takes too long.
    Late(String),
}

/// The answer, and whether it was read to its end.
async fn read(answer: Response<Incoming>) -> Result<(Answer, bool), Broken> {
    let (head, mut rest) = answer.into_parts();
    let mut body = BytesMut::new();
    let mut is_whole = true;
    while let Some(frame) = rest.frame().await {
        let frame = frame.map_err(|error| Broken::Connection(error.to_string()))?;
        if let Some(piece) = frame.data_ref() {
            body.extend_from_slice(piece);
        }
        if body.len() > ANSWER_BYTES_MAX {
            body.truncate(ANSWER_BYTES_MAX);
            is_whole = false;
            break;
        }
    }
    let answer =
        Answer { status: head.status.as_u16(), headers: head.headers, body: body.freeze() };
    Ok((answer, is_whole))
}

/// Does something that needs the connection to go on.
async fn driven<T>(connection: &mut Option<Driven>, asking: impl Future<Output = T>) -> T {
    let mut asking = pin!(asking);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(text.parse::<Target>().map(|it| it.to_string()), Ok(want.to_owned()), "{text}");
    }

    #[test]
    fn a_target_is_a_url_or_what_is_usually_left_out_of_one() {
        check("http://localhost:3000/hooks?a=b", "http://localhost:3000/hooks?a=b");
        check("3000", "http://localhost:3000/");
        check(":3000/hooks", "http://localhost:3000/hooks");
        check("3000/hooks", "http://localhost:3000/hooks");
        check("localhost:3000", "http://localhost:3000/");
        check("[::1]:3000/x", "http://[::1]:3000/x");
        for bad in ["https://localhost:3000", "http://a:b@localhost", "", "http://", "ftp://a"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
