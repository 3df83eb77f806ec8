//! Attempts: one HTTP request of a delivery.

use hookyard_domain::attempt as domain;
use hookyard_domain::id::DeliveryId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::Headers;

mirror! {
    /// What came of an attempt.
    Outcome = domain::OutcomeKind {
        /// The receiver answered with success.
        Succeeded,
        /// The receiver answered something else.
        HttpError,
        /// No whole answer within the time-out.
        Timeout,
        /// No connection, or it broke.
        Connect,
        /// The receiver's certificate or its TLS is not acceptable.
        Tls,
        /// The host's name could not be resolved.
        Dns,
        /// The address policy forbids the address.
        Blocked,
        /// The answer's head was larger than is read.
        TooLarge,
    }
}

mirror! {
    /// What set an attempt off.
    Trigger = domain::Trigger {
        /// The schedule.
        Automatic,
        /// Somebody asked: retry or replay.
        Manual,
        /// A test of the endpoint.
        Test,
    }
}

/// One attempt.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Its id.
    #[schema(example = "att_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// The delivery that was tried.
    #[schema(example = "dlv_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub delivery_id: String,
    /// From 1.
    #[schema(minimum = 1)]
    pub number: u32,
    /// When it began.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// The answer's status code.
    pub status_code: Option<u16>,
    /// What was sent; signatures shown, secrets never.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub request_headers: Headers,
    /// What was answered.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub response_headers: Headers,
    /// The answer's first 4 KiB.
    pub response_body: String,
    /// Why it failed.
    pub error: Option<String>,
    /// What set it off.
    pub trigger: Trigger,
}

/// A page of attempts.
pub type AttemptPage = crate::page::Page<Attempt>;

impl Attempt {
    /// The wire form of an attempt of `delivery`.
    #[must_use]
    pub fn new(delivery: DeliveryId, it: domain::Attempt) -> Self {
        Self {
            id: delivery.attempt(it.number).to_string(),
            delivery_id: delivery.to_string(),
            number: it.number,
            started_at: it.started_at.to_string(),
            duration_ms: it.took_ms,
            outcome: it.outcome.into(),
            status_code: it.status_code,
            request_headers: it.request_headers.into(),
            response_headers: it.response_headers.into(),
            response_body: String::from_utf8_lossy(&it.response_body).into_owned(),
            error: it.error,
            trigger: it.trigger.into(),
        }
    }
}
