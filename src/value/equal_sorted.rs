//! Clojure's `=` on two sorted maps or two sorted sets.

use super::equal::equal_at;
use super::hashing::hash_word;
use super::items;
use crate::coll::sorted;
use crate::error::Result;
use crate::slab::mapping::Reader;
use std::collections::HashMap;

/// Are the entries of `a` and `b`, of which there are as many, equal? In one order they are met in pairs. Otherwise nobody may be here to compare by either
/// order, so those of `b` are found by their hashes.
#[inline(never)]
pub(super) fn equal_sorted(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
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
        let candidates = index.get(&hash_word(r, key)?).map_or(&[][..], Vec::as_slice);
        let mut found = None;
        for other in candidates {
            if equal_at(r, other.0, key, depth)? {
                found = Some(other.1);
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

/// The entries of a map or set by the hashes of their keys.
#[inline(never)]
fn index(r: Reader, coll: u64) -> Result<HashMap<u32, Vec<(u64, u64)>>> {
    let mut index: HashMap<u32, Vec<(u64, u64)>> = HashMap::new();
    for item in items(r, coll)? {
        let entry = item?;
        index.entry(hash_word(r, entry.0)?).or_default().push(entry);
    }
    Ok(index)
}
