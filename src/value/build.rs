//! Build buffers into values: `docs/format.md`, section 4.
//!
//! The buffer is not trusted. An error says what is wrong and at which byte; objects that were made before it stay in the transaction, which frees them when it
//! ends.

pub use super::build_buffer::BuildBuffer;

use super::hashing::hash_key;
use super::word::{self, Kind};
use super::{bignum, copy, deeper, number, scalar, symbol, text};
use crate::coll::{list, map, set, sorted, vector};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::writer::{Token, Writer, PERSISTENT};

/// The op bytes.
pub mod op {
    #![allow(missing_docs, reason = "the format describes them")]
    pub const NIL: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const INT: u8 = 3;
    pub const DOUBLE: u8 = 4;
    pub const CHAR: u8 = 5;
    pub const STRING: u8 = 6;
    pub const KEYWORD: u8 = 7;
    pub const SYMBOL: u8 = 8;
    pub const BIGINT: u8 = 9;
    pub const RATIO: u8 = 10;
    pub const DECIMAL: u8 = 11;
    pub const UUID: u8 = 12;
    pub const DATE: u8 = 13;
    pub const INSTANT: u8 = 14;
    pub const BYTES: u8 = 15;
    pub const VECTOR: u8 = 16;
    pub const LIST: u8 = 17;
    pub const SET: u8 = 18;
    pub const MAP: u8 = 19;
    pub const WORD: u8 = 20;
    pub const FOREIGN: u8 = 21;
    pub const SORTED_SET: u8 = 22;
    pub const SORTED_MAP: u8 = 23;
}

/// Length of a namespace that isn't there.
pub(super) const NO_NAMESPACE: u16 = u16::MAX;

/// The one value that `buffer` holds. `Buffer` if it is malformed or has more.
pub fn value(w: &mut Writer, buffer: &[u8]) -> Result<u64> {
    let mut d = Decoder::new(buffer);
    let value = d.value(w, 0)?;
    if d.at < buffer.len() {
        return Err(Error::buffer("bytes follow the value", d.at));
    }
    Ok(value)
}

/// Arguments of one operation that need no allocation.
const FEW: usize = 8;

/// Runs `f` with all values that `buffer` holds, one after the other.
pub fn with_values<T>(w: &mut Writer, buffer: &[u8], f: impl FnOnce(&mut Writer, &[u64]) -> Result<T>) -> Result<T> {
    let mut d = Decoder::new(buffer);
    let (mut few, mut n) = ([0; FEW], 0);
    while d.at < buffer.len() && n < FEW {
        few[n] = d.value(w, 0)?;
        n += 1;
    }
    if d.at == buffer.len() {
        return f(w, &few[..n]);
    }
    let mut many = few.to_vec();
    while d.at < buffer.len() {
        many.push(d.value(w, 0)?);
    }
    f(w, &many)
}

/// A value that is refused is wrong at its op byte.
#[cold]
fn located(e: Error, op: u8, at: usize) -> Error {
    match e {
        Error::Arg(d) => Error::buffer(d.what, at),
        Error::Corrupt(d) if op == op::WORD => Error::buffer(d.what, at),
        other => other,
    }
}

struct Decoder<'b> {
    buffer: &'b [u8],
    at: usize,
    /// One for all collections of the buffer, as each is complete before it is put into another. 0 until it is needed.
    token: Token,
}

impl<'b> Decoder<'b> {
    fn new(buffer: &'b [u8]) -> Decoder<'b> {
        Decoder {
            buffer,
            at: 0,
            token: PERSISTENT,
        }
    }

    /// Token for a collection of `n` elements.
    fn token(&mut self, w: &mut Writer, n: usize) -> Token {
        if n > 1 && self.token == PERSISTENT {
            self.token = w.new_token();
        }
        self.token
    }

    fn take(&mut self, n: usize) -> Result<&'b [u8]> {
        match self.buffer.get(self.at..).and_then(|rest| rest.get(..n)) {
            Some(bytes) => {
                self.at += n;
                Ok(bytes)
            }
            None => Err(Error::buffer("the buffer ends within a value", self.buffer.len())),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were taken"))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes whose number stands before them.
    fn counted(&mut self) -> Result<&'b [u8]> {
        let n = self.u32()?;
        self.take(n as usize)
    }

    /// A count of things that take at least `least` bytes each.
    fn count(&mut self, least: usize) -> Result<usize> {
        let at = self.at;
        let n = self.u32()? as usize;
        if n > (self.buffer.len() - self.at) / least {
            return Err(Error::buffer("a count is larger than the rest of the buffer", at));
        }
        Ok(n)
    }

    fn value(&mut self, w: &mut Writer, depth: usize) -> Result<u64> {
        let at = self.at;
        let op = self.u8()?;
        match op {
            op::VECTOR | op::LIST | op::SET => self.elements(w, op, at, depth),
            op::MAP => self.map(w, at, depth),
            op::SORTED_SET | op::SORTED_MAP => self.sorted(w, op, at, depth),
            _ => self.scalar(w, op).map_err(|e| located(e, op, at)),
        }
    }

    #[inline(never)]
    fn scalar(&mut self, w: &mut Writer, op: u8) -> Result<u64> {
        match op {
            op::NIL => Ok(NIL),
            op::TRUE => Ok(TRUE),
            op::FALSE => Ok(FALSE),
            op::INT => number::make_i64(w, self.u64()? as i64),
            op::DOUBLE => number::make_f64(w, f64::from_bits(self.u64()?)),
            op::CHAR => self.u16().map(word::from_char),
            op::STRING => text::make(w, self.counted()?),
            op::KEYWORD => self.symbol(w, symbol::KEYWORD_KIND),
            op::SYMBOL => self.symbol(w, symbol::SYMBOL_KIND),
            op::BIGINT => number::make_bigint(w, self.bigint()?),
            op::RATIO => {
                let parts = [self.integer()?, self.integer()?];
                number::make_ratio(w, &parts[0], &parts[1])
            }
            op::DECIMAL => {
                let scale = self.u32()? as i32;
                let unscaled = self.integer()?;
                number::make_decimal(w, &unscaled, scale)
            }
            op::UUID => {
                let high = self.u64()?;
                scalar::make_uuid(w, high, self.u64()?)
            }
            op::DATE => scalar::make_date(w, self.u64()? as i64),
            op::INSTANT => {
                let seconds = self.u64()? as i64;
                scalar::make_instant(w, seconds, self.u32()?)
            }
            op::BYTES => scalar::make_bytes(w, self.counted()?),
            op::WORD => {
                let word = self.u64()?;
                check_word(w, word)?;
                Ok(word)
            }
            op::FOREIGN => {
                let version = self.u64()?;
                copy::import_version(w, version, self.u64()?)
            }
            _ => Err(Error::buffer("an unknown op", self.at - 1)),
        }
    }

    fn symbol(&mut self, w: &mut Writer, kind: u8) -> Result<u64> {
        let namespace = match self.u16()? {
            NO_NAMESPACE => None,
            n => Some(self.take(n as usize)?),
        };
        let n = self.u16()?;
        let name = self.take(n as usize)?;
        intern(w, kind, namespace, name)
    }

    /// Bytes of a big integer, which have one form only.
    fn bigint(&mut self) -> Result<&'b [u8]> {
        let bytes = self.counted()?;
        if !bignum::is_minimal(bytes) {
            return Err(Error::arg("a big integer is empty or longer than need be"));
        }
        Ok(bytes)
    }

    /// Part of a ratio or decimal.
    fn integer(&mut self) -> Result<Vec<u8>> {
        let at = self.at;
        match self.u8()? {
            op::INT => Ok(bignum::from_i64(self.u64()? as i64)),
            op::BIGINT => self.bigint().map(<[u8]>::to_vec),
            _ => Err(Error::buffer("a part of a ratio or decimal is no integer", at)),
        }
    }

    #[inline(never)]
    fn elements(&mut self, w: &mut Writer, op: u8, at: usize, depth: usize) -> Result<u64> {
        let depth = self.deeper(depth, at)?;
        let n = self.count(1)?;
        if op == op::SET {
            return self.set(w, n, depth);
        }
        // Not more at once: nested counts may all claim the whole buffer.
        let mut words = Vec::with_capacity(n.min(1024));
        for _ in 0..n {
            words.push(self.value(w, depth)?);
        }
        if op == op::VECTOR {
            vector::from_words(w, &words)
        } else {
            list::from_words(w, &words)
        }
    }

    #[inline(never)]
    fn set(&mut self, w: &mut Writer, n: usize, depth: usize) -> Result<u64> {
        let token = self.token(w, n);
        let mut s = EMPTY_SET;
        for _ in 0..n {
            let element = self.value(w, depth)?;
            s = add_element(w, token, s, element)?;
        }
        Ok(s)
    }

    #[inline(never)]
    fn map(&mut self, w: &mut Writer, at: usize, depth: usize) -> Result<u64> {
        let depth = self.deeper(depth, at)?;
        let n = self.count(2)?;
        let token = self.token(w, n);
        let mut m = EMPTY_MAP;
        for _ in 0..n {
            let key = self.value(w, depth)?;
            let value = self.value(w, depth)?;
            m = add_entry(w, token, m, key, value)?;
        }
        Ok(m)
    }

    #[inline(never)]
    fn sorted(&mut self, w: &mut Writer, op: u8, at: usize, depth: usize) -> Result<u64> {
        let depth = self.deeper(depth, at)?;
        let order = self.order(w)?;
        let is_map = op == op::SORTED_MAP;
        let n = self.count(1 + is_map as usize)?;
        // Not more at once: as for vectors.
        let mut entries = Vec::with_capacity(n.min(1024));
        for _ in 0..n {
            let key = self.value(w, depth)?;
            let value = if is_map { self.value(w, depth)? } else { NIL };
            entries.push([key, value]);
        }
        if is_map {
            sorted::map_of(w, PERSISTENT, order, entries)
        } else {
            sorted::set_of(w, PERSISTENT, order, entries)
        }
    }

    /// The order of a sorted collection.
    #[inline(never)]
    fn order(&mut self, w: &mut Writer) -> Result<u64> {
        let at = self.at;
        let op = self.u8()?;
        let order = self.scalar(w, op)?;
        sorted::check_order(order).map_err(|e| located(e, op, at))?;
        Ok(order)
    }

    fn deeper(&self, depth: usize, at: usize) -> Result<usize> {
        deeper(depth).map_err(|e| match depth {
            DEPTH_MAX => Error::buffer("values are nested deeper than 1024 levels", at),
            _ => e,
        })
    }
}

// Not inlined: their room must not stand in the frames of the recursion (V4).

#[inline(never)]
fn add_element(w: &mut Writer, token: Token, s: u64, element: u64) -> Result<u64> {
    let hash = hash_key(w, element)?;
    set::conj(w, token, s, element, hash)
}

#[inline(never)]
fn add_entry(w: &mut Writer, token: Token, m: u64, key: u64, value: u64) -> Result<u64> {
    let hash = hash_key(w, key)?;
    map::assoc(w, token, m, key, hash, value)
}

/// The keyword (kind 0) or symbol (kind 1) of that name, for a transaction.
pub fn intern(w: &mut Writer, kind: u8, namespace: Option<&[u8]>, name: &[u8]) -> Result<u64> {
    let map = w.memory().map;
    if let Some(word) = symbol::find(map, kind, namespace, name)? {
        return Ok(word);
    }
    let (memory, alloc) = w.allocator();
    symbol::intern(memory, alloc, kind, namespace, name)
}

/// Is `word` an immediate that makes sense, or an object that the transaction of `w` may link? Else `Arg` or `Corrupt`.
pub fn check_word(w: &Writer, word: u64) -> Result<()> {
    let r = w.reader();
    if !is_pointer(word) {
        return match word::immediate_kind(word) {
            Some(Kind::Keyword | Kind::Symbol) => symbol::check(r, word),
            Some(_) => Ok(()),
            None => Err(Error::arg("a word is no value")),
        };
    }
    let node = r.node(word)?;
    let h = node.header();
    if word::object_kind(header_kind(h)).is_none() {
        return Err(Error::arg("a word points to no value"));
    }
    if !w.is_mine(node) && (header_fresh(h) || header_birth(h) > w.version()) {
        return Err(Error::arg(
            "a word is of another transaction or of a later version; import it",
        ));
    }
    Ok(())
}
