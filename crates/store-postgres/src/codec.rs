//! Columns and nouns: closed enums as small numbers, lists and attempts as compact bytes.
//!
//! The numbers stand in databases out there: never give one of them another meaning.

use bytes::Bytes;
use hookyard_domain::attempt::{Attempt, OutcomeKind, Trigger};
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::{DisabledReason, EndpointNo, EndpointStatus};
use hookyard_domain::headers::Headers;
use hookyard_domain::job::JobStatus;
use hookyard_domain::source::SourceStatus;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Target;

/// A `u64` as PostgreSQL keeps it. Every number of ours is far below 2^63.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A `u32` as PostgreSQL keeps it: its sequences and our counts end at 2^31.
pub(crate) fn no(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// The way back of [`no`].
pub(crate) fn uno(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// The way back of [`int`].
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Milliseconds as a time.
pub(crate) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

pub(crate) const PENDING: i16 = 0;
pub(crate) const SUCCEEDED: i16 = 1;

pub(crate) fn status_code(status: DeliveryStatus) -> i16 {
    match status {
        // Only the engine knows what is under way; to the store it waits.
        DeliveryStatus::Pending | DeliveryStatus::Sending => PENDING,
        DeliveryStatus::Succeeded => SUCCEEDED,
        DeliveryStatus::Failed => 2,
        DeliveryStatus::Cancelled => 3,
        DeliveryStatus::Discarded => 4,
    }
}

pub(crate) fn status(code: i16) -> Option<DeliveryStatus> {
    Some(match code {
        PENDING => DeliveryStatus::Pending,
        SUCCEEDED => DeliveryStatus::Succeeded,
        2 => DeliveryStatus::Failed,
        3 => DeliveryStatus::Cancelled,
        4 => DeliveryStatus::Discarded,
        _ => return None,
    })
}

pub(crate) fn reason_code(reason: EndReason) -> i16 {
    match reason {
        EndReason::Exhausted => 1,
        EndReason::Terminal => 2,
        EndReason::Cancelled => 3,
        EndReason::EndpointDisabled => 4,
        EndReason::EndpointPending => 5,
        EndReason::EndpointDeleted => 6,
    }
}

pub(crate) fn reason(code: i16) -> Option<EndReason> {
    Some(match code {
        1 => EndReason::Exhausted,
        2 => EndReason::Terminal,
        3 => EndReason::Cancelled,
        4 => EndReason::EndpointDisabled,
        5 => EndReason::EndpointPending,
        6 => EndReason::EndpointDeleted,
        _ => return None,
    })
}

pub(crate) fn trigger_code(trigger: Trigger) -> i16 {
    match trigger {
        Trigger::Automatic => 0,
        Trigger::Manual => 1,
        Trigger::Test => 2,
    }
}

pub(crate) fn trigger(code: i16) -> Option<Trigger> {
    Some(match code {
        0 => Trigger::Automatic,
        1 => Trigger::Manual,
        2 => Trigger::Test,
        _ => return None,
    })
}

fn outcome_code(outcome: OutcomeKind) -> u64 {
    match outcome {
        OutcomeKind::Succeeded => 0,
        OutcomeKind::HttpError => 1,
        OutcomeKind::Timeout => 2,
        OutcomeKind::Connect => 3,
        OutcomeKind::Tls => 4,
        OutcomeKind::Dns => 5,
        OutcomeKind::Blocked => 6,
        OutcomeKind::TooLarge => 7,
    }
}

fn outcome(code: u64) -> Option<OutcomeKind> {
    Some(match code {
        0 => OutcomeKind::Succeeded,
        1 => OutcomeKind::HttpError,
        2 => OutcomeKind::Timeout,
        3 => OutcomeKind::Connect,
        4 => OutcomeKind::Tls,
        5 => OutcomeKind::Dns,
        6 => OutcomeKind::Blocked,
        7 => OutcomeKind::TooLarge,
        _ => return None,
    })
}

pub(crate) fn endpoint_status_code(status: EndpointStatus) -> i16 {
    match status {
        EndpointStatus::Pending => 0,
        EndpointStatus::Active => 1,
        EndpointStatus::Paused => 2,
        EndpointStatus::Disabled => 3,
    }
}

pub(crate) fn endpoint_status(code: i16) -> Option<EndpointStatus> {
    Some(match code {
        0 => EndpointStatus::Pending,
        1 => EndpointStatus::Active,
        2 => EndpointStatus::Paused,
        3 => EndpointStatus::Disabled,
        _ => return None,
    })
}

pub(crate) fn source_status_code(status: SourceStatus) -> i16 {
    match status {
        SourceStatus::Active => 0,
        SourceStatus::Paused => 1,
        SourceStatus::Disabled => 2,
    }
}

pub(crate) fn source_status(code: i16) -> Option<SourceStatus> {
    Some(match code {
        0 => SourceStatus::Active,
        1 => SourceStatus::Paused,
        2 => SourceStatus::Disabled,
        _ => return None,
    })
}

pub(crate) fn disabled_code(reason: DisabledReason) -> i16 {
    match reason {
        DisabledReason::Manual => 0,
        DisabledReason::Gone => 1,
        DisabledReason::Failures => 2,
        DisabledReason::VerificationFailed => 3,
    }
}

pub(crate) fn disabled(code: i16) -> Option<DisabledReason> {
    Some(match code {
        0 => DisabledReason::Manual,
        1 => DisabledReason::Gone,
        2 => DisabledReason::Failures,
        3 => DisabledReason::VerificationFailed,
        _ => return None,
    })
}

pub(crate) const RUNNING: i16 = 0;

pub(crate) fn job_status_code(status: JobStatus) -> i16 {
    match status {
        JobStatus::Running => RUNNING,
        JobStatus::Done => 1,
        JobStatus::Cancelled => 2,
        JobStatus::Failed => 3,
    }
}

pub(crate) fn job_status(code: i16) -> Option<JobStatus> {
    Some(match code {
        RUNNING => JobStatus::Running,
        1 => JobStatus::Done,
        2 => JobStatus::Cancelled,
        3 => JobStatus::Failed,
        _ => return None,
    })
}

/// Appends a number in as few bytes as it needs.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes with their length before them.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a number that may be negative.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads what [`put`] and its like have written.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some(((value >> 1) as i64) ^ -((value & 1) as i64))
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let long = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(long)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.bytes()?).ok()?.to_owned())
    }

    pub(crate) fn headers(&mut self) -> Option<Headers> {
        let many = usize::try_from(self.number()?).ok()?;
        let mut headers = Vec::with_capacity(many.min(self.0.len()));
        for _ in 0..many {
            headers.push((self.text()?, self.text()?));
        }
        Some(Headers(headers))
    }
}

pub(crate) fn put_headers(out: &mut Vec<u8>, headers: &Headers) {
    put(out, headers.0.len() as u64);
    for (name, value) in &headers.0 {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

/// Whom an event is owed to: each target's endpoint, and in its low bits why it was discarded at once.
pub(crate) fn targets_to_bytes(targets: &[Target]) -> Vec<u8> {
    let mut out = Vec::with_capacity(targets.len() * 3);
    for target in targets {
        let discarded = target.discarded.map_or(0, reason_code) as u64;
        put(&mut out, (u64::from(target.endpoint.0) << 3) | discarded);
    }
    out
}

pub(crate) fn targets(bytes: &[u8]) -> Option<Vec<Target>> {
    let mut input = Input(bytes);
    let mut targets = Vec::new();
    while !input.is_empty() {
        let value = input.number()?;
        let endpoint = EndpointNo(u32::try_from(value >> 3).ok()?);
        let discarded = match value & 7 {
            0 => None,
            code => Some(reason(code as i16)?),
        };
        targets.push(Target { endpoint, discarded });
    }
    Some(targets)
}

const ATTEMPT_FORM: u64 = 1;

/// One attempt as it is kept.
pub(crate) fn attempt_to_bytes(attempt: &Attempt) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + attempt.response_body.len());
    put(&mut out, ATTEMPT_FORM);
    put(&mut out, u64::from(attempt.number));
    put_signed(&mut out, attempt.started_at.as_millis());
    put(&mut out, u64::from(attempt.took_ms));
    put(&mut out, outcome_code(attempt.outcome));
    put(&mut out, trigger_code(attempt.trigger) as u64);
    put(&mut out, attempt.status_code.map_or(0, |code| u64::from(code) + 1));
    match &attempt.error {
        None => put(&mut out, 0),
        Some(error) => {
            put(&mut out, 1);
            put_bytes(&mut out, error.as_bytes());
        }
    }
    put_headers(&mut out, &attempt.request_headers);
    put_headers(&mut out, &attempt.response_headers);
    put_bytes(&mut out, &attempt.response_body);
    out
}

pub(crate) fn attempt(bytes: &[u8]) -> Option<Attempt> {
    let mut input = Input(bytes);
    if input.number()? != ATTEMPT_FORM {
        return None;
    }
    Some(Attempt {
        number: u32::try_from(input.number()?).ok()?,
        started_at: time(input.signed()?),
        took_ms: u32::try_from(input.number()?).ok()?,
        outcome: outcome(input.number()?)?,
        trigger: trigger(i16::try_from(input.number()?).ok()?)?,
        status_code: match input.number()? {
            0 => None,
            code => Some(u16::try_from(code - 1).ok()?),
        },
        error: match input.number()? {
            0 => None,
            _ => Some(input.text()?),
        },
        request_headers: input.headers()?,
        response_headers: input.headers()?,
        response_body: Bytes::copy_from_slice(input.bytes()?),
    })
}

/// Ascending keys as the first one and the distances between them.
pub(crate) fn keys_to_bytes(keys: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(keys.len() * 2 + 8);
    let mut before = 0;
    for key in keys {
        put(&mut out, key.wrapping_sub(before));
        before = *key;
    }
    out
}

pub(crate) fn keys(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut input = Input(bytes);
    let mut keys = Vec::with_capacity(bytes.len());
    let mut before = 0_u64;
    while !input.is_empty() {
        before = before.checked_add(input.number()?)?;
        keys.push(before);
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_read_back() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let mut out = Vec::new();
        numbers.iter().for_each(|number| put(&mut out, *number));
        let mut input = Input(&out);
        for number in numbers {
            assert_eq!(input.number(), Some(number));
        }
        assert_eq!(input.number(), None);
    }

    #[test]
    fn keys_targets_and_attempts_read_back() {
        let list = [5_u64, 6, 4096, 7_000_000_000_000_000];
        assert_eq!(keys(&keys_to_bytes(&list)), Some(list.to_vec()));
        let some = [
            Target { endpoint: EndpointNo(1), discarded: None },
            Target { endpoint: EndpointNo(u32::MAX), discarded: Some(EndReason::EndpointDeleted) },
        ];
        assert_eq!(targets(&targets_to_bytes(&some)), Some(some.to_vec()));
        let one = Attempt {
            number: 3,
            started_at: time(-5),
            took_ms: 17,
            outcome: OutcomeKind::TooLarge,
            status_code: Some(503),
            request_headers: Headers(vec![("a".into(), "b".into()), ("a".into(), String::new())]),
            response_headers: Headers::default(),
            response_body: Bytes::from_static(&[0, 255, 10]),
            error: Some(String::new()),
            trigger: Trigger::Test,
        };
        assert_eq!(attempt(&attempt_to_bytes(&one)), Some(one));
    }

    #[test]
    fn torn_bytes_are_told_from_good_ones() {
        assert_eq!(keys(&[0x80]), None);
        assert_eq!(targets(&[0x87]), None);
        assert_eq!(attempt(&[]), None);
        assert_eq!(attempt(&[9, 1]), None);
    }

    #[test]
    fn every_state_and_reason_has_a_number_of_its_own() {
        for it in DeliveryStatus::ALL.into_iter().filter(|it| *it != DeliveryStatus::Sending) {
            assert_eq!(status(status_code(it)), Some(it));
        }
        for it in SourceStatus::ALL {
            assert_eq!(source_status(source_status_code(it)), Some(it));
        }
        for code in 1..=6 {
            assert_eq!(reason(code).map(reason_code), Some(code));
        }
        for code in 0..=3 {
            assert_eq!(job_status(code).map(job_status_code), Some(code));
            assert_eq!(endpoint_status(code).map(endpoint_status_code), Some(code));
            assert_eq!(disabled(code).map(disabled_code), Some(code));
        }
    }
}
