//! The relay: an agent's program speaks on stdin and stdout, one message a line, and each goes to a server's `/mcp`.
//!
//! It knows no tools, so it never shows others than its server has; what a key may do is the server's to say too.

use std::io;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, Aborted, BoxFuture, FutureExt as _, abortable};
use futures_util::stream::FuturesUnordered;
use hookyard_api::client::{Client, ClientError, calls};
use hookyard_domain::limit;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The protocol's header for its version.
const VERSION: &str = "mcp-protocol-version";
/// Where a message of the current protocol says its version.
const VERSION_MEMBER: &str = "io.modelcontextprotocol/protocolVersion";
/// Something went wrong on the way.
const INTERNAL_ERROR: i32 = -32603;
/// Not one message, not JSON.
const PARSE_ERROR: i32 = -32700;

/// A server, and whose things are meant.
pub struct Relay {
    client: Client,
    tenant: Option<String>,
    /// What `initialize` agreed on.
    version: Option<String>,
}

/// What came of a message that was passed on.
struct Done {
    id: Option<Box<RawValue>>,
    agrees: bool,
    answer: Result<Option<Box<RawValue>>, ClientError>,
}

type Pending = FuturesUnordered<BoxFuture<'static, Result<Done, Aborted>>>;

#[derive(Deserialize)]
struct Message {
    id: Option<Box<RawValue>>,
    method: Option<String>,
    params: Option<Params>,
}

#[derive(Default, Deserialize)]
struct Params {
    name: Option<serde_json::Value>,
    #[serde(rename = "requestId")]
    request_id: Option<Box<RawValue>>,
    #[serde(rename = "_meta")]
    meta: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Agreed {
    result: AgreedResult,
}

#[derive(Deserialize)]
struct AgreedResult {
    #[serde(rename = "protocolVersion")]
    version: String,
}

impl Relay {
    /// To the server that the client speaks to. `tenant` is for a key that is good for several.
    #[must_use]
    pub fn new(client: Client, tenant: Option<String>) -> Self {
        Self { client, tenant, version: None }
    }

    /// Passes messages on until there are no more, and waits for the last answers.
    ///
    /// # Errors
    /// Nobody reads the answers any more, or the messages cannot be read.
    pub async fn run(
        mut self,
        from: impl AsyncBufRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut lines = Lines { from, line: Vec::new(), is_too_long: false };
        let mut pending = Pending::new();
        let mut running: Vec<(String, AbortHandle)> = Vec::new();
        let mut has_more = true;
        while has_more || !pending.is_empty() {
            let answer = tokio::select! {
                line = lines.next(), if has_more => match line? {
                    Some(Ok(line)) => self.take(&line, &mut pending, &mut running),
                    Some(Err(TooLong)) => Some(failure(None, PARSE_ERROR, "the message is too long")),
                    None => { has_more = false; None }
                },
                Some(done) = pending.next() => match done {
                    Ok(done) => {
                        running.retain(|(id, _)| Some(&**id) != done.id.as_ref().map(|it| it.get()));
                        self.told(done)
                    }
                    Err(Aborted) => None,
                },
            };
            if let Some(answer) = answer {
                to.write_all(answer.as_bytes()).await?;
                to.write_all(b"\n").await?;
                to.flush().await?;
            }
        }
        Ok(())
    }

    /// Begins with a message; what is answered at once is answered here.
    fn take(
        &self,
        line: &[u8],
        pending: &mut Pending,
        running: &mut Vec<(String, AbortHandle)>,
    ) -> Option<String> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(line);
        let read = serde_json::from_str::<Box<RawValue>>(&text);
        let read = read.and_then(|raw| Ok((serde_json::from_str::<Message>(raw.get())?, raw)));
        let (message, raw) = match read {
            Ok(read) => read,
            Err(error) => {
                return Some(failure(None, PARSE_ERROR, &format!("no message: {error}")));
            }
        };
        // Nobody asks the agent's side anything, so an answer of theirs is for nobody.
        let method = message.method.as_deref()?;
        if method == "notifications/cancelled" {
            let id = message.params.as_ref().and_then(|it| it.request_id.as_ref());
            let at = running.iter().position(|(it, _)| Some(&**it) == id.map(|it| it.get()));
            if let Some(at) = at {
                running.swap_remove(at).1.abort();
            }
        }
        let version = message.version().or_else(|| self.version.clone());
        // The handshake says its version in its body; a header would have to be the same.
        let version = version.filter(|_| method != "initialize");
        let call = calls::mcp(&raw, self.tenant.as_deref())
            .header("mcp-method", version.as_ref().map(|_| method))
            .header("mcp-name", version.as_ref().and_then(|_| message.name()))
            .header(VERSION, version.clone());
        let (client, agrees, id) = (self.client.clone(), method == "initialize", message.id);
        let key = id.as_ref().map(|it| it.get().to_owned());
        let (work, handle) = abortable(async move {
            let answer = client.exchange(&call).await;
            Done { id, agrees, answer }
        });
        running.extend(key.map(|key| (key, handle)));
        pending.push(work.boxed());
        None
    }

    /// The line that a message is answered with. A notification is not answered, whatever came of it.
    fn told(&mut self, done: Done) -> Option<String> {
        match done.answer {
            Ok(Some(answer)) => {
                if done.agrees {
                    let agreed = serde_json::from_str::<Agreed>(answer.get());
                    self.version = agreed.ok().map(|it| it.result.version);
                }
                // Inside a JSON text a line break is only ever space.
                Some(answer.get().replace(['\n', '\r'], " "))
            }
            Ok(None) => {
                let id = done.id?;
                Some(failure(Some(&id), INTERNAL_ERROR, "the server answered nothing"))
            }
            Err(error) => {
                let id = done.id?;
                Some(failure(Some(&id), INTERNAL_ERROR, &self.why(&error)))
            }
        }
    }

    fn why(&self, error: &ClientError) -> String {
        let server = self.client.server();
        match error {
            ClientError::Refused(it) => match (&it.problem, it.status) {
                (Some(problem), 401) => format!(
                    "{} Give a good key: HOOKYARD_API_KEY, `--api-key @FILE` or `hookyard login`.",
                    problem.detail
                ),
                (Some(problem), 404) if problem.code == "no_route" => {
                    format!("{server} is too old to have tools for agents: update it")
                }
                (Some(problem), _) => problem.detail.clone().into_owned(),
                (None, status) => {
                    format!("{server} answers {status}, not as Hookyard does: is the URL right?")
                }
            },
            ClientError::Connect(_)
            | ClientError::Broken(_)
            | ClientError::TimedOut(_)
            | ClientError::Strange(_)
            | ClientError::Unsendable(_) => error.to_string(),
        }
    }
}

impl Message {
    fn version(&self) -> Option<String> {
        let meta = self.params.as_ref()?.meta.as_ref()?;
        meta.get(VERSION_MEMBER)?.as_str().map(ToOwned::to_owned)
    }

    /// What the protocol repeats in a header, of methods that have a name.
    fn name(&self) -> Option<String> {
        let is_call = self.method.as_deref() == Some("tools/call");
        let name = self.params.as_ref()?.name.as_ref().filter(|_| is_call)?;
        name.as_str().map(ToOwned::to_owned)
    }
}

fn failure(id: Option<&RawValue>, code: i32, message: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }).to_string()
}

/// A line that is longer than any message may be.
struct TooLong;

/// Lines of a bounded length. Waiting for one can be broken off and taken up again.
struct Lines<R> {
    from: R,
    line: Vec<u8>,
    is_too_long: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    async fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
        loop {
            let read = self.from.fill_buf().await?;
            let has_ended = read.is_empty();
            let end = read.iter().position(|it| *it == b'\n');
            let piece = &read[..end.unwrap_or(read.len())];
            if self.line.len() + piece.len() > limit::MCP_BODY_BYTES_MAX {
                self.is_too_long = true;
                self.line.clear();
            }
            if !self.is_too_long {
                self.line.extend_from_slice(piece);
            }
            let bytes = end.map_or(read.len(), |at| at + 1);
            self.from.consume(bytes);
            if has_ended && self.line.is_empty() && !self.is_too_long {
                return Ok(None);
            }
            if has_ended || end.is_some() {
                let line = std::mem::take(&mut self.line);
                let is_too_long = std::mem::take(&mut self.is_too_long);
                return Ok(Some(if is_too_long { Err(TooLong) } else { Ok(line) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_end_at_a_break_or_at_the_end_and_are_bounded() {
        let long = vec![b'x'; limit::MCP_BODY_BYTES_MAX + 1];
        let from = [b"a\n\nb\r\n", &long[..], b"\nlast"].concat();
        let mut lines = Lines { from: &from[..], line: Vec::new(), is_too_long: false };
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line.map_or("too long".to_owned(), |it| String::from_utf8(it).unwrap()));
        }
        assert_eq!(read, ["a", "", "b\r", "too long", "last"]);
    }

    #[tokio::test]
    async fn what_cannot_be_passed_on_is_answered_and_what_asks_nothing_is_not() {
        // Nobody listens on the discard port of this machine.
        let client = Client::new(
            "http://127.0.0.1:9".parse().unwrap(),
            hookyard_domain::secret::Secret::new("k".to_owned()),
        );
        let from = "nonsense\n{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"}\n\
            {\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n{\"id\":1,\"result\":{}}\n";
        let mut to = Vec::new();
        Relay::new(client, None).run(from.as_bytes(), &mut to).await.unwrap();
        let lines: Vec<serde_json::Value> = String::from_utf8(to)
            .unwrap()
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!((&lines[0]["id"], &lines[0]["error"]["code"]), (&json!(null), &json!(-32700)));
        let why = lines[1]["error"]["message"].as_str().unwrap();
        assert!(lines[1]["id"] == "a" && why.contains("cannot connect"), "{lines:?}");
    }
}
