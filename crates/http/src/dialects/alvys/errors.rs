//! Refusals in the form of Alvys: `ProblemDetails`, and `ValidationProblemDetails` where fields are wrong (vendors.md §2.8).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hookyard_app::AppError;
use hookyard_app::error::whole_seconds;
use hookyard_domain::invalid::Invalid;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::wire::{ProblemDetails, ValidationProblemDetails};
use crate::body::BodyError;
use crate::faults::{log, sentence};

/// How soon to ask again when the store cannot be reached.
const UNAVAILABLE_RETRY_AFTER_S: u64 = 1;

/// Why a request was not done.
#[derive(Debug)]
pub enum Refused {
    /// The application says so.
    App(AppError),
    /// Its body cannot be used.
    Body(BodyError),
    /// Fields or parameters are wrong; each goes by its name in this surface.
    Fields(Vec<Invalid>),
    /// A webhook cannot be enabled, since it did not pass its verification.
    Unverified,
    /// There is no such route.
    NoRoute,
    /// The route does not know the method.
    NoMethod,
}

impl From<AppError> for Refused {
    fn from(it: AppError) -> Self {
        let AppError::Invalid(fields) = it else { return Self::App(it) };
        let ours = |it: Invalid| Invalid { pointer: named(&it.pointer, renamed), ..it };
        Self::Fields(fields.into_iter().map(ours).collect())
    }
}

impl From<BodyError> for Refused {
    fn from(it: BodyError) -> Self {
        let BodyError::Form(field) = it else { return Self::Body(it) };
        let pointer = named(&field.pointer, |it| it);
        Self::Fields(vec![Invalid { pointer, ..field }])
    }
}

/// The answer to a path below this surface that is no route.
pub async fn no_route() -> Refused {
    Refused::NoRoute
}

/// The answer to a method that a route does not know.
pub async fn no_method() -> Refused {
    Refused::NoMethod
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Self::App(error) = &self {
            log(error);
        }
        let status = self.status();
        let retry_after = self.retry_after_s();
        let problem = details(status, self.detail());
        let fields = match self {
            Self::Fields(fields) => Some(fields),
            // Every 400 is a `ValidationProblemDetails` (vendors.md §2.8); `$` is the request as a whole.
            Self::App(_) | Self::Body(_) | Self::Unverified | Self::NoRoute | Self::NoMethod => {
                let field = self.field();
                let whole = || vec![Invalid::new(field, "bad_request", problem.detail.clone())];
                (status == StatusCode::BAD_REQUEST).then(whole)
            }
        };
        let mut response = match fields {
            Some(fields) => answer(status, &validation(problem, fields)),
            None => answer(status, &problem),
        };
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::App(error) => of_app(error),
            Self::Body(error) => of_body(error),
            Self::Fields(_) | Self::Unverified => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// What a refusal is about that names no field itself.
    fn field(&self) -> &'static str {
        match self {
            Self::App(AppError::LimitReached { what: "endpoints", .. }) => "Webhooks",
            Self::App(AppError::LimitReached { .. }) => "Events",
            Self::Unverified => "Url",
            Self::App(_) | Self::Body(_) | Self::Fields(_) | Self::NoRoute | Self::NoMethod => "$",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::App(AppError::NotFound { what: "endpoint" }) => "No such webhook.".into(),
            Self::App(AppError::NotFound { what: "delivery" | "attempt" }) => {
                "No such delivery log.".into()
            }
            Self::App(error) => sentence(&error.to_string()),
            Self::Body(error) => sentence(&error.to_string()),
            Self::Unverified => {
                "The webhook did not pass its verification and is pending; `verify` tells why."
                    .into()
            }
            Self::Fields(_) => "One or more validation errors occurred.".into(),
            Self::NoRoute => "There is no such path.".into(),
            Self::NoMethod => "This path does not know the method.".into(),
        }
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::App(AppError::TooMany { retry_after }) => Some(whole_seconds(*retry_after)),
            Self::App(AppError::Unavailable(_)) => Some(UNAVAILABLE_RETRY_AFTER_S),
            Self::App(_)
            | Self::Body(_)
            | Self::Fields(_)
            | Self::Unverified
            | Self::NoRoute
            | Self::NoMethod => None,
        }
    }
}

fn of_app(error: &AppError) -> StatusCode {
    match error {
        AppError::Unauthenticated => StatusCode::UNAUTHORIZED,
        AppError::Forbidden { .. } => StatusCode::FORBIDDEN,
        AppError::NotFound { .. } => StatusCode::NOT_FOUND,
        // "Configuration limit exceeded" is a 400 (vendors.md §2.9).
        AppError::Invalid(_) | AppError::LimitReached { .. } => StatusCode::BAD_REQUEST,
        AppError::Conflict { code: "revision_mismatch", .. } => StatusCode::PRECONDITION_FAILED,
        AppError::Conflict { .. } | AppError::KeyReused | AppError::StillRunning => {
            StatusCode::CONFLICT
        }
        AppError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        AppError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn of_body(error: &BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TimedOut => StatusCode::REQUEST_TIMEOUT,
        BodyError::ContentType { .. } | BodyError::Packed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::BrokeOff
        | BodyError::Missing
        | BodyError::Malformed { .. }
        | BodyError::TooDeep
        | BodyError::Form(_) => StatusCode::BAD_REQUEST,
    }
}

fn answer(status: StatusCode, problem: &impl Serialize) -> Response {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let problem_json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem_json);
    response
}

fn details(status: StatusCode, detail: String) -> ProblemDetails {
    ProblemDetails {
        kind: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("Error").into(),
        status: status.as_u16(),
        detail,
        instance: None,
    }
}

fn validation(problem: ProblemDetails, fields: Vec<Invalid>) -> ValidationProblemDetails {
    let mut errors = BTreeMap::<String, Vec<String>>::new();
    for it in fields {
        errors.entry(it.pointer).or_default().push(sentence(&it.message));
    }
    ValidationProblemDetails { problem, errors }
}

/// The name of a field by its pointer: `/Events/0` is `Events[0]`, the whole is `$`.
fn named(pointer: &str, first: impl Fn(&str) -> &str) -> String {
    let mut segments = pointer.trim_start_matches('/').split('/');
    let mut name = match segments.next().unwrap_or_default() {
        "" => "$".to_owned(),
        segment => first(segment).to_owned(),
    };
    for segment in segments {
        if segment.bytes().all(|it| it.is_ascii_digit()) {
            name.push_str(&format!("[{segment}]"));
        } else {
            name.push('.');
            name.push_str(segment);
        }
    }
    name
}

/// What the application's field is called here.
fn renamed(field: &str) -> &str {
    match field {
        "name" => "Name",
        "scope" => "SubsidiaryId",
        "url" => "Url",
        "events" => "Events",
        "since" => "StartDate",
        "until" => "EndDate",
        "type" => "EventType",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookyard_app::Needs;
    use http_body_util::BodyExt;

    use super::*;

    #[track_caller]
    fn check(refused: impl Into<Refused>, status: u16) {
        let response = refused.into().into_response();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn each_refusal_has_the_status_that_the_vendor_documents() {
        check(AppError::Unauthenticated, 401);
        check(AppError::NotFound { what: "endpoint" }, 404);
        check(AppError::LimitReached { what: "endpoints", limit: 50 }, 400);
        check(AppError::Invalid(vec![Invalid::new("/url", "required", "x")]), 400);
        let conflict = |code| AppError::Conflict { code, message: "so".into() };
        check(conflict("revision_mismatch"), 412);
        check(conflict("changed_meanwhile"), 409);
        check(AppError::TooMany { retry_after: Duration::from_secs(1) }, 429);
        check(AppError::Internal("x".into()), 500);
        check(BodyError::Missing, 400);
        check(BodyError::ContentType { expected: "x" }, 415);
        check(AppError::Forbidden { needs: Needs::OwnTenant }, 403);
        check(AppError::KeyReused, 409);
        check(Refused::NoMethod, 405);
    }

    #[tokio::test]
    async fn a_400_that_is_about_no_field_has_errors_too() {
        let limit = |what| Refused::from(AppError::LimitReached { what, limit: 50 });
        for (refused, field) in [
            (Refused::from(BodyError::Missing), "$"),
            (limit("endpoints"), "Webhooks"),
            (limit("event types per endpoint"), "Events"),
            (Refused::Unverified, "Url"),
        ] {
            let body = refused.into_response().into_body().collect().await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["Errors"], serde_json::json!({ field: [body["Detail"]] }), "{body}");
        }
    }

    #[tokio::test]
    async fn wrong_fields_are_told_by_the_names_of_this_surface() {
        let wrong = ["/scope", "/events/3", "until"];
        let fields = wrong.map(|it| Invalid::new(it, "x", "no good")).to_vec();
        let response = Refused::from(AppError::Invalid(fields)).into_response();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["Status"], 400);
        assert_eq!(body["Title"], "Bad Request");
        for name in ["SubsidiaryId", "Events[3]", "EndDate"] {
            assert_eq!(body["Errors"][name], serde_json::json!(["No good."]), "{name}");
        }
        for (pointer, name) in [("/name", "name"), ("/Events/3", "Events[3]"), ("", "$")] {
            let form = BodyError::Form(Invalid::new(pointer, "x", "no good"));
            let Refused::Fields(fields) = Refused::from(form) else { panic!("{pointer}") };
            assert_eq!(fields[0].pointer, name, "a body has the names of this surface already");
        }
    }

    #[tokio::test]
    async fn a_cause_never_leaves_the_house() {
        let response = Refused::from(AppError::Internal("disk /secret".into())).into_response();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("/secret"));
    }
}
