package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

import clojure.lang.IDeref;
import clojure.lang.IFn;
import clojure.lang.IMapEntry;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.MapEntry;
import clojure.lang.RT;
import java.util.Iterator;

/**
 * A sorted map that lies in a slab, read in place. It is a sorted map of Clojure in every way; what assoc, dissoc and conj make of it is a
 * {@link SortedOverlay} over it.
 *
 * A sorted set's tree is read by the same code: there each entry is the value of itself.
 */
public final class EveSortedMap extends ASortedMap {
    private static final long serialVersionUID = 1;

    final transient Snapshot snapshot;
    /** The collection's word: the offset of its head. */
    final transient long word;
    private final transient long root;
    private final transient int count;
    private final transient int log;

    private EveSortedMap(Snapshot s, long word, long root, int count, int log, Order order, IPersistentMap meta) {
        super(order, meta);
        this.snapshot = s;
        this.word = word;
        this.root = root;
        this.count = count;
        this.log = log;
    }

    /** The map whose head, SORTED_MAP, is at address `at`; or the tree of a SORTED_SET. */
    static EveSortedMap at(Snapshot s, long word, long at, int log) {
        int n = ALL.get(I32, at + 8);
        long root = ALL.get(I64, at + 16);
        if (n < 0 || (n == 0) != (root == 0)) {
            throw s.corrupt("a sorted collection of " + n + " entries", word);
        }
        return new EveSortedMap(s, word, root, n, log, Order.at(s, ALL.get(I64, at + 32)), null);
    }

    private BTree sought(Object key) {
        return new BTree(snapshot, log, order, key);
    }

    private long find(Object key) {
        return count == 0 ? 0 : sought(key).find(root);
    }

    private long valueAt(long entry) {
        return entry + (1L << log) - 8;
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        Snapshot s = snapshot;
        try {
            long a = find(key);
            Object v = a == 0 ? notFound : Word.decode(s, ALL.get(I64, valueAt(a)));
            s.check();
            return v;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public boolean containsKey(Object key) {
        try {
            boolean there = find(key) != 0;
            snapshot.check();
            return there;
        } catch (InternalError e) {
            throw snapshot.fault(e);
        }
    }

    @Override
    public IMapEntry entryAt(Object key) {
        Snapshot s = snapshot;
        try {
            long a = find(key);
            IMapEntry e = a == 0 ? null : MapEntry.create(Word.decode(s, ALL.get(I64, a)), Word.decode(s, ALL.get(I64, valueAt(a))));
            s.check();
            return e;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public int count() {
        return count;
    }

    /** A walk over all entries. */
    BTreeWalk walk(boolean ascending) {
        try {
            return new BTreeWalk(snapshot, root, log, count, ascending);
        } catch (InternalError e) {
            throw snapshot.fault(e);
        }
    }

    @Override
    Iterator<Object> walk(int what, boolean ascending, Object from) {
        try {
            BTreeWalk w = from == START ? walk(ascending) : new BTreeWalk(snapshot, root, log, count, ascending, sought(from));
            snapshot.check();
            return w.iterator(what);
        } catch (InternalError e) {
            throw snapshot.fault(e);
        }
    }

    @Override
    public Object kvreduce(IFn f, Object init) {
        Snapshot s = snapshot;
        Object acc = init;
        try {
            BTreeWalk w = walk(true);
            for (long a; (a = w.next()) != 0;) {
                Object k = Word.decode(s, ALL.get(I64, a));
                Object v = Word.decode(s, ALL.get(I64, valueAt(a)));
                s.check();
                acc = f.invoke(acc, k, v);
                if (RT.isReduced(acc)) {
                    return ((IDeref) acc).deref();
                }
            }
            return acc;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    /** The collection's hash as it stands in the slab; 0: not computed. */
    int storedHash() {
        int h = ALL.get(I32, snapshot.base + word + 12);
        snapshot.check();
        return h;
    }

    @Override
    public int hasheq() {
        int h = storedHash();
        return h != 0 ? h : Walk.ask(Walk.HASHEQ, snapshot, word, count, null, super::hasheq);
    }

    @Override
    public boolean equiv(Object o) {
        return o instanceof EveSortedMap m && same(m) || Walk.ask(Walk.EQUIV, snapshot, word, count, o, () -> super.equiv(o));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof EveSortedMap m && same(m) || Walk.ask(Walk.EQUALS, snapshot, word, count, o, () -> super.equals(o));
    }

    @Override
    public int hashCode() {
        return Walk.ask(Walk.HASH_CODE, snapshot, word, count, null, super::hashCode);
    }

    /** Are they the same object in the slab? Both versions are pinned, so the place decides. */
    boolean same(EveSortedMap m) {
        return m.snapshot.slab == snapshot.slab && m.word == word;
    }

    @Override
    public IPersistentMap assoc(Object key, Object value) {
        return new SortedOverlay(this, meta).assoc(key, value);
    }

    @Override
    public IPersistentMap without(Object key) {
        return new SortedOverlay(this, meta).without(key);
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new EveSortedMap(snapshot, word, root, count, log, order, m);
    }
}
