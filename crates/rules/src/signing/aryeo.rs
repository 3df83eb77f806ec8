//! `Signature: …` (vendors.md ARY-SIG): bare hex over the body, nothing else.

use aws_lc_rs::hmac;

use super::SignedHeaders;
use super::base::{self, Layout};

pub(super) const SIGNATURE: &str = "Signature";
pub(super) const LAYOUT: Layout = Layout::Body;

pub(super) fn sign(key: &hmac::Key, body: &[u8], headers: &mut SignedHeaders) {
    let mut text = String::with_capacity(64);
    base::push_hex(&mut text, base::mac(key, &LAYOUT.pieces("", "", body)).as_ref());
    headers.push((SIGNATURE, text));
}
