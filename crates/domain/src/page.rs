//! Pages of lists: how many, from where, and what comes next.

/// How much of a list is wanted, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many, 1 to [`crate::limit::PAGE_MAX`].
    pub limit: u32,
    /// Where the page before ended; opaque to callers.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page of `limit` rows.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { limit, cursor: None }
    }
}

/// A place in a list: two numbers in the list's own order. Each list reads them in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub u64, pub u64);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:x}", self.0, self.1)
    }
}

/// The text is no cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a list of ours answered")]
pub struct BadCursor;

impl std::str::FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (head, tail) = text.split_at_checked(16).ok_or(BadCursor)?;
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit());
            plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten().ok_or(BadCursor)
        };
        Ok(Self(number(head)?, number(tail)?))
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, newest first.
    pub rows: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page with each row turned into something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_does_not() {
        let cursor = Cursor(u64::MAX, 7);
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in [
            "",
            "12",
            "zzzzzzzzzzzzzzzz1",
            "0000000000000000",
            "+000000000000000+1",
            "🦀🦀🦀🦀🦀🦀",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
        }
    }
}
