//! A receiver whose answers a test scripts, and which keeps every request byte for byte, with the time it came.
//!
//! It speaks HTTP/1.1 by hand, since much of what is scripted is what no HTTP library would do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::world::until;

/// One request.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Instant,
    pub path: String,
    /// Names in lower case, values as they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Arrival {
    /// A header that stands in the request once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(it, _)| it == name).collect();
        assert_eq!(found.len(), 1, "`{name}` in {:?}", self.headers);
        &found[0].1
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(it, _)| it == name)
    }

    /// The event it brings: `webhook-id`, of the profile `standard`.
    #[track_caller]
    pub fn event(&self) -> &str {
        self.header("webhook-id")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A number that the publisher put into `data`, under the profile `standard`.
    #[track_caller]
    pub fn number(&self) -> u64 {
        self.json()["data"]["n"].as_u64().unwrap()
    }
}

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Full {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Answers with this status as soon as the test adds a permit.
    Held(Arc<Semaphore>, u16),
    /// Never answers.
    Hang,
    /// Answers a byte per second, from the status line on.
    Drip,
    /// Begins well; a piece of body every 50 ms, for ever.
    Trickle,
    /// Begins well; body as fast as it is taken, for ever.
    Flood,
    /// Closes without a word.
    Break,
}

type Script = Arc<dyn Fn(&Arrival, usize) -> Reply + Send + Sync>;

/// A running receiver. It ends, with all its connections, when it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// Takes everything.
    pub async fn start() -> Self {
        Self::scripted(|_, _| Reply::Status(200)).await
    }

    /// Answers as told; the number counts requests from 0.
    pub async fn scripted(
        script: impl Fn(&Arrival, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::scripted_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    /// The same at an address that a receiver had before.
    pub async fn scripted_at(
        address: SocketAddr,
        script: impl Fn(&Arrival, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::new(script), Arc::clone(&arrivals)));
        Self { address, arrivals, _serving: serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn count(&self) -> usize {
        self.arrivals.lock().unwrap().len()
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }

    /// The requests from number `from` on.
    pub fn from(&self, from: usize) -> Vec<Arrival> {
        self.arrivals.lock().unwrap()[from..].to_vec()
    }

    /// Waits for the first `count` requests.
    pub async fn first(&self, count: usize) -> Vec<Arrival> {
        let what = format!("{count} requests at {}", self.address);
        until(&what, async || {
            let arrivals = self.arrivals.lock().unwrap();
            arrivals.get(..count).map(<[Arrival]>::to_vec)
        })
        .await
    }
}

async fn accept(listener: TcpListener, script: Script, arrivals: Arc<Mutex<Vec<Arrival>>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&arrivals)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, script: Script, arrivals: Arc<Mutex<Vec<Arrival>>>) {
    let mut buffer = Vec::new();
    while let Some(arrival) = read(&mut stream, &mut buffer).await {
        let number = {
            let mut arrivals = arrivals.lock().unwrap();
            arrivals.push(arrival.clone());
            arrivals.len() - 1
        };
        if !answer(&mut stream, script(&arrival, number)).await {
            return;
        }
    }
}

/// Reads one request; `None` when the connection ended.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Arrival> {
    loop {
        if let Some(head) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            let text = String::from_utf8(buffer[..head].to_vec()).unwrap();
            let mut lines = text.split("\r\n");
            let mut words = lines.next()?.split(' ');
            assert_eq!(words.next(), Some("POST"), "{text}");
            let path = words.next()?.to_owned();
            let headers: Vec<_> = lines
                .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line}")))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            let end = head + 4 + length;
            while buffer.len() < end {
                if stream.read_buf(buffer).await.ok()? == 0 {
                    return None;
                }
            }
            let body = buffer[head + 4..end].to_vec();
            buffer.drain(..end);
            return Some(Arrival { at: Instant::now(), path, headers, body });
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Answers; false when the connection is to be closed.
async fn answer(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Status(status) => write(stream, status, &[], "").await,
        Reply::Full { status, headers, body } => write(stream, status, &headers, &body).await,
        Reply::Held(gate, status) => {
            gate.acquire().await.unwrap().forget();
            write(stream, status, &[], "").await
        }
        Reply::Hang => std::future::pending().await,
        Reply::Drip => {
            let text = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
            let mut each_second = tokio::time::interval(Duration::from_secs(1));
            for byte in text.iter().chain(std::iter::repeat(&b'x')) {
                each_second.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return false;
                }
            }
            false
        }
        Reply::Trickle => {
            let mut often = tokio::time::interval(Duration::from_millis(50));
            let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok();
            while going {
                often.tick().await;
                going = stream.write_all(b"more ").await.is_ok();
            }
            false
        }
        Reply::Flood => {
            let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok();
            while going {
                going = stream.write_all(&[b'x'; 16 * 1024]).await.is_ok();
            }
            false
        }
        Reply::Break => false,
    }
}

async fn write(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
    body: &str,
) -> bool {
    let mut text = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).await.is_ok()
}
