//! Which words of an object are slots: all that the commit, the tracer and recovery need to know of the types.

use super::layout::*;
use super::mapping::Node;
use crate::error::{Error, Result};
use std::ops::Range;

/// Most slots that an object has: a collision node's are bounded by what a reader can see behind a header.
const SLOTS_MAX: usize = 508;

/// The words of `node` that are slots, as indices for [`Node::word`]. Unknown types are `Corrupt`.
pub fn slots(node: Node) -> Result<Range<usize>> {
    let n = match node.kind() {
        TEXT | I64 | F64 | BIGINT | UUID | DATE | INSTANT | BYTES => 0,
        RATIO => return Ok(1..3),
        DECIMAL => return Ok(1..2),
        ARRAY_MAP => 1 + 2 * node.low(1) as usize,
        MAP | SET | LIST => 2,
        MAP_NODE => (node.high(1).count_ones() + 2 * node.low(1).count_ones()) as usize,
        SET_NODE => (node.high(1).count_ones() + node.low(1).count_ones()) as usize,
        MAP_COLLISION => 2 * node.high(1) as usize,
        SET_COLLISION => node.high(1) as usize,
        VECTOR | SORTED_MAP | SORTED_SET => 3,
        BTREE_MAP_LEAF => 2 * node.low(1) as usize,
        BTREE_SET_LEAF | BTREE_NODE => node.low(1) as usize,
        VECTOR_NODE => node.low(1) as usize,
        SYMBOL => 2,
        _ => return Err(Error::corrupt("an object has an unknown type", node.offset())),
    };
    if n > SLOTS_MAX {
        return Err(Error::corrupt(
            "an object claims more slots than it can have",
            node.offset(),
        ));
    }
    Ok(2..2 + n)
}

/// The words of `node` that repeat slots of objects below it: the keys of a B+tree's node. They keep nothing alive, and needn't, but a copy's must be those of
/// the copied objects.
pub fn repeats(node: Node) -> Range<usize> {
    match (node.kind(), node.low(1) as usize) {
        (BTREE_NODE, n) if n <= BTREE_WIDTH => 2 + n..2 + 2 * n,
        _ => 0..0,
    }
}
