//! A tally in few bytes, as every adapter may keep it: numbers of seven bits a byte, the histograms by their steps.

use hookyard_domain::statistics::{CodeClass, Histogram, OUTCOMES, Tally};

/// The first byte: what follows is written as below.
const FORM: u8 = 1;

/// Writes a tally.
#[must_use]
pub fn tally_to_bytes(tally: &Tally) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(FORM);
    for number in [tally.events, tally.succeeded, tally.failed, tally.discarded, tally.retried] {
        put(&mut out, number);
    }
    for number in tally.outcomes.iter().chain(&tally.codes) {
        put(&mut out, *number);
    }
    for histogram in [&tally.delivery_time, &tally.response_time] {
        put(&mut out, histogram.buckets().len() as u64);
        for (bucket, count) in histogram.buckets() {
            out.push(*bucket);
            put(&mut out, *count);
        }
    }
    out
}

/// Reads one; `None` when it was not written here.
#[must_use]
pub fn tally(bytes: &[u8]) -> Option<Tally> {
    let mut rest = bytes.strip_prefix(&[FORM])?;
    let from = &mut rest;
    let mut tally = Tally {
        events: take(from)?,
        succeeded: take(from)?,
        failed: take(from)?,
        discarded: take(from)?,
        retried: take(from)?,
        ..Tally::default()
    };
    let mut outcomes = [0; OUTCOMES];
    let mut codes = [0; CodeClass::COUNT];
    for number in outcomes.iter_mut().chain(&mut codes) {
        *number = take(from)?;
    }
    (tally.outcomes, tally.codes) = (outcomes, codes);
    tally.delivery_time = histogram(from)?;
    tally.response_time = histogram(from)?;
    rest.is_empty().then_some(tally)
}

fn histogram(from: &mut &[u8]) -> Option<Histogram> {
    let many = take(from)?;
    let mut buckets = Vec::new();
    for _ in 0..many {
        let (bucket, rest) = from.split_first()?;
        *from = rest;
        buckets.push((*bucket, take(from)?));
    }
    Histogram::from_buckets(buckets)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn full() -> Tally {
        let mut tally = Tally {
            events: u64::MAX,
            succeeded: 300,
            failed: 2,
            discarded: 0,
            retried: 127,
            outcomes: [1, 2, 3, 4, 5, 6, 7, 128],
            codes: [9, 8, 7, 6, 5, 4],
            ..Tally::default()
        };
        for ms in [0, 7, 8, 250, 86_400_000] {
            tally.delivery_time.count(Duration::from_millis(ms));
            tally.response_time.count(Duration::from_millis(ms / 2));
        }
        tally
    }

    #[test]
    fn a_tally_reads_back_as_it_was_written() {
        for one in [Tally::default(), full()] {
            assert_eq!(tally(&tally_to_bytes(&one)), Some(one));
        }
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_no_tally() {
        let bytes = tally_to_bytes(&full());
        for at in 0..bytes.len() {
            assert_eq!(tally(&bytes[..at]), None, "{at}");
        }
        assert_eq!(tally(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(tally(&[2, 0]), None);
    }
}
