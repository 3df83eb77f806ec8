//! The challenge an endpoint must echo before it gets anything (vendors.md §2.3, ALV-VER-1 to -5).

use bytes::Bytes;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::time::Chance;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http_body_util::Full;

use crate::attempt::AGENT;
use crate::snapshot::{Prepared, Way};
use crate::transport::Transport;

/// What came of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenged {
    pub passed: bool,
    pub reason: Option<String>,
    pub status_code: Option<u16>,
}

impl Challenged {
    fn failed(reason: impl Into<String>, status_code: Option<u16>) -> Self {
        Self { passed: false, reason: Some(reason.into()), status_code }
    }
}

/// Challenges an endpoint once.
pub(crate) async fn challenge(
    transport: &Transport,
    prepared: &Prepared,
    chance: &dyn Chance,
) -> Challenged {
    let Some(way) = &prepared.way else {
        return Challenged::failed("the endpoint's secret cannot be opened", None);
    };
    let token = hex(chance);
    let request = request(prepared.endpoint.settings.profile, way, &token);
    let answered = match transport.send(&way.pool, request, limit::HANDSHAKE_TIMEOUT).await {
        Ok(answered) => answered,
        Err(failure) => return Challenged::failed(failure.error, None),
    };
    let status = Some(answered.status);
    if answered.status != 200 {
        return Challenged::failed("the receiver must answer 200", status);
    }
    let echoed = serde_json::from_slice::<serde_json::Value>(&answered.body)
        .ok()
        .and_then(|it| it.get("challenge").and_then(|it| it.as_str()).map(str::to_owned));
    match echoed {
        Some(echoed) if echoed == token => {
            Challenged { passed: true, reason: None, status_code: status }
        }
        Some(_) => Challenged::failed("the receiver echoed another challenge", status),
        None => Challenged::failed(
            "the receiver must answer the JSON `{\"challenge\": \"…\"}` with the challenge it got",
            status,
        ),
    }
}

fn hex(chance: &dyn Chance) -> String {
    let mut random = [0_u8; 16];
    chance.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn request(profile: Profile, way: &Way, token: &str) -> http::Request<Full<Bytes>> {
    let body = format!(r#"{{"type":"webhook.verification","challenge":"{token}"}}"#);
    let mut request = http::Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = way.path.clone();
    let headers = request.headers_mut();
    headers.insert(HOST, way.host.clone());
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in &way.headers {
        headers.insert(name.clone(), value.clone());
    }
    if profile == Profile::Alvys {
        headers.insert(USER_AGENT, HeaderValue::from_static("Alvys-Webhook/1.0"));
        headers.insert(
            HeaderName::from_static("x-alvys-event"),
            HeaderValue::from_static("webhook.verification"),
        );
        if let Ok(value) = HeaderValue::from_str(token) {
            headers.insert(HeaderName::from_static("x-alvys-challenge"), value);
        }
        if let Ok(value) = HeaderValue::from_str(&format!("00-{token}-{}-01", &token[..16])) {
            headers.insert(HeaderName::from_static("traceparent"), value);
        }
    }
    request
}
