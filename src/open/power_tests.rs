//! The machine stops at every step. A step is an access to the slab's memory or a write to disk. On disk is then any mixture, sector by sector, of
//! what the last flush has written and of the states since. Each mixture is opened as after a crash, compared with what was promised, used,
//! and crashes twice more.

use super::step_tests::{check, commit, open_with, punch, ENTRIES};
use super::SyncMode;
use crate::durable::control::FIRST_RANGES;
use crate::durable::superblock::PLACES;
use crate::slab::layout::*;
use crate::sync::steps;
use crate::sync::weakened;
use crate::Slab;
use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const SECTOR: usize = 512;

/// Synced only by hand.
fn open(path: &Path) -> Slab {
    open_with(path, SyncMode::None)
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// What is in use of a small slab's file.
#[derive(Clone, PartialEq)]
struct Image {
    len: u64,
    bytes: Vec<u8>,
}

fn ranges(len: u64) -> impl Iterator<Item = (u64, usize)> {
    let blocks = (HEADER_SIZE, len.saturating_sub(HEADER_SIZE));
    FIRST_RANGES
        .into_iter()
        .chain([blocks])
        .map(|(at, len)| (at, len as usize))
}

impl Image {
    fn read(file: &File) -> Image {
        let len = file.metadata().unwrap().len();
        let mut bytes = Vec::new();
        for (at, n) in ranges(len) {
            let from = bytes.len();
            bytes.resize(from + n, 0);
            file.read_exact_at(&mut bytes[from..], at).unwrap();
        }
        Image { len, bytes }
    }

    /// The same with the header as it is now; None: it is the same.
    fn with_header(&self, file: &File) -> Option<Image> {
        let mut header = Vec::new();
        for (at, n) in FIRST_RANGES {
            let from = header.len();
            header.resize(from + n as usize, 0);
            file.read_exact_at(&mut header[from..], at).unwrap();
        }
        (header != self.bytes[..header.len()]).then(|| {
            let mut now = self.clone();
            now.bytes[..header.len()].copy_from_slice(&header);
            now
        })
    }

    fn write(&self, path: &Path) {
        let _ = fs::remove_file(path);
        let file = File::create(path).unwrap();
        file.set_len(self.len).unwrap();
        let mut from = 0;
        for (at, n) in ranges(self.len) {
            file.write_all_at(&self.bytes[from..from + n], at).unwrap();
            from += n;
        }
    }

    /// Where the 512 bytes at `offset` of the header are.
    fn sector(offset: u64) -> std::ops::Range<usize> {
        let mut from = 0;
        for (at, n) in FIRST_RANGES {
            if (at..at + n).contains(&offset) {
                let start = from + (offset - at) as usize;
                return start..start + SECTOR;
            }
            from += n as usize;
        }
        unreachable!()
    }

    fn copy_sector(&mut self, from: &Image, offset: u64) {
        let s = Image::sector(offset);
        self.bytes[s.clone()].copy_from_slice(&from.bytes[s]);
    }
}

/// How the sectors are chosen.
#[derive(Clone, Copy, Debug)]
enum Mix {
    /// Each at random, most from one of the states.
    Random,
    /// All as flushed, but the superblocks as they are now.
    SuperblocksFirst,
    /// All as they are now, but the superblocks as flushed.
    SuperblocksLast,
}

/// What can be on disk.
struct Disk {
    /// As the last flush left it.
    flushed: Image,
    /// States since.
    later: Vec<Image>,
}

impl Disk {
    fn new(flushed: Image) -> Disk {
        Disk {
            flushed,
            later: Vec::new(),
        }
    }

    fn flush(&mut self, mut now: Image) {
        let mut old = Disk::new(self.flushed.clone());
        std::mem::swap(self, &mut old);
        if weakened("sync: superblocks with the data") {
            // They aren't written now: whatever they were may still be on disk.
            let later = old.later.into_iter().map(|mut image| {
                let superblocks = image.clone();
                image = now.clone();
                PLACES.iter().for_each(|&p| image.copy_sector(&superblocks, p));
                image
            });
            self.later = later.collect();
            self.later.push(now.clone());
            PLACES.iter().for_each(|&p| now.copy_sector(&self.flushed, p));
        }
        self.flushed = now;
    }

    fn flush_sector(&mut self, now: &Image, offset: u64) {
        self.flushed.copy_sector(now, offset);
        self.later.iter_mut().for_each(|i| i.copy_sector(now, offset));
    }

    /// A few of the states since the flush are enough, the newest among them.
    fn add(&mut self, now: Image, random: &mut Random) {
        if self.later.len() >= 4 {
            let n = self.later.len();
            self.later.swap_remove(random.next(n));
        }
        self.later.push(now);
    }

    fn mixture(&self, mix: Mix, random: &mut Random) -> Image {
        let all: Vec<&Image> = std::iter::once(&self.flushed).chain(&self.later).collect();
        let newest = all[all.len() - 1];
        let mut out = match mix {
            Mix::SuperblocksFirst => self.flushed.clone(),
            Mix::SuperblocksLast => newest.clone(),
            Mix::Random => {
                let favourite = all[random.next(all.len())];
                let long = if random.next(2) == 0 { newest } else { &self.flushed };
                let mut out = Image {
                    len: long.len,
                    bytes: vec![0; long.bytes.len()],
                };
                for (i, sector) in out.bytes.chunks_mut(SECTOR).enumerate() {
                    let from = if random.next(3) == 0 {
                        all[random.next(all.len())]
                    } else {
                        favourite
                    };
                    if let Some(bytes) = from.bytes.get(i * SECTOR..i * SECTOR + sector.len()) {
                        sector.copy_from_slice(bytes);
                    }
                }
                out
            }
        };
        for place in PLACES {
            match mix {
                Mix::SuperblocksFirst => out.copy_sector(newest, place),
                Mix::SuperblocksLast => out.copy_sector(&self.flushed, place),
                Mix::Random => {}
            }
        }
        out
    }
}

/// Is this `make torture`?
fn is_long() -> bool {
    std::env::var_os("EVE_TORTURE").is_some()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|s| s.parse().unwrap())
}

/// Opens what a crash has left, and in the long form crashes twice more; each time all that was synced must be there. Returns how many images were opened.
fn survive(dir: &Path, image: Image, least: i64, most: i64, random: &mut Random, what: &str) -> u64 {
    let (mut image, mut least, mut most) = (image, least, most);
    let crashes = if is_long() { 3 } else { 1 };
    for crash in 0..crashes {
        let path = dir.join("crashed");
        image.write(&path);
        let what = format!("{what}, crash {crash}");
        let s = open(&path);
        let n = check(&s, &what);
        assert!(
            (least..=most).contains(&n),
            "{what}: {n} commits, not {least} to {most}"
        );
        if random.next(2) == 0 {
            commit(&s).unwrap();
        }
        least = s.sync().map(|_| check(&s, &what)).unwrap();
        let mut disk = Disk::new(Image::read(&File::open(&path).unwrap()));
        for _ in 0..random.next(3) {
            commit(&s).unwrap();
            disk.add(Image::read(&File::open(&path).unwrap()), random);
        }
        most = check(&s, &what);
        image = disk.mixture(Mix::Random, random);
    }
    crashes
}

/// A life of some commits, each synced, in which the machine stops at every step.
fn live(seed: u64) -> u64 {
    let dir = super::tests::memory_folder();
    let path = dir.path().join("slab");
    let s = open(&path);
    let mut random = Random(seed);
    for _ in 0..ENTRIES as usize + random.next(20) {
        commit(&s).unwrap();
    }
    s.sync().unwrap();
    let begun = check(&s, "before");
    let (told, tried) = (Rc::new(Cell::new(begun)), Rc::new(Cell::new(begun)));
    let images = Rc::new(Cell::new(0));
    let file = File::open(&path).unwrap();
    let disk = RefCell::new(Disk::new(Image::read(&file)));
    let hook = {
        let (told, tried, images, dir) = (told.clone(), tried.clone(), images.clone(), dir.path().to_path_buf());
        let (mut last, mut changes) = (Image::read(&file), 0);
        move |name: &'static str| {
            let mut disk = disk.borrow_mut();
            let now = Image::read(&file);
            match name {
                "flushed" => disk.flush(now.clone()),
                "flushed A" => disk.flush_sector(&now, SUPERBLOCK_A),
                "flushed B" => disk.flush_sector(&now, SUPERBLOCK_B),
                _ if now == last => return,
                _ => {}
            }
            // An array of bytes is thousands of changes of no interest.
            let headers = FIRST_RANGES.iter().map(|r| r.1 as usize).sum::<usize>();
            let plain = name.is_empty() && now.bytes[..headers] == last.bytes[..headers];
            last = now.clone();
            changes += 1;
            if plain && changes % 401 != 0 && random.next(12) > 0 {
                return;
            }
            disk.add(now, &mut random);
            {
                for mix in [Mix::Random, Mix::SuperblocksFirst, Mix::SuperblocksLast] {
                    let what = format!("seed {seed}, change {changes} ({name}), {mix:?}");
                    let image = disk.mixture(mix, &mut random);
                    images.set(images.get() + survive(&dir, image, told.get(), tried.get(), &mut random, &what));
                }
            }
        }
    };
    steps::watch(hook);
    for _ in 0..3 {
        tried.set(told.get() + 1);
        let n = commit(&s).unwrap();
        s.sync().unwrap();
        told.set(n);
        punch(&s);
    }
    steps::watch(|_| {});
    images.get()
}

#[test]
#[ignore = "slow"]
fn whatever_is_on_disk_when_the_machine_stops_at_any_step_what_was_told_is_there_and_all_is_whole() {
    let wanted = number("EVE_IMAGES").unwrap_or(if is_long() { 10_000 } else { 0 });
    let first = number("EVE_SEED").unwrap_or(1);
    let (images, seed) = (AtomicU64::new(0), AtomicU64::new(first));
    // Steps are a thread's own, so lives go on beside each other.
    let threads = if wanted == 0 {
        1
    } else {
        std::thread::available_parallelism().unwrap().get()
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| loop {
                images.fetch_add(live(seed.fetch_add(1, Relaxed)), Relaxed);
                if images.load(Relaxed) >= wanted {
                    break;
                }
            });
        }
    });
    println!("{} images in {} lives", images.into_inner(), seed.into_inner() - first);
}

/// Bytes of the disk while a slab lives, as the steps of this thread go.
struct Watched {
    disk: Disk,
    last: Image,
    random: Random,
    /// Changes until the thread is killed.
    left: usize,
}

/// A sync that is killed at its `step`th change, in a slab whose disk is `w`. True: it ended before.
fn sync_killed(s: &Slab, file: &File, w: &Rc<RefCell<Watched>>, step: usize) -> bool {
    w.borrow_mut().left = step;
    let (file, shared) = (file.try_clone().unwrap(), w.clone());
    steps::watch(move |name| {
        let mut w = shared.borrow_mut();
        let w = &mut *w;
        // A sync changes nothing else, and nobody else is there.
        let changed = w.last.with_header(&file);
        if changed.is_none() && name.is_empty() {
            return;
        }
        let now = changed.unwrap_or_else(|| w.last.clone());
        match name {
            "flushed" => w.disk.flush(now.clone()),
            "flushed A" => w.disk.flush_sector(&now, SUPERBLOCK_A),
            "flushed B" => w.disk.flush_sector(&now, SUPERBLOCK_B),
            _ => {}
        }
        w.last = now.clone();
        w.disk.add(now, &mut w.random);
        w.left -= 1;
        if w.left == 0 {
            std::panic::resume_unwind(Box::new("killed"));
        }
    });
    // Unwinding gives back locks and pins, as the death of a process does, and changes nothing else.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| s.sync().unwrap())).is_ok();
    steps::watch(|_| {});
    ended
}

/// Commits `n` times without a sync, and frees what can be freed.
fn go_on(s: &Slab, file: &File, w: &Rc<RefCell<Watched>>, n: usize) {
    for _ in 0..n {
        commit(s).unwrap();
        punch(s);
        let now = Image::read(file);
        let w = &mut *w.borrow_mut();
        w.last = now.clone();
        w.disk.add(now, &mut w.random);
    }
}

#[test]
#[ignore = "slow"]
fn syncers_killed_at_any_step_leave_what_was_synced_before_whoever_goes_on_and_syncs_and_is_killed_too() {
    let dir = super::tests::memory_folder();
    let path = dir.path().join("slab");
    let mut images = 0;
    let seed = number("EVE_SEED").unwrap_or(7);
    'steps: for step in (1..).step_by(if is_long() { 1 } else { 2 }) {
        let _ = fs::remove_file(&path);
        let s = open(&path);
        for _ in 0..ENTRIES + 1 {
            commit(&s).unwrap();
        }
        s.sync().unwrap();
        let mut least = check(&s, "before");
        let file = File::open(&path).unwrap();
        let now = Image::read(&file);
        let disk = Disk::new(now.clone());
        let random = Random(step as u64 + seed);
        let w = Rc::new(RefCell::new(Watched {
            disk,
            last: now,
            random,
            left: 0,
        }));
        for second in [0, 2, 5, 9, 12, 14, 16] {
            go_on(&s, &file, &w, 2);
            if sync_killed(&s, &file, &w, step) {
                assert!(step > 15, "a sync has only {step} steps");
                break 'steps;
            }
            go_on(&s, &file, &w, 3);
            if second > 0 && sync_killed(&s, &file, &w, second) {
                least = check(&s, "synced");
            }
            go_on(&s, &file, &w, 3);
            let most = check(&s, "after");
            for mix in [Mix::Random, Mix::SuperblocksFirst, Mix::SuperblocksLast, Mix::Random] {
                let w = &mut *w.borrow_mut();
                let image = w.disk.mixture(mix, &mut w.random);
                let what = format!("killed at steps {step} and {second}, {mix:?}");
                images += survive(dir.path(), image, least, most, &mut w.random, &what);
            }
        }
    }
    println!("{images} images");
}
