package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

import clojure.lang.IDeref;
import clojure.lang.ILookup;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentHashMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * An opened slab: a file, or anonymous memory of this process. Opening a file twice gives the same object. Its deref is the map of all
 * atoms' names and values at one version; get gives the atom of a name.
 */
public final class Slab implements AutoCloseable, IDeref, ILookup {
    private static final Map<Path, Slab> OPEN = new ConcurrentHashMap<>();
    /** Closed and still mapped. The collector reports a dead group only while the slab, which holds its reference, can be reached. */
    private static final Set<Slab> MAPPED = ConcurrentHashMap.newKeySet();
    private static Slab anonymous;

    /** A group takes no more versions once so many bytes have died, or so many ns have gone, since it was opened. */
    private static final long GROUP_BYTES = 1 << 20;
    private static final long GROUP_NANOS = 1_000_000_000L;

    /** Commits reach the disk in the background, at most an interval after they were made. */
    public static final int SYNC_INTERVAL = 0;
    /** Commits reach the disk by sync and at the last close. */
    public static final int SYNC_NONE = 1;
    /** A commit is on disk when it returns. */
    public static final int SYNC_COMMIT = 2;

    /** Absolute path of the file; null: anonymous. */
    private final Path path;
    /** Device and inode of the file. */
    private final Object file;
    private final boolean readOnly;
    final long handle;
    final long base;
    private final long root;
    /** An iterator over nil: it keeps the memory mapped after eve_close, until no reader can be in it any more. */
    private final long keeper;
    final Symbols symbols = new Symbols(this);
    final Watcher watcher = new Watcher(this);
    final Versions versions = new Versions(this);

    private final Map<Object, Atom> atoms = new ConcurrentHashMap<>();
    private final AtomicLong nextName = new AtomicLong();
    private final Set<Group.Ref> groups = ConcurrentHashMap.newKeySet();
    private volatile Group open;
    /** For what groups hold. Nothing that locks is called with it: {@link #release} may be called with the locks of {@link Pressure}. */
    private final Object accounts = new Object();
    /** The group that took its first version last. */
    private Group.Ref newest;
    /** Keeps the memory mapped for handles that no group of their own does; null: closed. It holds no version. */
    private volatile Group anchor = new Group(this, 0);
    volatile Snapshot current;
    private volatile boolean closed;

    private Slab(Path path, int flags, long maxBytes, int syncMode, int syncIntervalMs) {
        this.path = path;
        readOnly = (flags & Native.READ_ONLY) != 0;
        try (Call c = Call.take()) {
            c.options(flags, maxBytes, syncMode, syncIntervalMs);
            if (path == null) {
                Native.openAnonymous(c);
            } else {
                c.args.bytes((path + "\0").getBytes(StandardCharsets.UTF_8));
                Native.open(c);
            }
            handle = c.out();
            Native.slabMemory(c, handle);
            base = ALL.get(I64, c.out);
            root = base + Layout.CONTROL_ROOT;
            keeper = Native.iterOpen(c, handle, 0);
        }
        file = path == null ? null : fileKey(path);
        groups.add(new Group.Ref(anchor));
        Pins.start(this);
    }

    /** Opens the slab at `path`, which is created if it is missing. */
    public static Slab open(String path) {
        return open(path, false, false, 0, SYNC_INTERVAL, 0);
    }

    /**
     * Opens the slab at `path`.
     *
     * @param mustExist a missing file is an error
     * @param readOnly open for reading only
     * @param maxBytes largest size of the file; 0: no limit
     * @param syncMode SYNC_INTERVAL, SYNC_NONE or SYNC_COMMIT
     * @param syncIntervalMs for SYNC_INTERVAL; 0: a second
     */
    public static Slab open(String path, boolean mustExist, boolean readOnly, long maxBytes, int syncMode, int syncIntervalMs) {
        Path p = identity(Path.of(path));
        int flags = readOnly ? Native.READ_ONLY : mustExist ? Native.MUST_EXIST : Native.CREATE;
        Slab s = OPEN.compute(p, (q, known) -> known != null && known.isAt(q) ? known : new Slab(q, flags, maxBytes, syncMode, syncIntervalMs));
        if (s.readOnly != readOnly) {
            throw new EveException(0, p + " is open already, " + (readOnly ? "for writing" : "for reading only") + ": close it first");
        }
        return s;
    }

    /** Is it open, and the file that the path names now? The file may have been removed, and another put in its place. */
    private boolean isAt(Path p) {
        return !closed && Objects.equals(file, fileKey(p));
    }

    private static Object fileKey(Path p) {
        try {
            return Files.readAttributes(p, BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            return null; // no file
        }
    }

    /** One path for a file, however it is named. */
    private static Path identity(Path p) {
        Path full = p.toAbsolutePath().normalize();
        try {
            return Files.exists(full) || full.getParent() == null ? full.toRealPath() : full.getParent().toRealPath().resolve(full.getFileName());
        } catch (IOException e) {
            return full; // a missing folder: the core says so
        }
    }

    /** The slab of this process that has no file: for atoms without :persistent, and for values made outside of atoms. */
    public static synchronized Slab anonymous() {
        if (anonymous == null) {
            anonymous = new Slab(null, Native.CREATE, 0, SYNC_NONE, 0);
        }
        return anonymous;
    }

    /** Path, or "(anonymous)". */
    public String name() {
        return path == null ? "(anonymous)" : path.toString();
    }

    boolean isAnonymous() {
        return path == null;
    }

    /** Is it open for reading only? */
    public boolean isReadOnly() {
        return readOnly;
    }

    /** The atom of that name, which is made with `initial` if it is not there. */
    public Atom atom(Keyword name, Object initial) {
        Atom a = existing(name);
        if (a != null) {
            return a;
        }
        checkWritable();
        Atom made = new Atom(this, name, symbols.word(name));
        made.create(initial);
        return share(made);
    }

    /** The same for Java: the name is "namespace/name" or "name", as a keyword without its colon. */
    public Atom atom(String name, Object initial) {
        return atom(Keyword.intern(name), initial);
    }

    /** The atom of that name, or null if there is none. */
    public Atom existing(Keyword name) {
        checkOpen();
        // Another process may have removed it.
        boolean there = ((clojure.lang.Associative) deref()).containsKey(name);
        return there ? handle(name) : null;
    }

    private Atom handle(Keyword name) {
        Atom a = atoms.get(name);
        return a != null ? a : share(new Atom(this, name, symbols.word(name)));
    }

    /** The same, for Clojure's get. */
    @Override
    public Object valAt(Object name) {
        return valAt(name, null);
    }

    @Override
    public Object valAt(Object name, Object notFound) {
        Atom a = name instanceof Keyword k ? existing(k) : null;
        return a != null ? a : notFound;
    }

    /** All atoms, by their names. Only keywords are names to this library: what a C program has named otherwise is in deref alone. */
    public IPersistentMap atoms() {
        checkOpen();
        IPersistentMap m = PersistentHashMap.EMPTY;
        for (Object name : ((Map<?, ?>) deref()).keySet()) {
            m = name instanceof Keyword k ? m.assoc(k, handle(k)) : m;
        }
        return m;
    }

    /** The object of an atom, if this process has one. */
    Atom known(Object name) {
        return atoms.get(name);
    }

    /** An atom is removed: its object is not given out any more. */
    void forget(Atom a) {
        atoms.remove(a.name, a);
    }

    private Atom share(Atom a) {
        Atom before = atoms.putIfAbsent(a.name, a);
        return before != null ? before : a;
    }

    /** A new atom without a name, which goes when it can't be reached any more. */
    public Atom atom(Object initial) {
        checkOpen();
        long n = nextName.incrementAndGet();
        Atom a = new Atom(this, n, n << 1 | 1);
        a.create(initial);
        Pins.removeWithAtom(a);
        return a;
    }

    /** Writes the current version to disk; returns the version that survives a crash of the machine now. */
    public long sync() {
        try (Call c = Call.take()) {
            Native.sync(c, handle);
            return c.out();
        }
    }

    /** All atoms at one version: a map of name to value. */
    @Override
    public Object deref() {
        return all(snapshot());
    }

    static Object all(Snapshot s) {
        return cell(s).value();
    }

    private static Atom.Cell cell(Snapshot s) {
        return Atom.Cell.of(s, s.state);
    }

    /** Number of the current version. */
    public long version() {
        checkOpen();
        return snapshot().version;
    }

    /**
     * Runs f in a transaction: what it reads is one version, and what it sets is committed when it returns, all or nothing. When another commit has
     * changed what it has read or written, it runs again. Returns what f returns.
     */
    public <T> T transact(Function<? super Transaction, ? extends T> f) {
        return Transaction.run(this, f);
    }

    /**
     * Waits until `test` is true of the map of all atoms, which is returned, or for so many ms (negative: for ever): `otherwise` then.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public Object await(Predicate<Object> test, long timeoutMs, Object otherwise) throws InterruptedException {
        return versions.await(Slab::cell, test, Versions.nanos(timeoutMs), otherwise);
    }

    /** The current version of all atoms, readable until it is closed. */
    public PinnedSnapshot pinned() {
        return pin(Slab::all);
    }

    /** Calls of the library so far in this process, if -Deve.count-crossings=true; else 0. */
    public static long crossings() {
        return Native.CROSSINGS.sum();
    }

    // Versions

    /** The current version. While the root hasn't moved this is one load, and gives the same object. */
    Snapshot snapshot() {
        Snapshot s = current;
        if (s != null && isCurrent(s)) {
            return s;
        }
        return refresh();
    }

    /** Is it the current version? A record is used again once no pin is on its version (a group isn't a pin on it), so the root word alone doesn't tell. */
    boolean isCurrent(Snapshot s) {
        return Memory.acquireInt(root) == s.record && ALL.get(I64, s.recordVersion) == s.version;
    }

    private Snapshot refresh() {
        Group g = group();
        try (Call c = Call.take()) {
            Native.groupView(c, handle, g.id);
            return publish(g, c.out);
        }
    }

    /** Makes the version at address `view`, which the group holds, the current one, unless a later one is known. */
    Snapshot publish(Group g, long view) {
        Snapshot s = new Snapshot(this, g, view);
        long retired = Snapshot.retired(view);
        g.retiredLast = retired;
        if (g.retired == Long.MAX_VALUE) {
            first(g, s.version, retired);
        } else if (retired - g.retired > GROUP_BYTES && open == g) {
            roll(g);
        }
        Snapshot now = current;
        if ((now == null || now.version < s.version) && !closed) {
            current = s; // a race here loses nothing: the loser's version is noticed as stale
        }
        return s;
    }

    /** The group has taken its first version. Until now all that died may have been in the last version of the group before. */
    private void first(Group g, long version, long retired) {
        synchronized (accounts) {
            if (g.retired != Long.MAX_VALUE) {
                return;
            }
            g.version = version;
            g.retired = retired;
            g.ref.retired = retired;
            if (newest != null && groups.contains(newest)) {
                holds(newest, Math.min(retired - newest.retired, backed()));
            }
            newest = g.ref;
        }
    }

    /** So much, or what is known already. */
    private void holds(Group.Ref g, long bytes) {
        synchronized (accounts) {
            if (groups.contains(g) && bytes > g.bytes) {
                Pressure.held(bytes - g.bytes);
                g.bytes = bytes;
            }
        }
    }

    /** The group that new versions go to. */
    Group group() {
        Group g = open;
        if (g == null) {
            Pressure.relieve();
            g = retried(this::newGroup);
        }
        return g;
    }

    /** No more versions go to the group. */
    private synchronized void roll(Group g) {
        if (open == g) {
            open = null;
            g.ref.version = g.version;
            if (g.retired != Long.MAX_VALUE) {
                holds(g.ref, g.retiredLast - g.retired);
            }
        }
    }

    private synchronized Group newGroup() {
        Group g = open;
        if (g != null) {
            return g;
        }
        checkOpen();
        g = new Group(this, openGroup());
        g.ref = new Group.Ref(g);
        groups.add(g.ref);
        open = g;
        return g;
    }

    /** Opens a group. When their table is full, the collector may find some that nobody uses, such as forgotten snapshots. Not with the lock. */
    private static <T> T retried(Supplier<T> opening) {
        try {
            return opening.get();
        } catch (EveException e) {
            if (e.code != EveException.LIMIT || !Pressure.collectNow()) {
                throw e;
            }
            return opening.get();
        }
    }

    private int openGroup() {
        try (Call c = Call.take()) {
            Native.groupOpen(c, handle);
            return ALL.get(I32, c.out);
        }
    }

    /** Called when nothing holds the group any more; does nothing the second time. */
    void release(Group.Ref g) {
        synchronized (accounts) {
            if (!groups.remove(g)) {
                return;
            }
            Pressure.held(-g.bytes);
        }
        if (g.explicit && g.refersTo(null)) {
            PinnedSnapshot.leaked(name(), g.origin);
        }
        if (!closed && g.id != 0) {
            try (Call c = Call.take()) {
                Native.groupClose(c, handle, g.id);
            } catch (EveException e) {
                if (!closed) {
                    throw e;
                }
            }
        } else {
            unmapIfUnused();
        }
    }

    /** Releases the groups that the collector has found dead. */
    void releaseDead() {
        for (Group.Ref g : groups) {
            if (g.refersTo(null)) {
                release(g);
            }
        }
    }

    /** Called about once a second: frees what threads that have stopped writing can't, and drops what an idle process keeps. */
    void tidy() {
        dropStale();
        try (Call c = Call.take()) {
            Native.reclaim(c, handle);
        } catch (EveException e) {
            if (!closed) {
                throw e;
            }
        }
    }

    /**
     * Lets the version kept for the next deref go, if it is out of date: an idle process must not hold old versions. And no
     * group is open for long, so that one that is held keeps only what died in that time.
     */
    void dropStale() {
        Group g = open;
        if (g != null && System.nanoTime() - g.opened >= GROUP_NANOS) {
            roll(g);
        }
        Snapshot s = current;
        if (s != null && !isCurrent(s)) {
            current = null;
            if (g == s.group) {
                roll(g);
            }
            atoms.values().forEach(Atom::forget);
        }
    }

    /** End of the memory that is allocated now. */
    long backed() {
        return Memory.acquireLong(base + Layout.CONTROL_BACKED);
    }

    // Versions for a time

    /** The version at address `view`, which something else pins until the scope is ended. */
    Snapshot scoped(Scope scope, long view) {
        Group a = anchor;
        if (a == null) {
            throw closed();
        }
        return new Snapshot(this, a, scope, view);
    }

    PinnedSnapshot pin(Function<Snapshot, Object> value) {
        checkOpen();
        try (Call c = Call.take()) {
            Group g = new Group(this, retried(this::openGroup));
            Group.Ref pin = new Group.Ref(g, true, PinnedSnapshot.origin());
            groups.add(pin);
            try {
                Native.groupView(c, handle, g.id);
                Snapshot s = scoped(g, c.out);
                pin.version = s.version;
                return new PinnedSnapshot(s, pin, value);
            } catch (RuntimeException e) {
                release(pin);
                throw e;
            }
        }
    }

    /** What this process holds: see eve.alpha/pins. */
    public Map<String, Object> pins() {
        long held = 0;
        long oldest = Long.MAX_VALUE;
        long opened = System.nanoTime();
        int n = 0;
        for (Group.Ref g : groups) {
            if (g.id != 0) {
                n++;
                held += g.bytes;
                if (g.version != 0 && g.version < oldest) {
                    oldest = g.version;
                    opened = g.opened;
                }
            }
        }
        Map<String, Object> m = new java.util.LinkedHashMap<>();
        m.put("groups", (long) n);
        m.put("held", held);
        m.put("oldest", oldest == Long.MAX_VALUE ? null : oldest);
        m.put("seconds", (System.nanoTime() - opened) / 1_000_000_000L);
        m.put("taken", Memory.acquireLong(base + Layout.CONTROL_HIGH_WATER) * Layout.BLOCK_SIZE);
        m.put("leaked", PinnedSnapshot.leaked());
        m.put("budget", Pressure.BUDGET);
        m.put("process-held", Pressure.held());
        m.put("floor", Pressure.floor());
        m.put("gcs", Pressure.collections());
        m.put("filled", Pressure.filled());
        return m;
    }

    // Closing

    /**
     * Closes the slab; its atoms and the values read from them can't be used any more. The last process to close it writes it to disk. The
     * anonymous slab stays: all parts of the program share it, and what one is done with goes when it can't be reached.
     */
    @Override
    public void close() {
        if (path == null) {
            return;
        }
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        for (Group.Ref r : groups) {
            Group g = r.get();
            if (g != null) {
                g.dead = true;
            }
        }
        java.lang.invoke.VarHandle.fullFence();
        anchor = null;
        current = null;
        open = null;
        atoms.values().forEach(Atom::forget);
        OPEN.remove(path, this);
        MAPPED.add(this);
        watcher.stop();
        versions.stop();
        Pins.stop(this);
        try (Call c = Call.take()) {
            Native.close(c, handle);
        }
        unmapIfUnused();
    }

    /** A reader keeps its group reachable until its read is over: without groups there is no reader. */
    private synchronized void unmapIfUnused() {
        if (closed && groups.isEmpty() && !unmapped) {
            unmapped = true;
            MAPPED.remove(this);
            try (Call c = Call.take()) {
                Native.iterClose(c, keeper);
            }
        }
    }

    private boolean unmapped;

    boolean isClosed() {
        return closed;
    }

    /** A value in this slab that belongs to no atom. */
    public Object unowned(Object x) {
        return Txn.unowned(this, x);
    }

    void checkWritable() {
        if (readOnly) {
            throw new EveException(EveException.READ_ONLY, "the slab " + name() + " was opened for reading only");
        }
    }

    void checkOpen() {
        if (closed) {
            throw closed();
        }
    }

    EveException closed() {
        return new EveException(EveException.CLOSED, "the slab " + name() + " is closed");
    }

    @Override
    public String toString() {
        return "#<Slab " + name() + (closed ? ", closed>" : ">");
    }
}
