//! Why a received request is not believed.

/// Why a received request is not believed. Never holds a secret, nor a signature that would have been right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The source has no secret yet.
    #[error("there is no secret to verify with")]
    NoSecret,
    /// A secret without a character: everybody knows it.
    #[error("the secret is empty")]
    EmptySecret,
    /// The secret is not of the provider's form.
    #[error("the secret is unusable: {0}")]
    BadSecret(&'static str),
    /// There is no signature.
    #[error("the {0} is missing")]
    MissingSignature(String),
    /// It cannot be one.
    #[error("the {place} is malformed: {why}")]
    MalformedSignature {
        /// Where it stands.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The signature is made with something that is not known here.
    #[error("the {0} names an algorithm that is not known")]
    UnknownAlgorithm(String),
    /// There is no time, and it is signed along.
    #[error("the {0} with the time is missing")]
    MissingTimestamp(String),
    /// The time cannot be one.
    #[error("the {place} is not {expected}")]
    MalformedTimestamp {
        /// Where it stands.
        place: String,
        /// How it is written.
        expected: &'static str,
    },
    /// Something else that is signed along is not there.
    #[error("the {0} is missing, which is signed along")]
    MissingPart(String),
    /// The signature does not fit.
    #[error("the signature differs")]
    WrongSignature,
    /// The token is another one.
    #[error("the token differs")]
    WrongToken,
    /// The URL is right, but the body is not the one whose hash it holds.
    #[error("the body is not the one whose hash stands in the URL")]
    WrongBodyHash,
    /// The signature is right, but old.
    #[error("the timestamp lies {off_s} s in the past, {allowed_s} s are allowed")]
    Stale {
        /// How old.
        off_s: u64,
        /// How old it may be.
        allowed_s: u64,
    },
    /// The signature is right, but from the future.
    #[error("the timestamp lies {off_s} s in the future, {allowed_s} s are allowed")]
    Early {
        /// How far ahead.
        off_s: u64,
        /// How far it may be.
        allowed_s: u64,
    },
    /// A handshake that must not be answered.
    #[error("the handshake is refused: {0}")]
    BadHandshake(&'static str),
}

impl Rejection {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSecret => "no_secret",
            Self::EmptySecret => "empty_secret",
            Self::BadSecret(_) => "bad_secret",
            Self::MissingSignature(_) => "missing_signature",
            Self::MalformedSignature { .. } => "malformed_signature",
            Self::UnknownAlgorithm(_) => "unknown_algorithm",
            Self::MissingTimestamp(_) => "missing_timestamp",
            Self::MalformedTimestamp { .. } => "malformed_timestamp",
            Self::MissingPart(_) => "missing_part",
            Self::WrongSignature => "wrong_signature",
            Self::WrongToken => "wrong_token",
            Self::WrongBodyHash => "wrong_body_hash",
            Self::Stale { .. } => "stale",
            Self::Early { .. } => "early",
            Self::BadHandshake(_) => "bad_handshake",
        }
    }
}
