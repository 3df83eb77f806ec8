//! Standard Webhooks (standards.md §1): `v1` with HMAC-SHA256, `v1a` with Ed25519 where the secret is `whsk_`.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use hookyard_domain::time::Timestamp;
use zeroize::Zeroizing;

use super::base::{self, Layout, MacKey, Pieces};
use super::{BadSecret, Rotating, SignedHeaders};

pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";
pub(super) const LAYOUT: Layout = Layout::IdTimeBody;

/// Before the base64 of a symmetric key.
pub(super) const SYMMETRIC: &str = "whsec_";
/// Before the base64 of an Ed25519 secret key.
pub(super) const PRIVATE: &str = "whsk_";
/// Before the base64 of an Ed25519 public key.
pub(super) const PUBLIC: &str = "whpk_";

/// A key that signs. The two kinds may meet in one rotation.
pub(super) enum Key {
    Hmac { key: MacKey, bytes: usize },
    Ed25519(Box<Ed25519KeyPair>),
}

impl Key {
    /// `whsec_` and base64, bare base64, or `whsk_` and base64. Short symmetric keys are refused when a secret is set
    /// (see `check_secret`), not here: there are vectors with 18 bytes.
    pub(super) fn from_text(text: &str) -> Result<Self, BadSecret> {
        if text.starts_with(PUBLIC) {
            return Err(BadSecret::PublicKey);
        }
        if let Some(rest) = text.strip_prefix(PRIVATE) {
            return Ok(Self::Ed25519(Box::new(key_pair(&decoded(rest)?)?)));
        }
        let bytes = decoded(text.strip_prefix(SYMMETRIC).unwrap_or(text))?;
        if bytes.is_empty() {
            return Err(BadSecret::Missing);
        }
        Ok(Self::Hmac { key: base::key(&bytes), bytes: bytes.len() })
    }
}

fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, BadSecret> {
    let bad = if text.trim() == text { BadSecret::NotBase64 } else { BadSecret::Blanks };
    base::from_base64(text).map(Zeroizing::new).ok_or(bad)
}

fn key_pair(bytes: &[u8]) -> Result<Ed25519KeyPair, BadSecret> {
    match bytes.len() {
        32 => Ed25519KeyPair::from_seed_unchecked(bytes),
        64 => Ed25519KeyPair::from_seed_and_public_key(&bytes[..32], &bytes[32..]),
        other => return Err(BadSecret::SigningKeyLength(other)),
    }
    .map_err(|_| BadSecret::SigningKeyHalves)
}

pub(super) fn public_key(secret: &str) -> Option<String> {
    let pair = key_pair(&decoded(secret.strip_prefix(PRIVATE)?).ok()?).ok()?;
    let mut text = PUBLIC.to_owned();
    base::push_base64(&mut text, pair.public_key().as_ref());
    Some(text)
}

pub(super) fn sign(
    keys: &Rotating<Key>,
    id: &str,
    now: Timestamp,
    body: &[u8],
    headers: &mut SignedHeaders,
) {
    let seconds = now.as_secs().to_string();
    let pieces = LAYOUT.pieces(id, &seconds, body);
    let previous = keys.previous_at(now);
    let mut list = String::with_capacity(if previous.is_some() { 96 } else { 47 });
    push_entry(&mut list, &keys.current, &pieces);
    if let Some(previous) = previous {
        list.push(' ');
        push_entry(&mut list, previous, &pieces);
    }
    headers.push((ID, id.to_owned()));
    headers.push((TIMESTAMP, seconds));
    headers.push((SIGNATURE, list));
}

fn push_entry(list: &mut String, key: &Key, pieces: &Pieces<'_>) {
    match key {
        Key::Hmac { key, .. } => {
            list.push_str("v1,");
            base::push_base64(list, base::mac(key, pieces).as_ref());
        }
        Key::Ed25519(pair) => {
            list.push_str("v1a,");
            base::push_base64(list, pair.sign(&pieces.concat()).as_ref());
        }
    }
}

/// A key that verifies.
pub(super) enum VerifyKey {
    Hmac(MacKey),
    Ed25519(Vec<u8>),
}

impl VerifyKey {
    /// Any form [`Key::from_text`] takes, and `whpk_` with base64.
    pub(super) fn from_text(text: &str) -> Result<Self, BadSecret> {
        if let Some(rest) = text.strip_prefix(PUBLIC) {
            let bytes = decoded(rest)?;
            return match bytes.len() {
                32 => Ok(Self::Ed25519(bytes.to_vec())),
                other => Err(BadSecret::PublicKeyLength(other)),
            };
        }
        Ok(match Key::from_text(text)? {
            Key::Hmac { key, .. } => Self::Hmac(key),
            Key::Ed25519(pair) => Self::Ed25519(pair.public_key().as_ref().to_vec()),
        })
    }

    /// The version of the entries it can verify.
    pub(super) const fn version(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "v1",
            Self::Ed25519(_) => "v1a",
        }
    }

    /// Whether any of the signatures given is one over these bytes.
    pub(super) fn matches(&self, pieces: &Pieces<'_>, given: &[Vec<u8>]) -> bool {
        match self {
            Self::Hmac(key) => {
                let mac = base::mac(key, pieces);
                given.iter().any(|it| verify_slices_are_equal(mac.as_ref(), it).is_ok())
            }
            Self::Ed25519(public) => {
                let message = pieces.concat();
                let public = UnparsedPublicKey::new(&ED25519, public);
                given.iter().any(|it| public.verify(&message, it).is_ok())
            }
        }
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "HMAC-SHA256",
            Self::Ed25519(_) => "Ed25519",
        }
    }

    /// A key that is the bytes of a text, whatever they are.
    pub(super) fn plain(bytes: &[u8]) -> Self {
        Self::Hmac(base::key(bytes))
    }
}
