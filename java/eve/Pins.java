package eve;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

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

    private static long lastTick;

    private Pins() {}

    /** Makes the daemon look at once. */
    static void wake() {
        new WeakReference<>(new Group(null, 0), Group.QUEUE).enqueue();
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
                Pressure.work();
                pollAtoms();
                long now = System.nanoTime();
                if (now - lastTick >= IDLE_MS * 1_000_000) {
                    lastTick = now;
                    SLABS.forEach(Slab::tidy);
                }
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
            g.slab.release(g);
        }
    }

    /** The same without waiting for the JVM to put them in the queue. */
    static void releaseDead() {
        SLABS.forEach(Slab::releaseDead);
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
