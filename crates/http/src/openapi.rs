//! What the OpenAPI documents of all surfaces have in common: the frame, the parameters of paths, the refusals.

use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema, Server,
};

/// What a document says of itself.
pub(crate) struct Frame {
    pub title: &'static str,
    pub version: &'static str,
    pub description: &'static str,
    /// Names and texts, in the order they are shown.
    pub tags: &'static [(&'static str, &'static str)],
    /// Which keys are taken.
    pub key: &'static str,
}

/// A refusal that several routes share: status, name among the components, when it comes.
pub(crate) type Shared = (u16, &'static str, &'static str);

// Refusals that are the same on the vendors' surfaces.
pub(crate) const SLOW_BODY: Shared = (408, "TimedOut", "The body stopped coming.");
pub(crate) const CONFLICT: Shared =
    (409, "Conflict", "The state of things, or the `Idempotency-Key`, does not allow it.");
pub(crate) const TOO_LARGE: Shared = (413, "TooLarge", "The body is over the limit.");
pub(crate) const NOT_JSON: Shared =
    (415, "UnsupportedMediaType", "The body calls itself something else.");
pub(crate) const TOO_MANY: Shared =
    (429, "TooManyRequests", "Too many requests; `Retry-After` says when.");
pub(crate) const INTERNAL: Shared = (500, "Internal", "Something went wrong at our side.");
pub(crate) const UNAVAILABLE: Shared =
    (503, "Unavailable", "The store cannot be reached; nothing was done.");

/// Gives a document its frame, and each operation what `complete` makes of its path and method.
pub(crate) fn frame(
    document: &mut OpenApi,
    frame: &Frame,
    complete: impl Fn(&str, &str, &mut Operation),
) {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    document.info = InfoBuilder::new()
        .title(frame.title)
        .version(frame.version)
        .description(Some(frame.description))
        .license(Some(license))
        .build();
    document.servers = Some(vec![Server::new("/")]);
    document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    let tag = |(name, text): &(&str, &str)| {
        TagBuilder::new().name(*name).description(Some(*text)).build()
    };
    document.tags = Some(frame.tags.iter().map(tag).collect());
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, method, operation);
        }
    }
    let key =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(frame.key)).build();
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("key".into(), SecurityScheme::Http(key).into());
}

/// A document as text: pretty, the same for the same code.
pub(crate) fn text(document: &OpenApi) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", item.get.as_mut()),
        ("put", item.put.as_mut()),
        ("post", item.post.as_mut()),
        ("delete", item.delete.as_mut()),
        ("patch", item.patch.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.map(|it| (method, it)))
}

/// Adds the parameters of the path, described by their names, and for a POST the `Idempotency-Key`; answers whether the
/// operation has others.
pub(crate) fn parameters(
    path: &str,
    method: &str,
    operation: &mut Operation,
    describe: fn(&str) -> &'static str,
) -> bool {
    let mut all: Vec<RefOr<Parameter>> = path
        .split('/')
        .filter_map(|segment| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            Some(RefOr::T(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .description(Some(describe(name)))
                    .schema(Some(text_schema(None)))
                    .build(),
            ))
        })
        .collect();
    let of_path = all.len();
    all.append(&mut operation.parameters.take().unwrap_or_default());
    let has_others = all.len() > of_path;
    if method == "post" {
        all.push(RefOr::T(idempotency_key()));
    }
    operation.parameters = (!all.is_empty()).then_some(all);
    has_others
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Makes the request happen once, however often it is sent."))
        .schema(Some(text_schema(Some(255))))
        .build()
}

fn text_schema(chars_max: Option<usize>) -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(1))
        .max_length(chars_max)
        .build()
        .into()
}

/// Says of an operation that it may be refused so, unless it says itself what such a status means.
pub(crate) fn refuse(operation: &mut Operation, refusals: &[Shared]) {
    for (status, name, _) in refusals {
        let refusal = RefOr::Ref(Ref::from_response_name(*name));
        operation.responses.responses.entry(status.to_string()).or_insert(refusal);
    }
}

/// The component of a refusal, whose body is of this media type and schema.
pub(crate) fn refusal(description: &str, media: &str, schema: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    ResponseBuilder::new().description(description).content(media, content)
}

/// What every document is held against.
#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    /// The document's paths below `base` and their methods are exactly these.
    #[track_caller]
    pub(crate) fn check_routes(document: &str, base: &str, routes: &[(&str, &str)]) {
        let document: Value = serde_json::from_str(document).unwrap();
        let mut found = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
            found.insert((path.clone(), methods.join(" ")));
        }
        let named = |(path, methods): &(&str, &str)| (format!("{base}{path}"), (*methods).into());
        assert_eq!(found, routes.iter().map(named).collect());
    }

    /// Whatever the document points at is in it.
    #[track_caller]
    pub(crate) fn check_pointers(text: &str) {
        let document: Value = serde_json::from_str(text).unwrap();
        let pointers: BTreeSet<_> = text.split("\"$ref\": \"#").skip(1).collect();
        assert!(pointers.len() > 10);
        for rest in pointers {
            let pointer = rest.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
