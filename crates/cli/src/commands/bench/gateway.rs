//! The measured server as bench sees it: its address, the operator's calls that set a round up, and the
//! process behind it where that is known.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Uri, header};
use serde_json::{Value, json};

use super::args::{Plan, Server};
use super::child::{self, Child};
use super::client::{Answer, Connection};
use super::proc::Process;
use crate::exit::Exit;

/// The measured server.
pub(super) struct Gateway {
    addr: SocketAddr,
    authority: String,
    operator_key: String,
    process: Option<Process>,
    database: Option<Process>,
    max_in_flight: Option<u32>,
    child: Option<Child>,
}

/// A tenant made for this run, and a key that may publish in it.
pub(super) struct Tenant {
    id: String,
    key: String,
}

/// An endpoint made for this run.
pub(super) struct Endpoint {
    id: String,
}

impl Tenant {
    /// Where its events are published.
    pub(super) fn events_path(&self) -> String {
        format!("/v1/tenants/{}/events", self.id)
    }

    /// The key to publish with.
    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl Gateway {
    /// Finds the running server, or starts one.
    pub(super) async fn open(plan: &Plan) -> anyhow::Result<Self> {
        let (child, authority, operator_key, pid) = match &plan.server {
            Server::Running { url, operator_key, pid } => {
                (None, authority_of(url)?, operator_key.clone(), *pid)
            }
            Server::Own { data, database, extra } => {
                let child = Child::start(data.as_deref(), database.as_ref(), extra)?;
                let (authority, key) = (child.addr().to_string(), child.operator_key().to_owned());
                let pid = child.pid();
                (Some(child), authority, key, Some(pid))
            }
        };
        let addr = tokio::net::lookup_host(&authority)
            .await
            .with_context(|| format!("looking up {authority}"))?
            .next()
            .with_context(|| format!("{authority} has no address"))?;
        let max_in_flight = plan.max_in_flight;
        let process = pid.map(Process::Pid);
        let has_database = matches!(plan.server, Server::Own { database: Some(_), .. });
        let database = has_database.then_some(Process::Named("postgres"));
        let mut gateway =
            Self { addr, authority, operator_key, process, database, max_in_flight, child };
        gateway.ready().await?;
        Ok(gateway)
    }

    /// Its address.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its `Host`.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// CPU time of its process so far.
    pub(super) fn cpu_ms(&self) -> Option<f64> {
        self.process?.cpu_ms()
    }

    /// CPU time of its database's processes so far, where it has one.
    pub(super) fn database_cpu_ms(&self) -> Option<f64> {
        self.database?.cpu_ms()
    }

    /// Peak memory of its process so far.
    pub(super) fn peak_memory_mib(&self) -> Option<f64> {
        self.process?.peak_memory_mib()
    }

    /// Waits until its process has nothing to do, if it is known.
    pub(super) async fn idle(&self) {
        if let Some(process) = self.process {
            process.idle().await;
        }
    }

    /// Makes a tenant and its key.
    pub(super) async fn create_tenant(&self) -> anyhow::Result<Tenant> {
        let id = format!("bench-{}", child::random_hex(6)?);
        self.call(Method::POST, "/v1/tenants", Some(json!({ "id": id }))).await?;
        let scopes = json!(["publish", "read", "write", "admin"]);
        let body = json!({ "name": "bench", "scopes": scopes });
        let path = format!("/v1/tenants/{id}/api-keys");
        let made = self.call(Method::POST, &path, Some(body)).await?;
        let key = text_in(&made, "key")?;
        Ok(Tenant { id, key })
    }

    /// Makes an endpoint that gets every event and is tried again after `delays_s`.
    pub(super) async fn create_endpoint(
        &self,
        tenant: &Tenant,
        url: &str,
        delays_s: &[u32],
    ) -> anyhow::Result<Endpoint> {
        let mut body = json!({
            "url": url,
            "events": ["*"],
            "retry": { "delays_s": delays_s, "jitter": 0.0 },
        });
        if let Some(max_in_flight) = self.max_in_flight {
            body["max_in_flight"] = json!(max_in_flight);
        }
        let path = format!("/v1/tenants/{}/endpoints", tenant.id);
        let made = self.call(Method::POST, &path, Some(body)).await?;
        Ok(Endpoint { id: text_in(&made, "id")? })
    }

    /// Removes an endpoint again.
    pub(super) async fn delete_endpoint(
        &self,
        tenant: &Tenant,
        endpoint: &Endpoint,
    ) -> anyhow::Result<()> {
        let path = format!("/v1/tenants/{}/endpoints/{}", tenant.id, endpoint.id);
        self.call(Method::DELETE, &path, None).await.map(drop)
    }

    /// Removes a tenant again, where the server lives on after the run.
    pub(super) async fn delete_tenant(&self, tenant: &Tenant) -> anyhow::Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let path = format!("/v1/tenants/{}", tenant.id);
        self.call(Method::DELETE, &path, None).await.map(drop)
    }

    /// Ends the server if it is our own.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.child {
            Some(child) => child.stop().await,
            None => Ok(()),
        }
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let asked = ask(self.addr, &self.authority);
        match &mut self.child {
            Some(child) => child.ready(asked).await,
            None => match asked().await {
                Ok(answer) if answer.status.is_success() => Ok(()),
                Ok(answer) => bail!("{} is not ready: {}", self.authority, answer.describe()),
                Err(error) => {
                    let message = format!("{} does not answer: {error:#}", self.authority);
                    Err(Exit::Network.because(message))
                }
            },
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let bytes = match &body {
            Some(value) => Bytes::from(serde_json::to_vec(value)?),
            None => Bytes::new(),
        };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator_key));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(bytes))?;
        let doing = || format!("{method} {path}");
        let mut connection = Connection::open(self.addr).await?;
        let answer = connection.send(request).await.with_context(doing)?;
        if !answer.status.is_success() {
            let message = format!("the server refused {method} {path}: {}", answer.describe());
            return Err(Exit::of_status(answer.status.as_u16()).because(message));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body)
            .with_context(|| format!("reading the answer to {method} {path}"))
    }
}

/// A question for `/readyz` that can be asked again and again.
fn ask(
    addr: SocketAddr,
    authority: &str,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<Answer>> + Send>> + use<> {
    let authority = authority.to_owned();
    move || {
        let request = Request::get("/readyz").header(header::HOST, &authority);
        let request = request.body(Full::new(Bytes::new()));
        Box::pin(async move { Connection::open(addr).await?.send(request?).await })
    }
}

fn authority_of(url: &str) -> anyhow::Result<String> {
    let uri: Uri = url
        .parse()
        .map_err(|error| Exit::Usage.because(format!("--url {url} is not a URL: {error}")))?;
    if uri.scheme_str() != Some("http") {
        let message = "--url must begin with http://: bench measures a server on this machine";
        return Err(Exit::Usage.because(message));
    }
    let host = uri.host().with_context(|| format!("--url {url} names no host"))?;
    Ok(format!("{host}:{}", uri.port_u16().unwrap_or(80)))
}

fn text_in(answer: &Value, field: &str) -> anyhow::Result<String> {
    let text = answer.get(field).and_then(Value::as_str);
    Ok(text.with_context(|| format!("the server's answer has no `{field}`"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_and_port() {
        assert_eq!(authority_of("http://127.0.0.1:8080").unwrap(), "127.0.0.1:8080");
        assert_eq!(authority_of("http://localhost/").unwrap(), "localhost:80");
        assert!(authority_of("https://localhost").is_err());
        assert!(authority_of("localhost:8080").is_err());
    }
}
