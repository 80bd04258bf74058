//! Build buffers, good and bad; values that are large or nested to the limit.

use eve::coll::{self, iter::Iter, list, vector};
use eve::slab::layout::*;
use eve::slab::writer::Writer;
use eve::value::build::{self, BuildBuffer};
use eve::value::{bignum, compare, copy, equal, hash_word, number, print, text_of, word};
use eve::{transact, Error, Options, Slab, Txn};

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

/// Runs `f` with the writer of a transaction that is given up.
fn scratch<T>(s: &Slab, f: impl FnOnce(&mut Writer) -> T) -> T {
    Txn::begin(s, None).unwrap().write(f)
}

/// All values that the buffer holds.
fn values(w: &mut Writer, buffer: &[u8]) -> eve::error::Result<Vec<u64>> {
    build::with_values(w, buffer, |_, all| Ok(all.to_vec()))
}

/// xorshift: enough for test data.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A value of every op but the two that take words.
fn one_of_each() -> Vec<u8> {
    let ten_to_30 = bignum::parse_decimal("1000000000000000000000000000000").unwrap();
    let scalars = |b: &mut BuildBuffer| {
        b.nil()
            .bool(true)
            .bool(false)
            .int(-5)
            .int(i64::MIN)
            .double(2.5)
            .double(1e-300)
            .char(97);
        b.string("")
            .string("short")
            .string("a text of some length")
            .text(b"lone \xED\xA0\x80 \xC3\xA9");
        b.keyword(None, "k")
            .keyword(Some("name.space"), "longer-name")
            .symbol(None, "s")
            .symbol(Some("n"), "s");
        b.bigint(&ten_to_30)
            .ratio(&[1], &ten_to_30)
            .decimal(&ten_to_30, -3)
            .decimal(&[7], 2)
            .uuid(1, u64::MAX);
        b.date(-1).instant(5, 6).bytes(&[1, 2, 3]);
    };
    let mut b = BuildBuffer::new();
    b.vector(6, |b, i| match i {
        4 => b.sorted_map(
            |b| b.nil(),
            3,
            |b, i| b.string(["b", "a", "a text of some length"][i]).nil(),
        ),
        5 => b.sorted_set(|b| b.int(-1), 40, |b, i| b.int(i as i64)),
        0 => b.list(24, |b, i| {
            if i == 0 {
                scalars(b);
            }
            b
        }),
        1 => b.set(12, |b, i| b.int(i as i64)),
        2 => b.map(10, |b, i| b.int(i as i64).vector(1, |b, _| b.string("value"))),
        _ => b.map(2, |b, i| b.keyword(None, ["a", "b"][i]).nil()),
    });
    b.finish()
}

#[test]
fn a_buffer_cut_anywhere_is_an_error_and_a_longer_one_too() {
    let s = slab();
    let buffer = one_of_each();
    scratch(&s, |w| {
        let whole = build::value(w, &buffer).unwrap();
        assert_eq!(coll::count(w.reader(), whole).unwrap(), 6);
        for end in 0..buffer.len() {
            match build::value(w, &buffer[..end]) {
                Err(Error::Buffer(d)) => assert!(d.number as usize <= end),
                other => panic!("cut at {end}: {other:?}"),
            }
        }
        let longer = [&buffer[..], &[0]].concat();
        assert_eq!(
            build::value(w, &longer),
            Err(Error::buffer("bytes follow the value", buffer.len()))
        );
        assert_eq!(values(w, &longer).unwrap().len(), 2);
        assert_eq!(values(w, &[]).unwrap(), []);
    });
}

#[test]
fn errors_of_a_buffer_say_what_is_wrong_and_where() {
    let s = slab();
    let cases: &[(&[u8], &str, usize)] = &[
        (&[16, 2, 0, 0, 0, 0, 99], "an unknown op", 6),
        (
            &[16, 3, 0, 0, 0, 0, 0],
            "a count is larger than the rest of the buffer",
            1,
        ),
        (&[19, 1, 0, 0, 0, 0], "a count is larger than the rest of the buffer", 1),
        (
            &[18, 255, 255, 255, 255],
            "a count is larger than the rest of the buffer",
            1,
        ),
        (
            &[0, 6, 3, 0, 0, 0, b'a', 0xC0, b'b'],
            "the text is not UTF-8 at byte 1",
            1,
        ),
        (&[7, 255, 255, 1, 0, 0xFF], "the text is not UTF-8 at byte 0", 0),
        (&[9, 0, 0, 0, 0], "a big integer is empty or longer than need be", 0),
        (
            &[9, 2, 0, 0, 0, 0, 5],
            "a big integer is empty or longer than need be",
            0,
        ),
        (&[10, 0, 0], "a part of a ratio or decimal is no integer", 1),
        (
            &[10, 9, 1, 0, 0, 0, 2, 9, 1, 0, 0, 0, 4],
            "a ratio is not in lowest terms",
            0,
        ),
        (
            &[10, 9, 1, 0, 0, 0, 2, 9, 1, 0, 0, 0, 1],
            "the denominator of a ratio is not above 1",
            0,
        ),
        (
            &[10, 9, 1, 0, 0, 0, 2, 9, 1, 0, 0, 0, 0xFD],
            "the denominator of a ratio is not above 1",
            0,
        ),
        (
            &[14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xCA, 0x9A, 0x3B],
            "an instant is out of range",
            0,
        ),
        (
            &[14, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 0, 0],
            "an instant is out of range",
            0,
        ),
        (&[20, 0x04, 9, 0, 0, 0, 0, 0, 0], "a word is no value", 0),
        (
            &[20, 0x14, 1, 0, 0, 9, 9, 9, 9],
            "a keyword or symbol is not in the symbol table",
            0,
        ),
        (&[20, 0, 0, 0, 0, 0, 0, 0, 0x70], "a pointer leads outside the slab", 0),
    ];
    for (buffer, what, at) in cases {
        let error = scratch(&s, |w| values(w, buffer)).unwrap_err();
        assert_eq!(error, Error::buffer(*what, *at), "{buffer:?}");
    }
}

/// The longer buffers of prints.tsv, and [`one_of_each`].
fn prints() -> Vec<Vec<u8>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/prints.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let unhex = |hex: &str| {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    };
    let buffers = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(hex, _)| hex.len() > 40);
    buffers.map(|(hex, _)| unhex(hex)).chain([one_of_each()]).collect()
}

#[test]
fn damaged_buffers_never_panic_and_what_they_build_is_sound() {
    let s = slab();
    let good = prints();
    let (mut seed, mut built) = (88_172_645_463_325_252, 0);
    for _ in 0..400 {
        scratch(&s, |w| {
            for _ in 0..50 {
                let mut b = good[random(&mut seed) as usize % good.len()].clone();
                for _ in 0..random(&mut seed) % 4 {
                    let i = random(&mut seed) as usize % b.len();
                    b[i] = match random(&mut seed) % 3 {
                        0 => random(&mut seed) as u8,
                        1 => random(&mut seed) as u8 % 24,
                        _ => b[i] ^ 1 << (random(&mut seed) % 8),
                    };
                }
                let Ok(v) = build::value(w, &b) else { continue };
                built += 1;
                let r = w.reader();
                hash_word(r, v).unwrap();
                print::to_edn(r, v).unwrap();
                equal(r, v, v).unwrap();
                if coll::count(r, v).is_ok() && v != NIL {
                    coll::check(r, v).unwrap();
                }
            }
        });
    }
    assert!(built > 2000, "{built}");
}

#[test]
fn random_bytes_never_panic() {
    let s = slab();
    let mut seed = 42;
    for _ in 0..2000 {
        let len = random(&mut seed) as usize % 60;
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                if random(&mut seed) % 2 == 0 {
                    (random(&mut seed) % 24) as u8
                } else {
                    0
                }
            })
            .collect();
        scratch(&s, |w| {
            for end in 0..len {
                let _ = build::value(w, &bytes[..end]);
            }
        });
    }
}

#[test]
fn later_equal_elements_are_dropped_and_later_values_count() {
    let s = slab();
    let mut b = BuildBuffer::new();
    b.set(3, |b, i| {
        if i == 1 {
            b.bigint(&[5])
        } else {
            b.int(5 + i as i64 / 2)
        }
    });
    b.map(3, |b, i| b.int(i as i64 % 2).int(i as i64));
    b.map(20, |b, i| b.int(i as i64 % 10).int(i as i64));
    scratch(&s, |w| {
        let v = values(w, &b.finish()).unwrap();
        let r = w.reader();
        assert_eq!(coll::count(r, v[0]).unwrap(), 2);
        assert_eq!(print::to_edn(r, v[1]).unwrap(), "{0 2, 1 1}");
        assert_eq!(coll::count(r, v[2]).unwrap(), 10);
        assert!(Iter::new(r, v[2])
            .unwrap()
            .all(|e| e.is_ok_and(|(k, v)| word::int(v) == word::int(k).map(|k| k + 10))));
    });
}

#[test]
fn words_are_linked_if_they_are_of_the_transaction_or_its_base() {
    let s = slab();
    let name = s.intern(0, None, b"a").unwrap();
    let link = |w: &mut Writer, word| build::value(w, &BuildBuffer::new().vector(1, |b, _| b.word(word)).finish());
    let old = s.snapshot().unwrap();
    transact(&s, |t| {
        let text = t.write(|w| build::value(w, &BuildBuffer::new().string("a committed text").finish()))?;
        t.set(name, text)
    })
    .unwrap();
    let snap = s.snapshot().unwrap();
    let text = coll::get(snap.reader(), snap.view().state, name).unwrap().unwrap();
    scratch(&s, |w| {
        for word in [
            text,
            name,
            TRUE,
            word::from_int(-3).unwrap(),
            EMPTY_LIST,
            number::make_i64(w, i64::MAX).unwrap(),
        ] {
            let v = link(w, word).unwrap();
            assert_eq!(vector::nth(w.reader(), v, 0).unwrap(), Some(word));
        }
        let v = link(w, text).unwrap();
        let tail = w.reader().node(v).unwrap().word(3);
        assert!(link(w, tail).is_err(), "a node is no value");
        assert!(link(w, text + 16).is_err());
        let foreign = scratch(&s, |other| {
            build::value(other, &BuildBuffer::new().string("not committed").finish()).unwrap()
        });
        assert!(link(w, foreign).is_err());
        // A version that the caller names wrongly.
        let import = BuildBuffer::new().foreign(old.view().version, text).finish();
        assert!(matches!(build::value(w, &import), Err(Error::Buffer(_))));
    });
}

/// A buffer of `depth` collections in each other.
fn nested(op: &str, depth: usize) -> Vec<u8> {
    let head: &[u8] = match op {
        "vector" => &[16, 1, 0, 0, 0],
        "list" => &[17, 1, 0, 0, 0],
        "set" => &[18, 1, 0, 0, 0],
        "map" => &[19, 1, 0, 0, 0, 0],
        "sorted" => &[23, 0, 1, 0, 0, 0, 0],
        "reverse" => &[23, 3, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0],
        _ => &[19, 1, 0, 0, 0],
    };
    let mut b = head.repeat(depth);
    b.push(1);
    if op == "key" {
        b.extend(vec![2; depth]);
    }
    b
}

/// What a runaway recursion of the caller leaves.
#[test]
#[cfg_attr(eve_sanitize, ignore = "sanitizers need several times the stack")]
fn a_thread_with_hardly_any_stack_left_gets_an_error_for_deep_values_and_works_for_flat_ones() {
    let slab = Slab::anonymous(&Options::default()).unwrap();
    let run = || {
        let mut t = Txn::begin(&slab, None).unwrap();
        t.write(|w| {
            let stack = |e: Error| matches!(&e, Error::Limit(d) if d.what.contains("stack"));
            assert!(stack(build::value(w, &nested("vector", 1000)).unwrap_err()));
            let flat = build::value(w, &nested("vector", 20)).unwrap();
            assert!(print::to_edn(w.reader(), flat).is_ok());
            assert!(hash_word(w.reader(), flat).is_ok());
        });
    };
    std::thread::scope(|s| {
        let small = std::thread::Builder::new().stack_size(120 << 10);
        small.spawn_scoped(s, run).unwrap().join().unwrap();
    });
}

/// V4: a JVM thread has one MiB of stack, some of it used before we are called.
#[test]
#[cfg_attr(eve_sanitize, ignore = "sanitizers need several times the stack")]
fn values_nested_to_the_limit_need_little_stack_and_deeper_ones_are_errors() {
    let s = slab();
    for (op, other) in [
        ("vector", "vector"),
        ("list", "list"),
        ("set", "set"),
        ("map", "map"),
        ("key", "key"),
        ("sorted", "sorted"),
        ("sorted", "reverse"),
        ("sorted", "map"),
    ] {
        let s = s.clone();
        let work = move || {
            scratch(&s, |w| {
                let v = build::value(w, &nested(op, DEPTH_MAX)).unwrap();
                let again = build::value(w, &nested(other, DEPTH_MAX)).unwrap();
                let r = w.reader();
                assert!(equal(r, v, again).unwrap(), "{op}");
                if op == "vector" {
                    assert_eq!(compare(r, v, again), Ok(std::cmp::Ordering::Equal));
                }
                assert!(print::to_edn(r, v).unwrap().len() > 2 * DEPTH_MAX);
                let outer = vector::from_words(w, &[v]).unwrap();
                let other = vector::from_words(w, &[again]).unwrap();
                assert!(matches!(print::to_edn(r, outer), Err(Error::Limit(_))), "{op}");
                assert!(matches!(equal(r, outer, other), Err(Error::Limit(_))), "{op}");
                if op != "set" && op != "key" {
                    hash_word(r, v).unwrap();
                    assert!(matches!(hash_word(r, outer), Err(Error::Limit(_))), "{op}");
                }
                let error = build::value(w, &nested(op, DEPTH_MAX + 1)).unwrap_err();
                let at = nested(op, DEPTH_MAX).len() - if op == "key" { 1 + DEPTH_MAX } else { 1 };
                assert_eq!(
                    error,
                    Error::buffer("values are nested deeper than 1024 levels", at),
                    "{op}"
                );
            });
        };
        // What is hardly optimized takes more.
        let stack = if cfg!(debug_assertions) { 2 << 20 } else { 512 << 10 };
        std::thread::Builder::new()
            .stack_size(stack)
            .spawn(work)
            .unwrap()
            .join()
            .unwrap();
    }
}

#[test]
fn large_values_work() {
    let s = slab();
    let long = "0123456789abcdef".repeat(10_000);
    let wide = "\u{e9}".repeat(100_000);
    let bytes: Vec<u8> = (0..200_000).map(|i| i as u8).collect();
    let big: Vec<u8> = [&[1], &bytes[..40_000]].concat();
    let n = 200_000;
    let mut b = BuildBuffer::new();
    b.string(&long)
        .string(&wide)
        .bytes(&bytes)
        .bigint(&big)
        .list(n, |b, i| b.int(i as i64))
        .vector(n, |b, i| b.int(i as i64));
    let buffer = b.finish();
    scratch(&s, |w| {
        let a = values(w, &buffer).unwrap();
        let b = values(w, &buffer).unwrap();
        let r = w.reader();
        assert_eq!(text_of(r, a[0]).unwrap(), long.as_bytes());
        assert_eq!(text_of(r, a[1]).unwrap(), wide.as_bytes());
        assert_eq!(number::integer_bytes(r, a[3]).unwrap(), big);
        for (&x, &y) in a.iter().zip(&b) {
            assert!(x != y && equal(r, x, y).unwrap());
            assert_eq!(hash_word(r, x).unwrap(), hash_word(r, y).unwrap());
        }
        assert!(equal(r, a[4], a[5]).unwrap());
        assert_eq!(list::count(r, a[4]).unwrap(), n);
        assert_eq!(
            print::to_edn(r, a[4]).unwrap().len(),
            print::to_edn(r, a[5]).unwrap().len()
        );
    });
}

/// The value of the atom `name` in the current version.
fn current(s: &Slab, name: &[u8]) -> u64 {
    let snap = s.snapshot().unwrap();
    coll::get(snap.reader(), snap.view().state, s.intern(0, None, name).unwrap())
        .unwrap()
        .unwrap()
}

/// A slab whose atom :a holds all that can be held, some of it twice.
fn full_slab() -> Slab {
    let s = slab();
    let name = s.intern(0, None, b"a").unwrap();
    transact(&s, |t| {
        let v = t.write(|w| {
            let shared = build::value(w, &one_of_each())?;
            let b = BuildBuffer::new()
                .vector(4, |b, i| match i {
                    0 | 1 => b.word(shared),
                    2 => b.map(1000, |b, i| {
                        b.string(&format!("a long key {i}"))
                            .keyword(None, &format!("k{}", i % 50))
                    }),
                    _ => b.set(3, |b, i| b.string(["AaAaAaAa", "BBBBAaAa", "AaBBBBAa"][i])),
                })
                .finish();
            build::value(w, &b)
        })?;
        t.set(name, v)
    })
    .unwrap();
    s
}

/// Two equal texts with all they hold, and the copy holds the same object twice where the original did.
fn assert_is_copy(from: &Slab, old: u64, to: &Slab, new: u64) {
    let (r, q) = (from.reader(), to.reader());
    assert_eq!(print::to_edn(r, old).unwrap(), print::to_edn(q, new).unwrap());
    assert_eq!(hash_word(r, old).unwrap(), hash_word(q, new).unwrap());
    let parts: Vec<u64> = Iter::new(q, new).unwrap().map(|e| e.unwrap().0).collect();
    assert_eq!(parts[0], parts[1], "sharing is preserved");
    parts.iter().for_each(|&p| coll::check(q, p).unwrap());
    for entry in Iter::new(q, parts[2]).unwrap() {
        let (k, v) = entry.unwrap();
        assert_eq!(coll::get(q, parts[2], k).unwrap(), Some(v));
    }
}

#[test]
fn a_value_of_another_version_is_copied_and_one_of_the_base_is_linked() {
    let s = full_slab();
    let old = s.snapshot().unwrap();
    let v = current(&s, b"a");
    let mut t = Txn::begin(&s, None).unwrap();
    assert_eq!(t.write(|w| copy::import_version(w, old.view().version, v)).unwrap(), v);
    t.abort(false);
    transact(&s, |t| t.set(s.intern(0, None, b"b")?, TRUE)).unwrap();
    let name = s.intern(0, None, b"copy").unwrap();
    transact(&s, |t| {
        let c = t.write(|w| build::value(w, &BuildBuffer::new().foreign(old.view().version, v).finish()))?;
        t.set(name, c)
    })
    .unwrap();
    let copy = current(&s, b"copy");
    assert!(copy != v && equal(s.reader(), copy, v).unwrap());
    assert_is_copy(&s, v, &s, copy);
}

#[test]
fn a_value_of_another_slab_is_copied_with_its_keywords() {
    let from = full_slab();
    let to = slab();
    // Other ids than in the source.
    for i in 0..100 {
        to.intern(0, None, format!("other{i}").as_bytes()).unwrap();
    }
    let v = current(&from, b"a");
    let name = to.intern(0, None, b"copy").unwrap();
    transact(&to, |t| {
        let c = t.write(|w| copy::import_slab(w, from.reader(), v))?;
        t.set(name, c)
    })
    .unwrap();
    assert_is_copy(&from, v, &to, current(&to, b"copy"));
    let k = to.intern(0, None, b"k7").unwrap();
    assert_ne!(k, from.intern(0, None, b"k7").unwrap());
}
