//! Numbers: integers, doubles, big integers, ratios, decimals.
//!
//! An integer that fits 63 bits and a double that fits its word have no object. A big integer stays one even when it is small, as Clojure
//! prints and keeps `5N`; inside ratios and decimals integers have the shortest form.

use super::word::{self, kind, Kind};
use super::{bignum, hash};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use crate::slab::writer::{Writer, PERSISTENT};

/// Bytes of the longest integer that is turned into decimal digits, and of a decimal's: that takes quadratic time (a second or two for these), and a
/// damaged slab may claim an integer as long as itself.
const DIGITS_BYTES_MAX: usize = 128 << 10;

/// `Limit` if the decimal digits of `integer` are too many to be looked at.
pub(super) fn check_digits(integer: &[u8]) -> Result<()> {
    if integer.len() > DIGITS_BYTES_MAX {
        return Err(Error::limit(
            "decimal digits of an integer of more than 1048576 bits: they are neither printed nor a decimal's",
        ));
    }
    Ok(())
}

/// A number, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// Integer in the range of i64.
    Int(i64),
    /// Double.
    Double(f64),
    /// Integer of any size, as `BigInteger.toByteArray`.
    BigInt(Vec<u8>),
    /// Numerator and denominator, as `BigInteger.toByteArray`.
    Ratio(Vec<u8>, Vec<u8>),
    /// `unscaled * 10^-scale`.
    Decimal(Vec<u8>, i32),
}

/// The word of integer `i`.
#[inline]
pub fn make_i64(w: &mut Writer, i: i64) -> Result<u64> {
    match word::from_int(i) {
        Some(word) => Ok(word),
        None => make_boxed(w, I64, i as u64),
    }
}

/// The word of double `x`.
#[inline]
pub fn make_f64(w: &mut Writer, x: f64) -> Result<u64> {
    match word::from_double(x) {
        Some(word) => Ok(word),
        None => make_boxed(w, F64, x.to_bits()),
    }
}

fn make_boxed(w: &mut Writer, kind: u8, bits: u64) -> Result<u64> {
    let node = w.alloc(kind, 16, None, PERSISTENT)?;
    node.set(1, bits);
    Ok(node.offset())
}

/// A big integer. `integer` is as `BigInteger.toByteArray`; longer forms are shortened.
pub fn make_bigint(w: &mut Writer, integer: &[u8]) -> Result<u64> {
    let integer = bignum::minimal(integer);
    let len = u32::try_from(integer.len()).ok().filter(|&n| n <= i32::MAX as u32);
    let Some(len) = len else {
        return Err(Error::limit("a big integer has more than 2147483647 bytes"));
    };
    let size = 16 + integer.len();
    let node = w.alloc(BIGINT, size, None, PERSISTENT)?;
    node.set_halves(1, len, hash::hash_bigint(integer) as u32);
    node.put_bytes(16, integer, size);
    Ok(node.offset())
}

/// An integer in its shortest form: a word, a boxed integer, or a big integer.
fn make_part(w: &mut Writer, integer: &[u8]) -> Result<u64> {
    match bignum::to_i64(integer) {
        Some(i) => make_i64(w, i),
        None => make_bigint(w, integer),
    }
}

/// A ratio. The denominator must be above 1 and have no divisor in common with the numerator: `Arg` if not, as far as both fit 128 bits. For
/// larger parts the caller answers, as it takes long to find out.
pub fn make_ratio(w: &mut Writer, numerator: &[u8], denominator: &[u8]) -> Result<u64> {
    if bignum::compare(denominator, &[1]).is_le() {
        return Err(Error::arg("the denominator of a ratio is not above 1"));
    }
    if let (Some(n), Some(d)) = (bignum::to_i128(numerator), bignum::to_i128(denominator)) {
        if gcd(n.unsigned_abs(), d.unsigned_abs()) != 1 {
            return Err(Error::arg("a ratio is not in lowest terms"));
        }
    }
    let parts = [make_part(w, numerator)?, make_part(w, denominator)?];
    let node = w.alloc(RATIO, 32, None, PERSISTENT)?;
    node.set(1, parts[0]);
    node.set(2, parts[1]);
    node.set(3, 0);
    Ok(node.offset())
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The decimal `unscaled * 10^-scale`. `Limit` if it has too many digits to be hashed.
pub fn make_decimal(w: &mut Writer, unscaled: &[u8], scale: i32) -> Result<u64> {
    check_digits(unscaled)?;
    let part = make_part(w, unscaled)?;
    let node = w.alloc(DECIMAL, 32, None, PERSISTENT)?;
    node.set(1, part);
    node.set(2, scale as u32 as u64);
    node.set(3, 0);
    Ok(node.offset())
}

/// The number at `word`, None if it is something else.
pub fn read(r: Reader, word: u64) -> Result<Option<Number>> {
    Ok(Some(match kind(r, word)? {
        Kind::Int => Number::Int(to_i64(r, word)?),
        Kind::Double => Number::Double(to_f64(r, word)?),
        Kind::BigInt => Number::BigInt(integer_bytes(r, word)?),
        Kind::Ratio => {
            let node = r.node_of(word, RATIO)?;
            Number::Ratio(integer_bytes(r, node.word(1))?, integer_bytes(r, node.word(2))?)
        }
        Kind::Decimal => {
            let node = r.node_of(word, DECIMAL)?;
            let unscaled = integer_bytes(r, node.word(1))?;
            check_digits(&unscaled)?;
            Number::Decimal(unscaled, node.low(2) as i32)
        }
        _ => return Ok(None),
    }))
}

/// The integer at `word` (not a big integer), None if it is something else.
#[inline]
pub fn as_i64(r: Reader, word: u64) -> Result<Option<i64>> {
    if !is_pointer(word) {
        return Ok(word::int(word));
    }
    let node = r.node(word)?;
    Ok((node.kind() == I64).then(|| node.word(1) as i64))
}

/// The double at `word`, None if it is something else.
#[inline]
pub fn as_f64(r: Reader, word: u64) -> Result<Option<f64>> {
    if !is_pointer(word) {
        return Ok(word::double(word));
    }
    let node = r.node(word)?;
    Ok((node.kind() == F64).then(|| f64::from_bits(node.word(1))))
}

/// The integer at `word`, also a big one that fits. `Type` if it is something else.
pub fn to_i64(r: Reader, word: u64) -> Result<i64> {
    if let Some(i) = as_i64(r, word)? {
        return Ok(i);
    }
    if is_pointer(word) && r.node(word)?.kind() == BIGINT {
        if let Some(i) = bignum::to_i64(&integer_bytes(r, word)?) {
            return Ok(i);
        }
    }
    Err(Error::type_("an integer of at most 64 bits is needed"))
}

/// The double at `word`, or an integer of at most 64 bits as the nearest double. `Type` if it is something else.
pub fn to_f64(r: Reader, word: u64) -> Result<f64> {
    match as_f64(r, word)? {
        Some(x) => Ok(x),
        None => to_i64(r, word)
            .map(|i| i as f64)
            .map_err(|_| Error::type_("a double or an integer is needed")),
    }
}

/// The integer at `word`, big or not, as `BigInteger.toByteArray`. `Type` if it is something else.
pub fn integer_bytes(r: Reader, word: u64) -> Result<Vec<u8>> {
    if let Some(i) = as_i64(r, word)? {
        return Ok(bignum::from_i64(i));
    }
    if is_pointer(word) {
        let node = r.node(word)?;
        if node.kind() == BIGINT {
            return Ok(r.bytes(node, 16, node.low(1) as usize)?.to_vec());
        }
    }
    Err(Error::type_("an integer is needed"))
}
