//! Clojure's `hash` (hasheq), bit for bit as Clojure 1.12 computes it, and Java's `hashCode` where Clojure falls back
//! to that.
//!
//! Text is generalized UTF-8 (see `utf8`). Big integers are big-endian two's-complement bytes (see `bignum`). nil
//! hashes to 0. A hash is a Java int; a word keeps its 32 bits unsigned.
#![allow(
    clippy::cast_possible_truncation,
    reason = "hash arithmetic is modulo 2^32 and folds wider numbers on purpose"
)]

use super::{bignum, utf8};

const GOLDEN_RATIO: u32 = 0x9e37_79b9;

/// Powers of 31, the base of Java's string hash, modulo 2^32.
const POW31: [u32; 9] = {
    let mut powers = [1u32; 9];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1].wrapping_mul(31);
        i += 1;
    }
    powers
};

const fn mix_k1(k1: u32) -> u32 {
    k1.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

const fn mix_h1(h1: u32, k1: u32) -> u32 {
    (h1 ^ k1).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

const fn fmix(h1: u32, len_bytes: u32) -> u32 {
    let mut h = h1 ^ len_bytes;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// Java's `Long.hashCode`.
const fn fold_long(number: i64) -> i32 {
    (number ^ (number >> 32)) as i32
}

/// `Murmur3.hashInt`. This is a step of the hash of strings, **not** Clojure's hash of an int: that is `hash_long`.
///
/// One to one except at 0, which is the answer for 0 and for -1035494534: a `String.hashCode` can't be had back from a
/// hash of 0.
#[inline]
pub const fn hash_int(number: i32) -> i32 {
    if number == 0 {
        return 0;
    }
    fmix(mix_h1(0, mix_k1(number as u32)), 4) as i32
}

/// Hash of every integer in the range of i64, whatever its class in Java.
#[inline]
pub const fn hash_long(number: i64) -> i32 {
    if number == 0 {
        return 0;
    }
    let low = mix_h1(0, mix_k1(number as u32));
    fmix(mix_h1(low, mix_k1((number >> 32) as u32)), 8) as i32
}

/// Hash of a double: 0 for both zeros, else `Double.hashCode`, which takes all NaNs as one.
#[inline]
pub const fn hash_double(number: f64) -> i32 {
    if number == 0.0 {
        return 0;
    }
    let bits = if number.is_nan() {
        0x7ff8_0000_0000_0000
    } else {
        number.to_bits()
    };
    fold_long(bits as i64)
}

/// Hash of `true` or `false`.
#[inline]
pub const fn hash_bool(truth: bool) -> i32 {
    if truth {
        1231
    } else {
        1237
    }
}

/// Hash of a character, one UTF-16 unit.
#[inline]
pub const fn hash_char(unit: u16) -> i32 {
    unit as i32
}

/// Hash of a string: `Murmur3.hashInt` of its `String.hashCode`.
#[inline]
pub fn hash_string(text: &[u8]) -> i32 {
    hash_int(java_string_hash(text))
}

/// Java's `String.hashCode` of `text`.
pub fn java_string_hash(text: &[u8]) -> i32 {
    let mut rest = text;
    let mut hash = 0u32;
    loop {
        while let Some(word) = utf8::ascii_word(rest) {
            hash = hash.wrapping_mul(POW31[8]).wrapping_add(polynomial(word));
            rest = &rest[8..];
        }
        if let Some(word) = utf8::short_ascii_word(rest) {
            // NULs in front add nothing to the polynomial. Two shifts, as one by 64 for no bytes is not allowed.
            let padded = (word << 8) << (8 * (7 - rest.len()));
            return hash.wrapping_mul(POW31[rest.len()]).wrapping_add(polynomial(padded)) as i32;
        }
        let Some((code, after)) = utf8::next_char(rest) else {
            return hash as i32;
        };
        let (first, second) = utf8::to_units(code);
        hash = push_unit(hash, first);
        if let Some(second) = second {
            hash = push_unit(hash, second);
        }
        rest = after;
    }
}

const fn push_unit(hash: u32, unit: u16) -> u32 {
    hash.wrapping_mul(31).wrapping_add(unit as u32)
}

/// `b0 * 31^7 + b1 * 31^6 .. + b7` of eight ASCII bytes, `b0` the lowest: neighbours are joined to pairs, pairs to fours,
/// fours to the sum. No lane runs over: 127 * 32 < 2^16 and 127 * 32 * 962 < 2^32.
const fn polynomial(word: u64) -> u32 {
    const PAIRS: u64 = 0x00ff_00ff_00ff_00ff;
    const FOURS: u64 = 0x0000_ffff_0000_ffff;
    let pairs = (word & PAIRS) * 31 + ((word >> 8) & PAIRS);
    let fours = (pairs & FOURS) * 961 + ((pairs >> 16) & FOURS);
    (fours as u32).wrapping_mul(POW31[4]).wrapping_add((fours >> 32) as u32)
}

/// `Murmur3.hashUnencodedChars`: Murmur3 over the UTF-16 units of `text`.
pub fn hash_unencoded_chars(text: &[u8]) -> i32 {
    let mut units = utf8::utf16_units(text);
    let mut hash = 0;
    let mut len_bytes = 0u32;
    while let Some(first) = units.next() {
        let first = u32::from(first);
        if let Some(second) = units.next() {
            hash = mix_h1(hash, mix_k1(first | u32::from(second) << 16));
            len_bytes = len_bytes.wrapping_add(4);
        } else {
            hash ^= mix_k1(first);
            len_bytes = len_bytes.wrapping_add(2);
        }
    }
    fmix(hash, len_bytes) as i32
}

/// Clojure's `Util.hashCombine`.
#[inline]
pub const fn hash_combine(seed: i32, hash: i32) -> i32 {
    let shifts = (seed << 6).wrapping_add(seed >> 2);
    seed ^ hash.wrapping_add(GOLDEN_RATIO as i32).wrapping_add(shifts)
}

/// Hash of the symbol `namespace/name`.
pub fn hash_symbol(namespace: Option<&[u8]>, name: &[u8]) -> i32 {
    hash_combine(hash_unencoded_chars(name), namespace.map_or(0, java_string_hash))
}

/// Hash of the keyword `:namespace/name`.
pub fn hash_keyword(namespace: Option<&[u8]>, name: &[u8]) -> i32 {
    hash_symbol(namespace, name).wrapping_add(GOLDEN_RATIO as i32)
}

/// `Murmur3.mixCollHash`: the last step of the hash of a collection of `count` elements.
#[inline]
pub const fn mix_coll_hash(hash: i32, count: u32) -> i32 {
    fmix(mix_h1(0, mix_k1(hash as u32)), count) as i32
}

/// Folds the hashes of the elements of a vector, list or sequence, in order.
#[derive(Clone, Copy, Debug)]
pub struct OrderedHash {
    hash: i32,
    count: u32,
}

impl OrderedHash {
    /// The state before the first element.
    pub const fn new() -> Self {
        Self { hash: 1, count: 0 }
    }

    /// Takes the hash of the next element.
    #[inline]
    pub const fn push(&mut self, element_hash: i32) {
        self.hash = self.hash.wrapping_mul(31).wrapping_add(element_hash);
        self.count = self.count.wrapping_add(1);
    }

    /// The hash of the collection.
    #[inline]
    pub const fn finish(self) -> i32 {
        mix_coll_hash(self.hash, self.count)
    }
}

impl Default for OrderedHash {
    fn default() -> Self {
        Self::new()
    }
}

/// Folds the hashes of the elements of a set, or of the entries of a map (`hash_map_entry`), in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnorderedHash {
    sum: i32,
    count: u32,
}

impl UnorderedHash {
    /// The state before the first element.
    pub const fn new() -> Self {
        Self { sum: 0, count: 0 }
    }

    /// Takes the hash of an element.
    #[inline]
    pub const fn push(&mut self, element_hash: i32) {
        self.sum = self.sum.wrapping_add(element_hash);
        self.count = self.count.wrapping_add(1);
    }

    /// The hash of the collection.
    #[inline]
    pub const fn finish(self) -> i32 {
        mix_coll_hash(self.sum, self.count)
    }
}

/// Hash of a map entry: that of the vector `[key value]`.
#[inline]
pub const fn hash_map_entry(key_hash: i32, value_hash: i32) -> i32 {
    let mut entry = OrderedHash::new();
    entry.push(key_hash);
    entry.push(value_hash);
    entry.finish()
}

/// Hash of a UUID (`java.util.UUID.hashCode`) from its most and least significant 64 bits.
#[inline]
pub const fn hash_uuid(high: u64, low: u64) -> i32 {
    fold_long((high ^ low) as i64)
}

/// Hash of a `java.util.Date` (`#inst`) of so many milliseconds since 1970.
#[inline]
pub const fn hash_date(millis: i64) -> i32 {
    fold_long(millis)
}

/// Hash of a `java.time.Instant`: seconds since 1970 and nanoseconds within the second.
#[inline]
pub const fn hash_instant(seconds: i64, nanos: u32) -> i32 {
    fold_long(seconds).wrapping_add((nanos as i32).wrapping_mul(51))
}

/// Hash of an integer of any size: that of the long if it is one (`5N` and `5` are equal), else `BigInteger.hashCode`.
pub fn hash_bigint(integer: &[u8]) -> i32 {
    bignum::to_i64(integer).map_or_else(|| bignum::hash_code(integer), hash_long)
}

/// Hash of a ratio in lowest terms. Unlike `hash_bigint` it takes `BigInteger.hashCode` of both parts at any size.
pub fn hash_ratio(numerator: &[u8], denominator: &[u8]) -> i32 {
    bignum::hash_code(numerator) ^ bignum::hash_code(denominator)
}

/// Hash of the decimal `unscaled * 10^-scale`; numerically equal decimals have one hash, as `1.0M` and `1.00M` are equal.
///
/// Clojure throws for decimals whose trailing zeros can't be stripped within the range of an int scale; here they hash
/// as the last form within it.
pub fn hash_decimal(unscaled: &[u8], scale: i32) -> i32 {
    let (unscaled, scale) = bignum::strip_trailing_zeros(unscaled, scale);
    bignum::hash_code(&unscaled).wrapping_mul(31).wrapping_add(scale)
}

/// Hash of a byte array by content: `java.util.Arrays.hashCode`.
///
/// This differs from Clojure, where an array is equal only to itself and `hash` is its identity. A byte array in the
/// slab is a value, so equal content must have an equal hash.
pub fn hash_bytes(bytes: &[u8]) -> i32 {
    bytes.iter().fold(1i32, |hash, &byte| {
        hash.wrapping_mul(31).wrapping_add(i32::from(byte as i8))
    })
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
