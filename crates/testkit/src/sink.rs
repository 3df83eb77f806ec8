//! A receiver that follows a script: an HTTP/1.1 server on a free port that keeps each request as it came and answers as it
//! was told, badly too.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::headers::Headers;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How long a test waits for requests before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its path with the query.
    pub path: String,
    /// Its headers, in order, names as they were written.
    pub headers: Headers,
    /// Its exact body.
    pub body: Bytes,
    /// When its last byte was read.
    pub at: Instant,
}

impl Received {
    /// The first value of a header; a test that asks for one expects it.
    ///
    /// # Panics
    /// When it did not come.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name} in {self:?}"))
    }
}

/// What holds an answer back until the test opens it.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl From<Arc<Semaphore>> for Gate {
    /// A gate that lets an answer through for each permit.
    fn from(permits: Arc<Semaphore>) -> Self {
        Self(permits)
    }
}

impl Gate {
    /// Lets everything through from now on.
    pub fn open(&self) {
        self.let_through(Semaphore::MAX_PERMITS / 2);
    }

    /// Lets so many answers through.
    pub fn let_through(&self, answers: usize) {
        self.0.add_permits(answers);
    }

    async fn passed(&self) {
        // The semaphore is never closed, so waiting cannot fail.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Properly.
    Answer {
        /// The status code.
        status: u16,
        /// Headers; `content-length` is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// As the other reply says, once the gate is open.
    Held(Gate, Box<Reply>),
    /// Never; the connection stays open.
    Hang,
    /// The connection is reset.
    Reset,
    /// The head promises more body than comes before the connection closes.
    Half,
    /// A good head, then a byte of the body every so often, without end.
    Drip(Duration),
    /// A good head, but a byte of it every so often.
    DripHead(Duration),
    /// A good head, then a body as fast as it is taken, without end.
    Endless,
    /// A head that never ends.
    EndlessHead,
    /// These bytes as they are; then the connection closes.
    Raw(Bytes),
}

impl Reply {
    /// An answer of that status with an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// The same with one more header.
    ///
    /// # Panics
    /// When it is no proper answer.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let Self::Answer { status, mut headers, body } = self else {
            panic!("only a proper answer has headers: {self:?}")
        };
        headers.push((name.into(), value.into()));
        Self::Answer { status, headers, body }
    }

    /// The same with that body.
    ///
    /// # Panics
    /// When it is no proper answer.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        let Self::Answer { status, headers, .. } = self else {
            panic!("only a proper answer has a body: {self:?}")
        };
        Self::Answer { status, headers, body: body.into() }
    }

    /// The same, once the gate is open.
    #[must_use]
    pub fn held(self, gate: &Gate) -> Self {
        Self::Held(gate.clone(), Box::new(self))
    }
}

struct Script {
    next: VecDeque<Reply>,
    otherwise: Otherwise,
}

type Otherwise = Arc<dyn Fn(&Received, usize) -> Reply + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    received: watch::Sender<Vec<Received>>,
    connections: watch::Sender<usize>,
}

/// The receiver. It stops when it is dropped.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Sink {
    /// Starts a receiver that answers 200 to everything.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// The same at an address that another receiver had before.
    ///
    /// # Panics
    /// When the port is not free.
    pub async fn start_at(address: SocketAddr) -> Self {
        // Binds over what is left of the connections of the one before.
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let otherwise: Otherwise = Arc::new(|_, _| Reply::status(200));
        let shared = Arc::new(Shared {
            script: Mutex::new(Script { next: VecDeque::new(), otherwise }),
            received: watch::channel(Vec::new()).0,
            connections: watch::channel(0).0,
        });
        let accepting = accept(listener, Arc::clone(&shared));
        Self { address, shared, accepting }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL with that path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The replies to the next requests, in order of arrival.
    ///
    /// # Panics
    /// When another thread of the test panicked.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.script.lock().unwrap().next.extend(replies);
    }

    /// The reply to every request beyond the script.
    ///
    /// # Panics
    /// When another thread of the test panicked.
    pub fn otherwise(&self, reply: Reply) {
        self.answer_by(move |_, _| reply.clone());
    }

    /// How every request beyond the script is answered: by what it is, and its number, counted from 0.
    ///
    /// # Panics
    /// When another thread of the test panicked.
    pub fn answer_by(&self, reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) {
        self.shared.script.lock().unwrap().otherwise = Arc::new(reply);
    }

    /// What has come so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// What has come from request number `from` on, counted from 0.
    #[must_use]
    pub fn received_from(&self, from: usize) -> Vec<Received> {
        self.shared.received.borrow().get(from..).unwrap_or_default().to_vec()
    }

    /// How many requests have come so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.received.borrow().len()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Answers when at least `many` requests have come.
    ///
    /// # Panics
    /// When they have not come in 20 seconds.
    pub async fn wait_for(&self, many: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        let wait = received.wait_for(|received| received.len() >= many);
        if let Ok(all) = tokio::time::timeout(PATIENCE, wait).await {
            return all.expect("the sink lives as long as the test").clone();
        }
        panic!("waited for {many} requests, {} came: {:#?}", self.received().len(), self.received())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "the sink owns the task and ends it when dropped")]
fn accept(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    tokio::spawn(async move {
        // The connections end with this task.
        let mut open = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            shared.connections.send_modify(|many| *many += 1);
            open.spawn(serve(stream, Arc::clone(&shared)));
            while open.try_join_next().is_some() {}
        }
    })
}

/// One connection, request after request. An error is the other side's hanging up.
async fn serve(stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(received) = read(&mut stream).await? {
        let reply = {
            // One lock for both, so that scripts are followed in order of arrival.
            let mut script = shared.script.lock().unwrap();
            let number = shared.received.borrow().len();
            let scripted = script.next.pop_front();
            let reply = scripted.unwrap_or_else(|| (script.otherwise)(&received, number));
            shared.received.send_modify(|all| all.push(received));
            reply
        };
        if !answer(&mut stream, reply).await? {
            break;
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Received>> {
    let bad = |what: &str| std::io::Error::other(what.to_owned());
    let Some(first) = line(stream).await? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(bad("no request line"));
    };
    let mut headers = Headers::default();
    loop {
        let text = line(stream).await?.ok_or_else(|| bad("the head broke off"))?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':').ok_or_else(|| bad("a header without colon"))?;
        headers.0.push((name.to_owned(), value.trim().to_owned()));
    }
    let body = match headers.get("content-length") {
        Some(long) => {
            let mut body = vec![0; long.parse().map_err(|_| bad("a bad content-length"))?];
            stream.read_exact(&mut body).await?;
            body
        }
        None if headers.get("transfer-encoding").is_some() => chunks(stream).await?,
        None => Vec::new(),
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    Ok(Some(Received { method, path, headers, body: body.into(), at: Instant::now() }))
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut text = String::new();
    if stream.read_line(&mut text).await? == 0 {
        return Ok(None);
    }
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

async fn chunks(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream).await?.unwrap_or_default();
        let size = usize::from_str_radix(&size, 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; size];
        stream.read_exact(&mut chunk).await?;
        line(stream).await?;
        if size == 0 {
            return Ok(body);
        }
        body.append(&mut chunk);
    }
}

/// Answers; true when the connection may serve another request.
async fn answer(stream: &mut BufReader<TcpStream>, reply: Reply) -> std::io::Result<bool> {
    const GOOD_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
    let mut reply = reply;
    while let Reply::Held(gate, then) = reply {
        gate.passed().await;
        reply = *then;
    }
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut bytes = format!("HTTP/1.1 {status} Said\r\n").into_bytes();
            for (name, value) in headers {
                bytes.extend(format!("{name}: {value}\r\n").into_bytes());
            }
            if status != 204 && status != 304 {
                bytes.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
            }
            bytes.extend(b"\r\n");
            bytes.extend(body);
            stream.write_all(&bytes).await?;
            return Ok(true);
        }
        Reply::Held(..) => {}
        Reply::Hang => std::future::pending::<()>().await,
        Reply::Reset => stream.get_ref().set_zero_linger()?,
        Reply::Half => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await?;
        }
        Reply::Drip(every) => {
            stream.write_all(GOOD_HEAD).await?;
            loop {
                stream.write_all(b".").await?;
                tokio::time::sleep(every).await;
            }
        }
        Reply::DripHead(every) => {
            for byte in GOOD_HEAD {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(every).await;
            }
        }
        Reply::Endless => {
            stream.write_all(GOOD_HEAD).await?;
            loop {
                stream.write_all(&[b'.'; 8192]).await?;
            }
        }
        Reply::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-more: and more and more and more and more\r\n").await?;
            }
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(sink: &Sink, times: usize) -> String {
        let mut stream = TcpStream::connect(sink.address()).await.unwrap();
        for _ in 0..times {
            let request = b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\ncontent-length: 2\r\n\r\nhi";
            stream.write_all(request).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said).await;
        said
    }

    #[tokio::test]
    async fn requests_are_kept_as_they_came_and_answered_by_the_script() {
        let sink = Sink::start().await;
        sink.script([Reply::status(503).with("retry-after", "7").body("no")]);
        let said = ask(&sink, 2).await;
        assert!(
            said.starts_with("HTTP/1.1 503 Said\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno")
        );
        assert!(said.ends_with("HTTP/1.1 200 Said\r\ncontent-length: 0\r\n\r\n"));
        let received = sink.wait_for(2).await;
        assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/a?b"));
        assert_eq!(received[1].headers.0[1], ("X-Two".into(), "1".into()));
        assert_eq!(received[1].headers.0[2], ("x-two".into(), "2".into()));
        assert_eq!((received[0].body.as_ref(), sink.connections()), (b"hi".as_ref(), 1));
    }

    #[tokio::test]
    async fn a_held_answer_comes_when_the_gate_opens() {
        let sink = Sink::start().await;
        let gate = Gate::default();
        sink.script([Reply::status(204).held(&gate)]);
        let (said, ()) = tokio::join!(ask(&sink, 1), async {
            sink.wait_for(1).await;
            gate.open();
        });
        assert_eq!(said, "HTTP/1.1 204 Said\r\n\r\n");
    }

    #[tokio::test]
    async fn a_half_answer_breaks_off() {
        let sink = Sink::start().await;
        sink.script([Reply::Half, Reply::Reset]);
        assert!(ask(&sink, 1).await.ends_with("\r\n\r\nhalf"));
        assert_eq!(ask(&sink, 1).await, "");
    }
}
