package eve;

import clojure.lang.APersistentVector;
import clojure.lang.IDeref;
import clojure.lang.IEditableCollection;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.IObj;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentStack;
import clojure.lang.IPersistentVector;
import clojure.lang.IReduce;
import clojure.lang.ITransientCollection;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import clojure.lang.RT;

/** A vector in a slab with changes that lie on the heap: its first n elements, some of them replaced, then others. */
public final class VectorOverlay extends APersistentVector implements IObj, IReduce, IKVReduce, IEditableCollection {
    private static final long serialVersionUID = 1;
    private static final Object NONE = new Object();

    final transient EveVector base;
    /** Elements of the base in use; at least 1. */
    final transient int kept;
    /** Index (Long) below `kept` to new element. */
    final transient IPersistentMap over;
    /** What follows the first n elements. */
    final transient IPersistentVector tail;
    private final transient IPersistentMap meta;

    VectorOverlay(EveVector base, IPersistentMap meta) {
        this(base, base.count(), PersistentHashMap.EMPTY, PersistentVector.EMPTY, meta);
    }

    private VectorOverlay(EveVector base, int kept, IPersistentMap over, IPersistentVector tail, IPersistentMap meta) {
        this.base = base;
        this.kept = kept;
        this.over = over;
        this.tail = tail;
        this.meta = meta;
    }

    @Override
    public Object nth(int i) {
        if (i >= kept) {
            return tail.nth(i - kept);
        }
        if (over.count() > 0) {
            Object x = over.valAt((long) i, NONE);
            if (x != NONE) {
                return x;
            }
        }
        return base.nth(i);
    }

    @Override
    public Object nth(int i, Object notFound) {
        return i >= 0 && i < count() ? nth(i) : notFound;
    }

    @Override
    public int count() {
        return kept + tail.count();
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
    public Object kvreduce(IFn f, Object init) {
        Object acc = init;
        for (int i = 0; i < count(); i++) {
            acc = f.invoke(acc, i, nth(i));
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }

    @Override
    public IPersistentVector assocN(int i, Object x) {
        if (i < 0 || i > count()) {
            throw new IndexOutOfBoundsException();
        }
        return i < kept
            ? new VectorOverlay(base, kept, over.assoc((long) i, x), tail, meta)
            : new VectorOverlay(base, kept, over, tail.assocN(i - kept, x), meta);
    }

    @Override
    public VectorOverlay cons(Object x) {
        return new VectorOverlay(base, kept, over, tail.cons(x), meta);
    }

    @Override
    public IPersistentStack pop() {
        if (tail.count() > 0) {
            return new VectorOverlay(base, kept, over, (IPersistentVector) tail.pop(), meta);
        }
        if (kept == 1) {
            return (IPersistentStack) empty();
        }
        return new VectorOverlay(base, kept - 1, over.without((long) kept - 1), tail, meta);
    }

    @Override
    public IPersistentCollection empty() {
        return (IPersistentCollection) PersistentVector.EMPTY.withMeta(meta);
    }

    @Override
    public ITransientCollection asTransient() {
        return new TransientVector(this);
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new VectorOverlay(base, kept, over, tail, m);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return PersistentVector.create((Iterable<?>) this).withMeta(meta);
    }
}
