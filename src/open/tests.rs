//! Creating, opening, refusing, growing, closing.

use super::{Options, SlabFile};
use crate::durable::superblock::{valid, Superblock};
use crate::epoch::agent::Agent;
use crate::epoch::pin::{Slot, Version};
use crate::epoch::record::{publish, Content};
use crate::error::{Error, Result};
use crate::slab::alloc::{Grow, Memory};
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{symlink, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::*;
use tempfile::TempDir;

/// A folder and the name of a slab in it.
pub(super) fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.slab");
    (dir, path)
}

pub(super) fn open_with(path: &Path, options: &Options) -> Result<SlabFile> {
    SlabFile::open(path, options, &|_| Ok(()))
}

pub(super) fn open(path: &Path) -> Result<SlabFile> {
    open_with(path, &Options::default())
}

pub(super) fn reading() -> Options {
    Options {
        create: false,
        read_only: true,
        ..Options::default()
    }
}

pub(super) fn existing() -> Options {
    Options {
        create: false,
        ..Options::default()
    }
}

/// Commits `state` as the next version.
pub(super) fn commit(slab: &SlabFile, agent: &mut Agent, state: u64) -> u64 {
    let memory = Memory {
        map: slab.mapping(),
        file: slab,
    };
    let base = agent.pin(slab.mapping(), Slot::A);
    let record = agent.claim_record(memory, base).unwrap().expect("alone");
    assert!(publish(
        slab.mapping(),
        record,
        base,
        Content {
            state,
            time: 1,
            retired: 0
        }
    ));
    agent.unpin(slab.mapping(), Slot::A);
    base.number + 1
}

pub(super) fn agent(slab: &SlabFile) -> Agent {
    Agent::claim(
        Memory {
            map: slab.mapping(),
            file: slab,
        },
        slab.participant(),
    )
    .unwrap()
}

/// The current version and its state.
pub(super) fn root(slab: &SlabFile) -> (u64, u64) {
    use crate::epoch::Shared;
    let map = slab.mapping();
    let v = Version {
        number: 0,
        record: map.root().load(Acquire) as usize,
    };
    let r = Shared::record(map, v.record);
    (r.version.load(Relaxed), r.state.load(Relaxed))
}

fn integer(n: u64) -> u64 {
    n << 1 | 1
}

/// A folder for thousands of small slabs: in memory, where it can be.
pub(super) fn memory_folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    match shm.is_dir() {
        true => tempfile::tempdir_in(shm),
        false => tempfile::tempdir(),
    }
    .unwrap()
}

#[test]
fn a_new_slab_is_empty_small_private_and_opens_again() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    assert_eq!(root(&slab), (1, EMPTY_MAP));
    assert_eq!(
        (slab.mapping().backed(), slab.participant(), slab.read_only()),
        (HEADER_SIZE, 0, false)
    );
    slab.check_fork().unwrap();
    let (uuid, has_holes) = (slab.ident().uuid, slab.allocates);
    drop(slab);
    let stat = fs::metadata(&path).unwrap();
    assert_eq!((stat.len(), stat.mode() & 0o777), (HEADER_SIZE + SLACK, 0o600));
    assert!(
        !has_holes || stat.blocks() * 512 <= 256 * 1024,
        "an empty slab takes {} bytes on disk",
        stat.blocks() * 512
    );
    assert_eq!(open(&path).unwrap().ident().uuid, uuid);
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "creation left files behind");
}

#[test]
fn the_mode_asked_for_is_the_mode_of_the_file() {
    let (_dir, path) = place();
    drop(
        open_with(
            &path,
            &Options {
                mode: 0o664,
                ..Options::default()
            },
        )
        .unwrap(),
    );
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o664);
}

#[test]
fn every_opening_is_a_participant_of_its_own_and_sees_the_others_commits() {
    let (_dir, path) = place();
    let (a, b) = (open(&path).unwrap(), open(&path).unwrap());
    assert_eq!((a.participant(), b.participant()), (0, 1));
    let mut agent = agent(&a);
    assert_eq!(commit(&a, &mut agent, integer(7)), 2);
    assert_eq!(root(&b), (2, integer(7)));
    drop(b);
    assert_eq!(open(&path).unwrap().participant(), 1);
}

#[test]
fn what_was_committed_is_there_after_the_last_close_and_is_durable() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let mut a = agent(&slab);
    commit(&slab, &mut a, integer(5));
    a.release(Memory {
        map: slab.mapping(),
        file: &slab,
    });
    slab.close().unwrap();
    slab.close().unwrap();
    drop(slab);
    let slab = open(&path).unwrap();
    assert_eq!(root(&slab), (2, integer(5)));
    assert_eq!(slab.mapping().atomic_u64(CONTROL_DURABLE).load(Relaxed), 2);
}

#[test]
fn racing_creators_open_one_and_the_same_slab() {
    for _ in 0..20 {
        let (_dir, path) = place();
        let all: Vec<SlabFile> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..8).map(|_| s.spawn(|| open(&path).unwrap())).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(all.iter().all(|s| s.ident().uuid == all[0].ident().uuid));
        let mut places: Vec<u32> = all.iter().map(|s| s.participant()).collect();
        places.sort_unstable();
        assert_eq!(places, (0..8).collect::<Vec<_>>());
    }
}

#[test]
fn only_one_of_racing_exclusive_creators_wins() {
    let (_dir, path) = place();
    let options = Options {
        must_be_new: true,
        ..Options::default()
    };
    let results: Vec<Result<SlabFile>> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|_| s.spawn(|| open_with(&path, &options))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    for e in results.into_iter().filter_map(|r| r.err()) {
        assert_eq!((e.code(), e.os_error()), (-3, libc::EEXIST), "{e}");
    }
}

/// Opens `path` and returns the error, which must name the path.
fn refused(path: &Path, options: &Options) -> Error {
    let e = open_with(path, options).unwrap_err();
    assert!(
        e.to_string().contains(path.file_name().unwrap().to_str().unwrap()),
        "{e}"
    );
    e
}

#[test]
fn a_missing_file_or_folder_is_not_found() {
    let (dir, path) = place();
    assert!(matches!(refused(&path, &existing()), Error::NotFound(_)));
    assert!(matches!(refused(&path, &reading()), Error::NotFound(_)));
    let deep = dir.path().join("missing").join("a.slab");
    let e = open(&deep).unwrap_err();
    assert!(
        matches!(e, Error::NotFound(_)) && e.to_string().contains("missing does not exist"),
        "{e}"
    );
    fs::write(&path, b"x").unwrap();
    assert!(matches!(open(&path.join("below")), Err(Error::NotFound(_))));
    assert!(!dir.path().join("missing").exists());
}

#[test]
fn paths_that_cannot_be_files_are_refused() {
    for bad in ["", "a\0b", "/", ".."] {
        let e = open(Path::new(bad)).unwrap_err();
        assert!(matches!(e, Error::Arg(_) | Error::NotASlab(_)), "{bad:?}: {e}");
    }
}

#[test]
fn a_folder_a_link_a_pipe_and_other_files_are_no_slabs_and_stay_as_they_are() {
    let (dir, path) = place();
    assert!(matches!(refused(dir.path(), &Options::default()), Error::NotASlab(_)));
    let file = dir.path().join("text");
    for content in [&b""[..], b"hello", &[0; 10_000]] {
        fs::write(&file, content).unwrap();
        for options in [Options::default(), reading()] {
            assert!(matches!(refused(&file, &options), Error::NotASlab(_)));
        }
        assert_eq!(fs::read(&file).unwrap(), content);
    }
    drop(open(&path).unwrap());
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(refused(&link, &Options::default())
        .to_string()
        .contains("symbolic link"));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    symlink(&one, &two).unwrap();
    symlink(&two, &one).unwrap();
    assert!(matches!(open(&one.join("x")), Err(Error::Io(e)) if e.errno == libc::ELOOP));
    let pipe = dir.path().join("pipe");
    let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
    // SAFETY: the name ends in NUL.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    for options in [Options::default(), reading()] {
        assert!(matches!(refused(&pipe, &options), Error::NotASlab(_)));
    }
}

pub(super) fn patch(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .write_all_at(bytes, at)
        .unwrap();
}

#[test]
fn other_versions_unknown_features_and_damaged_first_pages_are_told_apart() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let ident = *slab.ident();
    drop(slab);
    let with = |ident: Ident| patch(&path, 0, &ident.encode());
    patch(&path, 8, &9u32.to_le_bytes());
    assert_eq!(open(&path).unwrap_err(), Error::Version(9));
    with(ident);
    patch(&path, 56, &[0xEE]);
    assert!(matches!(open(&path), Err(Error::Corrupt(_))));
    with(Ident { incompat: 2, ..ident });
    assert!(matches!(open(&path), Err(Error::Features(_))));
    assert!(matches!(open_with(&path, &reading()), Err(Error::Features(_))));
    with(Ident { ro_compat: 2, ..ident });
    assert!(open(&path).unwrap_err().to_string().contains("read-only"));
    assert!(open_with(&path, &reading()).unwrap().read_only());
    with(Ident { compat: 2, ..ident });
    open(&path).unwrap();
}

#[test]
fn a_truncated_slab_is_refused_wherever_it_was_cut() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let mut a = agent(&slab);
    let memory = Memory {
        map: slab.mapping(),
        file: &slab,
    };
    let at = a.alloc.alloc(memory, 64, 1).unwrap();
    commit(&slab, &mut a, at);
    a.release(memory);
    drop(slab);
    let whole = fs::read(&path).unwrap();
    let last = at / BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE;
    for (cut, is_slab) in [
        (0, false),
        (79, false),
        (80, true),
        (4096, true),
        (HEADER_SIZE - 1, true),
        (last - 1, true),
    ] {
        fs::write(&path, &whole[..cut as usize]).unwrap();
        for options in [Options::default(), reading()] {
            let e = open_with(&path, &options).unwrap_err();
            match is_slab {
                true => assert!(
                    matches!(e, Error::Corrupt(_)) && e.to_string().contains("truncated"),
                    "{cut}: {e}"
                ),
                false => assert!(matches!(e, Error::NotASlab(_)), "{cut}: {e}"),
            }
        }
    }
    // A copy cut within what is merely reserved has lost nothing.
    fs::write(&path, &whole[..last as usize]).unwrap();
    assert_eq!(root(&open(&path).unwrap()).1, at);
}

#[test]
fn with_both_superblocks_damaged_a_copy_is_corrupt_and_with_one_it_opens() {
    let (dir, path) = place();
    let slab = open(&path).unwrap();
    let mut a = agent(&slab);
    commit(&slab, &mut a, integer(3));
    a.release(Memory {
        map: slab.mapping(),
        file: &slab,
    });
    drop(slab);
    for (name, damage, opens) in [
        ("a", &[SUPERBLOCK_A][..], true),
        ("b", &[SUPERBLOCK_B][..], true),
        ("ab", &[SUPERBLOCK_A, SUPERBLOCK_B][..], false),
    ] {
        let copy = dir.path().join(name);
        fs::copy(&path, &copy).unwrap();
        damage.iter().for_each(|at| patch(&copy, at + 24, &[0xAA]));
        match opens {
            true => assert_eq!(root(&open(&copy).unwrap()).1, integer(3)),
            false => assert!(matches!(open(&copy), Err(Error::Corrupt(_)))),
        }
    }
}

/// Runs `f` in a thread whose user is nobody, if we are root: root may do everything.
fn as_nobody<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|s| {
        s.spawn(|| {
            // SAFETY: the raw call changes the user of this thread only, which ends with `f`.
            unsafe { libc::syscall(libc::SYS_setresuid, -1, 65534, -1) };
            f()
        })
        .join()
        .unwrap()
    })
}

#[test]
fn without_permission_the_error_says_what_is_possible() {
    let (dir, path) = place();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o555)).unwrap();
    assert!(matches!(as_nobody(|| open(&path)), Err(Error::Permission(_))));
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    drop(open(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    assert!(matches!(as_nobody(|| open(&path)), Err(Error::Permission(_))));
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    let e = as_nobody(|| open(&path)).unwrap_err();
    assert!(
        matches!(e, Error::Permission(_)) && e.to_string().contains("read-only"),
        "{e}"
    );
    as_nobody(|| open_with(&path, &reading()).map(drop)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_257th_participant_is_refused_with_the_limit() {
    let (_dir, path) = place();
    let options = Options {
        max_bytes: 1 << 30,
        ..Options::default()
    };
    let mut all: Vec<SlabFile> = (0..PARTICIPANTS_MAX)
        .map(|_| open_with(&path, &options).unwrap())
        .collect();
    let e = refused(&path, &options);
    assert!(matches!(e, Error::Limit(_)) && e.to_string().contains("256"), "{e}");
    all.truncate(200);
    assert_eq!(open_with(&path, &options).unwrap().participant(), 200);
}

#[test]
fn a_grown_slab_is_allocated_with_its_slack_and_other_openings_see_it() {
    let (_dir, path) = place();
    let (a, b) = (open(&path).unwrap(), open(&path).unwrap());
    a.grow(HEADER_SIZE + 10_000_000).unwrap();
    let backed = b.mapping().backed();
    assert!(backed >= HEADER_SIZE + 10_000_000 && backed % BLOCK_SIZE == 0);
    let stat = fs::metadata(&path).unwrap();
    assert_eq!(stat.len(), backed + SLACK);
    assert!(
        stat.blocks() * 512 >= backed - HEADER_SIZE,
        "the file has holes: a full disk would be a signal"
    );
    b.mapping().atomic_u64(backed - 8).store(7, Relaxed);
    assert_eq!(a.mapping().atomic_u64(backed - 8).load(Relaxed), 7);
    a.grow(HEADER_SIZE).unwrap();
    assert_eq!(a.mapping().backed(), backed, "growth never shrinks");
}

#[test]
fn threads_that_grow_at_once_lose_no_data() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    std::thread::scope(|s| {
        for t in 0..4u64 {
            let slab = &slab;
            s.spawn(move || {
                for i in 1..40 {
                    let end = HEADER_SIZE + i * (1 << 20) + t * BLOCK_SIZE + BLOCK_SIZE;
                    slab.grow(end).unwrap();
                    slab.mapping().atomic_u64(end - 8).store(end, Relaxed);
                }
            });
        }
    });
    for (t, i) in (0..4).flat_map(|t| (1..40).map(move |i| (t, i))) {
        let end = HEADER_SIZE + i * (1 << 20) + t * BLOCK_SIZE + BLOCK_SIZE;
        assert_eq!(slab.mapping().atomic_u64(end - 8).load(Relaxed), end);
    }
}

#[test]
fn growth_stops_at_the_limit_asked_for_and_changes_nothing() {
    let (_dir, path) = place();
    let limit = HEADER_SIZE + (3 << 20);
    let slab = open_with(
        &path,
        &Options {
            max_bytes: limit,
            ..Options::default()
        },
    )
    .unwrap();
    slab.grow(limit).unwrap();
    let e = slab.grow(limit + 1).unwrap_err();
    assert!(
        matches!(e, Error::Full(_)) && e.to_string().contains("max_bytes"),
        "{e}"
    );
    assert_eq!(slab.mapping().backed(), limit);
}

#[test]
fn pieces_of_tables_are_allocated_when_they_are_needed() {
    let (_dir, path) = place();
    let slab = open(&path).unwrap();
    let before = fs::metadata(&path).unwrap().blocks();
    slab.ensure(AGENTS + 64 * AGENT_SIZE, 64 * AGENT_SIZE).unwrap();
    let after = fs::metadata(&path).unwrap().blocks();
    assert!(
        after > before || !slab.allocates,
        "without ranges all of the header is there from the start"
    );
    slab.ensure(AGENTS + 64 * AGENT_SIZE, 64 * AGENT_SIZE).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().blocks(), after);
}

#[test]
fn readers_keep_writers_out_and_writers_keep_readers_out() {
    let (_dir, path) = place();
    let writer = open(&path).unwrap();
    assert!(matches!(refused(&path, &reading()), Error::Locked(_)));
    let mut a = agent(&writer);
    commit(&writer, &mut a, integer(9));
    a.release(Memory {
        map: writer.mapping(),
        file: &writer,
    });
    drop(writer);
    let (one, two) = (
        open_with(&path, &reading()).unwrap(),
        open_with(&path, &reading()).unwrap(),
    );
    assert_eq!((root(&one), root(&two)), ((2, integer(9)), (2, integer(9))));
    assert!(matches!(refused(&path, &Options::default()), Error::Locked(_)));
    drop(one);
    assert!(matches!(refused(&path, &Options::default()), Error::Locked(_)));
    drop(two);
    open(&path).unwrap();
}

#[test]
fn a_group_that_a_thread_is_closing_is_not_cleared_a_second_time_by_the_close_of_the_slab() {
    use crate::epoch::group::{group_close_all, group_index, group_open};
    use crate::epoch::Shared;
    let slab = SlabFile::anonymous(&Options::default()).unwrap();
    let map = slab.mapping();
    map.atomic_u32(CONTROL_GROUPS_BACKED).store(2, Relaxed);
    let number = group_open(map, 7).unwrap();
    let group = map.group(group_index(map, number, 7).unwrap());
    // As a thread leaves it between the first step and the last.
    let closing = group.owner.fetch_or(1 << 31, AcqRel) | 1 << 31;
    group_close_all(map, 7, false);
    assert_eq!(group.owner.load(Relaxed), closing);
    // Its thread is gone with the owner.
    group_close_all(map, 7, true);
    assert_eq!(group.owner.load(Relaxed) as u32, 0);
    assert!(group_index(map, number, 7).is_none());
}

#[test]
fn options_that_cannot_be_meant_are_refused_before_a_file_is_made() {
    let (_dir, path) = place();
    let wrong = [
        Options {
            max_bytes: 10,
            ..Options::default()
        },
        Options {
            must_be_new: true,
            read_only: true,
            ..Options::default()
        },
    ];
    for options in wrong {
        assert!(matches!(open_with(&path, &options), Err(Error::Arg(_))));
        assert!(!path.exists());
    }
}

#[test]
fn a_reader_pins_in_private_memory_and_changes_no_byte_of_the_file() {
    let (_dir, path) = place();
    drop(open(&path).unwrap());
    let before = fs::read(&path).unwrap();
    let slab = open_with(&path, &reading()).unwrap();
    let mut many: Vec<Agent> = (0..200).map(|_| agent(&slab)).collect();
    assert_eq!(many[199].pin(slab.mapping(), Slot::A).number, 1);
    let grown = slab.mapping().backed() + BLOCK_SIZE;
    slab.grow(grown).unwrap();
    slab.mapping().atomic_u64(grown - 8).store(7, Relaxed);
    assert_eq!(slab.mapping().backed(), grown, "by private memory");
    assert_eq!(
        slab.sync(&crate::durable::flush::Quiet(slab.mapping()), 1),
        Err(Error::ReadOnly)
    );
    slab.close().unwrap();
    drop(slab);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_file_renamed_over_the_slab_is_another_slab() {
    let (dir, path) = place();
    let old = open(&path).unwrap();
    let other = dir.path().join("b.slab");
    drop(open(&other).unwrap());
    fs::rename(&other, &path).unwrap();
    let new = open(&path).unwrap();
    assert_ne!(new.ident().uuid, old.ident().uuid);
    assert_eq!((new.participant(), old.participant()), (0, 0));
}

#[test]
fn an_anonymous_slab_grows_and_syncs_without_a_file() {
    let slab = SlabFile::anonymous(&Options::default()).unwrap();
    slab.grow(HEADER_SIZE + (20 << 20)).unwrap();
    let mut a = agent(&slab);
    commit(&slab, &mut a, integer(1));
    assert_eq!(slab.sync(&crate::durable::flush::Quiet(slab.mapping()), 2).unwrap(), 2);
    assert_eq!(
        crate::durable::superblock::versions(slab.mapping()),
        [1, 1],
        "and no old version is kept for it"
    );
    slab.close().unwrap();
}

#[test]
fn on_a_full_disk_creation_and_growth_are_errors_and_the_slab_stays_usable() {
    // A memory file system of 8 MiB, if we may mount one: only root may.
    let dir = tempfile::tempdir().unwrap();
    let target = std::ffi::CString::new(dir.path().to_str().unwrap()).unwrap();
    // SAFETY: all strings end in NUL.
    let mounted = unsafe {
        libc::mount(
            c"eve".as_ptr(),
            target.as_ptr(),
            c"tmpfs".as_ptr(),
            0,
            c"size=8m".as_ptr().cast(),
        )
    } == 0;
    if !mounted {
        eprintln!("skipped: mounting a small file system takes root");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let path = dir.path().join("a.slab");
        let slab = open(&path).unwrap();
        let e = slab.grow(HEADER_SIZE + (30 << 20)).unwrap_err();
        assert!(matches!(e, Error::Full(_)), "{e}");
        let mut a = agent(&slab);
        let memory = Memory {
            map: slab.mapping(),
            file: &slab,
        };
        let mut last = 0;
        let e = loop {
            match a.alloc.alloc(memory, 60_000, 1) {
                Ok(at) => {
                    (0..60_000 / 8).for_each(|i| slab.mapping().atomic_u64(at + i * 8).store(at, Relaxed));
                    last = at;
                }
                Err(e) => break e,
            }
        };
        assert!(matches!(e, Error::Full(_)) && last > HEADER_SIZE + (4 << 20), "{e}");
        let other = dir.path().join("b.slab");
        assert!(matches!(open(&other), Err(Error::Full(_))));
        assert!(!other.exists());
        commit(&slab, &mut a, integer(4));
        slab.sync(&crate::durable::flush::Quiet(slab.mapping()), 2).unwrap();
        assert_eq!(slab.mapping().atomic_u64(last).load(Relaxed), last);
    });
    // SAFETY: as above; nothing of ours is open there any more.
    unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    result.unwrap();
}

#[test]
fn an_opened_slab_is_not_clean_and_a_closed_one_is() {
    let (_dir, path) = place();
    let best = |path: &Path| {
        let mut copy = vec![0u64; (HEADER_SIZE + SLACK) as usize / 8];
        let file = File::open(path).unwrap();
        // SAFETY: a u64 array may be filled with any bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(copy.as_mut_ptr().cast::<u8>(), copy.len() * 8) };
        file.read_exact_at(bytes, 0).unwrap();
        // SAFETY: the memory lives while the mapping is used.
        let map = unsafe { crate::slab::mapping::Mapping::from_raw(copy.as_mut_ptr().cast(), copy.len() * 8) };
        let uuid: [u8; 16] = bytes_of(&copy[5..7]);
        let found: Superblock = valid(&map, &uuid)[0].1;
        found
    };
    let slab = open(&path).unwrap();
    assert!(!best(&path).clean);
    slab.close().unwrap();
    assert!(best(&path).clean);
    drop(open(&path).unwrap());
    assert!(best(&path).clean);
}

fn bytes_of(words: &[u64]) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&words[0].to_le_bytes());
    b[8..].copy_from_slice(&words[1].to_le_bytes());
    b
}

#[test]
fn a_reader_that_has_closed_keeps_no_writer_out_though_a_child_has_its_file() {
    let (_dir, path) = place();
    drop(open(&path).unwrap());
    let reading = Options {
        read_only: true,
        ..Options::default()
    };
    let reader = open_with(&path, &reading).unwrap();
    // What a child has between fork and exec: the same open file.
    let childs = reader.file.as_ref().unwrap().try_clone().unwrap();
    drop(reader);
    open(&path).unwrap();
    drop(childs);
}
