//! The OpenAPI document: the routes' own annotations, plus what all of them share.
//!
//! Parameters of paths, the `Idempotency-Key`, and every problem a route can answer follow from its path and method, so they
//! are added here once and cannot be forgotten at a handler.

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use hookyard_api::problem::{FieldError, Problem};
use hookyard_api::stream::StreamData;
use http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Response as Documented};
use utoipa::{PartialSchema, ToSchema};

use super::extract::reply_bytes;
use crate::openapi::{self, Frame, Shared};

const DESCRIPTION: &str = "\
Publish an event once; Hookyard delivers it, signed, to every endpoint that subscribed to it, tries again until it arrives, \
and shows each attempt.

**Keys.** Send `Authorization: Bearer KEY`: the operator's key, or a key of the tenant. A key never reveals another tenant's \
things: they answer 404.

**Forms.** JSON in snake case, times in RFC 3339 with milliseconds. Unknown fields of a body are refused.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`, and for wrong fields `errors` with a `pointer` each.

**Lists** are newest first. Give `next_cursor` as `cursor` to go on.

**Idempotency.** Every POST takes an `Idempotency-Key`, remembered for 24 hours: the same request again gets the first \
answer with `idempotency-replayed: true`, another request with the key gets 422, one that comes while the first is still \
running gets 409. A refusal is not remembered: it did nothing, and the same key may be used again. When the server went \
down or failed in the middle of the first one, the answer is 409 with the code `idempotency_outcome_unknown`: look whether \
it was done, and use a new key if it has to be done.";

const TAGS: [(&str, &str); 14] = [
    ("Tenants", "Who owns everything else; for the operator."),
    ("Nodes", "The processes that serve; for the operator."),
    ("API keys", "What a tenant's programs prove themselves with."),
    ("Event types", "A tenant's catalogue; publishing does not need it."),
    ("Endpoints", "Where deliveries go: URL, types, policy, secret."),
    ("Events", "What happened: publish, look, replay."),
    ("Deliveries", "One event owed to one endpoint, and its attempts."),
    ("Jobs", "Work on many deliveries that goes on by itself."),
    ("Stream", "What happens, as it happens."),
    ("Sources", "Where requests of other providers come in."),
    ("Statistics", "Numbers over time, and of the moment."),
    ("Audit", "Who did what, when, from where."),
    ("Sessions", "Signing in with a key, and links to the portal for a tenant's own customer."),
    ("Signatures", "Sign and verify any payload, to find out why a signature does not fit."),
];

const BAD_BODY: Shared = (400, "BadRequest", "The body is missing, no JSON, or nested too deep.");
const NO_KEY: Shared = (401, "Unauthenticated", "There is no key, or it is not valid (any more).");
const FORBIDDEN: Shared = (403, "Forbidden", "The key is good, but not for this.");
const NOT_FOUND: Shared = (404, "NotFound", "It is not there, or belongs to another tenant.");
const SLOW_BODY: Shared = (408, "TimedOut", "The body stopped coming.");
const CONFLICT: Shared = (
    409,
    "Conflict",
    "The state of things does not allow it, or the first request with this `Idempotency-Key` is still running.",
);
const TOO_LARGE: Shared = (413, "TooLarge", "The body is over the limit.");
const NOT_JSON: Shared = (415, "UnsupportedMediaType", "The body calls itself something else.");
const INVALID: Shared = (
    422,
    "Invalid",
    "Fields or parameters are wrong, a limit is reached, or the `Idempotency-Key` was used with another request.",
);
const TOO_MANY: Shared = (429, "TooManyRequests", "Too many requests; `Retry-After` says when.");
const INTERNAL: Shared = (500, "Internal", "Something went wrong at our side.");
const UNAVAILABLE: Shared = (503, "Unavailable", "The store cannot be reached; nothing was done.");

const SHARED: [Shared; 12] = [
    BAD_BODY,
    NO_KEY,
    FORBIDDEN,
    NOT_FOUND,
    SLOW_BODY,
    CONFLICT,
    TOO_LARGE,
    NOT_JSON,
    INVALID,
    TOO_MANY,
    INTERNAL,
    UNAVAILABLE,
];

/// Where providers call: their bodies are anything, and a signature stands in a key's place.
const RECEIVE: &str = "/in/";
/// Where browsers sign in and out.
const SESSION: &str = "/session";

const FRAME: Frame = Frame {
    title: "Hookyard",
    version: "1",
    description: DESCRIPTION,
    tags: &TAGS,
    key: "The operator's key or a key of the tenant.",
};

/// The document of the native API.
#[must_use]
pub fn document() -> OpenApi {
    let routes =
        super::remembered().merge(super::hot()).merge(super::public()).merge(super::signing_in());
    let mut document = routes.into_openapi();
    openapi::frame(&mut document, &FRAME, complete);
    let components = document.components.get_or_insert_default();
    components.schemas.insert(Problem::name().into(), Problem::schema());
    components.schemas.insert(FieldError::name().into(), FieldError::schema());
    // What a message of the stream holds as text: nothing else refers to it.
    let mut streamed = vec![(StreamData::name().into_owned(), StreamData::schema())];
    StreamData::schemas(&mut streamed);
    components.schemas.extend(streamed);
    for shared in SHARED {
        components.responses.insert(shared.1.into(), RefOr::T(refusal(shared)));
    }
    document
}

/// The document as text.
#[must_use]
pub fn document_json() -> String {
    openapi::text(&document())
}

static TEXT: LazyLock<String> = LazyLock::new(document_json);

/// `GET /openapi.json`.
pub async fn serve() -> Response {
    reply_bytes(StatusCode::OK, Body::from(TEXT.as_str()))
}

fn complete(path: &str, method: &str, operation: &mut Operation) {
    if path == SESSION {
        let mut refusals = vec![NO_KEY, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE];
        if method != "get" {
            refusals.extend([BAD_BODY, SLOW_BODY, TOO_LARGE, NOT_JSON, INVALID]);
        }
        openapi::refuse(operation, &refusals);
        return;
    }
    let has_query = openapi::parameters(path, method, operation, describe);
    let has_body = operation.request_body.is_some();
    if path.starts_with(RECEIVE) {
        let refusals = [NOT_FOUND, SLOW_BODY, TOO_LARGE, TOO_MANY, INTERNAL, UNAVAILABLE];
        openapi::refuse(operation, &refusals);
        return;
    }
    let mut refusals = vec![NO_KEY, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE];
    if path.contains('{') {
        refusals.push(NOT_FOUND);
    }
    // A POST without a body takes an empty one or `{}`.
    if has_body || method == "post" {
        refusals.extend([BAD_BODY, SLOW_BODY, TOO_LARGE, NOT_JSON]);
    }
    if has_body || has_query || method == "post" {
        refusals.push(INVALID);
    }
    if matches!(method, "post" | "patch" | "put") {
        refusals.push(CONFLICT);
    }
    openapi::refuse(operation, &refusals);
}

fn describe(parameter: &str) -> &'static str {
    match parameter {
        "tenant" => "The tenant's name.",
        "name" => "The event type's name.",
        "source_id" => "The source's id.",
        _ => "Its id.",
    }
}

fn refusal((status, _, description): Shared) -> Documented {
    let mut response = openapi::refusal(description, "application/problem+json", &Problem::name());
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(1))
            .build();
        let header = HeaderBuilder::new()
            .description(Some("Seconds to wait."))
            .schema(Some(seconds))
            .build();
        response = response.header("Retry-After", header);
    }
    response.build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Every route of the contract that stands in this room, with its methods.
    const ROUTES: [(&str, &str); 53] = [
        ("/v1/tenants", "get post"),
        ("/v1/tenants/{tenant}", "delete get patch"),
        ("/v1/nodes", "get"),
        ("/v1/tenants/{tenant}/api-keys", "get post"),
        ("/v1/tenants/{tenant}/api-keys/{id}", "delete"),
        ("/v1/tenants/{tenant}/event-types", "get post"),
        ("/v1/tenants/{tenant}/event-types/import", "post"),
        ("/v1/tenants/{tenant}/event-types/{name}", "delete get put"),
        ("/v1/tenants/{tenant}/endpoints", "get post"),
        ("/v1/tenants/{tenant}/endpoints/{id}", "delete get patch"),
        ("/v1/tenants/{tenant}/endpoints/{id}/enable", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/disable", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/pause", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/resume", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/verify", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/test", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/rotate-secret", "post"),
        ("/v1/tenants/{tenant}/endpoints/{id}/reveal-secret", "post"),
        ("/v1/tenants/{tenant}/events", "get post"),
        ("/v1/tenants/{tenant}/events/batch", "post"),
        ("/v1/tenants/{tenant}/events/{id}", "get"),
        ("/v1/tenants/{tenant}/events/{id}/deliveries", "get"),
        ("/v1/tenants/{tenant}/events/{id}/replay", "post"),
        ("/v1/tenants/{tenant}/deliveries", "get"),
        ("/v1/tenants/{tenant}/deliveries/export", "get"),
        ("/v1/tenants/{tenant}/deliveries/{id}", "get"),
        ("/v1/tenants/{tenant}/deliveries/{id}/attempts", "get"),
        ("/v1/tenants/{tenant}/deliveries/{id}/retry", "post"),
        ("/v1/tenants/{tenant}/deliveries/{id}/cancel", "post"),
        ("/v1/tenants/{tenant}/sources", "get post"),
        ("/v1/tenants/{tenant}/sources/{id}", "delete get patch"),
        ("/v1/tenants/{tenant}/sources/{id}/enable", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/disable", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/pause", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/resume", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/rotate-secret", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/reveal-secret", "post"),
        ("/v1/tenants/{tenant}/sources/{id}/events", "get"),
        ("/in/{source_id}", "post put"),
        ("/v1/tenants/{tenant}/endpoints/{id}/recover", "post"),
        ("/v1/tenants/{tenant}/jobs", "get"),
        ("/v1/tenants/{tenant}/jobs/{id}", "get"),
        ("/v1/tenants/{tenant}/jobs/{id}/cancel", "post"),
        ("/v1/tenants/{tenant}/stream", "get"),
        ("/v1/tenants/{tenant}/audit", "get"),
        ("/v1/tenants/{tenant}/overview", "get"),
        ("/v1/tenants/{tenant}/endpoints/{id}/stats", "get"),
        ("/v1/tenants/{tenant}/portal-sessions", "post"),
        ("/session", "delete get post"),
        ("/v1/providers", "get"),
        ("/v1/whoami", "get"),
        ("/v1/signatures/sign", "post"),
        ("/v1/signatures/verify", "post"),
    ];

    fn parsed() -> Value {
        serde_json::from_str(&document_json()).unwrap()
    }

    fn each_operation(document: &Value, mut look: impl FnMut(&str, &str, &Value)) {
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                look(path, method, operation);
            }
        }
    }

    #[test]
    fn every_route_of_the_contract_is_in_the_document_and_no_other() {
        let document = parsed();
        assert_eq!(document["openapi"], "3.1.0");
        let mut found = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
            found.insert((path.as_str(), methods.join(" ")));
        }
        let want: BTreeSet<_> =
            ROUTES.iter().map(|(path, methods)| (*path, (*methods).to_owned())).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn a_secret_may_be_empty_where_the_profile_does_without() {
        let document = parsed();
        for form in ["NewEndpoint", "RotateSecret"] {
            let secret = &document["components"]["schemas"][form]["properties"]["secret"];
            assert_eq!(
                (&secret["maxLength"], secret.get("minLength")),
                (&512.into(), None),
                "{form}"
            );
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_known_tag_and_its_problems() {
        let document = parsed();
        let mut names = BTreeSet::new();
        let tags: BTreeSet<_> = TAGS.iter().map(|(name, _)| *name).collect();
        each_operation(&document, |path, method, operation| {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "{name} is there twice");
            let tag = operation["tags"][0].as_str().unwrap();
            assert!(tags.contains(tag) && operation["tags"][1].is_null(), "{name}: {tag}");
            assert!(operation["summary"].is_string(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|it| it.starts_with('2')), "{name}");
            for status in ["401", "403", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{name} {status}");
            }
            assert_eq!(responses.contains_key("404"), path.contains('{'), "{name}");
            let is_ours = !path.starts_with(RECEIVE) && path != SESSION;
            let body = is_ours && (operation.get("requestBody").is_some() || method == "post");
            if path != SESSION {
                assert_eq!(responses.contains_key("415"), body, "{name}");
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let headers = parameters.iter().filter(|it| it["in"] == "header").count();
            assert_eq!(headers, usize::from(method == "post" && path != SESSION), "{name}");
            let in_path = parameters.iter().filter(|it| it["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{name}");
        });
    }

    fn refs<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    found.insert(target);
                }
                map.values().for_each(|it| refs(it, found));
            }
            Value::Array(list) => list.iter().for_each(|it| refs(it, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = parsed();
        let mut found = BTreeSet::new();
        refs(&document, &mut found);
        for target in &found {
            assert!(document.pointer(&target[1..]).is_some(), "{target}");
        }
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let target = format!("#/components/{kind}/{name}");
                // It stands in the messages of a stream as text, which refers to nothing.
                if name == "StreamData" {
                    continue;
                }
                assert!(found.contains(target.as_str()), "{target} is not used");
            }
        }
    }

    #[test]
    fn requests_refuse_unknown_fields_and_say_their_bounds() {
        let document = parsed();
        let schemas = &document["components"]["schemas"];
        for name in [
            "NewEvent",
            "NewEndpoint",
            "EndpointPatch",
            "NewTenant",
            "NewApiKey",
            "NewSource",
            "SourcePatch",
            "RotateSourceSecret",
            "RecoverEndpoint",
        ] {
            assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
        }
        let required: Vec<_> = schemas["NewEndpoint"]["required"].as_array().unwrap().to_vec();
        assert_eq!(required, ["url", "events"]);
        let required = schemas["NewEvent"]["required"].as_array().unwrap().clone();
        assert_eq!(required, ["type", "data"]);
        assert_eq!(schemas["NewEvent"]["properties"]["type"]["maxLength"], 128);
        assert!(schemas["EndpointPatch"]["required"].is_null());
    }

    #[test]
    fn the_document_is_the_same_each_time() {
        assert_eq!(document_json(), document_json());
    }
}
