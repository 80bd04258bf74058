//! Killed processes, forked processes, crashed machines.

use super::step_tests::check_disk;
use super::tests::{agent, commit, open, open_with, place, reading, root};
use super::{Options, SlabFile, LOCK_PARTICIPANTS};
use crate::durable::flush::Quiet;
use crate::durable::superblock::{valid, Superblock};
use crate::epoch::pin::Slot;
use crate::epoch::record::{publish, release, Content};
use crate::epoch::{group, Shared};
use crate::error::Error;
use crate::slab::alloc::Memory;
use crate::slab::free::{forget, free_named};
use crate::slab::layout::*;
use crate::sync::steps;
use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::*;

/// Runs `child_process` in a process of its own and waits until it has done its part; then it sleeps until it is killed.
fn child(role: &str, path: &Path) -> Child {
    let module = module_path!().split_once("::").unwrap().1;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::child_process"), "--nocapture"])
        .env("EVE_TEST_ROLE", role)
        .env("EVE_TEST_SLAB", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|l| l.unwrap().contains("child is ready")),
        "the child died early"
    );
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(
        child.wait().unwrap().signal(),
        Some(libc::SIGKILL),
        "the child failed before it was killed"
    );
}

/// Not a test of its own: what the other process of a test does.
#[test]
fn child_process() {
    let Ok(role) = std::env::var("EVE_TEST_ROLE") else {
        return;
    };
    let path = PathBuf::from(std::env::var("EVE_TEST_SLAB").unwrap());
    if role == "storm" {
        println!("child is ready");
        loop {
            storm(&path);
        }
    }
    let slab = open(&path).unwrap();
    let mut a = agent(&slab);
    let memory = Memory {
        map: slab.mapping(),
        file: &slab,
    };
    match role.as_str() {
        // Dies with a pin, a group, fresh and stamped objects, a half-made record and owned blocks.
        "transaction" => {
            commit(&slab, &mut a, 11);
            let base = a.pin(slab.mapping(), Slot::A);
            for birth in [FRESH | 1, base.number + 1, base.number] {
                let at = a.alloc.alloc(memory, 64, base.number).unwrap();
                slab.mapping().atomic_u64(at).store(header(I64, 0, birth), Release);
            }
            // Runs: a fresh one, one whose object has no header yet, one whose blocks are only claimed.
            let runs = [(); 3].map(|()| a.alloc.alloc(memory, 200_000, base.number).unwrap());
            slab.mapping()
                .atomic_u64(runs[0])
                .store(header(I64, 0, FRESH | 2), Release);
            for b in 0..200_000_u64.div_ceil(BLOCK_SIZE) {
                let d = slab.mapping().atomic_u64(descriptor(runs[2] / BLOCK_SIZE + b));
                d.store((a.index as u64 + 1) << 16 | BLOCK_RECLAIM as u64, Release);
            }
            a.claim_record(memory, base).unwrap();
            slab.mapping().atomic_u32(CONTROL_WAITERS).store(5, Release);
            slab.mapping().atomic_u64(CONTROL_TRACED).store(5, Release);
            let g = slab.mapping().group(3);
            g.owner.store(slab.participant() as u64 + 1, Release);
            g.hi.store(2, Release);
            g.lo.store(3, Release);
        }
        "commit" => {
            commit(&slab, &mut a, 13);
        }
        // Dies when free blocks have no disk space any more, before it has told.
        "punch" => {
            let at = a.alloc.alloc(memory, 1 << 20, 1).unwrap();
            slab.mapping().atomic_u64(at).store(header(I64, 0, 2), Release);
            assert!(free_named(slab.mapping(), at, header(I64, 0, 2)));
            forget(slab.mapping(), a.index as u16, at);
            steps::watch(|name| {
                if name == "punched" {
                    println!("child is ready");
                    std::thread::sleep(std::time::Duration::from_secs(1000));
                }
            });
            slab.punch_free(&a, 1, u64::MAX).unwrap();
        }
        "fork" => {
            // SAFETY: the child of the fork only sleeps.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                loop {
                    std::thread::sleep(std::time::Duration::from_secs(1000));
                }
            }
            let place = PARTICIPANTS + slab.participant() as u64 * PARTICIPANT_SIZE;
            slab.mapping().atomic_u32(place + 12).store(pid as u32, Release);
        }
        other => panic!("no role {other}"),
    }
    println!("child is ready");
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1000));
    }
}

/// Opens, commits some versions whose state is their own number, and closes.
fn storm(path: &Path) {
    let slab = open(path).unwrap();
    let (map, mut a) = (*slab.mapping(), agent(&slab));
    let memory = Memory { map: &map, file: &slab };
    for i in 0..30 {
        let base = a.pin(&map, Slot::A);
        assert_eq!(
            Shared::record(&map, base.record).state.load(Acquire),
            integer(base.number)
        );
        let at = a.alloc.alloc(memory, [64, 3000, 100_000][i % 3], base.number).unwrap();
        map.atomic_u64(at).store(header(I64, 0, FRESH | 1), Release);
        let record = a.claim_record(memory, base).unwrap();
        let content = Content {
            state: integer(base.number + 1),
            time: 1,
            retired: 0,
        };
        if let Some(record) = record.filter(|&r| !publish(&map, r, base, content)) {
            release(&map, record, a.index, base);
        }
        a.unpin(&map, Slot::A);
        assert!(free_named(&map, at, header(I64, 0, FRESH | 1)));
        forget(&map, a.index as u16, at);
    }
    a.release(memory);
    slab.close().unwrap();
}

fn integer(n: u64) -> u64 {
    n << 1 | 1
}

#[test]
fn a_storm_of_openings_commits_closings_and_kills_leaves_a_consistent_slab() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let mut first = agent(&slab);
    commit(&slab, &mut first, integer(2));
    first.release(Memory {
        map: slab.mapping(),
        file: &slab,
    });
    drop(slab);
    for round in 0..12 {
        let mut children: Vec<Child> = (0..3).map(|_| child("storm", &path)).collect();
        let until = root_of(&path) + 40 + round;
        while root_of(&path) < until {
            assert!(
                children.iter_mut().all(|c| c.try_wait().unwrap().is_none()),
                "a child failed"
            );
            std::thread::yield_now();
        }
        children.into_iter().for_each(kill);
    }
    let slab = open(&path).unwrap();
    let (version, state) = root(&slab);
    assert_eq!(state, integer(version));
    let map = slab.mapping();
    assert_eq!((owners(&slab), slab.participant()), (vec![], 0));
    assert!((1..PARTICIPANTS_MAX).all(|p| map.atomic_u32(PARTICIPANTS + p * PARTICIPANT_SIZE).load(Acquire) == 0));
    for b in HEADER_SIZE / BLOCK_SIZE..map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire) {
        assert_ne!(
            map.atomic_u64(descriptor(b)).load(Acquire) as u8,
            BLOCK_OWNED,
            "block {b}"
        );
    }
}

/// The current version, seen from outside.
fn root_of(path: &Path) -> u64 {
    let file = std::fs::File::open(path).unwrap();
    let word = |at: u64| {
        let mut b = [0; 8];
        file.read_exact_at(&mut b, at).unwrap();
        u64::from_le_bytes(b)
    };
    word(RECORDS + (word(CONTROL_ROOT) as u32 as u64) * RECORD_SIZE + RECORD_VERSION)
}

/// Owners of agent lines, sorted.
fn owners(slab: &SlabFile) -> Vec<u64> {
    let map = slab.mapping();
    (0..map.agents())
        .map(|i| map.agent(i).owner.load(Acquire))
        .filter(|&o| o != 0)
        .collect()
}

/// What a dead participant must not have left: pins, groups, records, objects that were never committed.
fn assert_cleared(slab: &SlabFile) {
    let map = slab.mapping();
    assert!((0..map.agents()).all(|i| map.agent(i).pins.iter().all(|p| p.load(Acquire) == 0)));
    assert!((0..map.groups())
        .all(|i| group::owner(map.group(i).owner.load(Acquire)) == 0 && map.group(i).lo.load(Acquire) == 0));
    assert!((0..map.records()).all(|i| Shared::record(map, i).meta.load(Acquire) & 3 != 1));
    let mut objects = 0;
    for b in HEADER_SIZE / BLOCK_SIZE..map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire) {
        let d = map.atomic_u64(descriptor(b)).load(Acquire);
        let gone = [BLOCK_OWNED, BLOCK_LARGE, BLOCK_TAIL, BLOCK_RECLAIM];
        assert!(!gone.contains(&(d as u8)), "block {b}: {d:x}");
        let class = (d >> 8) as u8 as usize;
        for i in 0..class_cells(class.max(1)) {
            let h = map
                .atomic_u64(b * BLOCK_SIZE + BITMAP_SIZE + (i * class_size(class.max(1))) as u64)
                .load(Acquire);
            assert!(
                h == 0 || header_birth(h) <= 2,
                "an object of birth {:#x} is left",
                header_birth(h)
            );
            objects += (h != 0) as usize;
        }
    }
    assert_eq!(objects, 1, "committed objects stay");
}

#[test]
fn a_killed_holder_frees_its_byte_and_its_things_are_cleared_by_those_who_live() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let holder = child("transaction", &path);
    assert_eq!(owners(&slab), [2]);
    assert_eq!(slab.reap().unwrap(), 0, "the holder is alive");
    assert!(crate::sys::is_locked(slab.file.as_ref().unwrap(), LOCK_PARTICIPANTS + 1, 1).unwrap());
    kill(holder);
    assert!(!crate::sys::is_locked(slab.file.as_ref().unwrap(), LOCK_PARTICIPANTS + 1, 1).unwrap());
    assert_eq!(owners(&slab), [2]);
    assert_eq!(slab.reap().unwrap(), 1);
    assert_eq!(slab.reap().unwrap(), 0);
    assert_eq!(owners(&slab), []);
    assert_cleared(&slab);
    assert_eq!(root(&slab), (2, 11));
    assert_eq!(open(&path).unwrap().participant(), 1);
}

#[test]
fn the_next_opener_clears_dead_participants_too() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    kill(child("transaction", &path));
    let next = open(&path).unwrap();
    assert_eq!(next.participant(), 1);
    assert_eq!(owners(&slab), []);
}

#[test]
fn a_slab_whose_last_holder_was_killed_is_adopted_with_its_live_root() {
    let (_dir, path) = place();
    kill(child("transaction", &path));
    let slab = open(&path).unwrap();
    assert_eq!((root(&slab), slab.participant()), ((2, 11), 0));
    assert_cleared(&slab);
    let map = slab.mapping();
    assert_eq!(map.atomic_u32(CONTROL_INCARNATION).load(Relaxed), 1);
    assert_eq!(map.atomic_u32(CONTROL_WAITERS).load(Relaxed), 0);
    assert_eq!(
        map.atomic_u64(CONTROL_DURABLE).load(Relaxed),
        2,
        "adopting makes the live root durable"
    );
    assert_eq!(
        map.atomic_u32(CONTROL_MAPS).load(Relaxed),
        crate::durable::control::MAPS_SUPERSET
    );
}

fn patch(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .write_all_at(bytes, at)
        .unwrap();
}

#[test]
fn after_another_boot_the_slab_is_recovered_to_its_last_durable_version() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let mut a = agent(&slab);
    commit(&slab, &mut a, 7);
    slab.sync(&Quiet(slab.mapping()), 2).unwrap();
    kill(child("commit", &path));
    assert_eq!(root(&slab), (3, 13));
    // No close, so nothing more becomes durable: what a crash of the machine is to the file.
    std::mem::forget(slab);
    let copy = path.with_file_name("b.slab");
    std::fs::copy(&path, &copy).unwrap();
    patch(&copy, CONTROL_BOOT_ID, &[0x5A; 16]);
    let e = open_with(&copy, &reading()).map(|s| root(&s));
    assert_eq!(e, Ok((2, 7)), "a reader sees the durable version");
    let rebuilt = RefCell::new(0);
    let again = SlabFile::open(&copy, &Options::default(), &|s| {
        *rebuilt.borrow_mut() += 1;
        assert_eq!(root(s).1, 7);
        Ok(())
    })
    .unwrap();
    let (version, state) = root(&again);
    assert_eq!((state, *rebuilt.borrow()), (7, 1));
    assert!(
        version >= 3 + (1 << 20),
        "the numbers of lost versions must not come back"
    );
    assert_eq!(again.mapping().atomic_u64(CONTROL_DURABLE).load(Relaxed), version);
    assert_eq!(again.mapping().atomic_u32(CONTROL_INCARNATION).load(Relaxed), 2);
    drop(again);
    let third = SlabFile::open(&copy, &Options::default(), &|_| panic!("nothing to rebuild")).unwrap();
    assert_eq!(root(&third), (version, 7));
}

#[test]
fn recovery_empties_the_tables_and_frees_the_blocks_of_lost_versions() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let (mut a, memory) = (
        agent(&slab),
        Memory {
            map: slab.mapping(),
            file: &slab,
        },
    );
    let kept = a.alloc.alloc(memory, 64, 1).unwrap() / BLOCK_SIZE;
    let run = a.alloc.alloc(memory, 200_000, 1).unwrap() / BLOCK_SIZE;
    commit(&slab, &mut a, 7);
    slab.sync(&Quiet(slab.mapping()), 2).unwrap();
    let lost = [
        a.alloc.alloc(memory, 5000, 2).unwrap(),
        a.alloc.alloc(memory, 300_000, 2).unwrap(),
    ]
    .map(|at| at / BLOCK_SIZE);
    kill(child("transaction", &path));
    // Lost blocks below the durable high-water mark, as if they had been free when it was written.
    let high_water = slab.mapping().atomic_u64(CONTROL_HIGH_WATER).load(Relaxed);
    let (at, best) = valid(slab.mapping(), &slab.ident().uuid)[0];
    Superblock {
        high_water,
        backed: slab.mapping().backed(),
        ..best
    }
    .store(slab.mapping(), at);
    let copy = path.with_file_name("b.slab");
    std::fs::copy(&path, &copy).unwrap();
    let again = open(&copy).unwrap();
    let map = again.mapping();
    assert_eq!(owners(&again), []);
    assert!((0..map.agents()).all(|i| map.agent(i).pins.iter().all(|p| p.load(Acquire) == 0)));
    assert!((0..map.groups()).all(|i| map.group(i).lo.load(Acquire) == 0));
    assert!((1..map.records()).all(|i| Shared::record(map, i).meta.load(Acquire) == 0));
    assert_eq!(map.atomic_u32(PARTICIPANTS + PARTICIPANT_SIZE).load(Acquire), 0);
    let state = |b: u64| map.atomic_u64(descriptor(b)).load(Acquire) as u8;
    assert_eq!(
        [state(kept), state(run), state(run + 1)],
        [BLOCK_SHELVED, BLOCK_LARGE, BLOCK_TAIL]
    );
    let is_free = |b: u64| matches!(state(b), BLOCK_FREE | BLOCK_UNBACKED);
    assert!(lost.map(is_free) == [true; 2]);
    let free = (HEADER_SIZE / BLOCK_SIZE..high_water).filter(|&b| is_free(b)).count() as u64;
    assert!(free >= 6 && map.atomic_u64(CONTROL_FREE_BLOCKS).load(Relaxed) == free);
}

#[test]
fn a_process_killed_when_it_has_given_disk_space_back_leaves_no_block_that_counts_as_having_it() {
    let (_dir, path) = place();
    drop(open(&path).unwrap());
    kill(child("punch", &path));
    let slab = open(&path).unwrap();
    let word = |at| slab.mapping().atomic_u64(at).load(Acquire);
    assert!(word(CONTROL_FREE_BLOCKS) >= 16);
    check_disk(slab.mapping(), &path, "adopted");
    let memory = Memory {
        map: slab.mapping(),
        file: &slab,
    };
    let high = word(CONTROL_HIGH_WATER);
    agent(&slab).alloc.alloc(memory, 1 << 20, 1).unwrap();
    assert_eq!(word(CONTROL_HIGH_WATER), high);
    check_disk(slab.mapping(), &path, "used again");
}

#[test]
fn a_recovery_cut_short_is_done_again() {
    let (_dir, path) = place();
    drop(open(&path).unwrap());
    patch(&path, CONTROL_BOOT_ID, &[0x5A; 16]);
    let failed = SlabFile::open(&path, &Options::default(), &|_| Err(Error::Closed));
    assert_eq!(failed.unwrap_err(), Error::Closed);
    let rebuilt = RefCell::new(false);
    let slab = SlabFile::open(&path, &Options::default(), &|_| {
        *rebuilt.borrow_mut() = true;
        Ok(())
    });
    assert_eq!(root(&slab.unwrap()).1, EMPTY_MAP);
    assert!(rebuilt.into_inner());
}

#[test]
fn a_forked_child_is_refused_and_ends_without_touching_the_slab() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    // SAFETY: the child only loads a word, drops the slab (no locks, no memory of others) and leaves at once.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let refused = slab.check_fork() == Err(Error::Forked);
        drop(slab);
        // SAFETY: ends the child without running what belongs to the test's process.
        unsafe { libc::_exit(if refused { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for our own child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child must be refused and must not crash");
    slab.check_fork().unwrap();
    assert_eq!(
        open(&path).unwrap().participant(),
        1,
        "we are still alive and hold our place"
    );
}

#[test]
fn a_forked_child_that_lives_on_does_not_keep_its_dead_parent_alive() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let holder = child("fork", &path);
    // The participant's reserved word, for people, tells us the grandchild.
    let grandchild = slab
        .mapping()
        .atomic_u32(PARTICIPANTS + PARTICIPANT_SIZE + 12)
        .load(Acquire) as i32;
    kill(holder);
    assert!(grandchild > 1 && Path::new(&format!("/proc/{grandchild}")).exists());
    let dead = slab.reap();
    // SAFETY: ends the process that the child of this test made.
    unsafe { libc::kill(grandchild, libc::SIGKILL) };
    // On an overlay, where a mapping doesn't keep a lock, the descriptor does, and the fork has inherited that.
    let kept_alive = slab.file_system() == crate::sys::FileSystem::Overlay;
    assert_eq!(dead.unwrap(), if kept_alive { 0 } else { 1 });
}

#[test]
fn a_recovered_slab_has_no_holes_that_a_full_disk_could_turn_into_signals() {
    use std::os::unix::fs::MetadataExt;
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let (mut a, memory) = (
        agent(&slab),
        Memory {
            map: slab.mapping(),
            file: &slab,
        },
    );
    a.alloc.alloc(memory, 4 << 20, 1).unwrap();
    commit(&slab, &mut a, 7);
    slab.sync(&Quiet(slab.mapping()), 2).unwrap();
    std::mem::forget(slab);
    // A copy that leaves out what is zero, as a crash can leave out what was allocated and not written.
    let copy = path.with_file_name("b.slab");
    let bytes = std::fs::read(&path).unwrap();
    let file = std::fs::File::create(&copy).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for (i, page) in bytes
        .chunks(4096)
        .enumerate()
        .filter(|(_, p)| p.iter().any(|&b| b != 0))
    {
        file.write_all_at(page, i as u64 * 4096).unwrap();
    }
    let blocks = |path: &Path| std::fs::metadata(path).unwrap().blocks() * 512;
    assert!(blocks(&copy) < 1 << 20);
    let again = open(&copy).unwrap();
    let used = again.mapping().backed() - HEADER_SIZE;
    assert!(
        used >= 4 << 20 && blocks(&copy) >= used,
        "{} of {used} bytes",
        blocks(&copy)
    );
}

#[test]
fn who_found_a_dead_participant_clears_nothing_of_the_one_that_takes_its_place_meanwhile() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    kill(child("transaction", &path));
    // While we look at the dead one, another process would clear it too, and a third take its place.
    let newcomer = std::rc::Rc::new(RefCell::new(None));
    let (place, file) = (newcomer.clone(), path.clone());
    crate::sync::steps::watch(move |name| {
        if name == "found dead" && place.borrow().is_none() {
            let slab = open(&file).unwrap();
            let mut a = agent(&slab);
            a.pin(slab.mapping(), Slot::A);
            *place.borrow_mut() = Some((slab, a));
        }
    });
    assert_eq!(slab.reap().unwrap(), 1);
    crate::sync::steps::watch(|_| {});
    let (newcomer, a) = newcomer.take().unwrap();
    let map = newcomer.mapping();
    assert_eq!(
        map.agent(a.index).owner.load(Acquire),
        newcomer.participant() as u64 + 1
    );
    assert_ne!(
        map.agent(a.index).pins[0].load(Acquire),
        0,
        "the pin of one that lives was cleared"
    );
    a.release(Memory { map, file: &newcomer });
}
