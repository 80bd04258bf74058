//! The capability to make objects: a transaction's private, uncommitted nodes.
//!
//! W1. A fresh object carries FRESH, its edit token and its index in `fresh`; nobody outside the transaction sees it before the commit stamps it.
//! W2. Only an operation with the same, non-zero token may change a fresh object in place. Token 0 is a persistent operation: it never does.
//! W3. `fresh[i].origin` is the committed object that fresh object `i` was copied from, or 0: the commit compares the two to find what died.
//!     If the object has the flag ONLY, all their slots but `fresh[i].only` are equal, and the commit needn't look.

use super::alloc::{Allocator, Memory};
use super::layout::*;
use super::mapping::{Node, NodeMut, Reader};
use crate::error::{Error, Result};
use std::sync::atomic::Ordering::*;

/// Edit token of a transient; [`PERSISTENT`] for operations that must not change anything in place.
pub type Token = u32;
/// No token: a persistent operation.
pub const PERSISTENT: Token = 0;

const TOKEN_BITS: u32 = 20;
const INDEX_BITS: u32 = 27;
const TOKEN_MAX: Token = (1 << TOKEN_BITS) - 1;
const INDEX_NONE: usize = (1 << INDEX_BITS) - 1;

/// One uncommitted object. Two words, as a large transaction has millions.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// Its offset; 0 when it was freed again.
    pub at: u64,
    /// Low 48 bits: the committed object that it was copied from, or 0. High 16: the only word among its slots that may differ from that, while its
    /// header has the flag ONLY.
    from: u64,
}

const FROM_BITS: u32 = 48;

impl Fresh {
    fn origin(&self) -> u64 {
        self.from & ((1 << FROM_BITS) - 1)
    }

    fn only(&self) -> usize {
        (self.from >> FROM_BITS) as usize
    }
}

/// Objects that grow are allocated in multiples of this: four entries of a map.
const ROOM: usize = 64;

const ONLY: u64 = (FLAG_ONLY as u64) << 8;

/// What a transaction remembers of its uncommitted objects.
#[derive(Debug, Default)]
pub struct Uncommitted {
    fresh: Vec<Fresh>,
    unused: Vec<u32>,
    live: usize,
    tokens: Token,
}

/// Makes and frees uncommitted objects for one transaction.
pub struct Writer<'a> {
    memory: Memory<'a>,
    reader: Reader<'a>,
    alloc: &'a mut Allocator,
    version: u64,
    /// Borrowed, so that a panic in the middle of an operation loses none of it.
    own: &'a mut Uncommitted,
}

impl Uncommitted {
    /// Number of fresh objects.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Forgets all entries: the objects were committed, freed or handed to limbo.
    pub(crate) fn clear(&mut self) {
        self.fresh.clear();
        self.unused.clear();
        self.live = 0;
        self.tokens = 0;
    }
}

impl<'a> Writer<'a> {
    /// A writer over `alloc`'s blocks for a transaction on `version` whose objects `own` knows.
    pub fn new(memory: Memory<'a>, alloc: &'a mut Allocator, version: u64, own: &'a mut Uncommitted) -> Writer<'a> {
        Writer {
            memory,
            reader: memory.map.reader(),
            alloc,
            version,
            own,
        }
    }

    /// Reads committed and fresh objects alike.
    #[inline]
    pub fn reader(&self) -> Reader<'a> {
        self.reader
    }

    /// The mapping and file.
    pub fn memory(&self) -> Memory<'a> {
        self.memory
    }

    /// The version that the transaction reads.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The agent's allocator, for what belongs to no transaction (symbols).
    pub(crate) fn allocator(&mut self) -> (Memory<'a>, &mut Allocator) {
        (self.memory, self.alloc)
    }

    /// A token for a new transient. When they run out (a million in one transaction) operations go on as persistent ones.
    pub fn new_token(&mut self) -> Token {
        if self.own.tokens == TOKEN_MAX {
            return PERSISTENT;
        }
        self.own.tokens += 1;
        self.own.tokens
    }

    /// A fresh object of `size` bytes. Its words hold garbage, the header is set. `origin` is the object it is a copy of, if any
    /// (committed, or fresh itself: then its own origin counts).
    #[inline]
    pub fn alloc(&mut self, kind: u8, size: usize, origin: Option<Node>, token: Token) -> Result<NodeMut> {
        let origin = origin.map_or(0, |n| self.origin(n));
        let at = self.alloc.alloc(self.memory, size, self.version)?;
        let index = match self.own.unused.pop() {
            Some(i) => {
                self.own.fresh[i as usize] = Fresh { at, from: origin };
                i as usize
            }
            None if self.own.fresh.len() < INDEX_NONE => {
                self.own.fresh.push(Fresh { at, from: origin });
                self.own.fresh.len() - 1
            }
            None => return Err(Error::limit("a transaction makes more than 134 million objects")),
        };
        self.own.live += 1;
        let node = self.memory.map.node_mut(at);
        node.set(0, header(kind, 0, FRESH | (token as u64) << INDEX_BITS | index as u64));
        Ok(node)
    }

    /// Sets flags of the type (`FLAG_ASCII`, ...) on a fresh object.
    pub fn set_flags(&self, node: NodeMut, flags: u8) {
        node.set(0, node.word(0) | (flags as u64) << 8);
    }

    /// May an operation with `token` change `node` in place? (W2) Tokens of two transactions have equal numbers, so it must be ours; it is if
    /// its block is our agent's, which makes one transaction at a time. (To look at `fresh` would cost a cache miss a level of a large trie.)
    #[inline]
    pub fn editable(&self, node: Node, token: Token) -> bool {
        let birth = header_birth(node.header());
        token != PERSISTENT
            && birth >> INDEX_BITS == (FRESH >> INDEX_BITS | token as u64)
            && self.alloc.owned_class(self.memory.map, node.offset()).is_some()
    }

    /// Write access to a node that is [`Writer::editable`].
    #[inline]
    pub fn edit(&mut self, node: Node, token: Token) -> NodeMut {
        debug_assert!(self.editable(node, token) && self.is_mine(node));
        let to = self.memory.map.node_mut(node.offset());
        let h = node.header();
        if h & ONLY != 0 {
            to.set(0, h & !ONLY);
        }
        to
    }

    /// Notes that `copy`, just made as a copy of `from`, differs from it in no slot but word `i` (W3).
    #[inline]
    pub fn differs_at(&mut self, copy: NodeMut, from: Node, i: usize) {
        if !header_fresh(from.header()) || self.only(from) == Some(i) {
            let h = copy.word(0);
            let index = self.index(h);
            let fresh = &mut self.own.fresh[index];
            fresh.from = fresh.origin() | (i as u64) << FROM_BITS;
            copy.set(0, h | ONLY);
        }
    }

    /// The only word among the slots of `node`, a fresh object of ours, that may differ from its origin's. None: there may be several.
    #[inline]
    pub fn only(&self, node: Node) -> Option<usize> {
        let h = node.header();
        (h & ONLY != 0).then(|| self.own.fresh.get(self.index(h)).map(Fresh::only))?
    }

    /// Can `node`, which is [`Writer::editable`], become one of `new` bytes where it is? Its cell may be larger than it needs ([`Writer::roomy`]), but
    /// not by much.
    #[inline]
    pub fn fits(&self, node: Node, new: usize) -> bool {
        let cell = self
            .alloc
            .owned_class(self.memory.map, node.offset())
            .map_or(0, class_size);
        new <= cell && cell <= 2 * new + ROOM
    }

    /// Bytes to allocate for an object of `size` that `token`'s next operations may let grow: room for some more, as each growth beyond the cell
    /// copies the object.
    #[inline]
    pub fn roomy(size: usize, token: Token) -> usize {
        if token == PERSISTENT {
            size
        } else {
            size.next_multiple_of(ROOM)
        }
    }

    /// Frees a fresh object of this transaction that nothing points to any more.
    pub fn free(&mut self, node: Node) {
        let h = node.header();
        debug_assert!(header_fresh(h));
        self.forget_fresh(h);
        node.header_word().store(0, Release);
        self.recycle(node.offset());
    }

    /// Frees `node` if `token` could have edited it: the usual end of a node that a transient has replaced by a larger one.
    #[inline]
    pub fn free_if_editable(&mut self, node: Node, token: Token) {
        if self.editable(node, token) && self.is_mine(node) {
            self.free(node);
        }
    }

    fn forget_fresh(&mut self, h: u64) {
        let index = self.index(h);
        self.own.fresh[index].at = 0;
        self.own.unused.push(index as u32);
        self.own.live -= 1;
    }

    fn index(&self, h: u64) -> usize {
        header_birth(h) as usize & INDEX_NONE
    }

    fn recycle(&mut self, at: u64) {
        self.alloc.recycle(self.memory.map, at);
    }

    /// The committed object that `node` is, or is a copy of, or 0.
    #[inline]
    pub fn origin(&self, node: Node) -> u64 {
        let h = node.header();
        if header_fresh(h) {
            self.own
                .fresh
                .get(self.index(h))
                .filter(|f| f.at == node.offset())
                .map_or(0, Fresh::origin)
        } else {
            node.offset()
        }
    }

    /// Is `node` a fresh object of this transaction?
    #[inline]
    pub fn is_mine(&self, node: Node) -> bool {
        let h = node.header();
        header_fresh(h) && self.own.fresh.get(self.index(h)).is_some_and(|f| f.at == node.offset())
    }

    /// Number of fresh objects.
    pub fn live(&self) -> usize {
        self.own.live
    }

    /// All entries of fresh objects, freed ones (`at == 0`) included.
    pub(crate) fn fresh(&self) -> &[Fresh] {
        &self.own.fresh
    }

    /// Marks every object of this transaction as fresh again, after a lost race has left some stamped.
    pub(crate) fn unstamp(&self) {
        for (i, f) in self.own.fresh.iter().enumerate().filter(|(_, f)| f.at != 0) {
            let word = self.memory.map.atomic_u64(f.at);
            let h = word.load(Relaxed);
            let flags = header_flags(h) & !(FLAG_SHARED | FLAG_SEEN | FLAG_ONLY);
            word.store(header(header_kind(h), flags, FRESH | i as u64), Relaxed);
        }
    }

    /// Forgets the objects that the commit has stamped, so that only the unreached ones are left.
    pub(crate) fn forget_committed(&mut self, map: &super::mapping::Mapping) {
        for f in self.own.fresh.iter_mut().filter(|f| f.at != 0) {
            if !header_fresh(map.atomic_u64(f.at).load(Relaxed)) {
                f.at = 0;
                self.own.live -= 1;
            }
        }
    }

    /// Frees all fresh objects: the transaction is void.
    pub(crate) fn free_all(&mut self) {
        for i in 0..self.own.fresh.len() {
            let at = std::mem::take(&mut self.own.fresh[i].at);
            if at != 0 {
                self.memory.map.atomic_u64(at).store(0, Release);
                self.recycle(at);
            }
        }
        self.own.clear();
    }
}
