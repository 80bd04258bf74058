//! Sorted collections as values: equality, hash, text, copies, `verify`; trees of the real width; several threads on one slab.

use eve::coll::{self, sorted};
use eve::slab::layout::*;
use eve::slab::writer::{Writer, PERSISTENT};
use eve::tools::{self, compact, quiet, FindingKind};
use eve::value::build::{self, BuildBuffer};
use eve::value::{copy, equal, hash_word, print, word};
use eve::{transact, Options, Slab, Txn};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::Ordering::*;

mod support;

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
}

fn scratch<T>(s: &Slab, f: impl FnOnce(&mut Writer) -> T) -> T {
    Txn::begin(s, None).unwrap().write(f)
}

/// Element `i`: a vector, so an object with an object in it.
fn element(b: &mut BuildBuffer, i: usize) -> &mut BuildBuffer {
    b.vector(2, |b, j| match j {
        0 => b.int(i as i64 % 7),
        _ => b.string(&format!("a text of some length {i}")),
    })
}

fn entry(b: &mut BuildBuffer, i: usize) -> &mut BuildBuffer {
    element(b, i).int(i as i64)
}

/// One content in each layout: unsorted, natural, reverse, and in an order that has a name.
fn layouts(w: &mut Writer, is_map: bool, n: usize) -> [u64; 4] {
    fn named(b: &mut BuildBuffer) -> &mut BuildBuffer {
        b.symbol(Some("my"), "order")
    }
    let mut b = BuildBuffer::new();
    let mut build = |b: &mut BuildBuffer| build::value(w, &b.finish()).unwrap();
    if is_map {
        return [
            build(b.map(n, entry)),
            build(b.sorted_map(|b| b.nil(), n, entry)),
            build(b.sorted_map(|b| b.int(-1), n, entry)),
            build(b.sorted_map(named, n, entry)),
        ];
    }
    [
        build(b.set(n, element)),
        build(b.sorted_set(|b| b.nil(), n, element)),
        build(b.sorted_set(|b| b.int(-1), n, element)),
        build(b.sorted_set(named, n, element)),
    ]
}

#[test]
fn equal_contents_are_equal_and_hash_alike_in_every_order() {
    let s = slab();
    for n in [0, 1, 8, 30, 200] {
        for is_map in [true, false] {
            scratch(&s, |w| {
                let (same, more) = (layouts(w, is_map, n), layouts(w, is_map, n + 1));
                let less = sorted::dissoc(w, PERSISTENT, more[1], int(0), None);
                assert!(n > 0 || less.is_err(), "a vector beside an integer");
                let r = w.reader();
                for a in same {
                    coll::check(r, a).unwrap();
                    for b in same {
                        assert!(equal(r, a, b).unwrap());
                        assert_eq!(hash_word(r, a).unwrap(), hash_word(r, b).unwrap());
                    }
                    for b in more {
                        assert!(!equal(r, a, b).unwrap() && !equal(r, b, a).unwrap());
                    }
                }
            });
        }
    }
}

#[test]
fn equality_never_compares_and_is_symmetric() {
    let s = slab();
    scratch(&s, |w| {
        let mut b = BuildBuffer::new();
        let mut build = |b: &mut BuildBuffer| build::value(w, &b.finish()).unwrap();
        let values = [
            build(b.sorted_map(|b| b.nil(), 1, |b, _| b.int(1).int(1))),
            build(b.map(1, |b, _| b.keyword(None, "a").int(1))),
            build(b.sorted_map(|b| b.int(-1), 1, |b, _| b.string("a").int(1))),
            // 1.0 compares as 1, but is another key.
            build(b.map(1, |b, _| b.double(1.0).int(1))),
            build(b.sorted_map(|b| b.nil(), 1, |b, _| b.double(1.0).int(1))),
            build(b.sorted_map(|b| b.nil(), 1, |b, _| b.int(1).int(2))),
            build(b.sorted_set(|b| b.nil(), 1, |b, _| b.int(1))),
            build(b.set(1, |b, _| b.keyword(None, "a"))),
        ];
        let r = w.reader();
        for (i, &a) in values.iter().enumerate() {
            for (j, &b) in values.iter().enumerate() {
                let same = i == j || (i.min(j), i.max(j)) == (3, 4);
                assert_eq!(equal(r, a, b).unwrap(), same, "{i} {j}");
            }
        }
    });
}

#[test]
fn they_print_in_their_order_and_nest() {
    let s = slab();
    scratch(&s, |w| {
        let mut b = BuildBuffer::new();
        b.vector(3, |b, i| match i {
            0 => b.sorted_map(|b| b.nil(), 3, |b, i| b.int(-(i as i64)).nil()),
            1 => b.sorted_set(|b| b.int(-1), 3, |b, i| b.string(["b", "c", "a"][i])),
            _ => b.sorted_set(|b| b.keyword(None, "mine"), 0, |b, _| b),
        });
        let v = build::value(w, &b.finish()).unwrap();
        let text = print::to_edn(w.reader(), v).unwrap();
        assert_eq!(text, r##"[{-2 nil, -1 nil, 0 nil} #{"c" "b" "a"} #{}]"##);
    });
}

#[test]
fn what_cannot_be_sorted_is_not_built() {
    let s = slab();
    scratch(&s, |w| {
        let mut b = BuildBuffer::new();
        let mut fails = |b: &mut BuildBuffer| build::value(w, &b.finish()).unwrap_err().to_string();
        let text = fails(b.sorted_set(|b| b.nil(), 2, |b, i| if i == 0 { b.int(1) } else { b.string("a") }));
        assert!(text.contains("can't compare"), "{text}");
        let text = fails(b.sorted_set(|b| b.nil(), 1, |b, _| b.set(0, |b, _| b)));
        assert!(text.contains("can't compare a set"), "{text}");
        let text = fails(b.sorted_map(|b| b.int(1), 0, |b, _| b));
        assert!(text.contains("an order is nil"), "{text}");
    });
}

/// A slab with the layouts of a map and a set as its atoms 0 to 7.
fn sample(s: &Slab) {
    for is_map in [true, false] {
        let values = transact(s, |t| {
            let values = t.write(|w| layouts(w, is_map, 1000));
            for (i, &v) in values.iter().enumerate() {
                t.set(int(i as i64 + 4 * is_map as i64), v)?;
            }
            Ok(values)
        });
        values.unwrap();
    }
}

fn atom(s: &Slab, i: i64) -> u64 {
    let snap = s.snapshot().unwrap();
    coll::get(snap.reader(), snap.view().state, int(i)).unwrap().unwrap()
}

#[test]
fn copies_in_other_slabs_are_sound_and_equal() {
    let s = slab();
    sample(&s);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy");
    compact(&s, &path, &mut quiet).unwrap();
    let copied = Slab::open(&path, &Options::default()).unwrap();
    assert!(tools::verify(&copied, &mut quiet).unwrap().findings.is_empty());
    let other = slab();
    // So that symbols have other numbers there.
    other.intern(0, None, b"first").unwrap();
    for i in 0..8 {
        let (old, new) = (atom(&s, i), atom(&copied, i));
        coll::check(copied.reader(), new).unwrap();
        assert_eq!(
            print::to_edn(s.reader(), old).unwrap(),
            print::to_edn(copied.reader(), new).unwrap()
        );
        scratch(&other, |w| {
            let third = copy::import_slab(w, s.reader(), old).unwrap();
            coll::check(w.reader(), third).unwrap();
            assert_eq!(
                hash_word(w.reader(), third).unwrap(),
                hash_word(s.reader(), old).unwrap()
            );
            if i % 4 == 3 {
                let order = sorted::order(w.reader(), third).unwrap();
                assert_eq!(eve::value::text_of(w.reader(), order).unwrap(), b"my/order");
            }
        });
    }
}

#[test]
fn verify_finds_what_is_wrong_in_a_tree() {
    let damages: [(FindingKind, &str, fn(&Slab, u64)); 6] = [
        (FindingKind::Order, "two entries that change places", |s, root| {
            let leaf = leaf_of(s, root);
            let (a, b) = (s.map().atomic_u64(leaf + 16), s.map().atomic_u64(leaf + 32));
            let word = a.swap(b.load(Relaxed), Relaxed);
            b.store(word, Relaxed);
        }),
        (FindingKind::Order, "another key in a node", |s, root| {
            let n = s.map().atomic_u64(root + 8).load(Relaxed) & 0xFFFF;
            let keys = root + 16 + 8 * n;
            let second = s.map().atomic_u64(keys + 8).load(Relaxed);
            s.map().atomic_u64(keys).store(second, Relaxed);
        }),
        (FindingKind::Count, "another count in a node", |s, root| {
            let n = s.map().atomic_u64(root + 8).load(Relaxed) & 0xFFFF;
            s.map().atomic_u64(root + 16 + 16 * n).fetch_add(1, Relaxed);
        }),
        (FindingKind::Form, "another level", |s, root| {
            s.map().atomic_u64(root + 8).fetch_add(1 << 32, Relaxed);
        }),
        (FindingKind::Count, "a leaf with too many entries", |s, root| {
            s.map().atomic_u64(leaf_of(s, root) + 8).store(100, Relaxed);
        }),
        (FindingKind::Type, "a child that is no node", |s, root| {
            s.map().atomic_u64(root + 16).store(int(1), Relaxed);
        }),
    ];
    for (kind, what, damage) in damages {
        let s = slab();
        sample(&s);
        let sound = tools::verify(&s, &mut quiet).unwrap();
        assert!(sound.findings.is_empty(), "{:?}", sound.findings.list);
        assert!(sound.unchecked > 1000, "orders with a name can't be checked");
        let head = s.reader().node(atom(&s, 5)).unwrap();
        assert_eq!(head.kind(), SORTED_MAP);
        damage(&s, head.word(2));
        let report = tools::verify(&s, &mut quiet).unwrap();
        let kinds: Vec<_> = report.findings.counts.keys().copied().collect();
        assert!(kinds.contains(&kind), "{what}: {:?}", report.findings.list);
        assert!(coll::check(s.reader(), head.offset()).is_err(), "{what}");
    }
}

/// The first leaf below `root`.
fn leaf_of(s: &Slab, root: u64) -> u64 {
    let mut node = s.reader().node(root).unwrap();
    while node.kind() == BTREE_NODE {
        node = s.reader().node(node.word(2)).unwrap();
    }
    node.offset()
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn entries(s: &Slab, m: u64, from: Bound<u64>, to: Bound<u64>, backward: bool) -> Vec<(i64, i64)> {
    let range = sorted::range(s.reader(), m, from, to, backward, None).unwrap();
    let int = |w| word::int(w).unwrap();
    range.map(|e| e.map(|(k, v)| (int(k), int(v))).unwrap()).collect()
}

#[test]
fn trees_of_the_real_width_agree_with_the_standard_library() {
    let s = slab();
    let mut random = Random(1);
    let mut model = BTreeMap::new();
    for round in 0..40 {
        let space = [50, 5_000, 1_000_000][round % 3];
        transact(&s, |t| {
            let old = t.get(int(0))?;
            let m = t.write(|w| {
                let token = if round % 2 == 0 { w.new_token() } else { PERSISTENT };
                let mut m = match old {
                    Some(m) => m,
                    None => sorted::empty_map(w, NIL)?,
                };
                let takes = if round % 8 == 7 { 9 } else { 4 };
                for i in 0..3000 {
                    let k = random.next(space) as i64;
                    if random.next(10) < takes {
                        m = sorted::dissoc(w, token, m, int(k), None)?;
                        model.remove(&k);
                    } else {
                        m = sorted::assoc(w, token, m, int(k), int(i), None)?;
                        model.insert(k, i);
                    }
                }
                Ok::<u64, eve::Error>(m)
            })?;
            t.set(int(0), m)
        })
        .unwrap();
        let m = atom(&s, 0);
        coll::check(s.reader(), m).unwrap();
        support::assert_exact(&s);
        assert_eq!(
            entries(&s, m, Bound::Unbounded, Bound::Unbounded, false),
            model.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>()
        );
        for _ in 0..20 {
            let (a, b) = (random.next(space) as i64, random.next(space) as i64);
            let (a, b) = (a.min(b), a.max(b));
            let mut expected: Vec<_> = model.range(a..b).map(|(k, v)| (*k, *v)).collect();
            let (from, to) = (Bound::Included(int(a)), Bound::Excluded(int(b)));
            assert_eq!(entries(&s, m, from, to, false), expected);
            expected.reverse();
            assert_eq!(entries(&s, m, from, to, true), expected);
            let rank = model.range(..a).count();
            let nth = sorted::nth(s.reader(), m, rank).unwrap().map(|e| e.0);
            assert_eq!(nth, model.range(a..).next().map(|e| int(*e.0)));
        }
    }
}

#[test]
fn four_threads_write_into_one_sorted_map_and_lose_nothing() {
    let s = slab();
    let per_thread = if cfg!(debug_assertions) { 150 } else { 1500 };
    transact(&s, |t| {
        let m = t.write(|w| sorted::empty_map(w, NIL))?;
        t.set(int(0), m)
    })
    .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4i64 {
            let s = &s;
            scope.spawn(move || {
                let mut random = Random(thread as u64);
                for i in 0..per_thread {
                    let k = 4 * random.next(400) as i64 + thread;
                    transact(s, |t| {
                        let m = t.get(int(0))?.unwrap();
                        let m = t.write(|w| {
                            let old = sorted::get(w.reader(), m, int(k), None)?;
                            // Each key goes and comes again: what is left tells how often it was met.
                            match old {
                                Some(_) if i % 3 == 0 => sorted::dissoc(w, PERSISTENT, m, int(k), None),
                                _ => sorted::assoc(w, PERSISTENT, m, int(k), int(i), None),
                            }
                        })?;
                        t.set(int(0), m)
                    })
                    .unwrap();
                    let snap = s.snapshot().unwrap();
                    let now = coll::get(snap.reader(), snap.view().state, int(0)).unwrap().unwrap();
                    coll::check(snap.reader(), now).unwrap();
                }
            });
        }
    });
    let mut model = BTreeMap::new();
    for thread in 0..4i64 {
        let mut random = Random(thread as u64);
        for i in 0..per_thread {
            let k = 4 * random.next(400) as i64 + thread;
            if model.contains_key(&k) && i % 3 == 0 {
                model.remove(&k);
            } else {
                model.insert(k, i);
            }
        }
    }
    let m = atom(&s, 0);
    assert_eq!(
        entries(&s, m, Bound::Unbounded, Bound::Unbounded, false),
        model.into_iter().collect::<Vec<_>>()
    );
    assert!(tools::verify(&s, &mut quiet).unwrap().findings.is_empty());
    support::assert_exact(&s);
}
