//! A small client of the server in this very process, over a real socket: what `dev` speaks to itself with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::exit::Exit;

/// The native API at one address, spoken to with one key.
pub struct Local {
    address: SocketAddr,
    key: String,
}

/// What was answered.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; null when there was none.
    pub body: Value,
}

impl Answer {
    /// The body, if the answer is a success.
    pub fn ok(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let problem = ["detail", "title"].iter().find_map(|it| self.body[it].as_str());
        let said = problem.unwrap_or("no reason given");
        let field = &self.body["errors"][0];
        let field = match (field["pointer"].as_str(), field["message"].as_str()) {
            (Some(pointer), Some(message)) => format!(" ({pointer}: {message})"),
            _ => String::new(),
        };
        Err(Exit::of_status(self.status).because(format!("{} {said}{field}", self.status)))
    }
}

impl Local {
    /// The server that listens at `address`.
    pub fn new(address: SocketAddr, key: String) -> Self {
        Self { address: reachable(address), key }
    }

    /// The same server with another key.
    pub fn with_key(&self, key: String) -> Self {
        Self { address: self.address, key }
    }

    /// `http://…` of the server.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends something.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, Bytes::from(body.to_string())).await
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PATCH, path, Bytes::from(body.to_string())).await
    }

    /// Takes something away.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, Bytes::new()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let what = format!("{method} {path}");
        self.exchange(method, path, body).await.with_context(|| what)
    }

    async fn exchange(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| {
            Exit::Network.because(format!("cannot connect to {}: {error}", self.base()))
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let asking = async {
            let answer = sender.send_request(request.body(Full::new(body))?).await?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await?.to_bytes();
            drop(sender);
            anyhow::Ok((status, body))
        };
        // The connection does the work; it ends when the sender is dropped.
        let (answer, _) = tokio::join!(asking, connection);
        let (status, body) = answer?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body)
                .map_err(|_| anyhow!("answered {status}, not in JSON"))?,
        };
        Ok(Answer { status, body })
    }
}

/// An address of this machine that reaches a server listening at `address`: wildcards cannot be connected to everywhere.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}
