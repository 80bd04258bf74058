//! Rows about reclamation. Arguments: the file for the rows, part of a row's name.
//! commit-reclaim: a commit against one while a snapshot is held, so that nothing is freed. commit-10m-size: what lives after ten million commits
//! against the space that the closed file takes on disk; -open: while it is open still; -synced: with a sync a second. mark: objects traced a second
//! against a chain of pointers through the same places.

mod common;

use common::{build, disk_bytes, int, next, time, write, Row};
use eve::coll::map;
use eve::open::SyncMode;
use eve::slab::layout::{is_pointer, EMPTY_MAP};
use eve::slab::slots::slots;
use eve::trace::{mark, Marks};
use eve::value::{hash_word, text};
use eve::{transact, Options, Slab};
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

fn commit(slab: &Slab, atom: u64, entries: u64, x: &mut u64) {
    let (k, v) = (next(x) % entries, next(x));
    transact(slab, |t| {
        let m = t.get(atom)?.expect("there");
        let new = t.write(|w| map::assoc(w, 0, m, int(k), hash_word(w.reader(), int(k))?, int(v)))?;
        t.set(atom, new)
    })
    .expect("commits");
}

fn reclaim_row() -> Row {
    const ENTRIES: u64 = 10_000;
    const OPS: u64 = 50_000;
    let slab = Slab::anonymous(&Options::default()).expect("opens");
    let atom = slab.intern(0, None, b"m").expect("interns");
    build(&slab, atom, ENTRIES);
    let (mut ours, mut peer, mut x) = (f64::MAX, f64::MAX, 1);
    for _ in 0..15 {
        ours = ours.min(time(OPS, |n| (0..n).for_each(|_| commit(&slab, atom, ENTRIES, &mut x))));
        let held = slab.snapshot().expect("pins");
        peer = peer.min(time(OPS, |n| (0..n).for_each(|_| commit(&slab, atom, ENTRIES, &mut x))));
        drop(held);
        slab.reclaim();
    }
    Row {
        name: "commit-reclaim",
        ours,
        peer,
        unit: "ns/op",
        goal: Some(0.7),
    }
}

/// With writes to disk, the two last versions written are whole maps of their own by the end: they live too.
fn size_rows(names: [&'static str; 2], sync: SyncMode, dir: &Path) -> Vec<Row> {
    const ENTRIES: u64 = 100_000;
    let path = dir.join(names[0]);
    let options = Options {
        sync,
        ..Options::default()
    };
    let slab = Slab::open(&path, &options).expect("opens");
    let atom = slab.intern(0, None, b"m").expect("interns");
    build(&slab, atom, ENTRIES);
    let mut x = 1;
    (0..10_000_000).for_each(|_| commit(&slab, atom, ENTRIES, &mut x));
    let open = disk_bytes(&path);
    slab.close().expect("closes");
    drop(slab);
    let closed = disk_bytes(&path);
    let slab = Slab::open(&path, &options).expect("opens");
    // Until the superblocks hold nothing else.
    for _ in 0..2 {
        commit(&slab, atom, ENTRIES, &mut x);
        slab.sync().expect("syncs");
    }
    let live = slab.gc().expect("traces").swept.live_bytes;
    let row = |name, size| Row {
        name,
        ours: size as f64 / 1024.0,
        peer: live as f64 / 1024.0,
        unit: "KiB",
        goal: (name == "commit-10m-size").then_some(0.67),
    };
    vec![row(names[0], closed), row(names[1], open)]
}

/// Offsets of all objects that `root` reaches, in the order of a walk.
fn walk(slab: &Slab, root: u64) -> Vec<u64> {
    let r = slab.reader();
    let (mut found, mut stack) = (Vec::new(), vec![root]);
    while let Some(at) = stack.pop() {
        found.push(at);
        let node = r.node(at).expect("is there");
        stack.extend(
            slots(node)
                .expect("sound")
                .map(|i| node.word(i))
                .filter(|&w| is_pointer(w)),
        );
    }
    found
}

fn mark_row(dir: &Path) -> Row {
    const N: u64 = 1_000_000;
    // A file, so that both sides have pages of the usual size.
    let slab = Slab::open(&dir.join("mark.slab"), &Options::default()).expect("opens");
    let atom = slab.intern(0, None, b"m").expect("interns");
    transact(&slab, |t| {
        let m = t.write(|w| {
            let token = w.new_token();
            let mut m = EMPTY_MAP;
            for i in 0..N {
                let v = text::make(w, format!("the value of entry {i}").as_bytes())?;
                m = map::assoc(w, token, m, int(i), hash_word(w.reader(), int(i))?, v)?;
            }
            Ok::<u64, eve::Error>(m)
        })?;
        t.set(atom, m)
    })
    .expect("builds");
    let snap = slab.snapshot().expect("pins");
    let (root, blocks) = (snap.view().state, snap.view().limit >> 16);
    let order = walk(&slab, root);
    let mut chain = vec![0u64; (snap.view().limit / 8) as usize];
    order.windows(2).for_each(|w| chain[w[0] as usize / 8] = w[1]);
    let (mut ours, mut peer) = (f64::MAX, f64::MAX);
    for _ in 0..7 {
        ours = ours.min(time(order.len() as u64, |n| {
            let mut marks = Marks::new(blocks);
            let found = mark(slab.reader(), root, &mut marks, &mut |_| Ok(())).expect("traces");
            assert_eq!(found, n);
            black_box(marks);
        }));
        peer = peer.min(time(order.len() as u64, |_| {
            let mut at = root;
            while at != 0 {
                at = chain[at as usize / 8];
            }
            black_box(at);
        }));
    }
    Row {
        name: "mark",
        ours,
        peer,
        unit: "ns/object",
        goal: Some(0.5),
    }
}

fn main() {
    // `cargo bench` passes --bench.
    let mut args = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(out) = args.next() else {
        eprintln!("usage: cargo bench --bench reclaim -- FILE [PART OF A ROW'S NAME]");
        std::process::exit(2);
    };
    let only = args.next().unwrap_or_default();
    let dir = tempfile::tempdir().expect("a folder");
    let all: [(&str, &dyn Fn() -> Vec<Row>); 4] = [
        ("commit-reclaim", &|| vec![reclaim_row()]),
        ("commit-10m-size", &|| {
            let names = ["commit-10m-size", "commit-10m-size-open"];
            size_rows(names, SyncMode::None, dir.path())
        }),
        ("commit-10m-size-synced", &|| {
            let names = ["commit-10m-size-synced", "commit-10m-size-synced-open"];
            size_rows(names, SyncMode::Interval(Duration::from_secs(1)), dir.path())
        }),
        ("mark", &|| vec![mark_row(dir.path())]),
    ];
    let rows: Vec<Row> = all.iter().filter(|r| r.0.contains(&only)).flat_map(|r| r.1()).collect();
    write(&out, &rows);
}
