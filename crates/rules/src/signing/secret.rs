//! Signing secrets: made from random bytes, and checked when somebody brings their own.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::Secret;

use super::{base, standard};
use crate::profiles;

/// Why a text cannot be a signing secret. The message never holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// There is none, and the profile does not sign without.
    #[error("a signing secret is needed")]
    Missing,
    /// Too few or too many characters.
    #[error(
        "a secret has {min} to {max} characters, this one has {0}",
        min = limit::SECRET_CHARS_MIN,
        max = limit::SECRET_CHARS_MAX
    )]
    Length(usize),
    /// Not base64 where base64 is needed.
    #[error("use `whsec_` or `whsk_` followed by standard base64 (`A-Z a-z 0-9 + /`)")]
    NotBase64,
    /// Blanks or line ends around base64.
    #[error("there are blanks or a newline around the secret")]
    Blanks,
    /// The decoded key is too short or too long.
    #[error(
        "the key in base64 after `whsec_` has {min} to {max} bytes, this one has {0}",
        min = KEY_BYTES_MIN,
        max = KEY_BYTES_MAX
    )]
    KeyLength(usize),
    /// The decoded Ed25519 key has a wrong length.
    #[error(
        "after `whsk_` comes base64 of 64 bytes (seed and public key) or of a 32-byte seed, this is {0} bytes"
    )]
    SigningKeyLength(usize),
    /// The public half of an Ed25519 key is not the one of its seed.
    #[error("the two halves of this `whsk_` key do not belong together")]
    SigningKeyHalves,
    /// A public key where a secret is needed.
    #[error("this is a public key: it verifies, but cannot sign")]
    PublicKey,
    /// The decoded public key has a wrong length.
    #[error("after `whpk_` comes base64 of 32 bytes, this is {0} bytes")]
    PublicKeyLength(usize),
}

/// Bytes of a symmetric key at least (standards.md §1.1).
const KEY_BYTES_MIN: usize = 24;
/// Bytes of a symmetric key at most (standards.md §1.1).
const KEY_BYTES_MAX: usize = 64;

/// A fresh secret in the form the profile's receivers expect, from random bytes.
#[must_use]
pub fn generate(profile: Profile, random: &[u8; 32]) -> Secret {
    let mut text = String::with_capacity(80);
    match profile {
        Profile::Standard | Profile::Alumia => {
            text.push_str(standard::SYMMETRIC);
            base::push_base64(&mut text, random);
        }
        Profile::Aly | Profile::Alvys => {
            text.push_str(standard::SYMMETRIC);
            base::push_hex(&mut text, random);
        }
        Profile::Aryeo => base::push_hex(&mut text, random),
    }
    Secret::new(text)
}

/// The same secret as one that Standard Webhooks can sign with: a text that is none becomes the key itself, as `whsec_`
/// and base64 of its bytes. `None` for a public key and an empty text, which are no secrets.
#[must_use]
pub fn standard_form(text: &str) -> Option<Secret> {
    match standard::Key::from_text(text) {
        Ok(_) => Some(Secret::new(text.to_owned())),
        Err(BadSecret::Missing | BadSecret::PublicKey) => None,
        Err(_) if text.is_empty() => None,
        Err(_) => {
            let mut key = String::with_capacity(standard::SYMMETRIC.len() + text.len() * 4 / 3 + 4);
            key.push_str(standard::SYMMETRIC);
            base::push_base64(&mut key, text.as_bytes());
            Some(Secret::new(key))
        }
    }
}

/// A fresh Ed25519 secret (`whsk_`, signs `v1a`) from random bytes.
#[must_use]
pub fn generate_v1a(random: &[u8; 32]) -> Secret {
    let mut bytes = zeroize::Zeroizing::new([0; 64]);
    bytes[..32].copy_from_slice(random);
    // The seed alone is a whole key too; so even a library that refused would leave a usable secret.
    let long = match Ed25519KeyPair::from_seed_unchecked(random) {
        Ok(pair) => {
            bytes[32..].copy_from_slice(pair.public_key().as_ref());
            64
        }
        Err(_) => 32,
    };
    let mut text = String::with_capacity(96);
    text.push_str(standard::PRIVATE);
    base::push_base64(&mut text, &bytes[..long]);
    Secret::new(text)
}

/// The public key (`whpk_…`) of a `whsk_` secret, to be given to receivers; `None` for any other secret.
#[must_use]
pub fn public_key(secret: &Secret) -> Option<String> {
    standard::public_key(secret.reveal())
}

/// Whether `text` can be the signing secret of an endpoint with this profile.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_secret(profile: Profile, text: &str) -> Result<(), BadSecret> {
    let long = text.chars().count();
    if long == 0 && profiles::of(profile).secret_required {
        return Err(BadSecret::Missing);
    }
    if !(limit::SECRET_CHARS_MIN..=limit::SECRET_CHARS_MAX).contains(&long) {
        return Err(BadSecret::Length(long));
    }
    match profile {
        Profile::Standard | Profile::Alumia => match standard::Key::from_text(text)? {
            standard::Key::Ed25519(_) => Ok(()),
            standard::Key::Hmac { bytes, .. } => {
                let good = (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes);
                if good { Ok(()) } else { Err(BadSecret::KeyLength(bytes)) }
            }
        },
        Profile::Aly | Profile::Alvys | Profile::Aryeo => Ok(()),
    }
}
