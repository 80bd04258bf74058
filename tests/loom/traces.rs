//! The tracer's interval, the guard of its sweep, and blocks that are given to another use.

use crate::check;
use crate::slab::{Agent, Slab};
use eve::epoch::hold::{hold, in_flight, let_go};
use eve::epoch::pin::Slot;
use eve::epoch::record::still_current;
use eve::slab::cell::{self, give_block, is_protected, protect, unprotect, vacate};
use eve::slab::layout::{header, header_birth, header_fresh, FRESH, TEXT};
use eve::sync::{weakened, AtomicU64, Ordering::*};
use loom::sync::Arc;
use loom::thread;

/// A tracer walks a version that another pins and lets go meanwhile; a writer makes it old and uses its cell again.
fn interval() {
    let s = Arc::new(Slab::new(3, 3, 2));
    let mut reader = Agent::new(0, 0..0);
    reader.pin(&s, Slot::A);
    let mut w = Agent::new(1, 0..2);
    w.commit_undrained(&s).expect("nobody else commits");
    let writer = thread::spawn({
        let s = s.clone();
        move || {
            w.drain(&s);
            w.alloc(&s, [0, 0]);
        }
    });
    let tracer = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(2, 0..0);
            let now = a.pin(&s, Slot::A);
            for root in hold(&*s, 2, now.number, &Vec::new) {
                assert_eq!(
                    s.read(root.state as usize)[0],
                    root.version,
                    "a freed object was traced"
                );
            }
            let_go(&*s, 2);
            a.unpin(&s, Slot::A);
        }
    });
    reader.unpin(&s, Slot::A);
    writer.join().unwrap();
    tracer.join().unwrap();
}

#[test]
fn a_tracer_keeps_what_a_reader_lets_go() {
    let rules = ["hold: fence", "hold: look again", "hold: release", "scan: last fence"];
    check("tracer x reader x writer", 3, interval, &rules);
}

/// A transaction stamps its object, loses, and commits it later. A sweep at the winner's version comes by.
fn sweep() {
    let s = Arc::new(Slab::new(4, 3, 3));
    let (mine, winners) = (1, 2);
    let mut loser = Agent::new(0, mine..mine + 1);
    let base = loser.pin(&s, Slot::A);
    s.agents[0].floor.store(base.number + 1, Release);
    loser.alloc(&s, [2, 0]).expect("a free cell");
    let winner = thread::spawn({
        let s = s.clone();
        move || Agent::new(1, winners..winners + 1).commit_undrained(&s)
    });
    let sweeper = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(2, 0..0);
            let now = a.pin(&s, Slot::A);
            let marked = s.state(now);
            let header = &s.cells[mine].header;
            let name = header.load(Acquire);
            let birth = header_birth(name);
            let old = name != 0 && !header_fresh(name) && birth <= now.number && marked != mine;
            if old && !in_flight(&*s, 0, birth) {
                cell::free_named(header, name);
            }
            a.unpin(&s, Slot::A);
        }
    });
    let record = loser.claim(&s, base);
    let won = record.is_some_and(|r| loser.publish(&s, base, r, mine, &[mine]));
    if !won {
        if let Some(r) = record {
            loser.release(&s, base, r);
        }
        s.cells[mine].header.store(header(TEXT, 0, FRESH), Relaxed);
        let now = loser.pin(&s, Slot::B);
        assert!(still_current(&*s, now), "nobody else commits");
        cell::stamp(&s.cells[mine].header, now.number + 1);
    }
    s.agents[0].floor.store(0, Release);
    winner.join().unwrap();
    sweeper.join().unwrap();
    // If it has won, its object is dead once the other has committed too.
    assert!(
        won || s.cells[mine].header.load(Relaxed) != 0,
        "an object in use was freed"
    );
}

#[test]
fn a_sweep_spares_what_a_loser_has_stamped() {
    check("loser x winner x sweep", 3, sweep, &["sweep: floor"]);
}

const NAME: u64 = (TEXT as u64) | 7 << 16;

/// A late free by a name meets a block that is given to another use, in which the cell's word is data that looks like the name.
fn reuse() {
    let words = Arc::new([AtomicU64::new(5 << 32), AtomicU64::new(0), AtomicU64::new(0)]);
    let freer = thread::spawn({
        let words = words.clone();
        move || {
            let [descriptor, hazard, word] = &*words;
            protect(hazard, 0);
            if descriptor.load(Acquire) >> 32 == 5 || weakened("free: generation") {
                cell::free_named(word, NAME);
            }
            unprotect(hazard);
        }
    });
    let [descriptor, hazard, word] = &*words;
    vacate(descriptor, 6 << 32);
    let used = !is_protected(hazard, 0);
    if used {
        give_block(descriptor, 6 << 32 | 1);
        word.store(NAME, Relaxed);
    }
    freer.join().unwrap();
    assert!(!used || word.load(Relaxed) == NAME, "a late free has changed data");
}

#[test]
fn a_late_free_changes_no_data() {
    let rules = ["hazard: fence", "vacate: fence", "vacate: hazards", "free: generation"];
    check("late free x block in another use", 3, reuse, &rules);
}
