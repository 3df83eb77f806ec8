//! The body of a request, of the flags that were given.

use anyhow::Context as _;
use hookyard_api::client::{Form, Requested};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::exit::Exit;

/// Fields of a JSON object, those that were given.
#[derive(Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The same with a field, if it was given.
    pub fn set(mut self, name: &str, value: Option<impl Serialize>) -> anyhow::Result<Self> {
        if let Some(value) = value {
            let text = to_raw_value(&value).with_context(|| format!("writing `{name}`"))?;
            self.0.push((name.to_owned(), text));
        }
        Ok(self)
    }

    /// The same with fields that are set back: `null`. Flags are spelled with `-` where the API has `_`.
    pub fn clear(mut self, names: &[String]) -> anyhow::Result<Self> {
        for name in names {
            let name = name.replace('-', "_");
            if self.0.iter().any(|(it, _)| *it == name) {
                let message = format!("`{name}` cannot be set and cleared at once");
                return Err(Exit::Usage.because(message));
            }
            self.0.push((name, RawValue::NULL.to_owned()));
        }
        Ok(self)
    }

    /// A request for a change; one that changes nothing is a mistake.
    pub fn change<T: Requested>(self) -> anyhow::Result<Form<T>> {
        if self.0.is_empty() {
            return Err(Exit::Usage.because("nothing to change: give at least one option"));
        }
        self.form()
    }

    /// The request.
    pub fn form<T: Requested>(self) -> anyhow::Result<Form<T>> {
        let mut text = String::from("{");
        for (at, (name, value)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            text.push_str(&format!("{comma}{}:{}", serde_json::Value::from(&**name), value.get()));
        }
        text.push('}');
        Form::new(text).map_err(|error| Exit::Usage.because(told(&error)))
    }
}

/// What serde says, without the place in a text that nobody typed.
fn told(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use hookyard_api::endpoints::EndpointPatch;

    use super::*;

    fn patch(fields: Fields) -> Result<(), String> {
        fields.change::<EndpointPatch>().map(drop).map_err(|it| it.to_string())
    }

    #[test]
    fn a_change_needs_a_known_field() {
        assert!(patch(Fields::default()).unwrap_err().contains("nothing to change"));
        let none = Fields::default().set("name", None::<String>).unwrap();
        assert!(patch(none).unwrap_err().contains("nothing to change"));
        let cleared = |name: &str| Fields::default().clear(&[name.to_owned()]).unwrap();
        assert_eq!(patch(cleared("timeout-s")), Ok(()));
        let unknown = patch(cleared("colour")).unwrap_err();
        assert!(unknown.contains("unknown field `colour`"), "{unknown}");
        let named = Fields::default().set("name", Some("a")).unwrap();
        assert!(named.clear(&["name".to_owned()]).is_err());
    }
}
