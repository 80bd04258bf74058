//! Uses all that a slab offers, whatever is in it. The answers don't matter; that there is one does.

use eve::coll::sorted::{self, Seek};
use eve::coll::{self, iter::Iter};
use eve::slab::layout::*;
use eve::slab::mapping::Reader;
use eve::tools::{self, quiet};
use eve::txn::ops::{apply, Op};
use eve::value::{self, copy, equal, hash_word, print, symbol, word};
use eve::{Options, Slab, SyncMode, Txn};
use std::ops::Bound;
use std::path::Path;
use std::sync::OnceLock;

/// Elements of a collection, and atoms, that are looked at one by one.
const FIRST: usize = 40;

/// Atoms that are changed.
const CHANGED: usize = 10;

/// Opens the slab at `path` and uses it, for writing unless `read_only`; true if it could be opened. `copies`: makes copies of it, too.
pub fn use_slab(path: &Path, read_only: bool, copies: bool) -> bool {
    let options = Options {
        read_only,
        create: false,
        sync: SyncMode::None,
        // What a damaged slab may ask for is bounded.
        max_bytes: 64 << 20,
        ..Options::default()
    };
    let Ok(s) = Slab::open(path, &options) else {
        return false;
    };
    read_all(&s);
    let _ = tools::verify(&s, &mut quiet);
    let _ = tools::census(s.map());
    if !read_only {
        write_all(&s);
        let _ = s.gc();
        read_some(&s);
        let _ = tools::verify(&s, &mut quiet);
    }
    if copies {
        let copied = path.with_extension("copy");
        let _ = tools::backup(&s, &copied, &mut quiet);
        let _ = std::fs::remove_file(&copied);
        let _ = tools::compact(&s, &copied, &mut quiet);
        let _ = std::fs::remove_file(&copied);
    }
    let _ = s.close();
    true
}

/// Names and values of the state, as far as they can be read.
fn atoms(r: Reader, state: u64) -> Vec<(u64, u64)> {
    let Ok(items) = Iter::new(r, state) else {
        return Vec::new();
    };
    items.take(FIRST).map_while(Result::ok).collect()
}

fn read_all(s: &Slab) {
    let Ok(snap) = s.snapshot() else { return };
    let (r, state) = (snap.reader(), snap.view().state);
    let _ = print::to_edn(r, state);
    let _ = hash_word(r, state);
    let mut last = NIL;
    for (name, value) in atoms(r, state) {
        let _ = coll::get(r, state, name);
        let _ = print::to_edn(r, name);
        read_value(r, value);
        let _ = equal(r, value, last);
        last = value;
    }
    for (namespace, name) in [(None, "plain"), (Some("of"), "key17"), (Some("space"), "name")] {
        for kind in 0..2 {
            if let Ok(Some(word)) = symbol::find(s.map(), kind, namespace.map(str::as_bytes), name.as_bytes()) {
                let _ = value::text_of(r, word);
            }
        }
    }
    copy_to_another(r, state);
}

/// What a trace may have broken.
fn read_some(s: &Slab) {
    let Ok(snap) = s.snapshot() else { return };
    let _ = print::to_edn(snap.reader(), snap.view().state);
    let _ = hash_word(snap.reader(), snap.view().state);
}

fn copy_to_another(r: Reader, state: u64) {
    static SCRATCH: OnceLock<Slab> = OnceLock::new();
    let scratch = SCRATCH.get_or_init(|| {
        let options = Options {
            max_bytes: 64 << 20,
            ..Options::default()
        };
        Slab::anonymous(&options).unwrap()
    });
    let mut t = Txn::begin(scratch, None).unwrap();
    if let Ok(copied) = t.write(|w| copy::import_slab(w, r, state)) {
        t.write(|w| {
            let _ = equal(w.reader(), copied, copied);
            let _ = print::to_edn(w.reader(), copied);
        });
    }
    t.abort(false);
}

fn read_value(r: Reader, value: u64) {
    let _ = print::to_edn(r, value);
    let _ = hash_word(r, value);
    let _ = coll::check(r, value);
    let _ = coll::count(r, value);
    for key in [
        NIL,
        word::from_int(0).unwrap(),
        word::from_int(977).unwrap(),
        word::from_int(1099).unwrap(),
        word::string(b"short"),
    ] {
        let _ = coll::get(r, value, key);
        let _ = word::int(key).map(|i| coll::nth(r, value, i as u64));
    }
    let _ = coll::lookup::get_text(r, value, b"AaBBAaAaAa");
    let _ = value::text_of(r, value);
    read_sorted(r, value);
    let Ok(items) = Iter::new(r, value) else { return };
    let bound = items.remaining() + 1;
    let mut steps = 0;
    for item in items {
        steps += 1;
        let Ok((key, element)) = item else { break };
        if steps > FIRST {
            continue;
        }
        let _ = coll::get(r, value, key);
        let _ = print::to_edn(r, element);
        let _ = hash_word(r, element);
        let _ = equal(r, key, element);
        let _ = value::text_of(r, key);
    }
    assert!(steps <= bound, "an iteration goes on beyond the count");
}

/// Seeks and ranges, by a comparator that answers anything if the order has a name.
fn read_sorted(r: Reader, value: u64) {
    if !sorted::is_sorted(r, value).unwrap_or(false) {
        return;
    }
    let mut compare = |a: u64, b: u64| Ok(a.cmp(&b));
    for key in [
        NIL,
        word::from_int(977).unwrap(),
        word::from_int(40_000).unwrap(),
        word::string(b"short"),
    ] {
        let _ = sorted::get(r, value, key, Some(&mut compare));
        for which in [Seek::Before, Seek::AtMost, Seek::AtLeast, Seek::Beyond] {
            let _ = sorted::seek(r, value, which, key, Some(&mut compare));
        }
        for backward in [false, true] {
            let (from, to) = (Bound::Excluded(key), Bound::Unbounded);
            let Ok(range) = sorted::range(r, value, from, to, backward, Some(&mut compare)) else {
                continue;
            };
            let bound = range.remaining() + 1;
            assert!(range.count() <= bound, "a range goes on beyond its count");
        }
    }
    for i in [0, 7, 600] {
        let _ = sorted::nth(r, value, i);
    }
}

/// One operation of each kind on each atom, each committed.
fn write_all(s: &Slab) {
    let _ = s.intern(0, Some(b"new"), b"name");
    let _ = s.intern(1, None, b"plain");
    let Ok(names) = s.snapshot().map(|snap| atoms(snap.reader(), snap.view().state)) else {
        return;
    };
    let (zero, five) = (word::from_int(0).unwrap(), word::from_int(5).unwrap());
    let steps: [(Op, &[u64]); 8] = [
        (Op::Assoc, &[zero, five]),
        (Op::Conj, &[five]),
        (Op::Dissoc, &[zero]),
        (Op::Disj, &[five]),
        (Op::Pop, &[]),
        (Op::Add, &[five]),
        (Op::Conj, &[zero, five, NIL, five]),
        (Op::Reset, &[zero]),
    ];
    for (name, _) in names.into_iter().take(CHANGED) {
        for (op, args) in steps {
            let Ok(mut t) = Txn::begin(s, None) else { return };
            let Ok(Some(value)) = t.get(name) else { break };
            if let Ok(Some(new)) = t.write(|w| apply(w, 0, value, op, args)) {
                let _ = t.set(name, new);
            }
            if t.commit(false).is_err() {
                break;
            }
        }
    }
}
