//! Sweeping: every committed object that no root reaches is retired, as the commit that made it unreachable would have done if it had known.
//!
//! Its death isn't known, but it is no later than the first traced version that doesn't reach it. What no pin meets is freed at once, the rest goes to
//! the agent's limbo, which judges it as all else.

use super::marks::Marks;
use crate::epoch::hold::in_flight;
use crate::epoch::limbo::Retired;
use crate::epoch::pin::Pinned;
use crate::slab::free::{cells, size_of_object, Content, Visit};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::Ordering::*;

/// A birth that far in the future isn't one: a crash has mixed pages of two uses of a block.
const IMPOSSIBLE: u64 = 1 << 40;

/// What a sweep has found. Bytes are those of the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects that stay: in use, or waiting in a limbo.
    pub live: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// Objects freed.
    pub freed: u64,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Unreachable objects that a pin still holds.
    pub held: u64,
    /// Their bytes.
    pub held_bytes: u64,
    /// Of these, how many the limbo had no room for: the next trace finds them again.
    pub left: u64,
    /// Blocks that are free now and weren't.
    pub blocks: u64,
}

/// One sweep.
pub struct Sweep<'a> {
    /// The slab.
    pub map: &'a Mapping,
    /// Who sweeps.
    pub agent: u16,
    /// All that the traced versions reach, and what is retired already.
    pub marks: &'a Marks,
    /// The traced versions, ascending. The last one is pinned.
    pub versions: &'a [u64],
    /// What is pinned, by a scan at a root no older than the last traced version.
    pub pinned: &'a Pinned,
    /// Retired objects that the limbo takes.
    pub room: usize,
    /// Those that it takes.
    pub retired: Vec<Retired>,
    /// Blocks with symbols, or parts of their table, that it doesn't reach.
    pub lost: Vec<u64>,
    /// What was found.
    pub swept: Swept,
}

impl Sweep<'_> {
    /// Sweeps block `b` and returns the next one to sweep.
    pub fn block(&mut self, b: u64) -> u64 {
        let visit = Visit::new(self.map, self.agent, b);
        let (mut mend, mut cell) = (false, 0);
        let next = match visit.content {
            Content::Cells { class, owner } => {
                cell = class_size(class) as u64;
                for at in cells(b, class) {
                    mend |= self.object(&visit, at, owner);
                }
                b + 1
            }
            Content::Run { blocks, owner } => {
                self.object(&visit, b * BLOCK_SIZE, owner);
                b + blocks.max(1)
            }
            Content::Nothing => b + 1,
        };
        let is_lost: &dyn Fn(u64, u64) -> bool = &|_, name| self.is_lost(name);
        let (freed, given) = visit.reclaim(mend.then_some(is_lost));
        self.swept.freed += freed;
        self.swept.freed_bytes += freed * cell;
        self.swept.blocks += given as u64;
        next
    }

    /// Can nobody but who makes it know an object of that name? Then it is lost if its block is nobody's: a crash of the machine has mixed pages, or has
    /// ended a transaction.
    fn is_lost(&self, name: u64) -> bool {
        header_fresh(name) || header_birth(name) > self.current() + IMPOSSIBLE
    }

    /// The current version.
    fn current(&self) -> u64 {
        *self.versions.last().expect("the current one")
    }

    /// Sweeps one object. True: it is one for [`Visit::reclaim`] to look at, under a hold on the block.
    fn object(&mut self, visit: &Visit, at: u64, owner: Option<usize>) -> bool {
        // Acquire: what its owner did before it stamped the object is visible: its floor.
        let name = self.map.atomic_u64(at).load(Acquire);
        if name == 0 {
            return visit.is_hidden(at);
        }
        if self.is_lost(name) && visit.is_shelved() {
            // Or somebody has just taken the block and made it.
            return true;
        }
        let bytes = size_of_object(self.map, at);
        if self.is_lost(name) && visit.is_lone_run() {
            self.free(visit, at, name, bytes);
            return false;
        }
        let birth = header_birth(name);
        if header_flags(name) & FLAG_IMMORTAL != 0 && visit.is_shelved() && !self.marks.contains(at) {
            // Or made since, and the block given up since.
            if self.lost.last() != Some(&(at >> BLOCK_BITS)) {
                self.lost.push(at >> BLOCK_BITS);
            }
        }
        let later = birth > self.current() || header_flags(name) & FLAG_IMMORTAL != 0;
        if later || self.marks.contains(at) || owner.is_some_and(|o| in_flight(self.map, o, birth)) {
            self.swept.live += 1;
            self.swept.live_bytes += bytes;
            return false;
        }
        let death = self.versions[self.versions.partition_point(|&v| v < birth)];
        if death > birth && self.pinned.meets(birth, death) {
            self.swept.held += 1;
            self.swept.held_bytes += bytes;
            if self.retired.len() >= self.room {
                self.swept.left += 1;
            } else {
                let generation = visit.generation();
                let name = name & !((FLAG_SHARED as u64) << 8);
                self.retired.push(Retired::new(at, name, death, generation, bytes));
            }
            return false;
        }
        self.free(visit, at, name, bytes);
        false
    }

    fn free(&mut self, visit: &Visit, at: u64, name: u64, bytes: u64) {
        if visit.free(at, name) {
            self.swept.freed += 1;
            self.swept.freed_bytes += bytes;
        }
    }
}
