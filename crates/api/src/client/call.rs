//! One operation of the API as data, the form of its body, and what came back.

use std::marker::PhantomData;

use bytes::Bytes;
use http::Method;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::ClientError;
use crate::paths::escaped;
use crate::{endpoints, event_types, events, jobs, keys, sources, tenants};

/// Characters of an answer that are told when it cannot be read.
const TOLD_CHARS_MAX: usize = 120;

// No `Debug` here and below: bodies and answers can hold secrets.
/// One operation, answered with a `T`.
pub struct Call<T> {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    answer: PhantomData<fn() -> T>,
}

/// The answer is a file: its bytes are for whoever asked, and are not read here.
#[derive(Clone, Copy, Debug)]
pub enum File {}

/// The answer is a message of another protocol: it is handed over as it is, a refusal in that protocol too.
#[derive(Clone, Copy, Debug)]
pub enum Relayed {}

/// Something the API can be asked for, in the form of its request type.
pub trait Requested {
    /// Whether the text is one.
    ///
    /// # Errors
    /// It is not, with the reason.
    fn check(text: &str) -> Result<(), serde_json::Error>;
}

macro_rules! requested {
    ($($form:ty,)+) => {
        $(impl Requested for $form {
            fn check(text: &str) -> Result<(), serde_json::Error> {
                serde_json::from_str::<$form>(text).map(drop)
            }
        })+
    };
}

requested! {
    tenants::NewTenant,
    tenants::TenantPatch,
    keys::NewApiKey,
    endpoints::NewEndpoint,
    endpoints::EndpointPatch,
    endpoints::RotateSecret,
    endpoints::TestEndpoint,
    jobs::RecoverEndpoint,
    sources::NewSource,
    sources::SourcePatch,
    sources::RotateSourceSecret,
    events::NewEvent<'_>,
    events::Replay,
    event_types::ImportCatalogue,
}

/// A JSON text that has the form of `T`: what is left out, `null`, and each number stay as they were written.
pub struct Form<T> {
    text: String,
    of: PhantomData<fn() -> T>,
}

impl<T: Requested> Form<T> {
    /// Takes the text if it has the form.
    ///
    /// # Errors
    /// It has not, with the reason.
    pub fn new(text: String) -> Result<Self, serde_json::Error> {
        T::check(&text).map(|()| Self { text, of: PhantomData })
    }
}

/// An answer, or a row of one: read, and its exact text.
pub struct Kept<T> {
    /// What it says.
    pub value: T,
    /// As it was written.
    pub text: Box<RawValue>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(from)?;
        let value = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { value, text })
    }
}

impl<T: DeserializeOwned> Kept<T> {
    /// Reads a body; none at all is `null`.
    pub(super) fn read(body: &Bytes) -> Result<Self, ClientError> {
        let body: &[u8] = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice(body).map_err(|error| {
            // serde repeats the words it trips over.
            let told: String = error.to_string().chars().take(TOLD_CHARS_MAX).collect();
            ClientError::Strange(told)
        })
    }
}

impl<T> Call<T> {
    /// Asks for something.
    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    /// Has something done that needs no more words.
    pub(super) fn post(path: String) -> Self {
        Self::new(Method::POST, path)
    }

    /// Takes something away.
    pub(super) fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Changes something.
    pub(super) fn patch(path: String) -> Self {
        Self::new(Method::PATCH, path)
    }

    fn new(method: Method, path: String) -> Self {
        Self { method, path, query: vec![], headers: vec![], body: None, answer: PhantomData }
    }

    /// The same with a body.
    pub(super) fn with<F>(self, form: Form<F>) -> Self {
        Self { body: Some(form.text), ..self }
    }

    /// The same with a body of any JSON.
    pub(super) fn with_json(self, json: &RawValue) -> Self {
        Self { body: Some(json.get().to_owned()), ..self }
    }

    /// The same with a parameter, if there is a value; in place of the one it had.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.query.retain(|(it, _)| *it != name);
            self.query.push((name, value.to_string()));
        }
        self
    }

    /// The same with a header, if there is a value.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        self.headers.extend(value.map(|it| (name, it.into())));
        self
    }

    pub(super) fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Path and query as they stand in the request's first line.
    pub(super) fn target(&self) -> String {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.push_str(&escaped(value));
        }
        target
    }

    /// Sending it twice does no more than sending it once.
    pub(super) fn may_be_repeated(&self, has_idempotency_key: bool) -> bool {
        self.method == Method::GET || (self.method == Method::POST && has_idempotency_key)
    }

    /// It is a POST: with an idempotency key it is done once.
    #[must_use]
    pub fn takes_idempotency_key(&self) -> bool {
        self.method == Method::POST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::{EndpointPatch, NewEndpoint};
    use crate::page::Page;

    #[test]
    fn a_parameter_is_set_once_and_only_with_a_value() {
        let call = Call::<()>::get("/v1/x".into());
        let call = call.query("limit", Some(1)).query("q", Some("a&b")).query("type", None::<&str>);
        assert_eq!(call.query("limit", Some(2)).target(), "/v1/x?q=a%26b&limit=2");
    }

    #[test]
    fn a_form_keeps_null_and_refuses_what_the_server_would_not_know() {
        let patch = |text: &str| Form::<EndpointPatch>::new(text.to_owned());
        assert_eq!(patch(r#"{"retry":null}"#).ok().unwrap().text, r#"{"retry":null}"#);
        assert!(patch(r#"{"retri":null}"#).is_err_and(|it| it.to_string().contains("retri")));
        assert!(Form::<NewEndpoint>::new(r#"{"timeout_s":"5"}"#.to_owned()).is_err());
    }

    #[test]
    fn a_row_is_read_and_keeps_fields_that_are_not_known_here() {
        let body = Bytes::from_static(
            br#"{"data":[{"imported":1,"names":[],"x": 1.10}],"next_cursor":null}"#,
        );
        let page = Kept::<Page<Kept<event_types::Imported>>>::read(&body).ok().unwrap().value;
        assert_eq!(page.data[0].value.imported, 1);
        assert_eq!(page.data[0].text.get(), r#"{"imported":1,"names":[],"x": 1.10}"#);
        assert!(matches!(Kept::<()>::read(&Bytes::new()), Ok(it) if it.text.get() == "null"));
        assert!(matches!(Kept::<()>::read(&body), Err(ClientError::Strange(_))));
    }

    #[test]
    fn only_what_does_no_more_the_second_time_is_repeated() {
        let path = || "/v1".to_owned();
        assert!(Call::<()>::get(path()).may_be_repeated(false));
        assert!(Call::<()>::post(path()).may_be_repeated(true));
        assert!(!Call::<()>::post(path()).may_be_repeated(false));
        assert!(!Call::<()>::patch(path()).may_be_repeated(true));
        assert!(!Call::<()>::delete(path()).may_be_repeated(true));
    }
}
