//! Handshakes: what a provider asks before it sends events, and the reply it waits for.
//!
//! Only a source of that provider answers its handshake; anything else would make the gateway a mirror for strangers. A
//! handshake whose signature is there and wrong is never answered. One without a signature is answered only where the
//! reply gives nothing away: what is echoed is the caller's own text, as plain text. Zoom's reply is an HMAC by the
//! source's secret, so the text it is made of must not be able to stand for a request (it would be signed by us).

use std::borrow::Cow;

use hookyard_domain::limit;
use hookyard_domain::secret::Secret;

use super::key;
use super::presets::Preset;
use super::recipe::{Digest, Encoding, Place};
use super::token::same;
use super::view::View;
use super::{Received, Rejection, Trust, verify};

/// Which handshake a provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// `url_verification`: echo `challenge`.
    Slack,
    /// `endpoint.url_validation`: answer `plainToken` with its HMAC.
    Zoom,
    /// `GET ?hub.challenge=`: echo it when `hub.verify_token` is ours.
    Meta,
    /// `POST ?validationToken=`: echo it.
    Graph,
    /// `GET ?challenge=`: echo it.
    Dropbox,
    /// `X-Hook-Secret`: echo the header and keep the secret.
    Asana,
    /// `webhook_callback_verification`: echo `challenge`.
    Twitch,
    /// `verification_token`: keep it, and show it to whoever pastes it back.
    Notion,
    /// PING: answer PONG, or nothing.
    Discord,
    /// `HEAD`: answer 200.
    Head,
    /// An unsigned form with nothing but `webhook_id`: answer 200.
    WooCommerce,
}

/// What comes of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// What is answered. Nothing is recorded.
    pub reply: Reply,
    /// The secret that the provider handed over, to be kept as the source's and shown where somebody has to paste it
    /// back. Comes only while the source has none.
    pub learned: Option<Secret>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// Bytes of a handshake's body at most. Whoever asks has proved nothing yet, and parsed JSON takes many times its bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a text that is echoed at most.
const ECHO_BYTES_MAX: usize = 4096;
/// Bytes of a text that is answered with its HMAC at most.
const PLAIN_TOKEN_BYTES_MAX: usize = 128;

type Found = Option<Result<Handshake, Rejection>>;

/// The reply to a handshake; `None` when the request is none, so that it has to be verified as an event.
/// `verify_token` is the text the user gave the provider for this (Meta).
///
/// Inside stands a rejection where it is a handshake, but must not be answered.
#[must_use]
pub fn answer(
    preset: &Preset,
    received: &Received<'_>,
    trust: &Trust<'_>,
    verify_token: Option<&str>,
) -> Found {
    if received.body.len() > BODY_BYTES_MAX {
        return None;
    }
    let view = View::new(received);
    let is = |method: &str| received.method.eq_ignore_ascii_case(method);
    let unless_forged = || match verify(&preset.recipe, received, trust) {
        Ok(_) | Err(Rejection::MissingSignature(_) | Rejection::NoSecret) => Ok(()),
        Err(rejection) => Err(rejection),
    };
    match preset.challenge? {
        Challenge::Slack if is("POST") => slack(&view, unless_forged),
        Challenge::Zoom if is("POST") => zoom(&view, trust, unless_forged),
        Challenge::Meta if is("GET") => meta(&view, verify_token),
        Challenge::Graph if is("POST") => Some(echo(view.query("validationToken")?)),
        Challenge::Dropbox if is("GET") => Some(echo(view.query("challenge")?)),
        Challenge::Asana if is("POST") => asana(&view, trust),
        Challenge::Twitch if is("POST") => twitch(&view, unless_forged),
        Challenge::Notion if is("POST") => notion(&view, trust),
        Challenge::Discord if is("POST") => {
            discord(&view, || verify(&preset.recipe, received, trust).map(|_| ()))
        }
        Challenge::Head if is("HEAD") => Some(Ok(plain(String::new()))),
        Challenge::WooCommerce if is("POST") => woocommerce(&view),
        Challenge::Slack
        | Challenge::Zoom
        | Challenge::Meta
        | Challenge::Graph
        | Challenge::Dropbox
        | Challenge::Asana
        | Challenge::Twitch
        | Challenge::Notion
        | Challenge::Discord
        | Challenge::Head
        | Challenge::WooCommerce => None,
    }
}

/// A reply of plain text that no browser takes for anything else.
fn plain(body: String) -> Handshake {
    let headers = vec![
        ("content-type", "text/plain; charset=utf-8".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    Handshake { reply: Reply { status: 200, headers, body }, learned: None }
}

fn json(body: String) -> Handshake {
    let headers = vec![("content-type", "application/json".to_owned())];
    Handshake { reply: Reply { status: 200, headers, body }, learned: None }
}

fn echo(text: String) -> Result<Handshake, Rejection> {
    if text.len() > ECHO_BYTES_MAX {
        return Err(Rejection::BadHandshake("the text to echo is too long"));
    }
    Ok(plain(text))
}

/// A text of the body, when the body says with `kind` that it is the handshake.
fn asked<'a>(view: &'a View<'_>, kind: (&str, &str), pointer: &str) -> Option<Cow<'a, str>> {
    let (place, value) = kind;
    (view.json(place)?.as_str()? == value)
        .then(|| view.json(pointer)?.as_str().map(Cow::Borrowed))?
}

fn slack(view: &View<'_>, unless_forged: impl FnOnce() -> Result<(), Rejection>) -> Found {
    let challenge = asked(view, ("/type", "url_verification"), "/challenge")?;
    Some(unless_forged().and_then(|()| echo(challenge.into_owned())))
}

fn twitch(view: &View<'_>, unless_forged: impl FnOnce() -> Result<(), Rejection>) -> Found {
    let kind = view.header("Twitch-Eventsub-Message-Type")?;
    if kind != "webhook_callback_verification" {
        return None;
    }
    let challenge = view.text(Place::Json("/challenge"))?.into_owned();
    Some(unless_forged().and_then(|()| echo(challenge)))
}

fn zoom(
    view: &View<'_>,
    trust: &Trust<'_>,
    unless_forged: impl FnOnce() -> Result<(), Rejection>,
) -> Found {
    let token = asked(view, ("/event", "endpoint.url_validation"), "/payload/plainToken")?;
    let reply = || {
        unless_forged()?;
        // Without a colon it cannot be `v0:time:body`, which is what Zoom signs its requests over.
        let harmless = |it: u8| it.is_ascii_alphanumeric() || b"_-+/=".contains(&it);
        if token.is_empty() || token.len() > PLAIN_TOKEN_BYTES_MAX || !token.bytes().all(harmless) {
            return Err(Rejection::BadHandshake("`plainToken` is no token"));
        }
        let secret = trust.secrets.first().ok_or(Rejection::NoSecret)?;
        if secret.is_empty() {
            return Err(Rejection::EmptySecret);
        }
        let bytes = key::hmac_of(Digest::Sha256, secret, &[Cow::Borrowed(token.as_bytes())]);
        let encrypted = key::encode(Encoding::Hex, &bytes.map_err(Rejection::BadSecret)?);
        Ok(json(format!(r#"{{"plainToken":"{token}","encryptedToken":"{encrypted}"}}"#)))
    };
    Some(reply())
}

fn meta(view: &View<'_>, verify_token: Option<&str>) -> Found {
    if view.query("hub.mode")? != "subscribe" {
        return None;
    }
    let challenge = view.query("hub.challenge")?;
    let given = view.query("hub.verify_token").unwrap_or_default();
    Some(match verify_token.filter(|it| !it.is_empty()) {
        None => Err(Rejection::BadHandshake("the source has no verify token")),
        Some(ours) if same(ours.as_bytes(), given.as_bytes()) => echo(challenge),
        Some(_) => Err(Rejection::WrongToken),
    })
}

/// A secret that comes by the handshake is taken only while there is none: who came later could replace it. It has to be
/// one that could have been given by hand.
fn learn(text: &str, trust: &Trust<'_>) -> Result<Option<Secret>, Rejection> {
    if text.chars().count() > limit::SECRET_CHARS_MAX {
        return Err(Rejection::BadHandshake("the secret handed over is too long"));
    }
    let text = key::shared(text).map_err(Rejection::BadSecret)?;
    if trust.secrets.is_empty() {
        return Ok(Some(Secret::new(text.to_owned())));
    }
    match trust.secrets.iter().any(|it| same(it.as_bytes(), text.as_bytes())) {
        true => Ok(None),
        false => Err(Rejection::BadHandshake("the source has a secret already")),
    }
}

fn asana(view: &View<'_>, trust: &Trust<'_>) -> Found {
    const HEADER: &str = "X-Hook-Secret";
    let text = view.header(HEADER)?;
    Some(learn(text, trust).map(|learned| {
        let mut handshake = plain(String::new());
        handshake.reply.headers.push((HEADER, text.to_owned()));
        Handshake { learned, ..handshake }
    }))
}

fn notion(view: &View<'_>, trust: &Trust<'_>) -> Found {
    let text = view.text(Place::Json("/verification_token"))?;
    // An event has a type; the handshake has nothing but the token.
    if view.json("/type").is_some() {
        return None;
    }
    Some(learn(&text, trust).map(|learned| Handshake { learned, ..plain(String::new()) }))
}

/// Discord sends pings with wrong signatures too, and turns a receiver off that answers one.
fn discord(view: &View<'_>, proven: impl FnOnce() -> Result<(), Rejection>) -> Found {
    let kind = view.json("/type")?.as_u64()?;
    let has_event = view.json("/event").is_some();
    let reply = match kind {
        0 => Handshake {
            reply: Reply { status: 204, headers: Vec::new(), body: String::new() },
            learned: None,
        },
        1 if !has_event => json(r#"{"type":1}"#.to_owned()),
        _ => return None,
    };
    Some(proven().map(|()| reply))
}

/// Sent when a hook is made, before it is signed.
fn woocommerce(view: &View<'_>) -> Found {
    if view.header("X-WC-Webhook-Signature").is_some() {
        return None;
    }
    let is_ping = |(name, value): &(String, String)| {
        name == "webhook_id" && !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit())
    };
    match view.form() {
        [field] if is_ping(field) => Some(Ok(plain(String::new()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
