//! Clojure's `compare`: the natural order of values.
//!
//! nil comes first. Numbers compare by value across their types: beside a double as doubles (so a NaN is neither less nor greater than any number),
//! else exactly. Strings compare by UTF-16 units; keywords and symbols by namespace (none comes first), then name; vectors by length, then element by
//! element. A value that is beside one of another kind, or of a kind that has no order, is an error, as it is in Clojure.
//!
//! One answer more than Clojure gives: a ratio beside a decimal is compared exactly, also if its decimal expansion doesn't end.

use super::number::{self, Number};
use super::walk::Walk;
use super::word::{self, kind, Kind};
use super::{bignum, deeper, items, scalar, symbol, text};
use crate::coll;
use crate::coll::vector::{self, Leaf};
use crate::error::{Error, Result};
use crate::slab::mapping::Reader;
use std::cmp::Ordering;

/// Order of the values `a` and `b`. `Type` if they have none, `Limit` if they are nested too deep.
#[inline(always)]
pub fn compare(r: Reader, a: u64, b: u64) -> Result<Ordering> {
    // Integers: their words are in the same order.
    if a & b & 1 == 1 {
        return Ok((a as i64).cmp(&(b as i64)));
    }
    compare_values(r, a, b)
}

#[inline(never)]
fn compare_values(r: Reader, a: u64, b: u64) -> Result<Ordering> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    match (kind(r, a)?, kind(r, b)?) {
        (Kind::Vector, Kind::Vector) => compare_vectors(r, a, b, 0, &mut Walk::default()),
        (x, y) => compare_scalars(r, a, x, b, y),
    }
}

/// [`compare_values`] in a walk.
#[inline]
fn compare_at(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<Ordering> {
    walk.step();
    if a & b & 1 == 1 {
        return Ok((a as i64).cmp(&(b as i64)));
    }
    if a == b {
        return Ok(Ordering::Equal);
    }
    match (kind(r, a)?, kind(r, b)?) {
        (Kind::Vector, Kind::Vector) => compare_vectors(r, a, b, depth, walk),
        (x, y) => compare_scalars(r, a, x, b, y),
    }
}

#[inline(never)]
fn compare_vectors(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<Ordering> {
    let by_count = coll::count(r, a)?.cmp(&coll::count(r, b)?);
    // Of what shares parts, those that are equal would be met again and again.
    if by_count.is_ne() || walk.are_equal(a, b).is_some() {
        return Ok(by_count);
    }
    let (start, depth) = (walk.steps(), deeper(depth)?);
    let order = match (vector::only_leaf(r, a)?, vector::only_leaf(r, b)?) {
        (Some(x), Some(y)) => compare_leaves(r, x, y, depth, walk)?,
        _ => compare_items(r, a, b, depth, walk)?,
    };
    if order.is_eq() {
        walk.compared(start, a, b, true);
    }
    Ok(order)
}

/// Short vectors, of as many elements: the most frequent kind of key that is no scalar.
#[inline(always)]
fn compare_leaves(r: Reader, x: Leaf, y: Leaf, depth: usize, walk: &mut Walk) -> Result<Ordering> {
    for i in 0..x.len {
        let order = compare_at(r, x.get(i), y.get(i), depth, walk)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

#[inline(never)]
fn compare_items(r: Reader, a: u64, b: u64, depth: usize, walk: &mut Walk) -> Result<Ordering> {
    for pair in items(r, a)?.zip(items(r, b)?) {
        let order = compare_at(r, pair.0?.0, pair.1?.0, depth, walk)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

#[inline(never)]
fn compare_scalars(r: Reader, a: u64, kind_a: Kind, b: u64, kind_b: Kind) -> Result<Ordering> {
    use Kind::*;
    Ok(match (kind_a, kind_b) {
        (Nil, _) => Ordering::Less,
        (_, Nil) => Ordering::Greater,
        (Int, Int) => number::as_i64(r, a)?.cmp(&number::as_i64(r, b)?),
        (x, y) if is_number(x) && is_number(y) => return compare_numbers(r, a, b),
        (String, String) => return text::compare(r, a, b),
        (Keyword, Keyword) | (Symbol, Symbol) => return symbol::compare(r, a, b),
        (Bool, Bool) => word::to_bool(a).cmp(&word::to_bool(b)),
        (Char, Char) => word::char_unit(a).cmp(&word::char_unit(b)),
        (Uuid, Uuid) => {
            let signed = |(high, low): (u64, u64)| (high as i64, low as i64);
            signed(scalar::uuid(r, a)?).cmp(&signed(scalar::uuid(r, b)?))
        }
        (Date, Date) => scalar::date(r, a)?.cmp(&scalar::date(r, b)?),
        (Instant, Instant) => scalar::instant(r, a)?.cmp(&scalar::instant(r, b)?),
        (x, y) => return Err(no_order(x, y)),
    })
}

/// `Type` if no value compares with `word`, which could be the only one of a collection.
pub fn check_comparable(r: Reader, word: u64) -> Result<()> {
    match kind(r, word)? {
        k @ (Kind::Map | Kind::Set | Kind::List | Kind::Bytes) => Err(no_order(k, k)),
        _ => Ok(()),
    }
}

#[cold]
fn no_order(a: Kind, b: Kind) -> Error {
    Error::type_(format!("can't compare {} with {}", name(a), name(b)))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Nil => "nil",
        Kind::Bool => "a boolean",
        Kind::Int => "an integer",
        Kind::Double => "a double",
        Kind::Char => "a char",
        Kind::String => "a string",
        Kind::Keyword => "a keyword",
        Kind::Symbol => "a symbol",
        Kind::BigInt => "a big integer",
        Kind::Ratio => "a ratio",
        Kind::Decimal => "a decimal",
        Kind::Uuid => "a UUID",
        Kind::Date => "a date",
        Kind::Instant => "an instant",
        Kind::Bytes => "a byte array",
        Kind::Map => "a map",
        Kind::Set => "a set",
        Kind::Vector => "a vector",
        Kind::List => "a list",
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Int | Kind::Double | Kind::BigInt | Kind::Ratio | Kind::Decimal
    )
}

fn compare_numbers(r: Reader, a: u64, b: u64) -> Result<Ordering> {
    use Number::*;
    let number =
        |word| number::read(r, word)?.ok_or_else(|| Error::corrupt("a number changed while it was read", word));
    let (x, y) = (number(a)?, number(b)?);
    match (&x, &y) {
        (Double(_), _) | (_, Double(_)) => Ok(to_f64(&x)?.partial_cmp(&to_f64(&y)?).unwrap_or(Ordering::Equal)),
        (Decimal(..), _) | (_, Decimal(..)) => compare_decimals(&x, &y),
        (Ratio(..), _) | (_, Ratio(..)) => {
            let ((n, d), (m, e)) = (fraction(&x)?, fraction(&y)?);
            Ok(bignum::compare(&bignum::multiply(&n, &e), &bignum::multiply(&m, &d)))
        }
        (Int(_) | BigInt(_), Int(_) | BigInt(_)) => Ok(bignum::compare(&fraction(&x)?.0, &fraction(&y)?.0)),
    }
}

/// The double that Clojure takes beside a double.
fn to_f64(number: &Number) -> Result<f64> {
    Ok(match number {
        Number::Int(i) => *i as f64,
        Number::Double(x) => *x,
        Number::BigInt(b) => bignum::to_f64(b),
        Number::Ratio(n, d) => {
            number::check_digits(n)?;
            number::check_digits(d)?;
            bignum::ratio_to_f64(n, d)
        }
        Number::Decimal(unscaled, scale) => bignum::decimal_to_f64(unscaled, *scale),
    })
}

/// Numerator and denominator of what is no double or decimal. Their products take quadratic time, so long ones are refused.
fn fraction(number: &Number) -> Result<(Vec<u8>, Vec<u8>)> {
    let (n, d) = match number {
        Number::Int(i) => (bignum::from_i64(*i), vec![1]),
        Number::BigInt(b) => (b.clone(), vec![1]),
        Number::Ratio(n, d) => {
            number::check_digits(n)?;
            number::check_digits(d)?;
            (n.clone(), d.clone())
        }
        Number::Double(_) | Number::Decimal(..) => unreachable!("compared in another way"),
    };
    Ok((n, d))
}

/// At least one is a decimal, none a double: `u / 10^s` against `n / d` is `u * d / 10^s` against `n`.
fn compare_decimals(x: &Number, y: &Number) -> Result<Ordering> {
    let parts = |number: &Number| match number {
        Number::Decimal(unscaled, scale) => Ok((unscaled.clone(), *scale, vec![1])),
        other => {
            let (n, d) = fraction(other)?;
            number::check_digits(&n)?;
            Ok::<_, Error>((n, 0, d))
        }
    };
    let ((u, s, d), (v, t, e)) = (parts(x)?, parts(y)?);
    Ok(bignum::compare_decimals(
        &bignum::multiply(&u, &e),
        s,
        &bignum::multiply(&v, &d),
        t,
    ))
}
