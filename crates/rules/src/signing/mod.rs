//! Signatures of deliveries: keys prepared once per endpoint, headers made for each attempt.
//!
//! One file per scheme, its vectors beside it; [`verify`] is the other side, for the signature checker.

mod alvys;
mod aly;
mod aryeo;
pub(crate) mod base;
pub(crate) mod hint;
mod secret;
mod standard;
pub mod verify;

use std::fmt;

use hookyard_domain::scheme::Scheme;
use hookyard_domain::secret::{Secret, Secrets};
use hookyard_domain::time::Timestamp;

use base::MacKey;
pub use secret::{BadSecret, check_secret, generate, generate_v1a, public_key, standard_form};
pub use verify::{Check, Verification, scheme_named, sign_offline, verify as verify_signature};

/// A list of headers in the case the scheme's documentation shows.
pub type SignedHeaders = Vec<(&'static str, String)>;

/// An endpoint's secrets, ready to sign.
pub struct Signer(Prepared);

enum Prepared {
    Standard(Rotating<standard::Key>),
    /// A rotation takes effect at once, there is one signature only (vendors.md ALY-SIG-8).
    Aly(MacKey),
    Alvys(Rotating<MacKey>),
    /// Without a secret there is no signature (vendors.md ARY-SIG-5).
    Aryeo(Option<MacKey>),
}

/// The key in force and, while a rotation overlaps, the one before.
struct Rotating<K> {
    current: K,
    previous: Option<(K, Timestamp)>,
}

impl<K> Rotating<K> {
    fn prepare(
        secrets: &Secrets,
        key: impl Fn(&str) -> Result<K, BadSecret>,
    ) -> Result<Self, BadSecret> {
        let current = key(current(secrets)?)?;
        let previous = match &secrets.previous {
            Some((secret, until)) => Some((key(secret.reveal())?, *until)),
            None => None,
        };
        Ok(Self { current, previous })
    }

    fn previous_at(&self, now: Timestamp) -> Option<&K> {
        self.previous.as_ref().filter(|(_, until)| now < *until).map(|(key, _)| key)
    }
}

fn current(secrets: &Secrets) -> Result<&str, BadSecret> {
    secrets.current.as_ref().map(Secret::reveal).ok_or(BadSecret::Missing)
}

impl Signer {
    /// Decodes the secrets into keys.
    ///
    /// # Errors
    /// A secret the scheme cannot use, or none where it needs one.
    pub fn prepare(scheme: Scheme, secrets: &Secrets) -> Result<Self, BadSecret> {
        let plain = |text: &str| Ok(base::key(text.as_bytes()));
        Ok(Self(match scheme {
            Scheme::Standard => {
                Prepared::Standard(Rotating::prepare(secrets, standard::Key::from_text)?)
            }
            Scheme::Aly => Prepared::Aly(plain(current(secrets)?)?),
            Scheme::Alvys => Prepared::Alvys(Rotating::prepare(secrets, plain)?),
            Scheme::Aryeo => Prepared::Aryeo(
                secrets.current.as_ref().map(|it| base::key(it.reveal().as_bytes())),
            ),
        }))
    }

    /// The scheme it signs by.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self.0 {
            Prepared::Standard(_) => Scheme::Standard,
            Prepared::Aly(_) => Scheme::Aly,
            Prepared::Alvys(_) => Scheme::Alvys,
            Prepared::Aryeo(_) => Scheme::Aryeo,
        }
    }

    /// The headers that sign `body` at `now`: the signature with its timestamp, for Standard Webhooks the id too. `id` is
    /// the event's.
    #[must_use]
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> SignedHeaders {
        let mut headers = Vec::with_capacity(3);
        self.sign_into(id, now, body, &mut headers);
        headers
    }

    /// As [`Self::sign`], at the end of a list that exists.
    pub fn sign_into(&self, id: &str, now: Timestamp, body: &[u8], headers: &mut SignedHeaders) {
        match &self.0 {
            Prepared::Standard(keys) => standard::sign(keys, id, now, body, headers),
            Prepared::Aly(key) => aly::sign(key, now, body, headers),
            Prepared::Alvys(keys) => alvys::sign(keys, id, now, body, headers),
            Prepared::Aryeo(Some(key)) => aryeo::sign(key, body, headers),
            Prepared::Aryeo(None) => {}
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({:?}, …)", self.scheme())
    }
}

#[cfg(test)]
mod tests;
