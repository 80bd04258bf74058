//! get, set, update: the value of an atom, or a place in it.

use crate::out::{self, Failure, Outcome};
use crate::{dump, edn, json};
use clap::{Args, ValueEnum};
use eve::coll;
use eve::slab::layout::*;
use eve::slab::writer::Writer;
use eve::txn::ops::{self, Op};
use eve::value::build;
use eve::value::number;
use eve::value::word::{kind, Kind};
use eve::{transact, Error, Result, Slab, Snapshot};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Prints the value of an atom, or what lies in it under a path of keys
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve get app.slab :counter\n  eve get app.slab :users '[42 :name]'\n  eve get --json app.slab :users"
)]
pub struct Get {
    /// The slab
    file: PathBuf,
    /// The atom's name, in EDN
    atom: String,
    /// A vector of keys and indices, in EDN
    #[arg(default_value = "[]")]
    path: String,
    /// Print JSON (keywords become texts)
    #[arg(long)]
    json: bool,
}

/// Sets an atom, or a place in it; makes the atom, and maps on the way, where there are none
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve set app.slab :counter '[]' 0\n  eve set app.slab :users '[42 :name]' '\"Ada\"'"
)]
pub struct Set {
    /// The slab
    file: PathBuf,
    /// The atom's name, in EDN
    atom: String,
    /// A vector of keys and indices, in EDN; [] is the atom's whole value
    #[arg(allow_hyphen_values = true)]
    path: String,
    /// The new value, in EDN
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Print version and value as JSON
    #[arg(long)]
    json: bool,
}

/// Changes an atom, or a place in it, by a function of the old value, and prints the new one
#[derive(Args)]
#[command(
    after_help = "Examples:\n  eve update app.slab :counter '[]' inc\n  eve update app.slab :counter '[]' + 10\n  \
eve update app.slab :users '[42]' assoc :name '\"Ada\"' :age 36\n  eve update app.slab :log '[]' conj '{:at 1}'"
)]
pub struct Update {
    /// The slab
    file: PathBuf,
    /// The atom's name, in EDN
    atom: String,
    /// A vector of keys and indices, in EDN; [] is the atom's whole value
    path: String,
    /// The function, as Clojure has it
    function: Function,
    /// Its further arguments, in EDN
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Print version and value as JSON
    #[arg(long)]
    json: bool,
}

/// What `update` can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Function {
    /// One more
    Inc,
    /// One less
    Dec,
    /// Sum with the arguments
    #[value(name = "+")]
    Plus,
    /// Difference
    #[value(name = "-")]
    Minus,
    /// Product
    #[value(name = "*")]
    Times,
    /// The largest
    Max,
    /// The smallest
    Min,
    /// With the arguments as further elements or entries
    Conj,
    /// Without these elements (sets)
    Disj,
    /// Without the last element (vectors) or the first (lists)
    Pop,
    /// With these keys and values
    Assoc,
    /// Without these keys
    Dissoc,
    /// With the entries of these maps
    Merge,
    /// true for false and nil, else false
    Not,
}

/// A value and what keeps it readable.
pub struct Place {
    pub snapshot: Snapshot,
    pub word: u64,
}

/// The atom's name and the keys, as build buffers.
pub fn parse(atom: &str, path: &str) -> Outcome<Vec<Vec<u8>>> {
    let mut all = vec![edn::one(atom)?];
    all.extend(edn::elements(path)?);
    Ok(all)
}

/// The value under `path`, whose first key is the atom's name; None if there is none.
pub fn find(slab: &Slab, path: &[Vec<u8>]) -> Result<Option<Place>> {
    let snapshot = slab.snapshot()?;
    let mut word = snapshot.view().state;
    for key in path {
        match ops::get_built(slab, word, key)? {
            Some(next) => word = next,
            None => return Ok(None),
        }
    }
    Ok(Some(Place { snapshot, word }))
}

fn nothing(slab: &Slab, atom: &str, path: &[Vec<u8>]) -> Outcome<Failure> {
    if find(slab, &path[..1])?.is_none() {
        return Ok(Failure::no(format!(
            "there is no atom {atom}; `eve stat` lists the atoms"
        )));
    }
    Ok(Failure::no(format!("the atom {atom} has nothing under that path")))
}

impl Get {
    pub fn run(self) -> Outcome {
        let path = parse(&self.atom, &self.path)?;
        let slab = out::read(&self.file)?;
        let Some(place) = find(&slab, &path)? else {
            return Err(nothing(&slab, &self.atom, &path)?);
        };
        let mut out = out::stdout();
        let r = place.snapshot.reader();
        if self.json {
            json::write(r, place.word, &mut out)?;
        } else {
            dump::write_edn(r, place.word, &mut out)?;
        }
        writeln!(out)?;
        Ok(out.flush()?)
    }
}

/// Applies `f` to the value under `path` in the atom, until it commits; version and new value.
fn change(slab: &Slab, path: &[Vec<u8>], f: impl Fn(&mut Writer, u64) -> Result<u64>) -> Result<(u64, Place)> {
    let changed = transact(slab, |t| {
        let keys = t.write(|w| path.iter().map(|k| build::value(w, k)).collect::<Result<Vec<_>>>())?;
        let old = t.get(keys[0])?.unwrap_or(NIL);
        let new = t.write(|w| change_in(w, old, &keys[1..], &f))?;
        t.set(keys[0], new)
    })?;
    let place = find(slab, path)?.ok_or_else(|| Error::arg("somebody else has removed the value again"))?;
    Ok((changed.1.version, place))
}

fn change_in(w: &mut Writer, old: u64, keys: &[u64], f: &impl Fn(&mut Writer, u64) -> Result<u64>) -> Result<u64> {
    let Some((&key, rest)) = keys.split_first() else {
        return f(w, old);
    };
    let inner = coll::get(w.reader(), old, key)?.unwrap_or(NIL);
    let inner = change_in(w, inner, rest, f)?;
    ops::apply(w, 0, old, Op::Assoc, &[key, inner])?.ok_or_else(|| {
        Error::type_("the path leads through a value that has no such places: keys belong to maps, indices up to the count to vectors")
    })
}

/// Takes the place, so that nothing is pinned any more when the slab is closed.
fn report(json: bool, quiet: bool, version: u64, place: Place) -> Outcome {
    let mut out = out::stdout();
    let r = place.snapshot.reader();
    if json {
        write!(out, "{{\"version\":{version},\"value\":")?;
        json::write(r, place.word, &mut out)?;
        writeln!(out, "}}")?;
    } else if !quiet {
        dump::write_edn(r, place.word, &mut out)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

impl Set {
    pub fn run(self) -> Outcome {
        let path = parse(&self.atom, &self.path)?;
        let value = edn::one(&self.value)?;
        let slab = out::open(&self.file)?;
        let (version, place) = change(&slab, &path, |w, _| build::value(w, &value))?;
        report(self.json, true, version, place)?;
        Ok(slab.close()?)
    }
}

impl Update {
    pub fn run(self) -> Outcome {
        let path = parse(&self.atom, &self.path)?;
        let arguments: Vec<Vec<u8>> = self
            .arguments
            .iter()
            .map(|a| edn::one(a))
            .collect::<std::result::Result<_, _>>()?;
        check_count(self.function, arguments.len())?;
        let slab = out::open(&self.file)?;
        if find(&slab, &path[..1])?.is_none() {
            return Err(Failure::no(format!(
                "there is no atom {}: make it with `eve set`",
                self.atom
            )));
        }
        let (version, place) = change(&slab, &path, |w, old| {
            let words = arguments
                .iter()
                .map(|a| build::value(w, a))
                .collect::<Result<Vec<_>>>()?;
            apply(w, self.function, old, &words)
        })?;
        report(self.json, false, version, place)?;
        Ok(slab.close()?)
    }
}

fn check_count(f: Function, n: usize) -> Outcome {
    use Function::*;
    let wanted = match f {
        Inc | Dec | Pop | Not if n > 0 => "no further arguments",
        Assoc if n == 0 || n % 2 != 0 => "keys and values in turn",
        Conj | Disj | Dissoc | Merge | Plus | Minus | Times | Max | Min if n == 0 => "one further argument or more",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("{} takes {wanted}", name(f))))
}

fn name(f: Function) -> String {
    f.to_possible_value().expect("all have a name").get_name().to_owned()
}

fn apply(w: &mut Writer, f: Function, old: u64, arguments: &[u64]) -> Result<u64> {
    use Function::*;
    let one = eve::value::word::from_int(1).expect("small");
    let fold = |w: &mut Writer| arguments.iter().try_fold(old, |x, &y| arithmetic(w, f, x, y));
    let op = match f {
        Inc => return arithmetic(w, Plus, old, one),
        Dec => return arithmetic(w, Minus, old, one),
        Plus | Minus | Times | Max | Min => return fold(w),
        Not => return Ok(if matches!(old, NIL | FALSE) { TRUE } else { FALSE }),
        Conj => Op::Conj,
        Merge => {
            for &m in arguments {
                if !matches!(kind(w.reader(), m)?, Kind::Map | Kind::Nil) {
                    return Err(Error::type_("merge takes maps"));
                }
            }
            let old = if old == NIL { EMPTY_MAP } else { old };
            let merged = ops::apply(w, 0, old, Op::Conj, arguments)?.filter(|_| kind(w.reader(), old) == Ok(Kind::Map));
            return merged.ok_or_else(|| Error::type_("merge changes maps, and this value is none"));
        }
        Disj => Op::Disj,
        Pop => Op::Pop,
        Assoc => Op::Assoc,
        Dissoc => Op::Dissoc,
    };
    ops::apply(w, 0, old, op, arguments)?.ok_or_else(|| {
        let found = kind(w.reader(), old).map_or("this value".into(), |k| format!("{k:?}").to_lowercase());
        Error::type_(format!(
            "{} does not apply to a value of type {found} with these arguments",
            name(f)
        ))
    })
}

/// Integers as far as they go, doubles as soon as there is one.
fn arithmetic(w: &mut Writer, f: Function, x: u64, y: u64) -> Result<u64> {
    use Function::*;
    let r = w.reader();
    let needed = |_| Error::type_(format!("{} takes integers of at most 64 bits and doubles", name(f)));
    if let (Some(a), Some(b)) = (number::as_i64(r, x)?, number::as_i64(r, y)?) {
        let result = match f {
            Plus => a.checked_add(b),
            Minus => a.checked_sub(b),
            Times => a.checked_mul(b),
            Max => Some(a.max(b)),
            _ => Some(a.min(b)),
        };
        let result =
            result.ok_or_else(|| Error::type_(format!("{} overflows: the result has more than 64 bits", name(f))))?;
        return number::make_i64(w, result);
    }
    let (a, b) = (
        number::to_f64(r, x).map_err(needed)?,
        number::to_f64(r, y).map_err(needed)?,
    );
    let result = match f {
        Plus => a + b,
        Minus => a - b,
        Times => a * b,
        Max => return Ok(if a >= b { x } else { y }),
        _ => return Ok(if a <= b { x } else { y }),
    };
    number::make_f64(w, result)
}

/// Atoms with their words, in the order of the state map.
pub fn all(snapshot: &Snapshot) -> Result<Vec<(u64, u64)>> {
    coll::iter::Iter::new(snapshot.reader(), snapshot.view().state)?.collect()
}

/// Kind and count of a value, for reports.
pub fn describe(snapshot: &Snapshot, word: u64) -> Result<(String, Option<usize>)> {
    let r = snapshot.reader();
    let kind = kind(r, word)?;
    let count = match kind {
        Kind::Map | Kind::Set | Kind::Vector | Kind::List => Some(coll::count(r, word)?),
        _ => None,
    };
    Ok((format!("{kind:?}").to_lowercase(), count))
}

/// One atom of a report.
pub fn atom_json(snapshot: &Snapshot, name: u64, word: u64) -> Result<serde_json::Value> {
    let (kind, count) = describe(snapshot, word)?;
    let name = eve::value::print::to_edn(snapshot.reader(), name)?;
    Ok(json!({"name": name, "type": kind, "count": count}))
}
