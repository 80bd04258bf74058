//! Pins against commits that recycle records and cells.

use crate::check;
use crate::slab::{Agent, Slab};
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
        "scan: fence",
        "scan: acquires",
        "scan: help",
        "help: releases",
        "claim: not what is pinned",
        "publish: root releases",
        "cell: free releases",
        "cell: claim acquires",
    ];
    check("reader x writer", 6, || reader(1), &rules);
}

#[test]
fn a_reader_that_pins_twice() {
    check("two reads x writer", 5, || reader(2), &["pin: pending releases"]);
}

/// A scanner that helps is so slow that the word it helps has been pinned anew.
fn slow_helper(own_pin: bool, reads: usize) {
    let s = Arc::new(Slab::new(4, 3, 4));
    let writer = thread::spawn({
        let s = s.clone();
        move || {
            Agent::new(1, 0..4).commit(&s);
        }
    });
    let helper = thread::spawn({
        let s = s.clone();
        move || {
            use eve::epoch::pin::{scan, Pinned, Slot};
            let mut a = Agent::new(2, 0..0);
            if own_pin {
                a.pin(&s, Slot::A);
            }
            scan(&*s, a.index, &mut a.sequence, &mut Pinned::default());
            if own_pin {
                a.unpin(&s, Slot::A);
            }
        }
    });
    let mut a = Agent::new(0, 0..0);
    for _ in 0..reads {
        a.read(&s);
    }
    writer.join().unwrap();
    helper.join().unwrap();
}

#[test]
fn a_helper_hands_out_a_version_that_it_loads_after_it_saw_pending() {
    check("helper with a pin of its own", 2, || slow_helper(true, 1), &["help: fresh version"]);
}

#[test]
fn a_slow_helper_cannot_complete_a_later_pin() {
    check("slow helper, two pins", 3, || slow_helper(false, 2), &["pin: sequence"]);
}
