//! What the store said and is asked for again and again, remembered within a bound.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Answers of the store. Whoever changes a fact forgets it here, at once.
pub(crate) struct Known<K, V> {
    most: usize,
    inner: RwLock<Inner<K, V>>,
}

struct Inner<K, V> {
    map: HashMap<K, V>,
    forgotten: u64,
}

/// How often something was forgotten when the store was asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked(u64);

impl<K: Hash + Eq, V: Clone> Known<K, V> {
    /// Remembers at most `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, inner: RwLock::new(Inner { map: HashMap::new(), forgotten: 0 }) }
    }

    /// What is remembered; else the ticket to hand in with what the store says.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<V, Asked>
    where
        K: Borrow<Q>,
    {
        let inner = self.read();
        inner.map.get(key).cloned().ok_or(Asked(inner.forgotten))
    }

    /// Remembers, unless something was forgotten since the store was asked: its answer may be older than the change.
    pub(crate) fn put(&self, asked: Asked, key: K, value: V) {
        let mut inner = self.write();
        if inner.forgotten != asked.0 {
            return;
        }
        if inner.map.len() >= self.most {
            inner.map.clear();
        }
        inner.map.insert(key, value);
    }

    /// Forgets every entry that `stale` picks.
    pub(crate) fn forget(&self, stale: impl Fn(&K, &V) -> bool) {
        let mut inner = self.write();
        inner.forgotten += 1;
        inner.map.retain(|key, value| !stale(key, value));
    }

    // A panic elsewhere leaves the map whole: it is changed by single calls only.
    fn read(&self) -> RwLockReadGuard<'_, Inner<K, V>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K, V>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(known: &Known<u32, u32>, key: u32) -> Asked {
        known.get(&key).unwrap_err()
    }

    #[test]
    fn an_answer_from_before_a_change_is_not_remembered() {
        let known = Known::new(10);
        let before = asked(&known, 1);
        known.forget(|key, _| *key == 1);
        known.put(before, 1, 7);
        let after = asked(&known, 1);
        known.put(after, 1, 8);
        assert_eq!(known.get(&1).ok(), Some(8));
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let known = Known::new(3);
        for key in 0..100 {
            known.put(asked(&known, key), key, key);
            assert!(known.read().map.len() <= 3);
        }
        assert_eq!(known.get(&99).ok(), Some(99));
    }
}
