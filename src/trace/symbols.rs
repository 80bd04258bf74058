//! The symbol table in a trace: what it reaches, and what processes that died while they made a symbol, or a crash of the machine, have left beside it.

use super::marks::Marks;
use crate::error::{Error, Result};
use crate::slab::free::Held;
use crate::slab::layout::*;
use crate::slab::mapping::{Mapping, Reader};
use std::collections::HashSet;
use std::sync::atomic::Ordering::*;

/// Adds all objects of the symbol table to `marks`, which may be too short for the newest.
pub fn mark_symbols(map: &Mapping, marks: &mut Marks) -> Result<()> {
    let r = map.reader();
    let directory = map.atomic_u64(CONTROL_SYMBOLS).load(Acquire);
    if directory != 0 {
        marks.insert(directory);
        let slots = r.node_of(directory, SYMBOL_DIR)?.offset() + 16;
        for k in 0..SYMBOL_CHUNKS as u64 {
            let chunk = map.atomic_u64(slots + 8 * k).load(Acquire);
            if chunk == 0 {
                continue;
            }
            marks.insert(chunk);
            let node = r.node_of(chunk, SYMBOL_CHUNK)?;
            r.bytes(node, 16, 8 << (k + 6))?;
            for i in 0..64 << k {
                mark_symbol(r, map.atomic_u64(chunk + 16 + 8 * i).load(Acquire), marks)?;
            }
        }
    }
    let mut todo = vec![map.atomic_u64(CONTROL_SYMBOL_TRIE).load(Acquire)];
    let mut newest = HashSet::new();
    while let Some(at) = todo.pop().filter(|&at| at != 0) {
        let node = r.node_of(at, SYMBOL_TRIE)?;
        if !marks.insert(at).unwrap_or_else(|| newest.insert(at)) {
            return Err(Error::corrupt("two places of the symbol trie lead to one node", at));
        }
        for i in 0..64 {
            let child = map.atomic_u64(node.offset() + 16 + 8 * i).load(Acquire);
            match child {
                0 => {}
                _ if r.node(child)?.kind() == SYMBOL_TRIE => todo.push(child),
                // Also one without an entry by its number: whoever finds it gives it one.
                _ => mark_symbol(r, child, marks)?,
            }
        }
    }
    Ok(())
}

fn mark_symbol(r: Reader, at: u64, marks: &mut Marks) -> Result<()> {
    if at != 0 && marks.insert(at) != Some(false) {
        let node = r.node_of(at, SYMBOL)?;
        [node.word(2), node.word(3)]
            .into_iter()
            .filter(|&w| is_pointer(w))
            .for_each(|w| _ = marks.insert(w));
    }
    Ok(())
}

/// Frees the symbols, texts and nodes in `blocks` that the table doesn't reach; blocks that somebody uses are passed over. Returns how many
/// objects, and their bytes.
///
/// Who makes a symbol owns the blocks that it lies in until it is in the table. So once we hold a block that was nobody's, what the table doesn't reach
/// from then on is known to none who lives.
pub fn free_lost(map: &Mapping, agent: u16, blocks: &[u64]) -> Result<(u64, u64)> {
    let held: Vec<Held> = blocks.iter().filter_map(|&b| Held::take(map, agent, b)).collect();
    if held.is_empty() {
        return Ok((0, 0));
    }
    let mut marks = Marks::new(map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire));
    mark_symbols(map, &mut marks)?;
    let is_lost = |at, h| header_flags(h) & FLAG_IMMORTAL != 0 && !marks.contains(at);
    Ok(held.iter().fold((0, 0), |(n, bytes), h| {
        let freed = h.mend(&is_lost);
        (n + freed, bytes + freed * h.cell())
    }))
}
