//! Keywords and symbols: the slab's insert-only table of names.
//!
//! The table belongs to no version. It has two parts: a trie from name to SYMBOL object, whose CAS decides which of several writers of one name
//! wins, and chunks from id to SYMBOL object, by which readers find the name of a word. Everything is filled while it is private, given the header
//! of an IMMORTAL object born at version 0, and published by one CAS; a loser frees what is its own and uses the winner's.
//!
//! The id is taken before the trie's CAS, so the count that a superblock saves covers every symbol that a committed value uses; the id of a loser
//! stays without an entry. A winner may be killed before it sets the entry: whoever finds the symbol sets it, before using its word (V3).
//!
//! `docs/format.md`: the trie takes 6 bits of the word's hash a level, 6 levels. Symbols that agree in all 32 bits fill a node below those from
//! its first place on; when one comes that doesn't fit, the last place becomes a further such node.

use super::word::{self, from_symbol};
use super::{hash, text, utf8::TextInfo};
use crate::epoch::Shared;
use crate::error::{Error, Result};
use crate::slab::alloc::{Allocator, Memory};
use crate::slab::free::mend;
use crate::slab::layout::*;
use crate::slab::mapping::{Mapping, Node, Reader};
use std::sync::atomic::Ordering::*;

/// Kind of keywords.
pub const KEYWORD_KIND: u8 = 0;
/// Kind of symbols.
pub const SYMBOL_KIND: u8 = 1;
/// Bytes of a namespace or name, at most: the build buffer has 16 bits for them and one number for "none".
pub const NAME_MAX: usize = 0xFFFE;

/// Places of a trie node.
const WIDTH: usize = 64;
const BITS: u32 = 6;
/// Levels that use the hash.
const LEVELS: usize = 6;
/// Offset of the slots in nodes, chunks and directory.
const SLOTS: u64 = 16;
const SYMBOL_SIZE: usize = 32;

/// A name to look for.
struct Name<'a> {
    kind: u8,
    namespace: Option<(&'a [u8], TextInfo)>,
    name: (&'a [u8], TextInfo),
    /// Hash of the symbol, also for a keyword.
    symbol_hash: u32,
}

impl<'a> Name<'a> {
    fn new(kind: u8, namespace: Option<&'a [u8]>, name: &'a [u8]) -> Result<Name<'a>> {
        if kind > SYMBOL_KIND {
            return Err(Error::arg("the kind of a symbol is 0 (keyword) or 1 (symbol)"));
        }
        if namespace.map_or(0, <[u8]>::len).max(name.len()) > NAME_MAX {
            return Err(Error::limit("a keyword or symbol has a name of more than 65534 bytes"));
        }
        Ok(Name {
            kind,
            namespace: namespace.map(|n| text::scan(n).map(|info| (n, info))).transpose()?,
            name: (name, text::scan(name)?),
            symbol_hash: hash::hash_symbol(namespace, name) as u32,
        })
    }

    fn hash(&self) -> u32 {
        word_hash(self.kind, self.symbol_hash)
    }

    /// Is this the name of the SYMBOL `node`?
    fn is(&self, r: Reader, node: Node) -> Result<bool> {
        if node.low(1) != self.symbol_hash || kind_of(node) != self.kind || !text::is(r, node.word(3), self.name.0)? {
            return Ok(false);
        }
        match self.namespace {
            None => Ok(node.word(2) == NIL),
            Some((namespace, _)) => text::is(r, node.word(2), namespace),
        }
    }
}

/// The hash in the word of a symbol object with `symbol_hash`.
fn word_hash(kind: u8, symbol_hash: u32) -> u32 {
    /// What Clojure adds to a symbol's hash for the keyword.
    const KEYWORD_HASH: u32 = 0x9E37_79B9;
    symbol_hash.wrapping_add(if kind == KEYWORD_KIND { KEYWORD_HASH } else { 0 })
}

pub(crate) fn id_of(symbol: Node) -> u32 {
    symbol.high(1) & (SYMBOLS_MAX - 1)
}

pub(crate) fn kind_of(symbol: Node) -> u8 {
    (symbol.high(1) >> 24) as u8
}

pub(crate) fn word_of(symbol: Node) -> u64 {
    let kind = kind_of(symbol);
    from_symbol(word::Symbol {
        kind,
        id: id_of(symbol),
        hash: word_hash(kind, symbol.low(1)),
    })
}

/// Place of a symbol in a trie node of that level.
fn place(hash: u32, level: usize) -> usize {
    (hash >> (BITS * level as u32)) as usize % WIDTH
}

/// Where a look-up ends.
enum End<'a> {
    Found(Node<'a>),
    /// In this empty slot.
    Empty(u64),
    /// In the slot of another symbol, in a node of this level.
    Taken(u64, Node<'a>, usize),
}

/// Looks for a name in the trie at `root`.
fn walk<'a>(r: Reader<'a>, root: u64, name: &Name) -> Result<End<'a>> {
    let hash = name.hash();
    let mut at = root;
    // More levels than a full table can have: a cycle.
    for level in 0..LEVELS + SYMBOLS_MAX as usize / (WIDTH - 1) + 2 {
        let node = r.node_of(at, SYMBOL_TRIE)?;
        let (first, last) = if level < LEVELS {
            (place(hash, level), place(hash, level))
        } else {
            (0, WIDTH - 1)
        };
        for i in first..=last {
            let slot = node.offset() + SLOTS + 8 * i as u64;
            // Acquire pairs with the CAS that published what the slot points to.
            at = r.mapping().atomic_u64(slot).load(Acquire);
            if at == 0 {
                return Ok(End::Empty(slot));
            }
            let child = r.node(at)?;
            match child.kind() {
                SYMBOL if name.is(r, child)? => return Ok(End::Found(child)),
                SYMBOL if i == last => return Ok(End::Taken(slot, child, level)),
                SYMBOL => {}
                SYMBOL_TRIE if i == last => {}
                _ => return Err(Error::corrupt("the symbol trie points to something else", slot)),
            }
        }
    }
    Err(Error::corrupt("the symbol trie has a cycle", root))
}

/// The keyword (kind 0) or symbol (kind 1) of that name, None if no value can hold it: it was never interned, or is only just being.
/// Writes nothing. `Arg` if a name isn't (generalized) UTF-8.
pub fn find(map: &Mapping, kind: u8, namespace: Option<&[u8]>, name: &[u8]) -> Result<Option<u64>> {
    let name = Name::new(kind, namespace, name)?;
    let r = map.reader();
    let found = match map.atomic_u64(CONTROL_SYMBOL_TRIE).load(Acquire) {
        // Nobody has built the trie of a slab that is only read.
        0 => scan_entries(r, &name)?,
        root => match walk(r, root, &name)? {
            End::Found(node) => Some(node),
            _ => None,
        },
    };
    let Some(node) = found else { return Ok(None) };
    Ok((entry_word(r, id_of(node))? == node.offset()).then(|| word_of(node)))
}

/// Looks for a name among all entries.
fn scan_entries<'a>(r: Reader<'a>, name: &Name) -> Result<Option<Node<'a>>> {
    for id in 0..next_id(r.mapping()) {
        let at = entry_word(r, id)?;
        if at != 0 {
            let node = r.node_of(at, SYMBOL)?;
            if name.is(r, node)? {
                return Ok(Some(node));
            }
        }
    }
    Ok(None)
}

fn next_id(map: &Mapping) -> u32 {
    map.atomic_u32(CONTROL_SYMBOL_NEXT).load(Acquire).min(SYMBOLS_MAX)
}

/// The keyword (kind 0) or symbol (kind 1) of that name, made if it is new. `Arg` if a name isn't (generalized) UTF-8, `Limit` if the table is
/// full.
pub fn intern(m: Memory, alloc: &mut Allocator, kind: u8, namespace: Option<&[u8]>, name: &[u8]) -> Result<u64> {
    let name = Name::new(kind, namespace, name)?;
    let mut table = Table {
        m,
        alloc,
        version: past_version(m.map),
    };
    let mut mine = None;
    let result = table.enter(&name, &mut mine);
    if let Some(cells) = mine {
        table.free_all(cells);
    }
    let symbol = m.map.reader().node_of(result?, SYMBOL)?;
    table.set_entry(id_of(symbol), symbol.offset())?;
    Ok(word_of(symbol))
}

/// Builds the trie anew from the entries, as a recovery must; nobody else has the slab open. Entries that lead to no sound symbol are dropped: they
/// were written but not their objects, so no durable value has them.
pub fn rebuild_trie(m: Memory, alloc: &mut Allocator) -> Result<()> {
    m.map.atomic_u64(CONTROL_SYMBOL_TRIE).store(0, Release);
    free_tries(m.map);
    let mut table = Table {
        m,
        alloc,
        version: past_version(m.map),
    };
    let r = m.map.reader();
    for id in 0..next_id(m.map) {
        let at = entry_word(r, id)?;
        if at != 0 && !table.enter_again(r, at, id)? {
            m.map.atomic_u64(entry_slot(r, id)?).store(0, Release);
        }
    }
    Ok(())
}

/// Frees the nodes of all tries: that of before the crash, and what a recovery that was cut short had made. Nobody owns a block or has a list of its cells.
fn free_tries(map: &Mapping) {
    const CLASS: usize = class_of(SLOTS as usize + 8 * WIDTH);
    let is_node = |_: u64, h: u64| header_kind(h) == SYMBOL_TRIE && header_flags(h) & FLAG_IMMORTAL != 0;
    for b in (0..map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire)).filter(|&b| is_block(b)) {
        let d = map.atomic_u64(descriptor(b)).load(Acquire);
        if (d as u8, (d >> 8) as u8 as usize) == (BLOCK_SHELVED, CLASS) {
            mend(map, b, CLASS, &is_node);
        }
    }
}

/// A version that is or was current, for the stamps of new blocks: too low only keeps a block longer than need be.
fn past_version(map: &Mapping) -> u64 {
    loop {
        let record = map.root().load(Acquire);
        let version = map.record(record as usize).version.load(Acquire);
        if map.root().load(Acquire) == record {
            return version;
        }
    }
}

/// Objects of a symbol that is not published yet: itself and its two texts, 0 where it has none.
type Cells = [u64; 3];

/// The table, with what it takes to add to it.
struct Table<'a, 'b> {
    m: Memory<'a>,
    alloc: &'b mut Allocator,
    version: u64,
}

impl Table<'_, '_> {
    /// Offset of the symbol of that name in the trie. `mine` is what we made for it and didn't publish.
    fn enter(&mut self, name: &Name, mine: &mut Option<Cells>) -> Result<u64> {
        let root = self.ensure(CONTROL_SYMBOL_TRIE, SYMBOL_TRIE, WIDTH as u64, 0)?;
        let r = self.m.map.reader();
        loop {
            match walk(r, root, name)? {
                End::Found(node) => return Ok(node.offset()),
                End::Taken(slot, other, level) => self.split(slot, other, level)?,
                End::Empty(slot) => {
                    if mine.is_none() {
                        *mine = Some(self.make_symbol(name)?);
                    }
                    let symbol = mine.map_or(0, |cells| cells[0]);
                    if self.swing(slot, 0, symbol).is_ok() {
                        *mine = None;
                        return Ok(symbol);
                    }
                }
            }
        }
    }

    /// Puts a node into `slot`, which holds the symbol `other`, with that symbol in it.
    fn split(&mut self, slot: u64, other: Node, level: usize) -> Result<()> {
        let node = self.make(SYMBOL_TRIE, WIDTH as u64, 0)?;
        let hash = word_hash(kind_of(other), other.low(1));
        let i = if level + 1 < LEVELS { place(hash, level + 1) } else { 0 };
        self.m
            .map
            .atomic_u64(node + SLOTS + 8 * i as u64)
            .store(other.offset(), Relaxed);
        if self.swing(slot, other.offset(), node).is_err() {
            self.free(node);
        }
        Ok(())
    }

    /// Enters a recovered symbol; false if it isn't sound.
    fn enter_again(&mut self, r: Reader, at: u64, id: u32) -> Result<bool> {
        let Some((kind, namespace, name)) = sound_symbol(r, at, id) else {
            return Ok(false);
        };
        let Ok(name) = Name::new(kind, namespace.as_deref(), &name) else {
            return Ok(false);
        };
        if name.symbol_hash != r.node(at)?.low(1) {
            return Ok(false);
        }
        let root = self.ensure(CONTROL_SYMBOL_TRIE, SYMBOL_TRIE, WIDTH as u64, 0)?;
        loop {
            match walk(r, root, &name)? {
                // One name with two ids: only in a damaged slab. The first one counts.
                End::Found(_) => return Ok(true),
                End::Taken(slot, other, level) => self.split(slot, other, level)?,
                End::Empty(slot) => {
                    self.m.map.atomic_u64(slot).store(at, Release);
                    return Ok(true);
                }
            }
        }
    }

    /// Sets the entry of `id` to `symbol`, if nobody has.
    fn set_entry(&mut self, id: u32, symbol: u64) -> Result<()> {
        let (k, i) = chunk_of(id);
        let directory = self.ensure(CONTROL_SYMBOLS, SYMBOL_DIR, SYMBOL_CHUNKS as u64, 0)?;
        let len = chunk_len(k);
        let chunk = self.ensure(directory + SLOTS + 8 * k as u64, SYMBOL_CHUNK, len, len)?;
        let slot = checked_entry(self.m.map.reader(), chunk, k, i)?;
        match self.swing(slot, 0, symbol) {
            Ok(_) => Ok(()),
            Err(now) if now == symbol => Ok(()),
            Err(_) => Err(Error::corrupt("two symbols have one id", slot)),
        }
    }

    /// Makes the slot at `slot` point to `to` instead of `from`; the error is what it has now. Release publishes the objects behind `to`,
    /// Acquire shows those that another has put there.
    fn swing(&self, slot: u64, from: u64, to: u64) -> std::result::Result<u64, u64> {
        self.m.map.atomic_u64(slot).compare_exchange(from, to, AcqRel, Acquire)
    }

    /// The object that `slot` points to; made with empty slots if there is none.
    fn ensure(&mut self, slot: u64, kind: u8, slots: u64, second_word: u64) -> Result<u64> {
        let mut at = self.m.map.atomic_u64(slot).load(Acquire);
        if at == 0 {
            let made = self.make(kind, slots, second_word)?;
            match self.swing(slot, 0, made) {
                Ok(_) => at = made,
                Err(winner) => {
                    self.free(made);
                    at = winner;
                }
            }
        }
        Ok(self.m.map.reader().node_of(at, kind)?.offset())
    }

    /// An immortal object with empty slots.
    fn make(&mut self, kind: u8, slots: u64, second_word: u64) -> Result<u64> {
        let at = self.alloc.alloc(self.m, (SLOTS + 8 * slots) as usize, self.version)?;
        self.m.map.atomic_u64(at + 8).store(second_word, Relaxed);
        for i in 0..slots {
            self.m.map.atomic_u64(at + SLOTS + 8 * i).store(0, Relaxed);
        }
        self.finish(at, kind, 0);
        Ok(at)
    }

    /// Gives a filled object its header. Until then a death of this process leaves a free cell.
    fn finish(&self, at: u64, kind: u8, flags: u8) {
        self.m
            .map
            .atomic_u64(at)
            .store(header(kind, FLAG_IMMORTAL | flags, 0), Release);
    }

    fn make_symbol(&mut self, name: &Name) -> Result<Cells> {
        let next = self.m.map.atomic_u32(CONTROL_SYMBOL_NEXT);
        // Look before taking, so that a full table doesn't count on.
        if next.load(Relaxed) >= SYMBOLS_MAX {
            return Err(table_full());
        }
        let mut cells = [0; 3];
        let made = self.make_objects(name, &mut cells, || {
            // AcqRel: whoever samples the count for a superblock sees at least the ids of the symbols that it can see.
            let id = next.fetch_add(1, AcqRel);
            if id < SYMBOLS_MAX {
                Ok(id)
            } else {
                Err(table_full())
            }
        });
        match made {
            Ok(()) => Ok(cells),
            Err(e) => {
                self.free_all(cells);
                Err(e)
            }
        }
    }

    fn make_objects(&mut self, name: &Name, cells: &mut Cells, id: impl FnOnce() -> Result<u32>) -> Result<()> {
        cells[0] = self.alloc.alloc(self.m, SYMBOL_SIZE, self.version)?;
        // Not free any more, or the texts' allocations could meet it: a cell may be told free twice. If we die, it counts as one that was not committed.
        let fresh = header(SYMBOL, 0, FRESH);
        self.m.map.atomic_u64(cells[0]).store(fresh, Relaxed);
        let namespace = match name.namespace {
            None => NIL,
            Some((text, info)) => self.make_text(text, &info, &mut cells[1])?,
        };
        let text = self.make_text(name.name.0, &name.name.1, &mut cells[2])?;
        let node = self.m.map.node_mut(cells[0]);
        node.set_halves(1, name.symbol_hash, id()? | (name.kind as u32) << 24);
        node.set(2, namespace);
        node.set(3, text);
        self.finish(cells[0], SYMBOL, 0);
        Ok(())
    }

    fn make_text(&mut self, text: &[u8], info: &TextInfo, cell: &mut u64) -> Result<u64> {
        if let Some(word) = text::inline(text) {
            return Ok(word);
        }
        *cell = self.alloc.alloc(self.m, text::size(text, info), self.version)?;
        text::fill(self.m.map.node_mut(*cell), text, info);
        self.finish(*cell, TEXT, text::flags(info));
        Ok(*cell)
    }

    fn free_all(&mut self, cells: Cells) {
        for at in cells.into_iter().filter(|&at| at != 0) {
            self.free(at);
        }
    }

    /// Frees an object of ours that was never published.
    fn free(&mut self, at: u64) {
        self.m.map.atomic_u64(at).store(0, Release);
        self.alloc.recycle(self.m.map, at);
    }
}

#[cold]
fn table_full() -> Error {
    Error::limit("a slab has more than 16777216 keywords and symbols")
}

/// Chunk of an id, and its place there.
fn chunk_of(id: u32) -> (usize, u64) {
    let k = (id / 64 + 1).ilog2() as usize;
    (k, id as u64 - 64 * ((1 << k) - 1))
}

/// Number of entries of chunk `k`.
pub(crate) fn chunk_len(k: usize) -> u64 {
    64 << k
}

/// Offset of entry `i` of chunk `k`, which lies at `chunk`.
fn checked_entry(r: Reader, chunk: u64, k: usize, i: u64) -> Result<u64> {
    let node = r.node_of(chunk, SYMBOL_CHUNK)?;
    let len = chunk_len(k);
    r.bytes(node, SLOTS as usize, 8 * len as usize)?;
    if node.low(1) as u64 != len {
        return Err(Error::corrupt(
            "a chunk of the symbol table has another size than its place says",
            chunk,
        ));
    }
    Ok(chunk + SLOTS + 8 * i)
}

/// Offset of the entry of `id`; `Corrupt` if the table doesn't reach that far.
fn entry_slot(r: Reader, id: u32) -> Result<u64> {
    let directory = r.node_of(r.mapping().atomic_u64(CONTROL_SYMBOLS).load(Acquire), SYMBOL_DIR)?;
    let (k, i) = chunk_of(id);
    // Acquire, here and in `entry_word`: pairs with the CAS that published the chunk or symbol.
    let chunk = r
        .mapping()
        .atomic_u64(directory.offset() + SLOTS + 8 * k as u64)
        .load(Acquire);
    checked_entry(r, chunk, k, i)
}

/// The entry of `id`, 0 if it is not set.
fn entry_word(r: Reader, id: u32) -> Result<u64> {
    let (k, _) = chunk_of(id);
    let directory = r.mapping().atomic_u64(CONTROL_SYMBOLS).load(Acquire);
    if directory == 0 || k >= SYMBOL_CHUNKS {
        return Ok(0);
    }
    if r.node_of(directory, SYMBOL_DIR)?.word(2 + k) == 0 {
        return Ok(0);
    }
    Ok(r.mapping().atomic_u64(entry_slot(r, id)?).load(Acquire))
}

/// The SYMBOL object of a keyword or symbol word. `Type` if it is another word, `Corrupt` if the table has no such symbol.
fn object(r: Reader<'_>, word: u64) -> Result<Node<'_>> {
    let Some(s) = word::symbol(word) else {
        return Err(Error::type_("a keyword or symbol is needed"));
    };
    let at = entry_word(r, s.id)?;
    if at != 0 {
        let node = r.node_of(at, SYMBOL)?;
        if word_of(node) == word {
            return Ok(node);
        }
    }
    Err(Error::corrupt("a keyword or symbol is not in the symbol table", word))
}

/// Does the table have the keyword or symbol `word`? Else `Corrupt`, or `Type` for another word.
pub fn check(r: Reader, word: u64) -> Result<()> {
    object(r, word).map(|_| ())
}

/// Namespace and name, in generalized UTF-8, of a keyword or symbol. `Type` if `word` is something else.
pub fn name_of(r: Reader, word: u64) -> Result<(Option<Vec<u8>>, Vec<u8>)> {
    let node = object(r, word)?;
    let namespace = match node.word(2) {
        NIL => None,
        text => Some(text::to_vec(r, text)?),
    };
    Ok((namespace, text::to_vec(r, node.word(3))?))
}

/// Order of two keywords or of two symbols: by namespace, none first, then by name.
pub fn compare(r: Reader, a: u64, b: u64) -> Result<std::cmp::Ordering> {
    let (x, y) = (object(r, a)?, object(r, b)?);
    let by_namespace = match (x.word(2), y.word(2)) {
        (NIL, NIL) => std::cmp::Ordering::Equal,
        (NIL, _) => std::cmp::Ordering::Less,
        (_, NIL) => std::cmp::Ordering::Greater,
        (x, y) => text::compare(r, x, y)?,
    };
    if by_namespace.is_ne() {
        return Ok(by_namespace);
    }
    text::compare(r, x.word(3), y.word(3))
}

/// Appends "name" or "ns/name" of a keyword or symbol to `out`.
pub fn copy_name_to(r: Reader, word: u64, out: &mut Vec<u8>) -> Result<()> {
    let node = object(r, word)?;
    if node.word(2) != NIL {
        text::copy_to(r, node.word(2), out)?;
        out.push(b'/');
    }
    text::copy_to(r, node.word(3), out)
}

/// Kind, namespace and name of the symbol at `at` if it is what the entry of `id` must lead to.
fn sound_symbol(r: Reader, at: u64, id: u32) -> Option<(u8, Option<Vec<u8>>, Vec<u8>)> {
    let node = r.node_of(at, SYMBOL).ok()?;
    if id_of(node) != id || header_flags(node.header()) & FLAG_IMMORTAL == 0 {
        return None;
    }
    let namespace = match node.word(2) {
        NIL => None,
        word => Some(text::to_vec(r, word).ok()?),
    };
    Some((kind_of(node), namespace, text::to_vec(r, node.word(3)).ok()?))
}
