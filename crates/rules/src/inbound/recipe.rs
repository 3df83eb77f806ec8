//! Verification as data: where the signature stands, what was signed, with which key, and what the request tells.

use std::fmt;
use std::time::Duration;

/// How requests of a provider are proven and read.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The ways a request may be proven. Those that are present are tried in this order; one good one is enough.
    pub proofs: &'static [Proof],
    /// Where the event's type stands: the first list whose first place is there, its places joined by dots.
    pub event_type: &'static [&'static [Place]],
    /// How a request is told from its own repetition.
    pub dedupe: Dedupe,
}

/// One way a request is proven.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// A signature over parts of the request.
    Signature(Signature),
    /// The secret itself stands there.
    Token(Place),
    /// Twilio's, over the URL and the sorted form.
    Twilio,
    /// Adyen's, one in each item of the body.
    Adyen,
}

/// A signature over parts of the request.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Where it stands.
    pub at: At,
    /// What surrounds it there.
    pub format: Format,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// How it is made, and what the secret is to that.
    pub crypt: Crypt,
    /// When it was made, if that is told.
    pub stamp: Option<Stamp>,
    /// What is signed, in order.
    pub message: &'static [Part],
}

impl Signature {
    /// The most usual one: hex of HMAC-SHA256 over the body, alone in a header, the key is the secret's text.
    #[must_use]
    pub const fn over_body(header: &'static str) -> Self {
        Self {
            at: At::Header(header),
            format: Format::Bare,
            encoding: Encoding::Hex,
            crypt: Crypt::Hmac(Digest::Sha256, KeyForm::Text),
            stamp: None,
            message: &[Part::Body],
        }
    }

    /// Whether whoever changes the time breaks the signature. Only then does the time prove freshness.
    #[must_use]
    pub fn signs_its_time(&self) -> bool {
        let has = |wanted: fn(&Part) -> bool| self.message.iter().any(wanted);
        match self.stamp.map(|it| it.at) {
            None => false,
            Some(StampAt::Field(Place::Json(_) | Place::Form(_))) => {
                has(|it| matches!(it, Part::Body | Part::Stamp))
            }
            Some(StampAt::Field(_) | StampAt::Beside(_)) => has(|it| matches!(it, Part::Stamp)),
        }
    }

    /// Whether the URL is signed along.
    #[must_use]
    pub fn signs_url(&self) -> bool {
        self.message.iter().any(|it| matches!(it, Part::Url | Part::UrlUnescaped))
    }
}

impl Recipe {
    /// Whether what a source holds is its sender's public key, which everybody may know.
    #[must_use]
    pub fn key_is_public(&self) -> bool {
        self.proofs.iter().any(|it| match it {
            Proof::Signature(it) => matches!(it.crypt, Crypt::Ed25519 | Crypt::EcdsaP256),
            Proof::Token(_) | Proof::Twilio | Proof::Adyen => false,
        })
    }

    /// Whether requests can only be verified by who knows the public URL.
    #[must_use]
    pub fn signs_url(&self) -> bool {
        self.proofs.iter().any(|it| match it {
            Proof::Signature(signature) => signature.signs_url(),
            Proof::Twilio => true,
            Proof::Token(_) | Proof::Adyen => false,
        })
    }
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// In this header.
    Header(&'static str),
    /// In all headers of this name and a number.
    Numbered(&'static str),
    /// Elsewhere.
    Field(Place),
}

/// What surrounds a signature.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// Nothing.
    Bare,
    /// This stands before it.
    Prefixed(&'static str),
    /// This may stand before it.
    PrefixAllowed(&'static str),
    /// `name=value` pairs with this between them; those of this name are signatures, others are skipped.
    Pairs {
        /// Between two pairs.
        separator: char,
        /// The name of a signature.
        name: &'static str,
    },
    /// `version,value` entries with blanks between them; the kind of key says which version counts.
    Entries,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hex digits of either case.
    Hex,
    /// Standard base64, padding not insisted on.
    Base64,
}

/// How a signature is made, and what the secret is to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crypt {
    /// HMAC.
    Hmac(Digest, KeyForm),
    /// Standard Webhooks: HMAC-SHA256 by a base64 key (`whsec_`), or Ed25519 (`whpk_`, `whsk_`).
    Standard,
    /// Ed25519; the secret is the public key in hex.
    Ed25519,
    /// ECDSA over P-256 with SHA-256; the secret is the public key as base64 of its DER form.
    EcdsaP256,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1, which some providers still use; as an HMAC it is not broken.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// How the text of a secret becomes the key of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Its bytes as they are, whatever it begins with.
    Text,
    /// It is hex of the key.
    Hex,
}

/// When a signature was made.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Where that is told.
    pub at: StampAt,
    /// How.
    pub unit: Unit,
    /// Seconds it may be from now, either way; `None` where the provider names no limit.
    pub tolerance_s: Option<u64>,
}

/// Where the time of a signature stands.
#[derive(Clone, Copy, Debug)]
pub enum StampAt {
    /// In a field of the request.
    Field(Place),
    /// In the signature's own header, as the pair of this name.
    Beside(&'static str),
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// RFC 3339.
    Iso,
}

impl Unit {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Millis => "milliseconds since 1970",
            Self::Iso => "an RFC 3339 time",
        }
    }
}

/// A part of what is signed.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// This text.
    Text(&'static str),
    /// The time, as it was received.
    Stamp,
    /// The body.
    Body,
    /// The method.
    Method,
    /// The URL.
    Url,
    /// The URL, after the escapes that `HubSpot` names were undone.
    UrlUnescaped,
    /// A field of the request.
    Field(Place),
}

/// A field of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A header.
    Header(&'static str),
    /// A value of the JSON body, by its JSON pointer.
    Json(&'static str),
    /// A field of a form body.
    Form(&'static str),
    /// A value (second pointer) of each item of a list (first pointer) in the JSON body. As a type it counts when all
    /// items agree.
    Each(&'static str, &'static str),
    /// Not in the request: this text itself.
    Fixed(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header `{name}`"),
            Self::Json(pointer) => write!(f, "body field `{pointer}`"),
            Self::Form(name) => write!(f, "form field `{name}`"),
            Self::Each(list, field) => write!(f, "body field `{list}/*{field}`"),
            Self::Fixed(text) => write!(f, "text `{text}`"),
        }
    }
}

/// How a request is told from its own repetition.
#[derive(Clone, Copy, Debug)]
pub struct Dedupe {
    /// Where the sender's ids stand: the first list whose places are all there.
    pub ids: &'static [&'static [Place]],
    /// Where the sender gives no id: the same content within this time is one event. `None`: every request is one.
    pub content_within: Option<Duration>,
}

impl Dedupe {
    /// By the sender's ids alone.
    #[must_use]
    pub const fn by(ids: &'static [&'static [Place]]) -> Self {
        Self { ids, content_within: None }
    }

    /// By the content, where the sender gives no id.
    #[must_use]
    pub const fn by_content(within: Duration) -> Self {
        Self { ids: &[], content_within: Some(within) }
    }
}
