//! What is allocated in a slab and what is reachable: the oracle of the reclamation.

use eve::slab::layout::*;
use eve::slab::slots::slots;
use eve::Slab;
use std::collections::HashSet;
use std::sync::atomic::Ordering::*;

/// Offsets of all allocated, mortal objects of the slab.
pub fn allocated(s: &Slab) -> HashSet<u64> {
    let map = s.map();
    let high = map.atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    let mut all = HashSet::new();
    for b in HEADER_SIZE / BLOCK_SIZE..high {
        let d = map.atomic_u64(descriptor(b)).load(Relaxed);
        let cells: Vec<u64> = match d as u8 {
            BLOCK_OWNED | BLOCK_SHELVED => {
                let class = (d >> 8) as u8 as usize;
                (0..class_cells(class))
                    .map(|i| b * BLOCK_SIZE + BITMAP_SIZE + (i * class_size(class)) as u64)
                    .collect()
            }
            BLOCK_LARGE => vec![b * BLOCK_SIZE],
            _ => vec![],
        };
        for at in cells {
            let h = map.atomic_u64(at).load(Relaxed);
            if h != 0 && header_flags(h) & FLAG_IMMORTAL == 0 {
                all.insert(at);
            }
        }
    }
    all
}

/// Offsets of all mortal objects that the current version reaches.
pub fn reachable(s: &Slab) -> HashSet<u64> {
    let snap = s.snapshot().unwrap();
    let r = snap.reader();
    let mut seen = HashSet::new();
    let mut todo = vec![snap.view().state];
    while let Some(w) = todo.pop() {
        if !is_pointer(w) || !seen.insert(w) {
            continue;
        }
        let node = r.node(w).unwrap();
        assert!(!header_fresh(node.header()), "a fresh object is reachable");
        assert!(header_birth(node.header()) <= snap.view().version);
        todo.extend(slots(node).unwrap().map(|i| node.word(i)));
    }
    seen.retain(|&w| header_flags(r.node(w).unwrap().header()) & FLAG_IMMORTAL == 0);
    seen
}

/// After everything has settled: nothing is allocated that isn't reachable, but for what a SHARED flag leaves to the tracer.
pub fn assert_exact(s: &Slab) {
    s.reclaim();
    let (a, r) = (allocated(s), reachable(s));
    assert!(r.is_subset(&a), "a reachable object was freed");
    let lost: Vec<String> = a
        .difference(&r)
        .take(5)
        .map(|&at| format!("{at:x} {:x}", s.map().atomic_u64(at).load(Relaxed)))
        .collect();
    assert!(
        lost.is_empty(),
        "{} objects leaked, such as {lost:?}",
        a.len() - r.len()
    );
}
