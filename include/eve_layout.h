/* Generated from src/slab/layout.rs; do not edit (make gen). docs/format.md says what the constants mean. */
#ifndef EVE_LAYOUT_H
#define EVE_LAYOUT_H

/* Format version. */
#define EVE_L_FORMAT_VERSION UINT64_C(0x1)
/* Offset of the ident. */
#define EVE_L_IDENT UINT64_C(0x0)
/* Size of the ident's page. */
#define EVE_L_IDENT_SIZE UINT64_C(0x1000)
/* Offset of superblock A. */
#define EVE_L_SUPERBLOCK_A UINT64_C(0x4000)
/* Offset of superblock B. */
#define EVE_L_SUPERBLOCK_B UINT64_C(0x8000)
/* Size of a superblock. */
#define EVE_L_SUPERBLOCK_SIZE UINT64_C(0x200)
/* Offset of the control page. */
#define EVE_L_CONTROL UINT64_C(0xc000)
/* Offset of the participant table. */
#define EVE_L_PARTICIPANTS UINT64_C(0xd000)
/* Size of a participant entry. */
#define EVE_L_PARTICIPANT_SIZE UINT64_C(0x10)
/* Participants of one slab, at most. */
#define EVE_L_PARTICIPANTS_MAX UINT64_C(0x100)
/* Offset of the agent lines. */
#define EVE_L_AGENTS UINT64_C(0x10000)
/* Size of an agent line. */
#define EVE_L_AGENT_SIZE UINT64_C(0x40)
/* Agent line: hazard, u64. */
#define EVE_L_AGENT_HAZARD UINT64_C(0x28)
/* Agent lines of one slab, at most (a record index must fit 14 bits: records = 4 * agents). */
#define EVE_L_AGENTS_MAX UINT64_C(0x1000)
/* Offset of the pin groups. */
#define EVE_L_GROUPS UINT64_C(0x50000)
/* Size of a pin group. */
#define EVE_L_GROUP_SIZE UINT64_C(0x20)
/* Pin groups of one slab, at most. */
#define EVE_L_GROUPS_MAX UINT64_C(0x2000)
/* Offset of the root records. */
#define EVE_L_RECORDS UINT64_C(0x100000)
/* Size of a root record. */
#define EVE_L_RECORD_SIZE UINT64_C(0x40)
/* Root records of one slab, at most. */
#define EVE_L_RECORDS_MAX UINT64_C(0x4000)
/* Offset of the block descriptors of segment 0 (of other segments: the segment's start). */
#define EVE_L_DESCRIPTORS UINT64_C(0x200000)
/* Size of a block descriptor. */
#define EVE_L_DESCRIPTOR_SIZE UINT64_C(0x10)
/* Size of the header region: offset of the first block of segment 0. */
#define EVE_L_HEADER_SIZE UINT64_C(0x300000)
/* Bytes that are always allocated beyond backed_len, so that a node that starts in bounds can be read whole. */
#define EVE_L_SLACK UINT64_C(0x1000)
/* log2 of the block size. */
#define EVE_L_BLOCK_BITS UINT64_C(0x10)
/* Block size. */
#define EVE_L_BLOCK_SIZE UINT64_C(0x10000)
/* Bytes of the bitmap at the start of a block of cells. */
#define EVE_L_BITMAP_SIZE UINT64_C(0x200)
/* log2 of the segment size. */
#define EVE_L_SEGMENT_BITS UINT64_C(0x20)
/* Blocks of a segment. */
#define EVE_L_SEGMENT_BLOCKS UINT64_C(0x10000)
/* Blocks that a segment's descriptors take, in segments from 1 on. */
#define EVE_L_SEGMENT_RESERVED UINT64_C(0x10)
/* Control page: state, u32. */
#define EVE_L_CONTROL_STATE UINT64_C(0xc000)
/* Control page: incarnation, u32. */
#define EVE_L_CONTROL_INCARNATION UINT64_C(0xc004)
/* Control page: boot id, 16 bytes. */
#define EVE_L_CONTROL_BOOT_ID UINT64_C(0xc008)
/* Control page: device, inode, time of birth, three u64. */
#define EVE_L_CONTROL_FILE_ID UINT64_C(0xc018)
/* Control page: root word, u32. */
#define EVE_L_CONTROL_ROOT UINT64_C(0xc080)
/* Control page: notify counter, u32. */
#define EVE_L_CONTROL_NOTIFY UINT64_C(0xc100)
/* Control page: waiters, u32. */
#define EVE_L_CONTROL_WAITERS UINT64_C(0xc104)
/* Control page: backed_len, u64. */
#define EVE_L_CONTROL_BACKED UINT64_C(0xc180)
/* Control page: high-water block, u64. */
#define EVE_L_CONTROL_HIGH_WATER UINT64_C(0xc188)
/* Control page: free blocks below the high-water block, with and without disk space, u64, a hint. */
#define EVE_L_CONTROL_FREE_BLOCKS UINT64_C(0xc190)
/* Control page: agent lines allocated on disk, u32. */
#define EVE_L_CONTROL_AGENTS_BACKED UINT64_C(0xc198)
/* Control page: pin groups allocated on disk, u32. */
#define EVE_L_CONTROL_GROUPS_BACKED UINT64_C(0xc19c)
/* Control page: root records allocated on disk, u32. */
#define EVE_L_CONTROL_RECORDS_BACKED UINT64_C(0xc1a0)
/* Control page: unbacked blocks below the high-water block, u64, a hint. */
#define EVE_L_CONTROL_UNBACKED UINT64_C(0xc1a8)
/* Control page: durable version, u64. */
#define EVE_L_CONTROL_DURABLE UINT64_C(0xc200)
/* Control page: sticky sync error (errno), u32. */
#define EVE_L_CONTROL_SYNC_ERROR UINT64_C(0xc208)
/* Control page: version of the sync in flight, u64. */
#define EVE_L_CONTROL_SYNC_INFLIGHT UINT64_C(0xc210)
/* Control page: when the last sync ended, ms of the system's monotonic clock, u64. */
#define EVE_L_CONTROL_SYNC_TIME UINT64_C(0xc218)
/* Control page: bytes retired by all commits up to the durable version, u64. */
#define EVE_L_CONTROL_SYNC_RETIRED UINT64_C(0xc220)
/* Control page: state of the allocation maps, u32. */
#define EVE_L_CONTROL_MAPS UINT64_C(0xc280)
/* Control page: bytes that the last trace left in use, u64. */
#define EVE_L_CONTROL_TRACED UINT64_C(0xc300)
/* Control page: shared objects that have lost a parent since the last trace, u64: perhaps only a trace can free them. */
#define EVE_L_CONTROL_ORPHANS UINT64_C(0xc308)
/* Control page: bytes allocated since the last trace, u64. */
#define EVE_L_CONTROL_VOLUME UINT64_C(0xc310)
/* Control page: symbol directory, word. */
#define EVE_L_CONTROL_SYMBOLS UINT64_C(0xc380)
/* Control page: next symbol id, u32. */
#define EVE_L_CONTROL_SYMBOL_NEXT UINT64_C(0xc388)
/* Control page: symbol trie, word. */
#define EVE_L_CONTROL_SYMBOL_TRIE UINT64_C(0xc390)
/* Control page: next range of pin sequence numbers, u64. */
#define EVE_L_CONTROL_SEQUENCE UINT64_C(0xc398)
/* Control page: count of what has let old versions go, u64, a hint. */
#define EVE_L_CONTROL_RELEASES UINT64_C(0xc3c0)
/* Control state: being recovered. */
#define EVE_L_STATE_RECOVERING UINT64_C(0x1)
/* Control state: in use or usable. */
#define EVE_L_STATE_READY UINT64_C(0x2)
/* State of the allocation maps: what they call used is used. */
#define EVE_L_MAPS_EXACT UINT64_C(0x0)
/* State of the allocation maps: they may call used what nothing reaches; a trace is wanted. */
#define EVE_L_MAPS_SUPERSET UINT64_C(0x1)
/* Root record: meta, u64. */
#define EVE_L_RECORD_META UINT64_C(0x0)
/* Root record: version, u64. */
#define EVE_L_RECORD_VERSION UINT64_C(0x8)
/* Root record: state word. */
#define EVE_L_RECORD_STATE UINT64_C(0x10)
/* Root record: time in ms since 1970, u64. */
#define EVE_L_RECORD_TIME UINT64_C(0x18)
/* Root record: bytes retired since creation, u64. */
#define EVE_L_RECORD_RETIRED UINT64_C(0x20)
/* Block state: free. */
#define EVE_L_BLOCK_FREE UINT64_C(0x0)
/* Block state: owned by an agent. */
#define EVE_L_BLOCK_OWNED UINT64_C(0x1)
/* Block state: formatted, not owned. */
#define EVE_L_BLOCK_SHELVED UINT64_C(0x2)
/* Block state: first of a run that holds one object. */
#define EVE_L_BLOCK_LARGE UINT64_C(0x3)
/* Block state: further block of a run. */
#define EVE_L_BLOCK_TAIL UINT64_C(0x4)
/* Block state: taken, not yet in use; its class is the state that it goes back to. */
#define EVE_L_BLOCK_RECLAIM UINT64_C(0x5)
/* Block state: first of a run that is being given back; its second word has the run's length. */
#define EVE_L_BLOCK_FREEING UINT64_C(0x6)
/* Block state: free, perhaps without disk space. */
#define EVE_L_BLOCK_UNBACKED UINT64_C(0x7)
/* Word: nil. */
#define EVE_L_NIL UINT64_C(0x0)
/* Word: true. */
#define EVE_L_TRUE UINT64_C(0x104)
/* Word: false. */
#define EVE_L_FALSE UINT64_C(0x204)
/* Word: 0.0. */
#define EVE_L_ZERO UINT64_C(0x304)
/* Word: -0.0. */
#define EVE_L_MINUS_ZERO UINT64_C(0x404)
/* Word: the empty map. */
#define EVE_L_EMPTY_MAP UINT64_C(0x504)
/* Word: the empty vector. */
#define EVE_L_EMPTY_VECTOR UINT64_C(0x604)
/* Word: the empty set. */
#define EVE_L_EMPTY_SET UINT64_C(0x704)
/* Word: the empty list. */
#define EVE_L_EMPTY_LIST UINT64_C(0x804)
/* Descriptor of constants. */
#define EVE_L_DESC_CONSTANT UINT64_C(0x4)
/* Descriptor of chars. */
#define EVE_L_DESC_CHAR UINT64_C(0xc)
/* Descriptor of keywords. */
#define EVE_L_DESC_KEYWORD UINT64_C(0x14)
/* Descriptor of symbols. */
#define EVE_L_DESC_SYMBOL UINT64_C(0x1c)
/* Descriptor of the inline string of 0 bytes; 8 more for each byte. */
#define EVE_L_DESC_STRING UINT64_C(0x44)
/* Bytes of text that fit a word. */
#define EVE_L_INLINE_STRING_MAX UINT64_C(0x7)
/* Type of a text. */
#define EVE_L_TEXT UINT64_C(0x1)
/* Type of an integer that doesn't fit 63 bits. */
#define EVE_L_I64 UINT64_C(0x2)
/* Type of a boxed double. */
#define EVE_L_F64 UINT64_C(0x3)
/* Type of a big integer. */
#define EVE_L_BIGINT UINT64_C(0x4)
/* Type of a ratio. */
#define EVE_L_RATIO UINT64_C(0x5)
/* Type of a decimal. */
#define EVE_L_DECIMAL UINT64_C(0x6)
/* Type of a UUID. */
#define EVE_L_UUID UINT64_C(0x7)
/* Type of an instant in ms (`java.util.Date`). */
#define EVE_L_DATE UINT64_C(0x8)
/* Type of an instant in seconds and nanoseconds. */
#define EVE_L_INSTANT UINT64_C(0x9)
/* Type of a byte array. */
#define EVE_L_BYTES UINT64_C(0xa)
/* Type of a small map. */
#define EVE_L_ARRAY_MAP UINT64_C(0x10)
/* Type of a map's head. */
#define EVE_L_MAP UINT64_C(0x11)
/* Type of a map's trie node. */
#define EVE_L_MAP_NODE UINT64_C(0x12)
/* Type of a map's collision node. */
#define EVE_L_MAP_COLLISION UINT64_C(0x13)
/* Type of a set's head. */
#define EVE_L_SET UINT64_C(0x14)
/* Type of a set's trie node. */
#define EVE_L_SET_NODE UINT64_C(0x15)
/* Type of a set's collision node. */
#define EVE_L_SET_COLLISION UINT64_C(0x16)
/* Type of a vector's head. */
#define EVE_L_VECTOR UINT64_C(0x17)
/* Type of a vector's node. */
#define EVE_L_VECTOR_NODE UINT64_C(0x18)
/* Type of a list's cell. */
#define EVE_L_LIST UINT64_C(0x19)
/* Type of a sorted map's head. */
#define EVE_L_SORTED_MAP UINT64_C(0x1a)
/* Type of a sorted set's head. */
#define EVE_L_SORTED_SET UINT64_C(0x1b)
/* Type of a leaf of a sorted map's B+tree. */
#define EVE_L_BTREE_MAP_LEAF UINT64_C(0x1c)
/* Type of a leaf of a sorted set's B+tree. */
#define EVE_L_BTREE_SET_LEAF UINT64_C(0x1d)
/* Type of an inner node of a B+tree. */
#define EVE_L_BTREE_NODE UINT64_C(0x1e)
/* Type of a symbol-table entry. */
#define EVE_L_SYMBOL UINT64_C(0x20)
/* Type of a chunk of the symbol table. */
#define EVE_L_SYMBOL_CHUNK UINT64_C(0x21)
/* Type of the symbol table's directory. */
#define EVE_L_SYMBOL_DIR UINT64_C(0x22)
/* Type of a node of the symbol trie. */
#define EVE_L_SYMBOL_TRIE UINT64_C(0x23)
/* Header flag: has had two parents. */
#define EVE_L_FLAG_SHARED UINT64_C(0x1)
/* Header flag: never freed. */
#define EVE_L_FLAG_IMMORTAL UINT64_C(0x2)
/* Header flag: met by the commit walk (only while fresh). */
#define EVE_L_FLAG_SEEN UINT64_C(0x4)
/* Header flag: its writer knows the only slot that differs from its origin's (only while fresh). */
#define EVE_L_FLAG_ONLY UINT64_C(0x8)
/* Text flag: all ASCII. */
#define EVE_L_FLAG_ASCII UINT64_C(0x10)
/* Text flag: has a `?`. */
#define EVE_L_FLAG_QUESTION UINT64_C(0x20)
/* Text flag: has a lone surrogate. */
#define EVE_L_FLAG_SURROGATE UINT64_C(0x40)
/* Births from here on mark uncommitted objects. */
#define EVE_L_FRESH UINT64_C(0x800000000000)
/* Entries of an array map, at most. */
#define EVE_L_ARRAY_MAP_MAX UINT64_C(0x8)
/* Elements of a vector node. */
#define EVE_L_VECTOR_WIDTH UINT64_C(0x20)
/* Entries of a B+tree's leaf and children of its node, at most. */
#define EVE_L_BTREE_WIDTH UINT64_C(0x40)
/* Levels of a B+tree, at most. */
#define EVE_L_BTREE_LEVELS UINT64_C(0x10)
/* Chunks of the symbol table. */
#define EVE_L_SYMBOL_CHUNKS UINT64_C(0x13)
/* Symbols of one slab, at most. */
#define EVE_L_SYMBOLS_MAX UINT64_C(0x1000000)
/* Nesting of values, at most. */
#define EVE_L_DEPTH_MAX UINT64_C(0x400)

#endif
