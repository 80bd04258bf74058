//! Vectors and lists against imbl's vector and std's deque.

use super::*;
use crate::coll::{list, vector};
use crate::slab::writer::PERSISTENT;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Pop(usize),
    /// Place (of 1000) and value.
    Set(usize, i64),
    Transient,
    Persistent,
    Keep,
    Back(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(1), 1..40usize, 900..1200usize].prop_map(Step::Push),
        4 => prop_oneof![Just(1), 1..40usize, 900..1200usize].prop_map(Step::Pop),
        4 => (0..1000usize, 0..5i64).prop_map(|(i, v)| Step::Set(i, v)),
        1 => Just(Step::Transient),
        1 => Just(Step::Persistent),
        1 => Just(Step::Keep),
        1 => (0..8usize).prop_map(Step::Back),
    ]
}

fn verify(r: Reader, v: u64, model: &imbl::Vector<u64>) {
    check(r, v).unwrap();
    assert_eq!(vector::count(r, v).unwrap(), model.len());
    assert_eq!(items(r, v), model.iter().map(|&x| (x, 0)).collect::<Vec<_>>());
    for (i, &x) in model.iter().enumerate() {
        assert_eq!(vector::nth(r, v, i).unwrap(), Some(x));
    }
    assert_eq!(vector::nth(r, v, model.len()).unwrap(), None);
}

/// Runs the steps; with `always` under one token, checking that nothing is left behind.
fn run(steps: &[Step], always: bool) {
    with_writer(|w| {
        let mut token = if always { w.new_token() } else { PERSISTENT };
        let mut now = (EMPTY_VECTOR, imbl::Vector::new());
        let mut kept = vec![now.clone()];
        let mut next = 0;
        for s in steps {
            match *s {
                Step::Push(n) => {
                    for _ in 0..n {
                        next += 1;
                        now.0 = vector::conj(w, token, now.0, int(next)).unwrap();
                        now.1.push_back(int(next));
                    }
                }
                Step::Pop(n) => {
                    for _ in 0..n.min(now.1.len()) {
                        now.0 = vector::pop(w, token, now.0).unwrap();
                        now.1.pop_back();
                    }
                }
                Step::Set(at, v) if !now.1.is_empty() => {
                    let i = at * now.1.len() / 1000;
                    let was = now.0;
                    now.0 = vector::assoc(w, token, now.0, i, int(v)).unwrap();
                    assert!(now.1[i] != int(v) || now.0 == was, "no change gives the same word");
                    now.1.set(i, int(v));
                }
                Step::Set(..) => assert!(vector::assoc(w, token, now.0, 0, NIL).is_err()),
                _ if always => {}
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
            if always {
                assert_eq!(w.live(), reachable(w, now.0), "after {s:?}");
            }
        }
        kept.push(now);
        for (v, model) in &kept {
            verify(w.reader(), *v, model);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn vectors_agree_with_the_model_and_old_versions_stay(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps, false);
    }

    #[test]
    fn a_transient_vector_frees_every_node_that_it_replaces(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps, true);
    }

    #[test]
    fn a_vector_of_words_is_the_one_that_conj_makes(n in prop_oneof![0..70usize, 1000..1100usize]) {
        with_writer(|w| {
            let words: Vec<u64> = (0..n as i64).map(int).collect();
            let v = vector::from_words(w, &words).unwrap();
            verify(w.reader(), v, &words.iter().copied().collect());
            let v = vector::conj(w, PERSISTENT, v, NIL).unwrap();
            let v = vector::pop(w, PERSISTENT, v).unwrap();
            verify(w.reader(), v, &words.iter().copied().collect());
        });
    }

    #[test]
    fn lists_agree_with_a_deque(steps in prop::collection::vec(any::<bool>(), 0..200)) {
        with_writer(|w| {
            let (mut l, mut model) = (EMPTY_LIST, VecDeque::new());
            for (i, push) in steps.into_iter().enumerate() {
                if push {
                    l = list::conj(w, l, int(i as i64)).unwrap();
                    model.push_front(int(i as i64));
                } else {
                    assert_eq!(list::first(w.reader(), l).unwrap(), model.pop_front().unwrap_or(NIL));
                    l = list::rest(w.reader(), l).unwrap();
                }
                check(w.reader(), l).unwrap();
            }
            let r = w.reader();
            let words: Vec<u64> = model.into();
            assert_eq!(items(r, l), words.iter().map(|&x| (x, 0)).collect::<Vec<_>>());
            assert_eq!(list::count(r, l).unwrap(), words.len());
            for i in 0..=words.len() {
                assert_eq!(crate::coll::nth(r, l, i as u64).unwrap(), words.get(i).copied());
            }
            let again = list::from_words(w, &words).unwrap();
            assert_eq!(items(w.reader(), again), items(w.reader(), l));
        });
    }
}

#[test]
fn a_vector_of_four_levels_grows_and_shrinks() {
    const N: usize = 32 * 32 * 32 * 2 + 100;
    with_writer(|w| {
        let words: Vec<u64> = (0..N as i64).map(int).collect();
        let built = vector::from_words(w, &words).unwrap();
        check(w.reader(), built).unwrap();
        let live = w.live();
        let token = w.new_token();
        let mut v = EMPTY_VECTOR;
        for &word in &words {
            v = vector::conj(w, token, v, word).unwrap();
        }
        assert_eq!(items(w.reader(), v), items(w.reader(), built));
        assert_eq!(w.live() - live, reachable(w, v));
        for i in (0..N).rev() {
            v = vector::pop(w, token, v).unwrap();
            if i % 1013 == 0 || i < 70 || (32768..32868).contains(&i) || (1020..1060).contains(&i) {
                check(w.reader(), v).unwrap();
                assert_eq!(vector::count(w.reader(), v).unwrap(), i);
                assert_eq!(w.live() - live, reachable(w, v));
            }
        }
        assert_eq!(v, EMPTY_VECTOR);
        check(w.reader(), built).unwrap();
    });
}

#[test]
fn metadata_of_a_vector_stays_with_every_copy() {
    with_writer(|w| {
        let meta = keyword(1, 1);
        for token in [PERSISTENT, w.new_token()] {
            let mut v = vector::with_meta(w, EMPTY_VECTOR, meta).unwrap();
            for i in 0..70 {
                v = vector::conj(w, token, v, int(i)).unwrap();
                v = vector::assoc(w, token, v, i as usize / 2, NIL).unwrap();
                assert_eq!(vector::meta(w.reader(), v).unwrap(), meta);
            }
            let plain = vector::with_meta(w, v, NIL).unwrap();
            let token = if token == PERSISTENT { PERSISTENT } else { w.new_token() };
            for i in 0..70 {
                assert_eq!(vector::count(w.reader(), v).unwrap(), 70 - i);
                v = vector::pop(w, token, v).unwrap();
                assert_eq!(vector::meta(w.reader(), v).unwrap(), meta);
                check(w.reader(), v).unwrap();
            }
            assert!(vector::pop(w, token, v).is_err());
            assert_eq!(vector::with_meta(w, v, NIL).unwrap(), EMPTY_VECTOR);
            check(w.reader(), plain).unwrap();
        }
    });
}
