package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

/** A walk over the entries of a trie or an array map. Entries of a node come before those of its children. */
final class TrieWalk extends EntryWalk {
    private static final int HEAD = 16;
    private static final int ARRAY_HEAD = 24;
    private static final int LEVELS = Trie.SHIFT_END / 5;

    /** Address of the next entry, and the end of those of the current node. */
    private long at;
    private long end;
    /** Nodes being walked: address of the next child, and the end. */
    private final long[] child;
    private final long[] childEnd;
    private int depth;

    TrieWalk(Snapshot s, long root, int log, int count, boolean array) {
        super(s, log, count);
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
        super(w.s, w.log, w.left);
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

    @Override
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
}
