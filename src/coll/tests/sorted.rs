//! Sorted maps and sets against `BTreeMap`, in trees of narrow nodes; the tree's invariants after every step, old versions at the end.

use super::*;
use crate::coll::sorted::{self, Comparator, Seek};
use crate::coll::{map, set};
use crate::error::Error;
use crate::slab::writer::{Token, PERSISTENT};
use crate::value::word;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

#[derive(Clone, Debug)]
enum Step {
    Put(i64, i64),
    Take(i64),
    /// Puts or takes so many keys in a row.
    Run(i64, i64, bool),
    Transient,
    Persistent,
    Keep,
    Back(usize),
}

const KEYS: i64 = 150;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..KEYS, 0..4i64).prop_map(|(k, v)| Step::Put(k, v)),
        10 => (0..KEYS).prop_map(Step::Take),
        3 => (0..KEYS, 1..40i64, any::<bool>()).prop_map(|(k, n, put)| Step::Run(k, n, put)),
        1 => Just(Step::Transient),
        1 => Just(Step::Persistent),
        1 => Just(Step::Keep),
        1 => (0..8usize).prop_map(Step::Back),
    ]
}

/// What is tried: maps or sets, in an order. Keys of the model ascend in that order.
#[derive(Clone, Copy, Debug)]
struct Kind {
    map: bool,
    order: u64,
}

/// A name for an order; the comparator compares in reverse.
const NAMED: u64 = DESC_KEYWORD as u64 | 7 << 8 | 9 << 32;

fn kinds() -> impl Strategy<Value = Kind> {
    (any::<bool>(), prop_oneof![Just(NIL), Just(ORDER_REVERSE), Just(NAMED)])
        .prop_map(|(map, order)| Kind { map, order })
}

fn backwards(a: u64, b: u64) -> crate::error::Result<Ordering> {
    Ok((b as i64).cmp(&(a as i64)))
}

type Model = BTreeMap<i64, i64>;

impl Kind {
    /// The key that stands in the collection for the model's key `k`.
    fn key(self, k: i64) -> u64 {
        int(if self.order == NIL { k } else { -k })
    }

    fn value(self, v: i64) -> u64 {
        if self.map {
            int(v)
        } else {
            NIL
        }
    }

    fn empty(self, w: &mut Writer) -> u64 {
        if self.map {
            sorted::empty_map(w, self.order).unwrap()
        } else {
            sorted::empty_set(w, self.order).unwrap()
        }
    }

    fn put(self, w: &mut Writer, token: Token, coll: u64, k: i64, v: i64) -> u64 {
        let (key, value) = (self.key(k), self.value(v));
        if self.order == NAMED {
            return sorted::assoc(w, token, coll, key, value, Some(&mut backwards)).unwrap();
        }
        // The general functions come to the same.
        if self.map {
            map::assoc(w, token, coll, key, 0, value).unwrap()
        } else {
            set::conj(w, token, coll, key, 0).unwrap()
        }
    }

    fn take(self, w: &mut Writer, token: Token, coll: u64, k: i64) -> u64 {
        let key = self.key(k);
        if self.order == NAMED {
            return sorted::dissoc(w, token, coll, key, Some(&mut backwards)).unwrap();
        }
        if self.map {
            map::dissoc(w, token, coll, key, 0).unwrap()
        } else {
            set::disj(w, token, coll, key, 0).unwrap()
        }
    }

    fn entry(self, (k, v): (i64, i64)) -> (u64, u64) {
        (self.key(k), self.value(v))
    }
}

fn range(r: Reader, coll: u64, from: Bound<u64>, to: Bound<u64>, backward: bool) -> Vec<(u64, u64)> {
    let mut by = backwards;
    let by: Option<Comparator> = Some(&mut by);
    let range = sorted::range(r, coll, from, to, backward, by).unwrap();
    let n = range.remaining();
    let all: Vec<_> = range.map(Result::unwrap).collect();
    assert_eq!(all.len(), n);
    all
}

fn verify(r: Reader, kind: Kind, coll: u64, model: &Model) {
    check(r, coll).unwrap();
    assert_eq!(crate::coll::count(r, coll).unwrap(), model.len());
    let expected: Vec<_> = model.iter().map(|(k, v)| kind.entry((*k, *v))).collect();
    assert_eq!(items(r, coll), expected);
    for (i, entry) in expected.iter().enumerate() {
        assert_eq!(sorted::nth(r, coll, i).unwrap(), Some(*entry));
    }
    assert_eq!(sorted::nth(r, coll, model.len()).unwrap(), None);
    for k in -1..=KEYS {
        let found = |x: Option<(&i64, &i64)>| x.map(|(k, v)| kind.entry((*k, *v)));
        let key = kind.key(k);
        let get = sorted::get(r, coll, key, Some(&mut backwards)).unwrap();
        assert_eq!(get, found(model.get_key_value(&k)));
        for (which, expected) in [
            (Seek::Before, model.range(..k).next_back()),
            (Seek::AtMost, model.range(..=k).next_back()),
            (Seek::AtLeast, model.range(k..).next()),
            (Seek::Beyond, model.range((Bound::Excluded(k), Bound::Unbounded)).next()),
        ] {
            let got = sorted::seek(r, coll, which, key, Some(&mut backwards)).unwrap();
            assert_eq!(got, found(expected), "{which:?} {k}");
        }
    }
    for (from, to) in [(-1, KEYS), (3, 90), (17, 18), (20, 20), (50, 40), (100, 149)] {
        let bounds = [
            (Bound::Included(from), Bound::Excluded(to)),
            (Bound::Excluded(from), Bound::Included(to)),
            (Bound::Unbounded, Bound::Included(to)),
            (Bound::Excluded(from), Bound::Unbounded),
        ];
        for (from, to) in bounds {
            let is_within = |k: &i64| {
                (match from {
                    Bound::Included(f) => *k >= f,
                    Bound::Excluded(f) => *k > f,
                    Bound::Unbounded => true,
                }) && match to {
                    Bound::Included(t) => *k <= t,
                    Bound::Excluded(t) => *k < t,
                    Bound::Unbounded => true,
                }
            };
            let mut expected: Vec<_> = model
                .iter()
                .filter(|(k, _)| is_within(k))
                .map(|(k, v)| kind.entry((*k, *v)))
                .collect();
            let (from, to) = (from.map(|k| kind.key(k)), to.map(|k| kind.key(k)));
            assert_eq!(range(r, coll, from, to, false), expected);
            expected.reverse();
            assert_eq!(range(r, coll, from, to, true), expected);
        }
    }
}

fn run(kind: Kind, steps: &[Step]) {
    with_writer(|w| {
        let mut token = PERSISTENT;
        let mut now = (kind.empty(w), Model::new());
        let mut kept = vec![now.clone()];
        for s in steps {
            match *s {
                Step::Put(k, v) => {
                    let was = now.0;
                    now.0 = kind.put(w, token, now.0, k, v);
                    let old = now.1.insert(k, if kind.map { v } else { 0 });
                    let same = old.is_some_and(|old| !kind.map || old == v);
                    assert!(!same || now.0 == was, "no change gives the same word");
                }
                Step::Take(k) => {
                    let was = now.0;
                    now.0 = kind.take(w, token, now.0, k);
                    assert!(now.1.remove(&k).is_some() || now.0 == was);
                }
                Step::Run(from, n, put) => {
                    for k in from..from + n {
                        if put {
                            now.0 = kind.put(w, token, now.0, k % KEYS, 1);
                            now.1.insert(k % KEYS, kind.map as i64);
                        } else {
                            now.0 = kind.take(w, token, now.0, k % KEYS);
                            now.1.remove(&(k % KEYS));
                        }
                        check(w.reader(), now.0).unwrap();
                    }
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
            verify(w.reader(), kind, *coll, model);
        }
    });
}

proptest! {
    #[test]
    fn sorted_collections_agree_with_the_model_and_old_versions_stay(
        kind in kinds(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(kind, &steps);
    }

    #[test]
    fn a_sorted_transient_frees_every_node_that_it_replaces(
        kind in kinds(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        with_writer(|w| {
            let token = w.new_token();
            let mut now = kind.empty(w);
            // The empty collection that it starts from is not its own.
            let empty = now;
            let mut model = Model::new();
            for s in &steps {
                match *s {
                    Step::Put(k, v) => {
                        now = kind.put(w, token, now, k, v);
                        model.insert(k, if kind.map { v } else { 0 });
                    }
                    Step::Take(k) => {
                        now = kind.take(w, token, now, k);
                        model.remove(&k);
                    }
                    Step::Run(from, n, put) => for k in (from..from + n).map(|k| k % KEYS) {
                        if put {
                            now = kind.put(w, token, now, k, 1);
                            model.insert(k, kind.map as i64);
                        } else {
                            now = kind.take(w, token, now, k);
                            model.remove(&k);
                        }
                    },
                    _ => {}
                }
                let start = (now != empty) as usize;
                assert_eq!(w.live(), start + reachable(w, now), "after {s:?}");
            }
            verify(w.reader(), kind, now, &model);
        });
    }

    #[test]
    fn what_is_built_at_once_is_what_is_built_step_by_step(
        kind in kinds(),
        entries in prop::collection::vec((0..KEYS, 0..9i64), 0..200),
    ) {
        with_writer(|w| {
            let mut model = Model::new();
            for &(k, v) in &entries {
                model.insert(k, if kind.map { v } else { 0 });
            }
            let mut words: Vec<[u64; 2]> = entries.iter().map(|&(k, v)| [kind.key(k), kind.value(v)]).collect();
            if kind.order == NAMED {
                words = model.iter().map(|(k, v)| [kind.key(*k), kind.value(*v)]).collect();
            }
            let of = if kind.map { sorted::map_of } else { sorted::set_of };
            let mut coll = of(w, PERSISTENT, kind.order, words).unwrap();
            verify(w.reader(), kind, coll, &model);
            // And it can be changed.
            for k in (0..KEYS).step_by(7) {
                coll = kind.put(w, PERSISTENT, coll, k, 0);
                model.insert(k, 0);
                coll = kind.take(w, PERSISTENT, coll, k + 3);
                model.remove(&(k + 3));
                check(w.reader(), coll).unwrap();
            }
            verify(w.reader(), kind, coll, &model);
        });
    }
}

#[test]
fn ascending_keys_fill_their_leaves_and_few_are_left_with_a_few() {
    with_writer(|w| {
        let kind = Kind { map: true, order: NIL };
        let token = w.new_token();
        let mut m = kind.empty(w);
        for k in 0..1000 {
            m = kind.put(w, token, m, k, k);
        }
        check(w.reader(), m).unwrap();
        let full = reachable(w, m);
        assert!(full <= 1000 / 5 + 1000 / 25 + 1000 / 125 + 10, "{full}");
        for k in (0..1000).filter(|k| k % 97 != 0) {
            m = kind.take(w, token, m, k);
            check(w.reader(), m).unwrap();
        }
        let few = reachable(w, m);
        assert!(few <= 12, "{few} nodes for 11 entries");
        for k in 0..1000 {
            m = kind.take(w, token, m, k);
        }
        assert_eq!(crate::coll::count(w.reader(), m).unwrap(), 0);
        assert_eq!(reachable(w, m), 1);
    });
}

#[test]
fn keys_that_compare_as_equal_are_one_and_the_first_stays() {
    with_writer(|w| {
        let m = sorted::empty_map(w, NIL).unwrap();
        let one = word::from_double(1.0).unwrap();
        let m = sorted::assoc(w, PERSISTENT, m, int(1), int(10), None).unwrap();
        let m = sorted::assoc(w, PERSISTENT, m, one, int(20), None).unwrap();
        assert_eq!(items(w.reader(), m), [(int(1), int(20))]);
        let m = sorted::dissoc(w, PERSISTENT, m, one, None).unwrap();
        assert_eq!(crate::coll::count(w.reader(), m).unwrap(), 0);
        // Beside integers other keys are found too.
        let mut s = sorted::empty_set(w, NIL).unwrap();
        for x in 0..40 {
            s = sorted::assoc(w, PERSISTENT, s, int(x), 0, None).unwrap();
            s = sorted::assoc(w, PERSISTENT, s, word::from_double(x as f64 + 0.5).unwrap(), 0, None).unwrap();
        }
        check(w.reader(), s).unwrap();
        let seek = |which, key| sorted::seek(w.reader(), s, which, key, None).unwrap().unwrap().0;
        assert_eq!(seek(Seek::Beyond, int(7)), word::from_double(7.5).unwrap());
        assert_eq!(seek(Seek::Before, int(7)), word::from_double(6.5).unwrap());
        assert_eq!(seek(Seek::AtLeast, word::from_double(6.75).unwrap()), int(7));
    });
}

#[test]
fn what_does_not_compare_is_an_error_and_changes_nothing() {
    with_writer(|w| {
        let empty = sorted::empty_set(w, NIL).unwrap();
        let string = word::string(b"a");
        let not_comparable = sorted::assoc(w, PERSISTENT, empty, EMPTY_MAP, 0, None);
        assert_eq!(not_comparable, Err(Error::type_("can't compare a map with a map")));
        let s = sorted::assoc(w, PERSISTENT, empty, int(1), 0, None).unwrap();
        let error = sorted::assoc(w, PERSISTENT, s, string, 0, None).unwrap_err();
        assert_eq!(error, Error::type_("can't compare an integer with a string"));
        assert!(crate::coll::get(w.reader(), s, string).is_err());
        let named = sorted::empty_set(w, NAMED);
        let named = named.unwrap();
        assert!(sorted::assoc(w, PERSISTENT, named, int(1), 0, None).is_err());
        assert!(sorted::empty_map(w, int(3)).is_err());
        let failing: Comparator = &mut |_, _| Err(Error::type_("no answer"));
        assert_eq!(
            sorted::assoc(w, PERSISTENT, named, int(1), 0, Some(failing)),
            Err(Error::type_("no answer"))
        );
    });
}

#[test]
fn metadata_and_order_stay_with_every_copy() {
    with_writer(|w| {
        let meta = keyword(1, 1);
        let empty = sorted::empty_map(w, ORDER_REVERSE).unwrap();
        let mut m = map::with_meta(w, empty, meta).unwrap();
        for token in [PERSISTENT, w.new_token()] {
            for i in 0..30 {
                m = map::assoc(w, token, m, int(i), 0, NIL).unwrap();
            }
            for i in 0..30 {
                m = map::dissoc(w, token, m, int(i), 0).unwrap();
                assert_eq!(map::meta(w.reader(), m).unwrap(), meta);
                assert_eq!(sorted::order(w.reader(), m).unwrap(), ORDER_REVERSE);
            }
        }
        assert_eq!(crate::coll::count(w.reader(), m).unwrap(), 0);
    });
}
