package eve;

import clojure.lang.BigInt;
import clojure.lang.Fn;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentSet;
import clojure.lang.IPersistentVector;
import clojure.lang.IRecord;
import clojure.lang.ISeq;
import clojure.lang.Keyword;
import clojure.lang.PersistentVector;
import clojure.lang.RT;
import clojure.lang.Ratio;
import clojure.lang.Sequential;
import clojure.lang.Sorted;
import clojure.lang.Symbol;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Writes values to a build buffer (docs/format.md, section 4). */
final class Encoder {
    private static final int VECTOR = 16;
    private static final int LIST = 17;
    private static final int SET = 18;
    private static final int MAP = 19;
    private static final int WORD = 20;
    private static final int OTHER_VERSION = 21;
    private static final int SORTED_SET = 22;
    private static final int SORTED_MAP = 23;

    /** A value with changes on the heap, which only a transaction can write. */
    static final class NeedsTransaction extends RuntimeException {
        private static final long serialVersionUID = 1;
        static final NeedsTransaction INSTANCE = new NeedsTransaction();

        private NeedsTransaction() {
            super(null, null, false, false);
        }
    }

    /** A value that can't be stored, with the way to it, innermost first. */
    private static final class Unstorable extends RuntimeException {
        private static final long serialVersionUID = 1;
        final transient List<Object> path = new ArrayList<>();

        Unstorable(String message) {
            super(message, null, false, false);
        }

        Unstorable at(Object key) {
            path.add(key);
            return this;
        }
    }

    private final Slab slab;
    /** Null: handles can't be linked but only be copied, and overlays not be written at all. */
    private final Txn txn;
    private final Buffer out;
    private int depth;
    private int op;
    /** Snapshots whose objects the buffer names: they must stay reachable until it has been read. */
    private final List<Snapshot> held = new ArrayList<>(0);

    Encoder(Slab slab, Txn txn, Buffer out) {
        this.slab = slab;
        this.txn = txn;
        this.out = out;
    }

    /** Keeps what the buffer names alive up to here. */
    void release() {
        for (Snapshot s : held) {
            // What the transaction reads in a scope of its own it has pinned itself, and that scope has ended now.
            if (txn == null || s.scope != txn.base.scope || !s.isScoped()) {
                s.check();
            }
        }
    }

    /** Appends x, or throws an IllegalArgumentException that says what can't be stored and where it is. */
    void add(Object x) {
        try {
            value(x);
        } catch (Unstorable e) {
            throw refusal(e);
        }
    }

    private static IllegalArgumentException refusal(Unstorable e) {
        String where = "";
        if (!e.path.isEmpty()) {
            List<Object> path = new ArrayList<>(e.path);
            java.util.Collections.reverse(path);
            where = " at " + RT.printString(PersistentVector.create(path));
        }
        return new IllegalArgumentException("can't store " + e.getMessage() + where);
    }

    private static Unstorable unstorable(Object x) {
        String kind = x instanceof Fn ? "a function"
            : x instanceof IRecord ? "a record"
            : x instanceof Class ? "a class"
            : x.getClass().isArray() ? "an array"
            : x instanceof clojure.lang.IDeref ? "a reference"
            : "an object";
        return new Unstorable(kind + " (" + x.getClass().getName() + ")");
    }

    private void value(Object x) {
        if (x == null) {
            out.op(0);
        } else if (x instanceof Keyword k) {
            out.op(WORD, slab.symbols.word(k));
        } else if (x instanceof Long n) {
            out.op(3, n);
        } else if (x instanceof String s) {
            text(s);
        } else if (x instanceof Boolean b) {
            out.op(b ? 1 : 2);
        } else if (x instanceof Double d) {
            out.op(4, Double.doubleToRawLongBits(d));
        } else if (x instanceof Number n) {
            number(n);
        } else if (!collection(x)) {
            scalar(x);
        }
    }

    private void text(String s) {
        byte[] b = Text.encode(s);
        out.op(6, b.length);
        out.bytes(b);
    }

    private void number(Number n) {
        if (n instanceof Integer || n instanceof Short || n instanceof Byte) {
            out.op(3, n.longValue());
        } else if (n instanceof Float f) {
            out.op(4, Double.doubleToRawLongBits(f));
        } else if (n instanceof BigInt b) {
            big(b.toBigInteger());
        } else if (n instanceof BigInteger b) {
            big(b);
        } else if (n instanceof Ratio r) {
            out.op(10);
            integer(r.numerator);
            integer(r.denominator);
        } else if (n instanceof BigDecimal d && d.getClass() == BigDecimal.class) {
            out.op(11, d.scale());
            integer(d.unscaledValue());
        } else {
            throw unstorable(n);
        }
    }

    private void big(BigInteger b) {
        byte[] bytes = b.toByteArray();
        out.op(9, bytes.length);
        out.bytes(bytes);
    }

    private void integer(BigInteger b) {
        if (b.bitLength() < Long.SIZE) {
            out.op(3, b.longValue());
        } else {
            big(b);
        }
    }

    private void scalar(Object x) {
        if (x instanceof Character c) {
            out.op(5);
            out.u16(c);
        } else if (x instanceof Symbol s) {
            out.op(WORD, slab.symbols.word(s));
        } else if (x instanceof UUID u) {
            out.op(12, u.getMostSignificantBits());
            out.u64(u.getLeastSignificantBits());
        } else if (x.getClass() == Date.class) {
            out.op(13, ((Date) x).getTime());
        } else if (x instanceof Instant i) {
            out.op(14, i.getEpochSecond());
            out.u32(i.getNano());
        } else if (x instanceof byte[] b) {
            out.op(15, b.length);
            out.bytes(b);
        } else {
            throw unstorable(x);
        }
    }

    private boolean collection(Object x) {
        if (inSlab(x)) {
            return true;
        }
        if (x instanceof IRecord) {
            throw unstorable(x);
        }
        if (++depth > Layout.DEPTH_MAX) {
            throw new Unstorable("a value that is nested more than " + Layout.DEPTH_MAX + " deep");
        }
        boolean done = true;
        if (x instanceof Sorted && (x instanceof IPersistentMap || x instanceof IPersistentSet)) {
            sorted((Sorted) x);
        } else if (x instanceof Map<?, ?> m) {
            out.u8(MAP);
            pairs(m);
        } else if (x instanceof IPersistentVector || x instanceof List<?> && !(x instanceof Sequential)) {
            out.u8(VECTOR);
            elements((Iterable<?>) x, false);
        } else if (x instanceof Sequential) {
            sequence(RT.seq(x));
        } else if (x instanceof Set<?> s) {
            out.u8(SET);
            elements(s, true);
        } else if (x instanceof Map.Entry<?, ?> e) {
            out.op(VECTOR, 2);
            child(e.getKey(), 0L);
            child(e.getValue(), 1L);
        } else {
            done = false;
        }
        depth--;
        return done;
    }

    private void child(Object x, Object key) {
        try {
            value(x);
        } catch (Unstorable e) {
            throw e.at(key);
        }
    }

    private void pairs(Map<?, ?> m) {
        long hole = out.hole();
        int n = 0;
        for (Map.Entry<?, ?> e : m.entrySet()) {
            child(e.getKey(), e.getKey());
            child(e.getValue(), e.getKey());
            n++;
        }
        out.fill(hole, n);
    }

    /** In its order: then also the core that can't compare knows it. */
    private void sorted(Sorted x) {
        out.u8(x instanceof Map ? SORTED_MAP : SORTED_SET);
        value(order(x).word);
        if (x instanceof Map<?, ?> m) {
            pairs(m);
        } else {
            elements((Iterable<?>) x, true);
        }
    }

    private static Order order(Sorted x) {
        // Of what comes from a slab the order is known also where its comparator isn't.
        Order order = x instanceof ASortedMap m ? m.order : x instanceof EveSortedSet s ? s.elements.order : Order.of(x.comparator());
        if (order == null) {
            throw new Unstorable("a sorted collection in the order of a comparator without a name (" + x.comparator().getClass().getName()
                + "): see eve.alpha/register-comparator! and eve.alpha/reverse-order");
        }
        return order;
    }

    private void elements(Iterable<?> xs, boolean keys) {
        long hole = out.hole();
        int n = 0;
        for (Object x : xs) {
            child(x, keys ? x : (Object) (long) n);
            n++;
        }
        out.fill(hole, n);
    }

    private void sequence(ISeq from) {
        out.u8(LIST);
        long hole = out.hole();
        int n = 0;
        for (ISeq s = from; s != null; s = s.next()) {
            child(s.first(), (long) n);
            n++;
        }
        out.fill(hole, n);
    }

    // Values of the slab

    /**
     * Can the core link or copy objects of the snapshot? Not those of other slabs, nor what no version holds, nor those of a scope that another
     * thread may end meanwhile: they are read and written anew.
     */
    private boolean copies(Snapshot s) {
        s.check();
        return s.slab == slab && s.version != Snapshot.NO_VERSION && (!s.isScoped() || txn != null && txn.links(s));
    }

    /** Appends x, if it is or stands on an object of this slab. */
    private boolean inSlab(Object x) {
        if (x instanceof EveMap m) {
            return object(m.snapshot, m.word);
        }
        if (x instanceof EveVector v) {
            return object(v.snapshot, v.word);
        }
        if (x instanceof EveSet s && s.elements instanceof EveMap m) {
            return object(m.snapshot, m.word);
        }
        if (x instanceof EveList l) {
            return object(l.snapshot, l.word);
        }
        if (x instanceof EveSortedMap m) {
            return object(m.snapshot, m.word);
        }
        if (x instanceof EveSortedSet s && s.elements instanceof EveSortedMap m) {
            return object(m.snapshot, m.word);
        }
        Snapshot below = changed(x);
        if (below == null || !copies(below)) {
            return false;
        }
        try (Call c = Call.take()) {
            out.op(WORD, new Encoder(slab, txn, c.args).objectWord(x));
        }
        return true;
    }

    /**
     * Where that lies of which x is a changed collection, or null if x is none, or one in the order of a comparator: the core can't call that, so it is
     * written anew.
     */
    private static Snapshot changed(Object x) {
        return x instanceof MapOverlay m ? m.base.snapshot
            : x instanceof EveSet s && s.elements instanceof MapOverlay m ? m.base.snapshot
            : x instanceof SortedOverlay m && !m.order.isNamed() ? m.base.snapshot
            : x instanceof EveSortedSet s && s.elements instanceof SortedOverlay m && !m.order.isNamed() ? m.base.snapshot
            : x instanceof VectorOverlay v ? v.base.snapshot
            : x instanceof HeapList l && l.below() instanceof EveList e ? e.snapshot
            : null;
    }

    private boolean object(Snapshot s, long word) {
        if (!copies(s)) {
            return false;
        }
        held.add(s);
        if (txn != null && txn.links(s)) {
            out.op(WORD, word);
        } else {
            out.op(OTHER_VERSION, s.version);
            out.u64(word);
        }
        return true;
    }

    /** The word of x in the transaction. */
    long word(Object x) {
        long w = Word.immediateOf(slab, x);
        if (w != Word.NONE) {
            return w;
        }
        try {
            return objectWord(x);
        } catch (Unstorable e) {
            throw refusal(e);
        }
    }

    private long objectWord(Object x) {
        long coll = lastStep(x);
        long w = op == Native.OP_RESET ? txn.build(out) : txn.apply(coll, op, out);
        release();
        return w;
    }

    /**
     * Writes x in the transaction but for the last step: {@link #op}, with the arguments in the buffer, on the collection whose word is returned.
     * Who has done that step calls {@link #release}.
     */
    long prepare(Object x) {
        try {
            return lastStep(x);
        } catch (Unstorable e) {
            throw refusal(e);
        }
    }

    /** The operation that `prepare` has left to do. */
    int op() {
        return op;
    }

    private long lastStep(Object x) {
        Snapshot below = changed(x);
        if (below == null || !copies(below)) {
            op = Native.OP_RESET;
            value(x);
            return 0;
        }
        return x instanceof MapOverlay m ? changes(m.base.snapshot, m.base.word, m.over, m.added, false)
            : x instanceof EveSet s && s.elements instanceof MapOverlay m ? changes(m.base.snapshot, m.base.word, m.over, m.added, true)
            : x instanceof SortedOverlay m ? changes(m.base.snapshot, m.base.word, m.over, m.added, false)
            : x instanceof EveSortedSet s && s.elements instanceof SortedOverlay m ? changes(m.base.snapshot, m.base.word, m.over, m.added, true)
            : x instanceof VectorOverlay v ? changes(v)
            : changes((HeapList) x);
    }

    /** Does a step that is not the last, with the arguments that have been written. */
    private long step(long coll, int op) {
        long w = txn.apply(coll, op, out);
        out.reset();
        return w;
    }

    private long baseWord(Snapshot s, long word) {
        if (txn == null) {
            throw NeedsTransaction.INSTANCE;
        }
        held.add(s);
        return txn.links(s) ? word : txn.importWord(s, word);
    }

    private long changes(Snapshot base, long word, IPersistentMap over, IPersistentMap added, boolean set) {
        long w = baseWord(base, word);
        boolean puts = added.count() > 0;
        for (Object o : (Iterable<?>) over) {
            Map.Entry<?, ?> change = (Map.Entry<?, ?>) o;
            if (change.getValue() == MapOverlay.REMOVED) {
                Object key = MapOverlay.plain(change.getKey());
                child(key, key);
            } else {
                puts = true;
            }
        }
        op = set ? Native.OP_DISJ : Native.OP_DISSOC;
        if (puts) {
            if (out.length() > 0) {
                w = step(w, op);
            }
            pairs(over, set);
            pairs(added, set);
            op = set ? Native.OP_CONJ : Native.OP_ASSOC;
        }
        return w;
    }

    private void pairs(Object map, boolean set) {
        for (Object o : (Iterable<?>) map) {
            Map.Entry<?, ?> change = (Map.Entry<?, ?>) o;
            if (change.getValue() != MapOverlay.REMOVED) {
                Object key = MapOverlay.plain(change.getKey());
                child(key, key);
                if (!set) {
                    child(change.getValue(), key);
                }
            }
        }
    }

    private long changes(VectorOverlay v) {
        long w = baseWord(v.base.snapshot, v.base.word);
        for (int n = v.base.count(); n > v.kept; n--) {
            w = step(w, Native.OP_POP);
        }
        pairs(v.over, false);
        op = Native.OP_ASSOC;
        if (v.tail.count() > 0 || out.length() == 0) {
            if (out.length() > 0) {
                w = step(w, op);
            }
            for (int i = 0; i < v.tail.count(); i++) {
                child(v.tail.nth(i), (long) v.kept + i);
            }
            op = Native.OP_CONJ; // of nothing, if only pops were left to do
        }
        return w;
    }

    private long changes(HeapList l) {
        EveList below = (EveList) l.below();
        long w = baseWord(below.snapshot, below.word);
        List<Object> firsts = new ArrayList<>();
        for (Object x = l; x instanceof HeapList h; x = h.pop()) {
            firsts.add(h.first());
        }
        for (int i = firsts.size(); --i >= 0;) {
            child(firsts.get(i), (long) i);
        }
        op = Native.OP_CONJ;
        return w;
    }
}
