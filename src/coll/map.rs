//! Maps. Empty: a constant. Up to [`ARRAY_MAP_MAX`] entries: an array in order of insertion. More: a trie; a trie that shrinks stays one.

use super::champ::{self, Change, Edit, Entry};
use super::head::{self, COUNT, META, ROOT};
use super::key::{self, Wanted, WordKey};
use super::sorted;
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::slab::writer::{Token, Writer, PERSISTENT};

/// Word of an array map's metadata.
const ARRAY_META: usize = 2;
/// Word of an array map's first entry.
pub(super) const ARRAY_FIRST: usize = 3;

/// How a map is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    /// The constant.
    Empty,
    /// Array map with so many entries.
    Array(Node<'a>, usize),
    /// Head of a trie.
    Trie(Node<'a>),
    /// Head of a sorted map.
    Sorted,
}

/// The form of map `m`. `Type` if it isn't a map.
#[inline]
pub(super) fn form<'a>(r: Reader<'a>, m: u64) -> Result<Form<'a>> {
    if is_pointer(m) {
        let node = r.node(m)?;
        match node.kind() {
            MAP => return Ok(Form::Trie(node)),
            ARRAY_MAP => return Ok(Form::Array(node, array_count(node)?)),
            SORTED_MAP => return Ok(Form::Sorted),
            _ => {}
        }
    } else if m == EMPTY_MAP {
        return Ok(Form::Empty);
    }
    Err(Error::type_("a map is needed"))
}

#[inline]
fn array_count(node: Node) -> Result<usize> {
    let n = head::count(node);
    if n == 0 || n > ARRAY_MAP_MAX {
        return Err(Error::corrupt(
            "an array map has an impossible number of entries",
            node.offset(),
        ));
    }
    Ok(n)
}

/// Number of entries.
pub fn count(r: Reader, m: u64) -> Result<usize> {
    Ok(match form(r, m)? {
        Form::Empty => 0,
        Form::Array(_, n) => n,
        Form::Trie(head) => head::count(head),
        Form::Sorted => sorted::count(r, m)?,
    })
}

/// Value under `key`, whose hash is `hash`.
#[inline]
pub fn get(r: Reader, m: u64, key: u64, hash: u32) -> Result<Option<u64>> {
    get_wanted(r, m, hash, WordKey { r, word: key })
}

/// Value under the key that has `hash` and that `is` accepts: for keys that have no word.
#[inline]
pub fn get_with(r: Reader, m: u64, hash: u32, is: impl Fn(u64) -> Result<bool> + Copy) -> Result<Option<u64>> {
    get_wanted(r, m, hash, is)
}

/// Value under the key that has `hash` and is `wanted`.
#[inline(always)]
pub(super) fn get_wanted(r: Reader, m: u64, hash: u32, wanted: impl Wanted) -> Result<Option<u64>> {
    find(r, m, hash, wanted, |node, i| node.word(i + 1))
}

/// Entry of `key`: the key as it lies in the map, and the value.
pub fn get_entry(r: Reader, m: u64, key: u64, hash: u32) -> Result<Option<(u64, u64)>> {
    find(r, m, hash, WordKey { r, word: key }, |node, i| {
        (node.word(i), node.word(i + 1))
    })
}

#[inline(always)]
fn find<'a, T>(
    r: Reader<'a>,
    m: u64,
    hash: u32,
    wanted: impl Wanted,
    take: impl Fn(Node<'a>, usize) -> T,
) -> Result<Option<T>> {
    if is_pointer(m) {
        let head = r.node(m)?;
        if head.kind() == MAP {
            return champ::find::<{ champ::MAP }, T>(r, head.word(ROOT), head::count(head), hash, wanted, take);
        }
    }
    Ok(find_in_small(r, m, wanted)?.map(|(node, i)| take(node, i)))
}

/// [`find`] in a map that has no trie. A sorted one is searched by order, so for keys that have a word only.
#[inline(never)]
fn find_in_small<'a>(r: Reader<'a>, m: u64, wanted: impl Wanted) -> Result<Option<(Node<'a>, usize)>> {
    match form(r, m)? {
        Form::Array(node, n) => Ok(find_in_array(node, n, wanted)?.map(|i| (node, i))),
        Form::Sorted => sorted::find_wanted(r, m, wanted),
        _ => Ok(None),
    }
}

#[inline]
fn find_in_array(node: Node, n: usize, wanted: impl Wanted) -> Result<Option<usize>> {
    for i in 0..n {
        if wanted.is(node.word(ARRAY_FIRST + 2 * i))? {
            return Ok(Some(ARRAY_FIRST + 2 * i));
        }
    }
    Ok(None)
}

/// `m` with `key` bound to `value`. An equal key that is there already stays; the same word under it gives `m` itself.
#[inline]
pub fn assoc(w: &mut Writer, token: Token, m: u64, key: u64, hash: u32, value: u64) -> Result<u64> {
    let entry = Entry { key, hash, value };
    match form(w.reader(), m)? {
        Form::Trie(head) if head.word(ROOT) != 0 => assoc_trie(w, token, head, entry),
        Form::Trie(head) => {
            let new = new_array(w, token, head.word(META), entry)?;
            w.free_if_editable(head, token);
            Ok(new)
        }
        Form::Array(node, n) => assoc_array(w, token, node, n, entry),
        Form::Empty => new_array(w, token, NIL, entry),
        Form::Sorted => sorted::assoc(w, token, m, key, value, None),
    }
}

#[inline]
fn assoc_trie<'a>(w: &mut Writer<'a>, token: Token, head: Node<'a>, entry: Entry) -> Result<u64> {
    let (root, change) = champ::insert::<{ champ::MAP }>(w, token, head.word(ROOT), entry)?;
    let count = match change {
        Change::None => return Ok(head.offset()),
        Change::Replaced => head::count(head),
        Change::Added => head::count_up(head::count(head))?,
    };
    head::put(w, token, MAP, Some(head), count, root, head.word(META))
}

#[cold]
fn new_array(w: &mut Writer, token: Token, meta: u64, e: Entry) -> Result<u64> {
    let node = w.alloc(ARRAY_MAP, (ARRAY_FIRST + 2) * 8, None, token)?;
    node.set_halves(COUNT, 1, 0);
    node.set(ARRAY_META, meta);
    node.set(ARRAY_FIRST, e.key);
    node.set(ARRAY_FIRST + 1, e.value);
    Ok(node.offset())
}

fn assoc_array<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, n: usize, e: Entry) -> Result<u64> {
    let r = w.reader();
    let words = ARRAY_FIRST + 2 * n;
    if let Some(i) = find_in_array(node, n, WordKey { r, word: e.key })? {
        if node.word(i + 1) == e.value {
            return Ok(node.offset());
        }
        let edit = Edit::new(w, token, node, words, words, words)?;
        edit.set_only(w, i + 1, e.value);
        edit.to.set_halves(COUNT, n as u32, 0);
        return Ok(edit.done(w));
    }
    if n == ARRAY_MAP_MAX {
        return array_to_trie(w, token, node, e);
    }
    let edit = Edit::new(w, token, node, words, words + 2, words)?;
    edit.to.set(words, e.key);
    edit.to.set(words + 1, e.value);
    edit.to.set_halves(COUNT, n as u32 + 1, 0);
    Ok(edit.done(w))
}

fn array_to_trie<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, e: Entry) -> Result<u64> {
    let r = w.reader();
    // The trie is ours until we return it: a token of its own spares the copies between the steps.
    let own = if token == PERSISTENT { w.new_token() } else { token };
    let mut root = 0;
    for i in (ARRAY_FIRST..).step_by(2).take(ARRAY_MAP_MAX) {
        let key = node.word(i);
        let old = Entry {
            key,
            hash: key::hash_of(r, key)?,
            value: node.word(i + 1),
        };
        root = champ::insert::<{ champ::MAP }>(w, own, root, old)?.0;
    }
    root = champ::insert::<{ champ::MAP }>(w, own, root, e)?.0;
    let new = head::put(w, token, MAP, None, ARRAY_MAP_MAX + 1, root, node.word(ARRAY_META))?;
    w.free_if_editable(node, token);
    Ok(new)
}

/// `m` without `key`; `m` itself if the key isn't there.
pub fn dissoc(w: &mut Writer, token: Token, m: u64, key: u64, hash: u32) -> Result<u64> {
    match form(w.reader(), m)? {
        Form::Empty => Ok(m),
        Form::Array(node, n) => dissoc_array(w, token, node, n, key),
        Form::Trie(head) => match champ::remove::<{ champ::MAP }>(w, token, head.word(ROOT), key, hash)? {
            None => Ok(m),
            Some(root) => head::put_less(w, token, MAP, head, root, EMPTY_MAP),
        },
        Form::Sorted => sorted::dissoc(w, token, m, key, None),
    }
}

fn dissoc_array<'a>(w: &mut Writer<'a>, token: Token, node: Node<'a>, n: usize, key: u64) -> Result<u64> {
    let r = w.reader();
    let words = ARRAY_FIRST + 2 * n;
    let Some(i) = find_in_array(node, n, WordKey { r, word: key })? else {
        return Ok(node.offset());
    };
    if n == 1 {
        let meta = node.word(ARRAY_META);
        let empty = if meta == NIL {
            EMPTY_MAP
        } else {
            head::put(w, token, MAP, None, 0, 0, meta)?
        };
        w.free_if_editable(node, token);
        return Ok(empty);
    }
    let edit = Edit::new(w, token, node, words, words - 2, i)?;
    edit.copy(i, i + 2, words - i - 2);
    edit.to.set_halves(COUNT, n as u32 - 1, 0);
    Ok(edit.done(w))
}

/// Metadata of `m`, nil if it has none.
pub fn meta(r: Reader, m: u64) -> Result<u64> {
    Ok(match form(r, m)? {
        Form::Empty => NIL,
        Form::Array(node, _) => node.word(ARRAY_META),
        Form::Trie(head) => head.word(META),
        Form::Sorted => sorted::meta(r, m)?,
    })
}

/// `m` with metadata `meta` (a map or nil).
pub fn with_meta(w: &mut Writer, m: u64, meta: u64) -> Result<u64> {
    match form(w.reader(), m)? {
        Form::Empty => head::put_meta(w, MAP, None, meta, EMPTY_MAP),
        Form::Trie(head) => head::put_meta(w, MAP, Some(head), meta, EMPTY_MAP),
        Form::Sorted => sorted::with_meta(w, m, meta),
        Form::Array(node, _) if node.word(ARRAY_META) == meta => Ok(m),
        Form::Array(node, n) => {
            let words = ARRAY_FIRST + 2 * n;
            let new = w.alloc(ARRAY_MAP, words * 8, Some(node), PERSISTENT)?;
            new.copy(COUNT, node, COUNT, words - 1);
            new.set(ARRAY_META, meta);
            Ok(new.offset())
        }
    }
}
