//! Pins against commits that recycle records and cells.

use crate::check;
use crate::slab::{Agent, First, Slab};
use eve::epoch::pin::{scan, unpin, Pinned, Slot};
use eve::slab::cell::free_named;
use eve::sync::{AtomicU32, Ordering::*};
use loom::sync::Arc;
use loom::thread;

/// A reader, while a writer commits twice with so few records and cells that both are recycled.
fn reader(reads: usize) {
    let s = Arc::new(Slab::new(2, 2, 3));
    let writer = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(1, 0..3);
            a.commit(&s);
            a.commit(&s);
        }
    });
    let mut a = Agent::new(0, 0..0);
    for _ in 0..reads {
        a.read(&s);
    }
    writer.join().unwrap();
}

#[test]
fn a_reader_and_a_writer_that_recycles() {
    let rules = [
        "pin: fence",
        "pin: root acquires",
        "pin: helped acquires",
        "pin: helper decides",
        "unpin: releases",
        "scan: help",
        "claim: not what is pinned",
        "publish: root releases",
    ];
    check("reader x writer that recycles", 4, || reader(1), &rules);
}

#[test]
fn a_reader_that_pins_twice() {
    check(
        "two reads x writer that recycles",
        3,
        || reader(2),
        &["pin: pending releases"],
    );
}

/// The version is made by one writer, its record recycled by another, who knows of the first commit only by its own pin.
fn reader_and_two_writers() {
    let s = Arc::new(Slab::new(2, 3, 0));
    let writers = [1, 2].map(|index| {
        let s = s.clone();
        thread::spawn(move || Agent::new(index, 0..0).commit_record(&s).is_some() as u64)
    });
    let mut a = Agent::new(0, 0..0);
    let v = a.pin(&s, Slot::A);
    s.state(v);
    a.unpin(&s, Slot::A);
    let won: u64 = writers.into_iter().map(|w| w.join().unwrap()).sum();
    let last = a.pin(&s, Slot::A);
    s.state(last);
    assert_eq!(last.number, 1 + won, "a commit was lost");
}

#[test]
fn a_reader_and_two_writers() {
    check(
        "reader x two writers",
        2,
        reader_and_two_writers,
        &["scan: fence", "claim: not what is pinned"],
    );
}

/// A third party helps the reader to a version of which the reader knows nothing else.
fn helped_by_a_third() {
    let s = Arc::new(Slab::new(2, 3, 2));
    let writer = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(1, 0..2);
            a.commit(&s);
            // Version 1 is reused at once, if it may be.
            a.alloc(&s, [0, 0]);
        }
    });
    let helper = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(2, 0..0);
            a.pin(&s, Slot::A);
            scan(&*s, a.index, &mut a.sequence, &mut Pinned::default());
            a.unpin(&s, Slot::A);
        }
    });
    Agent::new(0, 0..0).read(&s);
    writer.join().unwrap();
    helper.join().unwrap();
}

#[test]
fn a_reader_is_helped_by_a_third_party() {
    check(
        "reader helped by a third party",
        2,
        helped_by_a_third,
        &["help: fresh version", "help: releases"],
    );
}

/// A helper sees the reader's first pin PENDING and is so slow that it completes the second. Meanwhile a reclaimer has found the word
/// EMPTY between the two, and looks at the helper's own pin only when that is gone.
fn slow_helper() {
    let s = Arc::new(Slab::new(2, 3, 2));
    // The reader has stopped in its first pin.
    let (pending, pinned) = (1 << 2 | 1, 1 << 16 | 2);
    let mut reader = Agent::new(0, 0..0);
    reader.sequence = 1;
    s.agents[0].pins[0].store(pending, Relaxed);
    let ended = Arc::new(AtomicU32::new(0));
    let reclaimer = thread::spawn({
        let (s, ended) = (s.clone(), ended.clone());
        move || {
            let _ = s.agents[0].pins[0].compare_exchange(pending, pinned, Relaxed, Acquire);
            unpin(&*s, 0, Slot::A);
            let mut a = Agent::new(2, 0..2);
            a.commit_undrained(&s);
            ended.store(1, Release);
            let mut pinned = Pinned::default();
            scan(&First(&s, 2), a.index, &mut a.sequence, &mut pinned);
            if !pinned.meets(1, 2) {
                free_named(&s.cells[0].header, a.limbo[0].name);
                a.alloc(&s, [0, 0]);
            }
        }
    });
    let second = thread::spawn({
        let s = s.clone();
        move || {
            if ended.load(Acquire) == 1 {
                reader.read(&s);
            }
        }
    });
    let mut helper = Agent::new(1, 0..0);
    scan(
        &First(&s, 1),
        helper.index,
        &mut helper.sequence,
        &mut Pinned::default(),
    );
    reclaimer.join().unwrap();
    second.join().unwrap();
}

#[test]
fn a_slow_helper_cannot_complete_a_later_pin() {
    check(
        "slow helper x second pin x reclaimer",
        3,
        slow_helper,
        &["pin: sequence"],
    );
}
