//! Requests that carry an `Idempotency-Key`: what was answered the first time is answered again.
//!
//! Publishing one event does without: its key goes into the commit.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hookyard_domain::limit;
use hookyard_rules::keys;
use hookyard_store::memory::{Recalled, ReplyKey};

use crate::{App, AppError, Caller};

const POINTER: &str = "Idempotency-Key";

/// An `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// From the header's value, bare or in quotes (standards.md §2.4).
    pub fn from_header(value: &[u8]) -> Result<Self, AppError> {
        let bad = |message: &str| AppError::invalid(POINTER, "bad_idempotency_key", message);
        let text = std::str::from_utf8(value)
            .map_err(|_| bad("use printable ASCII characters"))?
            .trim_matches([' ', '\t']);
        let text = match text.strip_prefix('"') {
            None => text.to_owned(),
            Some(rest) => {
                let quoted = rest.strip_suffix('"').and_then(unescaped);
                quoted.ok_or_else(|| bad("the quotes do not match"))?
            }
        };
        if text.is_empty() || text.len() > limit::PUBLISHER_ID_CHARS_MAX {
            let most = limit::PUBLISHER_ID_CHARS_MAX;
            return Err(bad(&format!("use 1 to {most} characters")));
        }
        if !text.bytes().all(|it| it == b' ' || it.is_ascii_graphic()) {
            return Err(bad("use printable ASCII characters"));
        }
        Ok(Self(text))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// The inside of a structured-field string (RFC 9651 §3.3.3).
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().filter(|it| matches!(it, '"' | '\\'))?),
            '"' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// What makes two requests the same: method, path, body.
#[must_use]
pub fn request_hash(parts: &[&[u8]]) -> [u8; 32] {
    keys::content_hash(parts)
}

/// What to do with a request that carries a key.
#[derive(Debug)]
pub enum Begin {
    /// Do it, then finish or abandon the ticket.
    Execute(Ticket),
    /// It was done; this was the reply.
    Replay(Vec<u8>),
}

/// A key that was taken. When it is dropped, because its request was broken off, nobody knows what came of the request:
/// that is noted before the next key is taken.
pub struct Ticket {
    key: Option<ReplyKey>,
    orphans: Arc<Mutex<Vec<ReplyKey>>>,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({:?})", self.key)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.orphans.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        }
    }
}

impl App {
    /// Takes a key for a request.
    pub async fn idempotent_begin(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        request: [u8; 32],
    ) -> Result<Begin, AppError> {
        self.lose_orphans().await?;
        // Each API key has its own: a reply may hold what another key of the tenant may not see. It also keeps the
        // operator apart from a tenant that is called `operator`.
        let key = format!("{}:{}", caller.actor(), key.0);
        let key = ReplyKey { owner: caller.owner().to_owned(), key };
        let now = self.now();
        let expired_before = now.minus(limit::IDEMPOTENCY_KEPT);
        match self.store().recall(&key, request, now, expired_before).await? {
            Recalled::Fresh => {
                let orphans = Arc::clone(&self.0.orphans);
                Ok(Begin::Execute(Ticket { key: Some(key), orphans }))
            }
            Recalled::OtherRequest => Err(AppError::KeyReused),
            Recalled::Running => Err(AppError::StillRunning),
            Recalled::Unknown => Err(outcome_unknown()),
            Recalled::Replied(sealed) => {
                match self.0.parts.keyring.open(&sealed, place(&key).as_bytes()) {
                    Ok(reply) => Ok(Begin::Replay(reply.to_vec())),
                    Err(error) => {
                        tracing::warn!(%error, "a remembered answer cannot be opened any more");
                        Err(outcome_unknown())
                    }
                }
            }
        }
    }

    /// Keeps the reply, sealed, since it may hold a secret that is shown once.
    pub async fn idempotent_finish(
        &self,
        mut ticket: Ticket,
        reply: &[u8],
    ) -> Result<(), AppError> {
        let Some(key) = ticket.key.clone() else { return Ok(()) };
        let sealed = self.seal(reply, place(&key).as_bytes());
        self.store().remember(&key, sealed).await?;
        ticket.key = None;
        Ok(())
    }

    /// Gives a key back: the request failed in a way that may be tried again.
    pub async fn idempotent_abandon(&self, mut ticket: Ticket) -> Result<(), AppError> {
        let Some(key) = ticket.key.clone() else { return Ok(()) };
        self.store().forget(&key).await?;
        ticket.key = None;
        Ok(())
    }

    async fn lose_orphans(&self) -> Result<(), AppError> {
        loop {
            let orphan = self.0.orphans.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(key) = orphan else { return Ok(()) };
            // Held as a ticket meanwhile, so that it is not lost if the store fails.
            let orphans = Arc::clone(&self.0.orphans);
            let mut ticket = Ticket { key: Some(key.clone()), orphans };
            self.store().lose(&key).await?;
            ticket.key = None;
        }
    }
}

/// Never done again by itself: it may have been done.
fn outcome_unknown() -> AppError {
    AppError::conflict(
        "idempotency_outcome_unknown",
        "the first request with this `Idempotency-Key` was broken off, and whether it was done is not known; look \
         whether it was, and use a new key if it has to be done (again)",
    )
}

/// Where a sealed reply belongs.
fn place(key: &ReplyKey) -> String {
    format!("reply\n{}\n{}", key.owner, key.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, want: Option<&str>) {
        let got = IdempotencyKey::from_header(value.as_bytes()).ok();
        assert_eq!(got.as_ref().map(IdempotencyKey::as_str), want, "{value:?}");
    }

    #[test]
    fn a_key_reads_the_same_bare_and_in_quotes() {
        check("8e03978e-40d5", Some("8e03978e-40d5"));
        check("\"8e03978e-40d5\"", Some("8e03978e-40d5"));
        check("  spaced out ", Some("spaced out"));
        check(r#""a\"b\\c""#, Some(r#"a"b\c"#));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["", "\"\"", "\"", "\"open", r#""a\n""#, r#""a"b""#, "ä", "tab\tbed"] {
            check(bad, None);
        }
        check(&"k".repeat(255), Some(&"k".repeat(255)));
        check(&"k".repeat(256), None);
        assert!(IdempotencyKey::from_header(&[0xff]).is_err());
    }
}
