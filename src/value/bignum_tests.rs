//! Against i128, and what lies beyond it by round trips; hash_tests.rs compares with Java's BigInteger and BigDecimal.

use super::*;

/// Numbers around every power of two that i128 holds, and small ones.
fn numbers() -> Vec<i128> {
    let mut all: Vec<i128> = (-300..300).collect();
    for bit in 0..127 {
        for delta in -1..=1 {
            all.extend([(1 << bit) + delta, -(1 << bit) + delta]);
        }
    }
    all.extend([i128::MAX, i128::MIN, i128::MIN + 1]);
    all
}

/// Integers of up to `bytes_max` bytes from a fixed sequence, half of them negative.
fn random_integers(count: usize, bytes_max: u32) -> Vec<Vec<u8>> {
    let mut seed = 7u64;
    let mut next = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap()
    };
    (0..count)
        .map(|_| {
            let length = 1 + next() % bytes_max;
            let bytes: Vec<u8> = (0..length).map(|_| next().to_le_bytes()[0]).collect();
            minimal(&bytes).to_vec()
        })
        .collect()
}

#[test]
fn i128_round_trips_in_its_shortest_form() {
    for number in numbers() {
        let integer = from_i128(number);
        assert!(is_minimal(&integer), "{number}");
        assert_eq!(to_i128(&integer), Some(number));
        assert_eq!(to_i64(&integer), i64::try_from(number).ok());
        assert_eq!(signum(&integer), number.signum() as i32, "{number}");
        assert_eq!(is_negative(&integer), number < 0, "{number}");
        assert_eq!(to_decimal(&integer), number.to_string());
        assert_eq!(parse_decimal(&number.to_string()), Some(integer.clone()));
        if let Ok(small) = i64::try_from(number) {
            assert_eq!(from_i64(small), integer);
        }
    }
}

#[test]
fn longer_forms_are_not_minimal_and_mean_the_same() {
    for number in numbers() {
        let integer = from_i128(number);
        for extra in 1..6 {
            let mut longer = vec![if number < 0 { 0xff } else { 0 }; extra];
            longer.extend(&integer);
            assert!(!is_minimal(&longer), "{number}");
            assert_eq!(minimal(&longer), integer, "{number}");
            assert_eq!(to_decimal(&longer), number.to_string());
            assert_eq!(hash_code(&longer), hash_code(&integer), "{number}");
            assert!(compare(&longer, &integer).is_eq(), "{number}");
            assert_eq!(signum(&longer), signum(&integer), "{number}");
        }
    }
}

#[test]
fn no_bytes_are_zero_but_not_stored() {
    assert!(!is_minimal(&[]));
    assert_eq!(minimal(&[]), [0]);
    assert_eq!((to_i64(&[]), signum(&[]), hash_code(&[])), (Some(0), 0, 0));
    assert_eq!(to_decimal(&[]), "0");
    assert!(compare(&[], &[0]).is_eq());
}

#[test]
fn order_is_that_of_i128() {
    let all = numbers();
    for &a in &all {
        for &b in all.iter().step_by(7) {
            assert_eq!(compare(&from_i128(a), &from_i128(b)), a.cmp(&b), "{a} {b}");
        }
    }
}

#[test]
fn large_integers_round_trip_through_digits() {
    for integer in random_integers(400, 700) {
        let digits = to_decimal(&integer);
        assert_eq!(parse_decimal(&digits).as_deref(), Some(integer.as_slice()), "{digits}");
        let with_sign = if is_negative(&integer) {
            digits.replace('-', "-000000000000")
        } else {
            format!("+00{digits}")
        };
        assert_eq!(
            parse_decimal(&with_sign).as_deref(),
            Some(integer.as_slice()),
            "{with_sign}"
        );
    }
}

#[test]
fn text_that_is_no_integer_is_refused() {
    for text in [
        "",
        "-",
        "+",
        "--1",
        "+-1",
        "1-",
        "1.0",
        " 1",
        "1 ",
        "1e3",
        "0x10",
        "1N",
        "12345678901234567890x",
        "\u{661}",
    ] {
        assert_eq!(parse_decimal(text), None, "{text:?}");
    }
    assert_eq!(parse_decimal("-0"), Some(vec![0]));
}

#[test]
fn appended_zeros_strip_and_leave_the_value_equal() {
    for integer in random_integers(60, 40) {
        let (stripped, scale) = strip_trailing_zeros(&integer, 5);
        for zeros in [0usize, 1, 8, 9, 10, 17, 18, 19, 35] {
            let longer = parse_decimal(&(to_decimal(&integer) + &"0".repeat(zeros))).unwrap();
            let longer_scale = 5 + i32::try_from(zeros).unwrap();
            assert!(equal_decimals(&integer, 5, &longer, longer_scale));
            if signum(&integer) == 0 {
                assert_eq!(strip_trailing_zeros(&longer, longer_scale), (vec![0], 0));
                continue;
            }
            assert_eq!(strip_trailing_zeros(&longer, longer_scale), (stripped.clone(), scale));
            // One unit in the last place more is greater.
            let mut digits = to_decimal(&longer);
            let last = digits.pop().unwrap();
            if !is_negative(&integer) && last != '9' {
                let next = parse_decimal(&format!("{digits}{}", last as u8 - b'0' + 1)).unwrap();
                assert!(compare_decimals(&next, longer_scale, &integer, 5).is_gt());
                assert!(compare_decimals(&integer, 5, &next, longer_scale).is_lt());
            }
        }
    }
}

#[test]
fn scales_at_both_ends_compare_without_large_powers() {
    let one = from_i64(1);
    let minus_one = from_i64(-1);
    assert!(compare_decimals(&one, i32::MAX, &one, i32::MIN).is_lt());
    assert!(compare_decimals(&one, i32::MAX, &one, i32::MAX - 1).is_lt());
    assert!(compare_decimals(&one, i32::MIN, &one, i32::MIN + 1).is_gt());
    assert!(compare_decimals(&minus_one, i32::MAX, &minus_one, i32::MIN).is_gt());
    assert!(compare_decimals(&minus_one, i32::MIN, &one, i32::MAX).is_lt());
    assert!(compare_decimals(&[0], i32::MIN, &[0], i32::MAX).is_eq());
    assert!(equal_decimals(&from_i64(10), i32::MIN + 1, &one, i32::MIN));
    assert_eq!(
        strip_trailing_zeros(&from_i64(1000), i32::MIN + 1),
        (from_i64(100), i32::MIN)
    );
    let billion = from_i64(1_000_000_000);
    assert_eq!(strip_trailing_zeros(&billion, i32::MIN + 8), (from_i64(10), i32::MIN));
}
