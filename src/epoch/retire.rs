//! What a commit changes: which new objects the new state reaches, which old ones only the old state reached, and which got a second parent.
//! Found from the change itself, without a walk of the heap (`docs/concurrency.md`, "Early exact retire").
//!
//! A path copy and its origin have nearly the same slots. What they share at both ends keeps its number of parents if the origin dies, so
//! only the middle is counted: a commit looks at the few slots that changed, not at all slots of all copied nodes.

use crate::error::{Error, Result};
use crate::slab::free::{generation, size_of_object};
use crate::slab::layout::*;
use crate::slab::mapping::{Mapping, Node, Reader};
use crate::slab::slots::slots;
use crate::slab::writer::Writer;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

/// Hash of an offset: multiply and fold, enough for addresses of our own making.
#[derive(Default)]
pub struct OffsetHasher(u64);

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys")
    }
    fn write_u64(&mut self, v: u64) {
        let h = (v >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = h ^ h >> 32;
    }
}

/// A map from offsets, searched in a line while it is small: most commits change a handful of objects.
#[derive(Debug)]
struct Offsets<V> {
    few: Vec<(u64, V)>,
    many: HashMap<u64, V, BuildHasherDefault<OffsetHasher>>,
}

/// Entries up to which a line is searched faster than a hash table.
const FEW: usize = 24;

impl<V> Default for Offsets<V> {
    fn default() -> Offsets<V> {
        Offsets {
            few: Vec::new(),
            many: HashMap::default(),
        }
    }
}

impl<V> Offsets<V> {
    fn clear(&mut self) {
        self.few.clear();
        if !self.many.is_empty() {
            self.many = HashMap::default();
        }
    }

    fn get_mut(&mut self, at: u64) -> Option<&mut V> {
        if self.many.is_empty() {
            return self.few.iter_mut().find(|(k, _)| *k == at).map(|(_, v)| v);
        }
        self.many.get_mut(&at)
    }

    fn contains(&self, at: u64) -> bool {
        if self.many.is_empty() {
            return self.few.iter().any(|(k, _)| *k == at);
        }
        self.many.contains_key(&at)
    }

    /// Adds what isn't there yet.
    fn insert(&mut self, at: u64, v: V) {
        if !self.many.is_empty() {
            self.many.insert(at, v);
        } else if self.few.len() < FEW {
            self.few.push((at, v));
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(at, v);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.few
            .iter()
            .map(|(k, v)| (*k, v))
            .chain(self.many.iter().map(|(k, v)| (*k, v)))
    }
}

/// Objects of a chain of copies, at most: a trie has 7 levels below a head, and collections stand in each other. Longer ones are walked in general.
const CHAIN: usize = 64;

/// An old object that only the old state reached.
#[derive(Clone, Copy, Debug)]
pub struct Dead {
    /// Offset.
    pub at: u64,
    /// Header when found.
    pub name: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Generation of its block.
    pub generation: u32,
}

/// A path copy beside its origin: equal slots at the start and at the end.
#[derive(Clone, Copy, Debug)]
struct Pair {
    copy: u64,
    prefix: usize,
    suffix: usize,
    dead: bool,
}

/// The answer, and the memory to compute the next one with.
#[derive(Debug, Default)]
pub struct Plan {
    /// New objects that the new state reaches.
    pub reached: Vec<u64>,
    /// Old objects that die with this commit.
    pub dead: Vec<Dead>,
    /// Old objects that get a second parent: to be flagged SHARED before the commit.
    pub shared: Vec<u64>,
    /// Does a value of the new state hold the old state map, or a map made from it?
    pub keeps_state: bool,
    old: u64,
    new: u64,
    edges: Offsets<u32>,
    orphaned: Offsets<()>,
    /// Shared objects that have lost a parent.
    pub orphans: u64,
    pairs: Offsets<Pair>,
    stack: Vec<u64>,
}

impl Plan {
    /// Computes the plan for replacing state `old` by `new`. May mark reached fresh objects SEEN, and does mark those SHARED that have two parents.
    pub fn compute(&mut self, w: &Writer, old: u64, new: u64) -> Result<()> {
        if !self.compute_chain(w, old, new)? {
            return self.compute_general(w, old, new);
        }
        if cfg!(debug_assertions) {
            let chain = self.sorted();
            self.compute_general(w, old, new)?;
            assert_eq!(chain, self.sorted(), "the chain's plan and the general one");
            assert!(self.shared.is_empty() && !self.keeps_state);
        }
        Ok(())
    }

    /// Reached and dead objects, for comparison.
    fn sorted(&self) -> (Vec<u64>, Vec<u64>) {
        let mut both = (self.reached.clone(), self.dead.iter().map(|d| d.at).collect::<Vec<_>>());
        both.0.sort_unstable();
        both.1.sort_unstable();
        both
    }

    fn compute_chain(&mut self, w: &Writer, old: u64, new: u64) -> Result<bool> {
        self.reset();
        (self.old, self.new) = (old, new);
        self.walk_chain(w, old, new)
    }

    fn compute_general(&mut self, w: &Writer, old: u64, new: u64) -> Result<()> {
        self.reset();
        (self.old, self.new) = (old, new);
        self.walk_fresh(w, new)?;
        self.walk_dead(w.reader(), old)?;
        self.find_shared(w.reader())
    }

    fn reset(&mut self) {
        self.reached.clear();
        self.dead.clear();
        self.shared.clear();
        self.stack.clear();
        self.keeps_state = false;
        self.edges.clear();
        self.orphaned.clear();
        self.orphans = 0;
        self.pairs.clear();
    }

    /// The plan of the most frequent change, found without the tables that the general one needs: one entry of one collection is another now, so the
    /// copied nodes form a chain from the state down, each over the one that it was copied from. True if the change is of that kind. Otherwise
    /// nothing is known: the walk has marked nothing.
    ///
    /// Why it is the same plan: all origins on the way are unshared and their only parent dies, so they die. A slot that differs leads on down, or
    /// to an object without slots, which is new or dies. So no new object points to an old one but by a slot that its origin has too, and those
    /// have one parent before and after.
    fn walk_chain(&mut self, w: &Writer, old: u64, new: u64) -> Result<bool> {
        let r = w.reader();
        let mut next = Some((new, old));
        while let Some((new, old)) = next.take() {
            if self.reached.len() > CHAIN || !is_pointer(old) || !is_pointer(new) {
                return Ok(false);
            }
            let (copy, origin) = (r.node(new)?, r.node(old)?);
            if !w.is_mine(copy) || w.origin(copy) != old || !self.dies(r.mapping(), origin) {
                return Ok(false);
            }
            self.reached.push(new);
            let (changed_new, changed_old) = if let Some(i) = w.only(copy) {
                (i..i + 1, i..i + 1)
            } else {
                let (slots_new, slots_old) = (slots(copy)?, slots(origin)?);
                let (prefix, suffix) = common(copy, &slots_new, origin, &slots_old);
                (
                    slots_new.start + prefix..slots_new.end - suffix,
                    slots_old.start + prefix..slots_old.end - suffix,
                )
            };
            let mut down = 0;
            for i in changed_old {
                let word = origin.word(i);
                if !is_pointer(word) {
                    continue;
                }
                let node = r.node(word)?;
                if slots(node).is_ok_and(|s| s.is_empty()) {
                    self.dies(r.mapping(), node);
                } else if down == 0 {
                    down = word;
                } else {
                    return Ok(false);
                }
            }
            for i in changed_new {
                let word = copy.word(i);
                if !is_pointer(word) {
                    continue;
                }
                let node = r.node(word)?;
                if !w.is_mine(node) || self.reached.contains(&word) {
                    return Ok(false);
                } else if slots(node)?.is_empty() {
                    self.reached.push(word);
                } else if down != 0 && next.is_none() {
                    next = Some((word, down));
                } else {
                    return Ok(false);
                }
            }
            if down != 0 && next.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The only parent of `node` dies: notes whether it dies too.
    fn dies(&mut self, map: &Mapping, node: Node) -> bool {
        let name = node.header();
        let dies = name != 0 && !header_fresh(name) && header_flags(name) & (FLAG_SHARED | FLAG_IMMORTAL) == 0;
        self.orphans += (!dies && header_flags(name) & FLAG_SHARED != 0) as u64;
        if dies {
            let at = node.offset();
            let bytes = size_of_object(map, at);
            let generation = generation(map, at);
            self.dead.push(Dead {
                at,
                name,
                bytes,
                generation,
            });
        }
        dies
    }

    /// Reaches every fresh object from the new state once; counts edges to old objects.
    fn walk_fresh(&mut self, w: &Writer, new: u64) -> Result<()> {
        let r = w.reader();
        self.edge(w, r, new)?;
        while let Some(at) = self.stack.pop() {
            let node = r.node(at)?;
            let range = slots(node)?;
            let pair = self.pair(w, r, node)?;
            let (prefix, suffix) = pair.unwrap_or((0, 0));
            // Slots shared with the origin may still be fresh objects? No: an origin is committed, and so is what it points to.
            for i in range.start + prefix..range.end - suffix {
                self.edge(w, r, node.word(i))?;
            }
        }
        Ok(())
    }

    /// One more edge from the new state's fresh part to `word`.
    fn edge(&mut self, w: &Writer, r: Reader, word: u64) -> Result<()> {
        if !is_pointer(word) {
            return Ok(());
        }
        let node = r.node(word)?;
        let h = node.header();
        if !header_fresh(h) {
            self.keeps_state |= word == self.old;
            if h == 0 {
                return Err(Error::arg(
                    "a value in the transaction was freed: it belongs to a version that is no longer pinned",
                ));
            }
            if header_flags(h) & FLAG_IMMORTAL == 0 {
                match self.edges.get_mut(word) {
                    Some(n) => *n += 1,
                    None => self.edges.insert(word, 1),
                }
            }
            return Ok(());
        }
        if !w.is_mine(node) {
            return Err(Error::arg(
                "a value in the transaction belongs to another transaction; import it",
            ));
        }
        let word_flags = node.header_word();
        if header_flags(h) & FLAG_SEEN != 0 {
            word_flags.store(h | (FLAG_SHARED as u64) << 8, std::sync::atomic::Ordering::Relaxed);
        } else {
            word_flags.store(h | (FLAG_SEEN as u64) << 8, std::sync::atomic::Ordering::Relaxed);
            self.reached.push(word);
            self.stack.push(word);
        }
        Ok(())
    }

    /// Pairs a reached copy with its origin, if it is the origin's first copy.
    fn pair(&mut self, w: &Writer, r: Reader, copy: Node) -> Result<Option<(usize, usize)>> {
        let origin = w.origin(copy);
        self.keeps_state |= origin == self.old && origin != 0 && copy.offset() != self.new;
        if origin == 0 || self.pairs.contains(origin) {
            return Ok(None);
        }
        let from = r.node(origin)?;
        let (prefix, suffix) = common(copy, &slots(copy)?, from, &slots(from)?);
        self.pairs.insert(
            origin,
            Pair {
                copy: copy.offset(),
                prefix,
                suffix,
                dead: false,
            },
        );
        Ok(Some((prefix, suffix)))
    }

    /// Walks down from the old state through objects that lost their only parent.
    fn walk_dead(&mut self, r: Reader, old: u64) -> Result<()> {
        self.orphan(r, old)?;
        while let Some(at) = self.stack.pop() {
            let node = r.node(at)?;
            self.dead.push(Dead {
                at,
                name: node.header(),
                bytes: size_of_object(r.mapping(), at),
                generation: generation(r.mapping(), at),
            });
            let range = slots(node)?;
            let (prefix, suffix) = match self.pairs.get_mut(at) {
                Some(p) => {
                    p.dead = true;
                    (p.prefix, p.suffix)
                }
                None => (0, 0),
            };
            for i in range.start + prefix..range.end - suffix {
                self.orphan(r, node.word(i))?;
            }
        }
        Ok(())
    }

    /// A parent of `word` died. If it was the only one and nothing new points there, `word` dies too.
    fn orphan(&mut self, r: Reader, word: u64) -> Result<()> {
        if !is_pointer(word) {
            return Ok(());
        }
        let h = r.node(word)?.header();
        // Met twice: it has two parents, or the slab is damaged and has a cycle. Either way it isn't ours to free.
        let again = self.orphaned.contains(word);
        if !again {
            self.orphaned.insert(word, ());
        }
        let kept = header_flags(h) & (FLAG_SHARED | FLAG_IMMORTAL) != 0 || header_fresh(h) || h == 0;
        self.orphans += (header_flags(h) & FLAG_SHARED != 0) as u64;
        if !again && !kept && !self.edges.contains(word) {
            self.stack.push(word);
        }
        Ok(())
    }

    fn find_shared(&mut self, r: Reader) -> Result<()> {
        for (at, &n) in self.edges.iter() {
            let alive = !self.orphaned.contains(at);
            if n + alive as u32 >= 2 {
                self.shared.push(at);
            }
        }
        for (_, p) in self.pairs.iter().filter(|(_, p)| !p.dead) {
            // The origin lives on beside its copy: what both point to has two parents now.
            let copy = r.node(p.copy)?;
            let range = slots(copy)?;
            for i in (range.start..range.start + p.prefix).chain(range.end - p.suffix..range.end) {
                if is_pointer(copy.word(i)) {
                    // Nobody has looked at it yet, and in a damaged slab it leads anywhere.
                    self.shared.push(r.node(copy.word(i))?.offset());
                }
            }
        }
        Ok(())
    }
}

/// Number of equal slots at the start and at the end of two objects' slots (never overlapping).
#[inline]
fn common(a: Node, in_a: &Range<usize>, b: Node, in_b: &Range<usize>) -> (usize, usize) {
    let n = in_a.len().min(in_b.len());
    let prefix = a.same_forward(in_a.start, b, in_b.start, n);
    (prefix, a.same_backward(in_a.end, b, in_b.end, n - prefix))
}
