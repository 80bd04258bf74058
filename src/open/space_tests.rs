//! Disk space and memory that a slab doesn't need go back.

use super::step_tests::{check_disk, open_with};
use super::tests::place;
use super::{Options, SyncMode};
use crate::slab::layout::*;
use crate::value::build::{self, BuildBuffer};
use crate::value::{print, word};
use crate::{transact, Slab};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::*};

/// Sets the atom `atom` to a vector of `n` arrays of `bytes` bytes.
fn fill(s: &Slab, atom: i64, n: u32, bytes: usize) {
    let mut b = BuildBuffer::new();
    b.vector(n as usize, |sink, i| {
        sink.bytes(&vec![(i as u8).wrapping_add(1); bytes])
    });
    transact(s, |t| {
        let v = t.write(|w| build::value(w, &b.finish()))?;
        t.set(word::from_int(atom).unwrap(), v)
    })
    .unwrap();
}

/// Lets go what the two superblocks hold.
fn sync(s: &Slab) {
    for _ in 0..2 {
        fill(s, 9, 1, 10);
        s.sync().unwrap();
    }
}

fn on_disk(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().blocks() * 512
}

fn text(s: &Slab) -> String {
    print::to_edn(s.reader(), s.snapshot().unwrap().view().state).unwrap()
}

/// Bytes of the slab that are in memory.
fn resident(s: &Slab) -> u64 {
    let len = s.map().backed() as usize;
    let mut pages = vec![0u8; len.div_ceil(4096)];
    // SAFETY: the range is mapped while `s` lives, and `pages` has a byte for each of its pages.
    let done = unsafe { libc::mincore(s.map().base().cast(), len, pages.as_mut_ptr()) };
    assert_eq!(done, 0);
    pages.iter().filter(|&p| p & 1 != 0).count() as u64 * 4096
}

fn word_of(s: &Slab, at: u64) -> u64 {
    s.map().atomic_u64(at).load(Relaxed)
}

#[test]
fn a_collection_gives_the_disk_space_of_free_blocks_back_and_later_commits_get_it_again() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    fill(&s, 1, 100, 1000);
    sync(&s);
    // Runs, large cells, small cells.
    for bytes in [100_000, 9_000, 50] {
        fill(&s, 2, (8 << 20) / bytes as u32, bytes);
        let (full, high) = (on_disk(&path), word_of(&s, CONTROL_HIGH_WATER));
        let expected = text(&s);
        let held = s.snapshot().unwrap();
        fill(&s, 2, 1, 1);
        sync(&s);
        s.gc().unwrap();
        assert!(on_disk(&path) + (1 << 20) > full, "what a snapshot holds stays");
        check_disk(s.map(), &path, "held");
        drop(held);
        s.gc().unwrap();
        let empty = on_disk(&path);
        assert!(empty + (7 << 20) < full, "{empty} bytes of {full} are left");
        assert!(word_of(&s, CONTROL_UNBACKED) >= 7 << 4);
        check_disk(s.map(), &path, "after gc");
        fill(&s, 2, (8 << 20) / bytes as u32, bytes);
        assert!(text(&s) == expected, "the values are others");
        let now = word_of(&s, CONTROL_HIGH_WATER);
        assert!(
            now <= high + 16,
            "{now} blocks, {high} before: what was given back is used again"
        );
        check_disk(s.map(), &path, "filled again");
        fill(&s, 2, 1, 1);
        sync(&s);
        s.gc().unwrap();
    }
}

#[test]
fn the_last_close_gives_free_blocks_and_what_is_left_of_the_last_growth_back() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    fill(&s, 1, 10, 1000);
    // Not so much that it would go back in the background.
    fill(&s, 2, 200, 100_000);
    fill(&s, 2, 1, 1);
    sync(&s);
    s.reclaim();
    let (expected, full, other) = (text(&s), on_disk(&path), open_with(&path, SyncMode::None));
    s.close().unwrap();
    drop(s);
    assert_eq!(on_disk(&path), full, "somebody has it open");
    other.close().unwrap();
    drop(other);
    let empty = on_disk(&path);
    assert!(empty < 1 << 20 && full > 20 << 20, "{empty} bytes of {full} are left");
    let s = open_with(&path, SyncMode::None);
    assert!(text(&s) == expected, "the values are others");
    fill(&s, 2, 200, 100_000);
    check_disk(s.map(), &path, "filled again");
}

#[test]
fn a_close_lets_go_what_only_the_last_version_on_disk_held() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    fill(&s, 1, 10, 1000);
    fill(&s, 2, 8000, 1000);
    s.sync().unwrap();
    fill(&s, 2, 1, 1);
    let full = on_disk(&path);
    s.close().unwrap();
    drop(s);
    let left = on_disk(&path);
    assert!(left < 1 << 20 && full > 8 << 20, "{left} bytes of {full} are left");
}

#[test]
fn much_that_becomes_free_goes_back_in_the_background() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    fill(&s, 2, 20_000, 4000);
    let full = on_disk(&path);
    fill(&s, 2, 1, 1);
    sync(&s);
    s.reclaim();
    // The next transactions find it.
    for i in 0.. {
        fill(&s, 3, 300, 20);
        if on_disk(&path) < full / 2 {
            break;
        }
        assert!(i < 2000, "{} bytes of {full} are left", on_disk(&path));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    s.gc().unwrap();
    check_disk(s.map(), &path, "at the end");
}

#[test]
fn free_blocks_in_short_runs_go_back_in_the_background_too() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    // Twice what is in use, and 32 MiB, may stay.
    let atoms = 1000..3500;
    atoms.clone().for_each(|i| fill(&s, i, 1, 60_000));
    let full = on_disk(&path);
    // Nine of ten: no run of a MiB.
    for i in atoms.filter(|i| i % 10 != 0) {
        transact(&s, |t| t.remove(word::from_int(i).unwrap())).unwrap();
    }
    sync(&s);
    // The next transactions that free a block find it.
    for i in 0.. {
        fill(&s, 3, 1, 60_000);
        s.reclaim();
        if on_disk(&path) < full / 2 {
            break;
        }
        assert!(i < 2000, "{} bytes of {full} are left", on_disk(&path));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    s.gc().unwrap();
    check_disk(s.map(), &path, "at the end");
}

/// A close that gives space back holds the GATE from its first hole to the end of its sync; readers come before or after it.
#[test]
#[cfg_attr(eve_sanitize, ignore = "slow readers leave the writer hardly a moment")]
fn read_only_openers_beside_closes_that_give_space_back_see_whole_values() {
    let (_dir, path) = place();
    let s = open_with(&path, SyncMode::None);
    fill(&s, 1, 2000, 1000);
    fill(&s, 2, 1, 1);
    fill(&s, 9, 1, 10);
    let expected = text(&s);
    s.close().unwrap();
    drop(s);
    let done = AtomicBool::new(false);
    // The others have it open.
    let retry = |options: &Options| loop {
        match Slab::open(&path, options) {
            Err(crate::Error::Locked(_)) => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    let reading = Options {
        read_only: true,
        ..Options::default()
    };
    let read = || {
        let mut reads = 0;
        while !done.load(Acquire) {
            let s = retry(&reading);
            assert!(text(&s) == expected, "a reader sees other values");
            reads += 1;
            drop(s);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        reads
    };
    let write = || {
        for _ in 0..10 {
            let s = retry(&Options {
                sync: SyncMode::None,
                ..Options::default()
            });
            // The values move: what is a hole now had them before.
            fill(&s, 2, 2000, 1000);
            fill(&s, 1, 2000, 1000);
            fill(&s, 2, 1, 1);
            s.close().unwrap();
        }
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        let written = scope.spawn(write).join();
        done.store(true, Release);
        for r in readers {
            let reads: u64 = r.join().unwrap();
            assert!(reads > 0);
        }
        written.unwrap();
    });
}

#[test]
fn memory_without_a_file_goes_back_too() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    fill(&s, 1, 100, 1000);
    fill(&s, 2, 300, 100_000);
    let expected = text(&s);
    let resident = || resident(&s);
    let full = resident();
    fill(&s, 2, 1, 1);
    s.gc().unwrap();
    let left = resident();
    assert!(full > 30 << 20 && left < 8 << 20, "{left} bytes of {full} are left");
    fill(&s, 2, 300, 100_000);
    fill(&s, 9, 0, 0);
    transact(&s, |t| t.remove(word::from_int(9).unwrap())).unwrap();
    assert!(text(&s) == expected, "the values are others");
}

/// Memory that is locked can't be discarded.
#[test]
#[cfg_attr(eve_sanitize, ignore = "sanitizers make mlock do nothing")]
fn a_collection_whose_punch_fails_keeps_its_agent() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let is_free = |b: &u64| word_of(&s, descriptor(*b)) as u8 == BLOCK_FREE;
    let free = || {
        fill(&s, 2, 100, 100_000);
        fill(&s, 2, 1, 1);
        s.reclaim();
        (HEADER_SIZE / BLOCK_SIZE..word_of(&s, CONTROL_HIGH_WATER)).find(is_free)
    };
    let lines = || {
        let agents = 0..s.map().atomic_u32(CONTROL_AGENTS_BACKED).load(Relaxed) as u64;
        agents
            .filter(|a| word_of(&s, AGENTS + a * AGENT_SIZE) != 0)
            .collect::<Vec<_>>()
    };
    fill(&s, 1, 100, 1000);
    let before = lines();
    for _ in 0..5 {
        let block = free().unwrap();
        assert_eq!(lines(), before, "a line was lost, and another one taken");
        let page = s.map().base().wrapping_add((block * BLOCK_SIZE) as usize).cast();
        // SAFETY: the page is mapped while `s` lives.
        assert_eq!(unsafe { libc::mlock(page, 1) }, 0);
        s.gc().unwrap_err();
        // SAFETY: as above.
        assert_eq!(unsafe { libc::munlock(page, 1) }, 0);
    }
    let block = free().unwrap();
    s.gc().unwrap();
    assert!(!is_free(&block), "it has given its memory back");
}

#[test]
fn a_block_of_few_objects_is_given_up_and_given_back_when_they_are_gone() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let used = || word_of(&s, CONTROL_HIGH_WATER) - word_of(&s, CONTROL_FREE_BLOCKS);
    // Every hundredth object lives on, in a block of its own or nearly so.
    for i in 0..4000 {
        fill(&s, if i % 100 == 0 { i } else { 100_000 + i }, 1, 1000);
    }
    let many = used();
    for i in (0..4000).filter(|i| i % 100 != 0) {
        transact(&s, |t| t.remove(word::from_int(100_000 + i).unwrap())).unwrap();
    }
    // What lives is changed now and then, without a collection.
    for round in 0..300 {
        (0..4000).step_by(100).for_each(|i| fill(&s, i, 1, 1000 - round % 20));
    }
    assert!(
        many > 60 && used() < many / 3 + 48,
        "{} blocks of {many} are in use",
        used()
    );
}
