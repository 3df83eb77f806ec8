//! `X-Alvys-Signature: t=…,v1=…[,v0=…]` (vendors.md ALV-SIG): hex over `{t}.{event id}.{body}`; `v0` is by the previous
//! secret while a rotation overlaps.

use hookyard_domain::time::Timestamp;

use super::base::{self, Layout, MacKey};
use super::{Rotating, SignedHeaders};

pub(super) const ID: &str = "X-Alvys-Event-Id";
pub(super) const TIMESTAMP: &str = "X-Alvys-Timestamp";
pub(super) const SIGNATURE: &str = "X-Alvys-Signature";
pub(super) const LAYOUT: Layout = Layout::TimeIdBody;

pub(super) fn sign(
    keys: &Rotating<MacKey>,
    id: &str,
    now: Timestamp,
    body: &[u8],
    headers: &mut SignedHeaders,
) {
    let seconds = now.as_secs().to_string();
    let pieces = LAYOUT.pieces(id, &seconds, body);
    let previous = keys.previous_at(now);
    let mut text = String::with_capacity(if previous.is_some() { 152 } else { 84 });
    text.push_str("t=");
    text.push_str(&seconds);
    text.push_str(",v1=");
    base::push_hex(&mut text, base::mac(&keys.current, &pieces).as_ref());
    if let Some(previous) = previous {
        text.push_str(",v0=");
        base::push_hex(&mut text, base::mac(previous, &pieces).as_ref());
    }
    headers.push((TIMESTAMP, seconds));
    headers.push((SIGNATURE, text));
}
