package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import clojure.lang.AFn;
import clojure.lang.ARef;
import clojure.lang.ArraySeq;
import clojure.lang.IAtom2;
import clojure.lang.IFn;
import clojure.lang.IPersistentVector;
import clojure.lang.IRef;
import clojure.lang.ISeq;
import clojure.lang.Keyword;
import clojure.lang.RT;
import clojure.lang.Tuple;
import clojure.lang.Util;
import java.lang.ref.Reference;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A reference to a value in a slab, shared by all processes that open it. clojure.core's deref, swap!, reset!, compare-and-set!,
 * swap-vals!, reset-vals!, add-watch, remove-watch, set-validator! and meta work on it. Watches see the changes of other processes as well;
 * validators and metadata belong to this object, not to the slab.
 */
public final class Atom extends ARef implements IAtom2 {
    private static final String INVALID = "Invalid reference state";
    /** Offsets in eve_swapped. */
    private static final int SWAPPED_OLD = 48;
    private static final int SWAPPED_NEW = 56;

    final Slab slab;
    final Object name;
    /** The name's word. */
    final long word;
    private volatile Cell cell;

    /** A value at a version. */
    record Cell(Snapshot snapshot, long word, Object value) {
        static Cell of(Snapshot s, long word) {
            try {
                Object v = Word.decode(s, word);
                s.check();
                return new Cell(s, word, v);
            } catch (InternalError e) {
                throw s.fault(e);
            }
        }
    }

    /** A change that was made: the version it made, the word before, the value now. */
    private record Swapped(Snapshot snapshot, long oldWord, Cell now, boolean entered) {
        Swapped(Snapshot snapshot, long oldWord, Cell now) {
            this(snapshot, oldWord, now, false);
        }

        /** The same, which the watcher knows as ours. */
        Swapped asOurs() {
            return new Swapped(snapshot, oldWord, now, true);
        }

        Cell old() {
            return now.word == oldWord ? now : Cell.of(snapshot.previous(), oldWord);
        }
    }

    /** What an atom's old value becomes. */
    private interface Change {
        Object apply(Cell old);
    }

    Atom(Slab slab, Object name, long word) {
        this.slab = slab;
        this.name = name;
        this.word = word;
    }

    /** The slab that it is in. */
    public Slab slab() {
        return slab;
    }

    /** Its name in the slab; null: it has none. */
    public Keyword name() {
        return name instanceof Keyword k ? k : null;
    }

    /** Makes the atom with that value, unless it is there. */
    void create(Object initial) {
        Transaction.beside(slab, name);
        while (true) {
            try (Txn t = new Txn(slab)) {
                if (find(t.base) != Word.NONE) {
                    return;
                }
                t.prepare(initial);
                if (t.finish(word) != null) {
                    return;
                }
            }
        }
    }

    /** Removes the atom from its slab, for all processes. False: it wasn't there. */
    public boolean remove() {
        Transaction.beside(slab, name);
        slab.forget(this);
        while (true) {
            try (Txn t = new Txn(slab)) {
                if (find(t.base) == Word.NONE) {
                    return false;
                }
                t.remove(word);
                if (t.commit() != null) {
                    return true;
                }
            }
        }
    }

    // Reading

    @Override
    public Object deref() {
        Cell c = cell;
        return c != null && slab.isCurrent(c.snapshot) ? c.value : read().value;
    }

    private Cell read() {
        return cell = at(slab.snapshot());
    }

    /** The value's word in a version, or NONE. */
    private long find(Snapshot s) {
        try {
            Object state = Word.decode(s, s.state);
            return state instanceof EveMap m ? m.wordOf(name) : Word.NONE;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    /** The value in a version. */
    Cell at(Snapshot s) {
        long w = find(s);
        if (w == Word.NONE) {
            throw removed();
        }
        return Cell.of(s, w);
    }

    EveException removed() {
        return new EveException(EveException.NOT_FOUND, "the atom " + RT.printString(name) + " was removed from the slab " + slab.name());
    }

    /** Drops what is kept for the next deref. */
    void forget() {
        cell = null;
    }

    // Writing

    /** Runs an operation that the core knows in one call; null: it has to be done the general way. */
    private Swapped fast(int op, Object[] args) {
        slab.checkWritable();
        Group g = slab.group();
        try (Call c = Call.take()) {
            Encoder e = new Encoder(slab, null, c.args);
            for (Object x : args) {
                e.add(x);
            }
            Long ticket = enter();
            try {
                int status = Native.swap(c, slab.handle, g.id, word, op, c.args);
                e.release();
                if (status != Native.OK) {
                    return null;
                }
                Snapshot s = slab.publish(g, c.out);
                return noted(ticket, new Swapped(s, ALL.get(I64, c.out + SWAPPED_OLD), Cell.of(s, ALL.get(I64, c.out + SWAPPED_NEW))));
            } finally {
                leave(ticket);
            }
        } catch (Encoder.NeedsTransaction e) {
            return null;
        } catch (EveException e) {
            return general(e);
        } finally {
            Reference.reachabilityFence(g);
        }
    }

    /** Keys that the core can't compare: the general way can, by a registered comparator, or says why not as Clojure does. Returns null. */
    private static Swapped general(EveException e) {
        if (e.code != EveException.TYPE) {
            throw e;
        }
        return null;
    }

    private Swapped general(Change change) {
        while (true) {
            try (Txn t = new Txn(slab)) {
                Cell old = at(t.base);
                Object v = change.apply(old);
                validate(v);
                t.prepare(v);
                Long ticket = enter();
                try {
                    Snapshot s = t.finish(word);
                    if (s != null) {
                        return noted(ticket, new Swapped(s, old.word, Cell.of(s, t.value())));
                    }
                } finally {
                    leave(ticket);
                }
            }
        }
    }

    /** Before a commit, so that the watcher knows it as ours; null: nobody watches. */
    private Long enter() {
        return isWatched() ? slab.watcher.enter() : null;
    }

    private void leave(Long ticket) {
        if (ticket != null) {
            slab.watcher.leave(ticket);
        }
    }

    private Swapped noted(Long ticket, Swapped x) {
        if (ticket == null) {
            return x;
        }
        slab.watcher.own(this, x.old(), x.now);
        return x.asOurs();
    }

    /** As ARef's, which is private: throws an IllegalStateException if the validator refuses v. */
    void validate(Object v) {
        IFn f = validator;
        try {
            if (f != null && !RT.booleanCast(f.invoke(v))) {
                throw new IllegalStateException(INVALID);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) { // Clojure's functions throw checked ones too
            throw new IllegalStateException(INVALID, e);
        }
    }

    /** Makes a change, by operation `op` if it isn't NO_OP and applies. */
    private Swapped run(int op, Object[] args, Change change) {
        Transaction.beside(slab, name);
        Swapped x = op == CoreOps.NONE || validator != null ? null : fast(op, args);
        if (x == null) {
            x = general(change);
        }
        remember(x.now);
        if (isTold(x.entered)) {
            notifyWatches(x.old().value, x.now.value);
        }
        return x;
    }

    /** Keeps a value that a commit has made for the next deref, unless a later one is known. */
    void remember(Cell now) {
        Cell c = cell;
        if (c == null || c.snapshot.version < now.snapshot.version) {
            cell = now;
            if (slab.isClosed()) {
                forget();
            }
        }
    }

    boolean isWatched() {
        return getWatches().count() != 0;
    }

    /**
     * Are the watches told of a change by the thread that made it? `entered`: the watcher knows it as ours. A watch that was added since the change began
     * hears of it from the watcher; in an anonymous slab, which has none, from us.
     */
    boolean isTold(boolean entered) {
        return (entered || slab.isAnonymous()) && isWatched();
    }

    private Swapped swapWith(IFn f, Object... args) {
        int op = CoreOps.of(f, args);
        return run(op, op == Native.OP_ADD ? CoreOps.summand(f, args) : args, old -> f.applyTo(RT.cons(old.value, ArraySeq.create(args))));
    }

    /**
     * Changes the value like swap, but gives out no handle that stays valid: f's argument, and what it reads from it, can be used until f
     * returns. So no version is kept until the collector runs: for loops of many changes. With watches it is a swap.
     *
     * @return number of the version that was made
     */
    public long update(IFn f, Object... args) {
        if (isWatched()) {
            return swapWith(f, args).snapshot.version;
        }
        Transaction.beside(slab, name);
        slab.checkWritable();
        int op = validator != null ? CoreOps.NONE : CoreOps.of(f, args);
        long version = op == CoreOps.NONE ? Txn.NONE : fastUpdate(op, op == Native.OP_ADD ? CoreOps.summand(f, args) : args);
        return version != Txn.NONE ? version : generalUpdate(f, args);
    }

    private long fastUpdate(int op, Object[] args) {
        try (Call c = Call.take()) {
            Encoder e = new Encoder(slab, null, c.args);
            for (Object x : args) {
                e.add(x);
            }
            int status = Native.swap(c, slab.handle, 0, word, op, c.args);
            e.release();
            return status != Native.OK ? Txn.NONE : ALL.get(I64, c.out);
        } catch (Encoder.NeedsTransaction e) {
            return Txn.NONE;
        } catch (EveException e) {
            general(e);
            return Txn.NONE;
        }
    }

    private long generalUpdate(IFn f, Object[] args) {
        while (true) {
            try (Txn t = new Txn(slab, new Scope("a call of update! that is over"))) {
                Object v = f.applyTo(RT.cons(at(t.base).value, ArraySeq.create(args)));
                validate(v);
                t.prepare(v);
                long version = t.finished(word);
                if (version != Txn.NONE) {
                    return version;
                }
            }
        }
    }

    /**
     * Waits until `test` is true of the value, which is returned, or for so many ms (negative: for ever): `otherwise` then.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public Object await(Predicate<Object> test, long timeoutMs, Object otherwise) throws InterruptedException {
        return slab.versions.await(this::at, test, Versions.nanos(timeoutMs), otherwise);
    }

    /** The current value, readable until the snapshot is closed. */
    public PinnedSnapshot snapshot() {
        return slab.pin(s -> at(s).value);
    }

    /** What f makes of the current value, which can be read until f returns. */
    public Object read(IFn f, Object... args) {
        try (PinnedSnapshot s = snapshot()) {
            return f.applyTo(RT.cons(s.deref(), ArraySeq.create(args)));
        }
    }

    // For Java

    private static IFn fn(Function<Object, ?> f) {
        return new AFn() {
            @Override
            public Object invoke(Object x) {
                return f.apply(x);
            }
        };
    }

    /** Sets the value to what f makes of it, and returns that. f runs again if another commit came first. */
    public Object swap(UnaryOperator<Object> f) {
        return swap(fn(f));
    }

    /** {@link #update(IFn, Object...)} with a function of Java. */
    public long update(UnaryOperator<Object> f) {
        return update(fn(f));
    }

    /** {@link #read(IFn, Object...)} with a function of Java. */
    @SuppressWarnings("unchecked") // it is what f returns
    public <T> T read(Function<Object, T> f) {
        return (T) read(fn(f));
    }

    /** Calls f with the old and the new value after each change, by this process or another. The key is for {@link #removeWatch}. */
    public Atom watch(Object key, BiConsumer<Object, Object> f) {
        addWatch(key, new AFn() {
            @Override
            public Object invoke(Object k, Object atom, Object old, Object now) {
                f.accept(old, now);
                return null;
            }
        });
        return this;
    }

    private static Object[] all(Object x, Object y, ISeq more) {
        Object[] rest = RT.toArray(more);
        Object[] args = new Object[rest.length + 2];
        args[0] = x;
        args[1] = y;
        System.arraycopy(rest, 0, args, 2, rest.length);
        return args;
    }

    private static IPersistentVector both(Swapped x) {
        return Tuple.create(x.old().value, x.now.value);
    }

    @Override
    public Object swap(IFn f) {
        return swapWith(f).now.value;
    }

    @Override
    public Object swap(IFn f, Object x) {
        return swapWith(f, x).now.value;
    }

    @Override
    public Object swap(IFn f, Object x, Object y) {
        return swapWith(f, x, y).now.value;
    }

    @Override
    public Object swap(IFn f, Object x, Object y, ISeq more) {
        return swapWith(f, all(x, y, more)).now.value;
    }

    @Override
    public IPersistentVector swapVals(IFn f) {
        return both(swapWith(f));
    }

    @Override
    public IPersistentVector swapVals(IFn f, Object x) {
        return both(swapWith(f, x));
    }

    @Override
    public IPersistentVector swapVals(IFn f, Object x, Object y) {
        return both(swapWith(f, x, y));
    }

    @Override
    public IPersistentVector swapVals(IFn f, Object x, Object y, ISeq more) {
        return both(swapWith(f, all(x, y, more)));
    }

    @Override
    public Object reset(Object v) {
        return run(Native.OP_RESET, new Object[] {v}, old -> v).now.value;
    }

    @Override
    public IPersistentVector resetVals(Object v) {
        return both(run(Native.OP_RESET, new Object[] {v}, old -> v));
    }

    /**
     * Sets the value if it equals `expected`. Values are compared, as the objects that deref gives out are made anew for each version; what
     * doesn't equal itself (NaN, a byte array) passes if it is the object that deref gave out last.
     */
    @Override
    public boolean compareAndSet(Object expected, Object v) {
        Cell last = cell;
        try {
            run(CoreOps.NONE, null, old -> {
                // The same word is the same value: the cell keeps its version.
                boolean same = last != null && last.value == expected && last.word == old.word;
                if (!same && !Util.equiv(expected, old.value)) {
                    validate(v); // as Clojure's, which asks first
                    throw Unexpected.INSTANCE;
                }
                return v;
            });
            return true;
        } catch (Unexpected e) {
            return false;
        }
    }

    private static final class Unexpected extends RuntimeException {
        private static final long serialVersionUID = 1;
        static final Unexpected INSTANCE = new Unexpected();

        private Unexpected() {
            super(null, null, false, false);
        }
    }

    // Watches

    @Override
    public synchronized IRef addWatch(Object key, IFn f) {
        if (!isWatched()) {
            slab.watcher.watch(this);
        }
        return super.addWatch(key, f);
    }

    @Override
    public synchronized IRef removeWatch(Object key) {
        super.removeWatch(key);
        if (!isWatched()) {
            slab.watcher.unwatch(this);
        }
        return this;
    }

    /** Tells the watches of a change. */
    void changed(Cell old, Cell now) {
        notifyWatches(old.value, now.value);
    }
}
