//! The core beside `imbl::HashMap`, and beside `BTreeMap` and `imbl::OrdMap` for sorted maps: `cargo bench --bench core -- RESULTS.json`. Rounds of both sides alternate, the fastest round of each counts,
//! in processor time of the thread. A further argument runs only the rows whose name contains it.

use eve::coll::{lookup, map, sorted};
use eve::slab::layout::{EMPTY_MAP, NIL};
use eve::slab::mapping::Reader;
use eve::slab::writer::Writer;
use eve::txn::Txn;
use eve::value::{hash, text, word};
use eve::{Options, Slab};
use std::collections::hash_map::RandomState;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::ops::Bound;
use std::time::Duration;

/// Look-ups or changes of one round.
const STEPS: usize = 50_000;
/// Changes between two aborts of the transaction that holds them.
const BATCH: usize = 1000;

/// Multiply and fold, eight bytes at a time: about the fastest hash that spreads.
#[derive(Default)]
struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, i: u8) {
        self.write_u64(i as u64);
    }
    fn write_i64(&mut self, i: i64) {
        self.write_u64(i as u64);
    }
    fn write_u64(&mut self, i: u64) {
        self.0 = (self.0.rotate_left(5) ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type Fast = BuildHasherDefault<FastHasher>;
type Imbl<K, S> = imbl::GenericHashMap<K, i64, S, imbl::shared_ptr::DefaultSharedPtr>;

struct Row {
    name: String,
    ours: f64,
    peer: f64,
    goal: Option<f64>,
}

/// Nanoseconds a step of the fastest of `rounds` turns of each side. A turn is two rounds, as the first finds the caches full of the other's data.
fn race(rounds: usize, steps: usize, sides: &mut [&mut dyn FnMut() -> Duration]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; sides.len()];
    for _ in 0..rounds {
        for (side, best) in sides.iter_mut().zip(&mut best) {
            let took = side().min(side());
            *best = best.min(took.as_nanos() as f64 / steps as f64);
        }
    }
    best
}

/// Processor time of this thread: on a busy machine the other programs' share doesn't count.
fn cpu_now() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is valid for the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    assert_eq!(failed, 0, "no thread clock");
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

fn timed<T>(f: impl FnOnce() -> T) -> Duration {
    let start = cpu_now();
    let kept = f();
    let took = cpu_now() - start;
    drop(kept);
    took
}

/// `STEPS` numbers below `n` in an order that no prefetcher guesses.
fn scattered(n: usize) -> Vec<usize> {
    let mut x = 0x2545_F491_4F6C_DD1Du64;
    let step = |_| {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (x >> 33) as usize % n
    };
    (0..STEPS).map(step).collect()
}

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

fn int_hash(i: i64) -> u32 {
    hash::hash_long(i) as u32
}

fn name(i: usize) -> String {
    format!("user-{i:07}")
}

fn build_ints(w: &mut Writer, n: usize) -> u64 {
    let token = w.new_token();
    (0..n as i64).fold(EMPTY_MAP, |m, i| {
        map::assoc(w, token, m, int(i), int_hash(i), int(i)).expect("room")
    })
}

fn build_names(w: &mut Writer, names: &[String]) -> u64 {
    let token = w.new_token();
    names.iter().enumerate().fold(EMPTY_MAP, |m, (i, s)| {
        let key = text::make(w, s.as_bytes()).expect("room");
        let hash = w.reader().node(key).expect("a text").low(1);
        map::assoc(w, token, m, key, hash, int(i as i64)).expect("room")
    })
}

/// A slab with the map that `build` makes, committed.
fn slab_with(build: impl FnOnce(&mut Writer) -> u64) -> (Slab, u64) {
    let slab = Slab::anonymous(&Options::default()).expect("memory");
    let mut txn = Txn::begin(&slab, None).expect("open");
    let m = txn.write(build);
    txn.set(int(0), m).expect("set");
    txn.commit(false).expect("commit");
    (slab, m)
}

fn imbl_ints<S: BuildHasher + Clone + Default>(n: usize) -> Imbl<i64, S> {
    let mut m = Imbl::default();
    for i in 0..n as i64 {
        m.insert(i, i);
    }
    m
}

fn imbl_names<S: BuildHasher + Clone + Default>(names: &[String]) -> Imbl<String, S> {
    let mut m = Imbl::default();
    for (i, s) in names.iter().enumerate() {
        m.insert(s.clone(), i as i64);
    }
    m
}

fn imbl_get_ints<S: BuildHasher + Clone>(m: &Imbl<i64, S>, keys: &[usize]) -> Duration {
    timed(|| {
        let sum = keys
            .iter()
            .fold(0, |sum, &k| sum + m.get(&(k as i64)).copied().unwrap_or(0));
        black_box(sum);
    })
}

fn imbl_get_names<S: BuildHasher + Clone>(m: &Imbl<String, S>, keys: &[&str]) -> Duration {
    timed(|| {
        let sum = keys.iter().fold(0, |sum, &k| sum + m.get(k).copied().unwrap_or(0));
        black_box(sum);
    })
}

fn get_ints(r: Reader, m: u64, keys: &[usize]) -> Duration {
    timed(|| {
        let value = |k: i64| {
            map::get(r, m, int(k), int_hash(k))
                .expect("sound")
                .and_then(word::int)
                .unwrap_or(0)
        };
        let sum = keys.iter().fold(0, |sum, &k| sum + value(k as i64));
        black_box(sum);
    })
}

fn get_names(r: Reader, m: u64, keys: &[&str]) -> Duration {
    timed(|| {
        let value = |k: &str| {
            lookup::get_text(r, m, k.as_bytes())
                .expect("sound")
                .and_then(word::int)
                .unwrap_or(0)
        };
        let sum = keys.iter().fold(0, |sum, &k| sum + value(k));
        black_box(sum);
    })
}

fn get_rows(rows: &mut Vec<Row>, row: &str, n: usize) {
    let rounds = if n > 100_000 { 8 } else { 40 };
    let names: Vec<String> = (0..n).map(name).collect();
    let order = scattered(n);
    let keys: Vec<&str> = order.iter().map(|&i| names[i].as_str()).collect();
    let (slab, m) = slab_with(|w| build_ints(w, n));
    let (plain, fast) = (imbl_ints::<RandomState>(n), imbl_ints::<Fast>(n));
    let ints = race(
        rounds,
        STEPS,
        &mut [
            &mut || get_ints(slab.reader(), m, &order),
            &mut || imbl_get_ints(&plain, &order),
            &mut || imbl_get_ints(&fast, &order),
        ],
    );
    let (slab, m) = slab_with(|w| build_names(w, &names));
    let (plain, fast) = (imbl_names::<RandomState>(&names), imbl_names::<Fast>(&names));
    let texts = race(
        rounds,
        STEPS,
        &mut [
            &mut || get_names(slab.reader(), m, &keys),
            &mut || imbl_get_names(&plain, &keys),
            &mut || imbl_get_names(&fast, &keys),
        ],
    );
    let worse = if ints[1] / ints[0] < texts[1] / texts[0] {
        &ints
    } else {
        &texts
    };
    rows.push(Row {
        name: row.into(),
        ours: worse[0],
        peer: worse[1],
        goal: Some(1.3),
    });
    for (kind, t) in [("int", &ints), ("str", &texts)] {
        rows.push(Row {
            name: format!("{row}-{kind}"),
            ours: t[0],
            peer: t[1],
            goal: None,
        });
        rows.push(Row {
            name: format!("{row}-{kind}, imbl with a fast hash"),
            ours: t[0],
            peer: t[2],
            goal: None,
        });
    }
}

/// `build` in a transaction on a new slab; making and dropping the slab doesn't count.
fn time_build(build: impl FnOnce(&mut Writer) -> u64) -> Duration {
    let slab = Slab::anonymous(&Options::default()).expect("memory");
    let mut txn = Txn::begin(&slab, None).expect("open");
    let mut took = Duration::ZERO;
    txn.write(|w| {
        took = timed(|| {
            black_box(build(w));
        });
    });
    took
}

fn build_rows(rows: &mut Vec<Row>) {
    const N: usize = 1_000_000;
    let t = race(
        3,
        N,
        &mut [
            &mut || time_build(|w| build_ints(w, N)),
            &mut || timed(|| imbl_ints::<RandomState>(N)),
            &mut || timed(|| imbl_ints::<Fast>(N)),
        ],
    );
    rows.push(Row {
        name: "rust-build-1m-int".into(),
        ours: t[0],
        peer: t[1],
        goal: Some(0.9),
    });
    rows.push(Row {
        name: "rust-build-1m-int, imbl with a fast hash".into(),
        ours: t[0],
        peer: t[2],
        goal: None,
    });
    let names: Vec<String> = (0..N).map(name).collect();
    let t = race(
        3,
        N,
        &mut [
            &mut || time_build(|w| build_names(w, &names)),
            &mut || timed(|| imbl_names::<RandomState>(&names)),
            &mut || timed(|| imbl_names::<Fast>(&names)),
        ],
    );
    rows.push(Row {
        name: "rust-build-1m-str".into(),
        ours: t[0],
        peer: t[1],
        goal: Some(1.2),
    });
    rows.push(Row {
        name: "rust-build-1m-str, imbl with a fast hash".into(),
        ours: t[0],
        peer: t[2],
        goal: None,
    });
}

/// One persistent assoc of a key that is there, in a transaction; the results are freed by aborting it, which counts, as imbl's drop does.
fn assoc_in_txn(slab: &Slab, m: u64, keys: &[usize]) -> Duration {
    timed(|| {
        for batch in keys.chunks(BATCH) {
            let mut txn = Txn::begin(slab, None).expect("open");
            txn.write(|w| {
                for &k in batch {
                    let k = k as i64;
                    black_box(map::assoc(w, 0, m, int(k), int_hash(k), int(k + 1)).expect("room"));
                }
            });
            txn.abort(false);
        }
    })
}

fn assoc_in_imbl<S: BuildHasher + Clone>(m: &Imbl<i64, S>, keys: &[usize]) -> Duration {
    timed(|| {
        for &k in keys {
            let mut copy = m.clone();
            copy.insert(k as i64, k as i64 + 1);
            black_box(&copy);
        }
    })
}

fn assoc_rows(rows: &mut Vec<Row>, row: &str, n: usize) {
    let order = scattered(n);
    let (slab, m) = slab_with(|w| build_ints(w, n));
    let (plain, fast) = (imbl_ints::<RandomState>(n), imbl_ints::<Fast>(n));
    let t = race(
        7,
        STEPS,
        &mut [
            &mut || assoc_in_txn(&slab, m, &order),
            &mut || assoc_in_imbl(&plain, &order),
            &mut || assoc_in_imbl(&fast, &order),
        ],
    );
    rows.push(Row {
        name: row.into(),
        ours: t[0],
        peer: t[1],
        goal: Some(2.0),
    });
    rows.push(Row {
        name: format!("{row}, imbl with a fast hash"),
        ours: t[0],
        peer: t[2],
        goal: None,
    });
}

fn sorted_ints(w: &mut Writer, n: usize, step: i64) -> u64 {
    let entries = (0..n as i64).map(|i| [int(i * step), int(i)]).collect();
    sorted::map_of(w, 0, NIL, entries).expect("room")
}

/// Look-ups and a scan of a million integers, beside the standard library's tree, which isn't persistent.
fn sorted_read_rows(rows: &mut Vec<Row>) {
    const N: usize = 1_000_000;
    let order = scattered(N);
    let (slab, m) = slab_with(|w| sorted_ints(w, N, 1));
    let peer: BTreeMap<i64, i64> = (0..N as i64).map(|i| (i, i)).collect();
    let value = |word: u64| word::int(word).unwrap_or(0);
    let t = race(
        8,
        STEPS,
        &mut [
            &mut || {
                let r = slab.reader();
                let get = |k: usize| {
                    sorted::get(r, m, int(k as i64), None)
                        .expect("sound")
                        .map_or(0, |e| value(e.1))
                };
                timed(|| black_box(order.iter().fold(0, |sum, &k| sum + get(k))))
            },
            &mut || {
                let get = |k: usize| peer.get(&(k as i64)).copied().unwrap_or(0);
                timed(|| black_box(order.iter().fold(0, |sum, &k| sum + get(k))))
            },
        ],
    );
    rows.push(Row {
        name: "rust-sorted-get".into(),
        ours: t[0],
        peer: t[1],
        goal: Some(0.7),
    });
    let t = race(
        8,
        N,
        &mut [
            &mut || {
                let (all, r) = (Bound::Unbounded, slab.reader());
                timed(|| {
                    let range = sorted::range(r, m, all, all, false, None).expect("sound");
                    let sum = |sum: i64, e: eve::Result<(u64, u64)>| {
                        let (k, v) = e.expect("sound");
                        sum ^ value(k) ^ value(v)
                    };
                    black_box(range.fold(0, sum))
                })
            },
            &mut || timed(|| black_box(peer.iter().fold(0, |sum, (k, v)| sum ^ k ^ v))),
        ],
    );
    rows.push(Row {
        name: "rust-sorted-scan".into(),
        ours: t[0],
        peer: t[1],
        goal: Some(0.7),
    });
}

/// One persistent assoc of a new key, as in [`assoc_rows`].
fn sorted_insert_rows(rows: &mut Vec<Row>) {
    const N: usize = 1_000_000;
    let order = scattered(N);
    let (slab, m) = slab_with(|w| sorted_ints(w, N, 2));
    let peer: imbl::OrdMap<i64, i64> = (0..N as i64).map(|i| (2 * i, i)).collect();
    let t = race(
        7,
        STEPS,
        &mut [
            &mut || {
                timed(|| {
                    for batch in order.chunks(BATCH) {
                        let mut txn = Txn::begin(&slab, None).expect("open");
                        txn.write(|w| {
                            for &k in batch {
                                let k = 2 * k as i64 + 1;
                                black_box(sorted::assoc(w, 0, m, int(k), int(k), None).expect("room"));
                            }
                        });
                        txn.abort(false);
                    }
                })
            },
            &mut || {
                timed(|| {
                    for &k in &order {
                        let (mut copy, k) = (peer.clone(), 2 * k as i64 + 1);
                        copy.insert(k, k);
                        black_box(&copy);
                    }
                })
            },
        ],
    );
    rows.push(Row {
        name: "rust-sorted-insert".into(),
        ours: t[0],
        peer: t[1],
        goal: Some(1.0),
    });
}

fn json(rows: &[Row]) -> String {
    let mut out = String::from("[");
    for (i, r) in rows.iter().enumerate() {
        let goal = r.goal.map_or("null".into(), |g| g.to_string());
        let (comma, ratio) = (if i == 0 { "" } else { "," }, r.peer / r.ours);
        let _ = write!(
            out,
            "{comma}\n{{\"row\": \"{}\", \"ours\": {:.1}, \"peer\": {:.1}, \"unit\": \"ns\", \"ratio\": {ratio:.2}, \"goal\": {goal}}}",
            r.name, r.ours, r.peer
        );
    }
    out + "\n]\n"
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let path = args.next();
    let only = args.next().unwrap_or_default();
    let mut rows = Vec::new();
    let all: [(&str, &dyn Fn(&mut Vec<Row>)); 7] = [
        ("rust-get-10k", &|rows| get_rows(rows, "rust-get-10k", 10_000)),
        ("rust-get-1m", &|rows| get_rows(rows, "rust-get-1m", 1_000_000)),
        ("rust-build-1m", &build_rows),
        ("rust-assoc-10k", &|rows| assoc_rows(rows, "rust-assoc-10k", 10_000)),
        ("rust-assoc-1m", &|rows| assoc_rows(rows, "rust-assoc-1m", 1_000_000)),
        ("rust-sorted-get rust-sorted-scan", &sorted_read_rows),
        ("rust-sorted-insert", &sorted_insert_rows),
    ];
    for (name, run) in all {
        if name.contains(&only) {
            run(&mut rows);
        }
    }
    for r in &rows {
        let goal = r.goal.map_or(String::new(), |g| format!("  (goal {g})"));
        println!(
            "{:45} {:8.1} ns  peer {:8.1} ns  ratio {:.2}{goal}",
            r.name,
            r.ours,
            r.peer,
            r.peer / r.ours
        );
    }
    if let Some(path) = path {
        std::fs::write(&path, json(&rows)).unwrap_or_else(|e| panic!("can't write {path}: {e}"));
    }
}
