//! `X-Request-Id`: the caller's, or one of ours; it comes back with the answer and stands in the log.

use axum::extract::Request;
use http::{HeaderName, HeaderValue};

use crate::state::DoorState;

/// The header.
pub const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a caller's id; a longer one is replaced.
const CHARS_MAX: usize = 128;

/// The id of a request.
#[must_use]
pub fn of(request: &Request, state: &DoorState) -> HeaderValue {
    match request.headers().get(NAME) {
        Some(given) if is_plain(given.as_bytes()) => given.clone(),
        Some(_) | None => fresh(state.next_request()),
    }
}

fn is_plain(id: &[u8]) -> bool {
    (1..=CHARS_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn fresh((process, number): (u64, u64)) -> HeaderValue {
    let id = format!("req_{process:016x}{number:010x}");
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("req_unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ours_are_plain_and_differ() {
        let (one, two) = (fresh((7, 1)), fresh((7, 2)));
        assert_ne!(one, two);
        assert!(is_plain(one.as_bytes()));
    }

    #[test]
    fn a_caller_s_id_must_be_short_and_printable() {
        assert!(is_plain(b"abc-123"));
        assert!(!is_plain(b""));
        assert!(!is_plain(b"a b"));
        assert!(!is_plain(&[b'a'; CHARS_MAX + 1]));
    }
}
