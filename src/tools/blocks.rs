//! Blocks and cells as the allocation maps tell of them.

use super::findings::{FindingKind, Findings};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::sync::atomic::Ordering::*;

/// Marks on cells: a bit for every 16 bytes of the blocks that have a mark.
pub(super) struct Marks(Vec<Option<Box<[u64; MARK_WORDS]>>>);

const MARK_WORDS: usize = BLOCK_SIZE as usize / 16 / 64;

impl Marks {
    /// No marks, for blocks below `high_water`.
    pub(super) fn new(high_water: u64) -> Marks {
        Marks(vec![None; high_water as usize])
    }

    fn place(at: u64) -> (usize, usize, u64) {
        let cell = (at & (BLOCK_SIZE - 1)) as usize / 16;
        ((at >> BLOCK_BITS) as usize, cell / 64, 1 << (cell % 64))
    }

    /// Marks the object at `at`. False: it was marked.
    pub(super) fn mark(&mut self, at: u64) -> bool {
        let (block, word, bit) = Marks::place(at);
        if block >= self.0.len() {
            // The slab has grown meanwhile.
            self.0.resize(block + 1, None);
        }
        let words = self.0[block].get_or_insert_with(|| Box::new([0; MARK_WORDS]));
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        is_new
    }

    /// Is the object at `at` marked?
    pub(super) fn has(&self, at: u64) -> bool {
        let (block, word, bit) = Marks::place(at);
        matches!(self.0.get(block), Some(Some(words)) if words[word] & bit != 0)
    }
}

/// Blocks below the high-water mark.
pub(super) fn high_water(map: &Mapping) -> u64 {
    map.atomic_u64(CONTROL_HIGH_WATER)
        .load(Acquire)
        .min(map.backed() >> BLOCK_BITS)
}

/// Is this a block of objects, not of the header or of a segment's descriptor table?
pub(super) fn is_block(b: u64) -> bool {
    b >= HEADER_SIZE / BLOCK_SIZE && (b < SEGMENT_BLOCKS || b & (SEGMENT_BLOCKS - 1) >= SEGMENT_RESERVED)
}

fn state_of(map: &Mapping, block: u64) -> (u8, usize) {
    let d = map.atomic_u64(descriptor(block)).load(Acquire);
    (d as u8, (d >> 8) as u8 as usize)
}

/// The version that was current when the block was taken.
pub(super) fn stamp(map: &Mapping, block: u64) -> u64 {
    map.atomic_u64(descriptor(block) + 8).load(Relaxed) & ((1 << 48) - 1)
}

fn run_of(map: &Mapping, block: u64) -> u64 {
    map.atomic_u64(descriptor(block) + 8).load(Relaxed) >> 48
}

/// Room of the cell or run at `at`, in bytes. The error says why no object can lie there.
pub(super) fn room(map: &Mapping, high_water: u64, at: u64) -> Result<u64, &'static str> {
    let block = at >> BLOCK_BITS;
    if block >= high_water || !is_block(block) {
        return Err("an object lies outside the blocks of objects");
    }
    match state_of(map, block) {
        (BLOCK_OWNED | BLOCK_SHELVED, class) if (1..CLASSES).contains(&class) => {
            let (size, within) = (class_size(class) as u64, at & (BLOCK_SIZE - 1));
            let is_cell = within >= BITMAP_SIZE
                && (within - BITMAP_SIZE) % size == 0
                && ((within - BITMAP_SIZE) / size) < class_cells(class) as u64;
            is_cell
                .then_some(size)
                .ok_or("an object doesn't lie where a cell starts")
        }
        (BLOCK_LARGE, _) if at & (BLOCK_SIZE - 1) == 0 => length(map, high_water, block).map(|run| run * BLOCK_SIZE),
        (BLOCK_LARGE, _) => Err("an object doesn't lie at the start of its run of blocks"),
        (BLOCK_OWNED | BLOCK_SHELVED, _) => Err("a block of cells has an impossible size class"),
        (BLOCK_TAIL, _) => Err("an object lies inside a run of blocks"),
        _ => Err("an object lies in a block that is free"),
    }
}

/// Number of blocks of the run that starts at `block`.
fn length(map: &Mapping, high_water: u64, block: u64) -> Result<u64, &'static str> {
    let run = run_of(map, block);
    let end = high_water.min((block | (SEGMENT_BLOCKS - 1)) + 1);
    if run == 0 || block + run > end {
        return Err("a run of blocks has an impossible length");
    }
    Ok(run)
}

/// The same, if all its blocks say that they are of a run: takes as many steps.
fn whole_run(map: &Mapping, high_water: u64, block: u64) -> Result<u64, &'static str> {
    let run = length(map, high_water, block)?;
    if (block + 1..block + run).any(|b| state_of(map, b).0 != BLOCK_TAIL) {
        return Err("a run of blocks is cut short by another block");
    }
    Ok(run)
}

/// If the object at `at` has a run of blocks of its own, is that whole?
pub(super) fn check_run(map: &Mapping, high_water: u64, at: u64) -> Result<(), &'static str> {
    match state_of(map, at >> BLOCK_BITS).0 {
        BLOCK_LARGE => whole_run(map, high_water, at >> BLOCK_BITS).map(|_| ()),
        _ => Ok(()),
    }
}

/// One size class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCensus {
    /// Bytes of a cell.
    pub cell_bytes: u64,
    /// Blocks of the class.
    pub blocks: u64,
    /// Cells with an object.
    pub live: u64,
    /// Cells without.
    pub free: u64,
}

/// What the blocks of a slab are used for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Size classes that have blocks.
    pub classes: Vec<ClassCensus>,
    /// Objects in runs of blocks of their own.
    pub large_objects: u64,
    /// Blocks of those runs.
    pub large_blocks: u64,
    /// Free blocks.
    pub free_blocks: u64,
    /// Of these, those whose disk space has gone back.
    pub unbacked_blocks: u64,
    /// All blocks of objects below the high-water mark.
    pub blocks: u64,
    /// Objects, and the bytes of their cells or runs.
    pub objects: u64,
    /// See `objects`.
    pub bytes: u64,
}

/// Counts blocks, cells and objects. Of a slab in use it is a picture of a moment, taken while things move.
pub fn census(map: &Mapping) -> Census {
    let mut census = Census::default();
    let mut classes = [ClassCensus::default(); CLASSES];
    let high_water = high_water(map);
    for b in (0..high_water).filter(|&b| is_block(b)) {
        census.blocks += 1;
        match state_of(map, b) {
            (BLOCK_FREE, _) => census.free_blocks += 1,
            (BLOCK_UNBACKED, _) => {
                (census.free_blocks, census.unbacked_blocks) = (census.free_blocks + 1, census.unbacked_blocks + 1)
            }
            (BLOCK_OWNED | BLOCK_SHELVED, class) if (1..CLASSES).contains(&class) => {
                let c = &mut classes[class];
                let live = live_cells(map, b, class).count() as u64;
                c.cell_bytes = class_size(class) as u64;
                c.blocks += 1;
                c.live += live;
                c.free += class_cells(class) as u64 - live;
            }
            (BLOCK_LARGE, _) => {
                let run = run_of(map, b).clamp(1, high_water - b);
                census.large_blocks += run;
                if map.atomic_u64(b * BLOCK_SIZE).load(Relaxed) != 0 {
                    census.large_objects += 1;
                    census.bytes += run * BLOCK_SIZE;
                }
            }
            _ => {}
        }
    }
    census.classes = classes.into_iter().filter(|c| c.blocks > 0).collect();
    census.objects = census.large_objects + census.classes.iter().map(|c| c.live).sum::<u64>();
    census.bytes += census.classes.iter().map(|c| c.live * c.cell_bytes).sum::<u64>();
    census
}

/// Offsets and headers of the objects in a block of cells.
fn live_cells(map: &Mapping, block: u64, class: usize) -> impl Iterator<Item = (u64, u64)> + '_ {
    let cell = move |i: usize| block * BLOCK_SIZE + BITMAP_SIZE + (i * class_size(class)) as u64;
    (0..class_cells(class))
        .map(move |i| (cell(i), map.atomic_u64(cell(i)).load(Relaxed)))
        .filter(|&(_, h)| h != 0)
}

/// Calls `f` with offset, header and bytes of every object below `high_water`.
pub(super) fn objects(map: &Mapping, high_water: u64, mut f: impl FnMut(u64, u64, u64)) {
    for b in (0..high_water).filter(|&b| is_block(b)) {
        match state_of(map, b) {
            (BLOCK_OWNED | BLOCK_SHELVED, class) if (1..CLASSES).contains(&class) => {
                live_cells(map, b, class).for_each(|(at, h)| f(at, h, class_size(class) as u64))
            }
            (BLOCK_LARGE, _) => {
                let h = map.atomic_u64(b * BLOCK_SIZE).load(Relaxed);
                if h != 0 {
                    f(b * BLOCK_SIZE, h, run_of(map, b).clamp(1, high_water - b) * BLOCK_SIZE);
                }
            }
            _ => {}
        }
    }
}

/// Checks the descriptors of a slab that nobody changes: impossible states and classes, broken runs.
pub(super) fn check_descriptors(map: &Mapping, high_water: u64, findings: &mut Findings) {
    let mut b = 0;
    while b < high_water {
        let at = b * BLOCK_SIZE;
        let mut next = b + 1;
        if is_block(b) {
            let fault = match state_of(map, b) {
                (BLOCK_FREE | BLOCK_UNBACKED | BLOCK_RECLAIM, _) => None,
                (BLOCK_FREEING, _) => {
                    next = b + run_of(map, b).clamp(1, high_water - b);
                    None
                }
                (BLOCK_OWNED | BLOCK_SHELVED, class) if (1..CLASSES).contains(&class) => None,
                (BLOCK_OWNED | BLOCK_SHELVED, _) => Some("a block of cells has an impossible size class"),
                (BLOCK_LARGE, _) => match whole_run(map, high_water, b) {
                    Ok(run) => {
                        next = b + run;
                        None
                    }
                    Err(what) => Some(what),
                },
                (BLOCK_TAIL, _) => Some("a block belongs to a run that has no start"),
                _ => Some("a block has an unknown state"),
            };
            if let Some(what) = fault {
                findings.add(FindingKind::Block, what, at, String::new);
            }
        }
        b = next;
    }
}
