//! Operations by number: what a runtime asks for in one call instead of one a step.

use super::{Outcome, Txn};
use crate::coll::{iter::Iter, list, map, set, vector};
use crate::error::{Error, Result};
use crate::handle::{Slab, View};
use crate::slab::layout::*;
use crate::slab::writer::{Token, Writer};
use crate::value::word::{kind, Kind};
use crate::value::{build, hash_word, number, word};

/// An operation on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Arguments: the new value.
    Reset,
    /// Arguments: key and value pairs; on a vector index and value pairs.
    Assoc,
    /// Arguments: keys.
    Dissoc,
    /// Arguments: elements; on a map [key value] vectors or maps.
    Conj,
    /// Arguments: elements.
    Disj,
    /// No arguments.
    Pop,
    /// Arguments: one integer.
    Add,
}

impl Op {
    /// The operation of that number in the C ABI.
    pub fn from_code(code: u32) -> Result<Op> {
        use Op::*;
        [Reset, Assoc, Dissoc, Conj, Disj, Pop, Add]
            .get(code as usize)
            .copied()
            .ok_or_else(|| Error::arg("unknown operation"))
    }
}

/// Applies `op` to `coll`. None if the operation isn't defined for that kind of value and these arguments: nothing was changed then
/// that the caller can see (with a token other than 0 the transient may be half changed).
pub fn apply(w: &mut Writer, token: Token, coll: u64, op: Op, args: &[u64]) -> Result<Option<u64>> {
    // One token for all steps: what the first step has copied, the next ones edit in place.
    let token = if token == 0 && args.len() > 2 {
        w.new_token()
    } else {
        token
    };
    match op {
        Op::Reset => Ok((args.len() == 1).then(|| args[0])),
        Op::Assoc => assoc(w, token, coll, args),
        Op::Dissoc => dissoc(w, token, coll, args),
        Op::Conj => conj(w, token, coll, args),
        Op::Disj => match kind(w.reader(), coll)? {
            Kind::Set => fold(w, coll, args, |w, s, x| {
                let h = hash_word(w.reader(), x)?;
                set::disj(w, token, s, x, h).map(Some)
            }),
            Kind::Nil => Ok(Some(NIL)),
            _ => Ok(None),
        },
        Op::Pop => pop(w, token, coll, args),
        Op::Add => add(w, coll, args),
    }
}

/// [`apply`] with arguments that build buffer `args` describes.
pub fn apply_built(w: &mut Writer, token: Token, coll: u64, op: Op, args: &[u8]) -> Result<Option<u64>> {
    build::with_values(w, args, |w, args| apply(w, token, coll, op, args))
}

fn fold(
    w: &mut Writer,
    start: u64,
    args: &[u64],
    mut f: impl FnMut(&mut Writer, u64, u64) -> Result<Option<u64>>,
) -> Result<Option<u64>> {
    let mut coll = start;
    for &x in args {
        match f(w, coll, x)? {
            Some(c) => coll = c,
            None => return Ok(None),
        }
    }
    Ok(Some(coll))
}

fn assoc(w: &mut Writer, token: Token, coll: u64, args: &[u64]) -> Result<Option<u64>> {
    if args.is_empty() || args.len() % 2 != 0 {
        return Ok(None);
    }
    let coll = if coll == NIL { EMPTY_MAP } else { coll };
    let mut out = coll;
    match kind(w.reader(), coll)? {
        Kind::Map => {
            for p in args.chunks_exact(2) {
                let hash = hash_word(w.reader(), p[0])?;
                out = map::assoc(w, token, out, p[0], hash, p[1])?;
            }
        }
        Kind::Vector => {
            for p in args.chunks_exact(2) {
                let count = vector::count(w.reader(), out)? as i64;
                match word::int(p[0]) {
                    Some(i) if i == count => out = vector::conj(w, token, out, p[1])?,
                    Some(i) if (0..count).contains(&i) => out = vector::assoc(w, token, out, i as usize, p[1])?,
                    _ => return Ok(None),
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(out))
}

fn dissoc(w: &mut Writer, token: Token, coll: u64, args: &[u64]) -> Result<Option<u64>> {
    match kind(w.reader(), coll)? {
        Kind::Nil => Ok(Some(NIL)),
        Kind::Map => fold(w, coll, args, |w, m, k| {
            let hash = hash_word(w.reader(), k)?;
            map::dissoc(w, token, m, k, hash).map(Some)
        }),
        _ => Ok(None),
    }
}

fn conj(w: &mut Writer, token: Token, coll: u64, args: &[u64]) -> Result<Option<u64>> {
    let coll = if coll == NIL && !args.is_empty() {
        EMPTY_LIST
    } else {
        coll
    };
    match kind(w.reader(), coll)? {
        Kind::Map => fold(w, coll, args, |w, m, x| conj_entry(w, token, m, x)),
        Kind::Set => fold(w, coll, args, |w, s, x| {
            let hash = hash_word(w.reader(), x)?;
            set::conj(w, token, s, x, hash).map(Some)
        }),
        Kind::Vector => fold(w, coll, args, |w, v, x| vector::conj(w, token, v, x).map(Some)),
        Kind::List => fold(w, coll, args, |w, l, x| list::conj(w, l, x).map(Some)),
        _ => Ok(None),
    }
}

/// Clojure's conj on a map: nil, a [key value] vector, or a map.
fn conj_entry(w: &mut Writer, token: Token, m: u64, x: u64) -> Result<Option<u64>> {
    let r = w.reader();
    match kind(r, x)? {
        Kind::Nil => Ok(Some(m)),
        Kind::Vector if vector::count(r, x)? == 2 => {
            let (Some(k), Some(v)) = (vector::nth(r, x, 0)?, vector::nth(r, x, 1)?) else {
                return Ok(None);
            };
            let hash = hash_word(r, k)?;
            map::assoc(w, token, m, k, hash, v).map(Some)
        }
        Kind::Map => {
            let mut out = m;
            for entry in Iter::new(r, x)? {
                let (k, v) = entry?;
                let hash = hash_word(r, k)?;
                out = map::assoc(w, token, out, k, hash, v)?;
            }
            Ok(Some(out))
        }
        _ => Ok(None),
    }
}

fn pop(w: &mut Writer, token: Token, coll: u64, args: &[u64]) -> Result<Option<u64>> {
    let r = w.reader();
    match kind(r, coll)? {
        _ if !args.is_empty() => Ok(None),
        Kind::Vector if vector::count(r, coll)? > 0 => vector::pop(w, token, coll).map(Some),
        Kind::List if coll != EMPTY_LIST => list::rest(r, coll).map(Some),
        _ => Ok(None),
    }
}

fn add(w: &mut Writer, value: u64, args: &[u64]) -> Result<Option<u64>> {
    let r = w.reader();
    let integer = |x| number::as_i64(r, x);
    let (Some(a), [b]) = (integer(value)?, args) else {
        return Ok(None);
    };
    let Some(sum) = integer(*b)?.and_then(|b| a.checked_add(b)) else {
        return Ok(None);
    };
    number::make_i64(w, sum).map(Some)
}

/// What [`swap`] did.
#[derive(Clone, Copy, Debug)]
pub struct Swapped {
    /// The new version.
    pub view: View,
    /// The atom's value before; it can be read if the call was made with a group.
    pub old: u64,
    /// The atom's value now.
    pub new: u64,
}

/// The whole of `swap!`: applies `op` with the arguments of build buffer `args` to the atom named `atom`, until it commits.
/// Ok(None): the operation doesn't apply. Err(NotFound...) if there is no such atom.
pub fn swap(slab: &Slab, group: Option<u32>, atom: u64, op: Op, args: &[u8]) -> Result<Option<Option<Swapped>>> {
    loop {
        let mut txn = Txn::begin(slab, group)?;
        let Some(old) = txn.get(atom)? else { return Ok(None) };
        let Some(new) = txn.write(|w| apply_built(w, 0, old, op, args))? else {
            return Ok(Some(None));
        };
        txn.set(atom, new)?;
        if let Outcome::Committed(view) = txn.commit(false)? {
            return Ok(Some(Some(Swapped { view, old, new })));
        }
    }
}

/// The end of a transaction in one step: applies `op` to `coll`, binds the atom named `atom` to the result, and commits. The outcome and the
/// atom's value; None if the operation doesn't apply. The transaction has ended in any case. Not synced, as [`Txn::commit_unsynced`].
pub(crate) fn finish(
    mut txn: Txn,
    atom: u64,
    coll: u64,
    op: Op,
    args: &[u8],
    escaped: bool,
) -> Result<Option<(Outcome, u64)>> {
    let result = txn.write(|w| apply_built(w, 0, coll, op, args));
    let result = result.and_then(|new| match new {
        Some(new) => txn.set(atom, new).map(|()| Some(new)),
        None => Ok(None),
    });
    match result {
        Ok(Some(new)) => Ok(Some((txn.commit_unsynced(escaped)?, new))),
        other => {
            txn.abort(escaped);
            other.map(|_| None)
        }
    }
}

/// Value under the key that build buffer `key` describes. The key is built in a transaction that is given up.
pub fn get_built(slab: &Slab, coll: u64, key: &[u8]) -> Result<Option<u64>> {
    let mut txn = Txn::scratch(slab, None)?;
    txn.write(|w| {
        let key = build::value(w, key)?;
        crate::coll::get(w.reader(), coll, key)
    })
}
