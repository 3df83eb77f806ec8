//! What all schemes share: which bytes are signed, HMAC-SHA256 over them, hex and base64.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard base64; padded when written, padding not insisted on when read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which bytes are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `{id}.{timestamp}.{body}`.
    IdTimeBody,
    /// `{timestamp}.{id}.{body}`.
    TimeIdBody,
    /// `{timestamp}.{body}`.
    TimeBody,
    /// `{body}`.
    Body,
}

impl Layout {
    pub(super) const ALL: [Self; 4] =
        [Self::IdTimeBody, Self::TimeIdBody, Self::TimeBody, Self::Body];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::IdTimeBody => "{id}.{timestamp}.{body}",
            Self::TimeIdBody => "{timestamp}.{id}.{body}",
            Self::TimeBody => "{timestamp}.{body}",
            Self::Body => "{body}",
        }
    }

    pub(super) const fn has_id(self) -> bool {
        matches!(self, Self::IdTimeBody | Self::TimeIdBody)
    }

    /// The pieces in the order they are signed.
    pub(super) const fn pieces<'a>(self, id: &'a str, time: &'a str, body: &'a [u8]) -> Pieces<'a> {
        let (id, time) = (id.as_bytes(), time.as_bytes());
        match self {
            Self::IdTimeBody => [id, b".", time, b".", body],
            Self::TimeIdBody => [time, b".", id, b".", body],
            Self::TimeBody => [time, b".", body, b"", b""],
            Self::Body => [body, b"", b"", b"", b""],
        }
    }
}

/// The signed bytes, in pieces, so that the body is never copied.
pub(super) type Pieces<'a> = [&'a [u8]; 5];

/// A key with its state behind a pointer: more than 1 KiB.
pub(super) type MacKey = Box<hmac::Key>;

pub(super) fn key(bytes: &[u8]) -> MacKey {
    Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes))
}

pub(super) fn mac(key: &hmac::Key, pieces: &Pieces<'_>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for piece in pieces.iter().filter(|it| !it.is_empty()) {
        context.update(piece);
    }
    context.sign()
}

pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |it: u8| char::from(it).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

pub(crate) fn push_base64(text: &mut String, bytes: &[u8]) {
    BASE64.encode_string(bytes, text);
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
