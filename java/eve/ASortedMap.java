package eve;

import clojure.lang.APersistentMap;
import clojure.lang.IDeref;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.IMapEntry;
import clojure.lang.IMapIterable;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.IReduce;
import clojure.lang.ISeq;
import clojure.lang.PersistentTreeMap;
import clojure.lang.RT;
import clojure.lang.Reversible;
import clojure.lang.Sorted;
import clojure.lang.Util;
import java.util.Comparator;
import java.util.Iterator;

/** What a sorted map in a slab and one with changes on the heap have in common: all but {@link #walk}, look-up and change. */
abstract class ASortedMap extends APersistentMap implements IObj, IReduce, IKVReduce, IMapIterable, Sorted, Reversible {
    private static final long serialVersionUID = 1;

    /** No key: a walk begins at the first entry in its direction. */
    static final Object START = new Object();

    final transient Order order;
    final transient IPersistentMap meta;

    ASortedMap(Order order, IPersistentMap meta) {
        this.order = order;
        this.meta = meta;
    }

    /** ENTRIES, KEYS or VALUES of EntryWalk, in the order or against it, of the keys that don't come before `from` in that direction. */
    abstract Iterator<Object> walk(int what, boolean ascending, Object from);

    final ISeq seq(int what, boolean ascending, Object from) {
        return RT.chunkIteratorSeq(walk(what, ascending, from));
    }

    @Override
    public final Comparator<Object> comparator() {
        return order.comparator();
    }

    @Override
    public final Object entryKey(Object entry) {
        return ((IMapEntry) entry).key();
    }

    @Override
    public final ISeq seq(boolean ascending) {
        return seq(EntryWalk.ENTRIES, ascending, START);
    }

    @Override
    public final ISeq seqFrom(Object key, boolean ascending) {
        return seq(EntryWalk.ENTRIES, ascending, key);
    }

    @Override
    public final ISeq seq() {
        return seq(true);
    }

    @Override
    public final ISeq rseq() {
        return seq(false);
    }

    @Override
    public final Iterator<Object> iterator() {
        return walk(EntryWalk.ENTRIES, true, START);
    }

    @Override
    public final Iterator<Object> keyIterator() {
        return walk(EntryWalk.KEYS, true, START);
    }

    @Override
    public final Iterator<Object> valIterator() {
        return walk(EntryWalk.VALUES, true, START);
    }

    @Override
    public final Object reduce(IFn f) {
        return Reduce.over(iterator(), f);
    }

    @Override
    public final Object reduce(IFn f, Object init) {
        return Reduce.over(iterator(), f, init);
    }

    @Override
    public Object kvreduce(IFn f, Object init) {
        Object acc = init;
        for (Iterator<Object> i = iterator(); i.hasNext();) {
            IMapEntry e = (IMapEntry) i.next();
            acc = f.invoke(acc, e.key(), e.val());
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }

    @Override
    public final Object valAt(Object key) {
        return valAt(key, null);
    }

    /** As Clojure's: a map with keys that can't be compared with ours is another one. */
    @Override
    public boolean equiv(Object o) {
        try {
            return super.equiv(o);
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public boolean equals(Object o) {
        try {
            return super.equals(o);
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public final IPersistentMap assocEx(Object key, Object value) {
        if (containsKey(key)) {
            throw Util.runtimeException("Key already present");
        }
        return assoc(key, value);
    }

    @Override
    public final PersistentTreeMap empty() {
        return new PersistentTreeMap(meta, comparator());
    }

    @Override
    public final IPersistentMap meta() {
        return meta;
    }

    /** Java serialization writes a copy. */
    final Object writeReplace() {
        IPersistentMap m = empty();
        for (Object o : this) {
            IMapEntry e = (IMapEntry) o;
            m = m.assoc(e.key(), e.val());
        }
        return m;
    }
}
