package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Over a whole slab: gc, verify, backup, compact. Others may go on writing. */
public final class Tools {
    /** Longs of an eve_report. */
    public static final int COUNTS = 10;
    /** Longs of an eve_gc_report. */
    public static final int GC_COUNTS = 8;
    private static final int LINES_SIZE = 1 << 20;

    private Tools() {}

    /**
     * Checks everything in the slab. Fills {@code counts} with the fields of eve_report and returns the findings that are listed: a line each of kind,
     * offset, path and what is wrong, with tabs between.
     */
    public static String verify(Slab slab, long[] counts) {
        try (Arena arena = Arena.ofConfined(); Call c = Call.take()) {
            long report = arena.allocate(8L * COUNTS, 8).address();
            MemorySegment lines = arena.allocate(LINES_SIZE);
            Native.verify(c, slab.handle, report, lines.address(), LINES_SIZE);
            for (int i = 0; i < COUNTS; i++) {
                counts[i] = ALL.get(I64, report + 8L * i);
            }
            byte[] text = new byte[(int) Math.min(c.out(), LINES_SIZE)];
            MemorySegment.copy(lines, Memory.I8, 0, text, 0, text.length);
            return new String(text, StandardCharsets.UTF_8);
        }
    }

    /** Frees everything that no version in use reaches. Fills {@code counts} with the fields of eve_gc_report. */
    public static void gc(Slab slab, long[] counts) {
        try (Arena arena = Arena.ofConfined(); Call c = Call.take()) {
            long report = arena.allocate(8L * GC_COUNTS, 8).address();
            Native.gc(c, slab.handle, report);
            for (int i = 0; i < GC_COUNTS; i++) {
                counts[i] = ALL.get(I64, report + 8L * i);
            }
        }
    }

    /** Copies the current version to a new file, with checksums; returns its number. */
    public static long backup(Slab slab, String path) {
        try (Arena arena = Arena.ofConfined(); Call c = Call.take()) {
            Native.backup(c, slab.handle, text(arena, path));
            return c.out();
        }
    }

    /** Copies the values of the current version into a new slab; returns the bytes of both slabs' blocks. */
    public static long[] compact(Slab slab, String path) {
        try (Arena arena = Arena.ofConfined(); Call c = Call.take()) {
            Native.compact(c, slab.handle, text(arena, path));
            return new long[] {c.out(), ALL.get(I64, c.out + 8)};
        }
    }

    private static long text(Arena arena, String path) {
        if (path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the path has a NUL in it");
        }
        return arena.allocateFrom(path).address();
    }
}
