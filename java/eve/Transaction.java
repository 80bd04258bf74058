package eve;

import clojure.lang.AFn;
import clojure.lang.ArraySeq;
import clojure.lang.IFn;
import clojure.lang.IMapEntry;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentVector;
import clojure.lang.ITransientAssociative2;
import clojure.lang.Keyword;
import clojure.lang.MapEntry;
import clojure.lang.RT;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Changes of several atoms of one slab that are made together or not at all: what {@link Slab#transact} gives its function. A key is an atom or
 * the name of one.
 *
 * <p>To Clojure it is a transient of the slab's map of names to values: get, contains? and assoc! work on it, and it ends with the call.
 */
public final class Transaction extends AFn implements ITransientAssociative2 {
    private static final ThreadLocal<Transaction> CURRENT = new ThreadLocal<>();
    private static final Object ABSENT = new Object();

    private final Slab slab;
    private final Txn txn;
    private final Thread thread = Thread.currentThread();
    /** What was read or written, by name. */
    private final Map<Object, Entry> entries = new LinkedHashMap<>();
    /** Names of atoms that this thread has changed beside the transaction. */
    private final Set<Object> beside = new HashSet<>();
    private boolean over;

    private Transaction(Slab slab, Txn txn) {
        this.slab = slab;
        this.txn = txn;
    }

    private static final class Entry {
        final Object name;
        final long word;
        /** The value's word before, or NONE. */
        final long old;
        Object value;
        boolean written;
        /** For the commit: the word that was written; the atom, if this process has an object of it. */
        long now;
        Atom atom;

        Entry(Object name, long word, long old, Object value) {
            this.name = name;
            this.word = word;
            this.old = old;
            this.value = value;
        }
    }

    /** A change to be told to the watches. */
    private record Told(Atom atom, Atom.Cell old, Atom.Cell now) {}

    // Running

    static <T> T run(Slab slab, Function<? super Transaction, ? extends T> f) {
        if (CURRENT.get() != null) {
            throw new IllegalStateException("a transaction within a transaction: it could not be all or nothing together with the outer one. Hand the outer "
                + "one's argument on instead");
        }
        while (true) {
            List<Told> told = new ArrayList<>();
            T result;
            try (Txn t = new Txn(slab)) {
                Transaction x = new Transaction(slab, t);
                CURRENT.set(x);
                try {
                    result = f.apply(x);
                } finally {
                    CURRENT.remove();
                    x.over = true;
                }
                if (!x.commit(told)) {
                    continue;
                }
            }
            tell(told);
            return result;
        }
    }

    /** Told outside of the transaction: a watch may begin another. Every atom's watches are called; the first exception is the one that is thrown. */
    private static void tell(List<Told> told) {
        Throwable first = null;
        for (Told x : told) {
            try {
                x.atom.changed(x.old, x.now);
            } catch (Throwable e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw Native.sneaky(first);
        }
    }

    /** To be called before a thread changes an atom by itself. With an atom of its own transaction that would never end: each makes the other run again. */
    static void beside(Slab slab, Object name) {
        Transaction t = CURRENT.get();
        if (t != null && t.slab == slab) {
            if (t.entries.containsKey(name)) {
                throw inTheWay(name);
            }
            t.beside.add(name);
        }
    }

    private static IllegalStateException inTheWay(Object name) {
        return new IllegalStateException("the atom " + RT.printString(name) + " is changed by a transaction and beside it, in one thread: neither could end. "
            + "Within transact use (assoc! tx a v) and (update! tx a f), not reset! and swap!");
    }

    private boolean commit(List<Told> told) {
        List<Entry> written = new ArrayList<>();
        boolean watched = false;
        for (Entry e : entries.values()) {
            if (e.written) {
                written.add(e);
                e.atom = e.atom == null ? slab.known(e.name) : e.atom;
                if (e.atom != null) {
                    e.atom.validate(e.value);
                    watched |= e.atom.isWatched();
                }
            }
        }
        for (Entry e : written) {
            e.now = txn.write(e.value);
            txn.set(e.word, e.now);
        }
        Long ticket = watched ? slab.watcher.enter() : null;
        try {
            Snapshot s = txn.commit();
            if (s == null) {
                return false;
            }
            for (Entry e : written) {
                if (e.atom != null) {
                    note(e, s, ticket != null, told);
                }
            }
            return true;
        } finally {
            if (ticket != null) {
                slab.watcher.leave(ticket);
            }
        }
    }

    private void note(Entry e, Snapshot s, boolean watched, List<Told> told) {
        Atom.Cell now = Atom.Cell.of(s, e.now);
        e.atom.remember(now);
        if (e.atom.isTold(watched)) {
            Atom.Cell old = e.old == Word.NONE ? new Atom.Cell(s.previous(), 0, null) : e.old == e.now ? now : Atom.Cell.of(s.previous(), e.old);
            if (watched) {
                slab.watcher.own(e.atom, old, now);
            }
            told.add(new Told(e.atom, old, now));
        }
    }

    // Use

    private Entry entry(Object key) {
        if (over) {
            throw new IllegalStateException("this transaction is over: what it gives its function can be used until the function returns "
                + "(a lazy seq is realised later: use doall)");
        }
        if (Thread.currentThread() != thread) {
            throw new IllegalStateException("a transaction belongs to the thread that runs it, " + thread.getName());
        }
        Atom a = key instanceof Atom x ? x : null;
        if (a != null && a.slab != slab) {
            throw new IllegalArgumentException("the atom " + RT.printString(a.name) + " is in the slab " + a.slab.name()
                + ", the transaction is of " + slab.name() + ": what is in different slabs can't change together");
        }
        if (a == null && !(key instanceof Keyword)) {
            throw new IllegalArgumentException("a transaction has atoms and their names, which are keywords, as keys, not " + RT.printString(key));
        }
        Object name = a != null ? a.name : key;
        Entry e = entries.get(name);
        if (e == null) {
            if (beside.contains(name)) {
                throw inTheWay(name);
            }
            long word = a != null ? a.word : slab.symbols.word((Keyword) key);
            long old = txn.get(word);
            e = new Entry(name, word, old, old == Word.NONE ? ABSENT : Atom.Cell.of(txn.base, old).value());
            e.atom = a;
            entries.put(name, e);
        }
        if (a != null && e.value == ABSENT) {
            throw a.removed();
        }
        return e;
    }

    /** The atom's value, as the transaction has left it; null if there is no atom of that name. */
    @Override
    public Object valAt(Object key) {
        return valAt(key, null);
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        Object v = entry(key).value;
        return v == ABSENT ? notFound : v;
    }

    /** The same: valAt for Java. */
    public Object get(Object key) {
        return valAt(key, null);
    }

    @Override
    public Object invoke(Object key) {
        return valAt(key, null);
    }

    @Override
    public Object invoke(Object key, Object notFound) {
        return valAt(key, notFound);
    }

    @Override
    public boolean containsKey(Object key) {
        return entry(key).value != ABSENT;
    }

    @Override
    public IMapEntry entryAt(Object key) {
        Entry e = entry(key);
        return e.value == ABSENT ? null : MapEntry.create(key, e.value);
    }

    /** Sets the atom; makes it if a name is given that there is no atom of. Returns the transaction. */
    @Override
    public Transaction assoc(Object key, Object value) {
        Entry e = entry(key);
        e.value = value;
        e.written = true;
        return this;
    }

    /** The same: assoc for Java. */
    public void set(Object key, Object value) {
        assoc(key, value);
    }

    /** Sets the atom to what f makes of its value, which is returned. */
    public Object update(Object key, IFn f, Object... args) {
        Object v = f.applyTo(RT.cons(valAt(key), ArraySeq.create(args)));
        assoc(key, v);
        return v;
    }

    /** The same with a function of Java. */
    public Object update(Object key, UnaryOperator<Object> f) {
        Object v = f.apply(valAt(key));
        assoc(key, v);
        return v;
    }

    @Override
    public Transaction conj(Object entry) {
        if (entry instanceof IPersistentVector v && v.count() == 2) { // a map entry is one
            return assoc(v.nth(0), v.nth(1));
        }
        throw new IllegalArgumentException("conj! of a transaction takes an atom or its name and a value");
    }

    /** Refused: the commit comes when the function returns. */
    @Override
    public IPersistentCollection persistent() {
        throw new UnsupportedOperationException("a transaction commits when its function returns");
    }

    @Override
    public String toString() {
        return "#<Transaction of " + slab.name() + (over ? ", over>" : ">");
    }
}
