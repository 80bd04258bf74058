package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import clojure.lang.MapEntry;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** A walk over entries in a slab. */
abstract class EntryWalk {
    static final int ENTRIES = 0;
    static final int KEYS = 1;
    static final int VALUES = 2;

    final Snapshot s;
    /** log2 of an entry's size. */
    final int log;
    /** Entries still to come: whatever a damaged slab says, the walk ends. */
    int left;

    EntryWalk(Snapshot s, int log, int left) {
        this.s = s;
        this.log = log;
        this.left = left;
    }

    /** Address of the next entry, or 0. */
    abstract long next();

    final Iterator<Object> iterator(int what) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return left > 0;
            }

            @Override
            public Object next() {
                if (left <= 0) {
                    throw new NoSuchElementException();
                }
                try {
                    long a = EntryWalk.this.next();
                    Object x = a == 0 ? null : decode(a, what);
                    s.check();
                    return x;
                } catch (InternalError e) {
                    throw s.fault(e);
                }
            }
        };
    }

    private Object decode(long a, int what) {
        long value = a + (1L << log) - 8;
        return switch (what) {
            case KEYS -> Word.decode(s, ALL.get(I64, a));
            case VALUES -> Word.decode(s, ALL.get(I64, value));
            default -> MapEntry.create(Word.decode(s, ALL.get(I64, a)), Word.decode(s, ALL.get(I64, value)));
        };
    }
}
