//! UUIDs, dates, instants and byte arrays.

use super::hash;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Writer, PERSISTENT};

/// First and last second of `java.time.Instant`.
pub(crate) const SECONDS: std::ops::RangeInclusive<i64> = -31_557_014_167_219_200..=31_556_889_864_403_199;

/// A UUID of its most and least significant 64 bits.
pub fn make_uuid(w: &mut Writer, high: u64, low: u64) -> Result<u64> {
    let node = w.alloc(UUID, 32, None, PERSISTENT)?;
    node.set(1, high);
    node.set(2, low);
    node.set(3, 0);
    Ok(node.offset())
}

/// The most and least significant 64 bits of a UUID.
pub fn uuid(r: Reader, word: u64) -> Result<(u64, u64)> {
    let node = object(r, word, UUID, "a UUID is needed")?;
    Ok((node.word(1), node.word(2)))
}

/// An instant in ms since 1970 (`java.util.Date`).
pub fn make_date(w: &mut Writer, ms: i64) -> Result<u64> {
    let node = w.alloc(DATE, 16, None, PERSISTENT)?;
    node.set(1, ms as u64);
    Ok(node.offset())
}

/// Milliseconds since 1970 of a date.
pub fn date(r: Reader, word: u64) -> Result<i64> {
    Ok(object(r, word, DATE, "a date is needed")?.word(1) as i64)
}

/// An instant in seconds since 1970 and nanoseconds (`java.time.Instant`). `Arg` if that class can't hold it.
pub fn make_instant(w: &mut Writer, seconds: i64, nanos: u32) -> Result<u64> {
    if !SECONDS.contains(&seconds) || nanos >= 1_000_000_000 {
        return Err(Error::arg("an instant is out of range"));
    }
    let node = w.alloc(INSTANT, 32, None, PERSISTENT)?;
    node.set(1, seconds as u64);
    node.set(2, nanos as u64);
    node.set(3, 0);
    Ok(node.offset())
}

/// Seconds since 1970 and nanoseconds of an instant.
pub fn instant(r: Reader, word: u64) -> Result<(i64, u32)> {
    let node = object(r, word, INSTANT, "an instant is needed")?;
    Ok((node.word(1) as i64, node.low(2)))
}

/// A byte array.
pub fn make_bytes(w: &mut Writer, bytes: &[u8]) -> Result<u64> {
    if bytes.len() > i32::MAX as usize {
        return Err(Error::limit("a byte array has more than 2147483647 bytes"));
    }
    let size = 16 + bytes.len();
    let node = w.alloc(BYTES, size, None, PERSISTENT)?;
    node.set_halves(1, bytes.len() as u32, hash::hash_bytes(bytes) as u32);
    node.put_bytes(16, bytes, size);
    Ok(node.offset())
}

/// Content of a byte array. `Type` if `word` isn't one.
pub fn bytes_of(r: Reader, word: u64) -> Result<Vec<u8>> {
    let node = object(r, word, BYTES, "a byte array is needed")?;
    Ok(r.bytes(node, 16, node.low(1) as usize)?.to_vec())
}

/// Do two BYTES objects have the same content?
pub(super) fn same_bytes(r: Reader, a: Node, b: Node) -> Result<bool> {
    if a.word(1) != b.word(1) {
        return Ok(false);
    }
    let len = a.low(1) as usize;
    Ok(r.bytes(a, 16, len)?.same(&r.bytes(b, 16, len)?))
}

fn object<'a>(r: Reader<'a>, word: u64, kind: u8, what: &'static str) -> Result<Node<'a>> {
    if is_pointer(word) {
        let node = r.node(word)?;
        if node.kind() == kind {
            return Ok(node);
        }
    }
    Err(Error::type_(what))
}
