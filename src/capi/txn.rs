//! Level 2 and 3: transactions, building values, atoms.

use super::guard::{bytes, guard, required, store};
use super::slab::slab;
use super::table::{Exclusive, Table};
use super::*;
use crate::coll::{list, map, set, vector};
use crate::error::{Error, Result};
use crate::slab::writer::Writer;
use crate::txn::ops::{apply_built, finish, swap, Op};
use crate::value::{build, copy, hash_word};
use crate::{Outcome, Txn};

static TXNS: Table<Txn> = Table::new(3);

/// Operation of `eve_swap`: the value becomes the argument.
pub const EVE_OP_RESET: u32 = 0;
/// Operation: key and value pairs into a map, index and value pairs into a vector.
pub const EVE_OP_ASSOC: u32 = 1;
/// Operation: keys out of a map.
pub const EVE_OP_DISSOC: u32 = 2;
/// Operation: elements into a collection, as Clojure's conj.
pub const EVE_OP_CONJ: u32 = 3;
/// Operation: elements out of a set.
pub const EVE_OP_DISJ: u32 = 4;
/// Operation: the last element of a vector or the first of a list out.
pub const EVE_OP_POP: u32 = 5;
/// Operation: an integer is added to an integer.
pub const EVE_OP_ADD: u32 = 6;

/// What `eve_swap` did.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveSwapped {
    /// The new version.
    pub view: EveView,
    /// The atom's value before; readable only if the call was made with a group.
    pub old_value: EveWord,
    /// The atom's value now.
    pub value: EveWord,
}

fn txn(handle: EveTxn) -> Result<Exclusive<Txn>> {
    let t = TXNS.get_alone(handle)?;
    t.slab().check()?;
    Ok(t)
}

/// Runs `f` with the writer of transaction `handle` and stores its word.
///
/// # Safety
/// `out` and `err` are NULL or valid.
pub(super) unsafe fn with_writer(
    handle: EveTxn,
    out: *mut EveWord,
    err: *mut EveError,
    f: impl FnOnce(&mut Writer) -> Result<u64>,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            store(out, txn(handle)?.write(f)?)
        })
    }
}

/// Begins a transaction on the current version. `group`: a pin group to which every version that the transaction sees or makes is added, so that
/// handles that escape stay valid; 0 for none. `base` may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_begin(
    slab: EveSlab,
    group: u32,
    out: *mut EveTxn,
    base: *mut EveView,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let s = self::slab(slab)?;
            let t = Txn::begin(&s, group_of(group))?;
            if !base.is_null() {
                store(base, t.base().into())?;
            }
            store(out, TXNS.insert(t)?)
        })
    }
}

/// The group of that number; 0: none.
fn group_of(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

/// Value of the atom named `atom`, as the transaction has left it. EVE_NOT_FOUND if there is none. The commit will depend on it.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_get(txn: EveTxn, atom: EveWord, out: *mut EveWord, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            match self::txn(txn)?.get(atom)? {
                Some(v) => store(out, v),
                None => Ok(EVE_NOT_FOUND),
            }
        })
    }
}

/// Sets the atom named `atom`; makes it if there is none. `value` is a word that the transaction has read, made or imported.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_set(txn: EveTxn, atom: EveWord, value: EveWord, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || self::txn(txn)?.set(atom, value).map(|()| EVE_OK)) }
}

/// Removes the atom named `atom`.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_remove(txn: EveTxn, atom: EveWord, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || self::txn(txn)?.remove(atom).map(|()| EVE_OK)) }
}

/// Commits. EVE_OK: `view` (may be NULL) is the new version, or the base if nothing changed. EVE_CONFLICT: run it again. Either way, and after an
/// error, the transaction has ended, without effect unless the error is EVE_E_NOT_DURABLE. `escaped`: 1 if handles to objects that it made may
/// still be used (needs a group).
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_commit(
    txn: EveTxn,
    escaped: u32,
    view: *mut EveView,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let t = TXNS.take(txn)?;
            let slab = t.slab().clone();
            slab.check()?;
            let Outcome::Committed(v) = t.commit_unsynced(escaped != 0)? else {
                return Ok(EVE_CONFLICT);
            };
            committed(&slab, v, view)
        })
    }
}

/// Stores the view of a commit that was made, if it is wanted, and sees to what `sync_mode` asks for.
///
/// # Safety
/// `view` is NULL or writable.
unsafe fn committed(slab: &crate::Slab, v: crate::View, view: *mut EveView) -> Result<EveStatus> {
    if !view.is_null() {
        // SAFETY: the caller's promise.
        unsafe { store(view, v.into())? };
    }
    slab.committed(&v).map(|()| EVE_OK)
}

/// The end of a transaction in one call: eve_txn_apply of an operation to `coll` (not used by EVE_OP_RESET, which builds a value), eve_txn_set of the
/// result, eve_txn_commit. Outcomes as theirs; `value` is the atom's value, `view` and it may be NULL. The transaction has ended in any case.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_finish(
    txn: EveTxn,
    atom: EveWord,
    coll: EveWord,
    op: u32,
    args: *const u8,
    len: u64,
    escaped: u32,
    view: *mut EveView,
    value: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let t = TXNS.take(txn)?;
            let slab = t.slab().clone();
            slab.check()?;
            let (op, args) = match (Op::from_code(op), bytes(args, len)) {
                (Ok(op), Ok(args)) => (op, args),
                (Err(e), _) | (_, Err(e)) => {
                    t.abort(escaped != 0);
                    return Err(e);
                }
            };
            let (v, word) = match finish(t, atom, coll, op, args, escaped != 0)? {
                Some((Outcome::Committed(v), word)) => (v, word),
                Some((Outcome::Conflict, _)) => return Ok(EVE_CONFLICT),
                None => return Ok(EVE_RERUN),
            };
            if !value.is_null() {
                store(value, word)?;
            }
            committed(&slab, v, view)
        })
    }
}

/// Gives the transaction up. `escaped` as in `eve_txn_commit`.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_abort(txn: EveTxn, escaped: u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            TXNS.take(txn)?.abort(escaped != 0);
            Ok(EVE_OK)
        })
    }
}

/// Builds one value from a build buffer (docs/format.md, section 4).
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_build(
    txn: EveTxn,
    buffer: *const u8,
    len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| build::value(w, bytes(buffer, len)?)) }
}

/// A value of `version`, which the caller keeps pinned, for use in the transaction: linked if that is its base, else copied.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_import(
    txn: EveTxn,
    version: u64,
    word: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| copy::import_version(w, version, word)) }
}

/// A new edit token: operations with it change what other operations with it have made in place (Clojure's transients). 0 is no token.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_token(txn: EveTxn, out: *mut u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || store(out, self::txn(txn)?.write(|w| w.new_token()))) }
}

/// A map with `key` bound to `value`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_map_assoc(
    txn: EveTxn,
    token: u32,
    map: EveWord,
    key: EveWord,
    value: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            map::assoc(w, token, map, key, hash_word(w.reader(), key)?, value)
        })
    }
}

/// A map without `key`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_map_dissoc(
    txn: EveTxn,
    token: u32,
    map: EveWord,
    key: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            map::dissoc(w, token, map, key, hash_word(w.reader(), key)?)
        })
    }
}

/// A set with `key`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_set_conj(
    txn: EveTxn,
    token: u32,
    set: EveWord,
    key: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            set::conj(w, token, set, key, hash_word(w.reader(), key)?)
        })
    }
}

/// A set without `key`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_set_disj(
    txn: EveTxn,
    token: u32,
    set: EveWord,
    key: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            set::disj(w, token, set, key, hash_word(w.reader(), key)?)
        })
    }
}

/// A vector with `value` at its end.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_vec_conj(
    txn: EveTxn,
    token: u32,
    vec: EveWord,
    value: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| vector::conj(w, token, vec, value)) }
}

/// A vector with `value` at `index`, which is at most its count.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_vec_assoc(
    txn: EveTxn,
    token: u32,
    vec: EveWord,
    index: u64,
    value: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        with_writer(txn, out, err, |w| {
            let count = vector::count(w.reader(), vec)? as u64;
            match index.cmp(&count) {
                std::cmp::Ordering::Less => vector::assoc(w, token, vec, index as usize, value),
                std::cmp::Ordering::Equal => vector::conj(w, token, vec, value),
                std::cmp::Ordering::Greater => Err(Error::arg("the index is beyond the vector's end")),
            }
        })
    }
}

/// A vector without its last element. EVE_E_ARG if it is empty.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_vec_pop(
    txn: EveTxn,
    token: u32,
    vec: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| vector::pop(w, token, vec)) }
}

/// A list with `value` before its first element.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_list_conj(
    txn: EveTxn,
    list: EveWord,
    value: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { with_writer(txn, out, err, |w| list::conj(w, list, value)) }
}

/// Applies an operation (EVE_OP_...) to a value; `args` is a build buffer of any number of values. EVE_RERUN if it isn't defined for that
/// kind of value and these arguments.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_txn_apply(
    txn: EveTxn,
    token: u32,
    coll: EveWord,
    op: u32,
    args: *const u8,
    len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let op = Op::from_code(op)?;
            let args = bytes(args, len)?;
            let result = self::txn(txn)?.write(|w| apply_built(w, token, coll, op, args))?;
            match result {
                Some(word) => store(out, word),
                None => Ok(EVE_RERUN),
            }
        })
    }
}

/// A whole swap in one call: applies an operation to the value of the atom named `atom` and commits, trying again as long as others come first.
/// EVE_NOT_FOUND: no such atom. EVE_RERUN: the operation doesn't apply; nothing happened.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_swap(
    slab: EveSlab,
    group: u32,
    atom: EveWord,
    op: u32,
    args: *const u8,
    len: u64,
    out: *mut EveSwapped,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let s = self::slab(slab)?;
            match swap(&s, group_of(group), atom, Op::from_code(op)?, bytes(args, len)?)? {
                None => Ok(EVE_NOT_FOUND),
                Some(None) => Ok(EVE_RERUN),
                Some(Some(x)) => store(
                    out,
                    EveSwapped {
                        view: x.view.into(),
                        old_value: x.old,
                        value: x.new,
                    },
                ),
            }
        })
    }
}
