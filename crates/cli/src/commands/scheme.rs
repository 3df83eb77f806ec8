//! What `sign` and `verify` share: a scheme by its name, and the request it belongs to.

use hookyard_domain::profile::Profile;
use hookyard_domain::scheme::Scheme;
use hookyard_rules::inbound::{Preset, presets};
use hookyard_rules::signing;

use crate::exit::Exit;

/// What a scheme's name stands for. A profile's comes first: `standard` is both, and the same.
pub enum Named {
    /// One the gateway signs with.
    Profile(Scheme),
    /// One a provider signs with.
    Provider(&'static Preset),
}

impl Named {
    /// Finds it.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        let profile = signing::scheme_named(name).map(Self::Profile);
        profile.or_else(|| presets::named(name).map(Self::Provider)).ok_or_else(|| {
            let profiles = Profile::ALL.iter().map(ToString::to_string);
            let providers = presets::ALL.iter().map(|it| it.name.to_owned());
            let mut names: Vec<_> = profiles.chain(providers).collect();
            names.sort();
            names.dedup();
            let message = format!("there is no scheme `{name}`; there are {}", names.join(", "));
            Exit::Usage.because(message)
        })
    }
}

/// The request's first line, which some providers sign.
#[derive(clap::Args)]
pub struct Line {
    /// The URL the request goes to, which some providers sign
    #[arg(long, default_value = "", hide_default_value = true)]
    pub url: String,
    /// The request's method, which some providers sign
    #[arg(long, default_value = "POST", value_parser = method)]
    pub method: String,
}

fn method(text: &str) -> Result<String, String> {
    let good = !text.is_empty() && text.bytes().all(|it| it.is_ascii_uppercase());
    if good {
        Ok(text.to_owned())
    } else {
        Err("use a method in capitals, as in `POST`".to_owned())
    }
}
