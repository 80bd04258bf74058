//! The content of one object: all that can be told without following its slots.

use super::findings::FindingKind::{self, *};
use crate::slab::layout::*;
use crate::slab::mapping::{Node, Reader};
use crate::value::{bignum, hash, number, scalar, text, word};

/// What is wrong.
pub(super) type Fault = (FindingKind, &'static str);

fn ensure(ok: bool, kind: FindingKind, what: &'static str) -> Result<(), Fault> {
    if ok {
        Ok(())
    } else {
        Err((kind, what))
    }
}

/// Checks the object `node` but for what its slots lead to, and gives its size in bytes. It must fit `room`; bytes beyond are not looked at, or many
/// small objects that claim to be large could take for ever.
pub(super) fn check(r: Reader, node: Node, room: u64) -> Result<usize, Fault> {
    let size = check_content(r, node, room)?;
    ensure(size as u64 <= room, Block, LARGER)?;
    Ok(size)
}

const LARGER: &str = "an object is larger than its cell or run of blocks";

fn check_content(r: Reader, node: Node, room: u64) -> Result<usize, Fault> {
    let flags = header_flags(node.header());
    ensure(
        flags & (FLAG_SEEN | FLAG_ONLY) == 0,
        Flags,
        "a committed object has flags of an uncommitted one",
    )?;
    let own = if node.kind() == TEXT {
        FLAG_ASCII | FLAG_QUESTION | FLAG_SURROGATE
    } else {
        0
    };
    ensure(
        flags & !(own | FLAG_SHARED | FLAG_IMMORTAL) == 0,
        Flags,
        "an object has flags that its type doesn't have",
    )?;
    let low = node.low(1) as usize;
    Ok(match node.kind() {
        TEXT => check_text(r, node, room)?,
        BIGINT | BYTES => check_bytes(r, node, room)?,
        I64 => {
            let fits = word::from_int(node.word(1) as i64).is_some();
            ensure(!fits, Form, "an integer that fits a word has an object")?;
            16
        }
        F64 => {
            let fits = word::from_double(f64::from_bits(node.word(1))).is_some();
            ensure(!fits, Form, "a double that fits a word has an object")?;
            16
        }
        DATE => 16,
        UUID => 32,
        INSTANT => {
            let (seconds, nanos) = (node.word(1) as i64, node.word(2));
            let fits = scalar::SECONDS.contains(&seconds) && nanos < 1_000_000_000;
            ensure(fits, Form, "an instant is out of range")?;
            32
        }
        RATIO => 32,
        DECIMAL => {
            ensure(node.high(2) == 0, Form, "a decimal's scale has more than 32 bits")?;
            32
        }
        ARRAY_MAP => {
            let fits = (1..=ARRAY_MAP_MAX).contains(&low);
            ensure(fits, Count, "an array map has an impossible number of entries")?;
            24 + 16 * low
        }
        MAP | SET => check_head(node)?,
        SORTED_MAP | SORTED_SET => check_sorted_head(node)?,
        BTREE_MAP_LEAF | BTREE_SET_LEAF | BTREE_NODE => check_btree(node)?,
        MAP_NODE | SET_NODE => check_node(node)?,
        MAP_COLLISION => check_collision(node, 2)?,
        SET_COLLISION => check_collision(node, 1)?,
        VECTOR => check_vector(node)?,
        VECTOR_NODE => {
            let (used, room) = (low, node.high(1) as usize);
            let fits = used >= 1 && used <= room && room <= VECTOR_WIDTH;
            ensure(fits, Count, "a vector's node has an impossible number of elements")?;
            16 + 8 * room
        }
        LIST => {
            ensure(
                (1..=i32::MAX as usize).contains(&low),
                Count,
                "a list's cell has an impossible count",
            )?;
            32
        }
        _ => return Err((Type, "an object has an unknown type")),
    })
}

fn bytes(r: Reader, node: Node, start: usize, len: usize) -> Result<Vec<u8>, Fault> {
    let bytes = r
        .bytes(node, start, len)
        .map_err(|_| (Bounds, "a text, byte array or big integer reaches outside the slab"))?;
    Ok(bytes.to_vec())
}

fn check_bytes(r: Reader, node: Node, room: u64) -> Result<usize, Fault> {
    let len = node.low(1) as usize;
    ensure(16 + len as u64 <= room, Block, LARGER)?;
    let content = bytes(r, node, 16, len)?;
    let hash = if node.kind() == BIGINT {
        ensure(
            bignum::is_minimal(&content),
            Form,
            "a big integer is empty or longer than need be",
        )?;
        hash::hash_bigint(&content)
    } else {
        hash::hash_bytes(&content)
    };
    ensure(
        hash as u32 == node.high(1),
        Hash,
        "the hash of a big integer or byte array is not that of its bytes",
    )?;
    Ok(16 + len)
}

fn check_text(r: Reader, node: Node, room: u64) -> Result<usize, Fault> {
    let ascii = header_flags(node.header()) & FLAG_ASCII != 0;
    let (start, len) = if ascii {
        (16, node.high(1) as usize)
    } else {
        (24, node.low(2) as usize)
    };
    let size = (start + len).next_multiple_of(8);
    ensure(size as u64 <= room, Block, LARGER)?;
    let mut content = bytes(r, node, start, size - start)?;
    ensure(
        content[len..].iter().all(|&b| b == 0),
        Form,
        "a text is not followed by zeros",
    )?;
    content.truncate(len);
    let info = text::scan(&content).map_err(|_| (Form, "a text is not UTF-8"))?;
    ensure(len > INLINE_STRING_MAX, Form, "a text that fits a word has an object")?;
    ensure(
        ascii || node.high(2) == 0,
        Form,
        "a text's length has more than 32 bits",
    )?;
    ensure(
        info.utf16_len == node.high(1) as usize,
        Count,
        "a text has another length than it says",
    )?;
    let own = FLAG_ASCII | FLAG_QUESTION | FLAG_SURROGATE;
    let flags = header_flags(node.header()) & own;
    ensure(
        flags == text::flags(&info),
        Flags,
        "a text's flags are not those of its content",
    )?;
    let hash = hash::hash_string(&content) as u32;
    ensure(
        hash == node.low(1),
        Hash,
        "the hash of a text is not that of its content",
    )?;
    Ok(size)
}

/// The count of a head against its root.
fn check_count(node: Node) -> Result<(), Fault> {
    let (count, root) = (node.low(1), node.word(2));
    ensure(
        count <= i32::MAX as u32,
        Count,
        "a collection is larger than a count can say",
    )?;
    ensure(
        (count == 0) == (root == 0),
        Count,
        "a collection's count is not the number of its elements",
    )
}

fn check_head(node: Node) -> Result<usize, Fault> {
    check_count(node)?;
    let (count, meta) = (node.low(1), node.word(3));
    ensure(
        count > 0 || meta != NIL,
        Form,
        "an empty collection without metadata is not the constant",
    )?;
    Ok(32)
}

fn check_sorted_head(node: Node) -> Result<usize, Fault> {
    check_count(node)?;
    Ok(40)
}

fn check_btree(node: Node) -> Result<usize, Fault> {
    let (n, level) = (node.low(1) as usize, node.high(1) as usize);
    let fits = (1..=BTREE_WIDTH).contains(&n);
    ensure(fits, Count, "a B+tree's node has an impossible number of entries")?;
    let is_inner = node.kind() == BTREE_NODE;
    let fits = if is_inner {
        (1..BTREE_LEVELS).contains(&level)
    } else {
        level == 0
    };
    ensure(fits, Form, "a B+tree's node has an impossible level")?;
    let padded = is_inner && n % 2 == 1;
    ensure(
        !padded || node.half(2 * (2 + 2 * n) + n) == 0,
        Form,
        "a B+tree's node is not followed by zeros",
    )?;
    Ok(match node.kind() {
        BTREE_MAP_LEAF => 16 + 16 * n,
        BTREE_SET_LEAF => 16 + 8 * n,
        _ => 16 + 16 * n + 8 * n.div_ceil(2),
    })
}

fn check_node(node: Node) -> Result<usize, Fault> {
    let (data, nodes) = (node.low(1), node.high(1));
    ensure(data & nodes == 0, Form, "a node has an entry and a child at one place")?;
    ensure(data | nodes != 0, Form, "a node is empty")?;
    let entry = if node.kind() == MAP_NODE { 2 } else { 1 };
    Ok(16 + 8 * (nodes.count_ones() + entry * data.count_ones()) as usize)
}

fn check_collision(node: Node, entry: usize) -> Result<usize, Fault> {
    let n = node.high(1) as usize;
    let fits = (2..=508 / entry).contains(&n);
    ensure(fits, Count, "a collision node has an impossible number of entries")?;
    Ok(16 + 8 * entry * n)
}

fn check_vector(node: Node) -> Result<usize, Fault> {
    let (count, shift, root, tail) = (node.low(1), node.high(1), node.word(2), node.word(3));
    ensure(
        count <= i32::MAX as u32,
        Count,
        "a vector is larger than a count can say",
    )?;
    ensure(node.high(5) == 0, Form, "a vector's hash has more than 32 bits")?;
    let in_tree = tree_len(node);
    let form = "a vector's tree is higher or lower than its count needs";
    if in_tree == 0 {
        ensure(root == 0 && shift == 5, Form, form)?;
    } else {
        ensure(shift % 5 == 0 && (5..=30).contains(&shift) && root != 0, Form, form)?;
        ensure(
            (shift == 5 || in_tree > 1 << shift) && in_tree <= 32 << shift,
            Form,
            form,
        )?;
    }
    ensure((count == 0) == (tail == 0), Form, "a vector has no last elements")?;
    let bare = count > 0 || node.word(4) != NIL;
    ensure(bare, Form, "an empty vector without metadata is not the constant")?;
    Ok(48)
}

/// Elements in the tree of a vector, before its tail.
pub(super) fn tree_len(vector: Node) -> u64 {
    (vector.low(1) as u64).saturating_sub(1) & !(VECTOR_WIDTH as u64 - 1)
}

/// Checks the parts of a ratio or decimal, which are integers in their shortest form.
pub(super) fn check_parts(r: Reader, node: Node) -> Result<(), Fault> {
    if node.kind() != RATIO {
        return Ok(());
    }
    let part = |i| number::integer_bytes(r, node.word(i)).map_err(|_| (Type, "a part of a ratio is no integer"));
    let (n, d) = (part(1)?, part(2)?);
    ensure(
        bignum::compare(&d, &[1]).is_gt(),
        Form,
        "the denominator of a ratio is not above 1",
    )?;
    if let (Some(n), Some(d)) = (bignum::to_i128(&n), bignum::to_i128(&d)) {
        let (mut a, mut b) = (n.unsigned_abs(), d.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        ensure(a == 1, Form, "a ratio is not in lowest terms")?;
    }
    Ok(())
}
