//! Twilio: HMAC over the public URL and the form's fields in order; a body that is no form is covered by its hash, which
//! stands in the URL (standards.md §3.1, rows 8 and 8b).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use url::Url;

use super::key::{self, Key};
use super::recipe::{Crypt, Digest, Encoding, KeyForm};
use super::token::same;
use super::verify::Proven;
use super::view::View;
use super::{Rejection, Trust};

pub(super) const SIGNATURE: &str = "X-Twilio-Signature";
const SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";
const BODY_HASH: &str = "bodySHA256";

pub(super) fn check(view: &View<'_>, trust: &Trust<'_>) -> Result<Proven, Rejection> {
    let header = || format!("header `{SIGNATURE}`");
    let url = view.received.url;
    if url.is_empty() {
        return Err(Rejection::MissingPart("public URL".into()));
    }
    let digest = digest_of(view)?;
    let signature = view.header(SIGNATURE).and_then(|it| key::decode(Encoding::Base64, it));
    let long = match digest {
        Digest::Sha1 => 20,
        Digest::Sha256 => 32,
    };
    let signature =
        signature.filter(|it| it.len() == long).ok_or_else(|| Rejection::MalformedSignature {
            place: header(),
            why: format!("it is not base64 of {long} bytes"),
        })?;
    let hash = view.query(BODY_HASH);
    if hash.is_none() && view.form().is_empty() && !view.received.body.is_empty() {
        // The signature would cover the URL alone.
        return Err(Rejection::MissingPart(format!("query parameter `{BODY_HASH}`")));
    }
    // With a hash in the URL the body is no form, whatever its unsigned content type says.
    let form = if hash.is_some() { String::new() } else { sorted(view) };
    let fits = |secret: &&str| {
        let key = Key::from_secret(Crypt::Hmac(digest, KeyForm::Text), secret);
        let fits = |key: &Key, url: &String| {
            key.fits(&message(url, &form), std::slice::from_ref(&signature))
        };
        key.is_ok_and(|key| urls(url).iter().any(|it| fits(&key, it)))
    };
    let secret = trust.secrets.iter().position(fits).ok_or(Rejection::WrongSignature)?;
    match hash {
        Some(hash) if !is_hash_of(&hash, view.received.body) => Err(Rejection::WrongBodyHash),
        Some(_) | None => Ok(Proven::by(secret)),
    }
}

/// The signature over a URL and a form, as Twilio sends it, or what the secret lacks.
pub(super) fn sign(view: &View<'_>, secret: &str) -> Result<String, &'static str> {
    let hashed = view.query(BODY_HASH).is_some();
    let form = if hashed { String::new() } else { sorted(view) };
    let bytes = key::hmac_of(Digest::Sha1, secret, &message(view.received.url, &form))?;
    Ok(key::encode(Encoding::Base64, &bytes))
}

fn message<'a>(url: &'a str, form: &'a str) -> [Cow<'a, [u8]>; 2] {
    [Cow::Borrowed(url.as_bytes()), Cow::Borrowed(form.as_bytes())]
}

/// SHA-1, unless the settings name another; one that is not known is never taken for it. Settings that name none, and names
/// in small letters, are read as Twilio's own library reads them.
fn digest_of(view: &View<'_>) -> Result<Digest, Rejection> {
    let settings = view.header(SETTINGS).unwrap_or_default();
    let all = settings.split(',').filter_map(|it| it.split_once('='));
    let mut all = all.map(|(name, value)| (name.trim(), value.trim()));
    match all.find(|(name, value)| *name == "algorithm" && !value.is_empty()) {
        None => Ok(Digest::Sha1),
        Some((_, name)) if name.eq_ignore_ascii_case("HMAC_SHA1") => Ok(Digest::Sha1),
        Some((_, name)) if name.eq_ignore_ascii_case("HMAC_SHA256") => Ok(Digest::Sha256),
        Some(_) => Err(Rejection::UnknownAlgorithm(format!("header `{SETTINGS}`"))),
    }
}

/// Each field's name and value, sorted, without repetitions.
fn sorted(view: &View<'_>) -> String {
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in view.form() {
        fields.entry(name).or_default().insert(value);
    }
    let pairs = fields.iter().flat_map(|(name, values)| values.iter().map(move |it| [*name, *it]));
    pairs.flatten().collect()
}

/// The URL with and without its port: Twilio signs one or the other.
fn urls(text: &str) -> Vec<String> {
    let mut urls = vec![text.to_owned()];
    let Ok(url) = Url::parse(text) else { return urls };
    let Some((scheme, rest)) = text.split_once("://") else { return urls };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let at = authority.rfind('@').map_or(0, |it| it + 1);
    let host_end = authority[at..].rfind(':').map(|it| at + it);
    let host_end = host_end.filter(|it| authority[it + 1..].bytes().all(|it| it.is_ascii_digit()));
    match (host_end, url.port_or_known_default()) {
        (Some(end), _) => urls.push(format!("{scheme}://{}{path}", &authority[..end])),
        (None, Some(port)) => urls.push(format!("{scheme}://{authority}:{port}{path}")),
        (None, None) => {}
    }
    urls
}

fn is_hash_of(hash: &str, body: &[u8]) -> bool {
    let right = digest::digest(&digest::SHA256, body);
    key::decode(Encoding::Hex, hash).is_some_and(|it| same(&it, right.as_ref()))
}
