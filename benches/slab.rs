//! Rows about whole slabs: commits, size on disk, opening. Arguments: the file for the rows, part of a row's name.
//! rust-commit-10k, rust-commit-1m: one assoc as a whole commit against imbl's insert on a shared clone.
//! bytes-imbl: bytes an entry on disk of a 1 M int map, free cells included, against imbl's heap. open-1g: open to first get.

mod common;

use common::{build, disk_bytes, int, next, time, write, Row};
use eve::coll::{self, map};
use eve::value::{hash_word, scalar};
use eve::{transact, Options, Slab};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::time::Instant;

/// Counts live bytes of the heap.
struct Counting;
static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        LIVE.fetch_add(l.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(l) }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) {
        LIVE.fetch_sub(l.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(p, l) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

fn commit_row(name: &'static str, entries: u64) -> Row {
    const ROUNDS: usize = 15;
    const OPS: u64 = 20_000;
    let slab = Slab::anonymous(&Options::default()).expect("opens");
    let atom = slab.intern(0, None, b"m").expect("interns");
    build(&slab, atom, entries);
    let mut peer: imbl::HashMap<i64, i64> = (0..entries as i64).map(|i| (i, i)).collect();
    let (mut best_ours, mut best_peer, mut x) = (f64::MAX, f64::MAX, 1);
    for _ in 0..ROUNDS {
        let ours = time(OPS, |n| {
            for _ in 0..n {
                let (k, v) = (next(&mut x) % entries, next(&mut x));
                transact(&slab, |t| {
                    let m = t.get(atom)?.expect("there");
                    let new = t.write(|w| map::assoc(w, 0, m, int(k), hash_word(w.reader(), int(k))?, int(v)))?;
                    t.set(atom, new)
                })
                .expect("commits");
            }
        });
        let theirs = time(OPS, |n| {
            for _ in 0..n {
                let (k, v) = (next(&mut x) % entries, next(&mut x));
                // Somebody else keeps the old version, as a reader of ours could.
                let shared = peer.clone();
                peer.insert(k as i64, v as i64);
                drop(black_box(shared));
            }
        });
        best_ours = best_ours.min(ours);
        best_peer = best_peer.min(theirs);
    }
    Row {
        name,
        ours: best_ours,
        peer: best_peer,
        unit: "ns/op",
        goal: Some(1.0),
    }
}

fn bytes_rows(dir: &Path, rows: &mut Vec<Row>) {
    const N: u64 = 1_000_000;
    let path = dir.join("bytes.slab");
    let slab = Slab::open(&path, &Options::default()).expect("opens");
    let empty = disk_bytes(&path);
    let atom = slab.intern(0, None, b"m").expect("interns");
    build(&slab, atom, N);
    let ours = disk_bytes(&path) as f64 / N as f64;
    slab.close().expect("closes");
    let before = LIVE.load(Relaxed);
    let mut peer: imbl::HashMap<i64, i64> = imbl::HashMap::new();
    for i in 0..N as i64 {
        peer.insert(i, i);
    }
    let theirs = (LIVE.load(Relaxed) - before) as f64 / N as f64;
    drop(peer);
    rows.push(Row {
        name: "bytes-imbl",
        ours,
        peer: theirs,
        unit: "bytes/entry",
        goal: Some(2.0),
    });
    rows.push(Row {
        name: "empty-slab",
        ours: empty as f64 / 1024.0,
        peer: 256.0,
        unit: "KiB on disk",
        goal: Some(1.0),
    });
}

/// A slab of `mib` MiB of byte arrays with one small map to get from.
fn fill(path: &Path, mib: u64) {
    let slab = Slab::open(path, &Options::default()).expect("opens");
    let (atom, blobs) = (
        slab.intern(0, None, b"m").expect("interns"),
        slab.intern(0, None, b"blobs").expect("interns"),
    );
    build(&slab, atom, 1000);
    let blob = vec![7u8; 1 << 20];
    transact(&slab, |t| {
        let v = t.write(|w| {
            let mut words = Vec::new();
            for _ in 0..mib {
                words.push(scalar::make_bytes(w, &blob)?);
            }
            coll::vector::from_words(w, &words)
        })?;
        t.set(blobs, v)
    })
    .expect("fills");
    slab.close().expect("closes");
}

fn open_row(dir: &Path) -> Row {
    let (small, large) = (dir.join("small.slab"), dir.join("large.slab"));
    fill(&small, 1);
    fill(&large, 1024);
    let open = |path: &Path| {
        let start = Instant::now();
        let slab = Slab::open(path, &Options::default()).expect("opens");
        let atom = slab.intern(0, None, b"m").expect("interns");
        let s = slab.snapshot().expect("pins");
        let m = coll::get(s.reader(), s.view().state, atom)
            .expect("reads")
            .expect("there");
        black_box(coll::get(s.reader(), m, int(77)).expect("reads"));
        let us = start.elapsed().as_nanos() as f64 / 1000.0;
        drop(s);
        slab.close().expect("closes");
        us
    };
    let (mut ours, mut peer) = (f64::MAX, f64::MAX);
    for _ in 0..15 {
        ours = ours.min(open(&large));
        peer = peer.min(open(&small));
    }
    Row {
        name: "open-1g",
        ours,
        peer,
        unit: "us",
        goal: Some(0.7),
    }
}

fn main() {
    // `cargo bench` passes --bench.
    let mut args = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(out) = args.next() else {
        eprintln!("usage: cargo bench --bench slab -- FILE [PART OF A ROW'S NAME]");
        std::process::exit(2);
    };
    let only = args.next().unwrap_or_default();
    let dir = tempfile::tempdir().expect("a folder");
    let mut rows = Vec::new();
    let all: [(&str, &dyn Fn(&mut Vec<Row>)); 4] = [
        ("rust-commit-10k", &|rows| {
            rows.push(commit_row("rust-commit-10k", 10_000))
        }),
        ("rust-commit-1m", &|rows| {
            rows.push(commit_row("rust-commit-1m", 1_000_000))
        }),
        ("bytes-imbl, empty-slab", &|rows| bytes_rows(dir.path(), rows)),
        ("open-1g", &|rows| rows.push(open_row(dir.path()))),
    ];
    for (name, run) in all {
        if name.contains(&only) {
            run(&mut rows);
        }
    }
    write(&out, &rows);
}
