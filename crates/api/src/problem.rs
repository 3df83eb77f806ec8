//! What goes wrong, as `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use hookyard_domain::invalid::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not done (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; `about:blank`: the status says it all, `code` the rest.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: Cow<'static, str>,
    /// The status in words.
    #[schema(example = "Unprocessable Content")]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// For people: what is wrong and what to do.
    #[schema(example = "One field is wrong.")]
    pub detail: Cow<'static, str>,
    /// For programs: stable, says exactly what is wrong.
    #[schema(example = "invalid")]
    pub code: Cow<'static, str>,
    /// The wrong fields, when it is about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or the name of a query parameter or header.
    #[schema(example = "/events/0")]
    pub pointer: String,
    /// For programs: what is wrong with it.
    #[schema(example = "bad_event_type")]
    pub code: Cow<'static, str>,
    /// For people: what is wrong and what to do.
    pub message: String,
}

impl From<Invalid> for FieldError {
    fn from(it: Invalid) -> Self {
        Self { pointer: it.pointer, code: Cow::Borrowed(it.code), message: it.message }
    }
}

impl Problem {
    /// A problem without fields.
    #[must_use]
    pub fn new(
        status: u16,
        title: &'static str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(title),
            status,
            detail: detail.into(),
            code: Cow::Borrowed(code),
            errors: Vec::new(),
        }
    }

    /// The same with its wrong fields.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_standard_and_ours() {
        let field = Invalid::new("/url", "private_address", "use a public address").into();
        let problem = Problem::new(422, "Unprocessable Content", "invalid", "One field is wrong.")
            .with_errors(vec![field]);
        let want = serde_json::json!({
            "type": "about:blank", "title": "Unprocessable Content", "status": 422,
            "detail": "One field is wrong.", "code": "invalid",
            "errors": [{"pointer": "/url", "code": "private_address", "message": "use a public address"}],
        });
        assert_eq!(serde_json::to_value(&problem).unwrap(), want);
        let bare = serde_json::to_value(Problem::new(404, "Not Found", "not_found", "x")).unwrap();
        assert_eq!(bare.get("errors"), None);
    }
}
