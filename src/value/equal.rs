//! Clojure's `=` on words.
//!
//! Numbers are equal within their category only: integers of any size, ratios, decimals (by value: `1.0M` is `1.00M`), doubles. A NaN equals
//! nothing but the very same word. A vector equals a list with equal elements. Byte arrays are equal by content.
//! A sorted map or set equals any map or set with equal entries, whatever the orders are: its keys are looked up by hash in the other, never compared. (Clojure
//! compares, if the sorted one comes second: it may find `1` for `1.0`, which has another hash, or fail.)

use super::equal_sorted::equal_sorted;
use super::hashing::{hash_at, hash_word, known_hash};
use super::number::{self, Number};
use super::walk::Walk;
use super::word::{kind, Kind};
use super::{bignum, deeper, items, scalar, text};
use crate::coll::{self, map, set, sorted::is_sorted};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use std::cell::RefCell;

/// Are the values `a` and `b` equal? `Limit` if they are nested too deep.
#[inline]
pub fn equal(r: Reader, a: u64, b: u64) -> Result<bool> {
    match equal_words(a, b) {
        Some(equal) => Ok(equal),
        None => equal_values(r, a, b),
    }
}

/// The answer where the words alone tell it.
#[inline]
fn equal_words(a: u64, b: u64) -> Option<bool> {
    if a == b {
        return Some(true);
    }
    if !is_pointer(a) && !is_pointer(b) {
        return Some(are_equal_constants(a, b) || are_equal_constants(b, a));
    }
    None
}

/// The only equal values whose words differ and are no pointers.
#[inline]
fn are_equal_constants(a: u64, b: u64) -> bool {
    matches!((a, b), (ZERO, MINUS_ZERO) | (EMPTY_VECTOR, EMPTY_LIST))
}

/// `a` and `b` are different words, at least one a pointer.
#[inline(never)]
fn equal_values(r: Reader, a: u64, b: u64) -> Result<bool> {
    let kinds = (kind(r, a)?, kind(r, b)?);
    if are_collections(kinds) {
        return equal_collections(r, a, b, kinds.0, 0, &mut Walk::default());
    }
    equal_scalars(r, a, kinds.0, b, kinds.1)
}

#[inline]
pub(super) fn equal_at(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    match equal_words(a, b) {
        Some(equal) => Ok(equal),
        None => equal_slow(r, a, b, depth, walk),
    }
}

/// [`equal_values`] in a walk.
#[inline(never)]
fn equal_slow(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    let kinds = (kind(r, a)?, kind(r, b)?);
    if are_collections(kinds) {
        return equal_collections(r, a, b, kinds.0, depth, walk);
    }
    equal_scalars(r, a, kinds.0, b, kinds.1)
}

/// Are values of these kinds equal if they have equal elements?
#[inline]
fn are_collections(kinds: (Kind, Kind)) -> bool {
    use Kind::*;
    matches!(kinds, (Vector | List, Vector | List) | (Map, Map) | (Set, Set))
}

/// `kind` is that of `a`. Inlined, to take no frame of its own.
#[inline(always)]
fn equal_collections(r: Reader, a: u64, b: u64, kind: Kind, depth: usize, walk: &mut Walk) -> Result<bool> {
    if differ_at_once(r, a, b)? {
        return Ok(false);
    }
    if let Some(equal) = walk.are_equal(a, b) {
        return Ok(equal);
    }
    let (start, depth) = (walk.steps(), deeper(depth)?);
    let equal = match kind {
        Kind::Map | Kind::Set if is_sorted(r, a)? && is_sorted(r, b)? => equal_sorted(r, a, b, depth, walk)?,
        Kind::Map => equal_maps(r, a, b, depth, walk)?,
        Kind::Set => equal_sets(r, a, b, depth, walk)?,
        _ => equal_sequential(r, a, b, depth, walk)?,
    };
    walk.compared(start, a, b, equal);
    Ok(equal)
}

#[inline(never)]
fn equal_scalars(r: Reader, a: u64, kind_a: Kind, b: u64, kind_b: Kind) -> Result<bool> {
    use Kind::*;
    match (kind_a, kind_b) {
        (Double, Double) => Ok(number::to_f64(r, a)? == number::to_f64(r, b)?),
        (Int, BigInt) => equal_int(r, a, b),
        (BigInt, Int) => equal_int(r, b, a),
        _ if !is_pointer(a) || !is_pointer(b) => Ok(false), // V1
        (Int, Int) => Ok(number::as_i64(r, a)? == number::as_i64(r, b)?),
        (BigInt, BigInt) => {
            let (x, y) = (r.node(a)?, r.node(b)?);
            let len = x.low(1) as usize;
            Ok(x.word(1) == y.word(1) && r.bytes(x, 16, len)?.same(&r.bytes(y, 16, len)?))
        }
        (Ratio, Ratio) | (Decimal, Decimal) => match (number::read(r, a)?, number::read(r, b)?) {
            (Some(Number::Ratio(n, d)), Some(Number::Ratio(m, e))) => Ok(n == m && d == e),
            (Some(Number::Decimal(x, s)), Some(Number::Decimal(y, t))) => Ok(bignum::equal_decimals(&x, s, &y, t)),
            _ => Err(Error::corrupt("a number changed while it was read", a)),
        },
        (String, String) => text::same(r, r.node(a)?, r.node(b)?),
        (Uuid, Uuid) => Ok(scalar::uuid(r, a)? == scalar::uuid(r, b)?),
        (Date, Date) => Ok(scalar::date(r, a)? == scalar::date(r, b)?),
        (Instant, Instant) => Ok(scalar::instant(r, a)? == scalar::instant(r, b)?),
        (Bytes, Bytes) => scalar::same_bytes(r, r.node(a)?, r.node(b)?),
        _ => Ok(false),
    }
}

/// Integer against big integer.
fn equal_int(r: Reader, int: u64, big: u64) -> Result<bool> {
    let node = r.node(big)?;
    if node.low(1) as usize > size_of::<i64>() {
        return Ok(false);
    }
    Ok(bignum::to_i64(&number::integer_bytes(r, big)?) == number::as_i64(r, int)?)
}

/// Can two collections not be equal, by their counts and the hashes that they know?
fn differ_at_once(r: Reader, a: u64, b: u64) -> Result<bool> {
    if coll::count(r, a)? != coll::count(r, b)? {
        return Ok(true);
    }
    if !is_pointer(a) || !is_pointer(b) {
        return Ok(false);
    }
    let (x, y) = (known_hash(r.node(a)?), known_hash(r.node(b)?));
    Ok(x != 0 && y != 0 && x != y)
}

#[inline(never)]
fn equal_sequential(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    for pair in items(r, a)?.zip(items(r, b)?) {
        walk.step();
        if !equal_at(r, pair.0?.0, pair.1?.0, depth, walk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[inline(never)]
fn equal_maps(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    // Looked up by hash in the one that isn't sorted.
    let (a, b) = if is_sorted(r, b)? { (b, a) } else { (a, b) };
    for item in items(r, a)? {
        walk.step();
        let (key, value) = item?;
        let other = if is_collection(r, key)? {
            let found = find_equal(r, candidates(r, b, key, walk)?, key, depth, walk)?;
            found.map_or(Ok(None), |k| map_value(r, b, k, walk))?
        } else {
            map_value(r, b, key, walk)?
        };
        match other {
            Some(other) if equal_at(r, value, other, depth, walk)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

#[inline(never)]
fn equal_sets(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<bool> {
    // Looked up by hash in the one that isn't sorted.
    let (a, b) = if is_sorted(r, b)? { (b, a) } else { (a, b) };
    for item in items(r, a)? {
        walk.step();
        let key = item?.0;
        let found = if is_collection(r, key)? {
            find_equal(r, candidates(r, b, key, walk)?, key, depth, walk)?.is_some()
        } else {
            set_has(r, b, key)?
        };
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_collection(r: Reader, word: u64) -> Result<bool> {
    Ok(matches!(
        kind(r, word)?,
        Kind::Map | Kind::Set | Kind::Vector | Kind::List
    ))
}

/// Value under `key` in map `m`. A collection must be the very word that lies in the map.
#[inline(never)]
fn map_value(r: Reader, m: u64, key: u64, walk: &mut Walk) -> Result<Option<u64>> {
    let nested = is_collection(r, key)?;
    map::get_with(r, m, hash_for(r, m, key, walk)?, |k| {
        if nested {
            Ok(k == key)
        } else {
            equal_leaf(r, k, key)
        }
    })
}

/// Is `key`, which is no collection, in set `s`?
#[inline(never)]
fn set_has(r: Reader, s: u64, key: u64) -> Result<bool> {
    Ok(set::get_with(r, s, hash_word(r, key)?, |k| equal_leaf(r, k, key))?.is_some())
}

/// Are `a` and `b`, which is no collection, equal?
#[inline]
fn equal_leaf(r: Reader, a: u64, b: u64) -> Result<bool> {
    match equal_words(a, b) {
        Some(equal) => Ok(equal),
        None => equal_scalars(r, a, kind(r, a)?, b, kind(r, b)?),
    }
}

/// The keys of a map or set that `key` may be equal to. They are compared later: in the look-up the recursion would stand on the look-up's
/// frames too (V4).
#[inline(never)]
fn candidates(r: Reader, coll: u64, key: u64, walk: &mut Walk) -> Result<Vec<u64>> {
    let found = RefCell::new(Vec::new());
    let collect = |k| {
        found.borrow_mut().push(k);
        Ok(false)
    };
    if is_pointer(coll) && r.node(coll)?.kind() == SET {
        set::get_with(r, coll, hash_at(r, key, 0, walk)?, collect)?;
    } else {
        map::get_with(r, coll, hash_for(r, coll, key, walk)?, collect)?;
    }
    Ok(found.into_inner())
}

/// Hash of `key` for a look-up in map `m`: array maps need none.
fn hash_for(r: Reader, m: u64, key: u64, walk: &mut Walk) -> Result<u32> {
    if is_pointer(m) && r.node(m)?.kind() == MAP {
        return hash_at(r, key, 0, walk);
    }
    Ok(0)
}

/// The first of `keys` that is equal to `key`. Inlined, to take no frame of its own.
#[inline(always)]
fn find_equal(r: Reader, keys: Vec<u64>, key: u64, depth: usize, walk: &mut Walk) -> Result<Option<u64>> {
    for k in keys {
        walk.step();
        if equal_at(r, k, key, depth, walk)? {
            return Ok(Some(k));
        }
    }
    Ok(None)
}
