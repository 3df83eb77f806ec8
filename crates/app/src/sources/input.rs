//! What callers write about a source, and the checks of it.

use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::source::{SourceSettings, SourceStatus};
use hookyard_domain::subscription::Pattern;
use hookyard_rules::inbound::presets;

use super::{CUSTOM, NewSource, SourcePatch};
use crate::checks::Checks;
use crate::endpoints::input::{description, metadata, scope};

impl NewSource {
    /// The settings. All that is wrong is told at once.
    pub(super) fn check(
        self,
        checks: &mut Checks,
        profile: Profile,
        surface: Option<Profile>,
    ) -> SourceSettings {
        SourceSettings {
            name: name(checks, self.name),
            provider: match self.provider {
                None => CUSTOM.to_owned(),
                Some(text) => provider(checks, surface, text),
            },
            profile,
            scope: scope(checks, self.scope.as_deref()),
            public_url: public_url(checks, self.public_url),
            events: events(checks, &self.events.unwrap_or_default()),
            description: description(checks, self.description),
            metadata: metadata(checks, self.metadata),
        }
    }
}

impl SourcePatch {
    /// The settings after the change.
    pub(super) fn check(
        self,
        checks: &mut Checks,
        surface: Option<Profile>,
        mut settings: SourceSettings,
    ) -> SourceSettings {
        if let Some(text) = self.name {
            settings.name = name(checks, text);
        }
        if let Some(text) = self.provider {
            settings.provider = match text {
                None => CUSTOM.to_owned(),
                // A label that came through a vendor's surface may be sent back as it was shown.
                Some(text) if text == settings.provider => text,
                Some(text) => provider(checks, surface, text),
            };
        }
        if let Some(text) = self.scope {
            settings.scope = scope(checks, text.as_deref());
        }
        if let Some(text) = self.public_url {
            settings.public_url = public_url(checks, text);
        }
        if let Some(list) = self.events {
            settings.events = events(checks, &list.unwrap_or_default());
        }
        if let Some(text) = self.description {
            settings.description = description(checks, text);
        }
        if let Some(text) = self.metadata {
            settings.metadata = metadata(checks, text);
        }
        settings
    }
}

/// A state by its name.
pub(super) fn status(checks: &mut Checks, text: Option<&str>) -> Option<SourceStatus> {
    checks.one_of("/status", text, &SourceStatus::ALL, SourceStatus::as_str)
}

/// The text a provider is given for its handshake.
pub(super) fn verify_token(checks: &mut Checks, text: Option<String>) -> Option<String> {
    checks.text("/verify_token", text, limit::SECRET_CHARS_MAX)
}

fn name(checks: &mut Checks, text: String) -> String {
    if text.is_empty() {
        checks.required("/name");
        return text;
    }
    checks.text("/name", Some(text), limit::NAME_CHARS_MAX).unwrap_or_default()
}

/// A preset's name, in whatever case; through a vendor's surface any label, which stands for a sender of the user's own.
fn provider(checks: &mut Checks, surface: Option<Profile>, text: String) -> String {
    if let Some(known) = presets::ALL.iter().find(|it| it.name.eq_ignore_ascii_case(&text)) {
        return known.name.to_owned();
    }
    if surface.is_none() {
        let names: Vec<_> = presets::ALL.iter().map(|it| format!("`{}`", it.name)).collect();
        let names = names.join(", ");
        let message = format!("use one of {names}; `GET /v1/providers` tells more of each");
        checks.wrong("/provider", "unknown_provider", message);
        return text;
    }
    checks.text("/provider", Some(text), limit::PROVIDER_CHARS_MAX).unwrap_or_default()
}

fn events(checks: &mut Checks, list: &[String]) -> Vec<Pattern> {
    if list.len() > limit::PATTERNS_MAX {
        let most = limit::PATTERNS_MAX;
        checks.wrong("/events", "too_many", format!("use {most} entries at most"));
        return Vec::new();
    }
    let read = list.iter().enumerate();
    let read = read.filter_map(|(at, text)| {
        checks.parse(&format!("/events/{at}"), "bad_event_type", Some(text))
    });
    Checks::distinct(read.collect())
}

/// Kept as it was written, since it is signed letter by letter. It is never called.
fn public_url(checks: &mut Checks, text: Option<String>) -> Option<String> {
    let text = text?;
    let rest = ["https://", "http://"].iter().find_map(|it| text.strip_prefix(it));
    let host = rest.and_then(|it| it.split(['/', '?', ':']).next()).unwrap_or_default();
    let is_plain = text.bytes().all(|it| it.is_ascii_graphic() && !b"#\\\"<>".contains(&it));
    if text.chars().count() > limit::URL_CHARS_MAX {
        let most = limit::URL_CHARS_MAX;
        checks.wrong("/public_url", "too_long", format!("use {most} characters at most"));
    } else if host.is_empty() || !is_plain || host.contains('@') {
        let message = "use the absolute `https://` URL that the provider was told";
        checks.wrong("/public_url", "bad_url", message);
    }
    Some(text)
}
