// Generated from src/slab/layout.rs; do not edit (make gen). docs/format.md says what the constants mean.

/** Format version. */
export const FORMAT_VERSION = 0x1;
/** Offset of the ident. */
export const IDENT = 0x0;
/** Size of the ident's page. */
export const IDENT_SIZE = 0x1000;
/** Offset of superblock A. */
export const SUPERBLOCK_A = 0x4000;
/** Offset of superblock B. */
export const SUPERBLOCK_B = 0x8000;
/** Size of a superblock. */
export const SUPERBLOCK_SIZE = 0x200;
/** Offset of the control page. */
export const CONTROL = 0xc000;
/** Offset of the participant table. */
export const PARTICIPANTS = 0xd000;
/** Size of a participant entry. */
export const PARTICIPANT_SIZE = 0x10;
/** Participants of one slab, at most. */
export const PARTICIPANTS_MAX = 0x100;
/** Offset of the agent lines. */
export const AGENTS = 0x10000;
/** Size of an agent line. */
export const AGENT_SIZE = 0x40;
/** Agent line: hazard, u64. */
export const AGENT_HAZARD = 0x28;
/** Agent lines of one slab, at most (a record index must fit 14 bits: records = 4 * agents). */
export const AGENTS_MAX = 0x1000;
/** Offset of the pin groups. */
export const GROUPS = 0x50000;
/** Size of a pin group. */
export const GROUP_SIZE = 0x20;
/** Pin groups of one slab, at most. */
export const GROUPS_MAX = 0x2000;
/** Offset of the root records. */
export const RECORDS = 0x100000;
/** Size of a root record. */
export const RECORD_SIZE = 0x40;
/** Root records of one slab, at most. */
export const RECORDS_MAX = 0x4000;
/** Offset of the block descriptors of segment 0 (of other segments: the segment's start). */
export const DESCRIPTORS = 0x200000;
/** Size of a block descriptor. */
export const DESCRIPTOR_SIZE = 0x10;
/** Size of the header region: offset of the first block of segment 0. */
export const HEADER_SIZE = 0x300000;
/** Bytes that are always allocated beyond backed_len, so that a node that starts in bounds can be read whole. */
export const SLACK = 0x1000;
/** log2 of the block size. */
export const BLOCK_BITS = 0x10;
/** Block size. */
export const BLOCK_SIZE = 0x10000;
/** Bytes of the bitmap at the start of a block of cells. */
export const BITMAP_SIZE = 0x200;
/** log2 of the segment size. */
export const SEGMENT_BITS = 0x20;
/** Blocks of a segment. */
export const SEGMENT_BLOCKS = 0x10000;
/** Blocks that a segment's descriptors take, in segments from 1 on. */
export const SEGMENT_RESERVED = 0x10;
/** Control page: state, u32. */
export const CONTROL_STATE = 0xc000;
/** Control page: incarnation, u32. */
export const CONTROL_INCARNATION = 0xc004;
/** Control page: boot id, 16 bytes. */
export const CONTROL_BOOT_ID = 0xc008;
/** Control page: device, inode, time of birth, three u64. */
export const CONTROL_FILE_ID = 0xc018;
/** Control page: root word, u32. */
export const CONTROL_ROOT = 0xc080;
/** Control page: notify counter, u32. */
export const CONTROL_NOTIFY = 0xc100;
/** Control page: waiters, u32. */
export const CONTROL_WAITERS = 0xc104;
/** Control page: backed_len, u64. */
export const CONTROL_BACKED = 0xc180;
/** Control page: high-water block, u64. */
export const CONTROL_HIGH_WATER = 0xc188;
/** Control page: free blocks below the high-water block, with and without disk space, u64, a hint. */
export const CONTROL_FREE_BLOCKS = 0xc190;
/** Control page: agent lines allocated on disk, u32. */
export const CONTROL_AGENTS_BACKED = 0xc198;
/** Control page: pin groups allocated on disk, u32. */
export const CONTROL_GROUPS_BACKED = 0xc19c;
/** Control page: root records allocated on disk, u32. */
export const CONTROL_RECORDS_BACKED = 0xc1a0;
/** Control page: unbacked blocks below the high-water block, u64, a hint. */
export const CONTROL_UNBACKED = 0xc1a8;
/** Control page: durable version, u64. */
export const CONTROL_DURABLE = 0xc200;
/** Control page: sticky sync error (errno), u32. */
export const CONTROL_SYNC_ERROR = 0xc208;
/** Control page: version of the sync in flight, u64. */
export const CONTROL_SYNC_INFLIGHT = 0xc210;
/** Control page: when the last sync ended, ms of the system's monotonic clock, u64. */
export const CONTROL_SYNC_TIME = 0xc218;
/** Control page: bytes retired by all commits up to the durable version, u64. */
export const CONTROL_SYNC_RETIRED = 0xc220;
/** Control page: state of the allocation maps, u32. */
export const CONTROL_MAPS = 0xc280;
/** Control page: bytes that the last trace left in use, u64. */
export const CONTROL_TRACED = 0xc300;
/** Control page: shared objects that have lost a parent since the last trace, u64: perhaps only a trace can free them. */
export const CONTROL_ORPHANS = 0xc308;
/** Control page: bytes allocated since the last trace, u64. */
export const CONTROL_VOLUME = 0xc310;
/** Control page: symbol directory, word. */
export const CONTROL_SYMBOLS = 0xc380;
/** Control page: next symbol id, u32. */
export const CONTROL_SYMBOL_NEXT = 0xc388;
/** Control page: symbol trie, word. */
export const CONTROL_SYMBOL_TRIE = 0xc390;
/** Control page: next range of pin sequence numbers, u64. */
export const CONTROL_SEQUENCE = 0xc398;
/** Control page: count of what has let old versions go, u64, a hint. */
export const CONTROL_RELEASES = 0xc3c0;
/** Control state: being recovered. */
export const STATE_RECOVERING = 0x1;
/** Control state: in use or usable. */
export const STATE_READY = 0x2;
/** State of the allocation maps: what they call used is used. */
export const MAPS_EXACT = 0x0;
/** State of the allocation maps: they may call used what nothing reaches; a trace is wanted. */
export const MAPS_SUPERSET = 0x1;
/** Root record: meta, u64. */
export const RECORD_META = 0x0;
/** Root record: version, u64. */
export const RECORD_VERSION = 0x8;
/** Root record: state word. */
export const RECORD_STATE = 0x10;
/** Root record: time in ms since 1970, u64. */
export const RECORD_TIME = 0x18;
/** Root record: bytes retired since creation, u64. */
export const RECORD_RETIRED = 0x20;
/** Block state: free. */
export const BLOCK_FREE = 0x0;
/** Block state: owned by an agent. */
export const BLOCK_OWNED = 0x1;
/** Block state: formatted, not owned. */
export const BLOCK_SHELVED = 0x2;
/** Block state: first of a run that holds one object. */
export const BLOCK_LARGE = 0x3;
/** Block state: further block of a run. */
export const BLOCK_TAIL = 0x4;
/** Block state: taken, not yet in use; its class is the state that it goes back to. */
export const BLOCK_RECLAIM = 0x5;
/** Block state: first of a run that is being given back; its second word has the run's length. */
export const BLOCK_FREEING = 0x6;
/** Block state: free, perhaps without disk space. */
export const BLOCK_UNBACKED = 0x7;
/** Word: nil. */
export const NIL = 0x0;
/** Word: true. */
export const TRUE = 0x104;
/** Word: false. */
export const FALSE = 0x204;
/** Word: 0.0. */
export const ZERO = 0x304;
/** Word: -0.0. */
export const MINUS_ZERO = 0x404;
/** Word: the empty map. */
export const EMPTY_MAP = 0x504;
/** Word: the empty vector. */
export const EMPTY_VECTOR = 0x604;
/** Word: the empty set. */
export const EMPTY_SET = 0x704;
/** Word: the empty list. */
export const EMPTY_LIST = 0x804;
/** Descriptor of constants. */
export const DESC_CONSTANT = 0x4;
/** Descriptor of chars. */
export const DESC_CHAR = 0xc;
/** Descriptor of keywords. */
export const DESC_KEYWORD = 0x14;
/** Descriptor of symbols. */
export const DESC_SYMBOL = 0x1c;
/** Descriptor of the inline string of 0 bytes; 8 more for each byte. */
export const DESC_STRING = 0x44;
/** Bytes of text that fit a word. */
export const INLINE_STRING_MAX = 0x7;
/** Type of a text. */
export const TEXT = 0x1;
/** Type of an integer that doesn't fit 63 bits. */
export const I64 = 0x2;
/** Type of a boxed double. */
export const F64 = 0x3;
/** Type of a big integer. */
export const BIGINT = 0x4;
/** Type of a ratio. */
export const RATIO = 0x5;
/** Type of a decimal. */
export const DECIMAL = 0x6;
/** Type of a UUID. */
export const UUID = 0x7;
/** Type of an instant in ms (`java.util.Date`). */
export const DATE = 0x8;
/** Type of an instant in seconds and nanoseconds. */
export const INSTANT = 0x9;
/** Type of a byte array. */
export const BYTES = 0xa;
/** Type of a small map. */
export const ARRAY_MAP = 0x10;
/** Type of a map's head. */
export const MAP = 0x11;
/** Type of a map's trie node. */
export const MAP_NODE = 0x12;
/** Type of a map's collision node. */
export const MAP_COLLISION = 0x13;
/** Type of a set's head. */
export const SET = 0x14;
/** Type of a set's trie node. */
export const SET_NODE = 0x15;
/** Type of a set's collision node. */
export const SET_COLLISION = 0x16;
/** Type of a vector's head. */
export const VECTOR = 0x17;
/** Type of a vector's node. */
export const VECTOR_NODE = 0x18;
/** Type of a list's cell. */
export const LIST = 0x19;
/** Type of a sorted map's head. */
export const SORTED_MAP = 0x1a;
/** Type of a sorted set's head. */
export const SORTED_SET = 0x1b;
/** Type of a leaf of a sorted map's B+tree. */
export const BTREE_MAP_LEAF = 0x1c;
/** Type of a leaf of a sorted set's B+tree. */
export const BTREE_SET_LEAF = 0x1d;
/** Type of an inner node of a B+tree. */
export const BTREE_NODE = 0x1e;
/** Type of a symbol-table entry. */
export const SYMBOL = 0x20;
/** Type of a chunk of the symbol table. */
export const SYMBOL_CHUNK = 0x21;
/** Type of the symbol table's directory. */
export const SYMBOL_DIR = 0x22;
/** Type of a node of the symbol trie. */
export const SYMBOL_TRIE = 0x23;
/** Header flag: has had two parents. */
export const FLAG_SHARED = 0x1;
/** Header flag: never freed. */
export const FLAG_IMMORTAL = 0x2;
/** Header flag: met by the commit walk (only while fresh). */
export const FLAG_SEEN = 0x4;
/** Header flag: its writer knows the only slot that differs from its origin's (only while fresh). */
export const FLAG_ONLY = 0x8;
/** Text flag: all ASCII. */
export const FLAG_ASCII = 0x10;
/** Text flag: has a `?`. */
export const FLAG_QUESTION = 0x20;
/** Text flag: has a lone surrogate. */
export const FLAG_SURROGATE = 0x40;
/** Births from here on mark uncommitted objects. */
export const FRESH = 0x800000000000;
/** Entries of an array map, at most. */
export const ARRAY_MAP_MAX = 0x8;
/** Elements of a vector node. */
export const VECTOR_WIDTH = 0x20;
/** Entries of a B+tree's leaf and children of its node, at most. */
export const BTREE_WIDTH = 0x40;
/** Levels of a B+tree, at most. */
export const BTREE_LEVELS = 0x10;
/** Chunks of the symbol table. */
export const SYMBOL_CHUNKS = 0x13;
/** Symbols of one slab, at most. */
export const SYMBOLS_MAX = 0x1000000;
/** Nesting of values, at most. */
export const DEPTH_MAX = 0x400;
