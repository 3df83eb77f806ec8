//! Tokens that carry what they stand for, sealed: nothing has to be kept of them, and every node reads them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookyard_domain::secret::Sealed;
use zeroize::Zeroizing;

use crate::seal::Keyring;

/// Characters of a token at most; a longer one is none of ours.
const CHARS_MAX: usize = 4096;

/// What a token is for. One kind never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A session that a key was exchanged for.
    Session,
    /// A session of the portal.
    Portal,
}

impl TokenKind {
    /// Makes a token recognisable, to us and to scanners that look for leaked ones.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "hks_",
            Self::Portal => "hkp_",
        }
    }
}

/// Seals what a token stands for. A nonce must never be used twice: hand in 12 random bytes.
#[must_use]
pub fn seal(keyring: &Keyring, kind: TokenKind, plain: &[u8], nonce: [u8; 12]) -> String {
    let sealed = keyring.seal(plain, kind.prefix().as_bytes(), nonce);
    format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(sealed.0))
}

/// What a token of this kind stands for; `None` when it is none of ours.
#[must_use]
pub fn open(keyring: &Keyring, kind: TokenKind, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.strip_prefix(kind.prefix()).filter(|it| it.len() <= CHARS_MAX)?;
    let sealed = Sealed(URL_SAFE_NO_PAD.decode(text).ok()?);
    keyring.open(&sealed, kind.prefix().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::master_key;

    fn keyring(byte: u8) -> Keyring {
        Keyring::parse(&master_key(&[byte; 32])).unwrap()
    }

    #[test]
    fn a_token_opens_as_what_it_is_and_as_nothing_else() {
        let ring = keyring(1);
        let token = seal(&ring, TokenKind::Portal, b"who", [9; 12]);
        assert!(token.starts_with("hkp_") && !token.contains(['.', '+', '/', '=']), "{token}");
        assert_eq!(open(&ring, TokenKind::Portal, &token).unwrap().as_slice(), b"who");
        assert_eq!(open(&ring, TokenKind::Session, &token), None);
        let renamed = token.replacen("hkp_", "hks_", 1);
        assert_eq!(open(&ring, TokenKind::Session, &renamed), None);
        assert_eq!(open(&keyring(2), TokenKind::Portal, &token), None);
        for at in 0..token.len() {
            assert_eq!(open(&ring, TokenKind::Portal, &token[..at]), None, "{at}");
        }
        assert_eq!(open(&ring, TokenKind::Portal, &format!("hkp_{}", "A".repeat(5000))), None);
    }
}
