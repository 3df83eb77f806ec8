//! The OpenAPI document of this surface: the routes' own annotations, plus what all of them share.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::wire::{ProblemDetails, ValidationProblemDetails};
use crate::openapi::{
    self, CONFLICT, Frame, INTERNAL, NOT_JSON, SLOW_BODY, Shared, TOO_LARGE, TOO_MANY, UNAVAILABLE,
};

const DESCRIPTION: &str = "\
Alvys's webhook management API, served by Hookyard: what is registered here is an endpoint of the profile `alvys`, and only \
those are seen here. The same routes stand below `/api/p/v1` and `/api/p/v1.0`.

**Keys.** Send `Authorization: Bearer KEY` with any key of the tenant; it says which company is meant. The operator's key \
names none and is answered 403.

**Errors** are `application/problem+json`; for wrong fields with `Errors`, the messages by field.

**Changes.** `ETag` names the revision that was answered. Sent back as `If-Match` with a PUT or DELETE, the change is done \
only if that is still the revision, else 412.

**Idempotency.** Every POST takes an `Idempotency-Key`, remembered for 24 hours: the same request again gets the first answer \
with `idempotency-replayed: true`; another request with the key, or one that comes while the first is running, gets 409.";

const TAGS: [(&str, &str); 2] = [
    ("Webhooks", "Where events go: URL, types, subsidiary, secret."),
    ("Delivery logs", "What was sent: one row per attempt."),
];

const VALIDATION: Shared =
    (400, "BadRequest", "Fields or parameters are wrong, or a limit is reached.");
const NO_KEY: Shared = (401, "Unauthorized", "There is no key, or it is not valid (any more).");
const FORBIDDEN: Shared =
    (403, "Forbidden", "The key lacks a scope, or it is the operator's and names no company.");
const NOT_FOUND: Shared = (404, "NotFound", "It is not there, or is another company's.");
const STALE: Shared = (412, "PreconditionFailed", "`If-Match` names another revision.");

const SHARED: [Shared; 12] = [
    VALIDATION,
    NO_KEY,
    FORBIDDEN,
    NOT_FOUND,
    SLOW_BODY,
    CONFLICT,
    STALE,
    TOO_LARGE,
    NOT_JSON,
    TOO_MANY,
    INTERNAL,
    UNAVAILABLE,
];

const FRAME: Frame = Frame {
    title: "Hookyard: Alvys's surface",
    version: "3",
    description: DESCRIPTION,
    tags: &TAGS,
    key: "A key of the tenant.",
};

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = OpenApiRouter::new().nest(super::BASES[0], super::table()).into_openapi();
    openapi::frame(&mut document, &FRAME, complete);
    let components = document.components.get_or_insert_default();
    components.schemas.insert(ProblemDetails::name().into(), ProblemDetails::schema());
    let validation = ValidationProblemDetails::schema();
    components.schemas.insert(ValidationProblemDetails::name().into(), validation);
    for (status, name, description) in SHARED {
        let schema =
            if status == 400 { ValidationProblemDetails::name() } else { ProblemDetails::name() };
        let refusal = openapi::refusal(description, "application/problem+json", &schema);
        components.responses.insert(name.into(), RefOr::T(refusal.build()));
    }
    document
}

/// The document as text.
#[must_use]
pub fn document_json() -> String {
    openapi::text(&document())
}

fn complete(path: &str, method: &str, operation: &mut Operation) {
    let has_more = openapi::parameters(path, method, operation, describe);
    let is_post = method == "post";
    let has_body = operation.request_body.is_some();
    let mut refusals = vec![NO_KEY, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE];
    if path.contains('{') {
        refusals.push(NOT_FOUND);
    }
    if has_body || has_more || is_post {
        refusals.push(VALIDATION);
    }
    if has_body {
        refusals.push(NOT_JSON);
    }
    if has_body || is_post {
        refusals.extend([SLOW_BODY, CONFLICT, TOO_LARGE]);
    }
    if matches!(method, "put" | "delete") {
        refusals.push(STALE);
    }
    openapi::refuse(operation, &refusals);
    let tagged = operation.tags.as_deref().is_some_and(|it| it.iter().any(|it| it == TAGS[0].0));
    let bare =
        path.ends_with("/event-types") || path.ends_with("/test") || path.ends_with("-secret");
    let of_one = path.contains('{') || is_post;
    if tagged && of_one && (!bare || path.ends_with("/rotate-secret")) {
        tell_etag(operation);
    }
}

/// Answers that are one webhook carry its revision.
fn tell_etag(operation: &mut Operation) {
    for status in ["200", "201"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            let text: Schema =
                ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build().into();
            let header = HeaderBuilder::new()
                .description(Some("The webhook's revision, for `If-Match`."))
                .schema(Some(text))
                .build();
            response.headers.insert("ETag".into(), header.into());
        }
    }
}

fn describe(parameter: &str) -> &'static str {
    match parameter {
        "logId" => "The id of a row of the list.",
        _ => "The webhook's id.",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::openapi::tests::{check_pointers, check_routes};

    /// Every route of vendors.md §2.8, with its methods.
    const ROUTES: [(&str, &str); 13] = [
        ("", "get post"),
        ("/event-types", "get"),
        ("/{id}", "delete get put"),
        ("/{id}/enable", "post"),
        ("/{id}/disable", "post"),
        ("/{id}/test", "post"),
        ("/{id}/verify", "post"),
        ("/{id}/rotate-secret", "post"),
        ("/{id}/reveal-secret", "post"),
        ("/{webhookId}/delivery-logs", "get"),
        ("/{webhookId}/delivery-logs/export", "get"),
        ("/{webhookId}/delivery-logs/{logId}", "get"),
        ("/{webhookId}/health", "get"),
    ];

    fn parsed() -> Value {
        serde_json::from_str(&document_json()).unwrap()
    }

    #[test]
    fn every_route_of_alvys_is_in_the_document_and_no_other() {
        check_routes(&document_json(), super::super::BASES[0], &ROUTES);
    }

    #[test]
    fn whatever_the_document_points_at_is_in_it() {
        check_pointers(&document_json());
    }

    #[test]
    fn every_operation_says_who_is_refused_and_every_answer_of_one_webhook_has_its_etag() {
        let document = parsed();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                for status in ["401", "403", "429"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
                for status in ["200", "201"] {
                    let answer = &responses.get(status).cloned().unwrap_or_default();
                    let schema = &answer["content"]["application/json"]["schema"]["$ref"];
                    let name = schema.as_str().and_then(|it| it.rsplit('/').next());
                    let is_one = matches!(name, Some("WebhookResponse" | "VerifyResponse"));
                    let has = answer["headers"]["ETag"].is_object();
                    assert_eq!(has, is_one, "{method} {path}");
                }
            }
        }
    }
}
