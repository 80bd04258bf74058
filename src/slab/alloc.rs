//! Cells and blocks. An agent allocates from blocks that it owns, without atomics on the common path; anyone may free a cell by its name.
//!
//! A block is taken by one CAS of its descriptor (FREE or SHELVED -> OWNED) or by raising the high-water mark, and given back SHELVED.
//! A cell is free when its header is 0 (S2). So is one in its owner's private list, though it may still hold a dead object: who allocates overwrites
//! that, which spares a look at a cold cell when the object is freed. [`Allocator::settle`] makes up for it where others must see what is free.
//! The bitmap's bit is 1 while a cell is used or in some agent's private list; it may be wrong: a set bit hides a free cell until a sweep, a cleared bit
//! of a used cell costs one look at the header.

use super::cell::{free_named, give_block, is_free, is_free_or, take_block, take_offers};
use super::free::{cells, forget, free_foreign, give_up, is_unbacked, mark_free, pack, release_run, take_free, Visit};
use super::layout::*;
use super::mapping::Mapping;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering::*;

/// What the allocator needs of the file below it.
pub trait Grow {
    /// Makes `backed_len` at least `backed`. An error means that nothing changed.
    fn grow(&self, backed: u64) -> Result<()>;
    /// Makes sure that `len` bytes at `offset` (a table's piece) are allocated.
    fn ensure(&self, offset: u64, len: u64) -> Result<()>;
    /// Gives `len` bytes at `offset`, blocks below `backed_len`, disk space again. An error means that nothing changed.
    fn back(&self, offset: u64, len: u64) -> Result<()>;
    /// Gives the disk space of `len` bytes at `offset` up, whole blocks. False: that can't be done here.
    fn punch(&self, offset: u64, len: u64) -> Result<bool>;
}

/// Mapping and file of a slab, as the allocator sees them.
#[derive(Clone, Copy)]
pub struct Memory<'a> {
    /// The mapped bytes.
    pub map: &'a Mapping,
    /// The file that grows.
    pub file: &'a (dyn Grow + Sync),
}

/// A block counts as worth scanning when at least one cell in this many is free: below it, a new block is cheaper than the scan.
const WORTH: u32 = 8;
/// Allocations of a class until a cell that is fetched now will be needed: a transaction makes a few of each.
const AHEAD: usize = 3;
/// A drain forgets this part of the most cells that were in use.
const FORGET: usize = 128;
/// Cells from which a list is sorted: more than the caches hold.
const SORTED: usize = 4096;
const PAGE_BITS: u32 = 12;
/// Headers fetched ahead when lists are settled: they have been waiting, so most are in no cache.
const SETTLE_AHEAD: usize = 16;
/// An agent keeps cells for one part of this many on top of its objects.
const SPARE: usize = 4;
/// Descriptors looked at for a shelved or free block before the slab grows.
const SEARCH: u64 = 64;

/// A free cell that only this agent knows.
#[derive(Clone, Copy)]
struct Free {
    at: u64,
    /// Name of the dead object that it may still hold, or 0.
    name: u64,
}

#[derive(Default)]
struct Class {
    free: Vec<Free>,
    /// Do some of them hold dead objects?
    unsettled: bool,
    /// Length of the list when the use was noted.
    noted: usize,
    /// Cells freed by drains since blocks were last given back.
    freed: usize,
    /// Cells in use at the last drains: the most, slowly forgotten.
    peak: usize,
    /// Owned blocks of this class.
    blocks: Vec<u64>,
    /// Block (index in `blocks`) and bitmap word where the next refill goes on.
    at: (usize, usize),
    /// Free cells found since `at` was last at the start, or at a new block.
    found: u32,
    /// Blocks taken since `at` was last at the start.
    taken: usize,
}

impl Class {
    /// Sets the headers of free cells to 0.
    fn settle(&mut self, map: &Mapping) {
        if !std::mem::take(&mut self.unsettled) {
            return;
        }
        for (i, f) in self.free.iter().enumerate() {
            if let Some(ahead) = self.free.get(i + SETTLE_AHEAD) {
                map.prefetch(ahead.at, 8);
            }
            if f.name != 0 {
                free_named(map.atomic_u64(f.at), f.name);
            }
        }
        self.free.iter_mut().for_each(|f| f.name = 0);
    }
}

/// The private side of one agent's allocation.
pub struct Allocator {
    agent: u16,
    classes: Vec<Class>,
    cursor: u64,
    starved: bool,
    grown: bool,
    gave: bool,
    /// Bytes of the cells and runs found since the last growth.
    volume: u64,
}

impl Allocator {
    /// The allocator of agent line `agent`.
    pub fn new(agent: u16) -> Allocator {
        Allocator {
            agent,
            classes: (0..CLASSES).map(|_| Class::default()).collect(),
            cursor: 0,
            starved: false,
            grown: false,
            gave: false,
            volume: 0,
        }
    }

    fn owner(&self) -> u16 {
        super::free::owner(self.agent)
    }

    /// Offset of a free object of `size` bytes. Its header is 0, or what is left of a dead object. `version` is one that the caller has seen current.
    #[inline]
    pub fn alloc(&mut self, m: Memory, size: usize, version: u64) -> Result<u64> {
        if size > CELL_MAX {
            return self.alloc_run(m, (size as u64).div_ceil(BLOCK_SIZE), version);
        }
        let class = class_of(size);
        loop {
            let free = &mut self.classes[class].free;
            if let Some(Free { at, name }) = free.pop() {
                // What was freed long ago is in no cache: a cell of the next transaction is fetched while this one goes on.
                if let Some(next) = free.len().checked_sub(AHEAD).and_then(|i| free.get(i)) {
                    m.map.prefetch(next.at, class_size(class));
                }
                // A cell can be in the list twice (C2): the first that takes it makes it fresh.
                if is_free_or(m.map.atomic_u64(at), name) {
                    return Ok(at);
                }
                continue;
            }
            self.refill(m, class, version)?;
        }
    }

    /// Takes back a cell of an owned block whose header the caller has set to 0.
    #[inline]
    pub fn give(&mut self, at: u64, class: usize) {
        self.classes[class].free.push(Free { at, name: 0 });
    }

    /// Fills the private list of `class` with free cells: the next bitmap words of the owned blocks, or a further block.
    #[cold]
    fn refill(&mut self, m: Memory, class: usize, version: u64) -> Result<()> {
        let cells = class_cells(class);
        let words = cells.div_ceil(64);
        loop {
            let c = &mut self.classes[class];
            if c.at.0 >= c.blocks.len() {
                let all = (c.blocks.len() * cells) as u32;
                let enough = c.found > 0 && c.found >= all / WORTH;
                // What others have freed since the last look at all blocks isn't known: another look after some more blocks.
                let again = c.taken > 0 && c.taken * WORTH as usize >= c.blocks.len();
                c.at = (0, 0);
                c.found = 0;
                if enough || again {
                    c.taken = 0;
                } else {
                    let block = self.take_block(m, class, version)?;
                    let c = &mut self.classes[class];
                    c.blocks.push(block);
                    c.taken += 1;
                    c.at = (c.blocks.len() - 1, 0);
                }
                continue;
            }
            let block = c.blocks[c.at.0] * BLOCK_SIZE;
            while c.at.1 < words {
                let w = c.at.1;
                c.at.1 += 1;
                let valid = if (w + 1) * 64 <= cells {
                    !0
                } else {
                    (1u64 << (cells % 64)) - 1
                };
                let mut free = take_offers(m.map.atomic_u64(block + w as u64 * 8), valid);
                if free == 0 {
                    continue;
                }
                let before = c.free.len();
                while free != 0 {
                    let i = 63 - free.leading_zeros() as usize;
                    free ^= 1 << i;
                    let at = block + BITMAP_SIZE + ((w * 64 + i) * class_size(class)) as u64;
                    if is_free(m.map.atomic_u64(at)) {
                        c.free.push(Free { at, name: 0 });
                    }
                }
                c.found += (c.free.len() - before) as u32;
                self.volume += ((c.free.len() - before) * class_size(class)) as u64;
                if c.free.len() > before {
                    return Ok(());
                }
            }
            c.at = (c.at.0 + 1, 0);
        }
    }

    /// A block of `class` for this agent.
    fn take_block(&mut self, m: Memory, class: usize, version: u64) -> Result<u64> {
        let found = match self.find_block(m, class, version, SEARCH) {
            // No room on disk for a block without: perhaps one has it, or the slab has grown further than it is used.
            Err(Error::Full(_)) => self.find_block(m, class, version, 0),
            found => found,
        };
        if let Some(b) = found? {
            return Ok(b);
        }
        let b = self.new_blocks(m, 1)?;
        self.claim_new(m, b, BLOCK_OWNED, class as u8, version, 1);
        Ok(b)
    }

    /// Looks at the next descriptors for a shelved block of the class with room, or a free block. One without disk space is taken if the first `near`
    /// of them show no other; with 0, never.
    fn find_block(&mut self, m: Memory, class: usize, version: u64, near: u64) -> Result<Option<u64>> {
        let high = m.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
        // Where many blocks are free, the next one isn't far.
        let free = m.map.atomic_u64(CONTROL_FREE_BLOCKS).load(Relaxed);
        let all = free.saturating_mul(16) > high || near == 0;
        let mut unbacked = None;
        for look in 0..if all { high } else { near } {
            if look >= near && unbacked.is_some() {
                break;
            }
            self.cursor = (self.cursor + 1).max(HEADER_SIZE / BLOCK_SIZE);
            if self.cursor >= high {
                self.cursor = HEADER_SIZE / BLOCK_SIZE;
                if self.cursor >= high {
                    return Ok(None);
                }
            }
            if !is_block(self.cursor) {
                continue;
            }
            let d = m.map.atomic_u64(descriptor(self.cursor));
            let was = d.load(Acquire);
            let generation = (was >> 32) as u32;
            if was as u8 == BLOCK_FREEING && (was >> 16) as u16 == 0 {
                // Who gave it back met somebody that looked at it, and left it: for the next look it is free.
                Visit::new(m.map, self.agent, self.cursor).reclaim(None);
            } else if was as u8 == BLOCK_SHELVED && (was >> 8) as u8 == class as u8 && self.has_room(m.map, was) {
                let own = pack(BLOCK_OWNED, class as u8, self.owner(), generation);
                if take_block(d, was, own) {
                    return Ok(Some(self.cursor));
                }
            } else if was as u8 == BLOCK_FREE && take_free(m.map, self.agent, self.cursor, was, BLOCK_FREE) {
                zero_block(m.map, self.cursor);
                self.claim_new(m, self.cursor, BLOCK_OWNED, class as u8, version, 1);
                return Ok(Some(self.cursor));
            } else if was as u8 == BLOCK_UNBACKED && near > 0 {
                unbacked = unbacked.or(Some((self.cursor, was)));
            }
        }
        let Some((b, _)) = unbacked.filter(|&(b, was)| take_free(m.map, self.agent, b, was, BLOCK_UNBACKED)) else {
            return Ok(None);
        };
        back(m, b, 1)?;
        zero_block(m.map, b);
        self.claim_new(m, b, BLOCK_OWNED, class as u8, version, 1);
        Ok(Some(b))
    }

    /// Has the shelved block at the cursor, whose descriptor was `was`, room: at least one free cell in [`WORTH`] by its bitmap? It is looked at under a
    /// hold: a block that somebody has given back meanwhile may be without disk space, and to read a hole can take room on a full memory file system.
    fn has_room(&self, map: &Mapping, was: u64) -> bool {
        let visit = Visit::new(map, self.agent, self.cursor);
        if !visit.is(was) {
            return false;
        }
        let cells = class_cells((was >> 8) as u8 as usize);
        let word = |w: usize| map.atomic_u64(self.cursor * BLOCK_SIZE + w as u64 * 8);
        let used: u32 = (0..cells.div_ceil(64))
            .map(|w| word(w).load(Relaxed).count_ones())
            .sum();
        (cells as u32).saturating_sub(used) >= (cells as u32 / WORTH).max(1)
    }

    /// Writes the descriptor of a block that only we hold: the stamp first, so that a run never looks older than it is.
    fn claim_new(&self, m: Memory, block: u64, state: u8, class: u8, version: u64, run: u64) {
        let d = m.map.atomic_u64(descriptor(block));
        let generation = (d.load(Relaxed) >> 32) as u32;
        m.map
            .atomic_u64(descriptor(block) + 8)
            .store(version | run << 48, Relaxed);
        let owner = if state == BLOCK_TAIL { 0 } else { self.owner() };
        give_block(d, pack(state, class, owner, generation));
    }

    /// A run of `blocks` blocks for one large object; its header is 0.
    fn alloc_run(&mut self, m: Memory, blocks: u64, version: u64) -> Result<u64> {
        let found = self.find_run(m, blocks).map(|b| back(m, b, blocks).map(|()| b));
        let first = match found {
            None | Some(Err(Error::Full(_))) => self.new_blocks(m, blocks)?,
            Some(found) => found?,
        };
        self.volume += blocks * BLOCK_SIZE;
        // The head first, without an object: if we are killed here, whoever adopts what is ours finds the whole run by it.
        m.map.atomic_u64(first * BLOCK_SIZE).store(0, Relaxed);
        self.claim_new(m, first, BLOCK_LARGE, 0, version, blocks);
        for b in first + 1..first + blocks {
            self.claim_new(m, b, BLOCK_TAIL, 0, version, 0);
        }
        Ok(first * BLOCK_SIZE)
    }

    /// `blocks` adjacent free blocks below the high-water mark, claimed.
    fn find_run(&mut self, m: Memory, blocks: u64) -> Option<u64> {
        if m.map.atomic_u64(CONTROL_FREE_BLOCKS).load(Relaxed) < blocks {
            return None;
        }
        let high = m.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
        let mut start = HEADER_SIZE / BLOCK_SIZE;
        let mut b = start;
        while b < high {
            let was = if is_block(b) {
                m.map.atomic_u64(descriptor(b)).load(Acquire)
            } else {
                BLOCK_LARGE as u64
            };
            if take_free(m.map, self.agent, b, was, was as u8) {
                if b + 1 - start == blocks {
                    return Some(start);
                }
            } else {
                release_run(m.map, start, b - start);
                start = b + 1;
            }
            b += 1;
        }
        release_run(m.map, start, b - start);
        None
    }

    /// `blocks` new blocks of one segment, claimed. Below the high-water mark they are free to everybody who looks, so we claim them like
    /// everybody else; who comes first is no error.
    fn new_blocks(&mut self, m: Memory, blocks: u64) -> Result<u64> {
        loop {
            let first = raise_high_water(m, blocks).inspect_err(|_| self.starved = true)?;
            let taken = (first..first + blocks).take_while(|&b| self.take_new(m, b)).count() as u64;
            if taken == blocks {
                self.grown = true;
                return Ok(first);
            }
            release_run(m.map, first, taken);
        }
    }

    /// Claims block `b`, which has just come below the high-water mark. False: somebody else did.
    fn take_new(&self, m: Memory, b: u64) -> bool {
        let was = m.map.atomic_u64(descriptor(b)).load(Acquire);
        if was as u8 != BLOCK_FREE || !take_free(m.map, self.agent, b, was, BLOCK_FREE) {
            return false;
        }
        // A generation above 0 says that the block once held something: a lost version may have left it behind.
        if was >> 32 != 0 {
            zero_block(m.map, b);
        }
        true
    }

    /// Did the slab refuse to grow since the last call?
    pub(crate) fn was_starved(&mut self) -> bool {
        std::mem::take(&mut self.starved)
    }

    /// Frees an object whose header the caller has set to 0, or which it has freed by its name.
    #[inline]
    pub fn recycle(&mut self, map: &Mapping, at: u64) {
        match self.owned_class(map, at) {
            Some(class) => self.give(at, class),
            None => _ = forget(map, self.agent, at),
        }
    }

    /// Frees the object at `at`, which nobody can reach any more, if its name is still `name`, and its block still of that generation.
    #[inline]
    pub fn free_retired(&mut self, map: &Mapping, at: u64, name: u64, generation: u32) {
        let d = map.atomic_u64(descriptor(at >> BLOCK_BITS)).load(Relaxed);
        let Some(class) = self.class_in(d) else {
            self.gave |= free_foreign(map, self.agent, at, name, generation) && d as u8 == BLOCK_LARGE;
            return;
        };
        if (d >> 32) as u32 != generation {
            return;
        }
        // The next object there may have the same name if this one was never committed.
        if header_fresh(name) {
            if free_named(map.atomic_u64(at), name) {
                self.give(at, class);
            }
            return;
        }
        // Whether it has that name still is seen when the cell is used again.
        let c = &mut self.classes[class];
        c.free.push(Free { at, name });
        c.unsettled = true;
    }

    /// Puts the cells that were freed since [`Allocator::note_use`] in the order of their addresses, if they are many: objects that are made one after
    /// the other stand side by side then, where the processor fetches ahead, and not where others died one after the other.
    pub fn sort(&mut self) {
        for c in &mut self.classes {
            let new = &mut c.free[c.noted..];
            c.freed += new.len();
            if new.len() >= SORTED {
                radsort::sort_by_key(new, |f| (f.at >> PAGE_BITS) as u32);
            }
        }
    }

    /// Notes how much is in use, before much may be freed.
    pub fn note_use(&mut self) {
        for (class, c) in self.classes.iter_mut().enumerate().skip(1) {
            let used = (c.blocks.len() * class_cells(class)).saturating_sub(c.free.len());
            c.peak = used.max(c.peak - c.peak / FORGET);
            c.noted = c.free.len();
        }
    }

    /// Gives up the emptiest blocks of each class of which this agent owns many more than its objects need, and lately needed (with `all`: need now). So the
    /// objects that come gather in the fullest blocks, and the others run empty. What is kept serves the next transactions. Called between transactions.
    pub fn trim(&mut self, map: &Mapping, all: bool) {
        for class in 1..CLASSES {
            let cells = class_cells(class);
            let c = &mut self.classes[class];
            // The look at the list costs as much as the list is long.
            if !all && c.freed < c.free.len() / 2 {
                continue;
            }
            let used = (c.blocks.len() * cells).saturating_sub(c.free.len());
            let used = if all { used } else { used.max(c.peak) };
            let need = (used + used / SPARE).div_ceil(cells).max(1);
            if c.blocks.len() <= need + need / SPARE {
                continue;
            }
            c.freed = 0;
            c.settle(map);
            let mut free: HashMap<u64, usize> = c.blocks.iter().map(|&b| (b, 0)).collect();
            for f in &c.free {
                *free.entry(f.at >> BLOCK_BITS).or_default() += 1;
            }
            c.blocks.sort_by_key(|b| free[b]);
            let (kept, given) = c.blocks.split_at(need);
            let kept = kept
                .iter()
                .copied()
                .chain(given.iter().copied().filter(|&b| has_fresh(map, b, class)));
            let kept: HashSet<u64> = kept.collect();
            c.free.retain(|f| {
                let keep = kept.contains(&(f.at >> BLOCK_BITS));
                if !keep {
                    mark_free(map, f.at, class);
                }
                keep
            });
            let (kept, given) = c.blocks.iter().partition(|b| kept.contains(b));
            c.blocks = kept;
            let given: Vec<u64> = given;
            given.into_iter().for_each(|b| give_up(map, self.agent, b, class));
            (c.at, c.found, c.taken) = ((0, 0), 0, 0);
            self.gave = true;
        }
    }

    /// Lets everybody see that the cells of the private lists are free.
    pub fn settle(&mut self, map: &Mapping) {
        self.classes.iter_mut().for_each(|c| c.settle(map));
    }

    /// Has this agent given blocks up, or freed runs, since the last call?
    pub(crate) fn has_given(&mut self) -> bool {
        std::mem::take(&mut self.gave)
    }

    /// Has the slab grown for this agent since the last call that said so? Then, how many bytes it has allocated meanwhile.
    pub(crate) fn has_grown(&mut self) -> Option<u64> {
        std::mem::take(&mut self.grown).then(|| std::mem::take(&mut self.volume))
    }

    /// Gives every owned block back for others to allocate from. Called when the agent line is given up; no cell may be fresh.
    pub fn shelve_all(&mut self, map: &Mapping) {
        for class in 1..CLASSES {
            let mut c = std::mem::take(&mut self.classes[class]);
            c.settle(map);
            for f in c.free {
                mark_free(map, f.at, class);
            }
            for b in c.blocks {
                give_up(map, self.agent, b, class);
            }
        }
    }

    /// Is the cell at `at` in a block of this agent? Then its class.
    #[inline]
    pub fn owned_class(&self, map: &Mapping, at: u64) -> Option<usize> {
        self.class_in(map.atomic_u64(descriptor(at >> BLOCK_BITS)).load(Relaxed))
    }

    /// [`Allocator::owned_class`] of a block with the descriptor `d`.
    #[inline]
    fn class_in(&self, d: u64) -> Option<usize> {
        let class = (d >> 8) as u8 as usize;
        (d as u8 == BLOCK_OWNED && (d >> 16) as u16 == self.owner() && class < CLASSES).then_some(class)
    }
}

/// Gives the blocks of a run that the caller has taken disk space, those that have none. Without it a store to them would be a signal on a full disk.
fn back(m: Memory, first: u64, blocks: u64) -> Result<()> {
    let mut bare = (first..first + blocks).filter(|&b| is_unbacked(m.map, b));
    let Some(from) = bare.next() else { return Ok(()) };
    let to = bare.next_back().unwrap_or(from) + 1;
    let backed = m.file.back(from * BLOCK_SIZE, (to - from) * BLOCK_SIZE);
    backed.inspect_err(|_| release_run(m.map, first, blocks))
}

/// Is there an uncommitted object in the block?
fn has_fresh(map: &Mapping, block: u64, class: usize) -> bool {
    cells(block, class).any(|at| header_fresh(map.atomic_u64(at).load(Relaxed)))
}

fn zero_block(map: &Mapping, block: u64) {
    for i in 0..BLOCK_SIZE / 8 {
        map.atomic_u64(block * BLOCK_SIZE + i * 8).store(0, Relaxed);
    }
}

/// Raises the high-water mark over `blocks` new blocks of one segment, allocated on disk together with their descriptors. All of them, and
/// those cut off by a segment's end, are FREE then.
fn raise_high_water(m: Memory, blocks: u64) -> Result<u64> {
    if blocks > SEGMENT_BLOCKS - SEGMENT_RESERVED {
        return Err(Error::limit("an object is larger than a segment (4 GiB)"));
    }
    let high = m.map.atomic_u64(CONTROL_HIGH_WATER);
    loop {
        let was = high.load(Acquire);
        let mut first = was;
        let in_segment = |b: u64| b & (SEGMENT_BLOCKS - 1);
        if in_segment(first) + blocks > SEGMENT_BLOCKS {
            first = (first | (SEGMENT_BLOCKS - 1)) + 1;
        }
        if first >= SEGMENT_BLOCKS && in_segment(first) < SEGMENT_RESERVED {
            first += SEGMENT_RESERVED - in_segment(first);
        }
        let end = first + blocks;
        if end * BLOCK_SIZE > m.map.reserved() - SLACK {
            return Err(Error::full("the address space reserved for the slab", m.map.reserved()));
        }
        if end * BLOCK_SIZE > m.map.backed() {
            m.file.grow(end * BLOCK_SIZE)?;
        }
        // Everything below the high-water mark is allocated, its descriptors too: allocate before the mark moves.
        m.file.ensure(descriptor(first), blocks * DESCRIPTOR_SIZE)?;
        if first != was {
            m.file.ensure(descriptor(was), DESCRIPTOR_SIZE)?;
        }
        // Counted before: killed in between, we leave a count that is too high, which costs others a look. Too low, it would fall below 0.
        let free = (was..end).filter(|&b| is_block(b)).count() as u64;
        let count = m.map.atomic_u64(CONTROL_FREE_BLOCKS);
        count.fetch_add(free, Relaxed);
        if high.compare_exchange(was, end, AcqRel, Relaxed).is_ok() {
            return Ok(first);
        }
        count.fetch_sub(free, Relaxed);
    }
}
