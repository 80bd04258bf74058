package eve;

import clojure.lang.APersistentMap;
import clojure.lang.IDeref;
import clojure.lang.IEditableCollection;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.IMapEntry;
import clojure.lang.IMapIterable;
import clojure.lang.IObj;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentMap;
import clojure.lang.IReduce;
import clojure.lang.ISeq;
import clojure.lang.ITransientCollection;
import clojure.lang.MapEntry;
import clojure.lang.PersistentArrayMap;
import clojure.lang.RT;
import clojure.lang.Util;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * A map in a slab with changes that lie on the heap: what assoc and dissoc make of an {@link EveMap}. An operation costs what it costs on a
 * small Clojure map, whatever the size of the map below, and any value may be put in. Storing it writes only the changes.
 */
public final class MapOverlay extends APersistentMap implements IObj, IReduce, IKVReduce, IMapIterable, IEditableCollection {
    private static final long serialVersionUID = 1;

    static final Object REMOVED = new Object();
    private static final Object NONE = new Object();

    final transient EveMap base;
    /** Keys of the base: new value, or REMOVED. */
    final transient IPersistentMap over;
    /** Keys that the base doesn't have, or that were removed from it before: the key put in last is the one that stays. */
    final transient IPersistentMap added;
    private final transient int removed;
    private final transient IPersistentMap meta;
    /**
     * A walk of the base behind entries that are removed, or null. What was made of this map can begin there as well, as no entry of the base
     * comes back: without it, a loop that takes the first entry away until none is left would pass all removed ones each time.
     */
    private transient volatile TrieWalk start;

    MapOverlay(EveMap base, IPersistentMap meta) {
        this(base, PersistentArrayMap.EMPTY, PersistentArrayMap.EMPTY, 0, meta, null);
    }

    private MapOverlay(EveMap base, IPersistentMap over, IPersistentMap added, int removed, IPersistentMap meta, TrieWalk start) {
        this.start = start;
        this.base = base;
        this.over = over;
        this.added = added;
        this.removed = removed;
        this.meta = meta;
    }

    /** A byte array as a key of `over` and `added`: equal by content there too, as it is in the slab. */
    private record Bytes(byte[] content) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Bytes b && Arrays.equals(content, b.content);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(content);
        }
    }

    private static Object inner(Object key) {
        return key instanceof byte[] b ? new Bytes(b) : key;
    }

    /** The key that a key of `over` or `added` stands for. */
    static Object plain(Object key) {
        return key instanceof Bytes b ? b.content : key;
    }

    private static IMapEntry plain(IMapEntry e) {
        return e.key() instanceof Bytes b ? MapEntry.create(b.content, e.val()) : e;
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        Object k = inner(key);
        if (added.count() > 0) {
            Object v = added.valAt(k, NONE);
            if (v != NONE) {
                return v;
            }
        }
        if (over.count() > 0) {
            Object v = over.valAt(k, NONE);
            if (v != NONE) {
                return v == REMOVED ? notFound : v;
            }
        }
        return base.valAt(key, notFound);
    }

    @Override
    public Object valAt(Object key) {
        return valAt(key, null);
    }

    @Override
    public boolean containsKey(Object key) {
        return valAt(key, NONE) != NONE;
    }

    @Override
    public IMapEntry entryAt(Object key) {
        IMapEntry e = added.entryAt(inner(key));
        if (e != null) {
            return plain(e);
        }
        e = base.entryAt(key);
        return e == null ? null : overlaid(e);
    }

    /** An entry of the base as it is now; null: removed. */
    private IMapEntry overlaid(IMapEntry e) {
        Object v = over.count() == 0 ? NONE : over.valAt(inner(e.key()), NONE);
        return v == NONE ? e : v == REMOVED ? null : MapEntry.create(e.key(), v);
    }

    @Override
    public int count() {
        return base.count() - removed + added.count();
    }

    @Override
    public IPersistentMap assoc(Object key, Object value) {
        Object k = inner(key);
        Object old = over.valAt(k, NONE);
        if (old == REMOVED || old == NONE && !base.containsKey(key)) {
            return new MapOverlay(base, over, added.assoc(k, value), removed, meta, start);
        }
        return old == value ? this : new MapOverlay(base, over.assoc(k, value), added, removed, meta, start);
    }

    @Override
    public IPersistentMap assocEx(Object key, Object value) {
        if (containsKey(key)) {
            throw Util.runtimeException("Key already present");
        }
        return assoc(key, value);
    }

    @Override
    public IPersistentMap without(Object key) {
        if (!containsKey(key)) {
            return this;
        }
        Object k = inner(key);
        return added.containsKey(k)
            ? new MapOverlay(base, over, added.without(k), removed, meta, start)
            : new MapOverlay(base, over.assoc(k, REMOVED), added, removed + 1, meta, start);
    }

    @Override
    public Iterator<Object> iterator() {
        return new Entries();
    }

    private TrieWalk fromStart() {
        TrieWalk known = start;
        TrieWalk walk = known == null ? base.walk() : known.copy();
        if (removed == 0) {
            return walk;
        }
        TrieWalk live = walk.copy();
        int skipped = 0;
        for (Iterator<?> i = walk.iterator(EntryWalk.ENTRIES); i.hasNext() && overlaid((IMapEntry) i.next()) == null; skipped++) {
            live = walk.copy();
        }
        if (skipped > 0) {
            start = live.copy();
        }
        return live;
    }

    /** The base's entries as they are now, then the added ones. */
    private final class Entries implements Iterator<Object> {
        private final Iterator<?> below = fromStart().iterator(EntryWalk.ENTRIES);
        private final Iterator<?> above = ((Iterable<?>) added).iterator();
        private Object next = advance();

        private Object advance() {
            while (below.hasNext()) {
                IMapEntry e = overlaid((IMapEntry) below.next());
                if (e != null) {
                    return e;
                }
            }
            return above.hasNext() ? plain((IMapEntry) above.next()) : null;
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public Object next() {
            if (next == null) {
                throw new NoSuchElementException();
            }
            Object e = next;
            next = advance();
            return e;
        }
    }

    private Iterator<Object> half(boolean keys) {
        Iterator<Object> entries = iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return entries.hasNext();
            }

            @Override
            public Object next() {
                IMapEntry e = (IMapEntry) entries.next();
                return keys ? e.key() : e.val();
            }
        };
    }

    @Override
    public Iterator<Object> keyIterator() {
        return half(true);
    }

    @Override
    public Iterator<Object> valIterator() {
        return half(false);
    }

    @Override
    public ISeq seq() {
        return RT.chunkIteratorSeq(iterator());
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
    public IPersistentCollection empty() {
        return (IPersistentCollection) PersistentArrayMap.EMPTY.withMeta(meta);
    }

    @Override
    public ITransientCollection asTransient() {
        return new TransientMap(this);
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new MapOverlay(base, over, added, removed, m, start);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return ((IObj) PersistentArrayMap.create((Map<?, ?>) this)).withMeta(meta);
    }
}
