//! Pin groups: intervals of versions that a runtime's collected handles may still read.
//!
//! A group is used by its number, which holds its place in the table and a generation. So a number that was closed stays invalid when the place has
//! been opened again, and of two threads that close one group, one fails.

use super::Shared;
use crate::sync::{order, weakened, Ordering::*};

/// In the owner word: the group is being closed.
const CLOSING: u64 = 1 << 31;
/// Generations in a number: 18 bits above the 13 of the index, so that a number is a positive int in every language.
const GENERATION: u64 = (1 << 18) - 1;
const INDEX_BITS: u32 = 13;

/// Whose group has this owner word: the participant + 1, also while it is being closed. 0: nobody's.
pub fn owner(word: u64) -> u64 {
    word & (CLOSING - 1)
}

fn number(index: usize, word: u64) -> u32 {
    (((word >> 32 & GENERATION) << INDEX_BITS | index as u64) + 1) as u32
}

/// Opens a free group of the table for `owner` (participant + 1): its number, or None if there is none.
pub fn group_open(s: &impl Shared, owner: u64) -> Option<u32> {
    (0..s.groups()).find_map(|i| {
        let word = &s.group(i).owner;
        let was = word.load(Relaxed);
        let free = was as u32 == 0 && word.compare_exchange(was, was | owner, AcqRel, Relaxed).is_ok();
        free.then(|| number(i, was))
    })
}

/// Index of group `group` if it is open and `owner`'s.
pub fn group_index(s: &impl Shared, group: u32, owner: u64) -> Option<usize> {
    let index = group.checked_sub(1)? as usize & ((1 << INDEX_BITS) - 1);
    let word = (index < s.groups()).then(|| s.group(index).owner.load(Acquire))?;
    (word as u32 as u64 == owner && number(index, word) == group).then_some(index)
}

/// Adds `version` to group `group`, which the caller's participant owns. The caller has it pinned, or is about to commit it: its unpin or
/// its root CAS, which come after, publish the entry (Release), so the words themselves need no order.
pub fn group_add(s: &impl Shared, group: usize, version: u64) {
    let g = s.group(group);
    if g.hi.load(Relaxed) < version {
        g.hi.fetch_max(version, Relaxed);
    }
    let lo = g.lo.load(Relaxed);
    if lo != 0 && lo <= version + 1 {
        return;
    }
    // Two threads opening one group: the lower version must win.
    if g.lo.compare_exchange(0, version + 1, Relaxed, Relaxed).is_err() && !weakened("group: lower wins") {
        g.lo.fetch_min(version + 1, Relaxed);
    }
}

/// Closes group `group` of `owner`, if it is open: lets all its versions go. Nobody adds to it or reads by it any more.
pub fn group_close(s: &impl Shared, group: u32, owner: u64) -> bool {
    let Some(index) = group_index(s, group, owner) else {
        return false;
    };
    let word = &s.group(index).owner;
    let was = word.load(Relaxed);
    if number(index, was) != group || word.compare_exchange(was, was | CLOSING, AcqRel, Relaxed).is_err() {
        return false;
    }
    group_clear(s, index);
    true
}

/// Closes all groups of `owner`. One that a thread is closing is left to that thread, unless the owner is dead: cleared twice, it could be
/// another's by the second time.
pub fn group_close_all(s: &impl Shared, owner: u64, dead: bool) {
    for i in 0..s.groups() {
        let word = &s.group(i).owner;
        let was = word.load(Acquire);
        let open = was as u32 as u64 == owner && word.compare_exchange(was, was | CLOSING, AcqRel, Relaxed).is_ok();
        if open || dead && self::owner(was) == owner {
            group_clear(s, i);
        }
    }
}

/// Empties the group at `index`, which the caller alone is closing, and gives its place back.
pub fn group_clear(s: &impl Shared, index: usize) {
    let g = s.group(index);
    // Release: the reads made by the group happen before a scanner that finds it empty, by either word, frees anything.
    g.lo.store(0, order("group: close releases", Release));
    g.hi.store(0, order("group: close releases", Release));
    let generation = (g.owner.load(Relaxed) >> 32) + 1;
    g.owner.store(generation << 32, Release);
    // Who misses it drains later.
    s.releases().fetch_add(1, Relaxed);
}
