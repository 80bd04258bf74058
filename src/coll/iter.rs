//! Iteration over any collection, in the order in which it lies in the slab: array maps, sorted collections, vectors and lists in theirs, tries by node.

use super::btree::Range;
use super::champ::{collision_kind, collisions, node_kind, Shape, FIRST, LEVELS, MAP as MAP_ENTRY, SET as SET_ENTRY};
use super::map::{form, Form, ARRAY_FIRST};
use super::radix::{self, Tree};
use super::{head, list, set, sorted, vector};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};

/// Iterator over the entries of a map as (key, value), or over the elements of a set, vector or list as (element, 0).
/// It yields as many as the collection's count says, or an error and then nothing more.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    r: Reader<'a>,
    left: usize,
    state: State<'a>,
}

#[allow(
    clippy::large_enum_variant,
    reason = "an iterator lives on the stack; a box would cost an allocation each"
)]
#[derive(Clone, Debug)]
enum State<'a> {
    Done,
    /// Next word of an array map.
    Array(Node<'a>, usize),
    Trie(Trie<'a>),
    Vector(Vector<'a>),
    Sorted(Range<'a>),
    /// Next cell.
    List(u64),
}

/// A place in a trie: the entries still to come of one node, and the children still to come of it and the nodes above.
#[derive(Clone, Debug)]
struct Trie<'a> {
    entry: usize,
    node: Node<'a>,
    at: usize,
    end: usize,
    above: [Option<(Node<'a>, usize, usize)>; LEVELS],
    depth: usize,
}

/// A place in a vector: the leaf of the next element.
#[derive(Clone, Debug)]
struct Vector<'a> {
    tree: Tree,
    tree_len: usize,
    tail: u64,
    next: usize,
    leaf: Option<Node<'a>>,
}

impl<'a> Iter<'a> {
    /// An iterator over the collection `coll`; nil is empty. `Type` if it is something else.
    pub fn new(r: Reader<'a>, coll: u64) -> Result<Iter<'a>> {
        let none = Iter {
            r,
            left: 0,
            state: State::Done,
        };
        if !is_pointer(coll) {
            return match coll {
                NIL | EMPTY_MAP | EMPTY_SET | EMPTY_VECTOR | EMPTY_LIST => Ok(none),
                _ => Err(super::not_a_collection()),
            };
        }
        let node = r.node(coll)?;
        let (left, state) = match node.kind() {
            ARRAY_MAP | MAP => match form(r, coll)? {
                Form::Array(node, n) => (n, State::Array(node, ARRAY_FIRST)),
                Form::Trie(h) => (head::count(h), trie_state(r, MAP_ENTRY, h)?),
                Form::Empty | Form::Sorted => return Ok(none),
            },
            SET => (set::count(r, coll)?, trie_state(r, SET_ENTRY, node)?),
            SORTED_MAP | SORTED_SET => (head::count(node), State::Sorted(sorted::all(r, node)?)),
            VECTOR => {
                let (_, h) = vector::head_of(r, coll)?;
                let (tree, tree_len, tail) = (h.tree, h.tree_len(), h.tail);
                (
                    h.count,
                    State::Vector(Vector {
                        tree,
                        tree_len,
                        tail,
                        next: 0,
                        leaf: None,
                    }),
                )
            }
            LIST => (list::count(r, coll)?, State::List(coll)),
            _ => return Err(super::not_a_collection()),
        };
        super::check_count(r, left, node)?;
        Ok(Iter { r, left, state })
    }

    /// Number of elements still to come, by the collection's count.
    pub fn remaining(&self) -> usize {
        self.left
    }

    fn step(&mut self) -> Result<Option<(u64, u64)>> {
        let item = match &mut self.state {
            State::Done => None,
            State::Trie(trie) => trie.next(self.r)?,
            State::Sorted(range) => range.step()?,
            _ if self.left == 0 => None,
            State::Array(node, at) => {
                *at += 2;
                Some((node.word(*at - 2), node.word(*at - 1)))
            }
            State::Vector(v) => Some((v.next(self.r)?, 0)),
            State::List(at) => {
                let cell = list::cell_of(self.r, *at)?.filter(|c| c.low(1) as usize == self.left);
                let cell = cell.ok_or_else(|| list::wrong_count(*at))?;
                *at = cell.word(list::REST);
                Some((cell.word(list::FIRST), 0))
            }
        };
        match (item, self.left) {
            (None, 0) | (Some(_), 1..) => self.left -= item.is_some() as usize,
            _ => {
                return Err(Error::corrupt(
                    "a collection's count is not the number of its elements",
                    0,
                ))
            }
        }
        Ok(item)
    }
}

impl Iterator for Iter<'_> {
    type Item = Result<(u64, u64)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.state = State::Done;
            self.left = 0;
        }
        item
    }
}

fn trie_state<'a>(r: Reader<'a>, entry: usize, h: Node<'a>) -> Result<State<'a>> {
    let root = h.word(head::ROOT);
    if root == 0 {
        return Ok(State::Done);
    }
    let mut trie = Trie {
        entry,
        node: h,
        at: 0,
        end: 0,
        above: [None; LEVELS],
        depth: 0,
    };
    trie.enter(r.node_of(root, node_kind(entry))?);
    Ok(State::Trie(trie))
}

impl<'a> Trie<'a> {
    fn enter(&mut self, node: Node<'a>) {
        let shape = Shape::of(node);
        let children = FIRST + shape.children();
        self.above[self.depth] = Some((node, FIRST, children));
        self.depth += 1;
        self.node = node;
        self.at = children;
        self.end = children + self.entry * shape.entries();
    }

    #[inline]
    fn next(&mut self, r: Reader<'a>) -> Result<Option<(u64, u64)>> {
        while self.at == self.end {
            if !self.next_node(r)? {
                return Ok(None);
            }
        }
        let i = self.at;
        self.at += self.entry;
        let value = if self.entry == MAP_ENTRY {
            self.node.word(i + 1)
        } else {
            0
        };
        Ok(Some((self.node.word(i), value)))
    }

    /// Moves to the next node; false when there is none. A node without children has two entries at least, so the number of steps is bounded
    /// by the number of entries.
    fn next_node(&mut self, r: Reader<'a>) -> Result<bool> {
        while self.depth > 0 {
            let Some((node, next, end)) = &mut self.above[self.depth - 1] else {
                break;
            };
            if *next == *end {
                self.depth -= 1;
                continue;
            }
            let child = node.word(*next);
            *next += 1;
            if self.depth == LEVELS {
                return self.enter_collision(r, child).map(|()| true);
            }
            let node = r.node_of(child, node_kind(self.entry))?;
            let shape = Shape::of(node);
            if shape.children() == 0 && shape.entries() < 2 {
                return Err(Error::corrupt("a node below the root has a single entry", child));
            }
            self.enter(node);
            return Ok(true);
        }
        Ok(false)
    }

    fn enter_collision(&mut self, r: Reader<'a>, at: u64) -> Result<()> {
        let node = r.node_of(at, collision_kind(self.entry))?;
        let n = if self.entry == MAP_ENTRY {
            collisions::<MAP_ENTRY>(node)?
        } else {
            collisions::<SET_ENTRY>(node)?
        };
        self.node = node;
        self.at = FIRST;
        self.end = FIRST + self.entry * n;
        Ok(())
    }
}

impl<'a> Vector<'a> {
    #[inline]
    fn next(&mut self, r: Reader<'a>) -> Result<u64> {
        let place = self.next % VECTOR_WIDTH;
        let leaf = match self.leaf {
            Some(leaf) if place != 0 => leaf,
            _ if self.next < self.tree_len => radix::leaf(r, self.tree, self.next)?,
            _ => r.node_of(self.tail, VECTOR_NODE)?,
        };
        self.leaf = Some(leaf);
        self.next += 1;
        Ok(leaf.word(radix::FIRST + place))
    }
}
