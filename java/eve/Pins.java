package eve;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The daemon that frees what the collector has found dead: pin groups and atoms without a name. */
final class Pins {
    private static final long IDLE_MS = 1000;
    private static final Set<Slab> SLABS = ConcurrentHashMap.newKeySet();
    private static final Set<AtomRef> ATOMS = ConcurrentHashMap.newKeySet();
    private static final ReferenceQueue<Atom> DEAD_ATOMS = new ReferenceQueue<>();

    private Pins() {}

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
                if (r instanceof Group.Ref g) {
                    g.slab.release(g);
                    poll();
                }
                pollAtoms();
                SLABS.forEach(Slab::dropStale);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                System.getLogger("eve").log(System.Logger.Level.WARNING, "eve-pins: releasing memory failed", e);
            }
        }
    }

    /** Releases the groups that have been found dead by now. */
    static void poll() {
        for (Reference<? extends Group> r; (r = Group.QUEUE.poll()) != null;) {
            Group.Ref g = (Group.Ref) r;
            g.slab.release(g);
        }
    }

    private static void pollAtoms() {
        for (Reference<? extends Atom> r; (r = DEAD_ATOMS.poll()) != null;) {
            AtomRef a = (AtomRef) r;
            ATOMS.remove(a);
            if (!a.slab.isClosed()) {
                Txn.removeAtom(a.slab, a.word);
            }
        }
    }
}
