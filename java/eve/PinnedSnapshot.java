package eve;

import clojure.lang.AFn;
import clojure.lang.IDeref;
import clojure.lang.ILookup;
import clojure.lang.RT;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * One version of a slab or an atom, readable until it is closed: for reads that take long, or that belong together.
 *
 * <pre>try (PinnedSnapshot s = atom.snapshot()) { s.deref(); }</pre>
 *
 * As a map it has the values of all atoms of the slab at this version, by the atoms and by their names: (get s a), (s :name).
 *
 * <p>Values read from it give an error (:released) once it is closed. One that is never closed is released when the collector finds it.
 */
public final class PinnedSnapshot extends AFn implements AutoCloseable, IDeref, ILookup {
    /** One in so many records where it was made, so that a program that forgets to close them can be told. */
    private static final int SAMPLE = 128;
    private static final AtomicLong MADE = new AtomicLong();
    private static final AtomicLong LEAKED = new AtomicLong();
    private static volatile boolean warned;

    private final Snapshot snapshot;
    private final Group.Ref pin;
    private final Function<Snapshot, Object> value;

    PinnedSnapshot(Snapshot s, Group.Ref pin, Function<Snapshot, Object> value) {
        snapshot = s;
        this.pin = pin;
        this.value = value;
    }

    /** Where it was made, for some of them. */
    static Throwable origin() {
        return MADE.getAndIncrement() % SAMPLE == 0 ? new Throwable("made here") : null;
    }

    /** The value at this version. */
    @Override
    public Object deref() {
        snapshot.check();
        return value.apply(snapshot);
    }

    /** The value of an atom, which is given by itself or by its name, at this version; null if there was none. */
    @Override
    public Object valAt(Object atom) {
        return valAt(atom, null);
    }

    @Override
    public Object valAt(Object atom, Object notFound) {
        snapshot.check();
        Object name = atom;
        if (atom instanceof Atom a) {
            if (a.slab != snapshot.slab) {
                throw new IllegalArgumentException("the atom " + RT.printString(a.name) + " is in the slab " + a.slab.name() + ", the snapshot is of "
                    + snapshot.slab.name());
            }
            name = a.name;
        }
        return RT.get(Slab.all(snapshot), name, notFound);
    }

    @Override
    public Object invoke(Object atom) {
        return valAt(atom, null);
    }

    @Override
    public Object invoke(Object atom, Object notFound) {
        return valAt(atom, notFound);
    }

    /** Number of the version. */
    public long version() {
        return snapshot.version;
    }

    /** Lets the version go. Closing twice is allowed. */
    @Override
    public void close() {
        snapshot.scope.end();
        snapshot.slab.release(pin);
    }

    /** Snapshots of this process that were never closed. */
    static long leaked() {
        return LEAKED.get();
    }

    /** The collector has found one that nobody had closed. */
    static void leaked(String slab, Throwable origin) {
        LEAKED.incrementAndGet();
        if (origin != null && !warned) {
            warned = true;
            System.getLogger("eve").log(System.Logger.Level.WARNING, "a snapshot of " + slab + " was not closed: its version was kept until the collector "
                + "found it. Use with-open or try. Said once; eve.alpha/pins counts them", origin);
        }
    }

    @Override
    public String toString() {
        return "#<PinnedSnapshot of " + snapshot.slab.name() + ", version " + snapshot.version + (snapshot.scope.dead ? ", closed>" : ">");
    }
}
