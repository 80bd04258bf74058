//! Random programs of transactions over nested values, beside a model in `std` collections. After each commit the slab holds what the model
//! holds, and what is allocated is what is reachable.

use eve::coll::{map, sorted, vector};
use eve::slab::layout::*;
use eve::slab::writer::{Token, Writer};
use eve::value::{hash_word, print, text, word};
use eve::{Result, Slab, Txn};
use proptest::prelude::*;
use std::collections::btree_map::{BTreeMap, Entry};

mod support;

#[derive(Clone, Debug, PartialEq)]
enum Model {
    Int(i64),
    Text(String),
    Vector(Vec<Model>),
    Map(BTreeMap<i64, Model>),
    Sorted(BTreeMap<String, Model>),
}

/// A change at a key of an atom's map.
#[derive(Clone, Debug)]
enum Step {
    Int(i64),
    Text(u32),
    Delete,
    /// Into the map under the key, which is made if something else is there.
    Inner(i64, u32),
    /// At the end of the vector under the key.
    Push(u32),
    /// In the vector, if there is one.
    Replace(usize, u32),
    Pop,
    /// So many entries from a number on into the sorted map under the key, whose keys are texts.
    Sort(u32, u32, u32),
    /// So many out of it.
    Unsort(u32, u32),
}

#[derive(Clone, Debug)]
struct Commit {
    /// With one edit token for all steps, or each step persistent.
    transient: bool,
    abort: bool,
    steps: Vec<(usize, i64, Step)>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5i64).prop_map(Step::Int),
        any::<u32>().prop_map(Step::Text),
        Just(Step::Delete),
        (0..60i64, any::<u32>()).prop_map(|(k, t)| Step::Inner(k, t)),
        any::<u32>().prop_map(Step::Push),
        (0..80usize, any::<u32>()).prop_map(|(i, t)| Step::Replace(i, t)),
        Just(Step::Pop),
        (0..300u32, 1..80u32, any::<u32>()).prop_map(|(k, n, t)| Step::Sort(k, n, t)),
        (0..300u32, 1..80u32).prop_map(|(k, n)| Step::Unsort(k, n)),
    ]
}

fn commit() -> impl Strategy<Value = Commit> {
    let steps = prop::collection::vec((0..3usize, 0..24i64, step()), 1..12);
    (any::<bool>(), prop::bool::weighted(0.1), steps).prop_map(|(transient, abort, steps)| Commit {
        transient,
        abort,
        steps,
    })
}

fn long(n: u32) -> String {
    format!("a text that is no immediate {n}")
}

fn make(w: &mut Writer, n: u32) -> Result<u64> {
    text::make(w, long(n).as_bytes())
}

fn int(i: i64) -> u64 {
    word::from_int(i).expect("small")
}

fn assoc(w: &mut Writer, token: Token, m: u64, k: i64, v: u64) -> Result<u64> {
    let hash = hash_word(w.reader(), int(k))?;
    map::assoc(w, token, m, int(k), hash, v)
}

fn at(w: &Writer, m: u64, k: i64) -> Result<Option<u64>> {
    map::get(w.reader(), m, int(k), hash_word(w.reader(), int(k))?)
}

fn is(w: &Writer, value: Option<u64>, kinds: [u8; 2], empty: u64) -> Option<u64> {
    value.filter(|&v| v == empty || is_pointer(v) && kinds.contains(&w.reader().node(v).unwrap().kind()))
}

/// The steps on the sorted map `old`, if it is one. None: nothing changes.
fn sort(w: &mut Writer, token: Token, old: Option<u64>, model: Entry<i64, Model>, step: &Step) -> Result<Option<u64>> {
    let old = is(w, old, [SORTED_MAP, SORTED_MAP], NIL);
    let (from, n) = match *step {
        Step::Sort(from, n, _) | Step::Unsort(from, n) => (from, n),
        _ => unreachable!("steps on sorted maps"),
    };
    if old.is_none() && matches!(step, Step::Unsort(..)) {
        return Ok(None);
    }
    let slot = model.or_insert(Model::Int(0));
    if old.is_none() {
        *slot = Model::Sorted(BTreeMap::new());
    }
    let Model::Sorted(inner) = slot else {
        panic!("the model has a sorted map")
    };
    let mut new = match old {
        Some(m) => m,
        None => sorted::empty_map(w, NIL)?,
    };
    for i in from..from + n {
        let key = make(w, i)?;
        if let Step::Sort(_, _, t) = *step {
            let value = make(w, t)?;
            new = sorted::assoc(w, token, new, key, value, None)?;
            inner.insert(long(i), Model::Text(long(t)));
        } else {
            new = sorted::dissoc(w, token, new, key, None)?;
            inner.remove(&long(i));
        }
    }
    Ok(Some(new))
}

/// The same step on the map `m` in the slab and on `model`.
fn run(w: &mut Writer, token: Token, m: u64, model: &mut BTreeMap<i64, Model>, k: i64, step: &Step) -> Result<u64> {
    let old = at(w, m, k)?;
    let old_map = is(w, old, [ARRAY_MAP, MAP], EMPTY_MAP);
    let old_vector = is(w, old, [VECTOR, VECTOR], EMPTY_VECTOR);
    let new = match *step {
        Step::Int(i) => {
            model.insert(k, Model::Int(i));
            int(i)
        }
        Step::Text(n) => {
            model.insert(k, Model::Text(long(n)));
            make(w, n)?
        }
        Step::Delete => {
            model.remove(&k);
            let hash = hash_word(w.reader(), int(k))?;
            return map::dissoc(w, token, m, int(k), hash);
        }
        Step::Inner(j, n) => {
            let value = make(w, n)?;
            if old_map.is_none() {
                model.insert(k, Model::Map(BTreeMap::new()));
            }
            let Some(Model::Map(inner)) = model.get_mut(&k) else {
                panic!("the model has a map")
            };
            inner.insert(j, Model::Text(long(n)));
            assoc(w, token, old_map.unwrap_or(EMPTY_MAP), j, value)?
        }
        Step::Sort(..) | Step::Unsort(..) => match sort(w, token, old, model.entry(k), step)? {
            Some(new) => new,
            None => return Ok(m),
        },
        Step::Push(n) => {
            let value = make(w, n)?;
            if old_vector.is_none() {
                model.insert(k, Model::Vector(Vec::new()));
            }
            let Some(Model::Vector(inner)) = model.get_mut(&k) else {
                panic!("the model has a vector")
            };
            inner.push(Model::Text(long(n)));
            vector::conj(w, token, old_vector.unwrap_or(EMPTY_VECTOR), value)?
        }
        Step::Replace(i, n) => {
            let (Some(v), Some(Model::Vector(inner))) = (old_vector, model.get_mut(&k)) else {
                return Ok(m);
            };
            if i >= inner.len() {
                return Ok(m);
            }
            let value = make(w, n)?;
            inner[i] = Model::Text(long(n));
            vector::assoc(w, token, v, i, value)?
        }
        Step::Pop => {
            let (Some(v), Some(Model::Vector(inner))) = (old_vector, model.get_mut(&k)) else {
                return Ok(m);
            };
            if inner.pop().is_none() {
                return Ok(m);
            }
            vector::pop(w, token, v)?
        }
    };
    assoc(w, token, m, k, new)
}

fn edn(m: &Model) -> String {
    match m {
        Model::Int(i) => i.to_string(),
        Model::Text(t) => format!("\"{t}\""),
        Model::Vector(v) => format!("[{}]", v.iter().map(edn).collect::<Vec<_>>().join(" ")),
        Model::Sorted(m) => {
            let entries: Vec<_> = m.iter().map(|(k, v)| format!("\"{k}\" {}", edn(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Model::Map(m) => {
            let mut entries: Vec<_> = m.iter().map(|(k, v)| format!("{k} {}", edn(v))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// The value in the slab as [`edn`] writes it, entries sorted.
fn stored(s: &Slab, value: u64) -> String {
    let snapshot = s.snapshot().unwrap();
    let r = snapshot.reader();
    if value == EMPTY_MAP || is_pointer(value) && [ARRAY_MAP, MAP].contains(&r.node(value).unwrap().kind()) {
        let mut entries: Vec<String> = eve::coll::iter::Iter::new(r, value)
            .unwrap()
            .map(|e| {
                let (k, v) = e.unwrap();
                format!("{} {}", print::to_edn(r, k).unwrap(), stored(s, v))
            })
            .collect();
        entries.sort();
        return format!("{{{}}}", entries.join(", "));
    }
    print::to_edn(r, value).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_program_leaves_what_the_model_has_and_nothing_else(program in prop::collection::vec(commit(), 1..24)) {
        let s = Slab::anonymous(&eve::Options::default()).unwrap();
        let names: Vec<u64> = ["a", "b", "c"].iter().map(|n| s.intern(0, None, n.as_bytes()).unwrap()).collect();
        let mut model: Vec<BTreeMap<i64, Model>> = vec![BTreeMap::new(); 3];
        for c in &program {
            let mut now = model.clone();
            let mut txn = Txn::begin(&s, None).unwrap();
            let token = if c.transient { txn.write(|w| w.new_token()) } else { 0 };
            for (a, k, step) in &c.steps {
                let m = txn.get(names[*a]).unwrap().unwrap_or(EMPTY_MAP);
                let new = txn.write(|w| run(w, token, m, &mut now[*a], *k, step)).unwrap();
                txn.set(names[*a], new).unwrap();
            }
            if c.abort {
                txn.abort(false);
            } else {
                prop_assert!(matches!(txn.commit(false).unwrap(), eve::Outcome::Committed(_)));
                model = now;
            }
            support::assert_exact(&s);
            let mut check = Txn::begin(&s, None).unwrap();
            for (name, m) in names.iter().zip(&model) {
                let value = check.get(*name).unwrap().unwrap_or(EMPTY_MAP);
                prop_assert_eq!(stored(&s, value), edn(&Model::Map(m.clone())));
            }
        }
    }
}
