//! Signatures: sign and verify any payload in any scheme.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::{Headers, Scalar};

/// What to sign.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignPayload)]
pub struct Sign {
    /// The name of a scheme: a profile's, or a provider's as `/v1/providers` lists them.
    #[serde(default)]
    #[schema(required = true, example = "standard")]
    pub scheme: String,
    /// The signing secret in the scheme's own form.
    #[serde(default)]
    #[schema(required = true, min_length = 1, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
    /// The id that is signed along; left out is a fresh one.
    #[schema(example = "msg_p5jXN8AQM9LWM0D4loKWxJek")]
    pub id: Option<String>,
    /// The moment that is signed along: seconds since 1970 or an RFC 3339 time; left out is now.
    #[schema(value_type = Option<i64>, example = 1_614_265_330)]
    pub timestamp: Option<Scalar>,
    /// The exact body, as a text.
    #[schema(example = "{\"test\": 2432232314}")]
    pub payload: String,
    /// The URL the request goes to, which some providers sign.
    #[schema(format = "uri", example = "https://hooks.example.com/in/src_1")]
    pub url: Option<String>,
    /// The request's method, which some providers sign; left out is `POST`.
    #[schema(example = "POST")]
    pub method: Option<String>,
}

/// The headers that carry the signature.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Signed {
    /// Names and values.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
}

/// What to verify.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifySignature)]
pub struct Verify {
    /// The name of a scheme: a profile's, or a provider's as `/v1/providers` lists them.
    #[serde(default)]
    #[schema(required = true, example = "standard")]
    pub scheme: String,
    /// The signing secret in the scheme's own form.
    #[serde(default)]
    #[schema(required = true, min_length = 1, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
    /// The headers as they were received.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
    /// The exact body, as a text.
    pub payload: String,
    /// How many seconds the signature's time may be off; left out is the scheme's tolerance.
    #[schema(minimum = 0, example = 300)]
    pub tolerance_s: Option<i64>,
    /// The URL the request goes to, which some providers sign.
    #[schema(format = "uri", example = "https://hooks.example.com/in/src_1")]
    pub url: Option<String>,
    /// The request's method, which some providers sign; left out is `POST`.
    #[schema(example = "POST")]
    pub method: Option<String>,
}

/// Whether it verifies, and precisely why not.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether it does.
    pub valid: bool,
    /// In one sentence: that it is valid, or precisely why it is not.
    pub reason: Option<String>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What.
    #[schema(example = "timestamp")]
    pub what: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What it should be; never the expected signature itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
}
