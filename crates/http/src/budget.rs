//! Memory for what anybody may send: counted over the whole process, so that strangers together cannot fill it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of bodies without a key that are held at once. A body counts while it is being read and until it is answered.
pub(crate) const KEYLESS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The same for bodies whose URL does not even name a source. They have memory of their own: whoever knows no source's id
/// shall not hold up those who do.
pub(crate) const UNNAMED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What is left for bodies. Cheap to clone; all clones are one budget.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: Arc<AtomicUsize>,
}

/// What one body takes of it, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Budget,
    held: usize,
}

/// There is nothing left for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more is being received at the moment than fits into memory")]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// A share of nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { of: self.clone(), held: 0 }
    }
}

impl Share {
    /// Holds so many bytes in all, at least; what is held is kept.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let Some(more) = bytes.checked_sub(self.held) else { return Ok(()) };
        let left = &self.of.left;
        let take = |left: usize| left.checked_sub(more);
        left.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).map_err(|_| Exhausted)?;
        self.held = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.left.fetch_add(self.held, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_together_never_hold_more_than_there_is_and_give_it_back() {
        let budget = Budget::new(10);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert_eq!(one.hold(6), Ok(()));
        assert_eq!(one.hold(4), Ok(()), "it has that already");
        assert_eq!(two.hold(5), Err(Exhausted));
        assert_eq!(two.hold(4), Ok(()));
        assert_eq!(one.hold(7), Err(Exhausted));
        drop(two);
        assert_eq!(one.hold(10), Ok(()));
        drop(one);
        assert_eq!(budget.share().hold(10), Ok(()));
    }
}
