//! The `..10` word: a double kept in the word itself.
//!
//! The top three exponent bits of a double of ordinary size are 011 or 100 (magnitudes from 2^-255 up to 2^257). Those three
//! bits carry one bit of information, so the double is rotated left by three and the two bits that became redundant
//! make room for the tag: bit 63 of the word is the third exponent bit, bit 2 is the sign, bits 1 and 0 are `10`.
//!
//! The encoding is one to one in both directions: every word that ends in `10` is one double, and no such double has
//! another word. 0.0, -0.0, subnormals, infinities, NaN and the extreme magnitudes are not flonums; Ruby, whose
//! rotation this is, also gives up 2^-255 to have a flonum for 0.0, which is not needed here.

const TAG: u64 = 0b10;
const TAG_MASK: u64 = 0b11;

/// Whether `word` carries the flonum tag. Every such word is valid.
#[inline]
pub const fn is_flonum(word: u64) -> bool {
    word & TAG_MASK == TAG
}

/// The word of `number`, or `None` if it needs a constant or a box.
#[inline]
pub const fn encode(number: f64) -> Option<u64> {
    let bits = number.to_bits();
    // 011 and 100 are the two values of the three bits for which adding one (mod 8) sets only the top bit or the top
    // bit and the lowest: 100 and 101.
    if ((bits >> 60) + 1) & 0b110 != 0b100 {
        return None;
    }
    Some(bits.rotate_left(3) & !TAG_MASK | TAG)
}

/// The double of a word that `is_flonum`. For another word the answer is some double without meaning.
#[inline]
pub const fn decode(word: u64) -> f64 {
    // Third exponent bit set: 011, so the rotated-out pair was 01; clear: 100, so the pair was 10.
    let pair = 0b10 - (word >> 63);
    f64::from_bits((word & !TAG_MASK | pair).rotate_right(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64: enough for test data.
    fn random(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The rule as it is written in the format, not as the code computes it.
    fn is_encodable(bits: u64) -> bool {
        matches!((bits >> 60) & 0b111, 0b011 | 0b100)
    }

    fn check(bits: u64) {
        let word = encode(f64::from_bits(bits));
        assert_eq!(word.is_some(), is_encodable(bits), "{bits:#018x}");
        if let Some(word) = word {
            assert!(is_flonum(word), "{bits:#018x} -> {word:#018x}");
            assert_eq!(decode(word).to_bits(), bits, "{word:#018x}");
        }
    }

    #[test]
    fn every_sign_and_exponent_with_edge_mantissas_round_trips_or_is_refused() {
        const MANTISSA: u64 = (1 << 52) - 1;
        for top in 0..1 << 12 {
            for mantissa in [0, 1, 2, 3, 7, 8, 1 << 51, MANTISSA - 1, MANTISSA, 0x000a_bcde_f012_3456] {
                check(top << 52 | mantissa);
            }
            for bit in 0..52 {
                check(top << 52 | 1 << bit);
                check(top << 52 | MANTISSA ^ 1 << bit);
            }
        }
    }

    #[test]
    fn random_bit_patterns_round_trip_or_are_refused() {
        let mut seed = 1;
        for _ in 0..200_000 {
            let bits = random(&mut seed);
            check(bits);
            // The same mantissa in the encodable range, so that both answers are common.
            check(bits & !(0b111 << 60) | if bits & 1 == 0 { 0b011 } else { 0b100 } << 60);
        }
    }

    #[test]
    fn every_tagged_word_is_the_word_of_its_double() {
        let mut seed = 2;
        let edges = [TAG, !0 ^ 1, 1 << 63 | TAG, !(1 << 63) ^ 1, 0x8000_0000_0000_0006];
        for word in edges
            .into_iter()
            .chain((0..200_000).map(|_| random(&mut seed) & !TAG_MASK | TAG))
        {
            assert_eq!(encode(decode(word)), Some(word), "{word:#018x}");
        }
    }

    #[test]
    fn words_are_the_ones_of_the_format() {
        assert_eq!(encode(1.0), Some(0xff80_0000_0000_0002));
        assert_eq!(encode(-1.0), Some(0xff80_0000_0000_0006));
        assert_eq!(encode(2.0), Some(0x0000_0000_0000_0002));
        assert_eq!(encode(0.1), Some(0xfdcc_cccc_cccc_ccd2));
        assert_eq!(encode(2f64.powi(-255)), Some(0x8000_0000_0000_0002));
        assert_eq!(encode(2f64.powi(257)), None);
        assert!(encode(2f64.powi(256)).is_some());
        assert_eq!(encode(2f64.powi(-256)), None);
        for special in [
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
        ] {
            assert_eq!(encode(special), None, "{special}");
        }
    }
}
