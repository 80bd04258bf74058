//! Whoever is killed while it gives a run back loses no block.

use super::super::alloc::Allocator;
use super::super::test_memory::TestMemory;
use super::*;
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
