package eve;

import clojure.lang.AFn;
import clojure.lang.IMapEntry;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.ITransientAssociative2;
import clojure.lang.ITransientMap;
import clojure.lang.MapEntry;
import clojure.lang.RT;
import java.util.Map;

/** Transient of a {@link MapOverlay}. */
final class TransientMap extends AFn implements ITransientMap, ITransientAssociative2 {
    private static final Object NONE = new Object();
    private MapOverlay map;

    TransientMap(MapOverlay map) {
        this.map = map;
    }

    private MapOverlay map() {
        if (map == null) {
            throw new IllegalAccessError("Transient used after persistent! call");
        }
        return map;
    }

    @Override
    public ITransientMap assoc(Object key, Object value) {
        map = (MapOverlay) map().assoc(key, value);
        return this;
    }

    @Override
    public ITransientMap without(Object key) {
        map = (MapOverlay) map().without(key);
        return this;
    }

    @Override
    public ITransientMap conj(Object x) {
        if (x instanceof Map.Entry<?, ?> e) {
            return assoc(e.getKey(), e.getValue());
        }
        if (x instanceof IPersistentVector v) {
            if (v.count() != 2) {
                throw new IllegalArgumentException("Vector arg to map conj must be a pair");
            }
            return assoc(v.nth(0), v.nth(1));
        }
        for (var s = RT.seq(x); s != null; s = s.next()) {
            Map.Entry<?, ?> e = (Map.Entry<?, ?>) s.first();
            assoc(e.getKey(), e.getValue());
        }
        map();
        return this;
    }

    @Override
    public IPersistentMap persistent() {
        MapOverlay m = map();
        map = null;
        return m;
    }

    @Override
    public Object valAt(Object key) {
        return map().valAt(key);
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        return map().valAt(key, notFound);
    }

    @Override
    public boolean containsKey(Object key) {
        return map().containsKey(key);
    }

    @Override
    public IMapEntry entryAt(Object key) {
        Object v = map().valAt(key, NONE);
        return v == NONE ? null : MapEntry.create(key, v);
    }

    @Override
    public int count() {
        return map().count();
    }

    @Override
    public Object invoke(Object key) {
        return valAt(key);
    }

    @Override
    public Object invoke(Object key, Object notFound) {
        return valAt(key, notFound);
    }}
