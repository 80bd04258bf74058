package eve;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Makes the JVM's collector find dead pin groups in time. It doesn't know how much they hold in a slab; so where more than a budget has come
 * on top of what the last collection has left, it is made to run: by allocating (the young generation fills up earlier), or by System.gc()
 * where that is cheaper or the only way. Both are limited to a part of the time.
 */
final class Pressure {
    private static final System.Logger LOG = System.getLogger("eve");

    /** Bytes that may be held beyond what survived the last collection. */
    static final long BUDGET = budget(System.getProperty("eve.pin.budget"), 32L << 20);
    /** Times the budget at which System.gc() is called though it is dear, and at which the committing thread waits for it. */
    private static final int DEAR = 4;
    private static final int CEILING = 16;

    /** ZGC and Shenandoah: they collect beside the program, and look at weak references only when they collect all of the heap. */
    private static final boolean CONCURRENT = collectorIs("ZGC", "Shenandoah");
    private static final MemoryPoolMXBean EDEN = eden();

    /** Above this, System.gc() is not for everyday use: the pause that G1 allows itself. */
    private static final double CHEAP_MS = 200;
    /** Part of the time that may go to System.gc(). */
    private static final double DUTY = CONCURRENT ? 0.5 : 0.05;
    /** Allocating a MiB, and the part of a young collection that comes with it. */
    private static final double FILL_MS = 0.3;
    /** Collections for which the young generation stays as small as System.gc() makes it (G1 does). */
    private static final int LASTS = 5;
    private static final int PIECE = 32 << 10;
    /** MiB allocated for one of garbage: from so many on, and at most; twice as many beyond the budget. */
    private static final int LATE = 2;
    private static final int FILL_MAX = 4;
    private static final int LAST_WAIT_MS = 256;

    /** Bytes held by groups that take no more versions. */
    private static final AtomicLong HELD = new AtomicLong();

    /** MiB that the daemon is to allocate. */
    private static final AtomicInteger WANTED = new AtomicInteger();
    private static final AtomicLong FILLED = new AtomicLong();

    /** Held while System.gc() runs. */
    private static final ReentrantLock COLLECTING = new ReentrantLock();
    private static final ReentrantLock LOCK = new ReentrantLock();
    // Written with LOCK or COLLECTING held.
    /** Its death shows that there was a collection that looks at young weak references. */
    private static WeakReference<Object> canary = new WeakReference<>(new Object());
    /** Held just after the last collection, and after the last System.gc(): a young collection may miss groups that have grown old. */
    private static volatile long floor;
    private static volatile long floorOfAll;
    private static volatile double costMs;
    /** MiB of the young generation that were free after the last System.gc(). */
    private static volatile double edenAfter;
    private static volatile long nextCollection = System.nanoTime();
    private static volatile boolean disabled;
    private static volatile long collections;

    @SuppressWarnings("unused") // written only: what is allocated must not be optimised away
    private static volatile byte[] sink;

    private Pressure() {}

    // Accounts

    static void held(long bytes) {
        HELD.addAndGet(bytes);
    }

    static long held() {
        return HELD.get();
    }

    static long floor() {
        return floor;
    }

    /** Calls of System.gc(). */
    static long collections() {
        return collections;
    }

    /** Bytes allocated so that the collector runs. */
    static long filled() {
        return FILLED.get();
    }

    // What is to be done

    /** Called by a thread that is about to open a group, which comes about once for each MiB of garbage. */
    static void relieve() {
        // Beyond the budget nobody passes by: the holder may be kept from running.
        if (over() > BUDGET) {
            LOCK.lock();
        } else if (!LOCK.tryLock()) {
            return;
        }
        boolean last;
        try {
            look();
            last = over() > ceiling();
            if (!last) {
                press();
            }
        } finally {
            LOCK.unlock();
        }
        if (last) {
            waitForCollection();
        }
    }

    private static long over() {
        return HELD.get() - floor;
    }

    private static void press() {
        long over = over();
        if (isDue() && over <= BUDGET + BUDGET / 4) { // else the daemon is late
            Pins.wake();
        } else if (CONCURRENT && !disabled) {
            Pins.wake();
        } else if (over > BUDGET) {
            fill(toFill(over));
            look();
        } else {
            int megabytes = toFill(over);
            if (megabytes > 0) {
                WANTED.addAndGet(megabytes);
                Pins.wake();
            }
        }
    }

    /** Where the committing thread waits. A collection beside the program that is short is waited for, or much would come meanwhile. */
    private static long ceiling() {
        return CONCURRENT && !disabled && expectedMs() < 2 * LAST_WAIT_MS ? BUDGET + BUDGET / 4 : CEILING * BUDGET;
    }

    /** Called by the daemon, when a committing thread has woken it and now and then. */
    static void work() {
        int megabytes = WANTED.getAndSet(0);
        if (megabytes > 0) {
            fill(megabytes);
            LOCK.lock();
            try {
                look();
            } finally {
                LOCK.unlock();
            }
        }
        if (isDue() && COLLECTING.tryLock()) {
            try {
                collect();
            } finally {
                COLLECTING.unlock();
            }
        }
    }

    /** For want of a place for one more group. False: the collector can't be asked. */
    static boolean collectNow() {
        COLLECTING.lock();
        try {
            if (!disabled) {
                collect();
            }
            return !disabled;
        } finally {
            COLLECTING.unlock();
        }
    }

    private static boolean isDue() {
        if (disabled || System.nanoTime() - nextCollection < 0) {
            return false;
        }
        long over = over();
        // What young collections have left, because it is in use or because it has grown old: only a look at all tells.
        long old = floor - floorOfAll;
        long much = CONCURRENT || expectedMs() < CHEAP_MS ? BUDGET / 4 : DEAR * BUDGET;
        return over > BUDGET && isCheap() || over > DEAR * BUDGET || old > Math.max(much, floorOfAll / 2);
    }

    /** Is System.gc() better than to fill up the young generation? */
    private static boolean isCheap() {
        if (CONCURRENT) {
            return true;
        }
        double expected = expectedMs();
        return expected < CHEAP_MS && (EDEN == null || expected < LASTS * FILL_MS * (freeMegabytes(EDEN.getUsage()) - edenAfter));
    }

    private static double expectedMs() {
        return costMs != 0 ? costMs : 5 + liveMegabytes();
    }

    /** After a collection: releases what it has found dead, and takes what is still held for alive. */
    private static void look() {
        if (canary.refersTo(null)) {
            settle();
        }
    }

    private static void settle() {
        canary = new WeakReference<>(new Object());
        Pins.releaseDead();
        floor = HELD.get();
    }

    /** With COLLECTING, and not with LOCK: it may take long. */
    private static void collect() {
        WeakReference<Object> probe = new WeakReference<>(new Object());
        long start = System.nanoTime();
        System.gc();
        long end = System.nanoTime();
        double took = (end - start) / 1e6;
        costMs = costMs == 0 ? took : (costMs + took) / 2;
        nextCollection = end + (long) ((end - start) * (1 / DUTY - 1));
        edenAfter = EDEN == null ? 0 : freeMegabytes(EDEN.getUsage());
        collections++;
        if (!probe.refersTo(null)) {
            disabled = true;
            LOG.log(System.Logger.Level.WARNING, "eve: System.gc() does nothing in this JVM (-XX:+DisableExplicitGC?), so old versions of slabs may be "
                + "kept for longer; eve.alpha/update! and read keep none");
            return;
        }
        LOCK.lock();
        try {
            settle();
            floorOfAll = floor;
        } finally {
            LOCK.unlock();
        }
    }

    /** The last resort: as java.nio does when its memory is full, but without an error. */
    private static void waitForCollection() {
        COLLECTING.lock();
        try {
            if (over() > ceiling() && !disabled) {
                collect();
            }
            for (int ms = 1; ms <= LAST_WAIT_MS && over() > ceiling(); ms *= 2) {
                Thread.sleep(ms);
                LOCK.lock();
                try {
                    look();
                } finally {
                    LOCK.unlock();
                }
            }
            if (over() > ceiling()) {
                // What still is there is in use, as far as can be told.
                floor = HELD.get();
                floorOfAll = floor;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            COLLECTING.unlock();
        }
    }

    /** MiB to allocate for the MiB of garbage that comes now, so that the young generation is full when `over` is the budget. */
    private static int toFill(long over) {
        double free = EDEN == null ? 2 * BUDGET >> 20 : freeMegabytes(EDEN.getUsage());
        double left = Math.max(1, (BUDGET - over) >> 20);
        // Late: if the program stops before, or fills it up by itself, nothing was wasted.
        double ratio = Math.ceil(free / left);
        return ratio < LATE ? 0 : (int) Math.min(over > BUDGET ? 2 * FILL_MAX : FILL_MAX, ratio);
    }

    private static void fill(int megabytes) {
        long bytes = (long) megabytes << 20;
        for (long done = 0; done < bytes; done += PIECE) {
            sink = new byte[PIECE];
        }
        sink = null;
        FILLED.addAndGet(bytes);
    }

    // What the JVM tells

    private static double freeMegabytes(MemoryUsage u) {
        return (u.getCommitted() - u.getUsed()) / (double) (1 << 20);
    }

    /** Heap in use after the last collection. */
    private static double liveMegabytes() {
        double bytes = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage usage = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
            bytes += usage == null ? 0 : usage.getUsed();
        }
        return bytes / (1 << 20);
    }

    private static MemoryPoolMXBean eden() {
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getName().contains("Eden")) {
                return pool;
            }
        }
        return null;
    }

    private static boolean collectorIs(String... names) {
        for (GarbageCollectorMXBean b : ManagementFactory.getGarbageCollectorMXBeans()) {
            for (String name : names) {
                if (b.getName().startsWith(name)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** A number of bytes, or with k, m or g behind it as in -Xmx. */
    static long budget(String s, long usual) {
        if (s == null) {
            return usual;
        }
        int shift = s.isEmpty() ? -1 : "kmg".indexOf(Character.toLowerCase(s.charAt(s.length() - 1)));
        try {
            long n = Long.parseLong(shift < 0 ? s : s.substring(0, s.length() - 1));
            long bytes = Math.multiplyExact(n, 1L << 10 * (shift + 1));
            if (bytes >= 1 << 20 && bytes <= Long.MAX_VALUE / CEILING) {
                return bytes;
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // said below
        }
        LOG.log(System.Logger.Level.WARNING, "eve.pin.budget is a number of bytes from 1m on, as in -Deve.pin.budget=64m, not \"" + s + "\"; "
            + (usual >> 20) + "m is used");
        return usual;
    }
}
