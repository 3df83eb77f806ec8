//! What goes wrong, as problem documents: one exhaustive mapping from refusals to statuses.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hookyard_api::problem::{FieldError, Problem};
use hookyard_app::{AppError, ReceiveError, StreamError};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::body::BodyError;
use crate::faults::{log, sentence};

/// How soon to ask again when the store cannot be reached.
const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How soon to ask for a stream again when as many are open as may be.
const STREAMS_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why a request was not done.
#[derive(Debug)]
pub enum Refused {
    /// The application says so.
    App(AppError),
    /// A source does not take it.
    Receive(ReceiveError),
    /// There is no such stream any more, or not now.
    Stream(StreamError),
    /// Its body cannot be used.
    Body(BodyError),
    /// A query parameter or a header is wrong.
    Fields(Vec<Invalid>),
    /// A batch has too many events.
    TooManyEvents,
    /// There is no such route.
    NoRoute,
    /// The route does not know the method.
    NoMethod,
    /// Path and query are too long.
    LongTarget,
    /// The request does not say, or says twice, which host it is for.
    NoHost,
    /// A handler panicked.
    Panicked,
}

impl From<AppError> for Refused {
    fn from(it: AppError) -> Self {
        Self::App(it)
    }
}

impl From<ReceiveError> for Refused {
    fn from(it: ReceiveError) -> Self {
        match it {
            // The same words and log lines for what has nothing to do with sources.
            ReceiveError::TooLarge { limit_bytes } => Self::App(AppError::TooLarge { limit_bytes }),
            ReceiveError::RateLimited { retry_after } => {
                Self::App(AppError::TooMany { retry_after })
            }
            ReceiveError::Unavailable(cause) => Self::App(AppError::Unavailable(cause)),
            ReceiveError::Internal(cause) => Self::App(AppError::Internal(cause)),
            ReceiveError::NotFound
            | ReceiveError::Disabled
            | ReceiveError::BadMethod { .. }
            | ReceiveError::Rejected(_) => Self::Receive(it),
        }
    }
}

impl From<StreamError> for Refused {
    fn from(it: StreamError) -> Self {
        match it {
            StreamError::App(error) => Self::App(error),
            StreamError::Expired { .. } | StreamError::Unknown | StreamError::TooMany { .. } => {
                Self::Stream(it)
            }
        }
    }
}

impl From<BodyError> for Refused {
    fn from(it: BodyError) -> Self {
        Self::Body(it)
    }
}

impl From<Invalid> for Refused {
    fn from(it: Invalid) -> Self {
        Self::Fields(vec![it])
    }
}

/// The answer to a path that is no route.
pub async fn no_route() -> Refused {
    Refused::NoRoute
}

/// The answer to a method that a route does not know; the router adds `Allow`.
pub async fn no_method() -> Refused {
    Refused::NoMethod
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Self::App(error) = &self {
            log(error);
        }
        let retry_after = retry_after(&self);
        let allow = if let Self::Receive(ReceiveError::BadMethod { allow }) = &self {
            Some(HeaderValue::from_static(allow))
        } else {
            None
        };
        let proof = if matches!(self, Self::Receive(_)) { "Signature" } else { "Bearer" };
        let problem = problem(self);
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(proof));
        }
        if let Some(allow) = allow {
            headers.insert(ALLOW, allow);
        }
        if let Some(after) = retry_after {
            let whole = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(whole.max(1)));
        }
        response
    }
}

fn retry_after(refused: &Refused) -> Option<Duration> {
    match refused {
        Refused::App(AppError::TooMany { retry_after }) => Some(*retry_after),
        Refused::App(AppError::Unavailable(_)) => Some(UNAVAILABLE_RETRY_AFTER),
        Refused::Stream(StreamError::TooMany { .. }) => Some(STREAMS_RETRY_AFTER),
        Refused::App(
            AppError::Unauthenticated
            | AppError::Forbidden { .. }
            | AppError::NotFound { .. }
            | AppError::Invalid(_)
            | AppError::Conflict { .. }
            | AppError::LimitReached { .. }
            | AppError::KeyReused
            | AppError::StillRunning
            | AppError::TooLarge { .. }
            | AppError::Internal(_),
        )
        | Refused::Receive(_)
        | Refused::Stream(
            StreamError::App(_) | StreamError::Expired { .. } | StreamError::Unknown,
        )
        | Refused::Body(_)
        | Refused::Fields(_)
        | Refused::TooManyEvents
        | Refused::NoRoute
        | Refused::NoMethod
        | Refused::LongTarget
        | Refused::NoHost
        | Refused::Panicked => None,
    }
}

/// The document of a refusal. Its texts are ours; a cause never stands in it.
#[must_use]
pub fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::App(error) => of_app(error),
        Refused::Receive(error) => of_receive(&error),
        Refused::Stream(error) => of_stream(error),
        Refused::Body(error) => of_body(error),
        Refused::Fields(fields) => of_fields(fields),
        Refused::TooManyEvents => of(
            StatusCode::UNPROCESSABLE_ENTITY,
            "too_many_events",
            format!("A batch holds at most {} events.", limit::BATCH_EVENTS_MAX),
        ),
        Refused::NoRoute => of(
            StatusCode::NOT_FOUND,
            "no_route",
            "There is no such path. `/docs` lists what there is.",
        ),
        Refused::NoMethod => of(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path does not know the method. `Allow` lists those it knows.",
        ),
        Refused::LongTarget => {
            of(StatusCode::URI_TOO_LONG, "uri_too_long", "Path and query are too long.")
        }
        Refused::NoHost => {
            of(StatusCode::BAD_REQUEST, "bad_host", "Say once, in `Host`, which host is asked.")
        }
        Refused::Panicked => internal(),
    }
}

fn of_stream(error: StreamError) -> Problem {
    let (status, code, advice) = match error {
        StreamError::App(error) => return of_app(error),
        StreamError::Expired { .. } => (
            StatusCode::GONE,
            "cursor_expired",
            "Connect without `Last-Event-ID` to begin now; the lists of events and deliveries have what was missed.",
        ),
        StreamError::Unknown => (
            StatusCode::GONE,
            "cursor_unknown",
            "Connect without `Last-Event-ID` to begin now; was the store restored from a backup?",
        ),
        StreamError::TooMany { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many_streams", "Close one, or try again later.")
        }
    };
    of(status, code, format!("{} {advice}", sentence(&error.to_string())))
}

fn of_app(error: AppError) -> Problem {
    let code = error.code();
    let status = match &error {
        AppError::Unauthenticated => StatusCode::UNAUTHORIZED,
        AppError::Forbidden { .. } => StatusCode::FORBIDDEN,
        AppError::NotFound { .. } => StatusCode::NOT_FOUND,
        AppError::Invalid(_) | AppError::LimitReached { .. } | AppError::KeyReused => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        AppError::Conflict { .. } | AppError::StillRunning => StatusCode::CONFLICT,
        AppError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        AppError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => return internal(),
    };
    let detail = sentence(&error.to_string());
    match error {
        AppError::Invalid(fields) => of_fields(fields),
        AppError::Unauthenticated
        | AppError::Forbidden { .. }
        | AppError::NotFound { .. }
        | AppError::Conflict { .. }
        | AppError::LimitReached { .. }
        | AppError::KeyReused
        | AppError::StillRunning
        | AppError::TooLarge { .. }
        | AppError::TooMany { .. }
        | AppError::Unavailable(_)
        | AppError::Internal(_) => of(status, code, detail),
    }
}

fn of_receive(error: &ReceiveError) -> Problem {
    let (status, code) = match error {
        ReceiveError::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        ReceiveError::Disabled => (StatusCode::FORBIDDEN, "source_disabled"),
        ReceiveError::BadMethod { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        ReceiveError::Rejected(rejection) => (StatusCode::UNAUTHORIZED, rejection.code()),
        ReceiveError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        ReceiveError::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        ReceiveError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        ReceiveError::Internal(_) => return internal(),
    };
    of(status, code, sentence(&error.to_string()))
}

fn of_body(error: BodyError) -> Problem {
    let (status, code) = match &error {
        BodyError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BodyError::TimedOut => (StatusCode::REQUEST_TIMEOUT, "body_timed_out"),
        BodyError::BrokeOff => (StatusCode::BAD_REQUEST, "body_broke_off"),
        BodyError::ContentType { .. } | BodyError::Packed => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
        }
        BodyError::Missing => (StatusCode::BAD_REQUEST, "body_required"),
        BodyError::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed_json"),
        BodyError::TooDeep => (StatusCode::BAD_REQUEST, "nested_too_deep"),
        BodyError::Form(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    };
    let detail = sentence(&error.to_string());
    match error {
        BodyError::Form(field) => of_fields(vec![field]),
        BodyError::TooLarge { .. }
        | BodyError::TimedOut
        | BodyError::BrokeOff
        | BodyError::ContentType { .. }
        | BodyError::Packed
        | BodyError::Missing
        | BodyError::Malformed { .. }
        | BodyError::TooDeep => of(status, code, detail),
    }
}

fn of_fields(fields: Vec<Invalid>) -> Problem {
    let detail = match fields.as_slice() {
        [one] if one.pointer.is_empty() => sentence(&one.message),
        [one] => format!("`{}` is wrong: {}.", one.pointer, one.message.trim_end_matches('.')),
        several => format!("{} fields are wrong; see `errors`.", several.len()),
    };
    of(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
        .with_errors(fields.into_iter().map(FieldError::from).collect())
}

fn internal() -> Problem {
    of(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong here. The log has it under this answer's `x-request-id`.",
    )
}

fn of(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
    // The library still has the names of RFC 7231 for these two; RFC 9110 renamed them.
    let title = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        other => other.canonical_reason().unwrap_or("Error"),
    };
    Problem::new(status.as_u16(), title, code, detail)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use hookyard_app::Needs;
    use hookyard_app::receive::Rejection;
    use http_body_util::BodyExt;

    use super::*;

    #[track_caller]
    fn check(refused: impl Into<Refused>, status: u16, code: &str) -> Problem {
        let problem = problem(refused.into());
        assert_eq!((problem.status, problem.code.as_ref()), (status, code), "{problem:?}");
        assert!(problem.detail.ends_with('.'), "{}", problem.detail);
        problem
    }

    fn cause() -> Box<dyn Error + Send + Sync> {
        "disk /secret/path broke".into()
    }

    #[test]
    fn each_refusal_has_its_status_and_code() {
        check(AppError::Unauthenticated, 401, "unauthenticated");
        check(AppError::Forbidden { needs: Needs::Operator }, 403, "forbidden");
        check(AppError::NotFound { what: "endpoint" }, 404, "not_found");
        let conflict = AppError::Conflict { code: "tenant_exists", message: "taken".into() };
        check(conflict, 409, "tenant_exists");
        check(AppError::LimitReached { what: "endpoints", limit: 50 }, 422, "limit_reached");
        check(AppError::KeyReused, 422, "idempotency_key_reused");
        check(AppError::StillRunning, 409, "idempotency_key_in_use");
        check(AppError::TooLarge { limit_bytes: 5 }, 413, "too_large");
        check(AppError::TooMany { retry_after: Duration::ZERO }, 429, "too_many_requests");
        check(ReceiveError::NotFound, 404, "not_found");
        check(ReceiveError::Disabled, 403, "source_disabled");
        check(ReceiveError::BadMethod { allow: "POST" }, 405, "method_not_allowed");
        check(ReceiveError::Rejected(Rejection::WrongSignature), 401, "wrong_signature");
        check(ReceiveError::TooLarge { limit_bytes: 5 }, 413, "too_large");
        check(ReceiveError::RateLimited { retry_after: Duration::ZERO }, 429, "too_many_requests");
        check(ReceiveError::Unavailable(cause()), 503, "unavailable");
        check(ReceiveError::Internal(cause()), 500, "internal");
        check(BodyError::TooLarge { limit_bytes: 5 }, 413, "too_large");
        check(BodyError::TimedOut, 408, "body_timed_out");
        check(BodyError::ContentType { expected: "x" }, 415, "unsupported_media_type");
        check(BodyError::Packed, 415, "unsupported_media_type");
        check(BodyError::Missing, 400, "body_required");
        check(BodyError::TooDeep, 400, "nested_too_deep");
        check(Refused::TooManyEvents, 422, "too_many_events");
        check(Refused::NoRoute, 404, "no_route");
        check(Refused::NoMethod, 405, "method_not_allowed");
        check(Refused::LongTarget, 414, "uri_too_long");
        check(Refused::NoHost, 400, "bad_host");
        check(Refused::Panicked, 500, "internal");
        let malformed = BodyError::Malformed { what: "expected value".into(), line: 3, column: 9 };
        let problem = check(malformed, 400, "malformed_json");
        assert!(problem.detail.contains("line 3, column 9"), "{}", problem.detail);
    }

    #[test]
    fn wrong_fields_are_listed() {
        let fields = vec![
            Invalid::new("/url", "required", "this field is required"),
            Invalid::new("limit", "out_of_range", "use 1 to 250"),
        ];
        let problem = check(AppError::Invalid(fields), 422, "invalid");
        let pointers: Vec<_> = problem.errors.iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(pointers, ["/url", "limit"]);
    }

    #[test]
    fn a_cause_never_leaves_the_house() {
        for refused in [AppError::Internal(cause()), AppError::Unavailable(cause())] {
            let problem = problem(Refused::App(refused));
            assert!(!format!("{problem:?}").contains("secret"), "{problem:?}");
        }
    }

    #[tokio::test]
    async fn headers_say_when_to_come_back_and_how_to_prove_oneself() {
        let response = Refused::from(AppError::Unauthenticated).into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let unsigned = ReceiveError::Rejected(Rejection::WrongSignature);
        let response = Refused::from(unsigned).into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Signature");
        let retry_after = Duration::from_millis(1200);
        let response = Refused::from(AppError::TooMany { retry_after }).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        let response = Refused::from(AppError::Unavailable(cause())).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["status"], 503);
        assert_eq!(body["title"], "Service Unavailable");
    }
}
