//! `X-Aly-Signature: t=…,v1=…` (vendors.md ALY-SIG): hex over `{t}.{body}`, the key is the secret's whole text.

use aws_lc_rs::hmac;
use hookyard_domain::time::Timestamp;

use super::SignedHeaders;
use super::base::{self, Layout};

pub(super) const TIMESTAMP: &str = "X-Aly-Timestamp";
pub(super) const SIGNATURE: &str = "X-Aly-Signature";
pub(super) const LAYOUT: Layout = Layout::TimeBody;

pub(super) fn sign(key: &hmac::Key, now: Timestamp, body: &[u8], headers: &mut SignedHeaders) {
    let seconds = now.as_secs().to_string();
    let mac = base::mac(key, &LAYOUT.pieces("", &seconds, body));
    let mut text = String::with_capacity(seconds.len() + 70);
    text.push_str("t=");
    text.push_str(&seconds);
    text.push_str(",v1=");
    base::push_hex(&mut text, mac.as_ref());
    headers.push((TIMESTAMP, seconds));
    headers.push((SIGNATURE, text));
}
