//! Recovery: from the best superblock to a usable slab, in time proportional to the number of blocks, never to that of objects.
//!
//! Nobody else has the slab open, and none can open it: the caller holds the GATE lock. A block that was taken at or after the durable
//! version holds nothing that this version reaches (an object of it is born later than its block's stamp): it is free. What lost versions
//! left in older blocks stays marked until a trace: too much is called used, never too little.

use super::control::{start, Start, FIRST_RANGES, MAPS_SUPERSET, TABLES};
use super::superblock::{valid, Superblock};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::weakened;
use crate::sys;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::*;

/// Versions skipped at a recovery: numbers of lost versions are never used again, as births and readers' memories would alias.
const SKIP: u64 = 1 << 20;
/// Free runs of so many blocks give their disk space back: a MiB, so that the calls of the system are few for the size of the slab.
const RUN: u64 = 16;
/// Numbers from here on are not believed when they come from lost versions.
const BELIEVED: u64 = FRESH >> 1;

/// What is recovered.
pub struct Recovery<'a> {
    /// The file.
    pub file: &'a File,
    /// Its mapping.
    pub map: &'a Mapping,
    /// Uuid of the slab.
    pub uuid: [u8; 16],
    /// For errors.
    pub path: &'a Path,
    /// Can the file system allocate ranges?
    pub allocates: bool,
}

impl Recovery<'_> {
    /// Recovers. The state stays RECOVERING; the caller makes it READY when all is done (D6).
    pub fn run(&self) -> Result<Superblock> {
        let found = valid(self.map, &self.uuid);
        let Some(&(_, durable)) = found.first() else {
            return Err(Error::corrupt("both superblocks are invalid", SUPERBLOCK_A));
        };
        let high_water = found.iter().map(|(_, s)| s.high_water).max().expect("not empty");
        let backed = high_water * BLOCK_SIZE;
        let len = self
            .file
            .metadata()
            .map_err(|e| Error::io("stat", self.path, &e))?
            .len();
        if len < backed {
            return Err(Error::corrupt(
                "the file was truncated: objects of its last durable version are missing",
                len,
            ));
        }
        if durable.symbol_count > SYMBOLS_MAX as u64 || backed > self.map.reserved() - SLACK {
            return Err(Error::corrupt("the superblock tells impossible sizes", SUPERBLOCK_A));
        }
        let latest = self.latest_record();
        self.map.atomic_u32(CONTROL_STATE).store(STATE_RECOVERING, Release);
        self.reset_file(high_water)
            .map_err(|e| Error::io("recover", self.path, &e))?;
        let mut from = Superblock {
            backed,
            high_water,
            incarnation: durable.incarnation.wrapping_add(1),
            ..durable
        };
        start(
            self.map,
            &Start {
                from,
                version: durable.version,
                free_blocks: 0,
                unbacked: 0,
                maps: MAPS_SUPERSET,
            },
        );
        let failed = |e| Error::io("recover", self.path, &e);
        let kept = self.keep_symbols(&mut from).map_err(failed)?;
        let (free_blocks, stamp) = self.reset_blocks(&durable, high_water, &kept);
        let unbacked = self.allocate_blocks(high_water).map_err(failed)?;
        let skip = if weakened("recover: skip versions") { 0 } else { SKIP };
        let version = durable.version.max(stamp).max(latest) + skip;
        if version >= FRESH {
            return Err(Error::corrupt("the version numbers are used up", SUPERBLOCK_A));
        }
        start(
            self.map,
            &Start {
                from,
                version,
                free_blocks,
                unbacked,
                maps: MAPS_SUPERSET,
            },
        );
        Ok(durable)
    }

    /// The latest version that the root records tell of. They may be damaged; it only serves to skip far enough.
    fn latest_record(&self) -> u64 {
        use crate::epoch::Shared;
        let versions = (0..self.map.records()).map(|i| Shared::record(self.map, i).version.load(Relaxed));
        versions.filter(|&v| v < BELIEVED).max().unwrap_or(0)
    }

    /// Empties the tables, cuts off what lost versions have added, and allocates what the slab counts on, but for the blocks.
    fn reset_file(&self, high_water: u64) -> std::io::Result<()> {
        let end = high_water * BLOCK_SIZE;
        self.file.set_len(end)?;
        for (offset, len) in TABLES {
            sys::zero_range(self.file, offset, len)?;
        }
        // Descriptors beyond the high-water mark: to the end of that segment's table, the later ones were cut off.
        let table = descriptor(high_water & !(SEGMENT_BLOCKS - 1));
        let used = descriptor(high_water) - table;
        sys::zero_range(self.file, table + used, SEGMENT_BLOCKS * DESCRIPTOR_SIZE - used)?;
        if !self.allocates {
            return sys::extend_with_zeros(self.file, end + SLACK);
        }
        let descriptors = (0..high_water).step_by(SEGMENT_BLOCKS as usize).map(|b| {
            let blocks = (high_water - b).min(SEGMENT_BLOCKS);
            (descriptor(b), blocks * DESCRIPTOR_SIZE)
        });
        for (offset, len) in FIRST_RANGES.into_iter().chain(descriptors).chain([(end, SLACK)]) {
            self.allocate(offset, len)?;
        }
        Ok(())
    }

    /// Allocates `len` bytes at `offset`: after a crash no promise of the file system holds.
    fn allocate(&self, offset: u64, len: u64) -> std::io::Result<()> {
        if len > 0 && self.allocates && !weakened("recover: allocate anew") {
            sys::allocate(self.file, offset, len)?;
        }
        Ok(())
    }

    /// Allocates all blocks but long runs of free ones, whose disk space goes back. Returns how many blocks those are.
    fn allocate_blocks(&self, high_water: u64) -> std::io::Result<u64> {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if !self.allocates {
            return Ok(0);
        }
        match self.allocate_but(RUN, high_water) {
            // Perhaps free blocks had none, and others have it now: then no free block gets any.
            Err(e) if matches!(e.kind(), StorageFull | QuotaExceeded) => self.allocate_but(1, high_water),
            done => done,
        }
    }

    /// Allocates all blocks but runs of at least `least` free ones, whose disk space goes back. Returns how many blocks those are.
    fn allocate_but(&self, least: u64, high_water: u64) -> std::io::Result<u64> {
        let state = |b: u64| self.map.atomic_u64(descriptor(b)).load(Relaxed) as u8;
        let is_free = |b: u64| is_block(b) && matches!(state(b), BLOCK_FREE | BLOCK_UNBACKED);
        let (mut unbacked, mut from, mut b) = (0, HEADER_SIZE / BLOCK_SIZE, HEADER_SIZE / BLOCK_SIZE);
        while b < high_water {
            let run = (b..high_water).take_while(|&b| is_free(b)).count() as u64;
            if run >= least {
                self.allocate(from * BLOCK_SIZE, (b - from) * BLOCK_SIZE)?;
                (b..b + run).for_each(|b| self.set_state(b, BLOCK_UNBACKED, 0, 0));
                // Where it can't be done they keep what they have: nobody relies on either.
                let _ = sys::punch(self.file, b * BLOCK_SIZE, run * BLOCK_SIZE);
                unbacked += run;
                from = b + run;
            }
            b += run.max(1);
        }
        self.allocate(from * BLOCK_SIZE, (high_water - from) * BLOCK_SIZE)?;
        Ok(unbacked)
    }

    /// Brings the symbol directory back to the durable count and returns the blocks that the table lies in. The blocks may be younger than
    /// the durable version: symbols belong to no version.
    fn keep_symbols(&self, from: &mut Superblock) -> std::io::Result<HashSet<u64>> {
        let mut kept = HashSet::new();
        if !self.is_object(from.symbols, SYMBOL_DIR, 16 + 8 * SYMBOL_CHUNKS as u64) {
            from.symbols = 0;
            from.symbol_count = 0;
            return Ok(kept);
        }
        kept.insert(from.symbols >> BLOCK_BITS);
        self.allocate(from.symbols & !(BLOCK_SIZE - 1), BLOCK_SIZE)?;
        for k in 0..SYMBOL_CHUNKS as u64 {
            let first = 64 * ((1 << k) - 1);
            let slot = self.map.atomic_u64(from.symbols + 16 + 8 * k);
            let chunk = slot.load(Relaxed);
            if first >= from.symbol_count || !self.is_object(chunk, SYMBOL_CHUNK, 16 + 8 * (64 << k)) {
                slot.store(0, Relaxed);
                continue;
            }
            kept.insert(chunk >> BLOCK_BITS);
            let in_block = chunk & (BLOCK_SIZE - 1);
            self.allocate(
                chunk - in_block,
                (in_block + 16 + 8 * (64 << k)).next_multiple_of(BLOCK_SIZE),
            )?;
            for i in 0..64 << k {
                let slot = self.map.atomic_u64(chunk + 16 + 8 * i);
                let symbol = slot.load(Relaxed);
                if (first + i < from.symbol_count || weakened("recover: symbols by count"))
                    && self.is_object(symbol, SYMBOL, 32)
                {
                    let texts = [16, 24].map(|at| self.map.atomic_u64(symbol + at).load(Relaxed));
                    kept.extend(
                        [symbol]
                            .into_iter()
                            .chain(texts)
                            .filter(|&w| self.is_object(w, 0, 16))
                            .map(|w| w >> BLOCK_BITS),
                    );
                } else if symbol != 0 {
                    slot.store(0, Relaxed);
                }
            }
        }
        Ok(kept)
    }

    /// Does `word` point to an object of that type (0: any) and size in the slab?
    fn is_object(&self, word: u64, kind: u8, size: u64) -> bool {
        is_pointer(word)
            && word >= HEADER_SIZE
            && word.saturating_add(size) <= self.map.backed()
            && matches!(header_kind(self.map.atomic_u64(word).load(Relaxed)), k if k == kind || kind == 0 && k != 0)
    }

    /// Brings all descriptors back to the durable version. Returns the number of free blocks and the latest stamp met.
    fn reset_blocks(&self, durable: &Superblock, high_water: u64, kept: &HashSet<u64>) -> (u64, u64) {
        let (mut free, mut latest) = (0, 0);
        let mut b = 0;
        while b < high_water {
            if !is_block(b) {
                b += 1;
                continue;
            }
            let at = self.map.atomic_u64(descriptor(b) + 8);
            let stamp = at.load(Relaxed) & STAMP_MASK;
            latest = latest.max(if stamp < BELIEVED { stamp } else { 0 });
            let state = self.map.atomic_u64(descriptor(b)).load(Relaxed) as u8;
            let run = if state == BLOCK_LARGE {
                self.run_length(b, at.load(Relaxed) >> 48, high_water)
            } else {
                1
            };
            let lives = (stamp < durable.version || weakened("recover: blocks by stamp") || kept.contains(&b))
                && !matches!(
                    state,
                    BLOCK_FREE | BLOCK_TAIL | BLOCK_RECLAIM | BLOCK_FREEING | BLOCK_UNBACKED
                );
            if lives {
                self.settle(b, run);
            } else {
                (b..b + run).for_each(|b| self.set_state(b, BLOCK_FREE, 0, 1));
                free += run;
            }
            b += run;
        }
        (free, latest)
    }

    /// Blocks of the run that starts at `b`: what its head says, but not beyond the blocks that agree. A torn head may tell of an older run,
    /// whose blocks hold other things since.
    fn run_length(&self, b: u64, claimed: u64, high_water: u64) -> u64 {
        let is_tail = |b: &u64| self.map.atomic_u64(descriptor(*b)).load(Relaxed) as u8 == BLOCK_TAIL;
        let end = (b + claimed.max(1)).min(high_water).min((b | (SEGMENT_BLOCKS - 1)) + 1);
        1 + (b + 1..end).take_while(is_tail).count() as u64
    }

    /// Gives a block that lives back to nobody.
    fn settle(&self, b: u64, run: u64) {
        let d = self.map.atomic_u64(descriptor(b)).load(Relaxed);
        let class = (d >> 8) as u8;
        let (state, has_class) = (d as u8, class > 0 && (class as usize) < CLASSES);
        if matches!(state, BLOCK_OWNED | BLOCK_SHELVED) && has_class {
            return self.set_state(b, BLOCK_SHELVED, class, 0);
        }
        // A run; or a descriptor that makes no sense: its block is kept from use as a run that nobody frees.
        self.set_state(b, BLOCK_LARGE, 0, 0);
        let at = self.map.atomic_u64(descriptor(b) + 8);
        at.store(at.load(Relaxed) & STAMP_MASK | run << 48, Relaxed);
    }

    fn set_state(&self, b: u64, state: u8, class: u8, generations: u32) {
        let d = self.map.atomic_u64(descriptor(b));
        let generation = ((d.load(Relaxed) >> 32) as u32).wrapping_add(generations);
        d.store(state as u64 | (class as u64) << 8 | (generation as u64) << 32, Relaxed);
    }
}
