package eve;

import clojure.lang.ASeq;
import clojure.lang.ArrayChunk;
import clojure.lang.Counted;
import clojure.lang.IChunk;
import clojure.lang.IChunkedSeq;
import clojure.lang.IPersistentMap;
import clojure.lang.ISeq;
import clojure.lang.Obj;
import clojure.lang.PersistentList;

/** Seq of a vector in a slab, a leaf at a time. */
final class VectorSeq extends ASeq implements IChunkedSeq, Counted {
    private static final long serialVersionUID = 1;

    private final transient EveVector v;
    /** Index of the first element. */
    private final transient int i;
    private final transient Object[] chunk;
    private final transient int at;

    private VectorSeq(IPersistentMap meta, EveVector v, int i, Object[] chunk, int at) {
        super(meta);
        this.v = v;
        this.i = i;
        this.chunk = chunk;
        this.at = at;
    }

    /** From element i on; null at the end. */
    static VectorSeq of(EveVector v, int i) {
        return i < v.count() ? new VectorSeq(null, v, i, v.chunk(i), 0) : null;
    }

    @Override
    public Object first() {
        return chunk[at];
    }

    @Override
    public ISeq next() {
        return at + 1 < chunk.length ? new VectorSeq(null, v, i + 1, chunk, at + 1) : of(v, i + 1);
    }

    @Override
    public int count() {
        return v.count() - i;
    }

    @Override
    public IChunk chunkedFirst() {
        return new ArrayChunk(chunk, at);
    }

    @Override
    public ISeq chunkedNext() {
        return of(v, i + chunk.length - at);
    }

    @Override
    public ISeq chunkedMore() {
        ISeq s = chunkedNext();
        return s == null ? PersistentList.EMPTY : s;
    }

    @Override
    public Obj withMeta(IPersistentMap meta) {
        return meta == meta() ? this : new VectorSeq(meta, v, i, chunk, at);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return PersistentList.create(this);
    }
}
