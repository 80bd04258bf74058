//! verify, backup and compact: sound slabs have no findings, each kind of damage is found, copies hold what they must.
#![cfg(unix)]

use eve::coll::{self, map, vector};
use eve::durable::superblock::{self, PLACES};
use eve::slab::layout::*;
use eve::tools::{self, backup, compact, quiet, FindingKind, Report};
use eve::value::build::{self, BuildBuffer};
use eve::value::{equal, hash_word, print, word};
use eve::{transact, Options, Outcome, Slab, SyncMode, Txn};
use std::collections::BTreeSet;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::*};

#[allow(dead_code, reason = "other tests use the rest")]
mod support;

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Stops the writers, also when a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn options(read_only: bool) -> Options {
    Options {
        read_only,
        ..Options::default()
    }
}

fn kw(s: &Slab, name: &str) -> u64 {
    s.intern(0, None, name.as_bytes()).unwrap()
}

fn int(i: i64) -> u64 {
    word::from_int(i).unwrap()
}

fn set_built(s: &Slab, atom: &str, buffer: &[u8]) {
    let atom = kw(s, atom);
    transact(s, |t| {
        let value = t.write(|w| build::value(w, buffer))?;
        t.set(atom, value)
    })
    .unwrap();
}

fn get(s: &Slab, atom: &str) -> u64 {
    let name = kw(s, atom);
    let snap = s.snapshot().unwrap();
    coll::get(snap.reader(), snap.view().state, name).unwrap().unwrap()
}

fn verify(s: &Slab) -> Report {
    tools::verify(s, &mut quiet).unwrap()
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.counts.keys().copied().collect()
}

#[track_caller]
fn assert_sound(s: &Slab) -> Report {
    let report = verify(s);
    assert!(
        report.findings.is_empty(),
        "{:?}",
        &report.findings.list[..report.findings.list.len().min(5)]
    );
    report
}

/// A map of `n` entries, each a vector of a long text, a keyword and a double.
fn entries(n: i64) -> Vec<u8> {
    let mut b = BuildBuffer::new();
    let mut head = vec![build::op::MAP];
    head.extend((n as u32).to_le_bytes());
    for i in 0..n {
        b.int(i).vector(3, |b, j| match j {
            0 => b.string(&format!("a text that is no immediate {i}")),
            1 => b.keyword(Some("of"), &format!("key{}", i % 50)),
            _ => b.double(1e300 * i as f64),
        });
    }
    head.extend(b.finish());
    head
}

/// Everything that the conformance vectors have, as build buffers.
fn vectors() -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors/cases.tsv");
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let hex = |s: &str| {
        let digits = s.as_bytes().chunks(2);
        digits
            .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
            .collect()
    };
    text.split_terminator('\n')
        .map(|line| line.splitn(5, '\t').collect::<Vec<_>>())
        .map(|f| (format!("{}/{}", f[0], f[1]), hex(f[2])))
        .collect()
}

/// Commits `n` random changes: growth, deletion, parts of one atom put into another, removed atoms.
fn change(s: &Slab, random: &mut Random, n: usize) {
    let atoms = ["one", "two", "three"].map(|a| kw(s, a));
    for _ in 0..n {
        let (a, b) = (atoms[random.next(3) as usize], atoms[random.next(3) as usize]);
        let (k, what) = (random.next(400) as i64, random.next(10));
        transact(s, |t| {
            let m = t.get(a)?.filter(|&m| is_pointer(m)).unwrap_or(EMPTY_MAP);
            let other = t.get(b)?.unwrap_or(NIL);
            let new = t.write(|w| {
                let key = int(k);
                let hash = hash_word(w.reader(), key)?;
                let old = map::get(w.reader(), m, key, hash)?;
                let value = match what {
                    0..=2 => return map::dissoc(w, 0, m, key, hash),
                    // A part of another atom, which has two parents then.
                    3 => match coll::get(w.reader(), other, key)? {
                        Some(v) => v,
                        None => int(1),
                    },
                    4 => eve::value::text::make(w, format!("a text that is no immediate {k}").as_bytes())?,
                    5 => map::with_meta(w, EMPTY_MAP, EMPTY_MAP)?,
                    _ => {
                        let is_vector = |v: u64| is_pointer(v) && w.reader().node(v).is_ok_and(|n| n.kind() == VECTOR);
                        let v = old.filter(|&v| is_vector(v)).unwrap_or(EMPTY_VECTOR);
                        let mut v = vector::conj(w, 0, v, old.unwrap_or(NIL))?;
                        for i in 0..what * 9 {
                            v = vector::conj(w, 0, v, int(i as i64))?;
                        }
                        v
                    }
                };
                map::assoc(w, 0, m, key, hash, value)
            })?;
            // The old value nests deeper and deeper; the limit is far.
            t.set(a, new)
        })
        .unwrap();
    }
}

#[test]
fn sound_slabs_have_no_findings_and_what_is_allocated_is_reachable() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    assert_sound(&s);
    for (name, buffer) in vectors() {
        set_built(&s, &name, &buffer);
    }
    set_built(&s, "large", &BuildBuffer::new().string(&"x".repeat(200_000)).finish());
    set_built(&s, "table", &entries(3000));
    let report = assert_sound(&s);
    assert!(report.symbols > 150 && report.reachable_objects > 1000);
    let mut random = Random(7);
    for _ in 0..20 {
        change(&s, &mut random, 50);
        assert_sound(&s);
    }
    s.reclaim();
    let report = assert_sound(&s);
    let (allocated, reachable) = (support::allocated(&s), support::reachable(&s));
    assert_eq!(report.unreachable_objects as usize, allocated.len() - reachable.len());
    assert_eq!(
        report.allocated_objects,
        report.reachable_objects + report.unreachable_objects
    );
}

#[test]
fn a_slab_is_verified_while_others_write_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let s = Slab::open(&folder.path().join("s"), &Options::default()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (s, stop) = (&s, &stop);
            scope.spawn(move || {
                let mut random = Random(seed);
                while !stop.load(Relaxed) {
                    change(s, &mut random, 20);
                    let _ = s.intern(0, None, format!("new{}", random.next(5000)).as_bytes());
                    if random.next(10) == 0 {
                        s.sync().unwrap();
                    }
                }
            });
        }
        let _stop = Stop(&stop);
        while s.version().unwrap() < 100 {
            std::thread::yield_now();
        }
        for _ in 0..60 {
            assert_sound(&s);
        }
    });
}

/// A slab with one of everything that the damages below need, and where to damage it.
struct Sample {
    slab: Slab,
    _folder: tempfile::TempDir,
}

impl Sample {
    fn new() -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let slab = Slab::open(&folder.path().join("s"), &Options::default()).unwrap();
        set_built(&slab, "map", &entries(300));
        let vector = BuildBuffer::new().vector(1100, |b, i| b.int(i as i64)).finish();
        set_built(&slab, "vector", &vector);
        set_built(
            &slab,
            "text",
            &BuildBuffer::new().string("a text of some length").finish(),
        );
        set_built(&slab, "double", &BuildBuffer::new().double(1e300).finish());
        set_built(
            &slab,
            "large",
            &BuildBuffer::new().string(&"y".repeat(200_000)).finish(),
        );
        set_built(
            &slab,
            "small",
            &BuildBuffer::new()
                .map(2, |b, i| b.int(i as i64).vector(1, |b, _| b.int(7)))
                .finish(),
        );
        set_built(
            &slab,
            "list",
            &BuildBuffer::new().list(5, |b, i| b.int(i as i64)).finish(),
        );
        set_built(
            &slab,
            "name",
            &BuildBuffer::new().keyword(Some("space"), "name").finish(),
        );
        let (shared, text) = (kw(&slab, "shared"), get(&slab, "text"));
        transact(&slab, |t| {
            t.get(kw(&slab, "text"))?;
            t.set(shared, text)
        })
        .unwrap();
        assert_sound(&slab);
        Sample { slab, _folder: folder }
    }

    fn word(&self, at: u64) -> u64 {
        self.slab.map().atomic_u64(at).load(Relaxed)
    }

    fn set(&self, at: u64, word: u64) {
        self.slab.map().atomic_u64(at).store(word, Relaxed);
    }

    fn flip(&self, at: u64, bits: u64) {
        self.set(at, self.word(at) ^ bits);
    }

    fn atom(&self, name: &str) -> u64 {
        get(&self.slab, name)
    }

    /// Descriptor of the block of the atom's value.
    fn block(&self, atom: &str) -> u64 {
        descriptor(self.atom(atom) >> BLOCK_BITS)
    }

    fn tail(&self) -> u64 {
        self.word(self.atom("vector") + 24)
    }

    /// The first chunk of the symbol table.
    fn chunk(&self) -> u64 {
        self.word(self.word(CONTROL_SYMBOLS) + 16)
    }

    /// Root of the trie of the map.
    fn root(&self) -> u64 {
        self.word(self.atom("map") + 16)
    }
}

/// Damages a sample and gives the kinds of what is found.
fn found(damage: impl FnOnce(&Sample)) -> Vec<FindingKind> {
    let sample = Sample::new();
    damage(&sample);
    let report = verify(&sample.slab);
    let kinds = kinds(&report);
    for f in &report.findings.list {
        assert!(f.path.len() < 1000 && !f.what.is_empty());
    }
    kinds
}

/// Kind of what must be found, what the damage is, and how it is done.
type Damage = (FindingKind, &'static str, fn(&Sample));

/// Damages of superblocks, pointers, headers and allocation maps.
fn damages_of_structure() -> Vec<Damage> {
    use FindingKind::*;
    const BIRTH: u64 = 1 << 16;
    vec![
        (Superblock, "later than the slab", |s| {
            let valid = superblock::Superblock::load(s.slab.map(), PLACES[0]).unwrap();
            let version = valid.version + 1000;
            superblock::Superblock { version, ..valid }.store(s.slab.map(), PLACES[0]);
        }),
        (Superblock, "none valid", |s| {
            PLACES.iter().for_each(|&p| s.flip(p + 40, 1))
        }),
        (Bounds, "pointer", |s| s.set(s.atom("vector") + 24, 1 << 45)),
        (Bounds, "part of the symbol table", |s| {
            s.set(s.word(CONTROL_SYMBOLS) + 16, 1 << 45)
        }),
        (Type, "tail", |s| s.set(s.atom("vector") + 24, s.atom("text"))),
        (Type, "kind of an object", |s| s.flip(s.atom("vector"), 0x80)),
        (Type, "impossible word", |s| s.set(s.atom("list") + 16, 0x24)),
        (Flags, "uncommitted", |s| {
            s.flip(s.atom("list"), (FLAG_SEEN as u64) << 8)
        }),
        (Flags, "immortal", |s| {
            s.flip(s.atom("list"), (FLAG_IMMORTAL as u64) << 8)
        }),
        (Flags, "of a text", |s| {
            s.flip(s.atom("text"), (FLAG_QUESTION as u64) << 8)
        }),
        (Birth, "later", |s| {
            s.set(s.atom("list"), s.word(s.atom("list")) + 100 * BIRTH)
        }),
        (Birth, "fresh", |s| s.flip(s.atom("list"), 1 << 63)),
        (Birth, "block taken later", |s| s.set(s.block("list") + 8, 1 << 30)),
        (Block, "class", |s| s.flip(s.block("list"), 0x300)),
        (Block, "free block", |s| s.set(s.block("list"), 0)),
        (Block, "run cut short", |s| s.set(s.block("large") + 16, 0)),
        (Block, "no cell", |s| s.flip(s.atom("vector") + 24, 16)),
        (Block, "text longer than its cell", |s| {
            s.flip(s.atom("text") + 8, 1 << 50)
        }),
        (Free, "header", |s| s.set(s.atom("list"), 0)),
        (Shared, "flag", |s| s.flip(s.atom("text"), (FLAG_SHARED as u64) << 8)),
        (Cycle, "element is its own vector", |s| {
            s.set(s.tail() + 16, s.atom("vector"))
        }),
        (Cycle, "marked shared", |s| {
            s.set(s.tail() + 16, s.atom("vector"));
            s.flip(s.atom("vector"), (FLAG_SHARED as u64) << 8);
        }),
    ]
}

/// Damages of what objects hold.
fn damages_of_content() -> Vec<Damage> {
    use FindingKind::*;
    vec![
        (Symbol, "number of a keyword", |s| {
            s.set(s.atom("small") + 32, s.atom("name") ^ 0x7000)
        }),
        (Symbol, "entry", |s| s.set(s.chunk() + 16, s.word(s.chunk() + 24))),
        (Hash, "of a symbol", |s| s.flip(s.word(s.chunk() + 16) + 8, 1)),
        (Hash, "of a text", |s| s.flip(s.atom("text") + 8, 1)),
        (Hash, "of a collection", |s| s.flip(s.atom("list") + 8, 5 << 32)),
        (Count, "of a map", |s| {
            s.set(s.atom("map") + 8, s.word(s.atom("map") + 8) + 1)
        }),
        (Count, "of a vector", |s| s.flip(s.atom("vector") + 8, 1)),
        (Count, "of a list", |s| s.flip(s.atom("list") + 8, 1)),
        (Count, "of an array map", |s| s.flip(s.atom("small") + 8, 16)),
        (Form, "a double that fits a word", |s| {
            s.set(s.atom("double") + 8, 1.5f64.to_bits())
        }),
        (Form, "entry and child at one place", |s| {
            let maps = s.word(s.root() + 8);
            s.set(s.root() + 8, maps | maps >> 32);
        }),
        (Form, "height of a vector", |s| s.flip(s.atom("vector") + 8, 15 << 32)),
        (Form, "text that isn't UTF-8", |s| s.flip(s.atom("text") + 16, 0x80)),
        (Order, "children exchanged", |s| {
            let (a, b) = (s.word(s.root() + 16), s.word(s.root() + 24));
            s.set(s.root() + 16, b);
            s.set(s.root() + 24, a);
        }),
        (Order, "a key twice", |s| {
            s.set(s.atom("small") + 40, s.word(s.atom("small") + 24))
        }),
    ]
}

#[test]
fn each_kind_of_damage_is_found() {
    // Checksums: see the test of backups.
    let mut met = BTreeSet::from([FindingKind::Checksum]);
    for (kind, what, damage) in damages_of_structure().into_iter().chain(damages_of_content()) {
        let found = found(damage);
        assert!(found.contains(&kind), "{kind:?}, {what}: found {found:?}");
        met.insert(kind);
    }
    assert_eq!(met.into_iter().collect::<Vec<_>>(), FindingKind::ALL);
}

#[test]
fn a_finding_tells_the_way_to_it() {
    let sample = Sample::new();
    let leaf = sample.word(sample.atom("vector") + 24);
    // Element 1090 of the vector; the tail begins at 1088.
    sample.set(leaf + 16 + 8 * 2, 0x24);
    let head = sample.atom("small");
    let inner = sample.word(head + 24 + 8);
    sample.set(sample.word(inner + 24) + 16, 0x2C);
    let report = verify(&sample.slab);
    let mut paths: Vec<_> = report.findings.list.iter().map(|f| f.path.as_str()).collect();
    paths.sort();
    assert_eq!(paths, [":small [0 0]", ":vector [1090]"]);
}

fn copy_with(from: &Path, to: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(from).unwrap();
    change(&mut bytes);
    std::fs::write(to, bytes).unwrap();
}

#[test]
fn random_damage_of_a_file_never_crashes_or_hangs_and_is_mostly_found() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    let s = Slab::open(&good, &Options::default()).unwrap();
    for (name, buffer) in vectors() {
        set_built(&s, &name, &buffer);
    }
    set_built(&s, "map", &entries(200));
    change(&s, &mut Random(3), 300);
    s.close().unwrap();
    drop(s);
    let bytes = std::fs::read(&good).unwrap();
    let used = bytes.iter().rposition(|&b| b != 0).unwrap() as u64;
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    // More of them: EVE_ROUNDS, with another EVE_SEED.
    let (seed, rounds) = (number("EVE_SEED").unwrap_or(11), number("EVE_ROUNDS").unwrap_or(300));
    let (mut random, mut noticed) = (Random(seed), 0);
    for round in 0..rounds {
        copy_with(&good, &bad, |bytes| {
            for _ in 0..1 + random.next(20) {
                // Headers and tables, or objects.
                let at = match random.next(4) {
                    0 => DESCRIPTORS + random.next(4096),
                    1 => [SUPERBLOCK_A, SUPERBLOCK_B][random.next(2) as usize] + random.next(512),
                    _ => HEADER_SIZE + random.next(used - HEADER_SIZE),
                };
                bytes[at as usize] ^= 1 << random.next(8);
            }
        });
        let read_only = round % 2 == 0;
        match Slab::open(&bad, &options(read_only)) {
            Err(_) => noticed += 1,
            Ok(s) => noticed += tools::verify(&s, &mut quiet).map_or(1, |r| !r.findings.is_empty() as u64),
        }
        std::fs::remove_file(&bad).unwrap();
    }
    assert!(noticed > rounds / 2, "{noticed} of {rounds} were noticed");
}

/// The value of a counter, and a vector of as many elements: what one commit of the writer below makes.
fn model(s: &Slab) -> i64 {
    let names = ["count", "all"].map(|n| kw(s, n));
    let snap = s.snapshot().unwrap();
    let (r, state) = (snap.reader(), snap.view().state);
    let n = word::int(coll::get(r, state, names[0]).unwrap().unwrap()).unwrap();
    let all = coll::get(r, state, names[1]).unwrap().unwrap();
    assert_eq!(coll::count(r, all).unwrap() as i64, n);
    for i in 0..n {
        let text = vector::nth(r, all, i as usize).unwrap().unwrap();
        let expected = format!("\"the text of element {i}\"");
        assert_eq!(print::to_edn(r, text).unwrap(), expected);
    }
    n
}

fn push(s: &Slab) -> u64 {
    let names = ["count", "all"].map(|n| kw(s, n));
    let (_, view) = transact(s, |t| {
        let all = t.get(names[1])?.unwrap_or(EMPTY_VECTOR);
        let n = t.get(names[0])?.and_then(word::int).unwrap_or(0);
        let new = t.write(|w| {
            let text = eve::value::text::make(w, format!("the text of element {n}").as_bytes())?;
            vector::conj(w, 0, all, text)
        })?;
        t.set(names[0], int(n + 1))?;
        t.set(names[1], new)
    })
    .unwrap();
    view.version
}

#[test]
fn a_backup_under_load_holds_exactly_its_version_and_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let s = Slab::open(&file("s"), &Options::default()).unwrap();
    let first = push(&s);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                push(&s);
                // Not so fast that checking what it makes takes ever longer.
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        scope.spawn(|| {
            let mut random = Random(5);
            let noise = Slab::open(&file("s"), &Options::default()).unwrap();
            let atom = kw(&noise, "noise");
            while !stop.load(Relaxed) {
                let buffer = entries(random.next(200) as i64);
                transact(&noise, |t| {
                    let v = t.write(|w| build::value(w, &buffer))?;
                    t.set(atom, v)
                })
                .unwrap();
                let _ = noise.intern(0, None, format!("k{}", random.next(3000)).as_bytes());
            }
        });
        let _stop = Stop(&stop);
        for i in 0..12 {
            let path = file(&format!("b{i}"));
            let report = backup(&s, &path, &mut quiet).unwrap();
            assert!(report.version >= first);
            let copy = Slab::open(&path, &options(true)).unwrap();
            assert_eq!(copy.snapshot().unwrap().view().version, report.version);
            assert_eq!(copy.ident().uuid, report.uuid);
            assert_ne!(copy.ident().uuid, s.ident().uuid);
            let sums = assert_sound(&copy).checksums.unwrap();
            assert_eq!(sums, (report.bytes - 24 - 8 * sums).div_ceil(BLOCK_SIZE));
            let n = model(&copy);
            drop(copy);
            // Open for writing it is recovered, and goes on from that version.
            let copy = Slab::open(&path, &Options::default()).unwrap();
            assert_eq!(model(&copy), n);
            push(&copy);
            assert_eq!(model(&copy), n + 1);
            assert_eq!(assert_sound(&copy).checksums, None);
            copy.close().unwrap();
            drop(copy);
            // What was written since then has no checksums.
            let copy = Slab::open(&path, &options(true)).unwrap();
            assert_eq!(model(&copy), n + 1);
            assert_eq!(assert_sound(&copy).checksums, None);
        }
    });
    model(&s);
}

#[test]
fn a_backup_never_touches_a_file_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let s = Slab::open(&file("s"), &Options::default()).unwrap();
    push(&s);
    std::fs::write(file("there"), "precious").unwrap();
    for made in [
        backup(&s, &file("there"), &mut quiet).map(|_| ()),
        compact(&s, &file("there"), &mut quiet).map(|_| ()),
        backup(&s, &file("s"), &mut quiet).map(|_| ()),
    ] {
        let e = made.unwrap_err();
        assert!(e.to_string().contains("exists already"), "{e}");
    }
    assert_eq!(std::fs::read(file("there")).unwrap(), b"precious");
    let missing = backup(&s, &file("no/such/folder"), &mut quiet).unwrap_err();
    assert!(matches!(missing, eve::Error::NotFound(_)), "{missing}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left behind"
    );
}

#[test]
fn every_flipped_bit_of_a_backup_is_found_by_its_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let s = Slab::anonymous(&Options::default()).unwrap();
    for _ in 0..200 {
        push(&s);
    }
    backup(&s, &file("b"), &mut quiet).unwrap();
    let len = std::fs::metadata(file("b")).unwrap().len();
    let handle = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(file("b"))
        .unwrap();
    let mut random = Random(1);
    for round in 0..200 {
        // The last eight bytes tell that there are checksums at all.
        let at = match round % 4 {
            0 => len - 9 - random.next(60),
            _ => HEADER_SIZE + random.next(len - 8 - HEADER_SIZE),
        };
        let mut byte = [0];
        handle.read_exact_at(&mut byte, at).unwrap();
        handle.write_all_at(&[byte[0] ^ 1 << random.next(8)], at).unwrap();
        let copy = Slab::open(&file("b"), &options(true)).unwrap();
        let report = verify(&copy);
        assert!(
            kinds(&report).contains(&FindingKind::Checksum),
            "byte {at:#x} of {len:#x}"
        );
        handle.write_all_at(&byte, at).unwrap();
    }
    assert_sound(&Slab::open(&file("b"), &options(true)).unwrap());
}

/// All values of all atoms are equal, and so is their text but for the order of maps and sets.
fn assert_equal(a: &Slab, b: &Slab) {
    let scratch = Slab::anonymous(&Options::default()).unwrap();
    let mut txn = Txn::begin(&scratch, None).unwrap();
    let words = [a, b].map(|s| {
        let snap = s.snapshot().unwrap();
        let word = txn
            .write(|w| eve::value::copy::import_slab(w, snap.reader(), snap.view().state))
            .unwrap();
        drop(snap);
        word
    });
    assert!(txn.write(|w| equal(w.reader(), words[0], words[1])).unwrap());
}

#[test]
fn a_compact_copy_is_equal_smaller_sound_and_shares_what_was_shared() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    // No syncer: a version it had made durable would be alive beside the last one, and be counted.
    let unsynced = Options {
        sync: SyncMode::None,
        ..Options::default()
    };
    let s = Slab::open(&file("s"), &unsynced).unwrap();
    for (name, buffer) in vectors().into_iter().filter(|(name, _)| !name.contains("nan")) {
        set_built(&s, &name, &buffer);
    }
    // Atoms enough for several transactions of the copy.
    for i in 0..600 {
        set_built(
            &s,
            &format!("atom{i}"),
            &BuildBuffer::new().vector(3, |b, j| b.int(i * 3 + j as i64)).finish(),
        );
    }
    set_built(&s, "large", &entries(20_000));
    set_built(&s, "large", &entries(100));
    change(&s, &mut Random(9), 500);
    // One large value under many atoms, first and last in the copy's order.
    set_built(&s, "shared0", &entries(5000));
    let large = get(&s, "shared0");
    for i in 1..300 {
        let (from, to) = (kw(&s, "shared0"), kw(&s, &format!("shared{i}")));
        transact(&s, |t| {
            t.get(from)?;
            t.set(to, large)
        })
        .unwrap();
    }
    let before = assert_sound(&s);
    let report = compact(&s, &file("c"), &mut quiet).unwrap();
    let c = Slab::open(&file("c"), &Options::default()).unwrap();
    let after = assert_sound(&c);
    assert_eq!(after.unreachable_objects, 0);
    // Symbols that no value uses any more are not copied.
    let mortal = |r: &Report| r.reachable_objects - r.symbols;
    assert!(mortal(&after) <= mortal(&before), "{after:?} {before:?}");
    assert!(after.reachable_objects * 10 > before.reachable_objects * 9);
    assert!(report.after < report.before, "{report:?}");
    assert_equal(&s, &c);
    assert_ne!(s.ident().uuid, c.ident().uuid);
    assert!(std::fs::metadata(file("c")).unwrap().nlink() == 1);
    assert_eq!(get(&c, "shared0"), get(&c, "shared299"));
    change(&c, &mut Random(1), 100);
    assert_sound(&c);
    let names: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");
}

#[test]
fn a_damaged_slab_is_not_compacted_and_leaves_no_file() {
    let sample = Sample::new();
    sample.set(sample.atom("vector") + 24, 1 << 45);
    let folder = tempfile::tempdir().unwrap();
    assert!(compact(&sample.slab, &folder.path().join("c"), &mut quiet).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_census_counts_what_verify_counts() {
    let sample = Sample::new();
    let (census, report) = (tools::census(sample.slab.map()), verify(&sample.slab));
    assert_eq!(
        (census.objects, census.bytes),
        (report.allocated_objects, report.allocated_bytes)
    );
    assert!(census
        .classes
        .iter()
        .all(|c| c.live + c.free == c.blocks * class_cells(class_of(c.cell_bytes as usize)) as u64));
}

#[test]
fn values_that_share_their_parts_a_thousandfold_take_no_longer_than_they_are_large() {
    let s = Slab::anonymous(&Options::default()).unwrap();
    let atom = kw(&s, "deep");
    let mut txn = Txn::begin(&s, None).unwrap();
    let deep = txn
        .write(|w| (0..900).try_fold(EMPTY_VECTOR, |v, _| vector::from_words(w, &[v, v])))
        .unwrap();
    txn.set(atom, deep).unwrap();
    assert!(matches!(txn.commit(false).unwrap(), Outcome::Committed(_)));
    let report = assert_sound(&s);
    assert!(report.reachable_objects > 1000);
}
