//! API keys: their text, the hash they are found by, and the hash that tells two requests apart.

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{self, Digest};
use hookyard_domain::key::KeyHash;

/// Makes a key recognisable, to people and to scanners that look for leaked ones.
const PREFIX: &str = "hk_";
/// Crockford's base 32: no `i`, `l`, `o` or `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a key that may be shown: enough to tell keys apart, far too few to guess the rest.
const HINT_CHARS: usize = 10;

/// The text of a new key, made of random bytes: `hk_` and 52 characters.
#[must_use]
pub fn api_key(random: &[u8; 32]) -> String {
    let mut text = PREFIX.to_owned();
    for chunk in random.chunks(5) {
        // Five bytes are eight characters; the two that remain at the end are four.
        let mut bytes = [0; 8];
        bytes[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(bytes);
        let chars = (chunk.len() * 8).div_ceil(5);
        for place in 0..chars {
            let digit = (bits >> (35 - 5 * place)) & 31;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text
}

/// The hash a key is kept and found by.
#[must_use]
pub fn hash(text: &str) -> KeyHash {
    KeyHash(bytes_of(&digest::digest(&digest::SHA256, text.as_bytes())))
}

/// The first characters of a key, to recognise it by.
#[must_use]
pub fn hint(text: &str) -> String {
    text.chars().take(HINT_CHARS).collect()
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(a: &KeyHash, b: &KeyHash) -> bool {
    constant_time::verify_slices_are_equal(&a.0, &b.0).is_ok()
}

/// A hash over several parts. Each goes in with its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
#[must_use]
pub fn content_hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    bytes_of(&context.finish())
}

fn bytes_of(digest: &Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|it| format!("{it:02x}")).collect()
    }

    #[test]
    fn a_key_spells_its_bytes_in_base_32() {
        // Computed with python3: base64.b32encode, its alphabet replaced by Crockford's, without padding.
        let counting: [u8; 32] = std::array::from_fn(|it| it as u8);
        for (random, want) in [
            ([0; 32], format!("hk_{}", "0".repeat(52))),
            ([255; 32], format!("hk_{}g", "z".repeat(51))),
            (counting, "hk_000g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfg".to_owned()),
        ] {
            assert_eq!(api_key(&random), want);
        }
    }

    #[test]
    fn every_bit_of_chance_is_in_the_key() {
        let mut keys = std::collections::BTreeSet::from([api_key(&[0; 32])]);
        for bit in 0..256 {
            let mut random = [0; 32];
            random[bit / 8] = 1 << (bit % 8);
            keys.insert(api_key(&random));
        }
        assert_eq!(keys.len(), 257);
    }

    #[test]
    fn a_key_is_hashed_with_sha_256() {
        // FIPS 180-4's example.
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&hash("abc").0), want);
    }

    #[test]
    fn a_hint_is_ten_characters_whatever_they_are() {
        for (text, want) in [
            ("hk_0123456789abc", "hk_0123456"),
            ("short", "short"),
            ("", ""),
            ("ääääääääääää", "ääääääääää"),
        ] {
            assert_eq!(hint(text), want);
        }
    }

    #[test]
    fn hashes_are_the_same_only_when_every_byte_is() {
        let one = hash("hk_1");
        assert!(same(&one, &hash("hk_1")));
        for place in 0..32 {
            let mut other = one;
            other.0[place] ^= 1;
            assert!(!same(&one, &other), "byte {place}");
        }
    }

    #[test]
    fn content_is_hashed_with_the_lengths_of_its_parts() {
        let of = |parts: &[&str]| {
            content_hash(&parts.iter().map(|it| it.as_bytes()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        let lists: [&[&str]; 7] =
            [&[], &[""], &["", ""], &["abc"], &["ab", "c"], &["a", "bc"], &["abc", ""]];
        let different: std::collections::BTreeSet<_> = lists.iter().map(|it| of(it)).collect();
        assert_eq!(different.len(), lists.len());
    }
}
