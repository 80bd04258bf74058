//! The answers of real Clojure and Java (tests/data/gen_hashes.clj writes them) against this module, `bignum` and `utf8`.

use super::*;
use crate::value::utf8::{compare, scan, utf16_len, utf16_units};
use std::collections::BTreeMap;

const ANSWERS: &str = include_str!("../../tests/data/hashes.tsv");

fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len() % 2 == 0, "{digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn longs(list: &str) -> Vec<i64> {
    list.split(',')
        .filter(|item| !item.is_empty())
        .map(|item| item.parse().unwrap())
        .collect()
}

/// The two sides of `payload`, which has one slash in the middle.
fn halves(payload: &str) -> (&str, &str) {
    payload.split_once('/').unwrap()
}

fn decimal(payload: &str) -> (Vec<u8>, i32) {
    let (unscaled, scale) = halves(payload);
    (unhex(unscaled), scale.parse().unwrap())
}

fn named(payload: &str, hash: fn(Option<&[u8]>, &[u8]) -> i32) -> i32 {
    let (namespace, name) = halves(payload);
    let namespace = (namespace != "-").then(|| unhex(namespace));
    hash(namespace.as_deref(), &unhex(name))
}

fn ordered(elements: &[i64]) -> i32 {
    let mut hash = OrderedHash::new();
    elements.iter().for_each(|&element| hash.push(hash_long(element)));
    hash.finish()
}

fn unordered(hashes: impl Iterator<Item = i32>) -> i32 {
    let mut hash = UnorderedHash::new();
    hashes.for_each(|element| hash.push(element));
    hash.finish()
}

/// Hash by this crate of the value that a line of the answers describes, `None` if its answer is not a hash.
fn hash_of(kind: &str, payload: &str) -> Option<i32> {
    Some(match kind {
        "nil" => 0,
        "bool" => hash_bool(payload.parse().unwrap()),
        "long" => hash_long(payload.parse().unwrap()),
        "murmur-int" => hash_int(payload.parse().unwrap()),
        "double" => hash_double(f64::from_bits(u64::from_str_radix(payload, 16).unwrap())),
        "char" => hash_char(u16::from_str_radix(payload, 16).unwrap()),
        "string" => hash_string(&unhex(payload)),
        "java-string" => java_string_hash(&unhex(payload)),
        "unencoded-chars" => hash_unencoded_chars(&unhex(payload)),
        "symbol" => named(payload, hash_symbol),
        "keyword" => named(payload, hash_keyword),
        "combine" => hash_combine(longs(payload)[0] as i32, longs(payload)[1] as i32),
        "uuid" => {
            let half = |digits| u64::from_str_radix(digits, 16).unwrap();
            hash_uuid(half(&payload[..16]), half(&payload[16..]))
        }
        "date" => hash_date(payload.parse().unwrap()),
        "instant" => hash_instant(longs(payload)[0], longs(payload)[1] as u32),
        "bigint" => hash_bigint(&unhex(payload)),
        "java-bigint" => bignum::hash_code(&unhex(payload)),
        "ratio" => hash_ratio(&unhex(halves(payload).0), &unhex(halves(payload).1)),
        "decimal" => hash_decimal(&decimal(payload).0, decimal(payload).1),
        "bytes" => hash_bytes(&unhex(payload)),
        "ordered" => ordered(&longs(payload)),
        "unordered" => unordered(longs(payload).into_iter().map(hash_long)),
        "entry" => hash_map_entry(hash_long(longs(payload)[0]), hash_long(longs(payload)[1])),
        "map" => unordered(
            longs(payload)
                .chunks(2)
                .map(|entry| hash_map_entry(hash_long(entry[0]), hash_long(entry[1]))),
        ),
        _ => return None,
    })
}

fn check_text(payload: &str, answer: &str) {
    let text = unhex(payload);
    let info = scan(&text).unwrap();
    let units: Vec<u16> = utf16_units(&text).collect();
    let expected: Vec<u16> = unhex(answer)
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(units, expected, "{payload}");
    assert_eq!(
        (info.utf16_len, utf16_len(&text)),
        (expected.len(), expected.len()),
        "{payload}"
    );
    assert_eq!(info.is_ascii, expected.iter().all(|&unit| unit < 0x80), "{payload}");
    assert_eq!(info.has_question_mark, expected.contains(&u16::from(b'?')), "{payload}");
    let has_lone_surrogate = char::decode_utf16(expected).any(|unit| unit.is_err());
    assert_eq!(info.has_lone_surrogate, has_lone_surrogate, "{payload}");
    assert_eq!(std::str::from_utf8(&text).is_err(), has_lone_surrogate, "{payload}");
}

fn check_integer_text(payload: &str, answer: &str) {
    let integer = unhex(payload);
    assert!(bignum::is_minimal(&integer), "{payload}");
    assert_eq!(bignum::to_decimal(&integer), answer);
    assert_eq!(bignum::parse_decimal(answer).unwrap(), integer, "{answer}");
    assert_eq!(bignum::to_i64(&integer), answer.parse().ok(), "{answer}");
    assert_eq!(bignum::to_i128(&integer), answer.parse().ok(), "{answer}");
    if let Ok(number) = answer.parse() {
        assert_eq!(bignum::from_i128(number), integer, "{answer}");
    }
}

fn check_decimal_order(payload: &str, order: i32) {
    let parts: Vec<&str> = payload.split('/').collect();
    let (a, b) = (unhex(parts[0]), unhex(parts[2]));
    let (a_scale, b_scale) = (parts[1].parse().unwrap(), parts[3].parse().unwrap());
    assert_eq!(
        bignum::compare_decimals(&a, a_scale, &b, b_scale) as i32,
        order,
        "{payload}"
    );
    assert_eq!(
        bignum::compare_decimals(&b, b_scale, &a, a_scale) as i32,
        -order,
        "{payload}"
    );
    let stripped_equal = bignum::strip_trailing_zeros(&a, a_scale) == bignum::strip_trailing_zeros(&b, b_scale);
    assert_eq!(
        bignum::equal_decimals(&a, a_scale, &b, b_scale),
        stripped_equal,
        "{payload}"
    );
}

/// Checks a line whose answer is not a hash.
fn check_other(kind: &str, payload: &str, answer: &str) {
    match kind {
        "utf16" => check_text(payload, answer),
        "integer-text" => check_integer_text(payload, answer),
        "strip" => {
            let (unscaled, scale) = decimal(payload);
            assert_eq!(
                bignum::strip_trailing_zeros(&unscaled, scale),
                decimal(answer),
                "{payload}"
            );
        }
        "compare-strings" => {
            let (a, b) = (unhex(halves(payload).0), unhex(halves(payload).1));
            let order = answer.parse::<i32>().unwrap();
            assert_eq!(
                (compare(&a, &b) as i32, compare(&b, &a) as i32),
                (order, -order),
                "{payload}"
            );
        }
        "compare-integers" => {
            let (a, b) = (unhex(halves(payload).0), unhex(halves(payload).1));
            let order = answer.parse::<i32>().unwrap();
            assert_eq!(
                (bignum::compare(&a, &b) as i32, bignum::compare(&b, &a) as i32),
                (order, -order),
                "{payload}"
            );
        }
        "compare-decimals" => check_decimal_order(payload, answer.parse().unwrap()),
        _ => panic!("no check for answers of kind {kind}"),
    }
}

#[test]
fn every_answer_of_clojure_is_ours() {
    let mut lines_of_kind = BTreeMap::new();
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[kind, payload, answer] = fields.as_slice() else {
            panic!("not three fields: {line}")
        };
        match hash_of(kind, payload) {
            Some(hash) => assert_eq!(hash.to_string(), answer, "{kind} {payload}"),
            None => check_other(kind, payload, answer),
        }
        *lines_of_kind.entry(kind).or_insert(0) += 1;
    }
    // A generator that stops early must not pass for success.
    assert_eq!(lines_of_kind.len(), 30, "{lines_of_kind:?}");
    assert!(lines_of_kind.values().sum::<i32>() > 10_000, "{lines_of_kind:?}");
}

#[test]
fn murmur_of_an_int_is_zero_twice() {
    assert_eq!((hash_int(0), hash_int(-1_035_494_534)), (0, 0));
}

#[test]
fn decimals_at_the_end_of_the_scale_hash_by_value() {
    // 10 * 10^(2^31) and 1 * 10^(2^31 + 1): the second can't be written, so the first keeps its zero.
    assert_eq!(
        hash_decimal(&[10], i32::MIN),
        31i32.wrapping_mul(10).wrapping_add(i32::MIN)
    );
    assert_eq!(hash_decimal(&[100], i32::MIN + 1), hash_decimal(&[10], i32::MIN));
}

#[test]
fn hash_ignores_redundant_sign_bytes_of_an_integer() {
    for number in [0i64, 1, -1, 127, -128, 128, 1 << 40, i64::MIN, i64::MAX] {
        assert_eq!(
            hash_bigint(&i128::from(number).to_be_bytes()),
            hash_long(number),
            "{number}"
        );
    }
}

#[test]
fn malformed_text_has_some_hash_and_does_not_panic() {
    for length in 0..20 {
        for byte in [0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff] {
            let mut text = vec![b'a'; length];
            text.push(byte);
            text.extend([b'b'; 3]);
            let _ = (
                hash_string(&text),
                hash_unencoded_chars(&text),
                hash_symbol(Some(&text), &text),
            );
        }
    }
}
