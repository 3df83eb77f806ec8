//! The sender's side: the headers a provider would send with a body. For tests, samples and the signature checker.

use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;

use super::key;
use super::recipe::{At, Crypt, Format, Part, Place, Proof, Recipe, Signature, StampAt, Unit};
use super::verify::pieces;
use super::view::View;
use super::{Received, twilio};

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The id that is signed along, where the provider signs one.
    pub id: &'a str,
    /// When it is signed.
    pub now: Timestamp,
    /// The method, in capitals.
    pub method: &'a str,
    /// The whole URL; empty when not known.
    pub url: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Why it cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A secret without a character.
    #[error("a secret is needed")]
    EmptySecret,
    /// The secret is not of the provider's form.
    #[error("{0}")]
    BadSecret(&'static str),
    /// The provider signs something that is not given.
    #[error("the {0} is needed: this provider signs it")]
    Missing(String),
    /// The provider puts the proof into the body, so no header can carry it.
    #[error("this provider puts its proof into the body, no header carries it")]
    InBody,
}

/// The headers that prove a body, as the provider of the recipe sends them.
///
/// # Errors
/// The secret is unusable, or the provider does not sign with headers.
pub fn sign(recipe: &Recipe, secret: &str, outgoing: &Outgoing<'_>) -> Result<Headers, SignError> {
    if secret.is_empty() {
        return Err(SignError::EmptySecret);
    }
    match chosen(recipe, secret).ok_or(SignError::InBody)? {
        Proof::Signature(signature) => with_signature(signature, secret, outgoing),
        Proof::Token(Place::Header(name)) => {
            let secret = key::shared(secret).map_err(SignError::BadSecret)?;
            Ok(Headers(vec![((*name).into(), secret.into())]))
        }
        Proof::Twilio => with_twilio(secret, outgoing),
        Proof::Token(_) | Proof::Adyen => Err(SignError::InBody),
    }
}

/// The proof that goes by headers and is meant for a secret of this form.
fn chosen<'a>(recipe: &'a Recipe, secret: &str) -> Option<&'a Proof> {
    let by_headers = |it: &&Proof| match it {
        Proof::Signature(it) => matches!(it.at, At::Header(_) | At::Numbered(_)),
        Proof::Token(place) => matches!(place, Place::Header(_)),
        Proof::Twilio => true,
        Proof::Adyen => false,
    };
    let is_standard = |it: &&Proof| match it {
        Proof::Signature(it) => it.crypt == Crypt::Standard,
        Proof::Token(_) | Proof::Twilio | Proof::Adyen => false,
    };
    let wants_standard = secret.starts_with("whsec_") || secret.starts_with("whsk_");
    let mut all = recipe.proofs.iter().filter(by_headers);
    let fits = all.clone().find(|it| is_standard(it) == wants_standard);
    fits.or_else(|| all.next())
}

fn with_signature(
    signature: &Signature,
    secret: &str,
    outgoing: &Outgoing<'_>,
) -> Result<Headers, SignError> {
    let mut headers = Headers::default();
    for part in signature.message {
        if let Part::Field(Place::Header(name)) = part {
            headers.0.push(((*name).into(), outgoing.id.into()));
        }
    }
    let time = signature.stamp.map(|it| written(outgoing.now, it.unit)).unwrap_or_default();
    if let Some(StampAt::Field(Place::Header(name))) = signature.stamp.map(|it| it.at) {
        headers.0.push((name.into(), time.clone()));
    }
    let received = received(outgoing, &headers);
    let view = View::new(&received);
    let pieces = pieces(signature.message, &view, Some(&time)).map_err(SignError::Missing)?;
    let bytes = key::sign(signature.crypt, secret, &pieces).map_err(SignError::BadSecret)?;
    let text = key::encode(signature.encoding, &bytes);
    let value = match signature.format {
        Format::Bare | Format::PrefixAllowed(_) => text,
        Format::Prefixed(prefix) => format!("{prefix}{text}"),
        Format::Entries => format!("{},{text}", key::version(secret)),
        Format::Pairs { separator, name } => match signature.stamp.map(|it| it.at) {
            Some(StampAt::Beside(beside)) => format!("{beside}={time}{separator}{name}={text}"),
            Some(StampAt::Field(_)) | None => format!("{name}={text}"),
        },
    };
    let name = match signature.at {
        At::Header(name) => name.to_owned(),
        At::Numbered(prefix) => format!("{prefix}1"),
        At::Field(_) => return Err(SignError::InBody),
    };
    headers.0.push((name, value));
    Ok(headers)
}

fn with_twilio(secret: &str, outgoing: &Outgoing<'_>) -> Result<Headers, SignError> {
    if outgoing.url.is_empty() {
        return Err(SignError::Missing("public URL".into()));
    }
    let none = Headers::default();
    let received = received(outgoing, &none);
    let value = twilio::sign(&View::new(&received), secret).map_err(SignError::BadSecret)?;
    Ok(Headers(vec![(twilio::SIGNATURE.into(), value)]))
}

const fn received<'a>(outgoing: &Outgoing<'a>, headers: &'a Headers) -> Received<'a> {
    Received { method: outgoing.method, url: outgoing.url, headers, body: outgoing.body }
}

fn written(at: Timestamp, unit: Unit) -> String {
    match unit {
        Unit::Seconds => at.as_secs().to_string(),
        Unit::Millis => at.as_millis().to_string(),
        Unit::Iso => at.to_string(),
    }
}
