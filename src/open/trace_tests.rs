//! A trace that is stopped at any step while somebody else goes on.

use super::Options;
use crate::coll::vector;
use crate::epoch::Shared;
use crate::slab::layout::*;
use crate::slab::writer::PERSISTENT;
use crate::sync::steps;
use crate::txn::{Outcome, Txn};
use crate::value::{print, text, word};
use crate::Slab;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering::*;

/// Texts of one transaction.
const TEXTS: i64 = 60;

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
}

/// A transaction in flight that sets the atom `to` to a vector of new texts.
fn begin(s: &Slab, to: i64) -> Txn {
    let mut t = Txn::begin(s, None).unwrap();
    let v = t.write(|w| {
        (0..TEXTS).fold(EMPTY_VECTOR, |v, i| {
            let x = text::make(w, format!("a text of some length {i:03}").as_bytes()).unwrap();
            vector::conj(w, PERSISTENT, v, x).unwrap()
        })
    });
    t.set(int(to), v).unwrap();
    t
}

fn commit(t: Txn) {
    assert!(matches!(t.commit(false).unwrap(), Outcome::Committed(_)));
}

fn state(s: &Slab) -> String {
    print::to_edn(s.reader(), s.snapshot().unwrap().view().state).unwrap()
}

#[test]
#[cfg_attr(eve_sanitize, ignore = "one thread, many steps")]
fn a_transaction_that_comes_between_any_two_steps_of_a_trace_keeps_its_objects() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    commit(begin(&s, 0));
    let expected = state(&s);
    let (mut at, mut reached) = (0, true);
    while reached {
        let other = Rc::new(RefCell::new(None));
        let (steps, slab, made) = (Cell::new(0), s.clone(), other.clone());
        steps::watch(move |_| {
            if steps.replace(steps.get() + 1) == at {
                *made.borrow_mut() = Some(begin(&slab, 0));
            }
        });
        s.gc().unwrap();
        steps::watch(|_| {});
        reached = match other.take() {
            Some(t) => {
                commit(t);
                true
            }
            None => false,
        };
        assert_eq!(state(&s), expected, "a transaction after {at} steps of a trace");
        // Most steps look at the next of many cells.
        at += 13;
    }
    assert!(at > 1000);
}

#[test]
#[cfg_attr(eve_sanitize, ignore = "one thread, many steps")]
fn the_count_of_free_blocks_is_never_too_low_whoever_is_killed() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let map = *s.map();
    steps::watch(move |_| {
        let word = |at| map.atomic_u64(at).load(Relaxed);
        let count = |states: &[u8]| {
            let is = |b: &u64| is_block(*b) && states.contains(&(word(descriptor(*b)) as u8));
            (0..word(CONTROL_HIGH_WATER)).filter(is).count() as u64
        };
        let free = count(&[BLOCK_FREE, BLOCK_UNBACKED]);
        let (unbacked, bare) = (word(CONTROL_UNBACKED), count(&[BLOCK_UNBACKED]));
        assert!(
            unbacked >= bare && unbacked < 1 << 32,
            "{unbacked} counted, {bare} are unbacked"
        );
        let counted = word(CONTROL_FREE_BLOCKS);
        assert!(
            counted >= free && counted < 1 << 32,
            "{counted} counted, {free} are free"
        );
    });
    for _ in 0..3 {
        let mut t = begin(&s, 0);
        let long = t.write(|w| text::make(w, "long".repeat(50_000).as_bytes()).unwrap());
        t.set(int(1), long).unwrap();
        commit(t);
    }
    s.gc().unwrap();
    steps::watch(|_| {});
}

#[test]
#[cfg_attr(eve_sanitize, ignore = "one thread, many steps")]
fn a_trace_that_comes_between_any_two_steps_of_a_transaction_spares_its_objects() {
    // With a rival's commit just before the trace: then the transaction has lost, and has stamped its objects perhaps.
    for rival in [false, true] {
        let s = Slab::anonymous(&Options::default()).unwrap();
        commit(begin(&s, 0));
        let expected = [state(&s), {
            commit(begin(&s, 1));
            state(&s)
        }];
        let (mut at, mut reached) = (0, true);
        while reached {
            let mut t = Txn::begin(&s, None).unwrap();
            t.remove(int(1)).unwrap();
            commit(t);
            let came = Rc::new(Cell::new(false));
            let (steps, slab, comes) = (Cell::new(0), s.clone(), came.clone());
            steps::watch(move |_| {
                if steps.replace(steps.get() + 1) == at {
                    if rival {
                        commit(begin(&slab, 1));
                    }
                    slab.gc().unwrap();
                    comes.set(true);
                }
            });
            commit(begin(&s, 0));
            steps::watch(|_| {});
            reached = came.get();
            let rivals = rival && reached;
            assert_eq!(
                state(&s),
                expected[rivals as usize],
                "a trace after {at} steps of a transaction"
            );
            at += 101;
        }
        assert!(at > 1000);
        s.gc().unwrap();
    }
}

#[test]
fn a_trace_that_panics_leaves_nothing_pinned() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let mut t = begin(&s, 0);
    // Large enough that the trace tells of its sweep.
    let long = t.write(|w| text::make(w, &vec![b'x'; 20 << 20]).unwrap());
    t.set(int(1), long).unwrap();
    commit(t);
    let trace = || s.gc_telling(&mut |_| panic!("as if the trace had a bug"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(trace)).is_err());
    let map = s.map();
    for i in 0..map.agents() {
        let line = map.agent(i);
        let held = line.pins.iter().chain([&line.sec_lo]).map(|w| w.load(Acquire)).max();
        assert_eq!(held, Some(0), "agent {i}");
    }
    s.gc().unwrap();
}

#[test]
fn close_waits_for_the_trace_in_the_background() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    s.tracing().store(true, Release);
    let (other, ended) = (s.clone(), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while other.check().is_ok() {
                std::thread::yield_now();
            }
            // Time for a close that doesn't wait to return.
            std::thread::sleep(std::time::Duration::from_millis(50));
            ended.store(true, Release);
            other.tracing().store(false, Release);
        });
        s.close().unwrap();
        assert!(ended.load(Acquire));
    });
}
