//! Marking: everything that a root reaches.
//!
//! Depth first with a stack of our own, so depth costs memory of ours and no stack of the thread. Objects wait in a short queue between the
//! moment they are fetched and the moment they are looked at (Boehm, "Reducing garbage collector cache misses", 2000; Cher, Hosking, Vitek,
//! "Software prefetching for mark-sweep garbage collection", 2004).

use super::marks::Marks;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use crate::slab::slots::slots;

/// Objects that are fetched ahead.
const QUEUE: usize = 16;
/// Bytes fetched of each: header, and the first slots of most.
const FETCH: usize = 128;
/// Objects between two looks whether to go on.
const TURN: u64 = 1 << 14;

/// Adds all that `root` reaches to `marks`. `go_on` is asked now and then, with the number of objects found; an error of its ends the walk.
pub fn mark(r: Reader, root: u64, marks: &mut Marks, go_on: &mut dyn FnMut(u64) -> Result<()>) -> Result<u64> {
    let mut stack = Vec::new();
    let mut queue = [0u64; QUEUE];
    let (mut at, mut waiting, mut found) = (0, 0, 0);
    let mut push = |word: u64, stack: &mut Vec<u64>| -> Result<()> {
        if is_pointer(word) && marks.insert(word).ok_or_else(|| outside(word))? {
            stack.push(word);
        }
        Ok(())
    };
    push(root, &mut stack)?;
    loop {
        let next = stack.pop().unwrap_or(0);
        if next != 0 {
            r.mapping().prefetch(next, FETCH);
            waiting += 1;
        }
        let word = std::mem::replace(&mut queue[at], next);
        at = (at + 1) % QUEUE;
        if word == 0 {
            if waiting == 0 {
                return Ok(found);
            }
            continue;
        }
        waiting -= 1;
        found += 1;
        if found % TURN == 0 {
            go_on(found)?;
        }
        let node = r.node(word)?;
        for i in slots(node)? {
            push(node.word(i), &mut stack)?;
        }
    }
}

fn outside(word: u64) -> Error {
    Error::corrupt("a pointer leads outside the slab", word)
}
