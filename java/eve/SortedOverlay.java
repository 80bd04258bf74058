package eve;

import clojure.lang.IMapEntry;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.ISeq;
import clojure.lang.MapEntry;
import clojure.lang.PersistentTreeMap;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A sorted map in a slab with changes that lie on the heap, as {@link MapOverlay} is of a map: they are sorted maps in the same order, so all are walked
 * side by side. A key that is looked up is compared with removed ones too.
 */
public final class SortedOverlay extends ASortedMap {
    private static final long serialVersionUID = 1;

    private static final Object NONE = new Object();

    final transient EveSortedMap base;
    /** Keys of the base: new value, or MapOverlay.REMOVED. */
    final transient PersistentTreeMap over;
    /** Keys that the base doesn't have, or that were removed from it before: the key put in last is the one that stays. */
    final transient PersistentTreeMap added;
    private final transient int removed;
    /** Walks of the base behind entries that are removed, as in MapOverlay: from its start and from its end. */
    private transient volatile BTreeWalk start;
    private transient volatile BTreeWalk end;

    SortedOverlay(EveSortedMap base, IPersistentMap meta) {
        this(base, new PersistentTreeMap(null, base.comparator()), new PersistentTreeMap(null, base.comparator()), 0, meta, null, null);
    }

    private SortedOverlay(EveSortedMap base, PersistentTreeMap over, PersistentTreeMap added, int removed, IPersistentMap meta, BTreeWalk start, BTreeWalk end) {
        super(base.order, meta);
        this.base = base;
        this.over = over;
        this.added = added;
        this.removed = removed;
        this.start = start;
        this.end = end;
    }

    private SortedOverlay with(PersistentTreeMap over, PersistentTreeMap added, int removed) {
        return new SortedOverlay(base, over, added, removed, meta, start, end);
    }

    @Override
    public Object valAt(Object key, Object notFound) {
        Object v = added.valAt(key, NONE);
        if (v == NONE) {
            v = over.valAt(key, NONE);
        }
        return v == NONE ? base.valAt(key, notFound) : v == MapOverlay.REMOVED ? notFound : v;
    }

    @Override
    public boolean containsKey(Object key) {
        return valAt(key, NONE) != NONE;
    }

    @Override
    public IMapEntry entryAt(Object key) {
        IMapEntry e = added.entryAt(key);
        if (e == null) {
            e = base.entryAt(key);
            return e == null ? null : overlaid(e);
        }
        return e;
    }

    /** An entry of the base as it is now; null: removed. */
    private IMapEntry overlaid(IMapEntry e) {
        Object v = over.valAt(e.key(), NONE);
        return v == NONE ? e : v == MapOverlay.REMOVED ? null : MapEntry.create(e.key(), v);
    }

    @Override
    public int count() {
        return base.count() - removed + added.count();
    }

    @Override
    public IPersistentMap assoc(Object key, Object value) {
        IMapEntry below = base.entryAt(key);
        Object old = below == null ? MapOverlay.REMOVED : over.valAt(key, NONE);
        if (old == MapOverlay.REMOVED) {
            return with(over, added.assoc(key, value), removed);
        }
        return old == value ? this : with(over.assoc(below.key(), value), added, removed);
    }

    @Override
    public IPersistentMap without(Object key) {
        if (!containsKey(key)) {
            return this;
        }
        if (count() == 1) {
            return empty(); // any key may be put into it then
        }
        return added.containsKey(key) ? with(over, added.without(key), removed) : with(over.assoc(key, MapOverlay.REMOVED), added, removed + 1);
    }

    private BTreeWalk fromStart(boolean ascending) {
        BTreeWalk known = ascending ? start : end;
        BTreeWalk walk = known == null ? base.walk(ascending) : known.copy();
        if (removed == 0) {
            return walk;
        }
        BTreeWalk live = walk.copy();
        int skipped = 0;
        for (Iterator<?> i = walk.iterator(EntryWalk.ENTRIES); i.hasNext() && overlaid((IMapEntry) i.next()) == null; skipped++) {
            live = walk.copy();
        }
        if (skipped > 0) {
            BTreeWalk found = live.copy();
            if (ascending) {
                start = found;
            } else {
                end = found;
            }
        }
        return live;
    }

    @Override
    Iterator<Object> walk(int what, boolean ascending, Object from) {
        return from == START
            ? new Merged(what, ascending, fromStart(ascending).iterator(EntryWalk.ENTRIES), added.seq(ascending))
            : new Merged(what, ascending, base.walk(EntryWalk.ENTRIES, ascending, from), added.seqFrom(from, ascending));
    }

    /** The base's entries as they are now and the added ones, in order. */
    private final class Merged implements Iterator<Object> {
        private final int what;
        private final boolean ascending;
        private final Iterator<?> below;
        private final Comparator<Object> comparator = comparator();
        private ISeq above;
        private IMapEntry nextBelow;

        Merged(int what, boolean ascending, Iterator<?> below, ISeq above) {
            this.what = what;
            this.ascending = ascending;
            this.below = below;
            this.above = above;
            advance();
        }

        private void advance() {
            nextBelow = null;
            while (nextBelow == null && below.hasNext()) {
                nextBelow = overlaid((IMapEntry) below.next());
            }
        }

        @Override
        public boolean hasNext() {
            return nextBelow != null || above != null;
        }

        private boolean isBelow() {
            if (nextBelow == null || above == null) {
                return nextBelow != null;
            }
            int c = comparator.compare(nextBelow.key(), ((IMapEntry) above.first()).key());
            return ascending ? c < 0 : c > 0;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            IMapEntry e;
            if (isBelow()) {
                e = nextBelow;
                advance();
            } else {
                e = (IMapEntry) above.first();
                above = above.next();
            }
            return what == EntryWalk.KEYS ? e.key() : what == EntryWalk.VALUES ? e.val() : e;
        }
    }

    @Override
    public IObj withMeta(IPersistentMap m) {
        return m == meta ? this : new SortedOverlay(base, over, added, removed, m, start, end);
    }
}
