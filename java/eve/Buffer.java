package eve;

import static eve.Memory.ALL;
import static eve.Memory.I16;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Native memory that grows: a build buffer (docs/format.md, section 4) or other bytes for one call. */
final class Buffer {
    private static final int FIRST = 1024;
    /** A buffer that has grown beyond this is not kept for the next call. */
    private static final int KEEP = 1 << 20;

    private MemorySegment memory = Arena.ofAuto().allocate(FIRST, 16);
    private long start = memory.address();
    private long at = start;
    private long end = start + FIRST;

    long address() {
        return start;
    }

    long length() {
        return at - start;
    }

    void reset() {
        if (end - start > KEEP) {
            memory = Arena.ofAuto().allocate(FIRST, 16);
            start = memory.address();
            end = start + FIRST;
        }
        at = start;
    }

    private long room(int n) {
        if (end - at < n) {
            grow(n);
        }
        long a = at;
        at = a + n;
        return a;
    }

    private void grow(int n) {
        long used = at - start;
        MemorySegment larger = Arena.ofAuto().allocate(Math.max(used + n, 2 * memory.byteSize()), 16);
        MemorySegment.copy(memory, 0, larger, 0, used);
        memory = larger;
        start = larger.address();
        at = start + used;
        end = start + larger.byteSize();
    }

    void u8(int x) {
        ALL.set(I8, room(1), (byte) x);
    }

    void u16(int x) {
        ALL.set(I16, room(2), (short) x);
    }

    void u32(int x) {
        ALL.set(I32, room(4), x);
    }

    void u64(long x) {
        ALL.set(I64, room(8), x);
    }

    void bytes(byte[] b) {
        MemorySegment.copy(b, 0, ALL, I8, room(b.length), b.length);
    }

    void op(int op) {
        u8(op);
    }

    void op(int op, int n) {
        long a = room(5);
        ALL.set(I8, a, (byte) op);
        ALL.set(I32, a + 1, n);
    }

    void op(int op, long x) {
        long a = room(9);
        ALL.set(I8, a, (byte) op);
        ALL.set(I64, a + 1, x);
    }

    /** Reserves a u32 that is known later; returns its place. */
    long hole() {
        return room(4) - start;
    }

    void fill(long hole, int x) {
        ALL.set(I32, start + hole, x);
    }
}
