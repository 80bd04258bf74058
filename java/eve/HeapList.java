package eve;

import clojure.lang.ASeq;
import clojure.lang.Counted;
import clojure.lang.IDeref;
import clojure.lang.IFn;
import clojure.lang.IObj;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentList;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentStack;
import clojure.lang.IReduce;
import clojure.lang.ISeq;
import clojure.lang.Obj;
import clojure.lang.PersistentList;
import clojure.lang.RT;

/** What conj makes of a list in a slab: an element on the heap before a list. */
public final class HeapList extends ASeq implements IPersistentList, IReduce, Counted {
    private static final long serialVersionUID = 1;

    private final transient Object first;
    private final transient IPersistentList rest;
    private final transient int count;

    HeapList(IPersistentMap meta, Object first, IPersistentList rest) {
        super(meta);
        this.first = first;
        this.rest = rest;
        this.count = rest.count() + 1;
    }

    /** The list in the slab that this one stands on. */
    IPersistentList below() {
        IPersistentList l = this;
        while (l instanceof HeapList h) {
            l = h.rest;
        }
        return l;
    }

    @Override
    public Object first() {
        return first;
    }

    @Override
    public ISeq next() {
        return rest.seq();
    }

    @Override
    public Object peek() {
        return first;
    }

    @Override
    public IPersistentStack pop() {
        return rest;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public ISeq cons(Object x) {
        return new HeapList(meta(), x, this);
    }

    @Override
    public IPersistentCollection empty() {
        return (IPersistentCollection) ((IObj) PersistentList.EMPTY).withMeta(meta());
    }

    @Override
    public Object reduce(IFn f) {
        return reduce(f, first, next());
    }

    @Override
    public Object reduce(IFn f, Object init) {
        return reduce(f, init, this);
    }

    static Object reduce(IFn f, Object init, ISeq from) {
        Object acc = init;
        for (ISeq s = from; s != null; s = s.next()) {
            acc = f.invoke(acc, s.first());
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }

    @Override
    public Obj withMeta(IPersistentMap meta) {
        return meta == meta() ? this : new HeapList(meta, first, rest);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return ((IObj) PersistentList.create(this)).withMeta(meta());
    }
}
