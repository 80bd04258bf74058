package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import clojure.lang.ASeq;
import clojure.lang.Counted;
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

/** A list, not empty, that lies in a slab, read in place. It is a Clojure list in every way. */
public final class EveList extends ASeq implements IPersistentList, IReduce, Counted {
    private static final long serialVersionUID = 1;

    final transient Snapshot snapshot;
    final transient long word;
    private final transient int count;

    private EveList(IPersistentMap meta, Snapshot s, long word, int count) {
        super(meta);
        this.snapshot = s;
        this.word = word;
        this.count = count;
    }

    /** The list whose first cell is at address `at`. */
    static Object at(Snapshot s, long word, long at) {
        int count = ALL.get(I32, at + 8);
        if (count <= 0) {
            throw s.corrupt("a list of " + count + " elements", word);
        }
        return new EveList(null, s, word, count);
    }

    @Override
    public Object first() {
        Snapshot s = snapshot;
        try {
            Object x = Word.decode(s, ALL.get(I64, s.base + word + 16));
            s.check();
            return x;
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public ISeq next() {
        Snapshot s = snapshot;
        try {
            long rest = ALL.get(I64, s.base + word + 24);
            int n = 0;
            if (rest != Layout.EMPTY_LIST) {
                long at = s.at(rest);
                n = ALL.get(I8, at) == Layout.LIST ? ALL.get(I32, at + 8) : 0;
            }
            s.check();
            if (n != count - 1) {
                throw s.corrupt("the cells of a list disagree about its length", word);
            }
            return n == 0 ? null : new EveList(null, s, rest, n);
        } catch (InternalError e) {
            throw s.fault(e);
        }
    }

    @Override
    public Object peek() {
        return first();
    }

    @Override
    public IPersistentStack pop() {
        ISeq next = next();
        return next == null ? (IPersistentStack) empty() : (IPersistentStack) next;
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
        return HeapList.reduce(f, first(), next());
    }

    @Override
    public Object reduce(IFn f, Object init) {
        return HeapList.reduce(f, init, this);
    }

    @Override
    public int hasheq() {
        int h = ALL.get(I32, snapshot.base + word + 12);
        snapshot.check();
        return h != 0 ? h : Walk.ask(Walk.HASHEQ, snapshot, word, count, null, super::hasheq);
    }

    @Override
    public boolean equiv(Object o) {
        return o instanceof EveList l && same(l) || Walk.ask(Walk.EQUIV, snapshot, word, count, o, () -> super.equiv(o));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof EveList l && same(l) || Walk.ask(Walk.EQUALS, snapshot, word, count, o, () -> super.equals(o));
    }

    @Override
    public int hashCode() {
        return Walk.ask(Walk.HASH_CODE, snapshot, word, count, null, super::hashCode);
    }

    private boolean same(EveList l) {
        return l.snapshot.slab == snapshot.slab && l.word == word;
    }

    @Override
    public Obj withMeta(IPersistentMap meta) {
        return meta == meta() ? this : new EveList(meta, snapshot, word, count);
    }

    /** Java serialization writes a copy. */
    private Object writeReplace() {
        return ((IObj) PersistentList.create(this)).withMeta(meta());
    }
}
