//! Conformance vectors: small slabs that every runtime reads, with the answers of real Clojure beside them (tests/data/gen_vectors.clj).
//! `make gen` (EVE_GEN=1) writes the slabs anew from cases.tsv.

use eve::coll;
use eve::value::{build, hash_word, print};
use eve::{transact, Options, Slab};
use std::path::{Path, PathBuf};

struct Case {
    group: String,
    name: String,
    buffer: Vec<u8>,
    hash: u32,
    /// None where printing may differ in order.
    edn: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors")
}

fn cases() -> Vec<Case> {
    let text = String::from_utf8_lossy(&std::fs::read(folder().join("cases.tsv")).unwrap()).into_owned();
    let cases: Vec<Case> = text
        .split_terminator('\n')
        .map(|line| {
            let f: Vec<&str> = line.splitn(5, '\t').collect();
            let hex = f[2].as_bytes();
            Case {
                group: f[0].into(),
                name: f[1].into(),
                buffer: hex
                    .chunks(2)
                    .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
                    .collect(),
                hash: f[3].parse::<i32>().unwrap() as u32,
                edn: (f[4] != "-").then(|| f[4].into()),
            }
        })
        .collect();
    assert!(cases.len() > 150, "the cases are there");
    cases
}

fn groups() -> Vec<String> {
    let mut groups: Vec<String> = cases().into_iter().map(|c| c.group).collect();
    groups.dedup();
    groups
}

/// The slab of a group: one atom a case, named by the case's keyword.
fn write(group: &str, path: &Path) {
    let _ = std::fs::remove_file(path);
    let slab = Slab::open(path, &Options::default()).unwrap();
    for c in cases().iter().filter(|c| c.group == group) {
        let atom = slab.intern(0, None, c.name.as_bytes()).unwrap();
        transact(&slab, |t| {
            let value = t.write(|w| build::value(w, &c.buffer))?;
            t.set(atom, value)
        })
        .unwrap_or_else(|e| panic!("{group}/{}: {e}", c.name));
    }
    slab.close().unwrap();
}

fn check(group: &str, path: &Path) {
    let slab = Slab::open(path, &Options::default()).unwrap();
    let snapshot = slab.snapshot().unwrap();
    let r = snapshot.reader();
    coll::check(r, snapshot.view().state).unwrap();
    for c in cases().iter().filter(|c| c.group == group) {
        let atom = slab.intern(0, None, c.name.as_bytes()).unwrap();
        let value = coll::get(r, snapshot.view().state, atom)
            .unwrap()
            .unwrap_or_else(|| panic!("no case {}", c.name));
        assert_eq!(hash_word(r, value).unwrap(), c.hash, "{group}/{}", c.name);
        if let Some(edn) = &c.edn {
            assert_eq!(&print::to_edn(r, value).unwrap(), edn, "{group}/{}", c.name);
        }
        // The same value, built anew, is equal, whatever way it got here.
        let mut txn = eve::Txn::begin(&slab, None).unwrap();
        let again = txn.write(|w| build::value(w, &c.buffer)).unwrap();
        let equal = eve::value::equal(r, value, again).unwrap();
        assert_eq!(equal, c.name != "double-nan", "{group}/{}", c.name);
    }
}

#[test]
fn committed_slabs_hold_what_clojure_says() {
    let temp = tempfile::tempdir().unwrap();
    for group in groups() {
        let committed = folder().join(format!("{group}.slab"));
        if std::env::var_os("EVE_GEN").is_some() {
            write(&group, &committed);
        }
        let copy = temp.path().join("copy.slab");
        std::fs::copy(&committed, &copy).expect("the vectors are there: make gen");
        check(&group, &copy);
    }
}

#[test]
fn slabs_written_now_hold_what_clojure_says() {
    let temp = tempfile::tempdir().unwrap();
    for group in groups() {
        let path = temp.path().join(format!("{group}.slab"));
        write(&group, &path);
        check(&group, &path);
    }
}
