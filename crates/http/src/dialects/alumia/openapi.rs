//! The OpenAPI document of Alumia's surface: the routes' own annotations, plus what all of them share.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::errors::{ErrorBody, ErrorInfo};
use crate::openapi::{
    self, CONFLICT, Frame, INTERNAL, NOT_JSON, SLOW_BODY, Shared, TOO_LARGE, TOO_MANY, UNAVAILABLE,
};

const DESCRIPTION: &str = "\
Alumia's webhooks, served by Hookyard: inbound receivers, each with a public URL that third parties post to. What arrives \
with a good signature is recorded, and forwarded as it came when the webhook has a `url`. Only sources of the profile \
`alumia` are seen here.

**Keys.** Send `Authorization: Bearer KEY` with any key of the tenant; it says which organisation is meant. The operator's \
key names none and is answered 403. Receiving takes no key: the signature is the proof.

**Answers** are `{\"success\": true, \"data\"}`, but for that of a deletion; refusals `{\"success\": false, \"error\": \
{\"code\", \"message\"}}`. Members of a body that are not known are passed over, unknown parameters of a query are refused.

**Lists** are newest first. Give `nextCursor` as `cursor` to go on; `null` is the end.

**Idempotency.** Every POST with a key takes an `Idempotency-Key`, remembered for 24 hours: the same request again gets the \
first answer with `idempotency-replayed: true`; another request with the key, or one that comes while the first is running, \
gets 409. For a received request it is the sender's, and says what a repetition is.";

const TAGS: [(&str, &str); 3] = [
    ("Webhooks", "Who sends, where it is forwarded to, and the secret."),
    ("History", "What was recorded, and each attempt to forward it."),
    ("Receiving", "What third parties call, and its trials."),
];

const WRONG: Shared =
    (400, "BadRequest", "Fields or parameters are wrong, or the body is no JSON.");
const NO_KEY: Shared = (401, "Unauthorized", "There is no key, or it is not valid (any more).");
const UNPROVEN: Shared = (401, "Unproven", "The signature is missing or wrong, or its time is.");
const FORBIDDEN: Shared =
    (403, "Forbidden", "The key lacks a scope, or it is the operator's and names no organisation.");
const DISABLED: Shared = (403, "Disabled", "The webhook is disabled; nothing was recorded.");
const NOT_FOUND: Shared = (404, "NotFound", "It is not there, or is another organisation's.");
const REFUSED: Shared = (422, "ValidationError", "A limit is reached.");

const SHARED: [Shared; 14] = [
    WRONG,
    NO_KEY,
    UNPROVEN,
    FORBIDDEN,
    DISABLED,
    NOT_FOUND,
    SLOW_BODY,
    CONFLICT,
    TOO_LARGE,
    NOT_JSON,
    REFUSED,
    TOO_MANY,
    INTERNAL,
    UNAVAILABLE,
];

const FRAME: Frame = Frame {
    title: "Hookyard: Alumia's surface",
    version: "1",
    description: DESCRIPTION,
    tags: &TAGS,
    key: "A key of the tenant.",
};

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let managed = OpenApiRouter::new().nest(super::BASE, super::managed()).into_openapi();
    let mut document = framed(managed, complete);
    document.merge(framed(super::public().into_openapi(), complete_public));
    let components = document.components.get_or_insert_default();
    components.schemas.insert(ErrorBody::name().into(), ErrorBody::schema());
    components.schemas.insert(ErrorInfo::name().into(), ErrorInfo::schema());
    for (_, name, description) in SHARED {
        let refusal = openapi::refusal(description, "application/json", &ErrorBody::name());
        components.responses.insert(name.into(), RefOr::T(refusal.build()));
    }
    document
}

/// The document as text.
#[must_use]
pub fn document_json() -> String {
    openapi::text(&document())
}

fn framed(mut document: OpenApi, complete: fn(&str, &str, &mut Operation)) -> OpenApi {
    openapi::frame(&mut document, &FRAME, complete);
    document
}

fn complete(path: &str, method: &str, operation: &mut Operation) {
    let has_query = openapi::parameters(path, method, operation, describe);
    let is_post = method == "post";
    let has_body = operation.request_body.is_some();
    let mut refusals = vec![NO_KEY, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE];
    if path.contains('{') || path.ends_with("/test") || path.ends_with("/verify") {
        refusals.push(NOT_FOUND);
    }
    if has_body || has_query || is_post {
        refusals.push(WRONG);
    }
    if has_body {
        refusals.extend([NOT_JSON, REFUSED]);
    }
    if has_body || is_post {
        refusals.extend([SLOW_BODY, CONFLICT, TOO_LARGE]);
    }
    openapi::refuse(operation, &refusals);
}

/// What providers call takes no key of ours, and an `Idempotency-Key` only as one of theirs.
fn complete_public(path: &str, _: &str, operation: &mut Operation) {
    openapi::parameters(path, "", operation, describe);
    let refusals = [
        WRONG,
        UNPROVEN,
        DISABLED,
        NOT_FOUND,
        SLOW_BODY,
        TOO_LARGE,
        TOO_MANY,
        INTERNAL,
        UNAVAILABLE,
    ];
    openapi::refuse(operation, &refusals);
}

fn describe(_: &str) -> &'static str {
    "The webhook's id."
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::openapi::tests::{check_pointers, check_routes};

    /// Every route of the seed, with its methods.
    const ROUTES: [(&str, &str); 10] = [
        ("", "get post"),
        ("/{id}", "delete get patch"),
        ("/{id}/rotate", "post"),
        ("/{id}/events", "get"),
        ("/{id}/deliveries", "get"),
        ("/events", "get"),
        ("/test", "post"),
        ("/verify", "post"),
        ("/receive/{webhookId}", "post"),
        ("/linear", "post"),
    ];

    fn parsed() -> Value {
        serde_json::from_str(&document_json()).unwrap()
    }

    #[test]
    fn every_route_of_the_seed_is_in_the_document_and_no_other() {
        check_routes(&document_json(), super::super::BASE, &ROUTES);
        let count: usize = ROUTES.iter().map(|(_, methods)| methods.split(' ').count()).sum();
        assert_eq!(count, 13);
    }

    #[test]
    fn whatever_the_document_points_at_is_in_it() {
        check_pointers(&document_json());
    }

    #[test]
    fn every_operation_takes_a_key_but_those_that_providers_call() {
        let document = parsed();
        for (path, item) in document["paths"].as_object().unwrap() {
            let public = path.contains("/receive/") || path.ends_with("/linear");
            for (method, operation) in item.as_object().unwrap() {
                let none = serde_json::json!([{}]);
                assert_eq!(operation["security"] == none, public, "{method} {path}");
                for status in ["401", "403", "429"] {
                    assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
                }
                let empty = Vec::new();
                let parameters = operation["parameters"].as_array().unwrap_or(&empty);
                let has_key = parameters.iter().any(|it| it["name"] == "Idempotency-Key");
                assert_eq!(has_key, method == "post" && !public, "{method} {path}");
            }
        }
    }
}
