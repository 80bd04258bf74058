//! What the programs of rows share.

use eve::coll::map;
use eve::slab::layout::EMPTY_MAP;
use eve::value::{hash_word, word};
use eve::{transact, Slab};
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

/// A measurement and its reference.
pub struct Row {
    pub name: &'static str,
    pub ours: f64,
    pub peer: f64,
    pub unit: &'static str,
    pub goal: Option<f64>,
}

/// An integer as a word.
pub fn int(i: u64) -> u64 {
    word::from_int(i as i64).expect("small")
}

/// Sets `atom` to a map of `n` integers.
pub fn build(slab: &Slab, atom: u64, n: u64) {
    transact(slab, |t| {
        let m = t.write(|w| {
            let token = w.new_token();
            let mut m = EMPTY_MAP;
            for i in 0..n {
                m = map::assoc(w, token, m, int(i), hash_word(w.reader(), int(i))?, int(i))?;
            }
            Ok::<u64, eve::Error>(m)
        })?;
        t.set(atom, m)
    })
    .expect("builds");
}

/// Random numbers of 31 bits.
pub fn next(x: &mut u64) -> u64 {
    *x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *x >> 33
}

/// ns an operation of `f(n operations)`.
pub fn time(n: u64, f: impl FnOnce(u64)) -> f64 {
    let start = Instant::now();
    f(n);
    start.elapsed().as_nanos() as f64 / n as f64
}

/// Bytes that the file takes on disk.
pub fn disk_bytes(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).expect("is there").blocks() * 512
}

/// Prints the rows and writes them to the file `out`.
pub fn write(out: &str, rows: &[Row]) {
    let mut json = String::from("[\n");
    for (i, r) in rows.iter().enumerate() {
        let (ratio, goal) = (r.peer / r.ours, r.goal.map_or("null".into(), |g| g.to_string()));
        println!(
            "{:16} ours {:10.1} peer {:10.1} {:12} ratio {:6.2}",
            r.name, r.ours, r.peer, r.unit, ratio
        );
        let comma = if i + 1 < rows.len() { "," } else { "" };
        writeln!(
            json,
            r#" {{"row": "{}", "ours": {:.3}, "peer": {:.3}, "unit": "{}", "ratio": {:.3}, "goal": {}}}{comma}"#,
            r.name, r.ours, r.peer, r.unit, ratio, goal
        )
        .expect("writes to a string");
    }
    json.push_str("]\n");
    std::fs::write(out, json).expect("writes the results");
    assert!(rows.iter().all(|r| r.ours > 0.0), "a row took no time");
}
