package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import clojure.lang.APersistentMap;
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
import java.util.Iterator;
import java.util.Map;

/**
 * A map that lies in a slab, read in place. It is a Clojure map in every way; what assoc, dissoc and conj make of it is a
 * {@link MapOverlay} over it, which is written when it is put into an atom.
 *
 * A set's trie is read by the same code: there each entry is the value of itself.
 */
public final class EveMap extends APersistentMap implements IObj, IReduce, IKVReduce, IMapIterable, IEditableCollection {
    private static final long serialVersionUID = 1;

    /** log2 of an entry's size in a map and in a set. */
    static final int MAP_ENTRY = 4;
    static final int SET_ENTRY = 3;

    final transient Snapshot snapshot;
    /** The collection's word: the offset of its head. */
    final transient long word;
    /** Offset of the root node; of an array map: of its head. */
    private final transient long root;
    private final transient int count;
    private final transient int log;
    private final transient boolean array;
    private final transient IPersistentMap meta;

    private EveMap(Snapshot s, long word, long root, int count, int log, boolean array, IPersistentMap meta) {
        this.snapshot = s;
        this.word = word;
        this.root = root;
        this.count = count;
        this.log = log;
        this.array = array;
        this.meta = meta;
    }

    /** The map whose head, ARRAY_MAP or MAP, is at address `at`. */
    static EveMap at(Snapshot s, long word, long at) {
        int n = ALL.get(I32, at + 8);
        if (ALL.get(I8, at) == Layout.ARRAY_MAP) {
            if (n < 1 || n > Layout.ARRAY_MAP_MAX) {
                throw s.corrupt("an array map of " + n + " entries", word);
            }
            return new EveMap(s, word, word, n, MAP_ENTRY, true, null);
        }
        return trie(s, word, at, n, MAP_ENTRY);
    }

    /** The trie of the MAP or SET at address `at`. */
    static EveMap trie(Snapshot s, long word, long at, int n, int log) {
        long root = ALL.get(I64, at + 16);
        if (n < 0 || (n == 0) != (root == 0)) {
            throw s.corrupt("a collection of " + n + " entries", word);
        }
        return new EveMap(s, word, root, n, log, false, null);
    }

    private long find(Object key) {
        if (array) {
            return Trie.findInArray(snapshot, root, count, key);
        }
        return count == 0 ? 0 : Trie.find(snapshot, root, log, key);
    }

    /** The word under a key, or {@link Word#NONE}. */
    long wordOf(Object key) {
        long a = find(key);
        long w = a == 0 ? Word.NONE : ALL.get(I64, valueAt(a));
        snapshot.check();
        return w;
    }

    private long valueAt(long entry) {
        return entry + (1L << log) - 8;
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        Snapshot s = snapshot;
        try {
            long a = find(key);
            Object v = a == 0 ? notFound : Word.decode(s, ALL.get(I64, valueAt(a)));
            s.check();
            return v;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public Object valAt(Object key) {
        return valAt(key, null);
    }

    @Override
    public boolean containsKey(Object key) {
        try {
            boolean there = find(key) != 0;
            snapshot.check();
            return there;
        } catch (InternalError e) {
            throw snapshot.fault(e);
        }
    }

    @Override
    public IMapEntry entryAt(Object key) {
        try {
            long a = find(key);
            IMapEntry e = a == 0 ? null : entry(snapshot, a, valueAt(a));
            snapshot.check();
            return e;
        } catch (InternalError e) {
            throw snapshot.fault(e);
        }
    }

    private static IMapEntry entry(Snapshot s, long key, long value) {
        return MapEntry.create(Word.decode(s, ALL.get(I64, key)), Word.decode(s, ALL.get(I64, value)));
    }

    @Override
    public int count() {
        return count;
    }

    // Iteration

    TrieWalk walk() {
        return new TrieWalk(snapshot, root, log, count, array);
    }

    @Override
    public Iterator<Object> iterator() {
        return walk().iterator(EntryWalk.ENTRIES);
    }

    @Override
    public Iterator<Object> keyIterator() {
        return walk().iterator(EntryWalk.KEYS);
    }

    @Override
    public Iterator<Object> valIterator() {
        return walk().iterator(EntryWalk.VALUES);
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
        Snapshot s = snapshot;
        TrieWalk w = walk();
        Object acc = init;
        try {
            for (long a; (a = w.next()) != 0;) {
                Object k = Word.decode(s, ALL.get(I64, a));
                Object v = Word.decode(s, ALL.get(I64, valueAt(a)));
                s.check();
                acc = f.invoke(acc, k, v);
                if (RT.isReduced(acc)) {
                    return ((clojure.lang.IDeref) acc).deref();
                }
            }
            return acc;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    /** The collection's hash as it stands in the slab; 0: not computed. */
    int storedHash() {
        int h = ALL.get(I32, snapshot.base + word + 12);
        snapshot.check();
        return h;
    }

    @Override
    public int hasheq() {
        int h = storedHash();
        return h != 0 ? h : Walk.ask(Walk.HASHEQ, snapshot, word, count, null, super::hasheq);
    }

    @Override
    public boolean equiv(Object o) {
        return o instanceof EveMap m && same(m) || Walk.ask(Walk.EQUIV, snapshot, word, count, o, () -> super.equiv(o));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof EveMap m && same(m) || Walk.ask(Walk.EQUALS, snapshot, word, count, o, () -> super.equals(o));
    }

    @Override
    public int hashCode() {
        return Walk.ask(Walk.HASH_CODE, snapshot, word, count, null, super::hashCode);
    }

    /** Are they the same object in the slab? Both versions are pinned, so the place decides. */
    boolean same(EveMap m) {
        return m.snapshot.slab == snapshot.slab && m.word == word;
    }

    // What is made of it

    @Override
    public IPersistentMap assoc(Object key, Object value) {
        return new MapOverlay(this, meta).assoc(key, value);
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
        return containsKey(key) ? new MapOverlay(this, meta).without(key) : this;
    }

    @Override
    public IPersistentCollection empty() {
        return (IPersistentCollection) PersistentArrayMap.EMPTY.withMeta(meta);
    }

    @Override
    public ITransientCollection asTransient() {
        return new TransientMap(new MapOverlay(this, meta));
    }

    @Override
    public IPersistentMap meta() {
        return meta;
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new EveMap(snapshot, word, root, count, log, array, m);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return ((IObj) PersistentArrayMap.create((Map<?, ?>) this)).withMeta(meta);
    }
}
