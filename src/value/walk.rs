//! What a walk over a value remembers. A value of 40 objects can have 2^40 paths, when each vector holds the next one twice; so what is met again is
//! not walked again.

use std::collections::HashMap;
use std::hash::Hash;

/// Steps that make a collection worth remembering. Those of fewer steps are walked again by each path to them, so a walk takes at most so many steps
/// for each place that a collection it meets has, and remembers few of those of a value that shares nothing.
const WORTH: usize = 128;

/// Answers for what has been walked, and the steps made. Nothing may change in the slab meanwhile: it names objects by their words.
#[derive(Debug, Default)]
pub(super) struct Walk {
    steps: usize,
    hashes: HashMap<u64, u32>,
    pairs: HashMap<(u64, u64), bool>,
}

impl Walk {
    /// An element, or a pair of them, is looked at.
    #[inline]
    pub(super) fn step(&mut self) {
        self.steps += 1;
    }

    /// The steps up to now.
    #[inline]
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The hash of a collection that was walked.
    #[inline]
    pub(super) fn hash(&self, word: u64) -> Option<u32> {
        self.hashes.get(&word).copied()
    }

    /// Remembers the hash of a collection whose walk began at step `start`, if it took long.
    #[inline]
    pub(super) fn hashed(&mut self, start: usize, word: u64, hash: u32) {
        if self.steps - start >= WORTH {
            put(&mut self.hashes, word, hash);
        }
    }

    /// Are these collections, which were compared, equal?
    #[inline]
    pub(super) fn are_equal(&self, a: u64, b: u64) -> Option<bool> {
        self.pairs.get(&(a, b)).copied()
    }

    /// Remembers the answer to a comparison that began at step `start`, if it took long.
    #[inline]
    pub(super) fn compared(&mut self, start: usize, a: u64, b: u64, equal: bool) {
        if self.steps - start >= WORTH {
            put(&mut self.pairs, (a, b), equal);
        }
    }
}

// Not inlined: its room must not stand in the frames of the recursion (V4).
#[inline(never)]
fn put<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    map.insert(key, value);
}
