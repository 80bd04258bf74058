package eve;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The daemon that frees what the collector has found dead: pin groups and atoms without a name. */
final class Pins {
    private static final long IDLE_MS = 1000;
    private static final Set<Slab> SLABS = ConcurrentHashMap.newKeySet();
    private static final Set<AtomRef> ATOMS = ConcurrentHashMap.newKeySet();
    private static final ReferenceQueue<Atom> DEAD_ATOMS = new ReferenceQueue<>();

    // Of the daemon alone.
    /** Dead atoms that are still in their slabs. */
    private static final List<AtomRef> UNREMOVED = new ArrayList<>();
    /** Slabs whose atoms couldn't be removed at the last try. */
    private static Set<Slab> failing = Set.of();
    private static long lastTry;

    // When unreachable handles hold much, the collector is asked to find them: it doesn't know how large they are. Only where that is cheap; the
    // rest of the memory policy belongs here as well.
    /** Groups, of about a MiB each, beyond those that survived the last look. */
    private static final int BUDGET = 64;
    private static final double CHEAP_MS = 30;
    /** A collection of d ms is followed by at least this times d ms without. */
    private static final double PAUSE = 20;
    private static final AtomicInteger ALIVE = new AtomicInteger();
    private static volatile int floor;
    private static double costMs;
    private static long lastCollection;

    private Pins() {}

    /** A group was opened. */
    static void opened() {
        if (ALIVE.incrementAndGet() >= floor + BUDGET) {
            new WeakReference<>(new Group(null, 0), Group.QUEUE).enqueue(); // wakes the daemon
        }
    }

    private static void collectIfCheap() {
        if (ALIVE.get() < floor + BUDGET) {
            return;
        }
        long start = System.nanoTime();
        double byHeap = 5 + liveMegabytes();
        double expected = lastCollection == 0 ? byHeap : Math.min(costMs, byHeap);
        if (expected < CHEAP_MS && (lastCollection == 0 || (start - lastCollection) / 1e6 >= PAUSE * costMs)) {
            System.gc();
            lastCollection = System.nanoTime();
            double took = (lastCollection - start) / 1e6;
            costMs = costMs == 0 ? took : (costMs + took) / 2;
            poll();
            floor = ALIVE.get();
        }
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

    private static final class AtomRef extends WeakReference<Atom> {
        final Slab slab;
        final long word;

        AtomRef(Atom a) {
            super(a, DEAD_ATOMS);
            slab = a.slab;
            word = a.word;
        }
    }

    /** Starts to look after the slab. */
    static void start(Slab s) {
        SLABS.add(s);
        Holder.THREAD.getClass(); // starts the thread with the first slab
    }

    static void stop(Slab s) {
        SLABS.remove(s);
    }

    static void removeWithAtom(Atom a) {
        ATOMS.add(new AtomRef(a));
    }

    private static final class Holder {
        static final Thread THREAD = run();

        private static Thread run() {
            Thread t = new Thread(Pins::loop, "eve-pins");
            t.setDaemon(true);
            t.start();
            return t;
        }
    }

    private static void loop() {
        while (true) {
            try {
                Reference<? extends Group> r = Group.QUEUE.remove(IDLE_MS);
                release(r);
                poll();
                collectIfCheap();
                pollAtoms();
                SLABS.forEach(Slab::dropStale);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException | Error e) { // whatever it is, the rest must still be freed
                System.getLogger("eve").log(System.Logger.Level.WARNING, "eve-pins: releasing memory failed", e);
            }
        }
    }

    /** Releases the groups that have been found dead by now. */
    static void poll() {
        for (Reference<? extends Group> r; (r = Group.QUEUE.poll()) != null;) {
            release(r);
        }
    }

    private static void release(Reference<? extends Group> r) {
        if (r instanceof Group.Ref g) {
            ALIVE.decrementAndGet();
            g.slab.release(g);
        }
    }

    private static void pollAtoms() {
        for (Reference<? extends Atom> r; (r = DEAD_ATOMS.poll()) != null;) {
            UNREMOVED.add((AtomRef) r);
        }
        long now = System.nanoTime();
        if (UNREMOVED.isEmpty() || !failing.isEmpty() && now - lastTry < IDLE_MS * 1_000_000) {
            return;
        }
        lastTry = now;
        Set<Slab> failed = new HashSet<>();
        UNREMOVED.removeIf(a -> {
            boolean done = !failed.contains(a.slab) && remove(a);
            if (done) {
                ATOMS.remove(a);
            } else {
                failed.add(a.slab); // what stopped one will stop the others
            }
            return done;
        });
        failing = failed;
    }

    /** Removes the atom from its slab. False: it has to be tried again, or the atom would stay for good; a full slab or table may have room then. */
    private static boolean remove(AtomRef a) {
        try {
            if (!a.slab.isClosed()) {
                Txn.removeAtom(a.slab, a.word);
            }
            return true;
        } catch (RuntimeException | Error e) {
            if (a.slab.isClosed()) {
                return true;
            }
            if (!failing.contains(a.slab)) {
                System.getLogger("eve").log(System.Logger.Level.WARNING,
                    "eve-pins: atoms that nobody uses can't be removed from " + a.slab.name() + " now, trying again: " + e.getMessage());
            }
            return false;
        }
    }
}
