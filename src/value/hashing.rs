//! The hash of any value: Clojure's `hasheq`.

use super::number::{self, Number};
use super::walk::Walk;
use super::{deeper, hash, items, word};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::Writer;

/// Clojure's hash of the value `word`. `Limit` if it is nested too deep.
#[inline]
pub fn hash_word(r: Reader, word: u64) -> Result<u32> {
    hash_with(r, word, |kind| {
        hash_collection(r, word, kind, deeper(0)?, &mut Walk::default())
    })
}

/// The same in a walk, `depth` collections down.
#[inline]
pub(super) fn hash_at(r: Reader, word: u64, depth: usize, walk: &mut Walk) -> Result<u32> {
    hash_with(r, word, |kind| hash_collection(r, word, kind, deeper(depth)?, walk))
}

/// The same; a collection that the writer's transaction has made remembers it. For keys, which are hashed again and again.
pub fn hash_key(w: &Writer, word: u64) -> Result<u32> {
    let h = hash_word(w.reader(), word)?;
    if is_pointer(word) {
        let node = w.reader().node(word)?;
        if let Some(place) = hash_place(node.kind()) {
            if w.is_mine(node) {
                let node = w.memory().map.node_mut(word);
                let mask = (u32::MAX as u64) << place.shift;
                node.set(place.word, node.word(place.word) & !mask | (h as u64) << place.shift);
            }
        }
    }
    Ok(h)
}

/// Where a collection's head keeps its hash: a half of a word.
#[derive(Clone, Copy)]
struct HashPlace {
    word: usize,
    shift: u32,
}

fn hash_place(kind: u8) -> Option<HashPlace> {
    match kind {
        ARRAY_MAP | MAP | SET | LIST | SORTED_MAP | SORTED_SET => Some(HashPlace { word: 1, shift: 32 }),
        VECTOR => Some(HashPlace { word: 5, shift: 0 }),
        _ => None,
    }
}

/// The hash that the head of a collection knows, 0 if none.
#[inline]
pub(crate) fn known_hash(node: Node) -> u32 {
    hash_place(node.kind()).map_or(0, |p| (node.word(p.word) >> p.shift) as u32)
}

/// `unknown` gives the hash of a collection, of that kind, that doesn't know it.
#[inline]
fn hash_with(r: Reader, word: u64, unknown: impl FnOnce(u8) -> Result<u32>) -> Result<u32> {
    if let Some(i) = word::int(word) {
        return Ok(hash::hash_long(i) as u32);
    }
    if let Some(s) = word::symbol(word) {
        return Ok(s.hash);
    }
    if !is_pointer(word) {
        return hash_immediate(word).ok_or_else(|| Error::corrupt("a word is no value", word));
    }
    let node = r.node(word)?;
    match node.kind() {
        TEXT => Ok(node.low(1)),
        ARRAY_MAP | MAP | SET | VECTOR | LIST | SORTED_MAP | SORTED_SET => match known_hash(node) {
            0 => unknown(node.kind()),
            h => Ok(h),
        },
        _ => hash_object(r, node),
    }
}

/// Hash of a word that is neither a pointer nor an integer, keyword or symbol.
fn hash_immediate(word: u64) -> Option<u32> {
    let hash = match word {
        NIL => 0,
        TRUE => hash::hash_bool(true),
        FALSE => hash::hash_bool(false),
        EMPTY_MAP | EMPTY_SET => hash::UnorderedHash::new().finish(),
        EMPTY_VECTOR | EMPTY_LIST => hash::OrderedHash::new().finish(),
        _ => {
            if let Some(x) = word::double(word) {
                hash::hash_double(x)
            } else if let Some(text) = word::short_text(word) {
                hash::hash_string(text.as_bytes())
            } else {
                hash::hash_char(word::char_unit(word)?)
            }
        }
    };
    Some(hash as u32)
}

#[inline(never)]
fn hash_object(r: Reader, node: Node) -> Result<u32> {
    let word = node.offset();
    let hash = match node.kind() {
        I64 => hash::hash_long(node.word(1) as i64),
        F64 => hash::hash_double(f64::from_bits(node.word(1))),
        BIGINT | BYTES => return Ok(node.high(1)),
        UUID => hash::hash_uuid(node.word(1), node.word(2)),
        DATE => hash::hash_date(node.word(1) as i64),
        INSTANT => hash::hash_instant(node.word(1) as i64, node.low(2)),
        RATIO | DECIMAL => match number::read(r, word)? {
            Some(Number::Ratio(n, d)) => hash::hash_ratio(&n, &d),
            Some(Number::Decimal(unscaled, scale)) => hash::hash_decimal(&unscaled, scale),
            _ => return Err(Error::corrupt("a number changed while it was read", word)),
        },
        _ => return Err(Error::corrupt("an object is no value", word)),
    };
    Ok(hash as u32)
}

#[inline(never)]
fn hash_collection(r: Reader, word: u64, kind: u8, depth: usize, walk: &mut Walk) -> Result<u32> {
    if let Some(hash) = walk.hash(word) {
        return Ok(hash);
    }
    let start = walk.steps();
    let items = items(r, word)?;
    let hash = match kind {
        VECTOR | LIST => {
            let mut h = hash::OrderedHash::new();
            for item in items {
                walk.step();
                h.push(hash_at(r, item?.0, depth, walk)? as i32);
            }
            h.finish()
        }
        SET | SORTED_SET => {
            let mut h = hash::UnorderedHash::new();
            for item in items {
                walk.step();
                h.push(hash_at(r, item?.0, depth, walk)? as i32);
            }
            h.finish()
        }
        _ => {
            let mut h = hash::UnorderedHash::new();
            for item in items {
                walk.step();
                let (k, v) = item?;
                h.push(hash::hash_map_entry(
                    hash_at(r, k, depth, walk)? as i32,
                    hash_at(r, v, depth, walk)? as i32,
                ));
            }
            h.finish()
        }
    };
    walk.hashed(start, word, hash as u32);
    Ok(hash as u32)
}
