//! The API reference for people: one page made from the OpenAPI document, without a script and without any other host.

mod schema;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use serde_json::Value;

use crate::native::openapi;

const STYLE: &str = include_str!("style.css");
/// Nothing but our own style sheet: a page that shows no foreign content needs nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static PAGE: LazyLock<String> = LazyLock::new(|| render(&document()));

/// The routes of this room.
pub fn router() -> Router {
    Router::new().route("/docs", get(reference)).route("/docs/style.css", get(style))
}

async fn reference() -> Response {
    page(Body::from(PAGE.as_str()), "text/html; charset=utf-8")
}

async fn style() -> Response {
    page(Body::from(STYLE), "text/css; charset=utf-8")
}

/// A page or a part of one, with the headers that keep it to itself.
pub(crate) fn page(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn document() -> Value {
    serde_json::to_value(openapi::document()).unwrap_or_default()
}

/// One operation with where it stands.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    it: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        self.it["operationId"].as_str().unwrap_or_default()
    }

    fn text(&self, name: &str) -> &str {
        self.it[name].as_str().unwrap_or_default()
    }
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(it) = item.get(method).filter(|it| it["tags"][0] == tag) {
                found.push(Operation { path, method, it });
            }
        }
    }
    found
}

fn render(document: &Value) -> String {
    let mut html = String::with_capacity(256 * 1024);
    let empty = Vec::new();
    let tags: Vec<(&str, &str)> = document["tags"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .map(|tag| {
            let text = |name: &str| tag[name].as_str().unwrap_or_default();
            (text("name"), text("description"))
        })
        .collect();
    html.push_str(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Hookyard API reference</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to content</a>\n",
    );
    navigation(&mut html, document, &tags);
    html.push_str("<main id=\"main\">\n<h1>Hookyard API reference</h1>\n");
    let about = document["info"]["description"].as_str().unwrap_or_default();
    prose(&mut html, about);
    html.push_str("<p>For programs: <a href=\"/openapi.json\">OpenAPI 3.1</a>.</p>\n");
    for (tag, about) in &tags {
        let (anchor, tag_text) = (anchor(tag), escape(tag));
        let _ = writeln!(html, "<section aria-labelledby=\"{anchor}\">");
        let _ = writeln!(html, "<h2 id=\"{anchor}\">{tag_text}</h2>");
        prose(&mut html, about);
        for operation in operations(document, tag) {
            article(&mut html, document, &operation);
        }
        html.push_str("</section>\n");
    }
    problems(&mut html, document);
    schema::section(&mut html, document);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn navigation(html: &mut String, document: &Value, tags: &[(&str, &str)]) {
    html.push_str(
        "<nav aria-label=\"Operations\">\n<p class=\"brand\"><a href=\"/\">Hookyard</a></p>\n",
    );
    for (tag, _) in tags {
        let _ = writeln!(html, "<h2><a href=\"#{}\">{}</a></h2>\n<ul>", anchor(tag), escape(tag));
        for operation in operations(document, tag) {
            let (id, method) = (operation.id(), operation.method);
            let summary = escape(operation.text("summary"));
            let _ = writeln!(
                html,
                "<li><a href=\"#{id}\"><span class=\"method {method}\">{method}</span>{summary}</a></li>"
            );
        }
        html.push_str("</ul>\n");
    }
    html.push_str("<h2><a href=\"#problems\">Problems</a></h2>\n");
    html.push_str("<h2><a href=\"#schemas\">Schemas</a></h2>\n</nav>\n");
}

fn article(html: &mut String, document: &Value, operation: &Operation<'_>) {
    let (id, method) = (operation.id(), operation.method);
    let _ = writeln!(html, "<article id=\"{id}\">\n<h3>{}</h3>", escape(operation.text("summary")));
    let path = escape(operation.path).replace('{', "<var>{").replace('}', "}</var>");
    let _ = writeln!(
        html,
        "<p class=\"route\"><span class=\"method {method}\">{method}</span> <code>{path}</code></p>"
    );
    prose(html, operation.text("description"));
    parameters(html, document, operation.it);
    request_body(html, document, operation.it);
    responses(html, document, operation.it);
    html.push_str("<h4>Example</h4>\n<pre tabindex=\"0\"><code>");
    html.push_str(&escape(&curl(document, operation)));
    html.push_str("</code></pre>\n</article>\n");
}

fn parameters(html: &mut String, document: &Value, operation: &Value) {
    let Some(parameters) = operation["parameters"].as_array() else { return };
    html.push_str(
        "<h4>Parameters</h4>\n<div class=\"wide\"><table>\n<thead><tr><th>Name</th><th>In</th>\
         <th>Type</th><th>What it is</th></tr></thead>\n<tbody>\n",
    );
    for it in parameters {
        let name = escape(it["name"].as_str().unwrap_or_default());
        let place = escape(it["in"].as_str().unwrap_or_default());
        let form = schema::form(document, &it["schema"]);
        let about = inline(it["description"].as_str().unwrap_or_default());
        let bounds = schema::bounds(&it["schema"]);
        let required = schema::required_mark(it["required"] == true);
        let _ = writeln!(
            html,
            "<tr><td><code>{name}</code>{required}</td><td>{place}</td><td>{form}</td>\
             <td>{about}{bounds}</td></tr>"
        );
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn request_body(html: &mut String, document: &Value, operation: &Value) {
    let Some(content) = operation["requestBody"]["content"].as_object() else { return };
    html.push_str("<h4>Body</h4>\n");
    for (content_type, media) in content {
        let form = schema::form(document, &media["schema"]);
        let _ = writeln!(html, "<p><code>{}</code>: {form}</p>", escape(content_type));
    }
    if let Some(media) = content.get("application/json") {
        schema::properties(html, document, schema::resolve(document, &media["schema"]));
    }
}

/// What the route itself answers, and a line of the problems it shares with others.
fn responses(html: &mut String, document: &Value, operation: &Value) {
    let all = || operation["responses"].as_object().into_iter().flatten();
    html.push_str("<h4>Answers</h4>\n");
    answers(html, document, all().filter(|(_, it)| it["$ref"].is_null()));
    let shared: Vec<String> = all()
        .filter(|(_, it)| it["$ref"].is_string())
        .map(|(status, _)| format!("<a href=\"#problem-{status}\">{status}</a>"))
        .collect();
    if !shared.is_empty() {
        let _ = writeln!(html, "<p>Problems: {}</p>", shared.join(", "));
    }
}

/// Every problem with when it comes, once for all routes.
fn problems(html: &mut String, document: &Value) {
    html.push_str("<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">Problems</h2>\n");
    prose(
        html,
        "What several routes answer when something is wrong. The body says what, in `code` and `errors`.",
    );
    let mut all = BTreeMap::new();
    for item in document["paths"].as_object().into_iter().flat_map(|it| it.values()) {
        for operation in item.as_object().into_iter().flat_map(|it| it.values()) {
            let responses = operation["responses"].as_object().into_iter().flatten();
            all.extend(responses.filter(|(_, it)| it["$ref"].is_string()));
        }
    }
    answers(html, document, all);
    html.push_str("</section>\n");
}

fn answers<'a>(
    html: &mut String,
    document: &'a Value,
    answers: impl IntoIterator<Item = (&'a String, &'a Value)>,
) {
    html.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>Status</th><th>When</th><th>Body</th></tr>\
         </thead>\n<tbody>\n",
    );
    for (status, it) in answers {
        let anchor = if it["$ref"].is_string() {
            format!(" id=\"problem-{status}\"")
        } else {
            String::new()
        };
        let it = schema::resolve(document, it);
        let about = inline(it["description"].as_str().unwrap_or_default());
        let content = it["content"].as_object().into_iter().flatten();
        let forms: Vec<String> = content
            .map(|(content_type, media)| match media["schema"]["$ref"].as_str() {
                Some(_) => schema::form(document, &media["schema"]),
                None => format!("<code>{}</code>", escape(content_type)),
            })
            .collect();
        let class = if status.starts_with('2') { "good" } else { "bad" };
        let _ = writeln!(
            html,
            "<tr{anchor}><td><span class=\"status {class}\">{status}</span></td><td>{about}</td>\
             <td>{}</td></tr>",
            forms.join(", ")
        );
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn curl(document: &Value, operation: &Operation<'_>) -> String {
    let path = operation
        .path
        .replace("{tenant}", "$HOOKYARD_TENANT")
        .replace("{id}", "$ID")
        .replace("{name}", "order.created");
    let method = operation.method.to_uppercase();
    let request = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let mut text = format!(
        "curl {request}\"$HOOKYARD_URL{path}\" \\\n  -H \"Authorization: Bearer $HOOKYARD_API_KEY\""
    );
    let media = &operation.it["requestBody"]["content"]["application/json"];
    if !media.is_null() {
        let own = media.get("example").cloned();
        let body = own.unwrap_or_else(|| schema::example(document, &media["schema"], 0));
        let body = serde_json::to_string_pretty(&body).unwrap_or_default();
        let body = body.replace('\'', r"'\''");
        let _ = write!(text, " \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'");
    }
    text
}

/// Paragraphs of a text: blank lines part them, `**bold**` and backticks are understood.
fn prose(html: &mut String, text: &str) {
    for paragraph in text.split("\n\n").filter(|it| !it.trim().is_empty()) {
        let _ = writeln!(html, "<p>{}</p>", inline(paragraph));
    }
}

/// A line of text with its backticks and bold words.
fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for (at, part) in escape(text).split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
            continue;
        }
        for (at, part) in part.split("**").enumerate() {
            if at % 2 == 1 {
                let _ = write!(html, "<strong>{part}</strong>");
            } else {
                html.push_str(part);
            }
        }
    }
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A name as an anchor: `API keys` is `tag-api-keys`.
fn anchor(tag: &str) -> String {
    format!("tag-{}", tag.to_lowercase().replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_schema_is_on_the_page_and_every_link_leads_to_one() {
        let document = document();
        let html = render(&document);
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert_eq!(html.matches(&format!("<article id=\"{id}\">")).count(), 1, "{id}");
            }
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert_eq!(html.matches(&format!("id=\"schema-{name}\"")).count(), 1, "{name}");
        }
        for link in html.split("href=\"#").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(html.contains(&format!("id=\"{target}\"")), "{target} leads nowhere");
        }
    }

    #[test]
    fn the_page_stays_at_home_and_runs_nothing() {
        let html = render(&document());
        for foreign in ["<script", " style=", "src=", "href=\"http", "href=\"//", "onclick"] {
            assert!(!html.contains(foreign), "{foreign}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn what_a_schema_says_cannot_become_markup() {
        assert_eq!(
            inline("a <b> `c<d>` **e**"),
            "a &lt;b&gt; <code>c&lt;d&gt;</code> <strong>e</strong>"
        );
    }

    #[test]
    fn examples_are_bodies_that_the_door_would_read() {
        let document = document();
        let body = |name: &str| {
            let pointer = serde_json::json!({"$ref": format!("#/components/schemas/{name}")});
            serde_json::to_vec(&schema::example(&document, &pointer, 0)).unwrap()
        };
        let endpoint: hookyard_api::endpoints::NewEndpoint =
            crate::body::json(&body("NewEndpoint")).unwrap();
        assert_eq!(endpoint.url, "https://example.com/hooks");
        let bytes = body("NewEvent");
        let event: hookyard_api::events::NewEvent<'_> = crate::body::json(&bytes).unwrap();
        assert_eq!(event.event_type.0, "order.created");
        crate::body::json::<hookyard_api::tenants::NewTenant>(&body("NewTenant")).unwrap();
        crate::body::json::<hookyard_api::keys::NewApiKey>(&body("NewApiKey")).unwrap();
        crate::body::json::<hookyard_api::signatures::Verify>(&body("VerifySignature")).unwrap();
    }
}
