//! Secrets at rest: AES-256-GCM under a master key, of which there may be several while it is being rotated.
//!
//! An envelope is: version (1 byte, `1`), id of the key (4 bytes of its SHA-256), nonce (12), ciphertext, tag (16).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hookyard_domain::secret::Sealed;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const KEY_ID_LEN: usize = 4;
const TAG_LEN: usize = 16;

/// Standard base64, padded or not: people lose the `=` when they copy.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The master keys: seals with the first, opens with any.
pub struct Keyring {
    newest: MasterKey,
    older: Vec<MasterKey>,
}

struct MasterKey {
    id: [u8; KEY_ID_LEN],
    key: LessSafeKey,
}

/// The text is no list of master keys. Says which entry is wrong, never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMasterKey {
    /// Nothing, or nothing between two commas.
    #[error(
        "master key {place} of the list is empty; give 32 bytes as base64, as `openssl rand -base64 32` makes them"
    )]
    Empty {
        /// Which entry, from 1.
        place: usize,
    },
    /// No base64.
    #[error(
        "master key {place} of the list is not base64; make one with `openssl rand -base64 32`"
    )]
    NotBase64 {
        /// Which entry, from 1.
        place: usize,
    },
    /// Too short or too long.
    #[error(
        "master key {place} of the list has {bytes} bytes, it takes 32; make one with `openssl rand -base64 32`"
    )]
    Length {
        /// Which entry, from 1.
        place: usize,
        /// How many bytes it has.
        bytes: usize,
    },
}

/// The envelope cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Shorter than any envelope.
    #[error("the sealed value is cut short")]
    CutShort,
    /// Made by a version to come.
    #[error("the sealed value has format {0}, which this version does not know")]
    UnknownVersion(u8),
    /// None of the keys has the envelope's id.
    #[error(
        "the sealed value belongs to a master key that is not given; add it to the end of `HOOKYARD_MASTER_KEY`"
    )]
    UnknownKey,
    /// The tag does not fit.
    #[error("the sealed value was changed, or belongs to something else")]
    Refused,
}

impl Keyring {
    /// Reads a comma-separated list of 32-byte keys in standard base64, newest first.
    ///
    /// # Errors
    /// Which entry is unusable, and why.
    pub fn parse(list: &str) -> Result<Self, BadMasterKey> {
        let mut keys = list.split(',').zip(1..).map(|(text, place)| MasterKey::parse(text, place));
        let newest = keys.next().unwrap_or(Err(BadMasterKey::Empty { place: 1 }))?;
        let older = keys.collect::<Result<_, _>>()?;
        Ok(Self { newest, older })
    }

    /// Seals `plain` with the newest key. `aad` says what it belongs to, so that it cannot be moved elsewhere.
    /// A nonce must never be used twice: hand in 12 random bytes.
    #[must_use]
    pub fn seal(&self, plain: &[u8], aad: &[u8], nonce: [u8; NONCE_LEN]) -> Sealed {
        let head = [&[VERSION][..], &self.newest.id, &nonce].concat();
        // Room for everything at once: a buffer that grows leaves copies of the secret behind.
        let mut envelope = Vec::with_capacity(head.len() + plain.len() + TAG_LEN);
        envelope.extend_from_slice(&head);
        envelope.extend_from_slice(plain);
        let (_, body) = envelope.split_at_mut(head.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.newest.key.seal_in_place_separate_tag(nonce, Aad::from(aad), body);
        let Ok(tag) = tag else { unreachable!("AES-GCM takes anything below 64 GiB") };
        envelope.extend_from_slice(tag.as_ref());
        Sealed(envelope)
    }

    /// Opens what was sealed with any of the keys for the same `aad`.
    ///
    /// # Errors
    /// Why it stays shut.
    pub fn open(&self, sealed: &Sealed, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let envelope = Envelope::read(&sealed.0)?;
        let mut refused = OpenError::UnknownKey;
        // Four bytes of id may be shared by two keys, so all that carry it are tried.
        for key in self.all().filter(|key| key.id == envelope.key_id) {
            if let Some(plain) = key.open(&envelope, aad) {
                return Ok(plain);
            }
            refused = OpenError::Refused;
        }
        Err(refused)
    }

    /// Whether the envelope was made with the newest key; if not, it is due to be sealed again.
    #[must_use]
    pub fn is_newest(&self, sealed: &Sealed) -> bool {
        Envelope::read(&sealed.0).is_ok_and(|it| it.key_id == self.newest.id)
    }

    /// Whether older keys stand beside the newest: then something may be due to be sealed again.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        !self.older.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.all().count())
    }
}

/// The text of a new master key, made of random bytes.
#[must_use]
pub fn master_key(random: &[u8; KEY_LEN]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(random))
}

impl MasterKey {
    fn parse(text: &str, place: usize) -> Result<Self, BadMasterKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadMasterKey::Empty { place });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        BASE64.decode_vec(text, &mut bytes).map_err(|_| BadMasterKey::NotBase64 { place })?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| BadMasterKey::Length { place, bytes: bytes.len() })?;
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&digest::digest(&digest::SHA256, &bytes).as_ref()[..KEY_ID_LEN]);
        Ok(Self { id, key: LessSafeKey::new(key) })
    }

    fn open(&self, envelope: &Envelope<'_>, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(vec![0; envelope.ciphertext.len()]);
        let nonce = Nonce::assume_unique_for_key(envelope.nonce);
        self.key
            .open_separate_gather(
                nonce,
                Aad::from(aad),
                envelope.ciphertext,
                envelope.tag,
                &mut plain,
            )
            .ok()?;
        Some(plain)
    }
}

/// An envelope taken apart.
struct Envelope<'a> {
    key_id: [u8; KEY_ID_LEN],
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let (version, rest) = bytes.split_first().ok_or(OpenError::CutShort)?;
        if *version != VERSION {
            return Err(OpenError::UnknownVersion(*version));
        }
        let (key_id, rest) = rest.split_first_chunk().ok_or(OpenError::CutShort)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(OpenError::CutShort)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(OpenError::CutShort)?;
        Ok(Self { key_id: *key_id, nonce: *nonce, ciphertext, tag })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(fill: u8) -> String {
        master_key(&[fill; 32]).to_string()
    }

    fn ring(fills: &[u8]) -> Keyring {
        let list: Vec<_> = fills.iter().map(|it| text_of(*it)).collect();
        Keyring::parse(&list.join(",")).unwrap()
    }

    const NONCE: [u8; NONCE_LEN] = [7; NONCE_LEN];

    proptest! {
        #[test]
        fn what_is_sealed_opens_again_and_only_for_the_same_owner(
            plain: Vec<u8>, aad: Vec<u8>, other: Vec<u8>, nonce: [u8; NONCE_LEN],
        ) {
            let ring = ring(&[1]);
            let sealed = ring.seal(&plain, &aad, nonce);
            prop_assert_eq!(&*ring.open(&sealed, &aad).unwrap(), &plain);
            if other != aad {
                prop_assert_eq!(ring.open(&sealed, &other), Err(OpenError::Refused));
            }
        }

        #[test]
        fn any_changed_byte_keeps_it_shut(
            plain: Vec<u8>, place: prop::sample::Index, flip in 1..=255_u8,
        ) {
            let ring = ring(&[1, 2]);
            let mut sealed = ring.seal(&plain, b"wh_1", NONCE);
            let place = place.index(sealed.0.len());
            sealed.0[place] ^= flip;
            prop_assert!(ring.open(&sealed, b"wh_1").is_err());
        }

        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            prop_assert!(ring(&[1]).open(&Sealed(bytes), b"").is_err());
        }
    }

    #[test]
    fn a_truncated_envelope_stays_shut() {
        let ring = ring(&[1]);
        let sealed = ring.seal(b"whsec_abc", b"wh_1", NONCE);
        for long in 0..sealed.0.len() {
            let cut = Sealed(sealed.0[..long].to_vec());
            let want = if long < 33 { OpenError::CutShort } else { OpenError::Refused };
            assert_eq!(ring.open(&cut, b"wh_1"), Err(want), "{long} bytes");
        }
    }

    #[test]
    fn the_envelope_is_laid_out_as_documented() {
        // Computed by another implementation: python3-cryptography's AESGCM, and hashlib.
        let sealed = ring(&[1]).seal(b"whsec_abc", b"wh_1", NONCE);
        let hex: String = sealed.0.iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(
            hex,
            "0172cd6e84070707070707070707070707fa9b99c16cf1d0c37ad6004a49a491df329740f0d4089e098a"
        );
    }

    #[test]
    fn a_rotation_opens_old_envelopes_and_seals_with_the_newest_key() {
        let old = ring(&[1]).seal(b"secret", b"wh_1", NONCE);
        let both = ring(&[2, 1]);
        assert_eq!(&**both.open(&old, b"wh_1").unwrap(), b"secret");
        assert!(!both.is_newest(&old));
        assert!(both.is_rotating() && !ring(&[2]).is_rotating());
        let new = both.seal(b"secret", b"wh_1", NONCE);
        assert!(both.is_newest(&new));
        assert_eq!(&**ring(&[2]).open(&new, b"wh_1").unwrap(), b"secret");
        assert_eq!(ring(&[1]).open(&new, b"wh_1"), Err(OpenError::UnknownKey));
    }

    #[test]
    fn a_format_to_come_is_named() {
        let mut sealed = ring(&[1]).seal(b"secret", b"", NONCE);
        sealed.0[0] = 2;
        assert_eq!(ring(&[1]).open(&sealed, b""), Err(OpenError::UnknownVersion(2)));
    }

    #[test]
    fn keys_are_read_padded_or_not_and_with_spaces_around() {
        let padded = text_of(1);
        let bare = padded.trim_end_matches('=').to_owned();
        assert_ne!(padded, bare);
        let sealed = ring(&[1]).seal(b"secret", b"", NONCE);
        for list in [&padded, &bare, &format!(" {padded}\n"), &format!("{}, {bare}", text_of(2))] {
            let opened = Keyring::parse(list).unwrap().open(&sealed, b"").unwrap();
            assert_eq!(&**opened, b"secret", "{list:?}");
        }
    }

    #[test]
    fn a_bad_list_names_the_entry_and_shows_none_of_it() {
        let good = text_of(1);
        let short = STANDARD.encode([1; 31]);
        for (list, want) in [
            (String::new(), BadMasterKey::Empty { place: 1 }),
            (format!("{good},"), BadMasterKey::Empty { place: 2 }),
            (format!("{good},?"), BadMasterKey::NotBase64 { place: 2 }),
            ("_".repeat(43), BadMasterKey::NotBase64 { place: 1 }),
            (short, BadMasterKey::Length { place: 1, bytes: 31 }),
            (STANDARD.encode([1; 64]), BadMasterKey::Length { place: 1, bytes: 64 }),
        ] {
            assert_eq!(Keyring::parse(&list).unwrap_err(), want);
        }
    }

    #[test]
    fn printing_a_keyring_shows_nothing_of_its_keys() {
        assert_eq!(format!("{:?}", ring(&[1, 2])), "Keyring(2 keys)");
    }
}
