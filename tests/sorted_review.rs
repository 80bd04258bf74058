//! Sorted collections that meet what they may not expect: keys without a total order, a change that fails half way, keys that are freed.

use eve::coll::{self, sorted};
use eve::slab::layout::*;
use eve::slab::writer::PERSISTENT;
use eve::tools::{self, quiet};
use eve::value::{number, text, word};
use eve::{transact, Error, Options, Slab, Txn};
use std::collections::BTreeMap;

mod support;

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
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

/// Doubles beside integers and NaN have no total order: what is built at once is sound nevertheless.
#[test]
fn keys_without_a_total_order_are_built_into_a_sound_tree() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let mut random = Random(1);
    for n in 2..300 {
        Txn::begin(&s, None).unwrap().write(|w| {
            let keys: Vec<[u64; 2]> = (0..n)
                .map(|_| {
                    let i = (1 << 53) + random.next(200) as i64;
                    let key = match random.next(4) {
                        0 => number::make_f64(w, f64::NAN).unwrap(),
                        1 => number::make_f64(w, i as f64).unwrap(),
                        _ => number::make_i64(w, i).unwrap(),
                    };
                    [key, NIL]
                })
                .collect();
            for order in [NIL, ORDER_REVERSE] {
                let set = sorted::set_of(w, PERSISTENT, order, keys.clone()).unwrap();
                coll::check(w.reader(), set).unwrap_or_else(|e| panic!("{n} keys: {e}"));
            }
        });
    }
}

#[test]
fn keys_that_do_not_compare_are_an_error_of_what_is_built_at_once() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let mut random = Random(2);
    for n in 2..300 {
        Txn::begin(&s, None).unwrap().write(|w| {
            let mut keys: Vec<[u64; 2]> = (0..n)
                .map(|_| match random.next(2) {
                    0 => [int(random.next(1000) as i64), NIL],
                    _ => [text::make(w, format!("{}", random.next(1000)).as_bytes()).unwrap(), NIL],
                })
                .collect();
            keys[0][0] = int(1);
            keys[1][0] = text::make(w, b"a").unwrap();
            let e = sorted::set_of(w, PERSISTENT, NIL, keys).unwrap_err();
            assert!(matches!(e, Error::Type(_)), "{e}");
        });
    }
}

/// A transient that a full slab stops stays what it was.
#[test]
fn a_change_that_finds_no_room_changes_nothing() {
    for seed in 0..6 {
        let options = Options {
            max_bytes: HEADER_SIZE + 16 * BLOCK_SIZE,
            ..Options::default()
        };
        let s = Slab::anonymous(&options).unwrap();
        let mut random = Random(seed);
        Txn::begin(&s, None).unwrap().write(|w| {
            let token = w.new_token();
            let mut set = sorted::empty_map(w, NIL).unwrap();
            let mut model = BTreeMap::new();
            let mut failed = 0;
            while failed < 40 {
                let key = random.next(1 << 30) as i64;
                match sorted::assoc(w, token, set, int(key), int(1), None) {
                    Ok(new) => {
                        set = new;
                        model.insert(key, 1);
                    }
                    Err(Error::Full(_)) => {
                        failed += 1;
                        coll::check(w.reader(), set).unwrap_or_else(|e| panic!("seed {seed}, failure {failed}: {e}"));
                        assert_eq!(sorted::count(w.reader(), set).unwrap(), model.len());
                    }
                    Err(e) => panic!("{e}"),
                }
            }
            for &key in model.keys() {
                assert!(
                    sorted::get(w.reader(), set, int(key), None).unwrap().is_some(),
                    "{key} is lost"
                );
            }
        });
    }
}

/// Keys are objects, and the smallest ones go and come back as other objects; snapshots hold old values.
#[test]
fn the_keys_in_nodes_never_outlive_those_in_leaves() {
    for seed in 0..12 {
        let s = Slab::anonymous(&Options::default()).unwrap();
        let mut random = Random(seed);
        let mut held = Vec::new();
        let mut model: BTreeMap<u64, u64> = BTreeMap::new();
        transact(&s, |t| {
            let m = t.write(|w| sorted::empty_map(w, NIL))?;
            t.set(int(0), m)?;
            t.set(int(1), NIL)
        })
        .unwrap();
        for step in 0..400u64 {
            let n = random.next(120);
            let (kind, transient, abort) = (random.next(4), random.next(2) == 0, random.next(10) == 0);
            let mut next = model.clone();
            let mut t = Txn::begin(&s, None).unwrap();
            let mut m = t.get(int(0)).unwrap().unwrap();
            t.write(|w| {
                let token = if transient { w.new_token() } else { PERSISTENT };
                for i in 0..n {
                    let take = match kind {
                        0 => None,
                        // The smallest, the largest, and the first of a leaf in the middle.
                        1 => next.keys().next().copied(),
                        2 => next.keys().next_back().copied(),
                        _ => next.range(random.next(3000)..).next().map(|e| *e.0),
                    };
                    let k = take.unwrap_or_else(|| random.next(3000));
                    let key = text::make(w, format!("a text as a key that is long {k:05}").as_bytes()).unwrap();
                    if take.is_some() {
                        m = sorted::dissoc(w, token, m, key, None).unwrap();
                        next.remove(&k);
                    } else {
                        m = sorted::assoc(w, token, m, key, int((step * 1000 + i) as i64), None).unwrap();
                        next.insert(k, step * 1000 + i);
                    }
                }
                coll::check(w.reader(), m).unwrap();
            });
            t.set(int(0), m).unwrap();
            if random.next(15) == 0 {
                // A second parent for all that the two share.
                t.set(int(1), m).unwrap();
            }
            if abort {
                t.abort(false);
            } else {
                t.commit(false).unwrap();
                model = next;
            }
            if random.next(8) == 0 {
                held.push((s.snapshot().unwrap(), model.clone()));
            }
            if held.len() > 5 {
                held.remove(random.next(5) as usize);
            }
            if step % 40 == 7 {
                s.reclaim();
                s.gc().unwrap();
            }
            if step % 20 == 0 {
                let report = tools::verify(&s, &mut quiet).unwrap();
                assert!(report.findings.is_empty(), "{:?}", report.findings.list);
                let now = (s.snapshot().unwrap(), model.clone());
                for (snapshot, model) in held.iter().chain([&now]) {
                    let (r, state) = (snapshot.reader(), snapshot.view().state);
                    let m = coll::get(r, state, int(0)).unwrap().unwrap();
                    coll::check(r, m).unwrap();
                    let texts = texts(model);
                    for (key, value) in texts {
                        let found = sorted::get_with(r, m, |k| text::compare_with(r, k, &key)).unwrap();
                        assert_eq!(found.unwrap().1, int(value as i64));
                    }
                }
            }
        }
        held.clear();
        transact(&s, |t| t.set(int(1), NIL)).unwrap();
        s.reclaim();
        s.gc().unwrap();
        support::assert_exact(&s);
    }
}

fn texts(model: &BTreeMap<u64, u64>) -> Vec<(Vec<u8>, u64)> {
    model
        .iter()
        .map(|(k, v)| (format!("a text as a key that is long {k:05}").into_bytes(), *v))
        .collect()
}
