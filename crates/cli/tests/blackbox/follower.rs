//! A reader of a stream that knows nothing of ours: an HTTP connection, and Server-Sent Events as the standard has them.

use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::world::{Answer, Client, PATIENCE};

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: String,
    pub id: String,
    pub data: Value,
}

impl Message {
    /// A text of its data.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.data[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
    }
}

/// An open stream.
pub struct Follower {
    pub headers: HeaderMap,
    /// The last `id` that was read.
    pub id: String,
    body: Incoming,
    text: String,
    _connection: JoinSet<()>,
}

impl Follower {
    /// Follows from now on.
    pub async fn open(client: &Client, path: &str) -> Self {
        Self::try_open(client, path, None).await.unwrap_or_else(|it| panic!("refused: {it:?}"))
    }

    /// Follows from behind a message.
    pub async fn open_behind(client: &Client, path: &str, id: &str) -> Self {
        Self::try_open(client, path, Some(id)).await.unwrap_or_else(|it| panic!("refused: {it:?}"))
    }

    /// Answers what was refused. The place of the reader has been read when it answers.
    pub async fn try_open(client: &Client, path: &str, id: Option<&str>) -> Result<Self, Answer> {
        let stream = TcpStream::connect(client.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        let mut request = Request::get(path)
            .header(header::HOST, client.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", client.key));
        if let Some(id) = id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let answer = timeout(PATIENCE, sender.send_request(request)).await.expect("no answer");
        let (head, body) = answer.unwrap().into_parts();
        if head.status != 200 {
            let body = body.collect().await.unwrap().to_bytes();
            return Err(Answer { status: head.status.as_u16(), headers: head.headers, body });
        }
        let (headers, id, text) = (head.headers, String::new(), String::new());
        let mut follower = Self { headers, id, body, text, _connection: tasks };
        while follower.id.is_empty() {
            let block = follower.block().await.expect("it tells its place first").unwrap();
            follower.read(&block);
        }
        Ok(follower)
    }

    /// The next message.
    pub async fn next(&mut self) -> Message {
        timeout(PATIENCE, self.next_or_end())
            .await
            .expect("no message")
            .expect("it has ended")
            .unwrap()
    }

    /// So many messages.
    pub async fn take(&mut self, many: usize) -> Vec<Message> {
        let mut messages = Vec::with_capacity(many);
        while messages.len() < many {
            messages.push(self.next().await);
        }
        messages
    }

    /// The next message; `None` at a clean end, an error where the connection broke.
    pub async fn next_or_end(&mut self) -> Option<hyper::Result<Message>> {
        loop {
            let block = match self.block().await? {
                Ok(block) => block,
                Err(error) => return Some(Err(error)),
            };
            if let Some(message) = self.read(&block) {
                return Some(Ok(message));
            }
        }
    }

    /// The text up to the next empty line.
    async fn block(&mut self) -> Option<hyper::Result<String>> {
        loop {
            if let Some(at) = self.text.find("\n\n") {
                let block = self.text[..at].to_owned();
                self.text.drain(..at + 2);
                return Some(Ok(block));
            }
            match self.body.frame().await? {
                Ok(frame) => self.text.push_str(std::str::from_utf8(frame.data_ref()?).unwrap()),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn read(&mut self, block: &str) -> Option<Message> {
        let (mut kind, mut data) = (String::new(), None);
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("event", it)) => it.clone_into(&mut kind),
                Some(("id", it)) => it.clone_into(&mut self.id),
                Some(("data", it)) => data = Some(serde_json::from_str(it).unwrap()),
                Some(("" | "retry", _)) => {}
                _ => panic!("not a line of a stream: {line}"),
            }
        }
        data.map(|data| Message { kind, id: self.id.clone(), data })
    }
}
