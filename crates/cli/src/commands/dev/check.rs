//! The receiver's own check of a signature, as a customer's code would make it.

use std::time::Duration;

use hookyard_domain::headers::Headers;
use hookyard_domain::scheme::Scheme;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::Timestamp;
use hookyard_rules::signing;

/// How far the signed time may be off (standards.md §1: five minutes).
const TOLERANCE: Duration = Duration::from_secs(300);

/// Says why a delivery's signature is not right.
pub fn signature(
    secret: &Secret,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(), String> {
    let found =
        signing::verify_signature(Scheme::Standard, secret.reveal(), headers, body, TOLERANCE, now);
    if found.valid { Ok(()) } else { Err(found.reason) }
}
