//! Values: what a word means. Numbers, text, keywords and symbols, hashes, equality, printing, and how values get into a slab.
//!
//! A function that reads takes a [`Reader`](crate::slab::mapping::Reader) and a word; one that makes a value takes a
//! [`Writer`](crate::slab::writer::Writer) and gives its word. `hash`, `bignum`, `flonum` and `utf8` know nothing of slabs.
//!
//! V1. One value has one word wherever it can: what fits a word has no object. So words that differ and lie in no object are different values, but
//!     for `0.0` and `-0.0`, and for `[]` and `()`.
//! V2. Equal values have equal hashes, and both are Clojure's; except that byte arrays are equal by content.
//! V3. A keyword or symbol has one word in a slab, for ever. Before the word is used, the symbol table's entry of its id is set.
//! V4. Whatever lies in a slab or a buffer, reading it ends, with an error where it makes no sense. Recursion is bounded by
//!     [`DEPTH_MAX`](crate::slab::layout::DEPTH_MAX) levels, which need less than half a MiB of stack; a thread that hasn't got it gets an error.
//! V5. Hash and equality walk what is met on many paths once (`walk`). Printing doesn't: what it writes is as long.

pub mod bignum;
pub mod build;
mod build_buffer;
pub mod compare;
pub mod copy;
pub mod equal;
mod equal_sorted;
pub mod flonum;
pub mod hash;
pub mod hashing;
pub mod number;
pub mod print;
mod print_number;
mod print_time;
pub mod scalar;
pub mod symbol;
pub mod text;
pub mod utf8;
mod walk;
pub mod word;

pub use compare::compare;
pub use equal::equal;
pub use hashing::hash_word;

use crate::coll::iter::Iter;
use crate::error::{Error, Result};
use crate::slab::mapping::Reader;

/// Text of a string; "name" or "ns/name" of a keyword or symbol. Generalized UTF-8. `Type` if `word` is something else.
pub fn text_of(r: Reader, word: u64) -> Result<Vec<u8>> {
    if word::symbol(word).is_none() {
        return text::to_vec(r, word);
    }
    let mut out = Vec::new();
    symbol::copy_name_to(r, word, &mut out)?;
    Ok(out)
}

/// Iterator for a function that calls itself for the elements: on the heap, so that deep recursion needs little stack (V4). Never inlined, as it would
/// leave its own room in the caller's frame.
#[inline(never)]
fn items<'a>(r: Reader<'a>, coll: u64) -> Result<Box<Iter<'a>>> {
    Iter::new(r, coll).map(Box::new)
}

/// One level deeper, or an error.
#[inline]
fn deeper(depth: usize) -> Result<usize> {
    if depth >= crate::slab::layout::DEPTH_MAX {
        return Err(too_deep());
    }
    // A caller may have used its stack up nearly, as a runaway recursion of the JVM does before it is stopped.
    if depth % LEVELS == LEVELS - 1 && crate::sys::stack_left() < STACK_MIN {
        return Err(no_stack());
    }
    Ok(depth + 1)
}

/// Levels between two looks at the stack. They need less than 32 KiB; a JVM leaves at least 80 KiB to a call.
const LEVELS: usize = 32;
/// Stack that must be left, with the JVM's guard pages at its end.
const STACK_MIN: usize = 128 << 10;

#[cold]
fn no_stack() -> Error {
    Error::limit("this thread's stack is nearly used up, and a value is nested deep: use a thread with a larger stack, or fewer calls in each other")
}

#[cold]
fn too_deep() -> Error {
    Error::limit("a value is nested deeper than 1024 levels")
}
