//! Clojure's `=` on two sorted maps or two sorted sets.

use super::equal::equal_at;
use super::hashing::hash_at;
use super::items;
use super::walk::Walk;
use crate::coll::sorted;
use crate::error::Result;
use crate::slab::mapping::Reader;

/// Are the entries of `a` and `b` equal? In one order they are met in pairs. Otherwise nobody may be here to compare by either
/// order, so those of `b` are found by their hashes.
#[inline(never)]
pub(super) fn equal_sorted(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    if sorted::order(r, a)? != sorted::order(r, b)? {
        return equal_by_hash(r, a, b, depth, walk);
    }
    for pair in items(r, a)?.zip(items(r, b)?) {
        walk.step();
        let (x, y) = (pair.0?, pair.1?);
        if !equal_at(r, x.0, y.0, depth, walk)? || !equal_at(r, x.1, y.1, depth, walk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[inline(never)]
fn equal_by_hash(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    let index = index(r, b, walk)?;
    for item in items(r, a)? {
        walk.step();
        let (key, value) = item?;
        let hash = hash_at(r, key, 0, walk)?;
        let first = index.partition_point(|e| e.0 < hash);
        let mut found = None;
        for &(_, k, v) in index[first..].iter().take_while(|e| e.0 == hash) {
            if equal_at(r, k, key, depth, walk)? {
                found = Some(v);
                break;
            }
        }
        match found {
            Some(other) if equal_at(r, value, other, depth, walk)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The entries of a map or set with the hashes of their keys, by hash.
#[inline(never)]
fn index(r: Reader, coll: u64, walk: &mut Walk) -> Result<Box<[(u32, u64, u64)]>> {
    let mut index = Vec::new();
    for item in items(r, coll)? {
        walk.step();
        let (key, value) = item?;
        index.push((hash_at(r, key, 0, walk)?, key, value));
    }
    index.sort_unstable();
    Ok(index.into())
}
