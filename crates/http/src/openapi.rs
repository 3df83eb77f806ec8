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
