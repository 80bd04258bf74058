//! Maps and sets against imbl's, whose cheap copies are the models of old versions.

use super::*;
use crate::coll::{lookup, map, set};
use crate::slab::writer::{Token, PERSISTENT};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Key, which of its words, value.
    Put(usize, usize, i64),
    Take(usize),
    /// From here on with a new token.
    Transient,
    Persistent,
    /// Keep the current version.
    Keep,
    /// Go on from a kept version.
    Back(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..64usize, 0..2usize, 0..4i64).prop_map(|(k, alt, v)| Step::Put(k, alt, v)),
        8 => (0..64usize).prop_map(Step::Take),
        1 => Just(Step::Transient),
        1 => Just(Step::Persistent),
        1 => Just(Step::Keep),
        1 => (0..8usize).prop_map(Step::Back),
    ]
}

/// What maps and sets have in common.
struct Kind {
    empty: u64,
    put: fn(&mut Writer, Token, u64, u64, u64) -> u64,
    take: fn(&mut Writer, Token, u64, u64) -> u64,
    /// Stored key and value.
    get: fn(Reader, u64, u64) -> Option<(u64, u64)>,
}

const MAPS: Kind = Kind {
    empty: EMPTY_MAP,
    put: |w, token, m, k, v| map::assoc(w, token, m, k, hash_of(w.reader(), k), v).unwrap(),
    take: |w, token, m, k| map::dissoc(w, token, m, k, hash_of(w.reader(), k)).unwrap(),
    get: |r, m, k| map::get_entry(r, m, k, hash_of(r, k)).unwrap(),
};

const SETS: Kind = Kind {
    empty: EMPTY_SET,
    put: |w, token, s, k, _| set::conj(w, token, s, k, hash_of(w.reader(), k)).unwrap(),
    take: |w, token, s, k| set::disj(w, token, s, k, hash_of(w.reader(), k)).unwrap(),
    get: |r, s, k| set::get(r, s, k, hash_of(r, k)).unwrap().map(|k| (k, 0)),
};

/// Key number -> (the word that was put first, the value).
type Model = imbl::HashMap<usize, (u64, u64)>;

fn verify(r: Reader, kind: &Kind, coll: u64, model: &Model, pool: &[Vec<u64>]) {
    check(r, coll).unwrap();
    assert_eq!(crate::coll::count(r, coll).unwrap(), model.len());
    for (i, words) in pool.iter().enumerate() {
        for &word in words {
            assert_eq!((kind.get)(r, coll, word), model.get(&i).copied(), "key {i}");
        }
    }
    let mut found = items(r, coll);
    let mut expected: Vec<(u64, u64)> = model.values().copied().collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn run(kind: &Kind, steps: &[Step]) {
    with_writer(|w| {
        let pool = key_pool(w);
        let mut token = PERSISTENT;
        let mut now = (kind.empty, Model::new());
        let mut kept = vec![now.clone()];
        for s in steps {
            match *s {
                Step::Put(k, alt, v) => {
                    let k = k % pool.len();
                    let key = pool[k][alt % pool[k].len()];
                    let value = if kind.empty == EMPTY_MAP { int(v) } else { 0 };
                    let was = now.0;
                    now.0 = (kind.put)(w, token, now.0, key, value);
                    let old = now.1.get(&k).copied();
                    assert!(
                        old.is_none_or(|(_, v)| v != value) || now.0 == was,
                        "no change gives the same word"
                    );
                    now.1.insert(k, (old.map_or(key, |(first, _)| first), value));
                }
                Step::Take(k) => {
                    let k = k % pool.len();
                    let was = now.0;
                    now.0 = (kind.take)(w, token, now.0, pool[k][0]);
                    assert!(
                        now.1.remove(&k).is_some() || now.0 == was,
                        "no change gives the same word"
                    );
                }
                Step::Transient => token = w.new_token(),
                Step::Persistent => token = PERSISTENT,
                Step::Keep => {
                    token = PERSISTENT;
                    kept.push(now.clone());
                }
                Step::Back(i) => {
                    token = PERSISTENT;
                    now = kept[i % kept.len()].clone();
                }
            }
            check(w.reader(), now.0).unwrap();
        }
        kept.push(now);
        for (coll, model) in &kept {
            verify(w.reader(), kind, *coll, model, &pool);
        }
    });
}

fn run_transient(kind: &Kind, steps: &[Step]) {
    with_writer(|w| {
        let pool = key_pool(w);
        let texts = w.live();
        let token = w.new_token();
        let mut now = (kind.empty, Model::new());
        for s in steps {
            if let Step::Put(k, alt, v) = *s {
                let k = k % pool.len();
                let key = pool[k][alt % pool[k].len()];
                let value = if kind.empty == EMPTY_MAP { int(v) } else { 0 };
                now.0 = (kind.put)(w, token, now.0, key, value);
                let first = now.1.get(&k).map_or(key, |old| old.0);
                now.1.insert(k, (first, value));
            } else if let Step::Take(k) = *s {
                now.0 = (kind.take)(w, token, now.0, pool[k % pool.len()][0]);
                now.1.remove(&(k % pool.len()));
            }
            assert_eq!(w.live() - texts, reachable(w, now.0), "after {s:?}");
        }
        verify(w.reader(), kind, now.0, &now.1, &pool);
    });
}

/// Builds the keys numbered `keys` in that order; `extra` keys come in between and go again.
fn build(w: &mut Writer, kind: &Kind, token: Token, pool: &[Vec<u64>], keys: &[usize], extra: &[usize]) -> u64 {
    let mut coll = kind.empty;
    for (i, &k) in keys.iter().enumerate() {
        if let Some(&e) = extra.get(i) {
            coll = (kind.put)(w, token, coll, pool[e][0], int(9));
        }
        coll = (kind.put)(w, token, coll, pool[k][0], int(k as i64));
    }
    for &e in extra.iter().filter(|e| !keys.contains(e)) {
        coll = (kind.take)(w, token, coll, pool[e][0]);
    }
    for &k in keys {
        coll = (kind.put)(w, token, coll, pool[k][0], int(k as i64));
    }
    coll
}

proptest! {
    #[test]
    fn maps_agree_with_the_model_and_old_versions_stay(steps in prop::collection::vec(step(), 1..160)) {
        run(&MAPS, &steps);
    }

    #[test]
    fn sets_agree_with_the_model_and_old_versions_stay(steps in prop::collection::vec(step(), 1..160)) {
        run(&SETS, &steps);
    }

    #[test]
    fn a_transient_map_frees_every_node_that_it_replaces(steps in prop::collection::vec(step(), 1..160)) {
        run_transient(&MAPS, &steps);
    }

    #[test]
    fn a_transient_set_frees_every_node_that_it_replaces(steps in prop::collection::vec(step(), 1..160)) {
        run_transient(&SETS, &steps);
    }

    #[test]
    fn equal_contents_have_tries_of_equal_shape(
        keys in prop::collection::hash_set(0..45usize, 10..40).prop_map(|s| s.into_iter().collect::<Vec<_>>()).prop_shuffle(),
        extra in prop::collection::vec(0..45usize, 0..40),
    ) {
        with_writer(|w| {
            let pool = key_pool(w);
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            for kind in [&MAPS, &SETS] {
                let a = build(w, kind, PERSISTENT, &pool, &sorted, &[]);
                let token = w.new_token();
                let b = build(w, kind, token, &pool, &keys, &extra);
                let c = build(w, kind, PERSISTENT, &pool, &keys, &extra);
                let r = w.reader();
                assert!(same_trie(r, root_of(r, a), root_of(r, b)) && same_trie(r, root_of(r, a), root_of(r, c)));
            }
        });
    }
}

#[test]
fn small_maps_keep_the_order_of_insertion() {
    with_writer(|w| {
        for token in [PERSISTENT, w.new_token()] {
            let mut m = EMPTY_MAP;
            for i in [5, 3, 9, 1, 7, 2, 8, 4] {
                m = (MAPS.put)(w, token, m, int(i), int(-i));
            }
            m = (MAPS.put)(w, token, m, int(9), int(0));
            m = (MAPS.take)(w, token, m, int(3));
            m = (MAPS.put)(w, token, m, int(3), int(-3));
            let keys: Vec<u64> = items(w.reader(), m).iter().map(|e| e.0).collect();
            assert_eq!(keys, [5, 9, 1, 7, 2, 8, 4, 3].map(int));
            assert_eq!(w.reader().node(m).unwrap().kind(), ARRAY_MAP);
            m = (MAPS.put)(w, token, m, int(6), int(-6));
            assert_eq!(w.reader().node(m).unwrap().kind(), MAP);
            assert_eq!(map::count(w.reader(), m).unwrap(), 9);
        }
    });
}

#[test]
fn metadata_stays_with_every_copy_and_an_empty_map_with_it_is_no_constant() {
    with_writer(|w| {
        let meta = keyword(1, 1);
        for kind in [&MAPS, &SETS] {
            let (with_meta, meta_of): (fn(&mut Writer, u64, u64) -> u64, fn(Reader, u64) -> u64) =
                if kind.empty == EMPTY_MAP {
                    (
                        |w, m, x| map::with_meta(w, m, x).unwrap(),
                        |r, m| map::meta(r, m).unwrap(),
                    )
                } else {
                    (
                        |w, m, x| set::with_meta(w, m, x).unwrap(),
                        |r, m| set::meta(r, m).unwrap(),
                    )
                };
            for token in [PERSISTENT, w.new_token()] {
                let mut m = with_meta(w, kind.empty, meta);
                for i in 0..20 {
                    assert_eq!(meta_of(w.reader(), m), meta);
                    m = (kind.put)(w, token, m, int(i), int(i));
                }
                let plain = with_meta(w, m, NIL);
                assert_eq!(meta_of(w.reader(), plain), NIL);
                assert_eq!(with_meta(w, m, meta), m);
                let token = if token == PERSISTENT { PERSISTENT } else { w.new_token() };
                for i in 0..20 {
                    m = (kind.take)(w, token, m, int(i));
                    assert_eq!(meta_of(w.reader(), m), meta);
                    check(w.reader(), m).unwrap();
                }
                assert_eq!(crate::coll::count(w.reader(), m).unwrap(), 0);
                assert_eq!(items(w.reader(), m), []);
                assert_eq!(with_meta(w, m, NIL), kind.empty);
                check(w.reader(), plain).unwrap();
                assert_eq!(crate::coll::count(w.reader(), plain).unwrap(), 20);
            }
        }
    });
}

#[test]
fn large_maps_hold_ints_and_texts_persistent_and_transient() {
    with_writer(|w| {
        let token = w.new_token();
        let texts: Vec<u64> = (0..20_000).map(|i| text(w, &format!("key number {i}"), None)).collect();
        let live = w.live();
        let mut m = EMPTY_MAP;
        for (i, &t) in texts.iter().enumerate() {
            m = (MAPS.put)(w, token, m, t, int(i as i64));
            m = (MAPS.put)(w, token, m, int(i as i64), t);
        }
        check(w.reader(), m).unwrap();
        assert_eq!(w.live() - live, reachable(w, m));
        let old = m;
        for i in (0..20_000).step_by(7) {
            m = (MAPS.take)(w, PERSISTENT, m, texts[i]);
            m = (MAPS.put)(w, PERSISTENT, m, int(i as i64), NIL);
        }
        let r = w.reader();
        check(r, m).unwrap();
        check(r, old).unwrap();
        for (i, &t) in texts.iter().enumerate() {
            let s = format!("key number {i}");
            let (changed, at) = (i % 7 == 0, int(i as i64));
            assert_eq!(lookup::get_text(r, old, s.as_bytes()).unwrap(), Some(at));
            assert_eq!(lookup::get_text(r, m, s.as_bytes()).unwrap(), (!changed).then_some(at));
            assert_eq!(crate::coll::get(r, old, at).unwrap(), Some(t));
            assert_eq!(crate::coll::get(r, m, at).unwrap(), Some(if changed { NIL } else { t }));
        }
        assert_eq!(lookup::get_text(r, old, b"key number -1").unwrap(), None);
    });
}

#[test]
fn a_text_key_finds_texts_of_every_length_and_alphabet() {
    with_writer(|w| {
        let mut m = EMPTY_MAP;
        let long = "0123456789".repeat(600);
        let texts: Vec<String> = (8..600)
            .map(|n| long[..n].to_string())
            .chain((2..40).map(|n| "\u{e4}".repeat(n * 3)))
            .collect();
        for s in texts.iter().chain([&long]) {
            let t = text(w, s, None);
            m = (MAPS.put)(w, PERSISTENT, m, t, int(s.len() as i64));
        }
        let r = w.reader();
        for s in texts.iter().chain([&long]) {
            assert_eq!(
                lookup::get_text(r, m, s.as_bytes()).unwrap(),
                Some(int(s.len() as i64)),
                "{s}"
            );
            let mut other = s.clone().into_bytes();
            *other.last_mut().unwrap() ^= 1;
            assert_eq!(lookup::get_text(r, m, &other).unwrap(), None);
        }
    });
}

#[test]
fn as_many_equal_hashes_as_a_node_can_hold_and_then_an_error() {
    with_writer(|w| {
        for (kind, limit) in [(&MAPS, 254), (&SETS, 508)] {
            let token = w.new_token();
            let mut m = kind.empty;
            for i in 0..limit {
                m = (kind.put)(w, token, m, keyword(i, 77), int(1));
            }
            let error = if kind.empty == EMPTY_MAP {
                map::assoc(w, PERSISTENT, m, keyword(limit, 77), 77, int(1))
            } else {
                set::conj(w, PERSISTENT, m, keyword(limit, 77), 77)
            };
            assert!(matches!(error, Err(crate::error::Error::Limit(_))));
            check(w.reader(), m).unwrap();
            for i in 0..limit {
                m = (kind.take)(w, token, m, keyword(i, 77));
            }
            assert_eq!(m, kind.empty);
        }
    });
}
