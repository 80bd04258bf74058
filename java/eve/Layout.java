package eve;

/** Offsets, sizes and tags of the slab format: docs/format.md. Generated from src/slab/layout.rs; do not edit (make gen). */
public final class Layout {
    private Layout() {}

    /** Format version. */
    public static final int FORMAT_VERSION = 0x1;
    /** Offset of the ident. */
    public static final int IDENT = 0x0;
    /** Size of the ident's page. */
    public static final int IDENT_SIZE = 0x1000;
    /** Offset of superblock A. */
    public static final int SUPERBLOCK_A = 0x4000;
    /** Offset of superblock B. */
    public static final int SUPERBLOCK_B = 0x8000;
    /** Size of a superblock. */
    public static final int SUPERBLOCK_SIZE = 0x200;
    /** Offset of the control page. */
    public static final int CONTROL = 0xc000;
    /** Offset of the participant table. */
    public static final int PARTICIPANTS = 0xd000;
    /** Size of a participant entry. */
    public static final int PARTICIPANT_SIZE = 0x10;
    /** Participants of one slab, at most. */
    public static final int PARTICIPANTS_MAX = 0x100;
    /** Offset of the agent lines. */
    public static final int AGENTS = 0x10000;
    /** Size of an agent line. */
    public static final int AGENT_SIZE = 0x40;
    /** Agent line: hazard, u64. */
    public static final int AGENT_HAZARD = 0x28;
    /** Agent lines of one slab, at most (a record index must fit 14 bits: records = 4 * agents). */
    public static final int AGENTS_MAX = 0x1000;
    /** Offset of the pin groups. */
    public static final int GROUPS = 0x50000;
    /** Size of a pin group. */
    public static final int GROUP_SIZE = 0x20;
    /** Pin groups of one slab, at most. */
    public static final int GROUPS_MAX = 0x2000;
    /** Offset of the root records. */
    public static final int RECORDS = 0x100000;
    /** Size of a root record. */
    public static final int RECORD_SIZE = 0x40;
    /** Root records of one slab, at most. */
    public static final int RECORDS_MAX = 0x4000;
    /** Offset of the block descriptors of segment 0 (of other segments: the segment's start). */
    public static final int DESCRIPTORS = 0x200000;
    /** Size of a block descriptor. */
    public static final int DESCRIPTOR_SIZE = 0x10;
    /** Size of the header region: offset of the first block of segment 0. */
    public static final int HEADER_SIZE = 0x300000;
    /** Bytes that are always allocated beyond backed_len, so that a node that starts in bounds can be read whole. */
    public static final int SLACK = 0x1000;
    /** log2 of the block size. */
    public static final int BLOCK_BITS = 0x10;
    /** Block size. */
    public static final int BLOCK_SIZE = 0x10000;
    /** Bytes of the bitmap at the start of a block of cells. */
    public static final int BITMAP_SIZE = 0x200;
    /** log2 of the segment size. */
    public static final int SEGMENT_BITS = 0x20;
    /** Blocks of a segment. */
    public static final int SEGMENT_BLOCKS = 0x10000;
    /** Blocks that a segment's descriptors take, in segments from 1 on. */
    public static final int SEGMENT_RESERVED = 0x10;
    /** Control page: state, u32. */
    public static final int CONTROL_STATE = 0xc000;
    /** Control page: incarnation, u32. */
    public static final int CONTROL_INCARNATION = 0xc004;
    /** Control page: boot id, 16 bytes. */
    public static final int CONTROL_BOOT_ID = 0xc008;
    /** Control page: device, inode, time of birth, three u64. */
    public static final int CONTROL_FILE_ID = 0xc018;
    /** Control page: root word, u32. */
    public static final int CONTROL_ROOT = 0xc080;
    /** Control page: notify counter, u32. */
    public static final int CONTROL_NOTIFY = 0xc100;
    /** Control page: waiters, u32. */
    public static final int CONTROL_WAITERS = 0xc104;
    /** Control page: backed_len, u64. */
    public static final int CONTROL_BACKED = 0xc180;
    /** Control page: high-water block, u64. */
    public static final int CONTROL_HIGH_WATER = 0xc188;
    /** Control page: free blocks below the high-water block, with and without disk space, u64, a hint. */
    public static final int CONTROL_FREE_BLOCKS = 0xc190;
    /** Control page: agent lines allocated on disk, u32. */
    public static final int CONTROL_AGENTS_BACKED = 0xc198;
    /** Control page: pin groups allocated on disk, u32. */
    public static final int CONTROL_GROUPS_BACKED = 0xc19c;
    /** Control page: root records allocated on disk, u32. */
    public static final int CONTROL_RECORDS_BACKED = 0xc1a0;
    /** Control page: unbacked blocks below the high-water block, u64, a hint. */
    public static final int CONTROL_UNBACKED = 0xc1a8;
    /** Control page: durable version, u64. */
    public static final int CONTROL_DURABLE = 0xc200;
    /** Control page: sticky sync error (errno), u32. */
    public static final int CONTROL_SYNC_ERROR = 0xc208;
    /** Control page: version of the sync in flight, u64. */
    public static final int CONTROL_SYNC_INFLIGHT = 0xc210;
    /** Control page: when the last sync ended, ms of the system's monotonic clock, u64. */
    public static final int CONTROL_SYNC_TIME = 0xc218;
    /** Control page: bytes retired by all commits up to the durable version, u64. */
    public static final int CONTROL_SYNC_RETIRED = 0xc220;
    /** Control page: state of the allocation maps, u32. */
    public static final int CONTROL_MAPS = 0xc280;
    /** Control page: bytes that the last trace left in use, u64. */
    public static final int CONTROL_TRACED = 0xc300;
    /** Control page: shared objects that have lost a parent since the last trace, u64: perhaps only a trace can free them. */
    public static final int CONTROL_ORPHANS = 0xc308;
    /** Control page: bytes allocated since the last trace, u64. */
    public static final int CONTROL_VOLUME = 0xc310;
    /** Control page: symbol directory, word. */
    public static final int CONTROL_SYMBOLS = 0xc380;
    /** Control page: next symbol id, u32. */
    public static final int CONTROL_SYMBOL_NEXT = 0xc388;
    /** Control page: symbol trie, word. */
    public static final int CONTROL_SYMBOL_TRIE = 0xc390;
    /** Control page: next range of pin sequence numbers, u64. */
    public static final int CONTROL_SEQUENCE = 0xc398;
    /** Control page: count of what has let old versions go, u64, a hint. */
    public static final int CONTROL_RELEASES = 0xc3c0;
    /** Control state: being recovered. */
    public static final int STATE_RECOVERING = 0x1;
    /** Control state: in use or usable. */
    public static final int STATE_READY = 0x2;
    /** State of the allocation maps: what they call used is used. */
    public static final int MAPS_EXACT = 0x0;
    /** State of the allocation maps: they may call used what nothing reaches; a trace is wanted. */
    public static final int MAPS_SUPERSET = 0x1;
    /** Root record: meta, u64. */
    public static final int RECORD_META = 0x0;
    /** Root record: version, u64. */
    public static final int RECORD_VERSION = 0x8;
    /** Root record: state word. */
    public static final int RECORD_STATE = 0x10;
    /** Root record: time in ms since 1970, u64. */
    public static final int RECORD_TIME = 0x18;
    /** Root record: bytes retired since creation, u64. */
    public static final int RECORD_RETIRED = 0x20;
    /** Block state: free. */
    public static final int BLOCK_FREE = 0x0;
    /** Block state: owned by an agent. */
    public static final int BLOCK_OWNED = 0x1;
    /** Block state: formatted, not owned. */
    public static final int BLOCK_SHELVED = 0x2;
    /** Block state: first of a run that holds one object. */
    public static final int BLOCK_LARGE = 0x3;
    /** Block state: further block of a run. */
    public static final int BLOCK_TAIL = 0x4;
    /** Block state: taken, not yet in use; its class is the state that it goes back to. */
    public static final int BLOCK_RECLAIM = 0x5;
    /** Block state: first of a run that is being given back; its second word has the run's length. */
    public static final int BLOCK_FREEING = 0x6;
    /** Block state: free, perhaps without disk space. */
    public static final int BLOCK_UNBACKED = 0x7;
    /** Word: nil. */
    public static final int NIL = 0x0;
    /** Word: true. */
    public static final int TRUE = 0x104;
    /** Word: false. */
    public static final int FALSE = 0x204;
    /** Word: 0.0. */
    public static final int ZERO = 0x304;
    /** Word: -0.0. */
    public static final int MINUS_ZERO = 0x404;
    /** Word: the empty map. */
    public static final int EMPTY_MAP = 0x504;
    /** Word: the empty vector. */
    public static final int EMPTY_VECTOR = 0x604;
    /** Word: the empty set. */
    public static final int EMPTY_SET = 0x704;
    /** Word: the empty list. */
    public static final int EMPTY_LIST = 0x804;
    /** Descriptor of constants. */
    public static final int DESC_CONSTANT = 0x4;
    /** Descriptor of chars. */
    public static final int DESC_CHAR = 0xc;
    /** Descriptor of keywords. */
    public static final int DESC_KEYWORD = 0x14;
    /** Descriptor of symbols. */
    public static final int DESC_SYMBOL = 0x1c;
    /** Descriptor of the inline string of 0 bytes; 8 more for each byte. */
    public static final int DESC_STRING = 0x44;
    /** Bytes of text that fit a word. */
    public static final int INLINE_STRING_MAX = 0x7;
    /** Type of a text. */
    public static final int TEXT = 0x1;
    /** Type of an integer that doesn't fit 63 bits. */
    public static final int I64 = 0x2;
    /** Type of a boxed double. */
    public static final int F64 = 0x3;
    /** Type of a big integer. */
    public static final int BIGINT = 0x4;
    /** Type of a ratio. */
    public static final int RATIO = 0x5;
    /** Type of a decimal. */
    public static final int DECIMAL = 0x6;
    /** Type of a UUID. */
    public static final int UUID = 0x7;
    /** Type of an instant in ms (`java.util.Date`). */
    public static final int DATE = 0x8;
    /** Type of an instant in seconds and nanoseconds. */
    public static final int INSTANT = 0x9;
    /** Type of a byte array. */
    public static final int BYTES = 0xa;
    /** Type of a small map. */
    public static final int ARRAY_MAP = 0x10;
    /** Type of a map's head. */
    public static final int MAP = 0x11;
    /** Type of a map's trie node. */
    public static final int MAP_NODE = 0x12;
    /** Type of a map's collision node. */
    public static final int MAP_COLLISION = 0x13;
    /** Type of a set's head. */
    public static final int SET = 0x14;
    /** Type of a set's trie node. */
    public static final int SET_NODE = 0x15;
    /** Type of a set's collision node. */
    public static final int SET_COLLISION = 0x16;
    /** Type of a vector's head. */
    public static final int VECTOR = 0x17;
    /** Type of a vector's node. */
    public static final int VECTOR_NODE = 0x18;
    /** Type of a list's cell. */
    public static final int LIST = 0x19;
    /** Type of a sorted map's head. */
    public static final int SORTED_MAP = 0x1a;
    /** Type of a sorted set's head. */
    public static final int SORTED_SET = 0x1b;
    /** Type of a leaf of a sorted map's B+tree. */
    public static final int BTREE_MAP_LEAF = 0x1c;
    /** Type of a leaf of a sorted set's B+tree. */
    public static final int BTREE_SET_LEAF = 0x1d;
    /** Type of an inner node of a B+tree. */
    public static final int BTREE_NODE = 0x1e;
    /** Type of a symbol-table entry. */
    public static final int SYMBOL = 0x20;
    /** Type of a chunk of the symbol table. */
    public static final int SYMBOL_CHUNK = 0x21;
    /** Type of the symbol table's directory. */
    public static final int SYMBOL_DIR = 0x22;
    /** Type of a node of the symbol trie. */
    public static final int SYMBOL_TRIE = 0x23;
    /** Header flag: has had two parents. */
    public static final int FLAG_SHARED = 0x1;
    /** Header flag: never freed. */
    public static final int FLAG_IMMORTAL = 0x2;
    /** Header flag: met by the commit walk (only while fresh). */
    public static final int FLAG_SEEN = 0x4;
    /** Header flag: its writer knows the only slot that differs from its origin's (only while fresh). */
    public static final int FLAG_ONLY = 0x8;
    /** Text flag: all ASCII. */
    public static final int FLAG_ASCII = 0x10;
    /** Text flag: has a `?`. */
    public static final int FLAG_QUESTION = 0x20;
    /** Text flag: has a lone surrogate. */
    public static final int FLAG_SURROGATE = 0x40;
    /** Births from here on mark uncommitted objects. */
    public static final long FRESH = 0x800000000000L;
    /** Entries of an array map, at most. */
    public static final int ARRAY_MAP_MAX = 0x8;
    /** Elements of a vector node. */
    public static final int VECTOR_WIDTH = 0x20;
    /** Entries of a B+tree's leaf and children of its node, at most. */
    public static final int BTREE_WIDTH = 0x40;
    /** Levels of a B+tree, at most. */
    public static final int BTREE_LEVELS = 0x10;
    /** Chunks of the symbol table. */
    public static final int SYMBOL_CHUNKS = 0x13;
    /** Symbols of one slab, at most. */
    public static final int SYMBOLS_MAX = 0x1000000;
    /** Nesting of values, at most. */
    public static final int DEPTH_MAX = 0x400;
    /** Sizes of the cell classes beyond 34 (class c up to 34 is 16 * c). */
    static final int[] LARGE_CLASSES = {640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 4096, 5120, 6496, 8128, 10832, 16256, 21664, 32512};
}
