//! Values against Clojure's answers (tests/data/prints.tsv, hashes.tsv): hash, `=`, `pr-str`.

use eve::coll::{list, map, set, vector};
use eve::slab::layout::*;
use eve::slab::writer::{Writer, PERSISTENT};
use eve::value::build::{self, BuildBuffer};
use eve::value::{bignum, equal, hash_word, number, print, scalar, text, text_of, word};
use eve::{Error, Options, Result, Slab, Txn};
use std::collections::HashMap;
use std::path::Path;

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

/// Runs `f` with the writer of a transaction that is given up.
fn scratch<T>(s: &Slab, f: impl FnOnce(&mut Writer) -> T) -> T {
    Txn::begin(s, None).unwrap().write(f)
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn data(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// Build buffer, hash and text of every case.
fn prints() -> Vec<(Vec<u8>, u32, String)> {
    let text = data("prints.tsv");
    let lines = text
        .split_terminator('\n')
        .map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
    let cases: Vec<_> = lines
        .map(|f| (unhex(f[0]), f[1].parse::<i32>().unwrap() as u32, f[2].to_string()))
        .collect();
    assert!(cases.len() > 4000, "the cases are there");
    cases
}

#[test]
fn built_values_hash_and_print_as_in_clojure_and_equal_themselves() {
    let s = slab();
    for (buffer, hash, edn) in prints() {
        scratch(&s, |w| {
            let v = build::value(w, &buffer).unwrap_or_else(|e| panic!("{edn}: {e}"));
            let r = w.reader();
            let printed = print::to_edn(r, v).unwrap();
            assert_eq!(hash_word(r, v).unwrap(), hash, "{printed}");
            if edn != "-" {
                assert_eq!(printed, edn);
            }
            let again = build::value(w, &buffer).unwrap();
            assert_eq!(
                equal(w.reader(), v, again).unwrap(),
                !printed.contains("##NaN"),
                "{printed}"
            );
        });
    }
}

#[test]
fn equal_values_have_equal_hashes_and_equality_is_symmetric() {
    let s = slab();
    scratch(&s, |w| {
        let words: Vec<u64> = prints()
            .iter()
            .step_by(7)
            .map(|(b, ..)| build::value(w, b).unwrap())
            .collect();
        let r = w.reader();
        for (i, &a) in words.iter().enumerate() {
            for &b in &words[..i] {
                let same = equal(r, a, b).unwrap();
                assert_eq!(same, equal(r, b, a).unwrap());
                assert!(
                    !same || hash_word(r, a).unwrap() == hash_word(r, b).unwrap(),
                    "{}",
                    print::to_edn(r, a).unwrap()
                );
            }
        }
    });
}

/// The scalar of a line of hashes.tsv; None for lines that test functions below the level of words.
fn scalar_of(w: &mut Writer, kind: &str, text: &str) -> Option<Result<u64>> {
    let two = || text.split_once(['/', ',']).unwrap();
    let int = |t: &str| t.parse::<i64>().unwrap();
    Some(match kind {
        "long" => number::make_i64(w, int(text)),
        "double" => number::make_f64(w, f64::from_bits(u64::from_str_radix(text, 16).unwrap())),
        "bigint" => number::make_bigint(w, &unhex(text)),
        "ratio" => number::make_ratio(w, &unhex(two().0), &unhex(two().1)),
        "decimal" => number::make_decimal(w, &unhex(two().0), two().1.parse().unwrap()),
        "string" => text::make(w, &unhex(text)),
        "bytes" => scalar::make_bytes(w, &unhex(text)),
        "char" => Ok(word::from_char(u16::from_str_radix(text, 16).unwrap())),
        "date" => scalar::make_date(w, int(text)),
        "instant" => scalar::make_instant(w, int(two().0), two().1.parse().unwrap()),
        "uuid" => {
            let half = |at: usize| u64::from_str_radix(&text[at..at + 16], 16).unwrap();
            scalar::make_uuid(w, half(0), half(16))
        }
        "keyword" | "symbol" => {
            let (namespace, name) = text.split_once('/').unwrap();
            let namespace = (namespace != "-").then(|| unhex(namespace));
            build::intern(w, (kind == "symbol") as u8, namespace.as_deref(), &unhex(name))
        }
        _ => return None,
    })
}

#[test]
fn scalars_hash_as_in_clojure_and_text_reads_back() {
    let s = slab();
    let mut seen = HashMap::new();
    let mut t = Txn::begin(&s, None).unwrap();
    for line in data("hashes.tsv").lines().filter(|l| !l.starts_with('#')) {
        let f: Vec<&str> = line.split('\t').collect();
        t.write(|w| {
            let Some(v) = scalar_of(w, f[0], f[1]) else { return };
            let v = v.unwrap_or_else(|e| panic!("{line}: {e}"));
            let hash = f[2].parse::<i32>().unwrap() as u32;
            assert_eq!(hash_word(w.reader(), v).unwrap(), hash, "{line}");
            match f[0] {
                "string" => assert_eq!(text::to_vec(w.reader(), v).unwrap(), unhex(f[1])),
                "bytes" => assert_eq!(scalar::bytes_of(w.reader(), v).unwrap(), unhex(f[1])),
                _ => {}
            }
            *seen.entry(f[0].to_string()).or_insert(0) += 1;
        });
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
}

fn kw(b: &mut BuildBuffer, name: &str) {
    b.keyword(None, name);
}

type Write = fn(&mut BuildBuffer);

/// Groups of equal values; values of different groups are unequal.
const SCALARS: &[&[Write]] = &[
    &[|b| done(b.nil())],
    &[|b| done(b.bool(true))],
    &[|b| done(b.bool(false))],
    &[|b| done(b.int(0)), |b| done(b.bigint(&[0]))],
    &[|b| done(b.double(0.0)), |b| done(b.double(-0.0))],
    &[|b| done(b.int(1)), |b| done(b.bigint(&[1]))],
    &[|b| done(b.double(1.0))],
    &[
        |b| done(b.decimal(&[1], 0)),
        |b| done(b.decimal(&[10], 1)),
        |b| done(b.decimal(&[100], 2)),
    ],
    &[|b| done(b.decimal(&[0], 0)), |b| done(b.decimal(&[0], 1000))],
    &[|b| done(b.ratio(&[1], &[2]))],
    &[|b| done(b.ratio(&[0xFF], &[2]))],
    &[|b| done(b.double(0.5))],
    &[
        |b| done(b.int(i64::MAX)),
        |b| done(b.bigint(&bignum::from_i64(i64::MAX))),
    ],
    &[|b| done(b.bigint(&bignum::from_i128(i64::MAX as i128 + 1)))],
    &[|b| done(b.double(f64::MAX))],
    &[|b| done(b.double(f64::INFINITY))],
    &[|b| done(b.string("1"))],
    &[|b| done(b.char(b'1' as u16))],
    &[|b| done(b.string("a longer text"))],
    &[|b| done(b.string("a longer tex\u{fc}"))],
    &[|b| kw(b, "a"), |b| kw(b, "a")],
    &[|b| done(b.keyword(Some("a"), "a"))],
    &[|b| done(b.symbol(None, "a"))],
    &[|b| done(b.keyword(None, "a/a"))],
    &[|b| done(b.uuid(1, 2))],
    &[|b| done(b.date(1000))],
    &[|b| done(b.instant(1, 0))],
    &[|b| done(b.instant(1, 1))],
    &[|b| done(b.bytes(&[1, 2, 3]))],
    &[|b| done(b.bytes(&[1, 2, 4]))],
];

/// Further groups.
const COLLECTIONS: &[&[Write]] = &[
    &[|b| done(b.vector(0, |b, _| b)), |b| done(b.list(0, |b, _| b))],
    &[|b| done(b.map(0, |b, _| b))],
    &[|b| done(b.set(0, |b, _| b))],
    &[
        |b| done(b.vector(40, |b, i| b.int(i as i64))),
        |b| done(b.list(40, |b, i| b.bigint(&[i as u8]))),
    ],
    &[|b| done(b.vector(40, |b, i| b.int(i as i64 % 39)))],
    &[|b| done(b.vector(39, |b, i| b.int(i as i64)))],
    &[
        |b| done(b.set(40, |b, i| b.int(i as i64))),
        |b| done(b.set(80, |b, i| b.bigint(&[39 - i as u8 % 40]))),
    ],
    &[
        |b| done(ints(b, 8)),
        |b| done(b.map(8, |b, i| b.bigint(&[7 - i as u8]).int(-1))),
    ],
    &[
        |b| done(ints(b, 9)),
        |b| done(b.map(9, |b, i| b.int(8 - i as i64).int(-1))),
    ],
    &[|b| done(b.map(9, |b, i| b.int(i as i64).int(-2)))],
    // One hash for all keys: Aa and BB.
    &[
        |b| done(b.set(3, |b, i| b.string(["AaAaAaAa", "BBBBAaAa", "AaBBBBAa"][i]))),
        |b| done(b.set(3, |b, i| b.string(["AaBBBBAa", "AaAaAaAa", "BBBBAaAa"][i]))),
    ],
    &[|b| done(b.set(3, |b, i| b.string(["AaAaAaAa", "BBBBAaAa", "BBBBBBBB"][i])))],
    &[
        |b| {
            done(b.vector(1, |b, _| {
                b.map(1, |b, _| b.vector(1, |b, _| b.int(1)).list(0, |b, _| b))
            }))
        },
        |b| {
            done(b.list(1, |b, _| {
                b.map(1, |b, _| b.list(1, |b, _| b.bigint(&[1])).vector(0, |b, _| b))
            }))
        },
    ],
    &[
        |b| done(b.map(3, |b, i| collection(b, i, false).int(i as i64))),
        |b| done(b.map(3, |b, i| collection(b, 2 - i, true).int(2 - i as i64))),
    ],
    &[|b| done(b.map(3, |b, i| collection(b, i, true).int(2 - i as i64)))],
    &[
        |b| done(b.map(30, |b, i| collection(b, i, false).int(i as i64))),
        |b| done(b.map(30, |b, i| collection(b, 29 - i, true).int(29 - i as i64))),
    ],
    &[
        |b| done(b.set(30, |b, i| collection(b, i, false))),
        |b| done(b.set(30, |b, i| collection(b, 29 - i, true))),
    ],
    &[|b| done(b.set(30, |b, i| collection(b, i + 1, true)))],
];

fn ints(b: &mut BuildBuffer, n: usize) -> &mut BuildBuffer {
    b.map(n, |b, i| b.int(i as i64).int(-1))
}
/// `i` integers, as a list or vector.
fn collection(b: &mut BuildBuffer, i: usize, list: bool) -> &mut BuildBuffer {
    if list {
        b.list(i, |b, i| b.int(i as i64))
    } else {
        b.vector(i, |b, i| b.int(i as i64))
    }
}

/// Build buffers of all groups.
fn equality_groups() -> Vec<Vec<Vec<u8>>> {
    let bytes = |write: &Write| {
        let mut b = BuildBuffer::new();
        write(&mut b);
        b.finish()
    };
    let groups = SCALARS.iter().chain(COLLECTIONS);
    groups.map(|g| g.iter().map(bytes).collect()).collect()
}

/// Turns an expression into a statement.
fn done(_: &mut BuildBuffer) {}

#[test]
fn equality_is_clojures() {
    let s = slab();
    scratch(&s, |w| {
        let mut all = Vec::new();
        for (group, buffers) in equality_groups().iter().enumerate() {
            // Twice: the same content in two places.
            for b in buffers.iter().chain(buffers) {
                all.push((group, build::value(w, b).unwrap()));
            }
        }
        let r = w.reader();
        for &(i, a) in &all {
            for &(j, b) in &all {
                let texts = [a, b].map(|v| print::to_edn(r, v).unwrap());
                assert_eq!(equal(r, a, b).unwrap(), i == j, "{texts:?}");
                assert!(
                    i != j || hash_word(r, a).unwrap() == hash_word(r, b).unwrap(),
                    "{texts:?}"
                );
            }
        }
        // A NaN is equal to its own word only, and metadata doesn't count.
        let nan = number::make_f64(w, f64::NAN).unwrap();
        let other = number::make_f64(w, f64::NAN).unwrap();
        assert_eq!(
            (equal(r, nan, nan).unwrap(), equal(r, nan, other).unwrap()),
            (true, false)
        );
        for (empty, with_meta) in [
            (EMPTY_MAP, map::with_meta(w, EMPTY_MAP, EMPTY_MAP).unwrap()),
            (EMPTY_SET, set::with_meta(w, EMPTY_SET, EMPTY_MAP).unwrap()),
            (EMPTY_VECTOR, vector::with_meta(w, EMPTY_VECTOR, EMPTY_MAP).unwrap()),
            (EMPTY_LIST, vector::with_meta(w, EMPTY_VECTOR, EMPTY_MAP).unwrap()),
        ] {
            assert!(is_pointer(with_meta));
            assert!(equal(r, empty, with_meta).unwrap() && equal(r, with_meta, empty).unwrap());
            assert_eq!(hash_word(r, empty).unwrap(), hash_word(r, with_meta).unwrap());
        }
    });
}

#[test]
fn values_without_edn_have_a_text_of_our_own() {
    let s = slab();
    let mut b = BuildBuffer::new();
    b.bytes(&[0, 0xAB, 0xFF])
        .bytes(&[])
        .instant(0, 500_000_000)
        .char(0xD800)
        .text(b"x\xED\xA0\xBDy")
        .text(b"\xED\xB0\x80");
    b.keyword(Some("a.b"), "c").symbol(None, "/");
    scratch(&s, |w| {
        let values = build::with_values(w, &b.finish(), |_, all| Ok(all.to_vec())).unwrap();
        let texts: Vec<String> = values.iter().map(|&v| print::to_edn(w.reader(), v).unwrap()).collect();
        let instant = r#"#eve/instant "1970-01-01T00:00:00.500Z""#;
        let bytes = r##"#eve/bytes "00abff""##;
        assert_eq!(
            texts,
            [
                bytes,
                r##"#eve/bytes """##,
                instant,
                "\\ud800",
                "\"x\\ud83dy\"",
                "\"\\udc00\"",
                ":a.b/c",
                "/"
            ]
        );
        assert_eq!(text_of(w.reader(), values[6]).unwrap(), b"a.b/c");
        assert_eq!(text_of(w.reader(), values[4]).unwrap(), b"x\xED\xA0\xBDy");
        assert!(matches!(text_of(w.reader(), values[0]), Err(Error::Type(_))));
    });
}

/// Runs `f` in a thread and fails if it takes a minute: it would take for ever.
fn ends(what: &str, f: impl FnOnce() + Send + 'static) {
    let (done, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        f();
        done.send(()).unwrap();
    });
    if wait.recv_timeout(std::time::Duration::from_secs(60)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        panic!("{what} doesn't end");
    }
    thread.join().unwrap();
}

/// Makes the next level of a value that holds `x` more than once.
type Level = fn(&mut Writer, u64) -> Result<u64>;

fn twice(w: &mut Writer, x: u64) -> Result<u64> {
    vector::from_words(w, &[x, x])
}

fn entries(w: &mut Writer, pairs: &[(u64, u64)]) -> Result<u64> {
    pairs.iter().try_fold(EMPTY_MAP, |m, &(k, v)| {
        let hash = hash_word(w.reader(), k)?;
        map::assoc(w, PERSISTENT, m, k, hash, v)
    })
}

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
}

const LEVELS: [(&str, Level); 6] = [
    ("[x x]", twice),
    ("(x x)", |w, x| list::from_words(w, &[x, x])),
    ("{0 x, 1 x}", |w, x| entries(w, &[(int(0), x), (int(1), x)])),
    ("{x x}", |w, x| entries(w, &[(x, x)])),
    ("#{[x x] 1}", |w, x| {
        let x = twice(w, x)?;
        let hash = hash_word(w.reader(), x)?;
        let set = set::conj(w, PERSISTENT, EMPTY_SET, x, hash)?;
        set::conj(w, PERSISTENT, set, int(1), hash_word(w.reader(), int(1))?)
    }),
    // Neither of the two maps has a second parent: what they share is a node of their tries.
    ("[m (assoc m 1 2)], x in m", |w, x| {
        let mut pairs: Vec<_> = (0..40).map(|i| (int(i), int(i))).collect();
        pairs[7].1 = x;
        let m = entries(w, &pairs)?;
        let hash = hash_word(w.reader(), int(1))?;
        let changed = map::assoc(w, PERSISTENT, m, int(1), hash, int(2))?;
        vector::from_words(w, &[m, changed])
    }),
];

/// `bottom` below 60 levels: 2^60 paths.
fn deep(w: &mut Writer, level: Level, bottom: i64) -> u64 {
    (0..60).fold(int(bottom), |x, _| level(w, x).unwrap())
}

#[test]
fn what_is_met_on_many_paths_is_hashed_and_compared_once() {
    for (name, level) in LEVELS {
        ends(name, move || {
            let s = slab();
            scratch(&s, |w| {
                let [a, b, other] = [0, 0, 1].map(|bottom| deep(w, level, bottom));
                let r = w.reader();
                assert_eq!(hash_word(r, a).unwrap(), hash_word(r, b).unwrap(), "{name}");
                assert_ne!(hash_word(r, a).unwrap(), hash_word(r, other).unwrap(), "{name}");
                assert!(equal(r, a, b).unwrap() && equal(r, b, a).unwrap(), "{name}");
                assert!(!equal(r, a, other).unwrap(), "{name}");
            });
        });
    }
}

/// Keys of an array map are compared with all of another's, most of which differ: far below.
#[test]
fn comparisons_that_fail_are_made_once() {
    ends("comparing array maps with deep keys", || {
        let s = slab();
        scratch(&s, |w| {
            let keys = |w: &mut Writer, x: u64| {
                let (a, b) = (twice(w, x)?, vector::from_words(w, &[x, int(0)])?);
                entries(w, &[(a, int(0)), (b, int(0))])
            };
            let [a, b, other] = [0, 0, 1].map(|bottom| deep(w, keys, bottom));
            assert!(equal(w.reader(), a, b).unwrap());
            assert!(!equal(w.reader(), a, other).unwrap());
        });
    });
}

#[test]
fn what_is_met_on_many_paths_is_copied_once() {
    ends("copying", || {
        let (from, to) = (slab(), slab());
        let mut t = Txn::begin(&from, None).unwrap();
        let atom = int(1);
        let a = t.write(|w| deep(w, twice, 0));
        t.set(atom, a).unwrap();
        t.commit(false).unwrap();
        let view = from.snapshot().unwrap();
        let a = eve::coll::get(view.reader(), view.view().state, atom).unwrap().unwrap();
        scratch(&to, |w| {
            let copy = eve::value::copy::import_slab(w, view.reader(), a).unwrap();
            let own = deep(w, twice, 0);
            assert!(equal(w.reader(), copy, own).unwrap());
        });
    });
}
