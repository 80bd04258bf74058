//! Commits against each other: lost races, recycled records, rebase, names.

use crate::check;
use crate::slab::{Agent, Slab};
use eve::epoch::pin::Slot;
use eve::slab::cell;
use eve::slab::layout::{header, header_flags, FLAG_SHARED, TEXT};
use eve::sync::{weakened, Ordering::*};
use loom::sync::Arc;
use loom::thread;

/// Two writers race twice each.
fn two_writers() {
    let s = Arc::new(Slab::new(3, 2, 0));
    let other = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(1, 0..0);
            a.commit_record(&s).is_some() as u64 + a.commit_record(&s).is_some() as u64
        }
    });
    let mut a = Agent::new(0, 0..0);
    let mine = a.commit_record(&s).is_some() as u64;
    let won = mine + other.join().unwrap();
    let last = a.pin(&s, Slot::A);
    s.state(last);
    assert!(won >= 1, "a race without a winner");
    assert_eq!(last.number, 1 + won, "a commit was lost");
}

#[test]
fn no_commit_is_lost() {
    let rules = ["commit: base stays pinned", "claim: acquires"];
    check("two writers", 4, two_writers, &rules);
}

/// A loser stops between LIVE and its CAS; the winner goes on until it recycles the loser's record.
fn stolen_record() {
    let s = Arc::new(Slab::new(4, 2, 0));
    let loser = thread::spawn({
        let s = s.clone();
        move || Agent::new(1, 0..0).commit_record(&s).is_some() as u64
    });
    let mut a = Agent::new(0, 0..0);
    let won: u64 = (0..3).map(|_| a.commit_record(&s).is_some() as u64).sum();
    let won = won + loser.join().unwrap();
    let last = a.pin(&s, Slot::A);
    s.state(last);
    assert_eq!(last.number, 1 + won, "a commit was lost");
}

#[test]
fn a_record_is_recycled_under_a_live_loser() {
    check("three commits x loser", 2, stolen_record, &["publish: live releases"]);
}

/// The writer's second commit scans; its third must not use that answer for the version that was current then.
fn old_answer() {
    let s = Arc::new(Slab::new(2, 2, 0));
    let writer = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(1, 0..0);
            for _ in 0..3 {
                a.commit_record(&s);
            }
        }
    });
    let mut a = Agent::new(0, 0..0);
    let v = a.pin(&s, Slot::A);
    s.state(v);
    a.unpin(&s, Slot::A);
    writer.join().unwrap();
}

#[test]
fn an_old_scan_judges_old_versions_only() {
    check(
        "reader x three commits with one scan",
        3,
        old_answer,
        &["claim: only what the scan judges"],
    );
}

/// A writer allocates in a cell whose last object was made and died after the writer's base. Somebody still has that object's name.
fn names() {
    let s = Arc::new(Slab::new(3, 2, 2));
    s.fill(1, 2, [2, 0]);
    let other = thread::spawn({
        let s = s.clone();
        move || {
            let (mut a, name) = (Agent::new(1, 0..0), header(TEXT, 0, 2));
            let base = a.pin(&s, Slot::A);
            let record = a.claim(&s, base).unwrap();
            if !a.publish(&s, base, record, 1, &[]) {
                return;
            }
            a.unpin(&s, Slot::A);
            a.commit_record(&s);
            // Nobody pins version 2: the writer pinned 1, or will pin a later one.
            cell::free_named(&s.cells[1].header, name);
            s.turn();
            cell::free_named(&s.cells[1].header, name);
        }
    });
    let mut a = Agent::new(0, 1..2);
    let base = a.pin(&s, Slot::A);
    let made = a.alloc(&s, [77, 0]);
    if let Some(at) = made {
        if eve::epoch::record::still_current(&*s, base) {
            cell::stamp(&s.cells[at].header, base.number + 1);
        }
        s.turn();
    }
    other.join().unwrap();
    if let Some(at) = made {
        assert_ne!(s.cells[at].header.load(Relaxed), 0, "a stale name freed an object");
        assert_eq!(s.read(at)[0], 77);
    }
}

#[test]
fn a_stale_name_frees_nothing() {
    check(
        "allocation x stale name",
        5,
        names,
        &["commit: stamp only while current", "cell: free by name"],
    );
}

/// A state of two atoms, each an object that holds a number.
struct Counter {
    agent: Agent,
    atom: usize,
}

impl Counter {
    /// A slab with both atoms at 10, in cells 1 and 2.
    fn slab() -> Slab {
        let s = Slab::new(4, 2, 10);
        s.fill(0, 1, [1, 2]);
        s.fill(1, 1, [10, 0]);
        s.fill(2, 1, [10, 0]);
        s
    }

    /// Adds one to the atom, on `base`, which is pinned in slot A. False: somebody else changed it.
    fn add(&mut self, s: &Slab, mut base: eve::epoch::pin::Version) -> bool {
        let a = &mut self.agent;
        let mut slot = Slot::A;
        let mut state = s.state(base);
        let word = s.read(state)[self.atom] as usize;
        let value = a.alloc(s, [s.read(word)[0] + 1, 0]).expect("room");
        loop {
            let mut atoms = s.read(state);
            atoms[self.atom] = value as u64;
            let path = a.alloc(s, atoms).expect("room");
            let record = a.claim(s, base).expect("enough records");
            if a.publish(s, base, record, path, &[value, path]) {
                a.retire(s, state, base.number + 1);
                a.retire(s, word, base.number + 1);
                a.unpin(s, slot);
                return true;
            }
            a.release(s, base, record);
            a.free(s, path);
            if weakened("rebase: both pins while comparing") {
                a.unpin(s, slot);
            }
            let other = if slot == Slot::A { Slot::B } else { Slot::A };
            base = a.pin(s, other);
            state = s.state(base);
            if s.read(state)[self.atom] as usize != word {
                a.free(s, value);
                a.unpin(s, slot);
                a.unpin(s, other);
                return false;
            }
            a.unpin(s, slot);
            slot = other;
        }
    }
}

/// Writers of different atoms: each keeps its value and rebases.
fn rebase() {
    let s = Arc::new(Counter::slab());
    let other = thread::spawn({
        let s = s.clone();
        move || {
            let mut c = Counter {
                agent: Agent::new(1, 7..10),
                atom: 1,
            };
            let base = c.agent.pin(&s, Slot::A);
            assert!(c.add(&s, base), "nobody else writes this atom");
        }
    });
    let mut c = Counter {
        agent: Agent::new(0, 3..6),
        atom: 0,
    };
    let base = c.agent.pin(&s, Slot::A);
    assert!(c.add(&s, base), "nobody else writes this atom");
    c.agent.drain(&s);
    other.join().unwrap();
    let last = c.agent.pin(&s, Slot::A);
    let atoms = s.read(s.state(last));
    assert_eq!(atoms.map(|word| s.read(word as usize)[0]), [11, 11], "a write was lost");
}

#[test]
fn writers_of_different_atoms_rebase() {
    check("two writers of different atoms", 2, rebase, &[]);
}

/// The same atom is written twice, so that its old cell could come back with another value.
fn word_comes_back() {
    let s = Arc::new(Counter::slab());
    let mut c = Counter {
        agent: Agent::new(0, 7..10),
        atom: 0,
    };
    let base = c.agent.pin(&s, Slot::A);
    let mut other = Counter {
        agent: Agent::new(1, 1..7),
        atom: 0,
    };
    let first = other.agent.pin(&s, Slot::A);
    assert!(other.add(&s, first));
    let other = thread::spawn({
        let s = s.clone();
        move || {
            other.agent.drain(&s);
            let second = other.agent.pin(&s, Slot::A);
            other.add(&s, second)
        }
    });
    // Version 1 is read before anybody can have freed it; then the race with version 2 is lost.
    let mine = c.add(&s, base);
    let theirs = other.join().unwrap();
    assert!(!mine, "the atom was written in between");
    assert!(theirs);
}

#[test]
fn a_word_that_comes_back_is_another_value() {
    check(
        "rebase x two writes of its atom",
        2,
        word_comes_back,
        &["rebase: both pins while comparing"],
    );
}

/// One commit gives an object a second parent, the next takes the first one away.
fn shared() {
    let s = Arc::new(Slab::new(3, 2, 7));
    s.fill(0, 1, [1, 0]);
    s.fill(1, 1, [77, 0]);
    let first = thread::spawn({
        let s = s.clone();
        move || {
            let mut a = Agent::new(1, 2..4);
            let base = a.pin(&s, Slot::A);
            let state = s.state(base);
            let path = a.alloc(&s, [1, 1]).expect("room");
            let record = a.claim(&s, base).expect("enough records");
            if !weakened("share before the root CAS") {
                cell::share(&s.cells[1].header);
            }
            assert!(
                a.publish(&s, base, record, path, &[path]),
                "the other waits for this version"
            );
            if weakened("share before the root CAS") {
                cell::share(&s.cells[1].header);
            }
            a.retire(&s, state, base.number + 1);
            a.unpin(&s, Slot::A);
        }
    });
    let mut a = Agent::new(0, 4..7);
    let base = a.pin(&s, Slot::A);
    if base.number == 2 {
        let path = a.alloc(&s, [0, 1]).expect("room");
        let record = a.claim(&s, base).expect("enough records");
        let flags = header_flags(s.cells[1].header.load(Relaxed));
        assert!(a.publish(&s, base, record, path, &[path]), "the only writer left");
        if flags & FLAG_SHARED == 0 {
            a.retire(&s, 1, 3);
        }
    }
    a.unpin(&s, Slot::A);
    a.drain(&s);
    first.join().unwrap();
    assert_ne!(
        s.cells[1].header.load(Relaxed),
        0,
        "an object with a second parent was freed"
    );
}

#[test]
fn a_second_parent_is_flagged_before_the_commit() {
    check(
        "second parent x first one dies",
        3,
        shared,
        &["share before the root CAS"],
    );
}
