//! The providers whose requests a source can receive: what they are called, and what their user does.

use hookyard_rules::inbound::{Preset, presets};

use crate::{App, Caller};

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where it describes its signatures.
    pub docs_url: &'static str,
    /// What to paste where, step by step; `{url}` and `{secret}` stand for the source's.
    pub setup: &'static [&'static str],
    /// Where the secret comes from: `gateway`, `provider` or `handshake`.
    pub secret_from: &'static str,
    /// It signs the public URL too.
    pub signs_url: bool,
    /// It begins with a handshake.
    pub handshake: bool,
}

impl From<&Preset> for Provider {
    fn from(it: &Preset) -> Self {
        Self {
            name: it.name,
            title: it.title,
            docs_url: it.docs,
            setup: it.setup,
            secret_from: it.secret_from.as_str(),
            signs_url: it.recipe.signs_url(),
            handshake: it.challenge.is_some(),
        }
    }
}

impl App {
    /// Every provider, the general ones first, then by name.
    #[must_use]
    pub fn providers(&self, _caller: &Caller) -> Vec<Provider> {
        presets::ALL.iter().map(Provider::from).collect()
    }
}
