//! Frees: of cells by name, of runs, of whole blocks; and what becomes of a dead agent's blocks.
//!
//! Anyone may free a cell by its name, in anybody's block. Whole blocks come back by [`give_back`] alone.

use super::cell::{give_block, is_protected, offer, protect, take_block, unprotect, vacate};
use super::layout::*;
use super::mapping::Mapping;
use std::sync::atomic::{AtomicU64, Ordering::*};

/// A block descriptor's first word.
pub(super) fn pack(state: u8, class: u8, owner: u16, generation: u32) -> u64 {
    state as u64 | (class as u64) << 8 | (owner as u64) << 16 | (generation as u64) << 32
}

/// How an agent is written in descriptors.
pub(super) fn owner(agent: u16) -> u16 {
    agent + 1
}

fn hazard(map: &Mapping, agent: u16) -> &AtomicU64 {
    map.atomic_u64(AGENTS + agent as u64 * AGENT_SIZE + AGENT_HAZARD)
}

/// Generation of the block that `at` lies in: part of what names an object there.
pub fn generation(map: &Mapping, at: u64) -> u32 {
    (map.atomic_u64(descriptor(at >> BLOCK_BITS)).load(Acquire) >> 32) as u32
}

/// Bytes of the blocks in use, about: the count of free ones is a hint.
pub fn bytes_in_use(map: &Mapping) -> u64 {
    let blocks = map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    let free = map.atomic_u64(CONTROL_FREE_BLOCKS).load(Relaxed);
    blocks.saturating_sub(HEADER_SIZE / BLOCK_SIZE).saturating_sub(free) * BLOCK_SIZE
}

/// Bytes that the object at `at` takes.
pub fn size_of_object(map: &Mapping, at: u64) -> u64 {
    let d = map.atomic_u64(descriptor(at >> BLOCK_BITS)).load(Relaxed);
    match d as u8 {
        BLOCK_LARGE => (map.atomic_u64(descriptor(at >> BLOCK_BITS) + 8).load(Relaxed) >> 48) * BLOCK_SIZE,
        _ => class_size(((d >> 8) as u8 as usize).min(CLASSES - 1)) as u64,
    }
}

/// Frees the object at `at`, in a block that is not `agent`'s own, if its name (everything of its header but the SHARED flag) is still `name` and its block
/// still of that generation. At most one caller wins; a stale name loses.
pub fn free_foreign(map: &Mapping, agent: u16, at: u64, name: u64, generation: u32) -> bool {
    let block = at >> BLOCK_BITS;
    protect(hazard(map, agent), block);
    let freed = self::generation(map, at) == generation && free_named(map, at, name);
    let emptied = freed && forget(map, agent, at);
    unprotect(hazard(map, agent));
    if emptied {
        // Taken and given up again, it goes back for any use.
        drop(Held::take(map, agent, block));
    }
    freed
}

/// Makes a block that `agent` owns anybody's: for any use if all its cells are free and known to be. No cell may be fresh.
pub(super) fn give_up(map: &Mapping, agent: u16, block: u64, class: usize) {
    match all_offered(map, block, class) && is_empty(map, block, class) {
        true => give_back_owned(map, agent, block),
        false => shelve(map, block),
    }
}

/// Do the hints say that all cells of the block are free?
fn all_offered(map: &Mapping, block: u64, class: usize) -> bool {
    let words = class_cells(class).div_ceil(64) as u64;
    (0..words).all(|w| map.atomic_u64(block * BLOCK_SIZE + w * 8).load(Relaxed) == 0)
}

/// Frees the object at `at` if its name is still `name`. The caller knows that its block is of the generation that the name was read in, and stays so.
pub fn free_named(map: &Mapping, at: u64, name: u64) -> bool {
    super::cell::free_named(map.atomic_u64(at), name)
}

/// Lets others find a cell or run that `agent` has just freed. True: it was the last object of a shelved block, as far as the hints tell.
pub fn forget(map: &Mapping, agent: u16, at: u64) -> bool {
    let block = at >> BLOCK_BITS;
    let d = map.atomic_u64(descriptor(block)).load(Acquire);
    let class = (d >> 8) as u8 as usize;
    match d as u8 {
        BLOCK_LARGE => free_run(map, agent, block, d),
        BLOCK_OWNED | BLOCK_SHELVED if (1..CLASSES).contains(&class) => {
            mark_free(map, at, class);
            return d as u8 == BLOCK_SHELVED && all_offered(map, block, class);
        }
        _ => {}
    }
    false
}

/// Clears the hint bit of a free cell. In a damaged slab the class or the place may be impossible: then there is no bit.
pub(super) fn mark_free(map: &Mapping, at: u64, class: usize) {
    let block = at & !(BLOCK_SIZE - 1);
    if !(1..CLASSES).contains(&class) || at < block + BITMAP_SIZE {
        return;
    }
    let (word, bit) = hint(at, class);
    offer(map.atomic_u64(word), bit);
}

/// The hint of the cell at `at`: its bitmap word, and the bit in it.
fn hint(at: u64, class: usize) -> (u64, u32) {
    let block = at & !(BLOCK_SIZE - 1);
    let i = (at - block - BITMAP_SIZE) / class_size(class) as u64;
    (block + i / 64 * 8, (i % 64) as u32)
}

pub(super) fn shelve(map: &Mapping, block: u64) {
    let d = map.atomic_u64(descriptor(block));
    let was = d.load(Relaxed);
    give_block(d, pack(BLOCK_SHELVED, (was >> 8) as u8, 0, (was >> 32) as u32));
}

/// Owner in a descriptor.
const OWNER: u64 = 0xFFFF << 16;

/// Frees the run whose head had the descriptor `d`, once its object is gone: who freed the object does it, or who adopts what the owner left.
pub(super) fn free_run(map: &Mapping, agent: u16, block: u64, d: u64) {
    let mine = pack(BLOCK_FREEING, 0, owner(agent), (d >> 32) as u32);
    let head = map.atomic_u64(descriptor(block));
    // `adopt` may take the owner out meanwhile, and nothing else.
    if take_block(head, d, mine) || take_block(head, d & !OWNER, mine) {
        give_back(map, agent, block, run_length(map, block));
    }
}

/// Blocks of the run that starts at `block`. A damaged slab may tell any length: descriptors beyond the high-water mark or the segment's end aren't allocated.
fn run_length(map: &Mapping, block: u64) -> u64 {
    let run = map.atomic_u64(descriptor(block) + 8).load(Relaxed) >> 48;
    let end = map
        .atomic_u64(CONTROL_HIGH_WATER)
        .load(Acquire)
        .min((block | (SEGMENT_BLOCKS - 1)) + 1);
    run.max(1).min(end.saturating_sub(block))
}

/// Gives blocks back that the caller has set FREEING, and whose headers are all 0. If somebody is about to free by an old name in the first one, it stays
/// FREEING without an owner, and the next sweep tries again.
fn give_back(map: &Mapping, agent: u16, first: u64, blocks: u64) {
    let d = map.atomic_u64(descriptor(first));
    let generation = ((d.load(Relaxed) >> 32) as u32).wrapping_add(1);
    vacate(d, pack(BLOCK_FREEING, 0, owner(agent), generation));
    let agents = (map.atomic_u32(CONTROL_AGENTS_BACKED).load(Acquire) as u64).min(AGENTS_MAX);
    if (0..agents).any(|a| a != agent as u64 && is_protected(hazard(map, a as u16), first)) {
        return give_block(d, pack(BLOCK_FREEING, 0, 0, generation));
    }
    // From the end. Each is a run of its own before the rest is shorter: whoever goes on after our death finds it by the one or the other, and gives no
    // block back twice, as it looks at the first block first.
    let length = map.atomic_u64(descriptor(first) + 8);
    for b in (1..blocks).rev() {
        set_freeing(map, agent, first + b);
        length.store(length.load(Relaxed) & STAMP_MASK | b << 48, Release);
        release_run(map, first + b, 1);
    }
    release_run(map, first, 1);
}

/// Takes free block `b`, whose descriptor was `was`; if it is given up, or we die, it is in state `back` again. False: it isn't free, or somebody else
/// took it.
pub(super) fn take_free(map: &Mapping, agent: u16, b: u64, was: u64, back: u8) -> bool {
    let state = was as u8;
    let generation = ((was >> 32) as u32).wrapping_add(1);
    let mine = pack(BLOCK_RECLAIM, back, owner(agent), generation);
    let taken = matches!(state, BLOCK_FREE | BLOCK_UNBACKED) && take_block(map.atomic_u64(descriptor(b)), was, mine);
    if taken {
        map.atomic_u64(CONTROL_FREE_BLOCKS).fetch_sub(1, Relaxed);
        if state == BLOCK_UNBACKED {
            map.atomic_u64(CONTROL_UNBACKED).fetch_sub(1, Relaxed);
        }
    }
    taken
}

/// Is the block, which the caller has taken, without disk space?
pub(super) fn is_unbacked(map: &Mapping, b: u64) -> bool {
    (map.atomic_u64(descriptor(b)).load(Relaxed) >> 8) as u8 == BLOCK_UNBACKED
}

/// Makes `blocks` blocks that the caller holds, and in which nobody knows an object, anybody's.
pub(super) fn release_run(map: &Mapping, first: u64, blocks: u64) {
    for b in first..first + blocks {
        let d = map.atomic_u64(descriptor(b));
        let was = d.load(Relaxed);
        let unbacked = was as u8 == BLOCK_RECLAIM && is_unbacked(map, b);
        // Counted before: killed in between, we leave a count that is too high, which costs others a look. Too low, it would fall below 0.
        map.atomic_u64(CONTROL_FREE_BLOCKS).fetch_add(1, Relaxed);
        map.atomic_u64(CONTROL_UNBACKED).fetch_add(unbacked as u64, Relaxed);
        let state = if unbacked { BLOCK_UNBACKED } else { BLOCK_FREE };
        give_block(d, pack(state, 0, 0, (was >> 32) as u32));
    }
}

/// Are all cells of the block free?
pub(super) fn is_empty(map: &Mapping, block: u64, class: usize) -> bool {
    cells(block, class).all(|at| map.atomic_u64(at).load(Acquire) == 0)
}

/// Offsets of the cells of a block.
pub fn cells(block: u64, class: usize) -> impl Iterator<Item = u64> {
    (0..class_cells(class)).map(move |i| block * BLOCK_SIZE + BITMAP_SIZE + (i * class_size(class)) as u64)
}

/// Gives an empty block that `agent` owns back.
pub(super) fn give_back_owned(map: &Mapping, agent: u16, block: u64) {
    set_freeing(map, agent, block);
    give_back(map, agent, block, 1);
}

/// Makes a block that `agent` holds a run of one that is being given back: if it dies, whoever adopts its things goes on.
fn set_freeing(map: &Mapping, agent: u16, block: u64) {
    let d = map.atomic_u64(descriptor(block));
    let generation = (d.load(Relaxed) >> 32) as u32;
    let length = map.atomic_u64(descriptor(block) + 8);
    length.store(length.load(Relaxed) & STAMP_MASK | 1 << 48, Relaxed);
    give_block(d, pack(BLOCK_FREEING, 0, owner(agent), generation));
}

/// What a sweep finds at a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Cells.
    Cells {
        /// Their class.
        class: usize,
        /// The agent that owns the block.
        owner: Option<usize>,
    },
    /// One object.
    Run {
        /// Blocks that it takes.
        blocks: u64,
        /// The agent that allocated it.
        owner: Option<usize>,
    },
    /// Nothing that a sweep looks at.
    Nothing,
}

/// A sweep's hold on one block: while this lives, the block isn't given to another use.
#[derive(Debug)]
pub struct Visit<'a> {
    map: &'a Mapping,
    agent: u16,
    block: u64,
    descriptor: u64,
    /// What is there.
    pub content: Content,
}

impl<'a> Visit<'a> {
    /// Starts to look at `block`, a block below the high-water mark and not of a table.
    pub fn new(map: &'a Mapping, agent: u16, block: u64) -> Visit<'a> {
        protect(hazard(map, agent), block);
        let d = map.atomic_u64(descriptor(block)).load(Acquire);
        let class = (d >> 8) as u8 as usize;
        let owner = ((d >> 16) as u16 as usize).checked_sub(1);
        let content = match d as u8 {
            BLOCK_OWNED | BLOCK_SHELVED if (1..CLASSES).contains(&class) => Content::Cells { class, owner },
            BLOCK_LARGE => Content::Run {
                blocks: run_length(map, block),
                owner,
            },
            _ => Content::Nothing,
        };
        Visit {
            map,
            agent,
            block,
            descriptor: d,
            content,
        }
    }

    /// Was the block's descriptor `was` when the visit began?
    pub(super) fn is(&self, was: u64) -> bool {
        self.descriptor == was
    }

    /// Is it a block of cells that nobody owned when the visit began? By now somebody may have taken it and made objects in it.
    pub fn is_shelved(&self) -> bool {
        self.descriptor as u8 == BLOCK_SHELVED
    }

    /// Is it a run that nobody allocates any more? It stays so while the visit lives.
    pub fn is_lone_run(&self) -> bool {
        matches!(self.content, Content::Run { owner: None, .. })
    }

    /// Is `at` a cell of a shelved block whose hint says that it is used? If it is free, nobody finds it.
    pub fn is_hidden(&self, at: u64) -> bool {
        let Content::Cells { class, .. } = self.content else {
            return false;
        };
        let (word, bit) = hint(at, class);
        self.is_shelved() && self.map.atomic_u64(word).load(Relaxed) & 1 << bit != 0
    }

    /// Generation of the block.
    pub fn generation(&self) -> u32 {
        (self.descriptor >> 32) as u32
    }

    /// Frees the object at `at` in the block by its name.
    pub fn free(&self, at: u64, name: u64) -> bool {
        let freed = free_named(self.map, at, name);
        if freed {
            forget(self.map, self.agent, at);
        }
        freed
    }

    /// Gives the block back if nobody owns it and all its cells are free, or somebody began to and left it. Before, if `mend` is there, frees the objects
    /// of a shelved block whose headers it tells lost, and lets others find all free cells. Returns how many objects it has freed, and whether the
    /// block is free now.
    pub fn reclaim(self, mend: Option<&dyn Fn(u64, u64) -> bool>) -> (u64, bool) {
        let (map, agent, block, was) = (self.map, self.agent, self.block, self.descriptor);
        let content = self.content;
        // While the hold keeps the block what it was: without it these could be another use's bytes.
        let idle = match content {
            Content::Cells { class, .. } => {
                was as u8 == BLOCK_SHELVED && (mend.is_some() || is_empty(map, block, class))
            }
            Content::Run { owner, .. } => owner.is_none() && map.atomic_u64(block * BLOCK_SIZE).load(Acquire) == 0,
            Content::Nothing => was as u8 == BLOCK_FREEING && (was >> 16) as u16 == 0,
        };
        // Ended before the block is taken: of two sweeps that are here, the one that takes it must not wait for the other.
        drop(self);
        if !idle {
            return (0, false);
        }
        let d = map.atomic_u64(descriptor(block));
        let mine = pack(BLOCK_FREEING, 0, owner(agent), (was >> 32) as u32);
        match content {
            Content::Cells { class, .. } => {
                // Ours: nobody makes an object here, so what looks lost is. Or somebody has had the block meanwhile and shelved it again.
                let Some(held) = Held::take(map, agent, block).filter(|h| h.class == class) else {
                    return (0, false);
                };
                let freed = mend.map_or(0, |is_lost| held.mend(is_lost));
                (freed, held.is_empty())
            }
            // A run: whoever freed the object died before it gave the run back; nobody is about to fill it either. Or somebody began to give it back.
            _ => {
                let taken = take_block(d, was, mine);
                if taken {
                    give_back(map, agent, block, run_length(map, block));
                }
                (0, taken)
            }
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        unprotect(hazard(self.map, self.agent));
    }
}

/// A block that was nobody's, held by an agent until this is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    map: &'a Mapping,
    agent: u16,
    block: u64,
    class: usize,
}

impl<'a> Held<'a> {
    /// Takes `block` for `agent`, if it is a block of cells without an owner.
    pub fn take(map: &'a Mapping, agent: u16, block: u64) -> Option<Held<'a>> {
        let d = map.atomic_u64(descriptor(block));
        let was = d.load(Acquire);
        let class = (was >> 8) as u8 as usize;
        let own = pack(BLOCK_OWNED, class as u8, owner(agent), (was >> 32) as u32);
        let taken = was as u8 == BLOCK_SHELVED && (1..CLASSES).contains(&class) && take_block(d, was, own);
        // Not made before it is ours: dropped, it would give the block up.
        taken.then(|| Held {
            map,
            agent,
            block,
            class,
        })
    }

    /// Frees the objects that `is_lost` tells by place and header, and lets others find all free cells. Returns how many it has freed.
    pub fn mend(&self, is_lost: &dyn Fn(u64, u64) -> bool) -> u64 {
        mend(self.map, self.block, self.class, is_lost)
    }

    /// Bytes of a cell.
    pub fn cell(&self) -> u64 {
        class_size(self.class) as u64
    }

    /// Does it go back for any use?
    fn is_empty(&self) -> bool {
        all_offered(self.map, self.block, self.class) && is_empty(self.map, self.block, self.class)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        give_up(self.map, self.agent, self.block, self.class);
    }
}

/// Frees what a dead agent left half made in its blocks, fresh cells and cells stamped later than `current`, and shelves the blocks; frees its
/// runs that hold no committed object. Idempotent; the caller holds the dead participant's lock.
pub fn adopt(map: &Mapping, agent: u16, current: u64) {
    let high = map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
    let mut next = HEADER_SIZE / BLOCK_SIZE;
    while next < high {
        let b = next;
        next += 1;
        if !is_block(b) {
            continue;
        }
        let d = map.atomic_u64(descriptor(b)).load(Acquire);
        let dead = (d >> 16) as u16 == owner(agent);
        match d as u8 {
            BLOCK_LARGE => {
                let run = map.atomic_u64(descriptor(b) + 8).load(Relaxed) >> 48;
                next = b + run.max(1);
                if !dead {
                    continue;
                }
                let h = map.atomic_u64(b * BLOCK_SIZE).load(Acquire);
                // Without a header: not yet written. Or somebody has just freed the object, and `free_run` decides who frees the run.
                if h == 0 || is_unborn(h, current) && free_named(map, b * BLOCK_SIZE, h) {
                    free_run(map, agent, b, d);
                } else {
                    // Committed, and so nobody's: the next one who dies with this agent's number has no page of it touched.
                    take_block(map.atomic_u64(descriptor(b)), d, d & !OWNER);
                }
            }
            BLOCK_RECLAIM if dead => release_run(map, b, 1),
            BLOCK_FREEING if dead => give_back(map, agent, b, run_length(map, b)),
            BLOCK_OWNED if dead => adopt_cells(map, b, (d >> 8) as u8 as usize, current),
            _ => {}
        }
    }
}

/// Was the object with that header never committed?
fn is_unborn(header: u64, current: u64) -> bool {
    header_birth(header) > current && header_flags(header) & FLAG_IMMORTAL == 0
}

fn adopt_cells(map: &Mapping, b: u64, class: usize, current: u64) {
    if class == 0 || class >= CLASSES {
        return;
    }
    mend(map, b, class, &|_, h| is_unborn(h, current));
    shelve(map, b);
}

/// Frees the objects of a block that `is_lost` tells by place and header, and lets others find all its free cells. Returns how many it has freed. The caller
/// owns the block or its dead owner's things, and has no list of its cells.
pub fn mend(map: &Mapping, block: u64, class: usize, is_lost: &dyn Fn(u64, u64) -> bool) -> u64 {
    let mut freed = 0;
    for at in cells(block, class) {
        let h = map.atomic_u64(at).load(Acquire);
        let lost = h != 0 && is_lost(at, h) && free_named(map, at, h);
        freed += lost as u64;
        if h == 0 || lost {
            mark_free(map, at, class);
        }
    }
    freed
}

#[cfg(all(test, not(loom)))]
#[path = "free_tests.rs"]
mod tests;
