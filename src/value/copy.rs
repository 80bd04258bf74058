//! Deep copies: a value of another version or another slab into a transaction.
//!
//! Objects are copied as they are, trie nodes too: hashes don't depend on the slab, so a trie is right wherever it lies.
//! Only keywords and symbols have other words in another slab. An object that is met twice is copied once. No recursion:
//! objects wait in a list, so long lists and deep values need no stack, and there are as many steps as objects.

use super::build::{check_word, intern};
use super::{symbol, word};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, NodeMut, Reader};
use crate::slab::slots::{repeats, slots};
use crate::slab::writer::{Writer, PERSISTENT};
use std::collections::HashMap;

/// A value of `version` of the same slab, which the caller keeps pinned: linked if that is the transaction's base, else copied.
pub fn import_version(w: &mut Writer, version: u64, word: u64) -> Result<u64> {
    if version == w.version() || !is_pointer(word) {
        return check_word(w, word).map(|()| word);
    }
    let from = w.reader();
    if header_birth(from.node(word)?.header()) > version {
        return Err(Error::arg("a value is not of the version that it is said to be of"));
    }
    import(w, from, word, |_, word| Ok(word))
}

/// A value of another slab, of a version that the caller keeps pinned.
pub fn import_slab(w: &mut Writer, from: Reader, word: u64) -> Result<u64> {
    import_more(w, from, word, &mut Known::new())
}

/// Words of a slab and their copies in another one.
pub type Known = HashMap<u64, u64>;

/// One more value of another slab's version, of which earlier calls have copied what `known` says. The copies must still be reachable, in this
/// transaction or in its base.
pub fn import_more(w: &mut Writer, from: Reader, word: u64, known: &mut Known) -> Result<u64> {
    import_known(w, from, word, known, |w, word| match word::symbol(word) {
        None => Ok(word),
        Some(s) => {
            let (namespace, name) = symbol::name_of(from, word)?;
            intern(w, s.kind, namespace.as_deref(), &name)
        }
    })
}

/// A copy of the value `word` that `from` reads. `translate` gives the word of an immediate here.
pub fn import(
    w: &mut Writer,
    from: Reader,
    word: u64,
    translate: impl FnMut(&mut Writer, u64) -> Result<u64>,
) -> Result<u64> {
    import_known(w, from, word, &mut Known::new(), translate)
}

fn import_known(
    w: &mut Writer,
    from: Reader,
    word: u64,
    known: &mut Known,
    translate: impl FnMut(&mut Writer, u64) -> Result<u64>,
) -> Result<u64> {
    if is_pointer(word) && word::object_kind(from.node(word)?.kind()).is_none() {
        return Err(Error::arg("a word points to no value"));
    }
    let mut c = Copier {
        from,
        translate,
        known,
        todo: Vec::new(),
    };
    let copy = c.word(w, word)?;
    while let Some((old, new)) = c.todo.pop() {
        for i in slots(old)?.chain(repeats(old)) {
            let word = c.word(w, old.word(i))?;
            new.set(i, word);
        }
    }
    Ok(copy)
}

struct Copier<'f, 'k, F> {
    from: Reader<'f>,
    translate: F,
    /// Words and their copies.
    known: &'k mut Known,
    /// Objects whose copies still have the slots of their originals.
    todo: Vec<(Node<'f>, NodeMut)>,
}

impl<F: FnMut(&mut Writer, u64) -> Result<u64>> Copier<'_, '_, F> {
    fn word(&mut self, w: &mut Writer, word: u64) -> Result<u64> {
        if !is_pointer(word) {
            if word::symbol(word).is_none() {
                return Ok(word);
            }
            if let Some(&copy) = self.known.get(&word) {
                return Ok(copy);
            }
            let copy = (self.translate)(w, word)?;
            self.known.insert(word, copy);
            return Ok(copy);
        }
        if let Some(&copy) = self.known.get(&word) {
            return Ok(copy);
        }
        let old = self.from.node(word)?;
        let new = self.object(w, old)?;
        self.known.insert(word, new.offset());
        if !slots(old)?.is_empty() {
            self.todo.push((old, new));
        }
        Ok(new.offset())
    }

    /// A copy of `old` whose slots are still the old ones.
    fn object(&mut self, w: &mut Writer, old: Node) -> Result<NodeMut> {
        let h = old.header();
        if header_fresh(h) {
            return Err(Error::arg(
                "a value to be copied is of a transaction that has not committed",
            ));
        }
        let kind = header_kind(h);
        let new;
        match kind {
            TEXT | BIGINT | BYTES => {
                let ascii = header_flags(h) & FLAG_ASCII != 0;
                let len = match kind {
                    TEXT if ascii => old.high(1) as usize,
                    TEXT => 8 + old.low(2) as usize,
                    _ => old.low(1) as usize,
                };
                let bytes = self.from.bytes(old, 16, len)?.to_vec();
                new = w.alloc(kind, 16 + len, None, PERSISTENT)?;
                new.set(1, old.word(1));
                new.put_bytes(16, &bytes, 16 + len);
                w.set_flags(new, header_flags(h) & (FLAG_ASCII | FLAG_QUESTION | FLAG_SURROGATE));
            }
            _ => {
                let words = words(old)?;
                new = w.alloc(kind, 8 * words, None, PERSISTENT)?;
                new.copy(1, old, 1, words - 1);
                if kind == VECTOR_NODE {
                    new.set_halves(1, old.low(1), old.low(1));
                }
            }
        }
        Ok(new)
    }
}

/// Words of an object without bytes.
fn words(node: Node) -> Result<usize> {
    Ok(match node.kind() {
        I64 | F64 | DATE => 2,
        RATIO | DECIMAL | UUID | INSTANT | MAP | SET | LIST => 4,
        VECTOR => 6,
        SORTED_MAP | SORTED_SET => 5,
        BTREE_NODE if !repeats(node).is_empty() => repeats(node).end + repeats(node).len().div_ceil(2),
        ARRAY_MAP | MAP_NODE | MAP_COLLISION | SET_NODE | SET_COLLISION | VECTOR_NODE | BTREE_MAP_LEAF
        | BTREE_SET_LEAF => slots(node)?.end,
        _ => {
            return Err(Error::corrupt(
                "a value leads to an object that no value has",
                node.offset(),
            ))
        }
    })
}
