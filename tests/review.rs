//! What a review of the core found: cases that lost data, crashed, leaked or lied.
#![cfg(unix)]

use eve::capi::slab::{eve_close, eve_open_anonymous, eve_snapshot_close, eve_snapshot_open};
use eve::capi::txn::{eve_txn_abort, eve_txn_begin, eve_txn_commit};
use eve::coll::{self, vector};
use eve::slab::alloc::Allocator;
use eve::slab::layout::*;
use eve::value::build::{self, BuildBuffer};
use eve::value::word::from_int;
use eve::{transact, Options, Outcome, Slab, Txn};
use std::collections::HashSet;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::*;
use std::sync::Barrier;

fn slab() -> Slab {
    Slab::anonymous(&Options::default()).unwrap()
}

fn kw(s: &Slab, name: &str) -> u64 {
    s.intern(0, None, name.as_bytes()).unwrap()
}

fn int(i: i64) -> u64 {
    from_int(i).unwrap()
}

fn text(t: &mut Txn, s: &str) -> u64 {
    let mut b = BuildBuffer::new();
    b.string(s);
    let b = b.finish();
    t.write(|w| build::value(w, &b)).unwrap()
}

#[test]
fn a_new_block_goes_to_one_agent_though_others_look_for_free_blocks_meanwhile() {
    const CELLS: usize = 60;
    for _ in 0..100 {
        let memory = slab();
        let start = Barrier::new(4);
        let mut all: Vec<u64> = Vec::new();
        std::thread::scope(|s| {
            let threads: Vec<_> = (0..4u16)
                .map(|agent| {
                    let (memory, start) = (&memory, &start);
                    s.spawn(move || {
                        let mut a = Allocator::new(agent);
                        start.wait();
                        let take = |_| {
                            let at = a.alloc(memory.memory(), CELL_MAX, 1).unwrap();
                            memory
                                .memory()
                                .map
                                .atomic_u64(at)
                                .store(header(BYTES, 0, FRESH), Relaxed);
                            at
                        };
                        (0..CELLS).map(take).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().for_each(|t| all.extend(t.join().unwrap()));
        });
        assert!(
            all.iter().all(|&at| memory.map().atomic_u64(at).load(Relaxed) != 0),
            "an object was wiped"
        );
        assert_eq!(
            all.iter().collect::<HashSet<_>>().len(),
            all.len(),
            "one cell was given out twice"
        );
    }
}

#[test]
fn a_transaction_that_keeps_the_whole_state_does_not_move_to_another_version() {
    let s = slab();
    let (a, backup) = (kw(&s, "a"), kw(&s, "backup"));
    transact(&s, |t| t.set(a, int(1)).and_then(|()| t.set(backup, NIL))).unwrap();
    let mut t = Txn::begin(&s, None).unwrap();
    let state = t.base().state;
    t.set(backup, state).unwrap();
    transact(&s, |t| t.set(a, int(2))).unwrap();
    assert!(matches!(t.commit(false).unwrap(), Outcome::Conflict));

    transact(&s, |t| t.set(backup, t.base().state)).unwrap();
    transact(&s, |t| t.set(a, int(3))).unwrap();
    s.reclaim();
    let snap = s.snapshot().unwrap();
    let kept = coll::get(snap.reader(), snap.view().state, backup).unwrap().unwrap();
    assert_eq!(coll::get(snap.reader(), kept, a).unwrap(), Some(int(2)));
}

#[test]
fn a_transaction_that_keeps_a_map_made_from_the_state_does_not_move_to_another_version() {
    let s = slab();
    let names: Vec<u64> = (0..40).map(|i| kw(&s, &format!("atom{i}"))).collect();
    for changed in 1..40 {
        transact(&s, |t| names.iter().try_for_each(|&n| t.set(n, int(0)))).unwrap();
        let mut t = Txn::begin(&s, None).unwrap();
        let state = t.base().state;
        let more = t
            .write(|w| coll::map::assoc(w, 0, state, int(7), eve::value::hash_word(w.reader(), int(7))?, int(8)))
            .unwrap();
        t.set(names[0], more).unwrap();
        transact(&s, |t| t.set(names[changed], int(1))).unwrap();
        assert!(matches!(t.commit(false).unwrap(), Outcome::Conflict));
    }
}

#[test]
fn an_atom_named_by_a_long_string_is_the_same_by_every_word_of_that_string() {
    let s = slab();
    transact(&s, |t| {
        let (one, other) = (text(t, "the name of an atom"), text(t, "the name of an atom"));
        assert_ne!(one, other);
        t.set(one, int(1))?;
        assert_eq!(t.get(other)?, Some(int(1)));
        t.remove(other)?;
        assert_eq!(t.get(one)?, None);
        t.set(other, int(2))
    })
    .unwrap();
    let snap = s.snapshot().unwrap();
    assert_eq!(coll::count(snap.reader(), snap.view().state).unwrap(), 1);
}

#[test]
fn a_token_does_not_edit_what_another_transaction_has_made() {
    let s = slab();
    let (mut mine, mut other) = (Txn::begin(&s, None).unwrap(), Txn::begin(&s, None).unwrap());
    let token = mine.write(|w| w.new_token());
    let v = mine.write(|w| vector::conj(w, token, EMPTY_VECTOR, int(1))).unwrap();
    assert_eq!(other.write(|w| w.new_token()), token);
    let _ = other.write(|w| vector::conj(w, token, v, int(2)));
    assert_eq!(vector::count(s.reader(), v).unwrap(), 1);
    mine.set(kw(&s, "v"), v).unwrap();
    other.abort(false);
    assert!(matches!(mine.commit(false).unwrap(), Outcome::Committed(_)));
    let snap = s.snapshot().unwrap();
    let v = coll::get(snap.reader(), snap.view().state, kw(&s, "v"))
        .unwrap()
        .unwrap();
    assert_eq!(vector::nth(snap.reader(), v, 0).unwrap(), Some(int(1)));
}

#[test]
fn large_values_that_were_replaced_are_freed_long_before_there_are_many_of_them() {
    let options = Options {
        max_bytes: 24 << 20,
        ..Options::default()
    };
    let s = Slab::anonymous(&options).unwrap();
    let atom = kw(&s, "blob");
    let blob = "x".repeat(1 << 20);
    for _ in 0..200 {
        transact(&s, |t| {
            let v = text(t, &blob);
            t.set(atom, v)
        })
        .unwrap();
    }
}

#[test]
fn a_full_slab_has_room_again_after_the_error_if_only_garbage_fills_it() {
    let options = Options {
        max_bytes: HEADER_SIZE + (3 << 20),
        ..Options::default()
    };
    let s = Slab::anonymous(&options).unwrap();
    let atom = kw(&s, "blob");
    let mut b = BuildBuffer::new();
    b.string(&"x".repeat(300 << 10));
    let blob = b.finish();
    let put = || {
        transact(&s, |t| {
            let v = t.write(|w| build::value(w, &blob))?;
            t.set(atom, v)
        })
    };
    let mut full = 0;
    for _ in 0..100 {
        if put().is_err() {
            full += 1;
            put().unwrap();
        }
    }
    assert!(full > 0, "the slab was never full: the test shows nothing");
}

#[test]
fn a_damaged_descriptor_of_a_freed_object_harms_nobody() {
    for (state, class, run) in [
        (BLOCK_LARGE, 0, 0xFFFFu64),
        (BLOCK_SHELVED, 0, 0),
        (BLOCK_SHELVED, 200, 0),
        (BLOCK_OWNED, 255, 0),
    ] {
        let s = slab();
        let atom = kw(&s, "a");
        transact(&s, |t| {
            let v = text(t, &"x".repeat(1000));
            t.set(atom, v)
        })
        .unwrap();
        let snap = s.snapshot().unwrap();
        let v = coll::get(snap.reader(), snap.view().state, atom).unwrap().unwrap();
        drop(snap);
        let d = s.map().atomic_u64(descriptor(v >> BLOCK_BITS));
        let owner = d.load(Relaxed) & 0xFFFF_0000;
        d.store(state as u64 | class << 8 | owner, Relaxed);
        s.map()
            .atomic_u64(descriptor(v >> BLOCK_BITS) + 8)
            .store(run << 48, Relaxed);
        transact(&s, |t| t.set(atom, NIL)).unwrap();
        s.reclaim();
        assert_eq!(s.map().atomic_u64(v).load(Relaxed), 0, "it was not freed");
        assert!(s.version().is_ok());
    }
}

#[test]
fn a_table_whose_count_is_damaged_to_nothing_still_grows() {
    let s = slab();
    s.map().atomic_u32(CONTROL_RECORDS_BACKED).store(0, Relaxed);
    s.map().atomic_u32(CONTROL_ROOT).store(0, Relaxed);
    let version = s.version().unwrap();
    let atom = kw(&s, "a");
    transact(&s, |t| t.set(atom, int(1))).unwrap();
    assert_eq!(s.version().unwrap(), version + 1);
}

#[test]
fn waiting_for_longer_than_the_clock_can_tell_is_waiting_without_a_limit() {
    let s = slab();
    let seen = s.version().unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| s.wait(seen, Some(std::time::Duration::MAX)));
        transact(&s, |t| t.set(kw(&s, "a"), int(1))).unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), Some(seen + 1));
    });
}

/// Runs `f` in a forked child and returns its wait status. The child never returns to the test harness.
fn in_child(f: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child only runs `f` and ends without unwinding or running the harness's exit handlers.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            libc::_exit(!f() as i32);
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        status
    }
}

#[test]
fn a_forked_child_can_close_what_its_parent_has_open() {
    let (mut s, mut snap, mut one, mut two) = (0, 0, 0, 0);
    // SAFETY: the pointers are valid or NULL.
    unsafe {
        assert_eq!(eve_open_anonymous(null_mut(), &mut s, null_mut()), 0);
        assert_eq!(eve_snapshot_open(s, &mut snap, null_mut(), null_mut()), 0);
        assert_eq!(eve_txn_begin(s, 0, &mut one, null_mut(), null_mut()), 0);
        assert_eq!(eve_txn_begin(s, 0, &mut two, null_mut(), null_mut()), 0);
        let status = in_child(|| {
            eve_txn_abort(one, 0, null_mut());
            eve_txn_commit(two, 0, null_mut(), null_mut()) < 0
                && eve_snapshot_close(snap, null_mut()) == 0
                && eve_close(s, null_mut()) < 0
        });
        assert_eq!(status, 0, "the child was killed or got a wrong answer");
        assert_eq!(eve_txn_abort(one, 0, null_mut()), 0);
        assert_eq!(eve_txn_abort(two, 0, null_mut()), 0);
        assert_eq!(eve_snapshot_close(snap, null_mut()), 0);
        assert_eq!(eve_close(s, null_mut()), 0);
    }
}
