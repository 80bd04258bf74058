package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for the results of one call, with two build buffers. Taken from a pool, used by one thread, given back.
 * There is no thread-local: virtual threads would make one each.
 */
final class Call implements AutoCloseable {
    private static final int THREADS = 32;
    /** Calls that one thread uses at a time: writing a value within a value takes several. */
    private static final int DEPTH = 4;
    private static final AtomicReferenceArray<Call> POOL = new AtomicReferenceArray<>(THREADS * DEPTH);

    private static final int OUT_SIZE = 128;
    private static final int OPTIONS_SIZE = 32;
    private static final int ERROR_SIZE = 512;

    private final MemorySegment memory = Arena.ofAuto().allocate(OUT_SIZE + OPTIONS_SIZE + ERROR_SIZE, 16);
    /** Address of the out-parameters. */
    final long out = memory.address();
    /** Address of an eve_options. */
    final long options = out + OUT_SIZE;
    /** Address of the eve_error. */
    final long err = options + OPTIONS_SIZE;
    /** For arguments. */
    final Buffer args = new Buffer();

    static Call take() {
        int slot = firstSlot();
        for (int i = slot; i < slot + DEPTH; i++) {
            Call c = POOL.getAndSet(i, null);
            if (c != null) {
                return c;
            }
        }
        return new Call();
    }

    /** Threads start at different places, so that they seldom meet. */
    private static int firstSlot() {
        return DEPTH * ((int) Thread.currentThread().threadId() & THREADS - 1);
    }

    /** Gives the memory back. */
    @Override
    public void close() {
        args.reset();
        int slot = firstSlot();
        for (int i = slot; i < slot + DEPTH; i++) {
            if (POOL.compareAndSet(i, null, this)) {
                return;
            }
        }
    }

    long buffer() {
        return args.address();
    }

    /** First out-parameter. */
    long out() {
        return ALL.get(I64, out);
    }

    /** Returns an outcome (0 or more); throws an error. */
    int check(int status) {
        return status >= 0 ? status : fail(status);
    }

    private int fail(int status) {
        String message = ALL.getString(err + 8);
        int os = ALL.get(I32, err + 4);
        throw new EveException(status, message.isEmpty() ? "status " + status + (os == 0 ? "" : ", errno " + os) : message);
    }

    void options(int flags, long maxBytes, int syncMode, int syncIntervalMs) {
        ALL.set(I32, options, OPTIONS_SIZE);
        ALL.set(I32, options + 4, flags);
        ALL.set(I32, options + 8, 0);
        ALL.set(I32, options + 12, syncMode);
        ALL.set(I64, options + 16, maxBytes);
        ALL.set(I64, options + 24, syncIntervalMs);
    }
}
