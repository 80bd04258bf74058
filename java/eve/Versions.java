package eve;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Lets threads wait for later versions of a slab. One thread sleeps in the library, for all: a thread that sleeps there itself could not be
 * interrupted, and a virtual one would keep its carrier. It ends when nobody has waited for a second, as each commit has to wake it.
 */
final class Versions {
    private static final long WAIT_MS = 1000;

    private final Slab slab;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition later = lock.newCondition();
    // Guarded by the lock.
    private long latest;
    private int waiting;
    private Thread thread;
    private Throwable failure;

    Versions(Slab slab) {
        this.slab = slab;
    }

    /** The value once `test` is true of it; `otherwise` when the time is over. What a version's value is, `at` says. */
    Object await(Function<Snapshot, Atom.Cell> at, Predicate<Object> test, long nanos, Object otherwise) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        Atom.Cell last = null;
        while (true) {
            Snapshot s = slab.snapshot();
            Atom.Cell now = at.apply(s);
            // Both are held, so equal words are the same value.
            if ((last == null || last.word() != now.word()) && test.test(now.value())) {
                return now.value();
            }
            last = now;
            if (!later(s.version, nanos == Long.MAX_VALUE ? nanos : end - System.nanoTime())) {
                return otherwise;
            }
        }
    }

    /** Waits until there is a version later than `seen`; false when the time is over. */
    private boolean later(long seen, long nanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            waiting++;
            if (thread == null) {
                failure = null;
                thread = new Thread(this::loop, "eve-wait " + slab.name());
                thread.setDaemon(true);
                thread.start();
            }
            long left = nanos;
            while (latest <= seen) {
                slab.checkOpen();
                if (failure != null) {
                    throw new EveException(0, "waiting for versions of " + slab.name() + " failed: " + failure.getMessage(), failure);
                }
                if (left <= 0) {
                    return false;
                }
                if (nanos == Long.MAX_VALUE) {
                    later.await();
                } else {
                    left = later.awaitNanos(left);
                }
            }
            return true;
        } finally {
            waiting--;
            lock.unlock();
        }
    }

    private void loop() {
        Throwable failed = null;
        try (Call c = new Call()) {
            long seen = 0;
            while (report(seen)) {
                if (Native.await(c, slab.handle, seen, WAIT_MS) == Native.OK) {
                    seen = c.out();
                } else if (isIdle()) {
                    return;
                }
            }
        } catch (Throwable e) {
            failed = e;
        }
        end(failed);
    }

    /** False: the slab is closed. */
    private boolean report(long version) {
        lock.lock();
        try {
            latest = Math.max(latest, version);
            later.signalAll();
            return !slab.isClosed();
        } finally {
            lock.unlock();
        }
    }

    /** Nobody waits: the next who does starts another thread. */
    private boolean isIdle() {
        lock.lock();
        try {
            if (waiting == 0) {
                thread = null;
            }
            return thread == null;
        } finally {
            lock.unlock();
        }
    }

    private void end(Throwable failed) {
        lock.lock();
        try {
            failure = failed;
            thread = null;
            later.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Wakes all, who see that the slab is closed. */
    void stop() {
        lock.lock();
        try {
            if (thread != null) {
                try (Call c = Call.take()) {
                    Native.wake(c, slab.handle);
                }
            }
            later.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Nanoseconds of a timeout in ms; negative: for ever. */
    static long nanos(long ms) {
        return ms < 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(ms);
    }
}
