//! The bytes that are published and delivered: an event's `data` carries its sequence number, so that
//! the sink can say which publish an arrival belongs to without parsing JSON.

use std::io::Write as _;
use std::ops::Range;

use bytes::Bytes;

/// The smallest `data` that has room for any sequence number.
pub(super) const PAYLOAD_BYTES_MIN: usize = 48;

const SEQ_MARK: &[u8] = b"\"seq\":";

/// Makes bodies of one size.
#[derive(Debug)]
pub(super) struct Payload {
    pad: Vec<u8>,
    payload_bytes: usize,
}

impl Payload {
    /// `data` objects of exactly `payload_bytes`.
    pub(super) fn new(payload_bytes: usize) -> Self {
        // Not one repeated letter, so that a store that compresses is not flattered.
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let pad = (0..payload_bytes)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                letters[usize::from((state >> 33) as u8 & 63)]
            })
            .collect();
        Self { pad, payload_bytes }
    }

    /// The body of a native publish request.
    pub(super) fn publish(&self, seq: u64) -> Bytes {
        let mut body = Vec::with_capacity(self.payload_bytes + 64);
        self.put_event(&mut body, seq);
        Bytes::from(body)
    }

    /// The body of a native batch request.
    pub(super) fn batch(&self, seqs: Range<u64>) -> Bytes {
        let count = usize::try_from(seqs.end - seqs.start).unwrap_or(0);
        let mut body = Vec::with_capacity((self.payload_bytes + 64) * count);
        for seq in seqs {
            body.push(if body.is_empty() { b'[' } else { b',' });
            self.put_event(&mut body, seq);
        }
        body.push(b']');
        Bytes::from(body)
    }

    /// A body as the gateway's standard profile would deliver it.
    pub(super) fn delivery(&self, seq: u64) -> Bytes {
        let mut body = Vec::with_capacity(self.payload_bytes + 96);
        body.extend_from_slice(
            br#"{"type":"bench.event","timestamp":"2026-01-01T00:00:00.000Z","data":"#,
        );
        self.put_data(&mut body, seq);
        body.push(b'}');
        Bytes::from(body)
    }

    fn put_event(&self, body: &mut Vec<u8>, seq: u64) {
        body.extend_from_slice(br#"{"type":"bench.event","data":"#);
        self.put_data(body, seq);
        body.push(b'}');
    }

    fn put_data(&self, body: &mut Vec<u8>, seq: u64) {
        let start = body.len();
        // Writing to a Vec cannot fail.
        let _ = write!(body, r#"{{"seq":{seq},"pad":""#);
        let pad_bytes = self.payload_bytes.saturating_sub(body.len() - start + 2);
        body.extend_from_slice(&self.pad[..pad_bytes]);
        body.extend_from_slice(br#""}"#);
    }
}

/// The sequence number in a body, found by its mark.
pub(super) fn find_seq(body: &[u8]) -> Option<u64> {
    let at = body.windows(SEQ_MARK.len()).position(|window| window == SEQ_MARK)?;
    let rest = body[at + SEQ_MARK.len()..].trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    let mut seq = None;
    for digit in digits {
        let before: u64 = seq.unwrap_or(0);
        seq = Some(before.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?);
    }
    seq
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_has_the_asked_size_and_is_json() {
        let payload = Payload::new(600);
        for seq in [0, 7, 99_999, 60_000_000] {
            let event: serde_json::Value = serde_json::from_slice(&payload.publish(seq)).unwrap();
            assert_eq!(serde_json::to_vec(&event["data"]).unwrap().len(), 600);
            assert_eq!(event["data"]["seq"], seq);
            let sent: serde_json::Value = serde_json::from_slice(&payload.delivery(seq)).unwrap();
            assert_eq!(sent["data"], event["data"]);
        }
    }

    #[test]
    fn a_batch_holds_each_number_once() {
        let body = Payload::new(PAYLOAD_BYTES_MIN).batch(5..8);
        let events: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        let seqs: Vec<u64> = events.iter().map(|e| e["data"]["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [5, 6, 7]);
    }

    #[test]
    fn the_number_is_found_however_the_body_is_spaced() {
        assert_eq!(find_seq(br#"{"data":{"seq":42,"pad":"x"}}"#), Some(42));
        assert_eq!(find_seq(br#"{"data":{"pad":"x","seq": 7 }}"#), Some(7));
        assert_eq!(find_seq(br#"{"data":{"seq":"a"}}"#), None);
        assert_eq!(find_seq(b"{}"), None);
    }
}
