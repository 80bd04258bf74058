//! The one place that turns offsets into memory.
//!
//! [`Mapping`] hands out atomic words of the tables; [`Reader`] checks a pointer once (alignment and bounds) and hands out a [`Node`],
//! whose every access stays inside the 4096 bytes that format.md promises behind any offset below `backed_len`. So a hostile slab can
//! give wrong words, never an access outside the mapping.

use super::layout::*;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};

/// Offsets that can be mapped lie below this: as much as today's processors and systems give a process.
const OFFSET_MAX: u64 = 1 << 48;

/// The bytes of one slab. Copies are cheap; whoever made it keeps the memory mapped while copies are used.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    base: *mut u8,
    reserved: u64,
}

// SAFETY: a mapping is an address range that stays valid for its maker's lifetime (S1); all shared access goes through atomics or
// through nodes that their writer has published with release ordering.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// A mapping of `reserved` bytes of address space at `base`.
    ///
    /// # Safety
    /// `base` is page-aligned, `reserved` bytes from it stay mapped while the result or a copy of it is used, and the bytes below
    /// `backed_len + SLACK` of the slab may be read and written.
    pub unsafe fn from_raw(base: *mut u8, reserved: usize) -> Mapping {
        assert!(reserved as u64 <= OFFSET_MAX, "more than a processor can map");
        Mapping {
            base,
            reserved: reserved as u64,
        }
    }

    /// Address of offset 0.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes of address space.
    pub fn reserved(&self) -> u64 {
        self.reserved
    }

    /// The 64-bit word at `offset`, which is one of our own tables or a checked node.
    #[inline]
    pub fn atomic_u64(&self, offset: u64) -> &AtomicU64 {
        crate::sync::step();
        assert!(offset & 7 == 0 && offset < self.reserved - 8);
        // SAFETY: in the mapping and aligned (just checked); every bit pattern is a u64; shared memory is only touched through atomics.
        unsafe { &*self.base.add(offset as usize).cast::<AtomicU64>() }
    }

    /// The 32-bit word at `offset`.
    #[inline]
    pub fn atomic_u32(&self, offset: u64) -> &AtomicU32 {
        crate::sync::step();
        assert!(offset & 3 == 0 && offset < self.reserved - 4);
        // SAFETY: as `atomic_u64`.
        unsafe { &*self.base.add(offset as usize).cast::<AtomicU32>() }
    }

    /// A record of atomics at `offset`.
    ///
    /// # Safety
    /// `T` is `repr(C)`, consists of atomic integers only, and its size and alignment divide `offset`'s table entry.
    #[inline]
    pub unsafe fn table_entry<T>(&self, offset: u64) -> &T {
        crate::sync::step();
        assert!(offset as usize % align_of::<T>() == 0 && offset < self.reserved - size_of::<T>() as u64);
        // SAFETY: in the mapping and aligned; the caller promises the rest.
        unsafe { &*self.base.add(offset as usize).cast::<T>() }
    }

    /// Tells the processor that the `len` bytes at `offset` will be used soon.
    #[inline(always)]
    pub fn prefetch(&self, offset: u64, len: usize) {
        #[cfg(target_arch = "x86_64")]
        for line in (0..len).step_by(64) {
            use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
            let at = self.base.wrapping_add(offset as usize + line);
            // SAFETY: a hint, which reads nothing and never faults, whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
        }
        let _ = (offset, len);
    }

    /// Allocated length without the slack page.
    #[inline]
    pub fn backed(&self) -> u64 {
        self.atomic_u64(CONTROL_BACKED).load(Acquire).min(self.reserved - SLACK)
    }

    /// A reader of everything that is allocated now.
    #[inline]
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            mapping: self,
            limit: self.backed(),
        }
    }

    /// The node at `offset`, for whoever has just allocated it.
    #[inline]
    pub(crate) fn node_mut(&self, offset: u64) -> NodeMut {
        assert!(offset & 15 == 0 && offset >= HEADER_SIZE && offset < self.reserved - SLACK);
        // SAFETY: in the mapping, just checked.
        let at = unsafe { self.base.add(offset as usize).cast() };
        NodeMut { at, offset }
    }
}

/// Read access to the objects below `limit`.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    mapping: &'a Mapping,
    limit: u64,
}

impl<'a> Reader<'a> {
    /// The mapping read.
    pub fn mapping(&self) -> &'a Mapping {
        self.mapping
    }

    /// The object that the pointer `word` leads to. An offset that is not aligned or not allocated is `Corrupt`.
    #[inline]
    pub fn node(&self, word: u64) -> Result<Node<'a>> {
        // One comparison for all three: what lies before the header's end, or is not aligned, becomes a large number.
        if word.wrapping_sub(HEADER_SIZE).rotate_right(4) >= self.limit.wrapping_sub(HEADER_SIZE) >> 4 {
            return self.node_again(word);
        }
        // SAFETY: `word < limit <= reserved - SLACK`, so the pointer and the 4096 bytes behind it lie in the mapping.
        Ok(unsafe { self.node_unchecked(word) })
    }

    /// # Safety
    /// `word` is a multiple of 16 below `reserved - SLACK`.
    #[inline(always)]
    unsafe fn node_unchecked(&self, word: u64) -> Node<'a> {
        Node {
            // SAFETY: in the mapping, as the caller promises.
            at: unsafe { self.mapping.base.add(word as usize).cast() },
            offset: word,
            life: std::marker::PhantomData,
        }
    }

    /// The slab may have grown since this reader was made.
    #[cold]
    fn node_again(&self, word: u64) -> Result<Node<'a>> {
        if word & 15 == 0 && word >= HEADER_SIZE && word < self.mapping.backed() {
            // SAFETY: as in `node`.
            return Ok(unsafe { self.node_unchecked(word) });
        }
        Err(Error::corrupt("a pointer leads outside the slab", word))
    }

    /// The object at `word`, which must be of type `kind`.
    #[inline]
    pub fn node_of(&self, word: u64, kind: u8) -> Result<Node<'a>> {
        let n = self.node(word)?;
        if n.kind() != kind {
            return Err(Error::corrupt("an object has another type than its place says", word));
        }
        Ok(n)
    }

    /// `len` bytes at `offset` bytes into `node`. Out of bounds is `Corrupt`.
    #[inline]
    pub fn bytes(&self, node: Node<'a>, offset: usize, len: usize) -> Result<Bytes<'a>> {
        let end = node.offset + offset as u64 + len as u64;
        if end > self.limit && end > self.mapping.backed() {
            return Err(Error::corrupt(
                "a text or byte array reaches outside the slab",
                node.offset,
            ));
        }
        // SAFETY: start and end lie in the mapping (just checked).
        let at = unsafe { node.at.cast::<u8>().add(offset) };
        Ok(Bytes {
            at,
            len,
            life: std::marker::PhantomData,
        })
    }
}

/// A checked object: its words can be read up to 4096 bytes from its header.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    at: *const u64,
    offset: u64,
    life: std::marker::PhantomData<&'a Mapping>,
}

// SAFETY: a node is a checked place in a mapping, which is Send and Sync itself.
unsafe impl Send for Node<'_> {}
// SAFETY: as above; it only reads, by atomics.
unsafe impl Sync for Node<'_> {}

impl<'a> Node<'a> {
    /// Offset of the header.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The 64-bit word `i` (0 is the header). Indices beyond 511 wrap: they are only met in a damaged slab.
    #[inline]
    pub fn word(&self, i: usize) -> u64 {
        // SAFETY: below 4096 bytes from a checked start; an atomic load may race with nothing worse than a hostile writer.
        unsafe { (*self.at.add(i & 511).cast::<AtomicU64>()).load(Relaxed) }
    }

    /// Low half of word `i`.
    #[inline]
    pub fn low(&self, i: usize) -> u32 {
        self.half(2 * i)
    }

    /// High half of word `i`.
    #[inline]
    pub fn high(&self, i: usize) -> u32 {
        self.half(2 * i + 1)
    }

    /// The 32-bit word `i`, as [`Node::word`].
    #[inline]
    pub fn half(&self, i: usize) -> u32 {
        // SAFETY: as in `word`. A committed word doesn't change, so that its halves can be read by themselves.
        unsafe { (*self.at.cast::<AtomicU32>().add(i & 1023)).load(Relaxed) }
    }

    /// The header.
    #[inline]
    pub fn header(&self) -> u64 {
        self.word(0)
    }

    /// The type.
    #[inline]
    pub fn kind(&self) -> u8 {
        header_kind(self.word(0))
    }

    /// Number of equal words, at most `n`, of this node from word `i` on and of `other` from word `j` on.
    #[inline]
    pub fn same_forward(&self, i: usize, other: Node, j: usize, n: usize) -> usize {
        assert!(i + n <= 512 && j + n <= 512);
        // SAFETY: both ranges lie within 4096 bytes of checked starts; the words are committed or our own.
        let differ = |k: usize| unsafe { *self.at.add(i + k) ^ *other.at.add(j + k) };
        count_equal(n, differ)
    }

    /// Number of equal words, at most `n`, of this node before word `i` and of `other` before word `j`, going down.
    #[inline]
    pub fn same_backward(&self, i: usize, other: Node, j: usize, n: usize) -> usize {
        assert!(i <= 512 && j <= 512 && n <= i && n <= j);
        // SAFETY: as in `same_forward`.
        let differ = |k: usize| unsafe { *self.at.add(i - 1 - k) ^ *other.at.add(j - 1 - k) };
        count_equal(n, differ)
    }

    /// The header as an atomic, for flags and frees.
    #[inline]
    pub fn header_word(&self) -> &'a AtomicU64 {
        // SAFETY: the header of a checked object lies in the mapping and is only touched through atomics once published.
        unsafe { &*self.at.cast::<AtomicU64>() }
    }
}

/// Number of `k` from 0 on, at most `n`, for which `differ(k)` is 0: four at once while they are.
#[inline(always)]
fn count_equal(n: usize, differ: impl Fn(usize) -> u64) -> usize {
    let mut k = 0;
    while k + 4 <= n && differ(k) | differ(k + 1) | differ(k + 2) | differ(k + 3) == 0 {
        k += 4;
    }
    while k < n && differ(k) == 0 {
        k += 1;
    }
    k
}

/// Bytes in the slab: a view that copies out or compares, never a reference.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    at: *const u8,
    len: usize,
    life: std::marker::PhantomData<&'a Mapping>,
}

impl<'a> Bytes<'a> {
    /// A view of bytes of our own.
    pub fn of(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes {
            at: bytes.as_ptr(),
            len: bytes.len(),
            life: std::marker::PhantomData,
        }
    }
}

impl Bytes<'_> {
    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// No bytes?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends the bytes to `out`.
    pub fn copy_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len);
        // SAFETY: `len` bytes at `at` lie in the mapping; the target has just been reserved and doesn't overlap shared memory.
        unsafe {
            std::ptr::copy_nonoverlapping(self.at, out.as_mut_ptr().add(out.len()), self.len);
            out.set_len(out.len() + self.len);
        }
    }

    /// The bytes, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut v = Vec::new();
        self.copy_to(&mut v);
        v
    }

    /// Are these the same bytes as `other`?
    #[inline]
    pub fn is(&self, other: &[u8]) -> bool {
        // SAFETY: both hold `len` readable bytes; committed text doesn't change (S4), and a hostile change gives a wrong answer only.
        self.len == other.len() && unsafe { std::slice::from_raw_parts(self.at, self.len) == other }
    }

    /// Are these the same bytes as those of another place in a slab?
    pub fn same(&self, other: &Bytes) -> bool {
        // SAFETY: as in `is`.
        self.len == other.len
            && unsafe {
                std::slice::from_raw_parts(self.at, self.len) == std::slice::from_raw_parts(other.at, other.len)
            }
    }
}

impl Bytes<'_> {
    /// The first bytes that differ from those at the same place of `other`, and those; None if one starts with the other.
    #[inline]
    pub fn first_difference(&self, other: &Bytes) -> Option<(u8, u8)> {
        let n = self.len.min(other.len);
        // SAFETY: as in `is`.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(self.at, n),
                std::slice::from_raw_parts(other.at, n),
            )
        };
        let words = a.chunks_exact(8).zip(b.chunks_exact(8)).take_while(|(x, y)| x == y);
        let start = 8 * words.count();
        let i = start + a[start..].iter().zip(&b[start..]).position(|(x, y)| x != y)?;
        Some((a[i], b[i]))
    }
}

/// An object that the current transaction has made and nobody else sees yet.
#[derive(Clone, Copy, Debug)]
pub struct NodeMut {
    at: *mut u64,
    offset: u64,
}

impl NodeMut {
    /// Offset of the header: the pointer word that leads here.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Stores word `i`, below 512.
    #[inline]
    pub fn set(&self, i: usize, word: u64) {
        assert!(i < 512);
        // SAFETY: `node_mut` checked the start; 4096 bytes behind it are mapped. The node is private to its writer until published.
        unsafe { (*self.at.add(i).cast::<AtomicU64>()).store(word, Relaxed) }
    }

    /// Word `i`.
    #[inline]
    pub fn word(&self, i: usize) -> u64 {
        assert!(i < 512);
        // SAFETY: as in `set`.
        unsafe { (*self.at.add(i).cast::<AtomicU64>()).load(Relaxed) }
    }

    /// Stores word `i` as two halves.
    #[inline]
    pub fn set_halves(&self, i: usize, low: u32, high: u32) {
        self.set(i, low as u64 | (high as u64) << 32)
    }

    /// Stores the 32-bit word `i`, below 1024.
    #[inline]
    pub fn set_half(&self, i: usize, half: u32) {
        assert!(i < 1024);
        // SAFETY: as in `set`.
        unsafe { (*self.at.cast::<AtomicU32>().add(i)).store(half, Relaxed) }
    }

    /// Copies `n` words of `from`, from word `source` on, to word `target` on. All indices stay below 512.
    #[inline]
    pub fn copy(&self, target: usize, from: Node, source: usize, n: usize) {
        assert!(source + n <= 512 && target + n <= 512);
        // SAFETY: both ranges lie within 4096 bytes of checked starts; ranges may overlap only when an object is edited in place.
        unsafe { std::ptr::copy(from.at.add(source), self.at.add(target), n) }
    }

    /// Copies `bytes` to byte `offset` of an object of `size` bytes in all and fills the rest of the last word with zeros.
    #[inline]
    pub fn put_bytes(&self, offset: usize, bytes: &[u8], size: usize) {
        assert!(offset + bytes.len() <= size && offset % 8 == 0);
        let padded = (offset + bytes.len()).div_ceil(8) * 8;
        assert!(padded <= size.div_ceil(8) * 8);
        // SAFETY: the object was allocated with `size` bytes, rounded up to 16; the bytes are private to its writer.
        unsafe {
            let to = self.at.cast::<u8>().add(offset);
            if padded > offset {
                self.at.add(padded / 8 - 1).write(0);
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }
}
