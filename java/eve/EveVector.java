package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

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
import clojure.lang.ISeq;
import clojure.lang.ITransientCollection;
import clojure.lang.PersistentVector;
import clojure.lang.RT;
import clojure.lang.Reduced;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A vector that lies in a slab, read in place. It is a Clojure vector in every way; what conj, assoc and pop make of it is a
 * {@link VectorOverlay} over it.
 */
public final class EveVector extends APersistentVector implements IObj, IReduce, IKVReduce, IEditableCollection {
    private static final long serialVersionUID = 1;

    private static final int WIDTH = Layout.VECTOR_WIDTH;
    private static final int HEAD = 16;
    private static final int SHIFT_MAX = 30;

    final transient Snapshot snapshot;
    final transient long word;
    private final transient int count;
    private final transient int shift;
    /** Index of the tail's first element. */
    private final transient int tailStart;
    private final transient long root;
    private final transient long tail;
    private final transient IPersistentMap meta;

    private EveVector(Snapshot s, long word, int count, int shift, long root, long tail, IPersistentMap meta) {
        this.snapshot = s;
        this.word = word;
        this.count = count;
        this.shift = shift;
        this.tailStart = count - 1 & -WIDTH;
        this.root = root;
        this.tail = tail;
        this.meta = meta;
    }

    /** The vector whose head is at address `at`. */
    static Object at(Snapshot s, long word, long at) {
        int count = ALL.get(I32, at + 8);
        int shift = ALL.get(I32, at + 12);
        if (count == 0) {
            return PersistentVector.EMPTY;
        }
        if (count < 0 || shift < 0 || shift > SHIFT_MAX) {
            throw s.corrupt("a vector of " + count + " elements", word);
        }
        long root = ALL.get(I64, at + 16);
        long tail = ALL.get(I64, at + 24);
        s.at(root);
        s.at(tail);
        return new EveVector(s, word, count, shift, root, tail, null);
    }

    /** Address of the leaf that holds element i, which is in bounds. */
    private long leaf(int i) {
        Snapshot s = snapshot;
        long base = s.base;
        if (i >= tailStart) {
            return base + tail;
        }
        long limit = s.limit;
        long o = root;
        for (int level = shift; level > 0; level -= 5) {
            o = ALL.get(I64, base + o + HEAD + 8 * (i >>> level & WIDTH - 1));
            if (Long.compareUnsigned(o, limit) >= 0) {
                throw Trie.bad(s, o);
            }
        }
        return base + o;
    }

    private int leafEnd(int i) {
        return Math.min(count, (i & -WIDTH) + WIDTH);
    }

    @Override
    public Object nth(int i) {
        if (i < 0 || i >= count) {
            throw new IndexOutOfBoundsException();
        }
        Snapshot s = snapshot;
        try {
            Object x = Word.decode(s, ALL.get(I64, leaf(i) + HEAD + 8 * (i & WIDTH - 1)));
            s.check();
            return x;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public Object nth(int i, Object notFound) {
        return i >= 0 && i < count ? nth(i) : notFound;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public Object reduce(IFn f) {
        return reduceFrom(f, nth(0), 1);
    }

    @Override
    public Object reduce(IFn f, Object init) {
        return reduceFrom(f, init, 0);
    }

    private Object reduceFrom(IFn f, Object init, int from) {
        Object acc = init;
        for (int i = from; i < count; i = leafEnd(i)) {
            acc = reduceLeaf(f, acc, i);
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }

    /** Over the elements from i to the end of its leaf; may return a Reduced. */
    private Object reduceLeaf(IFn f, Object init, int i) {
        Snapshot s = snapshot;
        Object acc = init;
        try {
            long a = leaf(i) + HEAD + 8 * (i & WIDTH - 1);
            for (long end = a + 8 * (leafEnd(i) - i); a < end; a += 8) {
                long w = ALL.get(I64, a);
                Object x = (w & 1) != 0 ? (Object) (w >> 1) : Word.decode(s, w);
                s.check();
                acc = f.invoke(acc, x);
                if (acc instanceof Reduced) {
                    return acc;
                }
            }
            return acc;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public Object kvreduce(IFn f, Object init) {
        Object acc = init;
        for (int i = 0; i < count; i++) {
            acc = f.invoke(acc, i, nth(i));
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }

    /** The elements from i to the end of its leaf. */
    Object[] chunk(int i) {
        Snapshot s = snapshot;
        try {
            long a = leaf(i) + HEAD;
            Object[] xs = new Object[leafEnd(i) - i];
            for (int k = 0; k < xs.length; k++) {
                xs[k] = Word.decode(s, ALL.get(I64, a + 8 * (i + k & WIDTH - 1)));
            }
            s.check();
            return xs;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public ISeq seq() {
        return VectorSeq.of(this, 0);
    }

    @Override
    public Iterator<Object> iterator() {
        return new Iterator<>() {
            private int i;
            private Object[] chunk;
            private int k;

            @Override
            public boolean hasNext() {
                return i < count;
            }

            @Override
            public Object next() {
                if (i >= count) {
                    throw new NoSuchElementException();
                }
                if (chunk == null || k == chunk.length) {
                    chunk = chunk(i);
                    k = 0;
                }
                i++;
                return chunk[k++];
            }
        };
    }

    @Override
    public int hasheq() {
        int h = ALL.get(I32, snapshot.base + word + 40);
        snapshot.check();
        return h != 0 ? h : Walk.ask(Walk.HASHEQ, snapshot, word, count, null, super::hasheq);
    }

    @Override
    public boolean equiv(Object o) {
        return o instanceof EveVector v && same(v) || Walk.ask(Walk.EQUIV, snapshot, word, count, o, () -> super.equiv(o));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof EveVector v && same(v) || Walk.ask(Walk.EQUALS, snapshot, word, count, o, () -> super.equals(o));
    }

    @Override
    public int hashCode() {
        return Walk.ask(Walk.HASH_CODE, snapshot, word, count, null, super::hashCode);
    }

    private boolean same(EveVector v) {
        return v.snapshot.slab == snapshot.slab && v.word == word;
    }

    @Override
    public IPersistentVector assocN(int i, Object x) {
        return new VectorOverlay(this, meta).assocN(i, x);
    }

    @Override
    public IPersistentVector cons(Object x) {
        return new VectorOverlay(this, meta).cons(x);
    }

    @Override
    public IPersistentStack pop() {
        return new VectorOverlay(this, meta).pop();
    }

    @Override
    public IPersistentCollection empty() {
        return (IPersistentCollection) PersistentVector.EMPTY.withMeta(meta);
    }

    @Override
    public ITransientCollection asTransient() {
        return new TransientVector(new VectorOverlay(this, meta));
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new EveVector(snapshot, word, count, shift, root, tail, m);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return PersistentVector.create((Iterable<?>) this).withMeta(meta);
    }

}
