//! Clojure's `=` on words.
//!
//! Numbers are equal within their category only: integers of any size, ratios, decimals (by value: `1.0M` is `1.00M`), doubles. A NaN equals
//! nothing but the very same word. A vector equals a list with equal elements. Byte arrays are equal by content.

use super::hashing::{hash_word, known_hash};
use super::number::{self, Number};
use super::word::{kind, Kind};
use super::{bignum, deeper, items, scalar, text};
use crate::coll::{self, map, set};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Reader;

/// Are the values `a` and `b` equal? `Limit` if they are nested too deep.
#[inline]
pub fn equal(r: Reader, a: u64, b: u64) -> Result<bool> {
    equal_at(r, a, b, 0)
}

#[inline]
fn equal_at(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    if a == b {
        return Ok(true);
    }
    if !is_pointer(a) && !is_pointer(b) {
        return Ok(are_equal_constants(a, b) || are_equal_constants(b, a));
    }
    equal_slow(r, a, b, depth)
}

/// The only equal values whose words differ and are no pointers.
#[inline]
fn are_equal_constants(a: u64, b: u64) -> bool {
    matches!((a, b), (ZERO, MINUS_ZERO) | (EMPTY_VECTOR, EMPTY_LIST))
}

/// `a` and `b` are different words, at least one a pointer.
#[inline(never)]
fn equal_slow(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    use Kind::*;
    match (kind(r, a)?, kind(r, b)?) {
        (Vector | List, Vector | List) => equal_sequential(r, a, b, deeper(depth)?),
        (Map, Map) => equal_maps(r, a, b, deeper(depth)?),
        (Set, Set) => equal_sets(r, a, b, deeper(depth)?),
        (x, y) => equal_scalars(r, a, x, b, y),
    }
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
fn equal_sequential(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    if differ_at_once(r, a, b)? {
        return Ok(false);
    }
    for pair in items(r, a)?.zip(items(r, b)?) {
        if !equal_at(r, pair.0?.0, pair.1?.0, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[inline(never)]
fn equal_maps(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    if differ_at_once(r, a, b)? {
        return Ok(false);
    }
    let hashed = uses_hashes(r, b)?;
    for item in items(r, a)? {
        let (key, value) = item?;
        match map_value(r, b, hashed, key, depth)? {
            Some(other) if equal_at(r, value, other, depth)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Does a look-up in map `m` need the key's hash?
fn uses_hashes(r: Reader, m: u64) -> Result<bool> {
    Ok(is_pointer(m) && r.node(m)?.kind() == MAP)
}

#[inline(never)]
fn map_value(r: Reader, m: u64, hashed: bool, key: u64, depth: usize) -> Result<Option<u64>> {
    let hash = if hashed { hash_word(r, key)? } else { 0 };
    map::get_with(r, m, hash, |k| equal_at(r, k, key, depth))
}

#[inline(never)]
fn equal_sets(r: Reader, a: u64, b: u64, depth: usize) -> Result<bool> {
    if differ_at_once(r, a, b)? {
        return Ok(false);
    }
    for item in items(r, a)? {
        if !set_has(r, b, item?.0, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[inline(never)]
fn set_has(r: Reader, s: u64, key: u64, depth: usize) -> Result<bool> {
    let hash = hash_word(r, key)?;
    Ok(set::get_with(r, s, hash, |k| equal_at(r, k, key, depth))?.is_some())
}
