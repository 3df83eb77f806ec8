//! What a secret becomes: a key that checks signatures, or makes them.

use std::borrow::Cow;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;
use hookyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::asymmetric;
use super::recipe::{Crypt, Digest, Encoding, KeyForm};
use crate::signing::{self, base};

/// The signed bytes, in pieces, so that the body is not copied.
pub(super) type Pieces<'a> = [Cow<'a, [u8]>];

const WHSEC: &str = "whsec_";
const WHSK: &str = "whsk_";
const WHPK: &str = "whpk_";

/// Why a text cannot be a shared secret: everybody may know it, so whoever shows or uses it proves nothing.
const PUBLIC: &str = "a public key (`whpk_`) is no secret; it can only check `v1a` signatures";

/// Signatures by private keys that are tried, of one request: each costs as much as the whole body. A sender that rotates
/// sends two.
const PUBLIC_SIGNATURES_MAX: usize = 8;

/// A key that checks.
pub(super) enum Key {
    Hmac(Box<hmac::Key>),
    Public(Box<ParsedPublicKey>),
}

impl Key {
    /// The key in a secret, or what the secret lacks. The secret is not empty.
    pub(super) fn from_secret(crypt: Crypt, secret: &str) -> Result<Self, &'static str> {
        let public = |it: asymmetric::Public| it.map(|it| Self::Public(Box::new(it)));
        match crypt {
            Crypt::Hmac(digest, form) => Ok(Self::Hmac(Box::new(mac_key(digest, form, secret)?))),
            Crypt::Ed25519 => public(asymmetric::ed25519_from_hex(secret)),
            Crypt::EcdsaP256 => public(asymmetric::p256(secret)),
            Crypt::Standard => match standard_public(secret)? {
                Some(bytes) => public(asymmetric::ed25519(&bytes)),
                None => {
                    let bytes = standard_bytes(secret)?;
                    Ok(Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))))
                }
            },
        }
    }

    /// Whether one of these signatures is over these bytes. The work does not grow with what a stranger sends along.
    pub(super) fn fits(&self, pieces: &Pieces<'_>, given: &[Vec<u8>]) -> bool {
        match self {
            Self::Hmac(key) => {
                let mac = mac(key, pieces);
                given.iter().any(|it| verify_slices_are_equal(mac.as_ref(), it).is_ok())
            }
            Self::Public(key) => {
                let message = pieces.concat();
                let mut given = given.iter().take(PUBLIC_SIGNATURES_MAX);
                given.any(|it| key.verify_sig(&message, it).is_ok())
            }
        }
    }

    /// Bytes of a signature, where all have as many.
    pub(super) fn signature_bytes(&self, crypt: Crypt) -> Option<usize> {
        match (self, crypt) {
            (Self::Hmac(key), _) => Some(key.algorithm().digest_algorithm().output_len()),
            (Self::Public(_), Crypt::EcdsaP256) => None,
            (Self::Public(_), Crypt::Hmac(..) | Crypt::Standard | Crypt::Ed25519) => Some(64),
        }
    }

    /// What a signature looks like, for people.
    pub(super) fn expected(&self, crypt: Crypt, encoding: Encoding) -> String {
        let name = match encoding {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        };
        match self.signature_bytes(crypt) {
            Some(long) => format!("it is not {name} of {long} bytes"),
            None => format!("it is not {name}"),
        }
    }

    /// The version of the entries that count.
    pub(super) const fn version(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "v1",
            Self::Public(_) => "v1a",
        }
    }
}

fn mac_key(digest: Digest, form: KeyForm, secret: &str) -> Result<hmac::Key, &'static str> {
    let algorithm = match digest {
        Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => hmac::HMAC_SHA256,
    };
    Ok(match form {
        KeyForm::Text => hmac::Key::new(algorithm, shared(secret)?.as_bytes()),
        KeyForm::Hex => {
            let bytes = base::from_hex(secret).map(Zeroizing::new);
            hmac::Key::new(algorithm, &bytes.ok_or("the key is hex digits, an even number")?)
        }
    })
}

/// The text of a secret that both sides use as it is, or why it is none.
pub(super) fn shared(secret: &str) -> Result<&str, &'static str> {
    if secret.starts_with(WHPK) { Err(PUBLIC) } else { Ok(secret) }
}

/// The bytes of a `whsec_` key.
fn standard_bytes(secret: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let text = secret.strip_prefix(WHSEC).unwrap_or(secret);
    let bytes = base::from_base64(text).map(Zeroizing::new);
    bytes.filter(|it| !it.is_empty()).ok_or("the key is `whsec_` followed by standard base64")
}

/// The public key of a `whpk_` or `whsk_` text; `None` where it is neither.
fn standard_public(secret: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let public = match secret {
        it if it.starts_with(WHPK) => it.to_owned(),
        it if it.starts_with(WHSK) => signing::public_key(&Secret::new(it.to_owned()))
            .ok_or("the key is `whsk_` followed by base64 of 32 or 64 bytes")?,
        _ => return Ok(None),
    };
    let text = public.strip_prefix(WHPK).unwrap_or_default();
    base::from_base64(text).map(Some).ok_or("the key is `whpk_` followed by base64 of 32 bytes")
}

fn mac(key: &hmac::Key, pieces: &Pieces<'_>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for piece in pieces {
        context.update(piece);
    }
    context.sign()
}

/// An HMAC over these bytes, or what the secret lacks.
pub(super) fn hmac_of(
    digest: Digest,
    secret: &str,
    pieces: &Pieces<'_>,
) -> Result<Vec<u8>, &'static str> {
    let key = mac_key(digest, KeyForm::Text, secret)?;
    Ok(mac(&key, pieces).as_ref().to_vec())
}

/// A signature over these bytes, as a sender makes it, or what the secret lacks.
pub(super) fn sign(
    crypt: Crypt,
    secret: &str,
    pieces: &Pieces<'_>,
) -> Result<Vec<u8>, &'static str> {
    let ed25519 = |private: Option<Vec<u8>>| {
        let private = Zeroizing::new(private.unwrap_or_default());
        asymmetric::sign_ed25519(&private, &pieces.concat())
    };
    let hmac = |key: &hmac::Key| mac(key, pieces).as_ref().to_vec();
    match crypt {
        Crypt::Hmac(digest, form) => Ok(hmac(&mac_key(digest, form, secret)?)),
        Crypt::Ed25519 => ed25519(base::from_hex(secret)),
        Crypt::EcdsaP256 => asymmetric::sign_p256(secret, &pieces.concat()),
        Crypt::Standard => match secret.strip_prefix(WHSK) {
            Some(text) => ed25519(base::from_base64(text)),
            None => Ok(hmac(&hmac::Key::new(hmac::HMAC_SHA256, &standard_bytes(secret)?))),
        },
    }
}

/// The version of the entries that a secret makes.
pub(super) fn version(secret: &str) -> &'static str {
    if secret.starts_with(WHSK) { "v1a" } else { "v1" }
}

pub(super) fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => base::from_hex(text),
        Encoding::Base64 => base::from_base64(text),
    }
}

pub(super) fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    match encoding {
        Encoding::Hex => base::push_hex(&mut text, bytes),
        Encoding::Base64 => base::push_base64(&mut text, bytes),
    }
    text
}
