//! Refusals in Alumia's form, `{"success": false, "error": {"code", "message"}}`, with its codes (vendors.md §3.6).

use axum::response::{IntoResponse, Response};
use hookyard_app::receive::Rejection;
use hookyard_app::{AppError, ReceiveError};
use hookyard_domain::invalid::Invalid;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::BodyError;
use crate::faults;

/// Why a request was not done.
#[derive(Debug)]
pub enum Refused {
    /// The application says so.
    App(AppError),
    /// Its body cannot be used.
    Body(BodyError),
    /// Fields or parameters are wrong.
    Fields(Vec<Invalid>),
    /// What was received is not believed.
    Rejected(Rejection),
    /// The webhook takes nothing.
    Disabled,
    /// There is no such route.
    NoRoute,
    /// The route does not know the method; the router adds `Allow`, unless it stands here.
    NoMethod(Option<&'static str>),
}

impl From<AppError> for Refused {
    fn from(it: AppError) -> Self {
        Self::App(it)
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

impl From<Vec<Invalid>> for Refused {
    fn from(it: Vec<Invalid>) -> Self {
        Self::Fields(it)
    }
}

impl From<ReceiveError> for Refused {
    fn from(it: ReceiveError) -> Self {
        match it {
            ReceiveError::NotFound => Self::App(AppError::NotFound { what: "source" }),
            ReceiveError::Disabled => Self::Disabled,
            // Here no event comes by PUT.
            ReceiveError::BadMethod { allow } => {
                Self::NoMethod(Some(allow.strip_suffix(", PUT").unwrap_or(allow)))
            }
            ReceiveError::Rejected(rejection) => Self::Rejected(rejection),
            ReceiveError::TooLarge { limit_bytes } => Self::App(AppError::TooLarge { limit_bytes }),
            ReceiveError::RateLimited { retry_after } => {
                Self::App(AppError::TooMany { retry_after })
            }
            ReceiveError::Unavailable(cause) => Self::App(AppError::Unavailable(cause)),
            ReceiveError::Internal(cause) => Self::App(AppError::Internal(cause)),
        }
    }
}

/// The answer to a path below this surface that is no route.
pub async fn no_route() -> Refused {
    Refused::NoRoute
}

/// The answer to a method that a route does not know.
pub async fn no_method() -> Refused {
    Refused::NoMethod(None)
}

/// A refusal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// Always `false`.
    #[schema(example = false)]
    pub success: bool,
    /// What went wrong.
    pub error: ErrorInfo,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorInfo {
    /// Stable, machine-readable.
    #[schema(example = "BAD_REQUEST")]
    pub code: &'static str,
    /// For people.
    #[schema(example = "`name` is wrong: this field is required.")]
    pub message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut retry_after_s = None;
        if let Self::App(error) = &self {
            faults::log(error);
            retry_after_s = faults::retry_after_s(error);
        }
        let (status, code) = self.told();
        let error = ErrorInfo { code, message: self.message() };
        let body = ErrorBody { success: false, error };
        let mut response = faults::answer(status, &body, retry_after_s);
        let mark = match self {
            Self::App(AppError::Unauthenticated) => Some((WWW_AUTHENTICATE, "Bearer")),
            Self::Rejected(_) => Some((WWW_AUTHENTICATE, "Signature")),
            Self::NoMethod(allow) => allow.map(|it| (ALLOW, it)),
            Self::App(_) | Self::Body(_) | Self::Fields(_) | Self::Disabled | Self::NoRoute => None,
        };
        if let Some((name, value)) = mark {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Refused {
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::App(error) => of_app(error),
            Self::Body(error) => of_body(error),
            Self::Fields(_) => BAD_REQUEST,
            Self::Rejected(_) => UNAUTHORIZED,
            Self::Disabled => FORBIDDEN,
            Self::NoRoute => NOT_FOUND,
            Self::NoMethod(_) => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::App(AppError::Invalid(fields)) | Self::Fields(fields) => wrong(fields),
            Self::Body(BodyError::Form(field)) => wrong(std::slice::from_ref(field)),
            Self::App(AppError::NotFound { what: "source" | "endpoint" }) => {
                "No such webhook.".into()
            }
            Self::App(error) => faults::sentence(&error.to_string()),
            Self::Body(error) => faults::sentence(&error.to_string()),
            Self::Rejected(rejection) => faults::sentence(&rejection.to_string()),
            Self::Disabled => "The webhook is disabled.".into(),
            Self::NoRoute => "There is no such path.".into(),
            Self::NoMethod(_) => {
                "This path does not know the method; `Allow` lists those it knows.".into()
            }
        }
    }
}

type Told = (StatusCode, &'static str);

const BAD_REQUEST: Told = (StatusCode::BAD_REQUEST, "BAD_REQUEST");
const UNAUTHORIZED: Told = (StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
const FORBIDDEN: Told = (StatusCode::FORBIDDEN, "FORBIDDEN");
const NOT_FOUND: Told = (StatusCode::NOT_FOUND, "NOT_FOUND");
const TOO_LARGE: Told = (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");

fn of_app(error: &AppError) -> Told {
    match error {
        AppError::Unauthenticated => UNAUTHORIZED,
        AppError::Forbidden { .. } => FORBIDDEN,
        AppError::NotFound { .. } => NOT_FOUND,
        // The seed has wrong fields as `BAD_REQUEST`; `VALIDATION_ERROR` is what is well formed and cannot be done.
        AppError::Invalid(_) => BAD_REQUEST,
        AppError::LimitReached { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
        AppError::Conflict { .. } | AppError::KeyReused | AppError::StillRunning => {
            (StatusCode::CONFLICT, "CONFLICT")
        }
        AppError::TooLarge { .. } => TOO_LARGE,
        AppError::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS"),
        AppError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
        AppError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
    }
}

fn of_body(error: &BodyError) -> Told {
    match error {
        BodyError::TooLarge { .. } => TOO_LARGE,
        BodyError::TimedOut => (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT"),
        BodyError::ContentType { .. } | BodyError::Packed => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
        }
        BodyError::BrokeOff
        | BodyError::Missing
        | BodyError::Malformed { .. }
        | BodyError::TooDeep
        | BodyError::Form(_) => BAD_REQUEST,
    }
}

/// Every wrong field in a sentence of its own.
fn wrong(fields: &[Invalid]) -> String {
    let told = fields.iter().map(|it| match named(&it.pointer) {
        name if name.is_empty() => faults::sentence(&it.message),
        name => format!("`{name}` is wrong: {}.", it.message.trim_end_matches('.')),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// A pointer in Alumia's notation and words.
fn named(pointer: &str) -> String {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    let segments = pointer.split('/').map(|it| it.replace("~1", "/").replace("~0", "~"));
    let ours = segments.map(|it| match it.as_str() {
        "provider" => "source".to_owned(),
        "type" => "event".to_owned(),
        _ => it,
    });
    ours.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookyard_app::Needs;
    use hookyard_domain::key::KeyScope;
    use http::header::RETRY_AFTER;

    use super::*;

    #[track_caller]
    fn check(refused: impl Into<Refused>, status: u16, code: &str) -> String {
        let refused = refused.into();
        let (told, got) = refused.told();
        let message = refused.message();
        assert_eq!((told.as_u16(), got), (status, code), "{refused:?}");
        assert!(message.ends_with('.'), "{message}");
        message
    }

    #[test]
    fn each_refusal_has_alumias_status_and_code() {
        check(AppError::Unauthenticated, 401, "UNAUTHORIZED");
        let scope = AppError::Forbidden { needs: Needs::Scope(KeyScope::Write) };
        check(scope, 403, "FORBIDDEN");
        check(AppError::Forbidden { needs: Needs::OwnTenant }, 403, "FORBIDDEN");
        assert_eq!(
            check(AppError::NotFound { what: "source" }, 404, "NOT_FOUND"),
            "No such webhook."
        );
        let conflict = AppError::Conflict { code: "changed_meanwhile", message: "moved".into() };
        check(conflict, 409, "CONFLICT");
        check(AppError::KeyReused, 409, "CONFLICT");
        check(AppError::StillRunning, 409, "CONFLICT");
        check(AppError::LimitReached { what: "sources", limit: 5 }, 422, "VALIDATION_ERROR");
        check(AppError::TooLarge { limit_bytes: 5 }, 413, "PAYLOAD_TOO_LARGE");
        check(AppError::TooMany { retry_after: Duration::ZERO }, 429, "TOO_MANY_REQUESTS");
        check(BodyError::TooLarge { limit_bytes: 5 }, 413, "PAYLOAD_TOO_LARGE");
        check(BodyError::TimedOut, 408, "REQUEST_TIMEOUT");
        check(BodyError::Missing, 400, "BAD_REQUEST");
        check(BodyError::TooDeep, 400, "BAD_REQUEST");
        check(BodyError::ContentType { expected: "x" }, 415, "UNSUPPORTED_MEDIA_TYPE");
        check(ReceiveError::NotFound, 404, "NOT_FOUND");
        check(ReceiveError::Disabled, 403, "FORBIDDEN");
        check(ReceiveError::Rejected(Rejection::WrongSignature), 401, "UNAUTHORIZED");
        check(ReceiveError::TooLarge { limit_bytes: 5 }, 413, "PAYLOAD_TOO_LARGE");
        let limited = ReceiveError::RateLimited { retry_after: Duration::from_secs(3) };
        check(limited, 429, "TOO_MANY_REQUESTS");
        check(ReceiveError::BadMethod { allow: "POST" }, 405, "METHOD_NOT_ALLOWED");
        check(Refused::NoRoute, 404, "NOT_FOUND");
        check(Refused::NoMethod(None), 405, "METHOD_NOT_ALLOWED");
    }

    #[test]
    fn wrong_fields_are_named_in_alumias_words() {
        let fields = vec![
            Invalid::new("/url", "bad_url", "use a public URL"),
            Invalid::new("/provider", "too_long", "use 100 characters at most."),
            Invalid::new("/events/0", "bad_event_type", "use segments"),
            Invalid::new("", "bad_query", "the query cannot be read"),
        ];
        let message = check(AppError::Invalid(fields), 400, "BAD_REQUEST");
        assert_eq!(
            message,
            "`url` is wrong: use a public URL. `source` is wrong: use 100 characters at most. \
             `events.0` is wrong: use segments. The query cannot be read."
        );
    }

    #[test]
    fn headers_say_when_to_come_back_and_what_is_taken() {
        let retry_after = Duration::from_millis(1200);
        let response = Refused::App(AppError::TooMany { retry_after }).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        let response = Refused::App(AppError::Unavailable("disk".into())).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let response = Refused::App(AppError::Unauthenticated).into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        let response = Refused::from(ReceiveError::BadMethod { allow: "GET, POST, PUT" });
        assert_eq!(response.into_response().headers()[ALLOW], "GET, POST");
    }

    #[test]
    fn a_cause_never_leaves_the_house() {
        for error in [AppError::Internal("/secret".into()), AppError::Unavailable("/secret".into())]
        {
            assert!(!Refused::App(error).message().contains("secret"));
        }
    }
}
