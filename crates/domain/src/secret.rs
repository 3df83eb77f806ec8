//! Secrets in the open (as short as possible) and sealed (at rest).

use std::fmt;

use zeroize::Zeroizing;

use crate::time::Timestamp;

/// A signing secret in the open. Prints nothing of itself, is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret from its text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Say it only to the signer, and once to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret sealed with the master key: what the store keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// An endpoint's secrets as kept: the one in force, and while a rotation overlaps the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecrets {
    /// The one in force; `None` only where the profile allows no secret at all (aryeo, vendors.md ARY-SIG-5).
    pub current: Option<Sealed>,
    /// The one before, and when it stops being used.
    pub previous: Option<(Sealed, Timestamp)>,
}

impl SealedSecrets {
    /// Until when the previous secret is used too, while its overlap lasts.
    #[must_use]
    pub fn overlap_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.previous.as_ref().map(|(_, until)| *until).filter(|until| now < *until)
    }
}

/// The same, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The one in force.
    pub current: Option<Secret>,
    /// The one before, and when it stops being used.
    pub previous: Option<(Secret, Timestamp)>,
}

impl Secrets {
    /// The previous secret, while its overlap lasts.
    #[must_use]
    pub fn previous_at(&self, now: Timestamp) -> Option<&Secret> {
        self.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_a_secret_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("whsec_abc".into())), "Secret(…)");
    }

    #[test]
    fn the_previous_secret_ends_with_its_overlap() {
        let until = Timestamp::from_secs(10);
        let old = Secret::new("old".into());
        let secrets = Secrets { current: None, previous: Some((old.clone(), until)) };
        assert_eq!(secrets.previous_at(Timestamp::from_secs(9)), Some(&old));
        assert_eq!(secrets.previous_at(until), None);

        let sealed = SealedSecrets { current: None, previous: Some((Sealed(vec![1]), until)) };
        assert_eq!(sealed.overlap_at(Timestamp::from_secs(9)), Some(until));
        assert_eq!(sealed.overlap_at(until), None);
    }
}
