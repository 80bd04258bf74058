//! The little arithmetic that big integers and decimals need to be stored, printed, compared and hashed.
//!
//! An integer is big-endian two's-complement bytes, as `java.math.BigInteger.toByteArray` gives them: at least one
//! byte, and none that only repeats the sign. That shortest form is what results have and what is stored. Arguments
//! may be longer (or empty, which is zero): the answer is that of the number they stand for.
//!
//! A decimal is `unscaled * 10^-scale`, as `java.math.BigDecimal` keeps it.
//!
//! Conversion to and from decimal digits takes quadratic time; everything else is linear.

use core::cmp::Ordering;

/// Largest power of ten in a limb, and how many digits it stands for.
const CHUNK: u32 = 1_000_000_000;
const CHUNK_DIGITS: usize = 9;

/// Whether `integer` is the shortest form: the only one that may be stored.
pub const fn is_minimal(integer: &[u8]) -> bool {
    match integer {
        [] => false,
        [_] => true,
        [first, second, ..] => !repeats_sign(*first, *second),
    }
}

/// Whether `first` only repeats the sign that `second` gives already.
const fn repeats_sign(first: u8, second: u8) -> bool {
    first == if second & 0x80 == 0 { 0 } else { 0xff }
}

/// The shortest form of `integer`.
pub fn minimal(integer: &[u8]) -> &[u8] {
    let mut rest = integer;
    while let [first, second, ..] = *rest {
        if !repeats_sign(first, second) {
            break;
        }
        rest = &rest[1..];
    }
    if rest.is_empty() {
        &[0]
    } else {
        rest
    }
}

/// Bytes of `number`.
pub fn from_i64(number: i64) -> Vec<u8> {
    minimal(&number.to_be_bytes()).to_vec()
}

/// Bytes of `number`.
pub fn from_i128(number: i128) -> Vec<u8> {
    minimal(&number.to_be_bytes()).to_vec()
}

/// The integer as i64, if it is in range.
pub fn to_i64(integer: &[u8]) -> Option<i64> {
    extend_sign(integer).map(i64::from_be_bytes)
}

/// The integer as i128, if it is in range.
pub fn to_i128(integer: &[u8]) -> Option<i128> {
    extend_sign(integer).map(i128::from_be_bytes)
}

/// `integer` in exactly `N` bytes, if it fits.
fn extend_sign<const N: usize>(integer: &[u8]) -> Option<[u8; N]> {
    let integer = minimal(integer);
    let start = N.checked_sub(integer.len())?;
    let mut bytes = [if is_negative(integer) { 0xff } else { 0 }; N];
    bytes[start..].copy_from_slice(integer);
    Some(bytes)
}

/// Whether `integer` is below zero.
pub fn is_negative(integer: &[u8]) -> bool {
    integer.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// -1, 0 or 1.
pub fn signum(integer: &[u8]) -> i32 {
    if is_negative(integer) {
        -1
    } else {
        i32::from(integer.iter().any(|&byte| byte != 0))
    }
}

/// Order of two integers.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (minimal(a), minimal(b));
    match (is_negative(a), is_negative(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        // With one sign and one length the order of two's complement is the order of the bytes.
        (false, false) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, true) => b.len().cmp(&a.len()).then_with(|| a.cmp(b)),
    }
}

/// Java's `BigInteger.hashCode`.
pub fn hash_code(integer: &[u8]) -> i32 {
    let hash = magnitude(integer)
        .iter()
        .rev()
        .fold(0u32, |hash, &limb| hash.wrapping_mul(31).wrapping_add(limb));
    (hash as i32).wrapping_mul(signum(integer))
}

/// Decimal digits of `integer`, with a leading '-' below zero.
pub fn to_decimal(integer: &[u8]) -> String {
    let digits = magnitude_digits(integer);
    if is_negative(integer) {
        format!("-{digits}")
    } else {
        digits
    }
}

/// The integer of an optional sign and one or more decimal digits; `None` for any other text.
pub fn parse_decimal(text: &str) -> Option<Vec<u8>> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut limbs = Vec::with_capacity(unsigned.len() / CHUNK_DIGITS + 1);
    // The first chunk takes what is left over, so that all others are whole.
    let (first, whole) = unsigned.as_bytes().split_at(unsigned.len() % CHUNK_DIGITS);
    for chunk in core::iter::once(first).chain(whole.chunks_exact(CHUNK_DIGITS)) {
        let value = chunk
            .iter()
            .fold(0, |value, &digit| value * 10 + u32::from(digit - b'0'));
        multiply_add(&mut limbs, CHUNK, value);
    }
    Some(from_magnitude(&limbs, text.starts_with('-')))
}

/// The decimal with the fewest digits that is equal to `unscaled * 10^-scale`. Zero becomes 0 with scale 0. Zeros stay
/// where the scale would leave the range of i32, so equal decimals have one stripped form always.
pub fn strip_trailing_zeros(unscaled: &[u8], scale: i32) -> (Vec<u8>, i32) {
    let mut limbs = magnitude(unscaled);
    if limbs.is_empty() {
        return (vec![0], 0);
    }
    let mut scale = scale;
    // Whole chunks of zeros first, then single ones. An odd number can't end in zero: most stop here without division.
    for (divisor, zeros) in [(CHUNK, 9), (10, 1)] {
        while limbs[0] & 1 == 0 {
            let Some(lower) = scale.checked_sub(zeros) else { break };
            let mut quotient = limbs.clone();
            if divide(&mut quotient, divisor) != 0 {
                break;
            }
            limbs = quotient;
            scale = lower;
        }
    }
    (from_magnitude(&limbs, is_negative(unscaled)), scale)
}

/// Exact order of two decimals, as `BigDecimal.compareTo`. An integer is a decimal with scale 0.
pub fn compare_decimals(a_unscaled: &[u8], a_scale: i32, b_unscaled: &[u8], b_scale: i32) -> Ordering {
    let sign = signum(a_unscaled);
    let by_sign = sign.cmp(&signum(b_unscaled));
    if by_sign.is_ne() || sign == 0 {
        return by_sign;
    }
    if a_scale == b_scale {
        return compare(a_unscaled, b_unscaled);
    }
    // Compare digits, never a product with a power of ten: the scales of a hostile pair are 2^32 apart.
    let (a, b) = (magnitude_digits(a_unscaled), magnitude_digits(b_unscaled));
    let by_magnitude = leading_exponent(&a, a_scale)
        .cmp(&leading_exponent(&b, b_scale))
        .then_with(|| a.trim_end_matches('0').cmp(b.trim_end_matches('0')));
    if sign < 0 {
        by_magnitude.reverse()
    } else {
        by_magnitude
    }
}

/// Whether two decimals are numerically equal, which is what Clojure's `=` means for decimals.
pub fn equal_decimals(a_unscaled: &[u8], a_scale: i32, b_unscaled: &[u8], b_scale: i32) -> bool {
    compare_decimals(a_unscaled, a_scale, b_unscaled, b_scale).is_eq()
}

/// The product of two integers. Quadratic time.
pub fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
    let (x, y) = (magnitude(a), magnitude(b));
    let mut product = vec![0u32; x.len() + y.len()];
    for (i, &limb) in x.iter().enumerate() {
        let mut carry = 0u64;
        for (j, &other) in y.iter().enumerate() {
            carry += u64::from(product[i + j]) + u64::from(limb) * u64::from(other);
            product[i + j] = low_half(carry);
            carry >>= 32;
        }
        product[i + y.len()] = low_half(carry);
    }
    from_magnitude(&product, is_negative(a) != is_negative(b))
}

#[allow(clippy::cast_possible_truncation, reason = "the low half of 64 bits is wanted")]
const fn low_half(x: u64) -> u32 {
    x as u32
}

/// The nearest double, as `BigInteger.doubleValue`.
pub fn to_f64(integer: &[u8]) -> f64 {
    let limbs = magnitude(integer);
    let bits = limbs.len() * 32 - limbs.last().map_or(0, |l| l.leading_zeros() as usize);
    let dropped = bits.saturating_sub(64);
    // The top 64 bits; a one among those that are dropped decides a tie, so it counts as the lowest of them.
    let bit = |i: usize| u64::from(limbs[i / 32] >> (i % 32) & 1);
    let top = (dropped..bits).rev().fold(0, |top, i| top << 1 | bit(i));
    let sticky = u64::from((0..dropped).any(|i| bit(i) == 1));
    let exponent = dropped as u64 + 1023;
    let scale = if exponent < 2047 {
        f64::from_bits(exponent << 52)
    } else {
        f64::INFINITY
    };
    let x = (top | sticky) as f64 * scale;
    if is_negative(integer) {
        -x
    } else {
        x
    }
}

/// The nearest double to a decimal, as `BigDecimal.doubleValue`.
pub fn decimal_to_f64(unscaled: &[u8], scale: i32) -> f64 {
    nearest(&to_decimal(unscaled), -i64::from(scale))
}

fn nearest(digits: &str, exponent: i64) -> f64 {
    format!("{digits}e{exponent}")
        .parse()
        .expect("digits and an exponent are a number")
}

/// The double of a ratio, as Clojure's `Ratio.doubleValue`: the nearest to the quotient rounded to 16 decimal digits, a half to the even one.
pub fn ratio_to_f64(numerator: &[u8], denominator: &[u8]) -> f64 {
    const DIGITS: i64 = 16;
    let (mut n, mut d) = (magnitude(numerator), magnitude(denominator));
    if n.is_empty() || d.is_empty() {
        return 0.0;
    }
    let length = |integer| magnitude_digits(integer).len() as i64;
    // So that the quotient has 17 or 18 digits.
    let shift = DIGITS + 1 + length(denominator) - length(numerator);
    let shifted = if shift >= 0 { &mut n } else { &mut d };
    (0..shift.unsigned_abs()).for_each(|_| multiply_add(shifted, 10, 0));
    let (quotient, is_exact) = divide_to_u64(n, &d);
    let unit = if quotient < 10u64.pow(17) { 10 } else { 100 };
    let (mut kept, rest) = (quotient / unit, quotient % unit);
    let beyond_half = rest
        .cmp(&(unit / 2))
        .then(if is_exact { Ordering::Equal } else { Ordering::Greater });
    kept += u64::from(beyond_half.is_gt() || beyond_half.is_eq() && kept % 2 == 1);
    let x = nearest(&kept.to_string(), i64::from(unit.ilog10()) - shift);
    if is_negative(numerator) {
        -x
    } else {
        x
    }
}

/// The quotient of two magnitudes, which is below 2^63, and whether nothing is left.
fn divide_to_u64(mut n: Vec<u32>, d: &[u32]) -> (u64, bool) {
    let mut quotient = 0;
    for bit in (0..63).rev() {
        let shifted = shift_left(d, bit);
        if compare_limbs(&shifted, &n).is_le() {
            subtract(&mut n, &shifted);
            quotient |= 1 << bit;
        }
    }
    (quotient, n.is_empty())
}

fn shift_left(limbs: &[u32], bits: usize) -> Vec<u32> {
    let mut shifted = vec![0; bits / 32];
    let mut carry = 0u64;
    for &limb in limbs {
        carry |= u64::from(limb) << (bits % 32);
        shifted.push(low_half(carry));
        carry >>= 32;
    }
    shifted.push(low_half(carry));
    trim(&mut shifted);
    shifted
}

/// Order of two magnitudes without zeros at the high end.
fn compare_limbs(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// Takes `b`, which is not larger, from `a`.
fn subtract(a: &mut Vec<u32>, b: &[u32]) {
    let mut borrow = false;
    for (i, limb) in a.iter_mut().enumerate() {
        let (x, under) = limb.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (x, under_too) = x.overflowing_sub(u32::from(borrow));
        (*limb, borrow) = (x, under || under_too);
    }
    trim(a);
}

/// One more than the power of ten of the first digit.
fn leading_exponent(digits: &str, scale: i32) -> i128 {
    digits.len() as i128 - i128::from(scale)
}

/// Absolute value as 32-bit limbs, the lowest first, the highest not zero; zero has none.
fn magnitude(integer: &[u8]) -> Vec<u32> {
    let negative = is_negative(integer);
    let mut limbs: Vec<u32> = minimal(integer)
        .rchunks(4)
        .map(|bytes| {
            let extension = if negative { u32::MAX } else { 0 };
            let sign_if_short = if bytes.len() == 4 {
                0
            } else {
                extension << (8 * bytes.len())
            };
            bytes.iter().fold(0, |limb, &byte| limb << 8 | u32::from(byte)) | sign_if_short
        })
        .collect();
    if negative {
        negate(&mut limbs);
    }
    trim(&mut limbs);
    limbs
}

/// Bytes of the integer with that absolute value.
fn from_magnitude(limbs: &[u32], negative: bool) -> Vec<u8> {
    let mut limbs = limbs.to_vec();
    limbs.push(0); // room for the sign
    if negative {
        negate(&mut limbs);
    }
    let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    minimal(&bytes).to_vec()
}

/// Two's complement of all limbs.
fn negate(limbs: &mut [u32]) {
    let mut carry = true;
    for limb in limbs {
        (*limb, carry) = (!*limb).overflowing_add(u32::from(carry));
    }
}

/// Drops zeros at the high end.
fn trim(limbs: &mut Vec<u32>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

/// Divides by `divisor`, which is not zero, and returns the remainder.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a remainder is below the 32-bit divisor, so quotient and remainder have 32 bits"
)]
fn divide(limbs: &mut Vec<u32>, divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let mut remainder = 0u64;
    for limb in limbs.iter_mut().rev() {
        let dividend = remainder << 32 | u64::from(*limb);
        *limb = (dividend / divisor) as u32;
        remainder = dividend % divisor;
    }
    trim(limbs);
    remainder as u32
}

/// Multiplies by `factor` and adds `addend`.
#[allow(clippy::cast_possible_truncation, reason = "splits a 64-bit sum into its two limbs")]
fn multiply_add(limbs: &mut Vec<u32>, factor: u32, addend: u32) {
    let mut carry = u64::from(addend);
    for limb in limbs.iter_mut() {
        carry += u64::from(*limb) * u64::from(factor);
        *limb = carry as u32;
        carry >>= 32;
    }
    if carry != 0 {
        limbs.push(carry as u32);
    }
}

/// Decimal digits of the absolute value, without leading zeros; "0" for zero.
fn magnitude_digits(integer: &[u8]) -> String {
    let mut limbs = magnitude(integer);
    let mut chunks = Vec::with_capacity(limbs.len() + limbs.len() / 8 + 1);
    while !limbs.is_empty() {
        chunks.push(divide(&mut limbs, CHUNK));
    }
    let mut digits = chunks.pop().unwrap_or(0).to_string();
    for chunk in chunks.iter().rev() {
        digits.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
    }
    digits
}

#[cfg(test)]
#[path = "bignum_tests.rs"]
mod tests;
