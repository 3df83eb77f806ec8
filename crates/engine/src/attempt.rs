//! One try, start to end: prepare → sign → send → judge → record.
//!
//! Attempts are tasks of a fixed pool; each takes the next work itself when it has done with the last.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::attempt::{Attempt, OutcomeKind, Trigger};
use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::{DisabledReason, EndpointNo};
use hookyard_domain::headers::Headers;
use hookyard_domain::retry::RetryPolicy;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Chance, Clock, Timestamp};
use hookyard_domain::url::EndpointUrl;
use hookyard_rules::judge::{Answer, Verdict, judge};
use hookyard_rules::profiles::{self, Dress};
use hookyard_rules::{health, redact, schedule};
use hookyard_store::ledger::Record;
use http::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http_body_util::Full;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::committer::Committer;
use crate::connect::Failure;
use crate::lane::{Finished, Job};
use crate::lanes::{Lanes, Todo, Told, Work};
use crate::metrics::Metrics;
use crate::snapshot::{Prepared, Way, parse_headers, shown};
use crate::transport::{Answered, Transport};

/// How we introduce ourselves, unless an endpoint's own headers say otherwise.
pub(crate) const AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));

/// An endpoint is to be switched off.
#[derive(Debug)]
pub(crate) struct Disable {
    pub tenant: TenantNo,
    pub endpoint: EndpointNo,
    /// Where the attempt went: what one URL has shown says nothing of another.
    pub url: EndpointUrl,
    pub reason: DisabledReason,
    /// The outcome that asks for it is on disk: what waits is discarded then, and the outcome must not find it so.
    pub recorded: oneshot::Receiver<()>,
}

/// What attempt tasks work with.
pub(crate) struct Tools {
    pub lanes: Arc<Lanes>,
    pub committer: Arc<Committer>,
    pub transport: Arc<Transport>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    pub metrics: Metrics,
    pub disable: mpsc::UnboundedSender<Disable>,
}

impl Tools {
    /// Others took the delivery over while it was worked on: what came of it is not written.
    fn stale(&self) {
        self.lanes.unrecorded(1);
        self.metrics.stale.increment(1);
    }
}

/// An attempt as it went.
pub(crate) struct Tried {
    pub attempt: Attempt,
    pub answer: Answer,
    pub took: Duration,
}

/// The life of one attempt task.
pub(crate) async fn run(tools: Arc<Tools>, worker: usize) {
    while let Some(work) = tools.lanes.next(worker).await {
        match work.todo {
            Todo::Discard(reason) => {
                let record = Record {
                    tenant: work.tenant,
                    endpoint: work.endpoint,
                    delivery: work.job.delivery,
                    attempt: None,
                    next: Next::Discarded(reason),
                    at: tools.clock.now(),
                };
                if !tools.committer.record(work.term, record) {
                    tools.stale();
                }
            }
            Todo::Send(ref prepared) => {
                let tried = attempt(&tools, prepared, &work.job).await;
                conclude(&tools, prepared, &work, tried);
            }
        }
    }
}

/// Sends a delivery once.
pub(crate) async fn attempt(tools: &Tools, prepared: &Prepared, job: &Job) -> Tried {
    let started_at = tools.clock.now();
    let number = job.attempts + 1;
    let began = Instant::now();
    let Some(way) = &prepared.way else {
        return sealed(number, started_at, job);
    };
    let (request, request_headers) = request(prepared, way, job, number, started_at);
    let result = tools.transport.send(&way.pool, request, prepared.timeout).await;
    let took = began.elapsed();
    let mut attempt = Attempt {
        number,
        started_at,
        took_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
        outcome: OutcomeKind::Connect,
        status_code: None,
        request_headers,
        response_headers: Headers::default(),
        response_body: Bytes::new(),
        error: None,
        trigger: job.trigger,
    };
    let answer = match result {
        Ok(answered) => {
            let now = tools.clock.now();
            let answer = answer_of(&mut attempt, answered, now);
            without_echoes(&mut attempt, &way.credentials);
            answer
        }
        Err(Failure { kind, error }) => {
            attempt.outcome = kind;
            attempt.error = Some(error);
            Answer::Failed(kind)
        }
    };
    Tried { attempt, answer, took }
}

/// The endpoint's secret cannot be opened: its lane holds such work, so this is met only in a change of the moment.
fn sealed(number: u32, started_at: Timestamp, job: &Job) -> Tried {
    let attempt = Attempt {
        number,
        started_at,
        took_ms: 0,
        outcome: OutcomeKind::Blocked,
        status_code: None,
        request_headers: Headers::default(),
        response_headers: Headers::default(),
        response_body: Bytes::new(),
        error: Some("the endpoint's secret cannot be opened".to_owned()),
        trigger: job.trigger,
    };
    Tried { attempt, answer: Answer::Failed(OutcomeKind::Blocked), took: Duration::ZERO }
}

fn answer_of(attempt: &mut Attempt, answered: Answered, now: Timestamp) -> Answer {
    let code = answered.status;
    attempt.status_code = Some(code);
    attempt.outcome =
        if (200..300).contains(&code) { OutcomeKind::Succeeded } else { OutcomeKind::HttpError };
    if attempt.outcome == OutcomeKind::HttpError {
        attempt.error = Some(format!("the receiver answered {code}"));
    }
    let retry_after = answered
        .headers
        .get(RETRY_AFTER)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| schedule::retry_after(it, now));
    attempt.response_headers = redact::headers(shown(&answered.headers));
    attempt.response_body = answered.body;
    Answer::Status { code, retry_after }
}

/// What a receiver gives back of the endpoint's credentials is not kept.
fn without_echoes(attempt: &mut Attempt, credentials: &[HeaderValue]) {
    if credentials.is_empty() {
        return;
    }
    let hidden = |bytes| redact::echoes(bytes, credentials.iter().map(HeaderValue::as_bytes));
    attempt.response_body = hidden(std::mem::take(&mut attempt.response_body));
    for (_, value) in &mut attempt.response_headers.0 {
        let shown = hidden(Bytes::from(std::mem::take(value)));
        *value = String::from_utf8_lossy(&shown).into_owned();
    }
}

/// The request, and its headers as they may be shown. What the profile says comes last, so that nothing can replace it.
fn request(
    prepared: &Prepared,
    way: &Way,
    job: &Job,
    number: u32,
    now: Timestamp,
) -> (http::Request<Full<Bytes>>, Headers) {
    let profile = prepared.endpoint.settings.profile;
    let body = profiles::body(&prepared.endpoint.settings, &job.event);
    let dress =
        Dress { event: &job.event, delivery: job.delivery, attempt: number, now, body: &body };
    let dressed = profiles::headers(profile, &way.signer, &dress);
    let mut request = http::Request::new(Full::new(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = way.path.clone();
    let headers = request.headers_mut();
    headers.reserve(dressed.len() + way.headers.len() + 2);
    headers.insert(HOST, way.host.clone());
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let own = parse_headers(&job.event.content.headers);
    for (name, value) in own.iter().chain(&way.headers) {
        headers.insert(name.clone(), value.clone());
    }
    // Of the publisher's, or a provider's; then the endpoint's; then ours, of which no name is a credential's.
    let Headers(mut seen) = redact::received(shown(own.iter().map(|(name, value)| (name, value))));
    seen.reserve(way.shown.len() + dressed.len() + 1);
    seen.extend(way.shown.iter().cloned());
    if !headers.contains_key(USER_AGENT) || seen.iter().all(|(name, _)| name != "user-agent") {
        seen.push(("user-agent".to_owned(), AGENT.to_owned()));
    }
    let forwards = prepared.endpoint.settings.source.is_some();
    for (name, value) in dressed {
        if let (Ok(key), Ok(content)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
        {
            headers.insert(key, content);
        }
        seen.push((name.to_owned(), value));
    }
    let seen = Headers(seen);
    (request, if forwards { redact::forwarded(seen) } else { seen })
}

/// Judges an attempt, tells its lane, and hands its record to the committer.
fn conclude(tools: &Tools, prepared: &Prepared, work: &Work, tried: Tried) {
    let now = tools.clock.now();
    let number = tried.attempt.number;
    let verdict = judged(tools, prepared, &tried, now);
    measure(tools, work, &tried, now);
    let mut disable = verdict.disable;
    let ended = health::Ended {
        succeeded: verdict.outcome == OutcomeKind::Succeeded,
        event_over: !matches!(verdict.next, Next::RetryAt(_)),
        first_attempt: number == 1,
    };
    let finished =
        Finished { succeeded: ended.succeeded, slow_down: verdict.slow_down, took: tried.took };
    let count = |before| {
        let (after, unhealthy) = health::after(before, ended, prepared.auto_disable, now);
        disable = disable.or(unhealthy);
        after
    };
    let told = tools.lanes.finished(work.term, work.endpoint, work.job.delivery, finished, count);
    let only_fails = match told {
        Told::News => false,
        Told::NoNews => true,
        Told::Stale => return tools.stale(),
    };
    let record = Record {
        tenant: work.tenant,
        endpoint: work.endpoint,
        delivery: work.job.delivery,
        attempt: Some(tried.attempt),
        next: verdict.next,
        at: now,
    };
    let settings = &prepared.endpoint.settings;
    let Some(reason) = disable else {
        let is_taken = if settings.ordered {
            // The next one waits until it is on disk; nobody else does.
            tools.committer.record_at_once(work.term, record).is_some()
        } else if only_fails {
            tools.committer.gather(work.term, record)
        } else {
            tools.committer.record(work.term, record)
        };
        if !is_taken {
            tools.stale();
        }
        return;
    };
    let (tenant, endpoint, url) = (work.tenant, work.endpoint, settings.url.clone());
    let Some(recorded) = tools.committer.record_at_once(work.term, record) else {
        return tools.stale();
    };
    // The receiving end lives as long as the engine.
    let _ = tools.disable.send(Disable { tenant, endpoint, url, reason, recorded });
}

fn judged(tools: &Tools, prepared: &Prepared, tried: &Tried, now: Timestamp) -> Verdict {
    let jitter = if tried.attempt.outcome == OutcomeKind::Succeeded {
        0.0
    } else {
        let mut dice = [0; 4];
        tools.chance.fill(&mut dice);
        f64::from(u32::from_be_bytes(dice)) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    let never = RetryPolicy { delays_ms: Vec::new(), jitter: 0.0 };
    let retry = match tried.attempt.trigger {
        Trigger::Test => &never,
        Trigger::Automatic | Trigger::Manual => &prepared.retry,
    };
    judge(&tried.answer, prepared.terminal, retry, tried.attempt.number, now, jitter)
}

fn measure(tools: &Tools, work: &Work, tried: &Tried, now: Timestamp) {
    let attempt = &tried.attempt;
    tools.metrics.attempt(attempt.outcome);
    tools.metrics.attempt_seconds.record(tried.took.as_secs_f64());
    if attempt.outcome == OutcomeKind::Succeeded && attempt.number == 1 {
        let delay = now.since(work.job.event.accepted_at);
        tools.metrics.delivery_seconds.record(delay.as_secs_f64());
    }
    tracing::debug!(
        delivery.id = %work.job.delivery,
        attempt.number = attempt.number,
        outcome = attempt.outcome.as_str(),
        answer.status = attempt.status_code,
        took_ms = attempt.took_ms,
        error = attempt.error.as_deref(),
        "an attempt ended"
    );
}
