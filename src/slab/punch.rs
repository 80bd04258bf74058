//! Free blocks give their disk space back, and get it again before they are used.
//!
//! A block is taken like any free block, marked so that it goes on as UNBACKED whatever becomes of us, and only then punched: what is FREE has disk space.
//! Nobody stores to a free block, so nothing fills the hole: who frees by an old name in a block of another generation doesn't touch it (C4), and
//! the hints of a block are cleared only by who has just freed there.

use super::alloc::Memory;
use super::free::{release_run, take_free};
use super::layout::*;
use super::mapping::Mapping;
use crate::error::Result;
use crate::sync::{step_at, weakened};
use std::sync::atomic::Ordering::*;

/// Blocks punched by one call of the system, at most: others who touch the file may wait for it.
const AT_ONCE: u64 = 256;

/// Punches runs of at least `least` free blocks, until `most` blocks are done. Returns the number of blocks.
pub fn punch(m: Memory, agent: u16, least: u64, most: u64) -> Result<u64> {
    let high = m.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
    let word = |b: u64| m.map.atomic_u64(descriptor(b)).load(Acquire);
    let (mut b, mut done) = (HEADER_SIZE / BLOCK_SIZE, 0);
    while b < high && done < most {
        let free = (b..high).take_while(|&b| is_block(b) && word(b) as u8 == BLOCK_FREE);
        let run = free.take((most - done).min(AT_ONCE).max(least) as usize).count() as u64;
        if run < least {
            b += run + 1;
            continue;
        }
        // Killed after the block was punched, we must not leave one that counts as having disk space.
        let back = if weakened("punch: unbacked first") {
            BLOCK_FREE
        } else {
            BLOCK_UNBACKED
        };
        let take = |b: u64| take_free(m.map, agent, b, word(b), back);
        let taken = (b..b + run).take_while(|&b| take(b)).count() as u64;
        if taken > 0 {
            let punched = m.file.punch(b * BLOCK_SIZE, taken * BLOCK_SIZE);
            step_at("punched");
            release_run(m.map, b, taken);
            if !punched? {
                return Ok(done);
            }
        }
        done += taken;
        b += run.max(1);
    }
    Ok(done)
}

/// Free blocks that have disk space, about.
pub fn backed_free(map: &Mapping) -> u64 {
    let word = |at| map.atomic_u64(at).load(Relaxed);
    word(CONTROL_FREE_BLOCKS).saturating_sub(word(CONTROL_UNBACKED))
}
