//! Cells, hints and blocks: the owner allocates while others free.

use crate::check;
use crate::slab::{Agent, Slab};
use eve::epoch::pin::Slot;
use eve::slab::cell::{free_named, give_block, is_free, is_free_or, offer, stamp, take_block, take_offers};
use eve::slab::layout::{header, FRESH, TEXT};
use eve::sync::{weakened, AtomicU64, Ordering::*};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// An object is read by one thread, freed by a second, and its cell written by a third, the owner of its block.
fn three_threads() {
    let s = Arc::new(Slab::new(2, 2, 2));
    let freer = thread::spawn({
        let s = s.clone();
        move || Agent::new(1, 1..2).commit(&s)
    });
    let owner = thread::spawn({
        let s = s.clone();
        move || Agent::new(2, 0..1).alloc(&s, [0, 0])
    });
    let mut a = Agent::new(0, 0..0);
    let v = a.pin(&s, Slot::A);
    assert_eq!(s.read(s.state(v))[0], v.number, "a freed object was read");
    a.unpin(&s, Slot::A);
    freer.join().unwrap();
    owner.join().unwrap();
}

#[test]
fn a_cell_is_written_after_its_last_read() {
    check("reader x freer x owner", 3, three_threads, &["cell: claim acquires"]);
}

const AGENT_1: u64 = 1;
const AGENT_2: u64 = 2;
const SHELVED: u64 = 0;

/// A block of two cells with its hints and descriptor. `used` finds a cell that two owners have at once.
struct Block {
    descriptor: AtomicU64,
    hints: AtomicU64,
    headers: [AtomicU64; 2],
    used: [UnsafeCell<()>; 2],
}

// SAFETY: loom checks every access to an UnsafeCell.
unsafe impl Sync for Block {}

impl Block {
    /// Owned by agent 1, with one object of version 1 in each cell.
    fn full() -> Block {
        let header = || AtomicU64::new(header(TEXT, 0, 1));
        Block {
            descriptor: AtomicU64::new(AGENT_1),
            hints: AtomicU64::new(3),
            headers: [header(), header()],
            used: [UnsafeCell::new(()), UnsafeCell::new(())],
        }
    }

    /// Fills the private list of the owner.
    fn refill(&self, list: &mut Vec<usize>) {
        let offered = take_offers(&self.hints, 3);
        list.extend((0..2).filter(|i| offered >> i & 1 == 1 && is_free(&self.headers[*i])));
    }

    /// Takes a cell from the list and makes it fresh.
    fn alloc(&self, list: &mut Vec<usize>) -> Option<usize> {
        while let Some(i) = list.pop() {
            if is_free(&self.headers[i]) || weakened("cell: look again when it is handed out") {
                self.used[i].with_mut(|_| ());
                self.headers[i].store(header(TEXT, 0, FRESH | i as u64), Relaxed);
                return Some(i);
            }
        }
        None
    }

    fn free(&self, i: usize) {
        self.used[i].with(|_| ());
        if free_named(&self.headers[i], header(TEXT, 0, 1)) {
            offer(&self.hints, i as u32);
        }
    }
}

/// Two threads free both cells while the owner looks for room: no cell may get lost.
fn hints() {
    let b = Arc::new(Block::full());
    let freers = [0, 1].map(|i| {
        let b = b.clone();
        thread::spawn(move || b.free(i))
    });
    let mut list = Vec::new();
    b.refill(&mut list);
    let early = b.alloc(&mut list).is_some() as usize;
    b.refill(&mut list);
    freers.into_iter().for_each(|t| t.join().unwrap());
    b.refill(&mut list);
    assert_eq!(early + list.len(), 2, "a free cell was lost, or found twice");
}

#[test]
fn no_freed_cell_is_lost() {
    check(
        "owner x two freers",
        4,
        hints,
        &["hint: offer releases", "hint: take acquires"],
    );
}

/// The freer of a cell stops before its hint. Its owner dies; whoever adopts the block offers all free cells; then the late hint comes.
fn late_hint() {
    let b = Arc::new(Block::full());
    assert!(free_named(&b.headers[0], header(TEXT, 0, 1)));
    let freer = thread::spawn({
        let b = b.clone();
        move || offer(&b.hints, 0)
    });
    offer(&b.hints, 0);
    let mut list = Vec::new();
    b.refill(&mut list);
    b.refill(&mut list);
    let made = [b.alloc(&mut list), b.alloc(&mut list)];
    assert!(made[1].is_none(), "a cell was handed out twice");
    freer.join().unwrap();
}

#[test]
fn a_late_hint_gives_no_cell_away_twice() {
    check(
        "adopter x late hint",
        3,
        late_hint,
        &["cell: look again when it is handed out"],
    );
}

/// The owner keeps a cell with the dead object in it, and overwrites that. Meanwhile a sweep finds the object and frees it by its name.
fn dead_in_the_list() {
    let b = Arc::new(Block::full());
    let name = header(TEXT, 0, 1);
    let sweep = thread::spawn({
        let b = b.clone();
        move || {
            if free_named(&b.headers[0], name) {
                offer(&b.hints, 0);
            }
        }
    });
    let mut list = vec![(0, name)];
    let mut handed_out = 0;
    for _ in 0..2 {
        let mut offered = Vec::new();
        b.refill(&mut offered);
        list.extend(offered.into_iter().map(|i| (i, 0)));
        while let Some((i, name)) = list.pop() {
            if is_free_or(&b.headers[i], name) {
                handed_out += 1;
                // In the core a store. Loom would let a later load of ours see the sweep's 0 (which stands before our store in the order of this word).
                b.headers[i].swap(header(TEXT, 0, 3), Release);
            }
        }
    }
    sweep.join().unwrap();
    assert_eq!(handed_out, 1, "a cell was handed out twice, or lost");
    assert_eq!(
        b.headers[0].load(Relaxed),
        header(TEXT, 0, 3),
        "a sweep freed another object"
    );
}

#[test]
fn a_cell_that_holds_a_dead_object_is_handed_out_once() {
    check(
        "owner x sweep of the dead in its list",
        3,
        dead_in_the_list,
        &["cell: the dead by name", "cell: free by name"],
    );
}

/// A block changes hands. Its hints lie: a used cell is offered.
fn shelved() {
    let b = Arc::new(Block::full());
    b.headers[0].store(0, Relaxed);
    b.hints.store(0, Relaxed);
    let first = thread::spawn({
        let b = b.clone();
        move || {
            let made = b.alloc(&mut vec![0]);
            assert_eq!(made, Some(0));
            stamp(&b.headers[0], 2);
            b.hints.fetch_and(!3, Relaxed);
            give_block(&b.descriptor, SHELVED);
        }
    });
    if take_block(&b.descriptor, SHELVED, AGENT_2) {
        let mut list = Vec::new();
        b.refill(&mut list);
        assert_eq!(b.alloc(&mut list), None, "an object of the last owner was overwritten");
    }
    first.join().unwrap();
}

#[test]
fn a_block_changes_hands_with_its_headers() {
    check(
        "two owners, one after the other",
        3,
        shelved,
        &["block: give releases", "block: take acquires"],
    );
}

/// Two agents want a new block: one raises the high-water mark, the other finds the block below it.
fn new_block() {
    let high = Arc::new(AtomicU64::new(0));
    let descriptor = Arc::new(AtomicU64::new(0));
    let raiser = thread::spawn({
        let (high, descriptor) = (high.clone(), descriptor.clone());
        move || {
            high.store(1, Release);
            if weakened("block: a new block is taken like a free one") {
                give_block(&descriptor, AGENT_1);
                return true;
            }
            take_block(&descriptor, 0, AGENT_1)
        }
    });
    let found = high.load(Acquire) == 1 && {
        let was = descriptor.load(Acquire);
        was == 0 && take_block(&descriptor, was, AGENT_2)
    };
    let raised = raiser.join().unwrap();
    assert!(raised != found, "a block with two owners, or none");
}

#[test]
fn a_new_block_has_one_owner() {
    check(
        "raise x find",
        3,
        new_block,
        &["block: a new block is taken like a free one"],
    );
}
