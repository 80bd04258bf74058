//! Many threads take new blocks at once.
use eve::slab::alloc::Allocator;
use eve::{Options, Slab};
use std::sync::Barrier;

#[test]
fn no_cell_is_handed_to_two_agents() {
    const THREADS: usize = 8;
    for _ in 0..400 {
        let slab = Slab::anonymous(&Options::default()).unwrap();
        let barrier = Barrier::new(THREADS);
        let mut cells: Vec<u64> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..THREADS)
                .map(|i| {
                    let (slab, barrier) = (&slab, &barrier);
                    s.spawn(move || {
                        let mut a = Allocator::new(i as u16);
                        barrier.wait();
                        (0..24)
                            .map(|_| a.alloc(slab.memory(), 8000, 1).unwrap())
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
        });
        let n = cells.len();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), n, "cells with two owners");
    }
}

#[test]
fn cells_of_which_a_block_holds_two() {
    let slab = Slab::anonymous(&Options::default()).unwrap();
    let mut a = Allocator::new(0);
    for _ in 0..400 {
        a.alloc(slab.memory(), 32000, 1).unwrap();
    }
}
