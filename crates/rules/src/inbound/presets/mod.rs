//! The providers whose requests are understood, one file each: what they are called, what their user does, and the
//! recipe, with vectors beside it.
//!
//! A new one is a file and a line in [`ALL`]; API, command line, dashboard and documentation list it by themselves.

mod adyen;
mod asana;
mod bitbucket;
mod calendly;
mod custom;
mod discord;
mod docusign;
mod dropbox;
mod github;
mod gitlab;
mod hubspot;
mod intercom;
mod jira;
mod linear;
mod mailgun;
mod meta;
mod microsoft_graph;
mod notion;
mod paddle;
mod pagerduty;
mod sendgrid;
mod sentry;
mod shopify;
mod slack;
mod square;
mod standard;
mod stripe;
mod telegram;
mod trello;
mod twilio;
mod twitch;
mod typeform;
mod vercel;
mod webflow;
mod woocommerce;
mod zendesk;
mod zoom;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use super::challenge::Challenge;
use super::recipe::Recipe;

/// A provider.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in the API.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where the provider describes its signatures.
    pub docs: &'static str,
    /// What its user does, step by step. `{url}` stands for the source's receive URL, `{secret}` for its secret.
    pub setup: &'static [&'static str],
    /// Where the secret comes from.
    pub secret_from: SecretFrom,
    /// The handshake it begins with.
    pub challenge: Option<Challenge>,
    /// A text that the provider wants to read when an event was taken; `None` where any 200 will do.
    pub receipt: Option<&'static str>,
    /// How its requests are proven and read.
    pub recipe: Recipe,
}

/// Where a source's secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// The user chooses it, or the gateway makes one; it is pasted at the provider.
    Gateway,
    /// The provider shows it; it is pasted here.
    Provider,
    /// The provider sends it in its handshake; nobody pastes it here.
    Handshake,
}

impl SecretFrom {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Provider => "provider",
            Self::Handshake => "handshake",
        }
    }
}

/// Every provider: the general ones first, then by name.
pub const ALL: &[Preset] = &[
    custom::PRESET,
    standard::PRESET,
    adyen::PRESET,
    asana::PRESET,
    bitbucket::PRESET,
    calendly::PRESET,
    discord::PRESET,
    docusign::PRESET,
    dropbox::PRESET,
    github::PRESET,
    gitlab::PRESET,
    hubspot::PRESET,
    intercom::PRESET,
    jira::PRESET,
    linear::PRESET,
    mailgun::PRESET,
    meta::PRESET,
    microsoft_graph::PRESET,
    notion::PRESET,
    paddle::PRESET,
    pagerduty::PRESET,
    sendgrid::PRESET,
    sentry::PRESET,
    shopify::PRESET,
    slack::PRESET,
    square::PRESET,
    stripe::PRESET,
    telegram::PRESET,
    trello::PRESET,
    twilio::PRESET,
    twitch::PRESET,
    typeform::PRESET,
    vercel::PRESET,
    webflow::PRESET,
    woocommerce::PRESET,
    zendesk::PRESET,
    zoom::PRESET,
];

/// The provider of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Preset> {
    ALL.iter().find(|it| it.name == name)
}
