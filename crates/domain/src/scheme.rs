//! Names of outbound signature schemes.

use serde::{Deserialize, Serialize};

/// How a delivery is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Standard Webhooks (standards.md §1): `v1`, and `v1a` where the secret is `whsk_`.
    Standard,
    /// `X-Aly-Signature` (vendors.md ALY-SIG).
    Aly,
    /// `X-Alvys-Signature` (vendors.md ALV-SIG).
    Alvys,
    /// `Signature`, bare hex over the body (vendors.md ARY-SIG).
    Aryeo,
}
