//! Every offset, size and tag of the slab format, declared once. `docs/format.md` says what they mean; `make gen` writes
//! `Layout.java`, `layout.js` and `eve_layout.h` from [`TABLE`].

/// Declares constants and collects them, with their documentation, in a table for the generators.
macro_rules! constants {
    ($table:ident: $($(#[doc = $doc:literal])+ $name:ident: $ty:ty = $value:expr;)*) => {
        $($(#[doc = $doc])+ pub const $name: $ty = $value;)*
        /// Name, value and documentation of every constant above, in order.
        pub const $table: &[(&str, u64, &str)] = &[$((stringify!($name), $name as u64, concat!($($doc),+))),*];
    };
}

/// First bytes of a slab.
pub const MAGIC: [u8; 8] = [0x89, b'E', b'V', b'E', 0x0D, 0x0A, 0x1A, 0x0A];
/// First bytes of a superblock.
pub const SUPERBLOCK_MAGIC: [u8; 8] = [0x89, b'E', b'V', b'E', b'S', b'B', 0x0D, 0x0A];
/// Word of a sorted collection's order, the integer -1: the reverse of the natural one.
pub const ORDER_REVERSE: u64 = u64::MAX;

constants! { TABLE:
    /// Format version.
    FORMAT_VERSION: u32 = 1;
    /// Offset of the ident.
    IDENT: u64 = 0;
    /// Size of the ident's page.
    IDENT_SIZE: u64 = 4096;
    /// Offset of superblock A.
    SUPERBLOCK_A: u64 = 0x4000;
    /// Offset of superblock B.
    SUPERBLOCK_B: u64 = 0x8000;
    /// Size of a superblock.
    SUPERBLOCK_SIZE: u64 = 512;
    /// Offset of the control page.
    CONTROL: u64 = 0xC000;
    /// Offset of the participant table.
    PARTICIPANTS: u64 = 0xD000;
    /// Size of a participant entry.
    PARTICIPANT_SIZE: u64 = 16;
    /// Participants of one slab, at most.
    PARTICIPANTS_MAX: u64 = 256;
    /// Offset of the agent lines.
    AGENTS: u64 = 0x1_0000;
    /// Size of an agent line.
    AGENT_SIZE: u64 = 64;
    /// Agent line: hazard, u64.
    AGENT_HAZARD: u64 = 40;
    /// Agent lines of one slab, at most (a record index must fit 14 bits: records = 4 * agents).
    AGENTS_MAX: u64 = 4096;
    /// Offset of the pin groups.
    GROUPS: u64 = 0x5_0000;
    /// Size of a pin group.
    GROUP_SIZE: u64 = 32;
    /// Pin groups of one slab, at most.
    GROUPS_MAX: u64 = 8192;
    /// Offset of the root records.
    RECORDS: u64 = 0x10_0000;
    /// Size of a root record.
    RECORD_SIZE: u64 = 64;
    /// Root records of one slab, at most.
    RECORDS_MAX: u64 = 16384;
    /// Offset of the block descriptors of segment 0 (of other segments: the segment's start).
    DESCRIPTORS: u64 = 0x20_0000;
    /// Size of a block descriptor.
    DESCRIPTOR_SIZE: u64 = 16;
    /// Size of the header region: offset of the first block of segment 0.
    HEADER_SIZE: u64 = 0x30_0000;
    /// Bytes that are always allocated beyond backed_len, so that a node that starts in bounds can be read whole.
    SLACK: u64 = 4096;
    /// log2 of the block size.
    BLOCK_BITS: u32 = 16;
    /// Block size.
    BLOCK_SIZE: u64 = 0x1_0000;
    /// Bytes of the bitmap at the start of a block of cells.
    BITMAP_SIZE: u64 = 512;
    /// log2 of the segment size.
    SEGMENT_BITS: u32 = 32;
    /// Blocks of a segment.
    SEGMENT_BLOCKS: u64 = 0x1_0000;
    /// Blocks that a segment's descriptors take, in segments from 1 on.
    SEGMENT_RESERVED: u64 = 16;

    /// Control page: state, u32.
    CONTROL_STATE: u64 = 0xC000;
    /// Control page: incarnation, u32.
    CONTROL_INCARNATION: u64 = 0xC004;
    /// Control page: boot id, 16 bytes.
    CONTROL_BOOT_ID: u64 = 0xC008;
    /// Control page: device, inode, time of birth, three u64.
    CONTROL_FILE_ID: u64 = 0xC018;
    /// Control page: root word, u32.
    CONTROL_ROOT: u64 = 0xC080;
    /// Control page: notify counter, u32.
    CONTROL_NOTIFY: u64 = 0xC100;
    /// Control page: waiters, u32.
    CONTROL_WAITERS: u64 = 0xC104;
    /// Control page: backed_len, u64.
    CONTROL_BACKED: u64 = 0xC180;
    /// Control page: high-water block, u64.
    CONTROL_HIGH_WATER: u64 = 0xC188;
    /// Control page: free blocks below the high-water block, with and without disk space, u64, a hint.
    CONTROL_FREE_BLOCKS: u64 = 0xC190;
    /// Control page: agent lines allocated on disk, u32.
    CONTROL_AGENTS_BACKED: u64 = 0xC198;
    /// Control page: pin groups allocated on disk, u32.
    CONTROL_GROUPS_BACKED: u64 = 0xC19C;
    /// Control page: root records allocated on disk, u32.
    CONTROL_RECORDS_BACKED: u64 = 0xC1A0;
    /// Control page: unbacked blocks below the high-water block, u64, a hint.
    CONTROL_UNBACKED: u64 = 0xC1A8;
    /// Control page: durable version, u64.
    CONTROL_DURABLE: u64 = 0xC200;
    /// Control page: sticky sync error (errno), u32.
    CONTROL_SYNC_ERROR: u64 = 0xC208;
    /// Control page: version of the sync in flight, u64.
    CONTROL_SYNC_INFLIGHT: u64 = 0xC210;
    /// Control page: when the last sync ended, ms of the system's monotonic clock, u64.
    CONTROL_SYNC_TIME: u64 = 0xC218;
    /// Control page: bytes retired by all commits up to the durable version, u64.
    CONTROL_SYNC_RETIRED: u64 = 0xC220;
    /// Control page: state of the allocation maps, u32.
    CONTROL_MAPS: u64 = 0xC280;
    /// Control page: bytes that the last trace left in use, u64.
    CONTROL_TRACED: u64 = 0xC300;
    /// Control page: shared objects that have lost a parent since the last trace, u64: perhaps only a trace can free them.
    CONTROL_ORPHANS: u64 = 0xC308;
    /// Control page: bytes allocated since the last trace, u64.
    CONTROL_VOLUME: u64 = 0xC310;
    /// Control page: symbol directory, word.
    CONTROL_SYMBOLS: u64 = 0xC380;
    /// Control page: next symbol id, u32.
    CONTROL_SYMBOL_NEXT: u64 = 0xC388;
    /// Control page: symbol trie, word.
    CONTROL_SYMBOL_TRIE: u64 = 0xC390;
    /// Control page: next range of pin sequence numbers, u64.
    CONTROL_SEQUENCE: u64 = 0xC398;
    /// Control page: count of what has let old versions go, u64, a hint.
    CONTROL_RELEASES: u64 = 0xC3C0;

    /// Control state: being recovered.
    STATE_RECOVERING: u32 = 1;
    /// Control state: in use or usable.
    STATE_READY: u32 = 2;

    /// State of the allocation maps: what they call used is used.
    MAPS_EXACT: u32 = 0;
    /// State of the allocation maps: they may call used what nothing reaches; a trace is wanted.
    MAPS_SUPERSET: u32 = 1;

    /// Root record: meta, u64.
    RECORD_META: u64 = 0;
    /// Root record: version, u64.
    RECORD_VERSION: u64 = 8;
    /// Root record: state word.
    RECORD_STATE: u64 = 16;
    /// Root record: time in ms since 1970, u64.
    RECORD_TIME: u64 = 24;
    /// Root record: bytes retired since creation, u64.
    RECORD_RETIRED: u64 = 32;

    /// Block state: free.
    BLOCK_FREE: u8 = 0;
    /// Block state: owned by an agent.
    BLOCK_OWNED: u8 = 1;
    /// Block state: formatted, not owned.
    BLOCK_SHELVED: u8 = 2;
    /// Block state: first of a run that holds one object.
    BLOCK_LARGE: u8 = 3;
    /// Block state: further block of a run.
    BLOCK_TAIL: u8 = 4;
    /// Block state: taken, not yet in use; its class is the state that it goes back to.
    BLOCK_RECLAIM: u8 = 5;
    /// Block state: first of a run that is being given back; its second word has the run's length.
    BLOCK_FREEING: u8 = 6;
    /// Block state: free, perhaps without disk space.
    BLOCK_UNBACKED: u8 = 7;

    /// Word: nil.
    NIL: u64 = 0;
    /// Word: true.
    TRUE: u64 = 0x104;
    /// Word: false.
    FALSE: u64 = 0x204;
    /// Word: 0.0.
    ZERO: u64 = 0x304;
    /// Word: -0.0.
    MINUS_ZERO: u64 = 0x404;
    /// Word: the empty map.
    EMPTY_MAP: u64 = 0x504;
    /// Word: the empty vector.
    EMPTY_VECTOR: u64 = 0x604;
    /// Word: the empty set.
    EMPTY_SET: u64 = 0x704;
    /// Word: the empty list.
    EMPTY_LIST: u64 = 0x804;
    /// Descriptor of constants.
    DESC_CONSTANT: u8 = 0x04;
    /// Descriptor of chars.
    DESC_CHAR: u8 = 0x0C;
    /// Descriptor of keywords.
    DESC_KEYWORD: u8 = 0x14;
    /// Descriptor of symbols.
    DESC_SYMBOL: u8 = 0x1C;
    /// Descriptor of the inline string of 0 bytes; 8 more for each byte.
    DESC_STRING: u8 = 0x44;
    /// Bytes of text that fit a word.
    INLINE_STRING_MAX: usize = 7;

    /// Type of a text.
    TEXT: u8 = 1;
    /// Type of an integer that doesn't fit 63 bits.
    I64: u8 = 2;
    /// Type of a boxed double.
    F64: u8 = 3;
    /// Type of a big integer.
    BIGINT: u8 = 4;
    /// Type of a ratio.
    RATIO: u8 = 5;
    /// Type of a decimal.
    DECIMAL: u8 = 6;
    /// Type of a UUID.
    UUID: u8 = 7;
    /// Type of an instant in ms (`java.util.Date`).
    DATE: u8 = 8;
    /// Type of an instant in seconds and nanoseconds.
    INSTANT: u8 = 9;
    /// Type of a byte array.
    BYTES: u8 = 10;
    /// Type of a small map.
    ARRAY_MAP: u8 = 16;
    /// Type of a map's head.
    MAP: u8 = 17;
    /// Type of a map's trie node.
    MAP_NODE: u8 = 18;
    /// Type of a map's collision node.
    MAP_COLLISION: u8 = 19;
    /// Type of a set's head.
    SET: u8 = 20;
    /// Type of a set's trie node.
    SET_NODE: u8 = 21;
    /// Type of a set's collision node.
    SET_COLLISION: u8 = 22;
    /// Type of a vector's head.
    VECTOR: u8 = 23;
    /// Type of a vector's node.
    VECTOR_NODE: u8 = 24;
    /// Type of a list's cell.
    LIST: u8 = 25;
    /// Type of a sorted map's head.
    SORTED_MAP: u8 = 26;
    /// Type of a sorted set's head.
    SORTED_SET: u8 = 27;
    /// Type of a leaf of a sorted map's B+tree.
    BTREE_MAP_LEAF: u8 = 28;
    /// Type of a leaf of a sorted set's B+tree.
    BTREE_SET_LEAF: u8 = 29;
    /// Type of an inner node of a B+tree.
    BTREE_NODE: u8 = 30;
    /// Type of a symbol-table entry.
    SYMBOL: u8 = 32;
    /// Type of a chunk of the symbol table.
    SYMBOL_CHUNK: u8 = 33;
    /// Type of the symbol table's directory.
    SYMBOL_DIR: u8 = 34;
    /// Type of a node of the symbol trie.
    SYMBOL_TRIE: u8 = 35;

    /// Header flag: has had two parents.
    FLAG_SHARED: u8 = 1;
    /// Header flag: never freed.
    FLAG_IMMORTAL: u8 = 2;
    /// Header flag: met by the commit walk (only while fresh).
    FLAG_SEEN: u8 = 4;
    /// Header flag: its writer knows the only slot that differs from its origin's (only while fresh).
    FLAG_ONLY: u8 = 8;
    /// Text flag: all ASCII.
    FLAG_ASCII: u8 = 0x10;
    /// Text flag: has a `?`.
    FLAG_QUESTION: u8 = 0x20;
    /// Text flag: has a lone surrogate.
    FLAG_SURROGATE: u8 = 0x40;
    /// Births from here on mark uncommitted objects.
    FRESH: u64 = 1 << 47;
    /// Entries of an array map, at most.
    ARRAY_MAP_MAX: usize = 8;
    /// Elements of a vector node.
    VECTOR_WIDTH: usize = 32;
    /// Entries of a B+tree's leaf and children of its node, at most.
    BTREE_WIDTH: usize = 64;
    /// Levels of a B+tree, at most.
    BTREE_LEVELS: usize = 16;
    /// Chunks of the symbol table.
    SYMBOL_CHUNKS: usize = 19;
    /// Symbols of one slab, at most.
    SYMBOLS_MAX: u32 = 1 << 24;
    /// Nesting of values, at most.
    DEPTH_MAX: usize = 1024;
}

/// Sizes of the cell classes beyond `16 * class` (classes 1 to 34).
pub const LARGE_CLASSES: [u32; 18] = [
    640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 4096, 5120, 6496, 8128, 10832, 16256, 21664, 32512,
];
/// Classes up to here are multiples of 16.
pub const FINE_CLASSES: usize = 34;
/// One more than the highest class (class 0 is not used).
pub const CLASSES: usize = FINE_CLASSES + LARGE_CLASSES.len() + 1;
/// Largest object that lies in a cell; anything larger takes a run of blocks.
pub const CELL_MAX: usize = LARGE_CLASSES[LARGE_CLASSES.len() - 1] as usize;

/// Cell size of a class in bytes.
pub const fn class_size(class: usize) -> usize {
    if class <= FINE_CLASSES {
        class * 16
    } else {
        LARGE_CLASSES[class - FINE_CLASSES - 1] as usize
    }
}

/// Smallest class whose cells hold `size` bytes; `size` is at least 1 and at most [`CELL_MAX`].
pub const fn class_of(size: usize) -> usize {
    if size <= FINE_CLASSES * 16 {
        return size.div_ceil(16);
    }
    let mut i = 0;
    while (LARGE_CLASSES[i] as usize) < size {
        i += 1;
    }
    FINE_CLASSES + 1 + i
}

/// Cells of a block of that class.
pub const fn class_cells(class: usize) -> usize {
    (BLOCK_SIZE as usize - BITMAP_SIZE as usize) / class_size(class)
}

/// The stamp's bits in a descriptor's second word; the length of a run stands above.
pub const STAMP_MASK: u64 = (1 << 48) - 1;

/// Is `b` a block, not the header or a later segment's descriptors?
pub const fn is_block(b: u64) -> bool {
    b >= HEADER_SIZE / BLOCK_SIZE && (b < SEGMENT_BLOCKS || b & (SEGMENT_BLOCKS - 1) >= SEGMENT_RESERVED)
}

/// Offset of the descriptor of block `block`.
pub const fn descriptor(block: u64) -> u64 {
    let segment = block >> (SEGMENT_BITS - BLOCK_BITS);
    let base = if segment == 0 {
        DESCRIPTORS
    } else {
        segment << SEGMENT_BITS
    };
    base + (block & (SEGMENT_BLOCKS - 1)) * DESCRIPTOR_SIZE
}

/// Header word of an object.
pub const fn header(kind: u8, flags: u8, birth: u64) -> u64 {
    kind as u64 | (flags as u64) << 8 | birth << 16
}
/// Type of an object, from its header.
pub const fn header_kind(h: u64) -> u8 {
    h as u8
}
/// Flags of an object, from its header.
pub const fn header_flags(h: u64) -> u8 {
    (h >> 8) as u8
}
/// Birth version of an object, from its header.
pub const fn header_birth(h: u64) -> u64 {
    h >> 16
}
/// Is this the header of an uncommitted object?
pub const fn header_fresh(h: u64) -> bool {
    h >> 63 != 0
}

/// Does this word point to an object?
pub const fn is_pointer(word: u64) -> bool {
    word & 15 == 0 && word != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_smallest_class_that_holds_it() {
        for size in 1..=CELL_MAX {
            let class = class_of(size);
            assert!(class_size(class) >= size && class < CLASSES);
            assert!(class == 1 || class_size(class - 1) < size, "size {size}");
        }
    }

    #[test]
    fn cells_and_their_bitmap_fit_a_block_and_are_aligned() {
        for class in 1..CLASSES {
            assert_eq!(class_size(class) % 16, 0, "class {class}");
            let cells = class_cells(class);
            assert!(cells >= 2 && cells <= BITMAP_SIZE as usize * 8);
            assert!(BITMAP_SIZE as usize + cells * class_size(class) <= BLOCK_SIZE as usize);
        }
    }

    #[test]
    fn regions_do_not_overlap() {
        let ends = [
            (AGENTS + AGENTS_MAX * AGENT_SIZE, GROUPS),
            (GROUPS + GROUPS_MAX * GROUP_SIZE, RECORDS),
            (RECORDS + RECORDS_MAX * RECORD_SIZE, DESCRIPTORS),
            (DESCRIPTORS + SEGMENT_BLOCKS * DESCRIPTOR_SIZE, HEADER_SIZE),
            (PARTICIPANTS + PARTICIPANTS_MAX * PARTICIPANT_SIZE, AGENTS),
        ];
        for (end, next) in ends {
            assert!(end <= next);
        }
    }
}
