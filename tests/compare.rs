//! The order of values against Clojure's `compare` (tests/data/compares.tsv, made by gen_compare.clj).

use eve::value::build::{self, BuildBuffer};
use eve::value::{compare, print};
use eve::{Error, Options, Slab, Txn};
use std::cmp::Ordering;
use std::path::Path;

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn values_compare_as_in_clojure_both_ways() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compares.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let s = Slab::anonymous(&Options::default()).unwrap();
    let mut seen = [0; 5];
    for line in text.lines() {
        let f: Vec<&str> = line.split('\t').collect();
        Txn::begin(&s, None).unwrap().write(|w| {
            let a = build::value(w, &unhex(f[0])).unwrap();
            let b = build::value(w, &unhex(f[1])).unwrap();
            let r = w.reader();
            let (forth, back) = (compare(r, a, b), compare(r, b, a));
            let text = || format!("{} {}", print::to_edn(r, a).unwrap(), print::to_edn(r, b).unwrap());
            let expected = match f[2] {
                "-1" => Ordering::Less,
                "0" => Ordering::Equal,
                "1" => Ordering::Greater,
                "-" => {
                    seen[3] += 1;
                    assert_eq!(forth.unwrap(), back.unwrap().reverse(), "{}", text());
                    return;
                }
                _ => {
                    seen[4] += 1;
                    assert!(matches!(&forth, Err(Error::Type(_))), "{}: {forth:?}", text());
                    return;
                }
            };
            seen[(expected as i8 + 1) as usize] += 1;
            assert_eq!(forth.unwrap(), expected, "{}", text());
            // Clojure's answers are symmetric too, as far as the values are.
            assert_eq!(back.unwrap(), expected.reverse(), "{}", text());
        });
    }
    assert!(seen.iter().all(|&n| n >= 100), "{seen:?}");
}

#[test]
fn a_ratio_beside_a_decimal_is_compared_exactly() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    Txn::begin(&s, None).unwrap().write(|w| {
        let mut value = |b: &mut BuildBuffer| build::value(w, &b.finish()).unwrap();
        let third = value(BuildBuffer::new().ratio(&[1], &[3]));
        let below = value(BuildBuffer::new().decimal(&[33], 2));
        let above = value(BuildBuffer::new().decimal(&[34], 2));
        let tiny = value(BuildBuffer::new().decimal(&[1], i32::MAX));
        let huge = value(BuildBuffer::new().decimal(&[1], i32::MIN));
        let r = w.reader();
        for (decimal, order) in [
            (below, Ordering::Greater),
            (above, Ordering::Less),
            (tiny, Ordering::Greater),
            (huge, Ordering::Less),
        ] {
            assert_eq!(compare(r, third, decimal).unwrap(), order);
            assert_eq!(compare(r, decimal, third).unwrap(), order.reverse());
        }
    });
}

#[test]
fn what_has_no_order_is_an_error_that_names_both_kinds() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    Txn::begin(&s, None).unwrap().write(|w| {
        let keyword = build::value(w, &BuildBuffer::new().keyword(None, "a").finish()).unwrap();
        let string = build::value(w, &BuildBuffer::new().string("a").finish()).unwrap();
        let error = compare(w.reader(), keyword, string).unwrap_err();
        assert_eq!(error, Error::type_("can't compare a keyword with a string"));
    });
}

#[test]
fn equal_values_that_share_parts_are_compared_in_no_time() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    Txn::begin(&s, None).unwrap().write(|w| {
        // 2^200 paths.
        let mut shared = |last: i64| {
            (0..200).fold(eve::value::word::from_int(last).unwrap(), |v, _| {
                let flat = eve::coll::vector::from_words(w, &[v; 9]).unwrap();
                eve::coll::vector::from_words(w, &[flat; 40]).unwrap()
            })
        };
        let (a, b, c) = (shared(1), shared(1), shared(2));
        assert_eq!(compare(w.reader(), a, b), Ok(Ordering::Equal));
        assert_eq!(compare(w.reader(), a, c), Ok(Ordering::Less));
    });
}

#[test]
fn values_nested_too_deep_are_an_error() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    Txn::begin(&s, None).unwrap().write(|w| {
        let mut deep = |last: i64| {
            (0..1100).fold(eve::value::word::from_int(last).unwrap(), |v, _| {
                eve::coll::vector::from_words(w, &[v]).unwrap()
            })
        };
        let (a, b) = (deep(1), deep(2));
        assert!(matches!(compare(w.reader(), a, b), Err(Error::Limit(_))));
    });
}
