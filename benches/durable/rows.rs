//! Rows about durability and processes. Arguments: the file for the rows, part of a row's name.
//! lmdb-sync, lmdb-nosync, redb-none: one entry of 10,000 replaced as a whole commit. writers-4-own, writers-4-shared: commits of four processes
//! against one.
//! read-under-write: lookups, each in a snapshot of its own, beside two writers against alone (time of the reader's processor). recover-1g: from
//! opening a slab whose only process was killed to the first lookup, with 1 GiB against 10 MiB.

use eve::coll::{self, map};
use eve::slab::layout::EMPTY_MAP;
use eve::value::{hash_word, scalar, word};
use eve::{transact, Options, Slab, SyncMode};
use heed::types::U64;
use heed::{byteorder::NativeEndian, EnvFlags, EnvOpenOptions};
use redb::{Database, Durability, TableDefinition};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ENTRIES: u64 = 10_000;

struct Row {
    name: &'static str,
    ours: f64,
    peer: f64,
    unit: &'static str,
    goal: f64,
}

fn int(i: u64) -> u64 {
    word::from_int(i as i64).expect("small")
}

fn next(x: &mut u64) -> u64 {
    *x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *x >> 33
}

fn open(path: &Path, sync: SyncMode) -> Slab {
    let options = Options {
        sync,
        ..Options::default()
    };
    Slab::open(path, &options).expect("opens")
}

fn atom(slab: &Slab, name: &str) -> u64 {
    slab.intern(0, None, name.as_bytes()).expect("interns")
}

fn build(slab: &Slab, atom: u64, n: u64) {
    transact(slab, |t| {
        let m = t.write(|w| {
            let token = w.new_token();
            (0..n).try_fold(EMPTY_MAP, |m, i| {
                map::assoc(w, token, m, int(i), hash_word(w.reader(), int(i))?, int(i))
            })
        })?;
        t.set(atom, m)
    })
    .expect("builds");
}

fn put(slab: &Slab, atom: u64, k: u64, v: u64) {
    transact(slab, |t| {
        let m = t.get(atom)?.expect("there");
        let new = t.write(|w| map::assoc(w, 0, m, int(k), hash_word(w.reader(), int(k))?, int(v)))?;
        t.set(atom, new)
    })
    .expect("commits");
}

/// us an operation, the best of the rounds; ours and the peer's take turns.
fn turns(rounds: usize, ops: u64, mut ours: impl FnMut(u64, u64), mut peer: impl FnMut(u64, u64)) -> (f64, f64) {
    let (mut best, mut x) = ((f64::MAX, f64::MAX), 1);
    let mut time = |f: &mut dyn FnMut(u64, u64)| {
        let start = Instant::now();
        (0..ops).for_each(|_| f(next(&mut x) % ENTRIES, next(&mut x)));
        start.elapsed().as_nanos() as f64 / 1000.0 / ops as f64
    };
    for _ in 0..rounds {
        best.0 = best.0.min(time(&mut ours));
        best.1 = best.1.min(time(&mut peer));
    }
    best
}

fn lmdb(dir: &Path, name: &'static str, sync: bool) -> Row {
    let mode = if sync { SyncMode::Commit } else { SyncMode::None };
    let slab = open(&dir.join(format!("{name}.eve")), mode);
    let m = atom(&slab, "m");
    build(&slab, m, ENTRIES);
    let folder = dir.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let mut options = EnvOpenOptions::new();
    options.map_size(1 << 30);
    if !sync {
        // SAFETY: the flag only leaves the writes to the system.
        unsafe { options.flags(EnvFlags::NO_SYNC) };
    }
    // SAFETY: nobody else has the new folder.
    let env = unsafe { options.open(&folder) }.expect("opens");
    let mut txn = env.write_txn().expect("begins");
    let db = env
        .create_database::<U64<NativeEndian>, U64<NativeEndian>>(&mut txn, None)
        .expect("creates");
    (0..ENTRIES).for_each(|i| db.put(&mut txn, &i, &i).expect("puts"));
    txn.commit().expect("commits");
    let (rounds, ops) = if sync { (7, 100) } else { (9, 5000) };
    let theirs = |k, v| {
        let mut txn = env.write_txn().expect("begins");
        db.put(&mut txn, &k, &v).expect("puts");
        txn.commit().expect("commits");
    };
    let (ours, peer) = turns(rounds, ops, |k, v| put(&slab, m, k, v), theirs);
    Row {
        name,
        ours,
        peer,
        unit: "us/commit",
        goal: if sync { 1.0 } else { 3.0 },
    }
}

fn redb(dir: &Path) -> Row {
    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("m");
    let slab = open(&dir.join("redb.eve"), SyncMode::None);
    let m = atom(&slab, "m");
    build(&slab, m, ENTRIES);
    let db = Database::create(dir.join("redb")).expect("creates");
    let write = |entries: &mut dyn Iterator<Item = (u64, u64)>, durability| {
        let mut txn = db.begin_write().expect("begins");
        txn.set_durability(durability).expect("may be set");
        let mut table = txn.open_table(TABLE).expect("a table");
        entries.for_each(|(k, v)| drop(table.insert(k, v).expect("puts")));
        drop(table);
        txn.commit().expect("commits");
    };
    write(&mut (0..ENTRIES).map(|i| (i, i)), Durability::Immediate);
    let theirs = |k, v| write(&mut std::iter::once((k, v)), Durability::None);
    let (ours, peer) = turns(9, 3000, |k, v| put(&slab, m, k, v), theirs);
    Row {
        name: "redb-none",
        ours,
        peer,
        unit: "us/commit",
        goal: 3.0,
    }
}

/// Runs this program as `role` on a slab; it says "ready", and starts when its input ends.
fn process(role: &str, path: &Path, atom: &str) -> Child {
    let mut c = Command::new(std::env::current_exe().expect("our name"));
    c.args(["process", role]).arg(path).arg(atom);
    c.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts")
}

const WINDOW: Duration = Duration::from_millis(700);

/// What a process of ours does: `write` commits for the window and prints how many; `forever` commits until it is killed; `read` prints ns a lookup.
fn be(role: &str, path: &Path, name: &str) {
    let slab = open(path, SyncMode::None);
    let a = atom(&slab, name);
    if role == "fill" {
        return filled(&slab, a, name.parse().expect("MiB"));
    }
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("reads");
    let (mut x, mut n) = (std::process::id() as u64, 0u64);
    let start = Instant::now();
    match role {
        "write" => {
            while start.elapsed() < WINDOW {
                (0..20).for_each(|_| put(&slab, a, next(&mut x) % ENTRIES, next(&mut x)));
                n += 20;
            }
            println!("{}", n as f64 / start.elapsed().as_secs_f64());
        }
        "forever" => loop {
            put(&slab, a, next(&mut x) % ENTRIES, next(&mut x));
        },
        "read" => {
            let used = processor();
            while start.elapsed() < WINDOW {
                for _ in 0..200 {
                    let s = slab.snapshot().expect("pins");
                    let m = coll::get(s.reader(), s.view().state, a).expect("reads").expect("there");
                    black_box(coll::get(s.reader(), m, int(next(&mut x) % ENTRIES)).expect("reads"));
                }
                n += 200;
            }
            println!("{}", (processor() - used) as f64 / n as f64);
        }
        other => panic!("no role {other}"),
    }
}

/// ns of the processor that this thread has used.
fn processor() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> {
    BufReader::new(child.stdout.take().expect("piped"))
        .lines()
        .map(|l| l.expect("a line"))
}

/// Starts all at once; the sum of what they print.
fn together(path: &Path, role: &str, atoms: &[&str]) -> f64 {
    let mut all: Vec<Child> = atoms.iter().map(|a| process(role, path, a)).collect();
    let mut outs: Vec<_> = all.iter_mut().map(lines).collect();
    outs.iter_mut()
        .for_each(|o| assert_eq!(o.next().as_deref(), Some("ready")));
    all.iter_mut().for_each(|c| drop(c.stdin.take()));
    let sum = outs
        .iter_mut()
        .map(|o| o.next().expect("a number").parse::<f64>().expect("a number"))
        .sum();
    all.iter_mut().for_each(|c| assert!(c.wait().expect("ends").success()));
    sum
}

const OWN: [&str; 4] = ["a", "b", "c", "d"];

/// A slab with a map under each name, which stays open.
fn prepared(dir: &Path, file: &str) -> (PathBuf, Slab) {
    let path = dir.join(file);
    let slab = open(&path, SyncMode::None);
    for name in OWN {
        build(&slab, atom(&slab, name), ENTRIES);
    }
    (path, slab)
}

fn writers(dir: &Path, name: &'static str, atoms: [&str; 4], goal: f64) -> Row {
    let (path, _slab) = prepared(dir, name);
    let (mut four, mut one) = (0f64, 0f64);
    for _ in 0..5 {
        one = one.max(together(&path, "write", &["a"]));
        four = four.max(together(&path, "write", &atoms));
    }
    // As times, of which less is better.
    Row {
        name,
        ours: 1e6 / four,
        peer: 1e6 / one,
        unit: "us/commit",
        goal,
    }
}

fn read_under_write(dir: &Path) -> Row {
    let (path, _slab) = prepared(dir, "read.eve");
    let (mut alone, mut beside) = (f64::MAX, f64::MAX);
    for _ in 0..5 {
        alone = alone.min(together(&path, "read", &["a"]));
        let mut two: Vec<Child> = ["b", "c"].map(|a| process("forever", &path, a)).into();
        two.iter_mut()
            .for_each(|c| assert_eq!(lines(c).next().as_deref(), Some("ready")));
        two.iter_mut().for_each(|c| drop(c.stdin.take()));
        beside = beside.min(together(&path, "read", &["a"]));
        two.iter_mut().for_each(|c| {
            c.kill().expect("kills");
            c.wait().expect("ends");
        });
    }
    Row {
        name: "read-under-write",
        ours: beside,
        peer: alone,
        unit: "ns/lookup",
        goal: 0.8,
    }
}

/// A process that is killed with a slab of so many MiB open, most of which was synced.
fn filled(slab: &Slab, blobs: u64, mib: u64) {
    let m = atom(slab, "m");
    if slab.version().expect("reads") == 1 {
        build(slab, m, 1000);
        let blob = vec![7u8; 1 << 20];
        transact(slab, |t| {
            let v = t.write(|w| {
                let words: Vec<u64> = (0..mib)
                    .map(|_| scalar::make_bytes(w, &blob))
                    .collect::<Result<_, _>>()?;
                coll::vector::from_words(w, &words)
            })?;
            t.set(blobs, v)
        })
        .expect("fills");
    }
    slab.sync().expect("syncs");
    (0..100).for_each(|i| put(slab, m, i, i));
    println!("ready");
    std::thread::sleep(Duration::from_secs(1000));
}

fn recover(dir: &Path) -> Row {
    let open_killed = |file: &str, mib: &str| {
        let path = dir.join(file);
        let mut child = process("fill", &path, mib);
        assert_eq!(lines(&mut child).next().as_deref(), Some("ready"));
        child.kill().expect("kills");
        child.wait().expect("ends");
        let start = Instant::now();
        let slab = open(&path, SyncMode::None);
        let s = slab.snapshot().expect("pins");
        let m = coll::get(s.reader(), s.view().state, atom(&slab, "m"))
            .expect("reads")
            .expect("there");
        black_box(coll::get(s.reader(), m, int(77)).expect("reads"));
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    let (mut ours, mut peer) = (f64::MAX, f64::MAX);
    for _ in 0..7 {
        ours = ours.min(open_killed("large.eve", "1024"));
        peer = peer.min(open_killed("small.eve", "10"));
    }
    Row {
        name: "recover-1g",
        ours,
        peer,
        unit: "us",
        goal: 0.7,
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("process") => return be(&args[1], args[2].as_ref(), &args[3]),
        None => {
            eprintln!("usage: bench-durable FILE [PART OF A ROW'S NAME]");
            std::process::exit(2);
        }
        _ => {}
    }
    let only = args.get(1).cloned().unwrap_or_default();
    let dir = tempfile::tempdir().expect("a folder");
    let all: [(&str, &dyn Fn() -> Row); 7] = [
        ("lmdb-sync", &|| lmdb(dir.path(), "lmdb-sync", true)),
        ("lmdb-nosync", &|| lmdb(dir.path(), "lmdb-nosync", false)),
        ("redb-none", &|| redb(dir.path())),
        ("writers-4-own", &|| writers(dir.path(), "writers-4-own", OWN, 1.0)),
        ("writers-4-shared", &|| {
            writers(dir.path(), "writers-4-shared", ["a"; 4], 0.6)
        }),
        ("read-under-write", &|| read_under_write(dir.path())),
        ("recover-1g", &|| recover(dir.path())),
    ];
    let rows: Vec<Row> = all.iter().filter(|r| r.0.contains(&only)).map(|r| r.1()).collect();
    let mut json = String::from("[\n");
    for (i, r) in rows.iter().enumerate() {
        let ratio = r.peer / r.ours;
        println!(
            "{:16} ours {:10.2} peer {:10.2} {:12} ratio {ratio:6.2}",
            r.name, r.ours, r.peer, r.unit
        );
        let comma = if i + 1 < rows.len() { "," } else { "" };
        let (ours, peer) = (r.ours, r.peer);
        writeln!(
            json,
            r#" {{"row": "{}", "ours": {ours:.3}, "peer": {peer:.3}, "unit": "{}", "ratio": {ratio:.3}, "goal": {}}}{comma}"#,
            r.name, r.unit, r.goal
        )
        .expect("writes to a string");
    }
    json.push_str("]\n");
    std::fs::write(&args[0], json).expect("writes the results");
}
