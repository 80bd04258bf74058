package eve;

import clojure.lang.APersistentSet;
import clojure.lang.IFn;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentSet;
import clojure.lang.IReduce;
import clojure.lang.ISeq;
import clojure.lang.PersistentTreeSet;
import clojure.lang.Reversible;
import clojure.lang.Sorted;
import java.util.Comparator;
import java.util.Iterator;
import java.util.function.Supplier;

/**
 * A sorted set that lies in a slab, read in place, or such a set with changes on the heap: it stands on an {@link EveSortedMap} or {@link SortedOverlay}
 * from each element to itself.
 */
public final class EveSortedSet extends APersistentSet implements IObj, IReduce, Sorted, Reversible {
    private static final long serialVersionUID = 1;

    final transient ASortedMap elements;
    private final transient IPersistentMap meta;

    private EveSortedSet(ASortedMap elements, IPersistentMap meta) {
        super(elements);
        this.elements = elements;
        this.meta = meta;
    }

    /** The set whose head, SORTED_SET, is at address `at`. */
    static EveSortedSet at(Snapshot s, long word, long at) {
        return new EveSortedSet(EveSortedMap.at(s, word, at, EveMap.SET_ENTRY), null);
    }

    @Override
    public IPersistentSet disjoin(Object x) {
        return !contains(x) ? this : count() == 1 ? empty() : new EveSortedSet((ASortedMap) elements.without(x), meta);
    }

    @Override
    public IPersistentSet cons(Object x) {
        return contains(x) ? this : new EveSortedSet((ASortedMap) elements.assoc(x, x), meta);
    }

    @Override
    public PersistentTreeSet empty() {
        return PersistentTreeSet.create(comparator(), null).withMeta(meta);
    }

    @Override
    public Comparator<Object> comparator() {
        return elements.comparator();
    }

    @Override
    public Object entryKey(Object entry) {
        return entry;
    }

    @Override
    public ISeq seq(boolean ascending) {
        return elements.seq(EntryWalk.KEYS, ascending, ASortedMap.START);
    }

    @Override
    public ISeq seqFrom(Object key, boolean ascending) {
        return elements.seq(EntryWalk.KEYS, ascending, key);
    }

    @Override
    public ISeq seq() {
        return seq(true);
    }

    @Override
    public ISeq rseq() {
        return seq(false);
    }

    @Override
    public Iterator<Object> iterator() {
        return elements.keyIterator();
    }

    @Override
    public Object reduce(IFn f) {
        return Reduce.over(iterator(), f);
    }

    @Override
    public Object reduce(IFn f, Object init) {
        return Reduce.over(iterator(), f, init);
    }

    /** As Clojure's: a set with elements that can't be compared with ours is another one. */
    @Override
    public boolean equiv(Object o) {
        try {
            return o instanceof EveSortedSet t && same(t) || ask(Walk.EQUIV, o, () -> super.equiv(o));
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public boolean equals(Object o) {
        try {
            return o instanceof EveSortedSet t && same(t) || ask(Walk.EQUALS, o, () -> super.equals(o));
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public int hashCode() {
        return ask(Walk.HASH_CODE, null, super::hashCode);
    }

    @Override
    public int hasheq() {
        int h = elements instanceof EveSortedMap m ? m.storedHash() : 0;
        return h != 0 ? h : ask(Walk.HASHEQ, null, super::hasheq);
    }

    private <T> T ask(int what, Object other, Supplier<T> walk) {
        if (elements instanceof EveSortedMap m) {
            return Walk.ask(what, m.snapshot, m.word, m.count(), other, walk);
        }
        try {
            return walk.get();
        } catch (StackOverflowError e) {
            throw EveException.tooDeep();
        }
    }

    private boolean same(EveSortedSet t) {
        return elements instanceof EveSortedMap a && t.elements instanceof EveSortedMap b && a.same(b);
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new EveSortedSet(elements, m);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return PersistentTreeSet.create(comparator(), seq()).withMeta(meta);
    }
}
