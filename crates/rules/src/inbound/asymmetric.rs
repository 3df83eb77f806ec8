//! Providers that sign with a private key of theirs: Ed25519 (Discord), ECDSA over P-256 (`SendGrid`).
//!
//! What a source holds is the public key; who has the private one may sign with it here too.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    ParsedPublicKey,
};
use zeroize::Zeroizing;

use crate::signing::base;

/// A public key, or what its text lacks.
pub(super) type Public = Result<ParsedPublicKey, &'static str>;

/// An Ed25519 public key in hex, as Discord shows it.
pub(super) fn ed25519_from_hex(text: &str) -> Public {
    const FORM: &str = "the public key is 64 hex digits";
    ed25519(&base::from_hex(text).ok_or(FORM)?).map_err(|_| FORM)
}

/// An Ed25519 public key by its 32 bytes.
pub(super) fn ed25519(bytes: &[u8]) -> Public {
    let public = (bytes.len() == 32).then(|| ParsedPublicKey::new(&ED25519, bytes).ok());
    public.flatten().ok_or("the public key is base64 of 32 bytes after `whpk_`")
}

/// A P-256 public key as base64 of its `SubjectPublicKeyInfo`, as `SendGrid` shows it.
pub(super) fn p256(text: &str) -> Public {
    const FORM: &str = "the public key is base64 of its DER form and begins with `MFkw`";
    let bytes = base::from_base64(text).ok_or(FORM)?;
    ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &bytes).map_err(|_| FORM)
}

/// Signs with an Ed25519 private key: its seed, or seed and public key.
pub(super) fn sign_ed25519(private: &[u8], message: &[u8]) -> Result<Vec<u8>, &'static str> {
    const FORM: &str = "to sign, give the private key: its 32-byte seed, or seed and public key";
    let pair = match private.len() {
        32 => Ed25519KeyPair::from_seed_unchecked(private),
        64 => Ed25519KeyPair::from_seed_and_public_key(&private[..32], &private[32..]),
        _ => return Err(FORM),
    };
    Ok(pair.map_err(|_| FORM)?.sign(message).as_ref().to_vec())
}

/// Signs with a P-256 private key: base64 of its PKCS #8 form.
pub(super) fn sign_p256(private: &str, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    const FORM: &str = "to sign, give the private key: base64 of its PKCS #8 form";
    let bytes = Zeroizing::new(base::from_base64(private).ok_or(FORM)?);
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &bytes);
    // An ECDSA signature needs a fresh secret number; the library draws it itself, whatever it is given. No decision
    // depends on it.
    let signature = pair.map_err(|_| FORM)?.sign(&SystemRandom::new(), message);
    Ok(signature.map_err(|_| FORM)?.as_ref().to_vec())
}
