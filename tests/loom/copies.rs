//! Pins that are copied to a group or a superblock before they are given up.

use crate::check;
use crate::slab::{Agent, Slab};
use eve::epoch::group::{group_add, group_clear};
use eve::epoch::pin::Slot;
use eve::sync::{weakened, AtomicU64, Ordering::*};
use loom::sync::Arc;
use loom::thread;

/// Commits and then writes a cell that was free or has been freed.
fn writer(s: &Arc<Slab>, commits: usize) -> thread::JoinHandle<()> {
    let s = s.clone();
    thread::spawn(move || {
        let mut a = Agent::new(1, 0..s.cells.len().min(3));
        for _ in 0..commits {
            a.commit(&s);
        }
        a.alloc(&s, [0, 0]);
    })
}

/// A runtime reads by a group.
fn group() {
    let s = Arc::new(Slab::new(2, 2, 2).with_group());
    let writer = writer(&s, 1);
    let mut a = Agent::new(0, 0..0);
    let v = a.pin(&s, Slot::A);
    let state = s.state(v);
    if weakened("copy before unpin") {
        a.unpin(&s, Slot::A);
    }
    group_add(&*s, 0, v.number);
    a.unpin(&s, Slot::A);
    assert_eq!(s.read(state)[0], v.number, "a freed object was read");
    group_clear(&*s, 0);
    writer.join().unwrap();
}

#[test]
fn a_group_takes_over_from_a_pin() {
    let rules = [
        "copy before unpin",
        "unpin: releases",
        "scan: acquires",
        "scan: copies after pins",
        "group: close releases",
        "scan: last fence",
    ];
    check("group x writer that recycles", 4, group, &rules);
}

/// `sync` pins a version, puts it in the superblock and unpins it.
fn superblock() {
    let mut s = Slab::new(2, 2, 2);
    s.durable = Some(AtomicU64::new(0));
    let s = Arc::new(s);
    let writer = writer(&s, 1);
    let mut a = Agent::new(0, 0..0);
    let v = a.pin(&s, Slot::A);
    let state = s.state(v);
    s.durable.as_ref().unwrap().store(v.number, Release);
    a.unpin(&s, Slot::A);
    writer.join().unwrap();
    assert_eq!(s.read(state)[0], v.number, "a durable version was freed");
}

#[test]
fn a_superblock_takes_over_from_a_pin() {
    let rules = ["unpin: releases", "scan: acquires", "scan: copies after pins"];
    check("sync x writer that recycles", 4, superblock, &rules);
}

/// Two threads of one participant are the first to add to a group, each a version that it has pinned.
fn two_adders() {
    let s = Arc::new(Slab::new(3, 3, 2).with_group());
    let mut low = Agent::new(0, 0..0);
    let first = low.pin(&s, Slot::A);
    let mut writer = Agent::new(1, 0..2);
    writer.commit_undrained(&s);
    let mut high = Agent::new(2, 0..0);
    let second = high.pin(&s, Slot::A);
    let threads = [(low, first.number), (high, second.number)].map(|(a, version)| {
        let s = s.clone();
        thread::spawn(move || {
            group_add(&*s, 0, version);
            a.unpin(&s, Slot::A);
            assert_eq!(s.read(version as usize - 1)[0], version, "a freed object was read");
        })
    });
    writer.drain(&s);
    writer.alloc(&s, [0, 0]);
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn the_lower_of_two_versions_opens_a_group() {
    check("two first adders x reclaimer", 3, two_adders, &["group: lower wins"]);
}

/// A transaction puts the version that it makes into its group, and reads what it made after the commit without a pin.
fn committer() {
    let s = Arc::new(Slab::new(3, 2, 4).with_group());
    let writer = writer(&s, 2);
    let mut a = Agent::new(0, 3..4);
    let base = a.pin(&s, Slot::A);
    let version = base.number + 1;
    let made = a.alloc(&s, [version, 0]).expect("room");
    let record = a.claim(&s, base);
    if !weakened("group: add before the root CAS") {
        group_add(&*s, 0, version);
    }
    let won = record.is_some_and(|record| a.publish(&s, base, record, made, &[made]));
    if weakened("group: add before the root CAS") {
        group_add(&*s, 0, version);
    }
    a.unpin(&s, Slot::A);
    if won {
        assert_eq!(s.read(made)[0], version, "a freed object was read");
        assert_ne!(
            s.cells[made].header.load(Relaxed),
            0,
            "an object of the group was freed"
        );
    }
    writer.join().unwrap();
}

#[test]
fn a_new_version_is_in_its_group_before_anybody_sees_it() {
    check(
        "committer with a group x writer",
        3,
        committer,
        &["group: add before the root CAS"],
    );
}
