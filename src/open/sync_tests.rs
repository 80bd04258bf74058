//! The thread in the background: when it starts, that it ends.

use super::syncer::Syncer;
use super::tests::{agent, commit, open_with, place, reading};
use super::{Options, SlabFile, SyncMode};
use crate::slab::alloc::Grow;
use crate::slab::layout::*;
use std::sync::atomic::Ordering::*;
use std::sync::Arc;
use std::time::Duration;

fn with(sync: SyncMode) -> Options {
    Options {
        sync,
        ..Options::default()
    }
}

#[test]
fn the_thread_starts_with_the_first_commit_that_needs_it_and_ends_with_the_slab() {
    let (_dir, path) = place();
    let file = Arc::new(open_with(&path, &with(SyncMode::Interval(Duration::from_millis(5)))).unwrap());
    let syncer = Syncer::new(&file);
    assert!(!syncer.is_started());
    let mut a = agent(&file);
    let version = commit(&file, &mut a, 7);
    syncer.after_commit(&file, 0);
    assert!(syncer.is_started());
    let durable = || file.mapping().atomic_u64(CONTROL_DURABLE).load(Acquire);
    while durable() < version {
        std::thread::yield_now();
    }
    assert_eq!(Arc::strong_count(&file), 2, "ours and the thread's");
    syncer.stop();
    assert!(!syncer.is_started());
    assert_eq!(Arc::strong_count(&file), 1, "the thread holds the slab no longer");
    commit(&file, &mut a, 9);
    syncer.after_commit(&file, 0);
    assert!(!syncer.is_started(), "nothing starts it again");
    syncer.stop();
    a.release(crate::slab::alloc::Memory {
        map: file.mapping(),
        file: &*file,
    });
}

#[test]
fn there_is_no_thread_where_there_is_nothing_to_write_in_the_background() {
    let (_dir, path) = place();
    let none = Arc::new(open_with(&path, &with(SyncMode::None)).unwrap());
    let commit = Arc::new(open_with(&path, &with(SyncMode::Commit)).unwrap());
    let anonymous = Arc::new(SlabFile::anonymous(&Options::default()).unwrap());
    for file in [&none, &commit, &anonymous] {
        let syncer = Syncer::new(file);
        for retired in [0, 1 << 20, 63 << 20] {
            assert!(!syncer.after_commit(file, retired));
        }
        assert!(!syncer.is_started(), "{:?}", file.options());
    }
    // What a durable version keeps can be too much without an interval as well, but not in a small slab; a slab without a file has none.
    let syncer = Syncer::new(&none);
    syncer.after_commit(&none, 65 << 20);
    assert!(!syncer.is_started());
    none.grow(HEADER_SIZE + (70 << 20)).unwrap();
    let high_water = none.mapping().atomic_u64(CONTROL_HIGH_WATER);
    high_water.store((HEADER_SIZE + (70 << 20)) / BLOCK_SIZE, Release);
    syncer.after_commit(&none, 65 << 21);
    assert!(syncer.is_started());
    syncer.stop();
    let syncer = Syncer::new(&anonymous);
    syncer.after_commit(&anonymous, 1 << 40);
    assert!(!syncer.is_started());
    drop((none, commit));
    let reader = Arc::new(open_with(&path, &reading()).unwrap());
    let syncer = Syncer::new(&reader);
    syncer.after_commit(&reader, 1 << 40);
    assert!(!syncer.is_started());
}

#[test]
fn an_interval_of_nothing_is_refused() {
    let (_dir, path) = place();
    let e = open_with(&path, &with(SyncMode::Interval(Duration::ZERO))).unwrap_err();
    assert!(e.to_string().contains("interval"), "{e}");
    assert!(!path.exists());
}
