//! Clojure's `=` on two sorted maps or two sorted sets.

use super::equal::{differ_at_once, equal_at};
use super::hashing::hash_word;
use super::items;
use crate::coll::sorted;
use crate::error::Result;
use crate::slab::mapping::Reader;

/// Are the entries of `a` and `b` equal? In one order they are met in pairs. Otherwise nobody may be here to compare by either
/// order, so those of `b` are found by their hashes.
#[inline(never)]
pub(super) fn equal_sorted(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    if differ_at_once(r, a, b)? {
        return Ok(false);
    }
    if sorted::order(r, a)? != sorted::order(r, b)? {
        return equal_by_hash(r, a, b, depth);
    }
    for pair in items(r, a)?.zip(items(r, b)?) {
        let (x, y) = (pair.0?, pair.1?);
        if !equal_at(r, x.0, y.0, depth)? || !equal_at(r, x.1, y.1, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[inline(never)]
fn equal_by_hash(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    let index = index(r, b)?;
    for item in items(r, a)? {
        let (key, value) = item?;
        let hash = hash_word(r, key)?;
        let first = index.partition_point(|e| e.0 < hash);
        let mut found = None;
        for &(_, k, v) in index[first..].iter().take_while(|e| e.0 == hash) {
            if equal_at(r, k, key, depth)? {
                found = Some(v);
                break;
            }
        }
        match found {
            Some(other) if equal_at(r, value, other, depth)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The entries of a map or set with the hashes of their keys, by hash.
#[inline(never)]
fn index(r: Reader, coll: u64) -> Result<Box<[(u32, u64, u64)]>> {
    let mut index = Vec::new();
    for item in items(r, coll)? {
        let (key, value) = item?;
        index.push((hash_word(r, key)?, key, value));
    }
    index.sort_unstable();
    Ok(index.into())
}
