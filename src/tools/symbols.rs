//! The symbol table: directory, chunks, entries and the trie of names.

use super::blocks::{self, Marks};
use super::findings::{FindingKind::*, Findings};
use super::object;
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value::symbol::{self, chunk_len, id_of, kind_of, word_of};
use crate::value::{hash, text};
use std::collections::HashSet;
use std::sync::atomic::Ordering::*;

/// What is checked, and what was met.
pub(super) struct Symbols<'a, 'f> {
    pub(super) r: Reader<'a>,
    pub(super) reached: &'f mut Marks,
    pub(super) findings: &'f mut Findings,
    /// Symbols that values use. None: all must be sound. After a crash the others needn't be, recovery drops them.
    pub(super) used: Option<&'f HashSet<u32>>,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Entries of the table.
    pub(super) entries: u64,
}

impl<'a> Symbols<'a, '_> {
    /// Checks the whole table.
    pub(super) fn check(&mut self) {
        let map = self.r.mapping();
        let directory = map.atomic_u64(CONTROL_SYMBOLS).load(Acquire);
        let trie = map.atomic_u64(CONTROL_SYMBOL_TRIE).load(Acquire);
        if trie != 0 {
            self.check_trie(trie);
        }
        if directory == 0 {
            return;
        }
        let size = 16 + 8 * SYMBOL_CHUNKS as u64;
        let Some(directory) = self.part(directory, SYMBOL_DIR, size) else {
            return;
        };
        let mut names = HashSet::new();
        // Later ones belong to no version yet.
        let count = map.atomic_u32(CONTROL_SYMBOL_NEXT).load(Acquire) as u64;
        for k in 0..SYMBOL_CHUNKS {
            let chunk = map.atomic_u64(directory.offset() + 16 + 8 * k as u64).load(Acquire);
            let first = 64 * ((1u64 << k) - 1);
            if chunk == 0 || first >= count {
                continue;
            }
            let len = chunk_len(k);
            let Some(node) = self.part(chunk, SYMBOL_CHUNK, 16 + 8 * len) else {
                continue;
            };
            if node.low(1) as u64 != len {
                self.find(
                    "a chunk of the symbol table has another size than its place says",
                    chunk,
                );
                continue;
            }
            for i in 0..len.min(count - first) {
                let at = map.atomic_u64(chunk + 16 + 8 * i).load(Acquire);
                if at == 0 {
                    continue;
                }
                let id = (first + i) as u32;
                let before = std::mem::take(self.findings);
                self.check_entry(at, id, trie, &mut names);
                let found = std::mem::replace(self.findings, before);
                if self.used.is_none_or(|used| used.contains(&id)) {
                    self.findings.append(found);
                }
            }
        }
    }

    fn find(&mut self, what: &'static str, offset: u64) {
        self.findings.add(Symbol, what, offset, String::new);
    }

    /// An object of the table of that type, which takes `size` bytes.
    fn part(&mut self, at: u64, kind: u8, size: u64) -> Option<Node<'a>> {
        let Ok(node) = self.r.node(at) else {
            self.findings.add(
                Bounds,
                "a pointer of the symbol table leads outside the slab",
                at,
                String::new,
            );
            return None;
        };
        // Symbols belong to no version: there may be new ones at any time, in new blocks.
        let map = self.r.mapping();
        let room = match blocks::room(map, blocks::high_water(map), at) {
            Ok(room) if room >= size => room,
            Ok(_) => {
                let what = "an object of the symbol table is larger than its cell or run of blocks";
                self.findings.add(Block, what, at, String::new);
                return None;
            }
            Err(what) => {
                self.findings.add(Block, what, at, String::new);
                return None;
            }
        };
        let header = node.header();
        if header == 0 {
            let what = "an object of the symbol table has been freed: its cell can be given to another one";
            self.findings.add(Free, what, at, String::new);
            return None;
        }
        if node.kind() != kind {
            self.find("an object of the symbol table has another type than its place says", at);
            return None;
        }
        if header_flags(header) & FLAG_IMMORTAL == 0 || header_birth(header) != 0 {
            self.findings
                .add(Flags, "an object of the symbol table is not marked so", at, String::new);
        }
        if self.reached.mark(at) {
            self.objects += 1;
            self.bytes += room;
        }
        Some(node)
    }

    fn check_text(&mut self, word: u64) -> Option<Vec<u8>> {
        if is_pointer(word) {
            let node = self.part(word, TEXT, 16)?;
            // Not longer than a name can be: not all of a long text is read.
            let room = blocks::room(self.r.mapping(), blocks::high_water(self.r.mapping()), word).unwrap_or(0);
            if let Err((kind, what)) = object::check(self.r, node, room.min(24 + symbol::NAME_MAX as u64 + 8)) {
                self.findings.add(kind, what, word, String::new);
                return None;
            }
        }
        let found = text::to_vec(self.r, word).ok();
        if found.is_none() {
            self.find("the name of a symbol is no text", word);
        }
        found
    }

    fn check_entry(&mut self, at: u64, id: u32, trie: u64, names: &mut HashSet<(u8, Option<Vec<u8>>, Vec<u8>)>) {
        let Some(node) = self.part(at, SYMBOL, 32) else { return };
        self.entries += 1;
        if id_of(node) != id || kind_of(node) > symbol::SYMBOL_KIND {
            return self.find("an entry of the symbol table leads to the symbol of another number", at);
        }
        let namespace = match node.word(2) {
            NIL => None,
            word => match self.check_text(word) {
                None => return,
                text => text,
            },
        };
        let Some(name) = self.check_text(node.word(3)) else {
            return;
        };
        if hash::hash_symbol(namespace.as_deref(), &name) as u32 != node.low(1) {
            let what = "the hash of a symbol is not that of its name";
            return self.findings.add(Hash, what, at, String::new);
        }
        let kind = kind_of(node);
        if trie != 0
            && !matches!(symbol::find(self.r.mapping(), kind, namespace.as_deref(), &name), Ok(Some(w)) if w == word_of(node))
        {
            return self.find("a symbol can't be found by its name, or another one has that name", at);
        }
        if !names.insert((kind, namespace, name)) {
            self.find("two symbols have one name", at);
        }
    }

    /// Visits the nodes of the trie. What hangs there without an entry was on its way into the table when its writer ended: no value has it.
    fn check_trie(&mut self, root: u64) {
        let mut todo = vec![root];
        while let Some(at) = todo.pop() {
            if self.reached.has(at) {
                self.find("two places of the symbol trie lead to one node", at);
                continue;
            }
            let Some(node) = self.part(at, SYMBOL_TRIE, 16 + 8 * 64) else {
                continue;
            };
            for i in 2..2 + 64 {
                let word = self.r.mapping().atomic_u64(node.offset() + 8 * i).load(Acquire);
                match self.r.node(word) {
                    _ if word == 0 => {}
                    Ok(n) if n.kind() == SYMBOL => {
                        self.part(word, SYMBOL, 32);
                        for text in [n.word(2), n.word(3)].into_iter().filter(|&w| is_pointer(w)) {
                            self.part(text, TEXT, 16);
                        }
                    }
                    _ => todo.push(word),
                }
            }
        }
    }
}
