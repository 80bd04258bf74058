package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;

import clojure.lang.AFn;
import clojure.lang.APersistentMap;
import clojure.lang.APersistentSet;
import clojure.lang.IEditableCollection;
import clojure.lang.IFn;
import clojure.lang.IObj;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentSet;
import clojure.lang.IReduce;
import clojure.lang.ITransientCollection;
import clojure.lang.ITransientSet;
import clojure.lang.PersistentHashSet;
import java.util.function.Supplier;

/**
 * A set that lies in a slab, read in place, or such a set with changes on the heap: it stands on an {@link EveMap} or {@link MapOverlay}
 * from each element to itself.
 */
public final class EveSet extends APersistentSet implements IObj, IReduce, IEditableCollection {
    private static final long serialVersionUID = 1;

    final transient APersistentMap elements;
    private final transient IPersistentMap meta;

    private EveSet(APersistentMap elements, IPersistentMap meta) {
        super(elements);
        this.elements = elements;
        this.meta = meta;
    }

    /** The set whose head, SET, is at address `at`. */
    static EveSet at(Snapshot s, long word, long at) {
        return new EveSet(EveMap.trie(s, word, at, ALL.get(I32, at + 8), EveMap.SET_ENTRY), null);
    }

    @Override
    public IPersistentSet disjoin(Object x) {
        return contains(x) ? new EveSet((APersistentMap) elements.without(x), meta) : this;
    }

    @Override
    public IPersistentSet cons(Object x) {
        return contains(x) ? this : new EveSet((APersistentMap) elements.assoc(x, x), meta);
    }

    @Override
    public IPersistentCollection empty() {
        return (IPersistentCollection) PersistentHashSet.EMPTY.withMeta(meta);
    }

    @Override
    public Object reduce(IFn f) {
        return Reduce.over(iterator(), f);
    }

    @Override
    public Object reduce(IFn f, Object init) {
        return Reduce.over(iterator(), f, init);
    }

    @Override
    public boolean equiv(Object o) {
        return o instanceof EveSet t && same(t) || ask(Walk.EQUIV, o, () -> super.equiv(o));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof EveSet t && same(t) || ask(Walk.EQUALS, o, () -> super.equals(o));
    }

    @Override
    public int hashCode() {
        return ask(Walk.HASH_CODE, null, super::hashCode);
    }

    private <T> T ask(int what, Object other, Supplier<T> walk) {
        if (elements instanceof EveMap m) {
            return Walk.ask(what, m.snapshot, m.word, m.count(), other, walk);
        }
        try {
            return walk.get();
        } catch (StackOverflowError e) {
            throw EveException.tooDeep();
        }
    }

    private boolean same(EveSet t) {
        return elements instanceof EveMap a && t.elements instanceof EveMap b && a.same(b);
    }

    @Override
    public int hasheq() {
        int h = elements instanceof EveMap m ? m.storedHash() : 0;
        return h != 0 ? h : ask(Walk.HASHEQ, null, super::hasheq);
    }

    @Override
    public ITransientCollection asTransient() {
        return new Transient(this);
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new EveSet(elements, m);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return PersistentHashSet.create(seq()).withMeta(meta);
    }

    private static final class Transient extends AFn implements ITransientSet {
        private EveSet set;

        Transient(EveSet set) {
            this.set = set;
        }

        private EveSet set() {
            if (set == null) {
                throw new IllegalAccessError("Transient used after persistent! call");
            }
            return set;
        }

        @Override
        public ITransientSet conj(Object x) {
            set = (EveSet) set().cons(x);
            return this;
        }

        @Override
        public ITransientSet disjoin(Object x) {
            set = (EveSet) set().disjoin(x);
            return this;
        }

        @Override
        public IPersistentCollection persistent() {
            EveSet s = set();
            set = null;
            return s;
        }

        @Override
        public boolean contains(Object x) {
            return set().contains(x);
        }

        @Override
        public Object get(Object x) {
            return set().get(x);
        }

        @Override
        public int count() {
            return set().count();
        }

        @Override
        public Object invoke(Object x) {
            return get(x);
        }

        @Override
        public Object invoke(Object x, Object notFound) {
            return contains(x) ? get(x) : notFound;
        }
    }
}
