//! The OpenAPI document of Aly's surface: the routes' own annotations, plus what all of them share.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::errors::{Detail, ErrorBody, ErrorInfo};
use crate::openapi::{
    self, CONFLICT, Frame, INTERNAL, NOT_JSON, SLOW_BODY, Shared, TOO_LARGE, TOO_MANY, UNAVAILABLE,
};

const DESCRIPTION: &str = "\
Aly's webhooks, served by Hookyard: what is registered here is an endpoint of the profile `aly`, and only those are seen here.

**Keys.** Send `Authorization: Bearer KEY` with any key of the tenant; it says which workspace is meant. The operator's key names \
none and is answered 403.

**Errors** are `{\"error\": {\"code\", \"message\", \"details\"}}`; `details` names wrong fields and parameters by their path.

**Lists** are newest first. Give `next_cursor` as `cursor` to go on; `null` is the end.

**Idempotency.** Every POST takes an `Idempotency-Key`, remembered for 24 hours: the same request again gets the first answer \
with `idempotency-replayed: true`; another request with the key, or one that comes while the first is running, gets 409.";

const TAGS: [(&str, &str); 2] = [
    ("Webhooks", "Where events go: URL, types, site, secret."),
    ("Deliveries", "One event owed to one webhook, and its attempts."),
];

const VALIDATION: Shared = (400, "ValidationFailed", "Fields or parameters are wrong.");
const NO_KEY: Shared = (401, "Unauthenticated", "There is no key, or it is not valid (any more).");
const FORBIDDEN: Shared =
    (403, "Forbidden", "The key lacks a scope, or it is the operator's and names no workspace.");
const NOT_FOUND: Shared = (404, "NotFound", "It is not there, or is another workspace's.");
const REFUSED: Shared = (422, "Refused", "A limit is reached.");

const SHARED: [Shared; 12] = [
    VALIDATION,
    NO_KEY,
    FORBIDDEN,
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
    title: "Hookyard: Aly's surface",
    version: "1",
    description: DESCRIPTION,
    tags: &TAGS,
    key: "A key of the tenant.",
};

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = super::table().into_openapi();
    openapi::frame(&mut document, &FRAME, complete);
    let components = document.components.get_or_insert_default();
    components.schemas.insert(ErrorBody::name().into(), ErrorBody::schema());
    components.schemas.insert(ErrorInfo::name().into(), ErrorInfo::schema());
    components.schemas.insert(Detail::name().into(), Detail::schema());
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

fn complete(path: &str, method: &str, operation: &mut Operation) {
    let has_query = openapi::parameters(path, method, operation, describe);
    let is_post = method == "post";
    let has_body = operation.request_body.is_some();
    let mut refusals = vec![NO_KEY, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE];
    if path.contains('{') {
        refusals.push(NOT_FOUND);
    }
    if has_body || has_query || is_post {
        refusals.push(VALIDATION);
    }
    if has_body {
        refusals.extend([NOT_JSON, REFUSED]);
    }
    if has_body || is_post {
        refusals.extend([SLOW_BODY, CONFLICT, TOO_LARGE]);
    }
    openapi::refuse(operation, &refusals);
}

fn describe(parameter: &str) -> &'static str {
    match parameter {
        "delivery" => "The delivery's id in the list, or an `X-Aly-Delivery-Id` it was sent with.",
        _ => "The webhook's id.",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::openapi::tests::{check_pointers, check_routes};

    /// Every route of vendors.md §1.4, with its methods.
    const ROUTES: [(&str, &str); 5] = [
        ("", "get post"),
        ("/{id}", "delete get patch"),
        ("/{id}/rotate-secret", "post"),
        ("/{id}/deliveries", "get"),
        ("/{id}/deliveries/{delivery}/replay", "post"),
    ];

    fn parsed() -> Value {
        serde_json::from_str(&document_json()).unwrap()
    }

    #[test]
    fn every_route_of_aly_is_in_the_document_and_no_other() {
        check_routes(&document_json(), "/api/storefront/v1/merchant/webhooks", &ROUTES);
    }

    #[test]
    fn whatever_the_document_points_at_is_in_it() {
        check_pointers(&document_json());
    }

    #[test]
    fn every_operation_says_who_is_refused_and_every_post_takes_a_key() {
        let document = parsed();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                for status in ["401", "403", "429"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
                let empty = Vec::new();
                let parameters = operation["parameters"].as_array().unwrap_or(&empty);
                let has_key = parameters.iter().any(|it| it["name"] == "Idempotency-Key");
                assert_eq!(has_key, method == "post", "{method} {path}");
            }
        }
    }
}
