//! Level 2: reading values. Words that are pointers must belong to a version that the caller keeps pinned.

use super::guard::{bytes, copy_out, guard, required, store};
use super::slab::slab;
use super::table::Table;
use super::*;
use crate::coll::{self, iter::Iter, sorted};
use crate::error::{Error, Result};
use crate::slab::mapping::Reader;
use crate::value::{self, print, word};
use crate::Slab;
use std::ffi::{c_char, CStr};

/// An iterator keeps its slab open; the version must be kept pinned by the caller.
struct OpenIter {
    // `entries` borrows from `slab`'s mapping, which stays while `slab` does; it is declared first, so dropped first.
    entries: OpenEntries<'static>,
    slab: Slab,
}

/// What an iterator goes over.
#[allow(clippy::large_enum_variant, reason = "both are large, and lie in a table")]
pub(super) enum OpenEntries<'a> {
    /// A whole collection.
    All(Iter<'a>),
    /// A range of a sorted one.
    Range(sorted::Range<'a>),
}

/// Keeps the iterator that `f` makes.
pub(super) fn open_iter<'f>(
    slab: &Slab,
    f: impl FnOnce(Reader<'static>) -> Result<OpenEntries<'static>> + 'f,
) -> Result<EveIter> {
    let slab = slab.clone();
    // SAFETY: the mapping that the reader borrows lives behind `slab`'s Arc, which OpenIter keeps as long as the iterator.
    let reader = unsafe { std::mem::transmute::<Reader<'_>, Reader<'static>>(slab.reader()) };
    let entries = f(reader)?;
    ITERS.insert(OpenIter { entries, slab })
}

static ITERS: Table<OpenIter> = Table::new(4);

/// Kind of value: nil.
pub const EVE_NIL: u32 = 0;
/// Kind of value: true or false.
pub const EVE_BOOL: u32 = 1;
/// Kind of value: an integer of 64 bits.
pub const EVE_INT: u32 = 2;
/// Kind of value: a double.
pub const EVE_DOUBLE: u32 = 3;
/// Kind of value: a char.
pub const EVE_CHAR: u32 = 4;
/// Kind of value: a string.
pub const EVE_STRING: u32 = 5;
/// Kind of value: a keyword.
pub const EVE_KEYWORD: u32 = 6;
/// Kind of value: a symbol.
pub const EVE_SYMBOL: u32 = 7;
/// Kind of value: a big integer.
pub const EVE_BIGINT: u32 = 8;
/// Kind of value: a ratio.
pub const EVE_RATIO: u32 = 9;
/// Kind of value: a decimal.
pub const EVE_DECIMAL: u32 = 10;
/// Kind of value: a UUID.
pub const EVE_UUID: u32 = 11;
/// Kind of value: an instant in ms.
pub const EVE_DATE: u32 = 12;
/// Kind of value: an instant in seconds and nanoseconds.
pub const EVE_INSTANT: u32 = 13;
/// Kind of value: a byte array.
pub const EVE_BYTES: u32 = 14;
/// Kind of value: a map.
pub const EVE_MAP: u32 = 15;
/// Kind of value: a set.
pub const EVE_SET: u32 = 16;
/// Kind of value: a vector.
pub const EVE_VECTOR: u32 = 17;
/// Kind of value: a list.
pub const EVE_LIST: u32 = 18;

/// Clojure's hash of the value.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_hash(slab: EveSlab, value: EveWord, out: *mut u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || store(out, value::hash_word(self::slab(slab)?.reader(), value)?)) }
}

/// Clojure's `=` of two values: 1 or 0.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_equal(
    slab: EveSlab,
    a: EveWord,
    b: EveWord,
    out: *mut i32,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, value::equal(self::slab(slab)?.reader(), a, b)? as i32)
        })
    }
}

/// What kind of value it is: EVE_NIL, EVE_BOOL, ....
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_kind(slab: EveSlab, value: EveWord, out: *mut u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, word::kind(self::slab(slab)?.reader(), value)? as u32)
        })
    }
}

/// Number of elements or entries of a collection; 0 for nil.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_count(slab: EveSlab, coll: EveWord, out: *mut u64, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, coll::count(self::slab(slab)?.reader(), coll)? as u64)
        })
    }
}

/// # Safety
/// `out` is NULL or valid.
unsafe fn found(out: *mut EveWord, value: Option<u64>) -> Result<EveStatus> {
    match value {
        // SAFETY: the caller's promise.
        Some(v) => unsafe { store(out, v) },
        None => Ok(EVE_NOT_FOUND),
    }
}

/// Value under a key of a map, member of a set, element of a vector (an integer key). EVE_NOT_FOUND if there is none.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_get(
    slab: EveSlab,
    coll: EveWord,
    key: EveWord,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            found(out, coll::get(self::slab(slab)?.reader(), coll, key)?)
        })
    }
}

/// The same with the key as a build buffer (docs/format.md, section 4).
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_get_key(
    slab: EveSlab,
    coll: EveWord,
    buffer: *const u8,
    len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let s = self::slab(slab)?;
            found(out, crate::txn::ops::get_built(&s, coll, bytes(buffer, len)?)?)
        })
    }
}

/// The same for a string key of `len` bytes of UTF-8.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_get_string(
    slab: EveSlab,
    coll: EveWord,
    utf8: *const c_char,
    len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            found(
                out,
                coll::lookup::get_text(self::slab(slab)?.reader(), coll, bytes(utf8.cast(), len)?)?,
            )
        })
    }
}

/// The same for a keyword key, "name" or "ns/name", NUL-terminated.
///
/// # Safety
/// Pointers are NULL or valid; `name` is NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn eve_get_keyword(
    slab: EveSlab,
    coll: EveWord,
    name: *const c_char,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            required(name)?;
            let s = self::slab(slab)?;
            let (ns, name) = split_name(CStr::from_ptr(name).to_bytes());
            match value::symbol::find(s.map(), 0, ns, name)? {
                Some(k) => found(out, coll::get(s.reader(), coll, k)?),
                None => Ok(EVE_NOT_FOUND),
            }
        })
    }
}

/// "ns/name" -> (ns, name), as Clojure's `keyword` reads it: split at the first slash, and a lone "/" is a name.
fn split_name(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match text.iter().position(|&b| b == b'/') {
        Some(i) if i > 0 && text.len() > 1 => (Some(&text[..i]), &text[i + 1..]),
        _ => (None, text),
    }
}

/// Element `index` of a vector or list. EVE_NOT_FOUND beyond its end.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_nth(
    slab: EveSlab,
    coll: EveWord,
    index: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            found(out, coll::nth(self::slab(slab)?.reader(), coll, index)?)
        })
    }
}

/// A 64-bit integer. EVE_E_TYPE if the value isn't one.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_to_i64(slab: EveSlab, value: EveWord, out: *mut i64, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, value::number::to_i64(self::slab(slab)?.reader(), value)?)
        })
    }
}

/// A double, or an integer as a double. EVE_E_TYPE if the value is neither.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_to_f64(slab: EveSlab, value: EveWord, out: *mut f64, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, value::number::to_f64(self::slab(slab)?.reader(), value)?)
        })
    }
}

/// A boolean: 1 or 0. EVE_E_TYPE if the value isn't one.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_to_bool(slab: EveSlab, value: EveWord, out: *mut i32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            self::slab(slab)?;
            let b = word::to_bool(value).ok_or_else(|| Error::type_("a boolean is needed"))?;
            store(out, b as i32)
        })
    }
}

/// Text of a string, or "name" or "ns/name" of a keyword or symbol: copies min(cap, length) bytes of UTF-8, without a NUL, and gives the length.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_text(
    slab: EveSlab,
    value: EveWord,
    buf: *mut c_char,
    cap: u64,
    len: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            copy_out(
                &value::text_of(self::slab(slab)?.reader(), value)?,
                buf.cast(),
                cap,
                len,
            )
        })
    }
}

/// Content of a byte array: copies min(cap, length) bytes and gives the length.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_bytes(
    slab: EveSlab,
    value: EveWord,
    buf: *mut u8,
    cap: u64,
    len: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            copy_out(
                &value::scalar::bytes_of(self::slab(slab)?.reader(), value)?,
                buf,
                cap,
                len,
            )
        })
    }
}

/// The value as EDN, as Clojure's `pr-str`: copies min(cap, length) bytes of UTF-8, without a NUL, and gives the length.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_print(
    slab: EveSlab,
    value: EveWord,
    buf: *mut c_char,
    cap: u64,
    len: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            copy_out(
                print::to_edn(self::slab(slab)?.reader(), value)?.as_bytes(),
                buf.cast(),
                cap,
                len,
            )
        })
    }
}

/// An iterator over a collection (nil: over nothing). The caller keeps the version pinned and closes the iterator.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_iter_open(
    slab: EveSlab,
    coll: EveWord,
    out: *mut EveIter,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let slab = self::slab(slab)?;
            store(out, open_iter(&slab, |r| Iter::new(r, coll).map(OpenEntries::All))?)
        })
    }
}

/// The next entry, or EVE_END. Of vectors, lists and sets `key` is the element and `value` nil. Either pointer may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_iter_next(
    iter: EveIter,
    key: *mut EveWord,
    value: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let mut open = ITERS.get_alone(iter)?;
            open.slab.check()?;
            let next = match &mut open.entries {
                OpenEntries::All(iter) => iter.next(),
                OpenEntries::Range(range) => range.next(),
            };
            let Some(entry) = next else {
                return Ok(EVE_END);
            };
            let (k, v) = entry?;
            for (out, word) in [(key, k), (value, v)] {
                if !out.is_null() {
                    store(out, word)?;
                }
            }
            Ok(EVE_OK)
        })
    }
}

/// Ends the iterator.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_iter_close(iter: EveIter, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || ITERS.remove(iter).map(|()| EVE_OK)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::word::Kind;

    #[test]
    fn the_constants_are_the_kinds() {
        let kinds = [
            (EVE_NIL, Kind::Nil),
            (EVE_BOOL, Kind::Bool),
            (EVE_INT, Kind::Int),
            (EVE_DOUBLE, Kind::Double),
            (EVE_CHAR, Kind::Char),
            (EVE_STRING, Kind::String),
            (EVE_KEYWORD, Kind::Keyword),
            (EVE_SYMBOL, Kind::Symbol),
            (EVE_BIGINT, Kind::BigInt),
            (EVE_RATIO, Kind::Ratio),
            (EVE_DECIMAL, Kind::Decimal),
            (EVE_UUID, Kind::Uuid),
            (EVE_DATE, Kind::Date),
            (EVE_INSTANT, Kind::Instant),
            (EVE_BYTES, Kind::Bytes),
            (EVE_MAP, Kind::Map),
            (EVE_SET, Kind::Set),
            (EVE_VECTOR, Kind::Vector),
            (EVE_LIST, Kind::List),
        ];
        assert!(kinds.iter().all(|&(c, k)| c == k as u32));
    }
}
