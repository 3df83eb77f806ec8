//! The client of the native API: what the command line's remote commands and the tests speak with a server.
//!
//! A [`Call`] is one operation as data (`calls` lists them all), [`Client`] sends it, [`Kept`] is what came back: read, and
//! its exact text beside it. One connection for each request, so that no request meets a connection that is already dead.
//! Redirects are never followed and proxy variables never read.
//!
//! **Never** here: the environment, files, a retry that could do something twice.

mod call;
pub mod calls;
mod error;
mod following;
mod server;
mod sse;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::secret::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio_rustls::TlsConnector;

pub use call::{Call, File, Form, Kept, Relayed, Requested};
pub use error::{ClientError, Refusal};
pub use following::{Following, Message, Messages};
pub use server::{BadServer, Server};

/// Who asks, for the server's log.
const AGENT: &str = concat!("hookyard/", env!("CARGO_PKG_VERSION"));

/// A server, and the key it is spoken to with.
#[derive(Clone)]
pub struct Client {
    server: Server,
    key: Secret,
    tls: Arc<std::sync::OnceLock<TlsConnector>>,
    silence_max: Duration,
}

impl Client {
    /// A client of `server` with a key.
    #[must_use]
    pub fn new(server: Server, key: Secret) -> Self {
        Self { server, key, tls: Arc::default(), silence_max: following::SILENCE_MAX }
    }

    /// The same that takes a stream for lost after so long a silence; a server of ours breaks its own every 15 seconds.
    #[must_use]
    pub fn with_silence_max(self, silence_max: Duration) -> Self {
        Self { silence_max, ..self }
    }

    /// The server it speaks to.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Sends a call. With an idempotency key a POST whose connection broke is sent once more, as one that only reads is:
    /// the server does it once. Nothing else is repeated.
    ///
    /// # Errors
    /// No answer, or one that is no success or not of the form it should have.
    pub async fn send<T: DeserializeOwned>(
        &self,
        call: &Call<T>,
        idempotency_key: Option<&str>,
    ) -> Result<Kept<T>, ClientError> {
        let read = async |answer| Kept::read(&wire::whole(answer).await?);
        match self.once(call, idempotency_key, read).await {
            Err(ClientError::Broken(_)) if call.may_be_repeated(idempotency_key.is_some()) => {
                self.once(call, idempotency_key, read).await
            }
            done => done,
        }
    }

    /// Sends a call whose answer is a file, and hands it over piece by piece as it comes. `take` says whether it wants more.
    ///
    /// # Errors
    /// No answer, one that is no success, or one that ended before it was whole.
    pub async fn stream(
        &self,
        call: &Call<File>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), ClientError> {
        self.once(call, None, async |answer| wire::pieces(answer, &mut take).await).await
    }

    /// Follows a stream: from behind the message with that `id`, or from now on. Whoever follows it connects again when it
    /// ends or breaks, with the last `id`: nothing is missed then.
    ///
    /// # Errors
    /// No answer, or one that is no success: 410 when the place is not kept any more.
    pub async fn follow(
        &self,
        call: &Call<Messages>,
        last_event_id: Option<&str>,
    ) -> Result<Following, ClientError> {
        let mut request = self.request(call, None)?;
        if let Some(id) = last_event_id {
            let id = HeaderValue::from_str(id);
            let id = id.map_err(|_| ClientError::Unsendable("the place in the stream"))?;
            request.headers_mut().insert("last-event-id", id);
        }
        let stream = wire::connect(&self.server, &self.tls).await?;
        Following::open(stream, request, self.silence_max).await
    }

    /// Sends a message of another protocol and hands its answer over, whatever its status; `None` where there is none.
    ///
    /// # Errors
    /// No answer, or one that is no message.
    pub async fn exchange(
        &self,
        call: &Call<Relayed>,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        let request = self.request(call, None)?;
        let stream = wire::connect(&self.server, &self.tls).await?;
        wire::exchange(stream, request, async |answer| {
            let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
            let is_message = kind.is_some_and(|it| it.starts_with(b"application/json"));
            if !is_message && !answer.status().is_success() {
                return Err(wire::refusal(answer).await);
            }
            let body = wire::whole(answer).await?;
            if body.is_empty() { Ok(None) } else { Kept::read(&body).map(|it| Some(it.value)) }
        })
        .await
    }

    async fn once<T, R>(
        &self,
        call: &Call<T>,
        idempotency_key: Option<&str>,
        read: impl AsyncFnOnce(http::Response<hyper::body::Incoming>) -> Result<R, ClientError>,
    ) -> Result<R, ClientError> {
        let request = self.request(call, idempotency_key)?;
        let stream = wire::connect(&self.server, &self.tls).await?;
        wire::exchange(stream, request, async |answer| {
            if answer.status().is_success() {
                return read(answer).await;
            }
            Err(wire::refusal(answer).await)
        })
        .await
    }

    fn request<T>(
        &self,
        call: &Call<T>,
        idempotency_key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.key.reveal()))
            .map_err(|_| ClientError::Unsendable("the API key"))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method().clone())
            .uri(format!("{}{}", self.server.prefix(), call.target()))
            .header(http::header::HOST, self.server.authority())
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "*/*")
            .header(AUTHORIZATION, bearer);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        for (name, value) in call.headers() {
            request = request.header(*name, value);
        }
        let body = call.body().map(str::to_owned);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let ours = if idempotency_key.is_some() { "the idempotency key" } else { "the message" };
        request.body(body).map_err(|_| ClientError::Unsendable(ours))
    }
}
