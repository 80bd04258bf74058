package eve;

import clojure.lang.AFn;
import clojure.lang.IMapEntry;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentVector;
import clojure.lang.ITransientAssociative2;
import clojure.lang.ITransientVector;
import clojure.lang.MapEntry;
import clojure.lang.Util;

/** Transient of a {@link VectorOverlay}. */
final class TransientVector extends AFn implements ITransientVector, ITransientAssociative2 {
    private IPersistentVector vector;

    TransientVector(IPersistentVector vector) {
        this.vector = vector;
    }

    private IPersistentVector vector() {
        if (vector == null) {
            throw new IllegalAccessError("Transient used after persistent! call");
        }
        return vector;
    }

    @Override
    public ITransientVector assocN(int i, Object x) {
        vector = vector().assocN(i, x);
        return this;
    }

    @Override
    public ITransientVector assoc(Object key, Object x) {
        if (!Util.isInteger(key)) {
            throw new IllegalArgumentException("Key must be integer");
        }
        return assocN(((Number) key).intValue(), x);
    }

    @Override
    public ITransientVector conj(Object x) {
        vector = vector().cons(x);
        return this;
    }

    @Override
    public ITransientVector pop() {
        vector = (IPersistentVector) vector().pop();
        return this;
    }

    @Override
    public IPersistentCollection persistent() {
        IPersistentVector v = vector();
        vector = null;
        return v;
    }

    @Override
    public Object nth(int i) {
        return vector().nth(i);
    }

    @Override
    public Object nth(int i, Object notFound) {
        return vector().nth(i, notFound);
    }

    @Override
    public Object valAt(Object key) {
        return vector().valAt(key);
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        return vector().valAt(key, notFound);
    }

    @Override
    public boolean containsKey(Object key) {
        return vector().containsKey(key);
    }

    @Override
    public IMapEntry entryAt(Object key) {
        return containsKey(key) ? MapEntry.create(key, valAt(key)) : null;
    }

    @Override
    public int count() {
        return vector().count();
    }

    @Override
    public Object invoke(Object key) {
        if (!Util.isInteger(key)) {
            throw new IllegalArgumentException("Key must be integer");
        }
        return vector().nth(((Number) key).intValue());
    }
}
