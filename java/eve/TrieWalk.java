package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import clojure.lang.MapEntry;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** A walk over the entries of a trie or an array map. Entries of a node come before those of its children. */
final class TrieWalk {
    static final int ENTRIES = 0;
    static final int KEYS = 1;
    static final int VALUES = 2;

    private static final int HEAD = 16;
    private static final int ARRAY_HEAD = 24;
    private static final int LEVELS = Trie.SHIFT_END / 5;

    private final Snapshot s;
    private final int log;
    /** Entries still to come: whatever a damaged slab says, the walk ends. */
    private int left;
    /** Address of the next entry, and the end of those of the current node. */
    private long at;
    private long end;
    /** Nodes being walked: address of the next child, and the end. */
    private final long[] child;
    private final long[] childEnd;
    private int depth;

    TrieWalk(Snapshot s, long root, int log, int count, boolean array) {
        this.s = s;
        this.log = log;
        this.left = count;
        child = new long[LEVELS];
        childEnd = new long[LEVELS];
        if (array) {
            at = s.base + root + ARRAY_HEAD;
            end = at + ((long) count << log);
        } else if (count > 0) {
            enter(root);
        }
    }

    private TrieWalk(TrieWalk w) {
        s = w.s;
        log = w.log;
        left = w.left;
        at = w.at;
        end = w.end;
        child = w.child.clone();
        childEnd = w.childEnd.clone();
        depth = w.depth;
    }

    /** A walk that goes on from here on its own. */
    TrieWalk copy() {
        return new TrieWalk(this);
    }

    private void enter(long offset) {
        long n = s.at(offset);
        if (depth == LEVELS) {
            at = n + HEAD;
            end = at + ((long) Trie.collisionCount(s, n, log) << log);
            return;
        }
        long maps = ALL.get(I64, n + 8);
        int nodes = Integer.bitCount((int) (maps >>> 32));
        child[depth] = n + HEAD;
        childEnd[depth] = at = n + HEAD + 8L * nodes;
        end = at + ((long) Integer.bitCount((int) maps) << log);
        depth++;
    }

    /** Address of the next entry, or 0. */
    long next() {
        while (at >= end) {
            if (depth == 0) {
                return done();
            }
            int d = depth - 1;
            if (child[d] == childEnd[d]) {
                depth = d;
                continue;
            }
            long offset = ALL.get(I64, child[d]);
            child[d] += 8;
            enter(offset);
        }
        if (--left < 0) {
            throw s.corrupt("a collection has more entries than it says", at - s.base);
        }
        long a = at;
        at += 1L << log;
        return a;
    }

    private long done() {
        if (left > 0) {
            throw s.corrupt("a collection has fewer entries than it says", at - s.base);
        }
        return 0;
    }

    Iterator<Object> iterator(int what) {
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
                    long a = TrieWalk.this.next();
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
