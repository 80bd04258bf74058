//! Whoever is killed while it gives a run back loses no block; blocks without disk space keep nobody from others.

use super::super::alloc::{Allocator, Grow, Memory};
use super::super::punch::punch;
use super::super::test_memory::TestMemory;
use super::*;
use crate::error::{Error, Result};
use crate::sync::steps;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

const BLOCKS: u64 = 4;

#[test]
fn a_run_given_back_by_one_who_is_killed_at_any_step_is_free_once_its_things_are_adopted() {
    let mut step = 0;
    loop {
        let memory = TestMemory::new();
        let m = memory.memory();
        let at = Allocator::new(0).alloc(m, (BLOCKS * BLOCK_SIZE) as usize, 1).unwrap();
        let high = m.map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
        let mut left = step;
        steps::watch(move |_| {
            if left == 0 {
                resume_unwind(Box::new("killed"));
            }
            left -= 1;
        });
        let ended = catch_unwind(AssertUnwindSafe(|| forget(m.map, 0, at))).is_ok();
        steps::watch(|_| {});
        adopt(m.map, 0, 1);
        let first = at / BLOCK_SIZE;
        for b in first..first + BLOCKS {
            let state = m.map.atomic_u64(descriptor(b)).load(Relaxed) as u8;
            assert_eq!(state, BLOCK_FREE, "block {b} after {step} steps");
        }
        assert!(m.map.atomic_u64(CONTROL_FREE_BLOCKS).load(Relaxed) >= BLOCKS);
        assert_eq!(m.map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed), high);
        if ended {
            break;
        }
        step += 1;
    }
    assert!(step > 20, "giving a run back has only {step} steps");
}

#[test]
fn a_block_that_was_not_given_back_because_somebody_looked_at_it_is_taken_by_who_looks_for_one() {
    let memory = TestMemory::new();
    let m = memory.memory();
    m.map.atomic_u32(CONTROL_AGENTS_BACKED).store(2, Relaxed);
    let at = Allocator::new(0).alloc(m, BLOCK_SIZE as usize, 1).unwrap();
    let looks = Visit::new(m.map, 1, at / BLOCK_SIZE);
    forget(m.map, 0, at);
    drop(looks);
    let d = m.map.atomic_u64(descriptor(at / BLOCK_SIZE)).load(Relaxed);
    assert_eq!((d as u8, (d >> 16) as u16), (BLOCK_FREEING, 0));
    let mut alloc = Allocator::new(0);
    let blocks: Vec<u64> = (0..40)
        .map(|_| alloc.alloc(m, CELL_MAX, 1).unwrap() / BLOCK_SIZE)
        .collect();
    assert!(blocks.contains(&(at / BLOCK_SIZE)), "{blocks:?}");
}

/// A disk that has no room left beyond what the slab has allocated.
struct FullDisk(TestMemory);

impl Grow for FullDisk {
    fn grow(&self, backed: u64) -> Result<()> {
        self.0.grow(backed)
    }

    fn ensure(&self, _offset: u64, _len: u64) -> Result<()> {
        Ok(())
    }

    fn back(&self, _offset: u64, _len: u64) -> Result<()> {
        Err(Error::full("a full disk", 0))
    }

    fn punch(&self, _offset: u64, _len: u64) -> Result<bool> {
        Ok(true)
    }
}

#[test]
fn on_a_full_disk_what_the_slab_has_grown_ahead_is_used_though_other_blocks_have_no_space() {
    let limit = HEADER_SIZE + 8 * BLOCK_SIZE;
    let disk = FullDisk(TestMemory::with_limit(limit));
    let m = Memory {
        map: disk.0.memory().map,
        file: &disk,
    };
    let mut a = Allocator::new(0);
    let at = a.alloc(m, 4 * BLOCK_SIZE as usize, 1).unwrap();
    forget(m.map, 0, at);
    assert_eq!(punch(m, 0, 1, u64::MAX).unwrap(), 4);
    let end = at + 4 * BLOCK_SIZE;
    assert!(a.alloc(m, 2 * BLOCK_SIZE as usize, 1).unwrap() >= end, "a run");
    assert!(a.alloc(m, 64, 1).unwrap() >= end, "a cell");
    assert!(!a.was_starved());
    assert!(matches!(a.alloc(m, 2 * BLOCK_SIZE as usize, 1), Err(Error::Full(_))));
    assert!(a.was_starved());
    let word = |at| m.map.atomic_u64(at).load(Relaxed);
    assert_eq!((word(CONTROL_FREE_BLOCKS), word(CONTROL_UNBACKED)), (4, 4));
}
