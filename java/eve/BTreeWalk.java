package eve;

/** A walk over the entries of a sorted map or set, in its order or against it. */
final class BTreeWalk extends EntryWalk {
    private final boolean ascending;
    /** Address of the next entry, or just behind it when we descend, and where the leaf ends in our direction. */
    private long at;
    private long end;
    /** The nodes above: their addresses, and which child of each we are below. */
    private final long[] above;
    private final int[] way;
    private int depth;

    private BTreeWalk(Snapshot s, int log, int left, boolean ascending) {
        super(s, log, left);
        this.ascending = ascending;
        above = new long[Layout.BTREE_LEVELS];
        way = new int[Layout.BTREE_LEVELS];
    }

    /** All `count` entries of the tree at offset `root`. */
    BTreeWalk(Snapshot s, long root, int log, int count, boolean ascending) {
        this(s, log, count, ascending);
        if (count > 0) {
            descend(root);
        }
    }

    /** Those that don't come before the key that is sought, in our direction. */
    BTreeWalk(Snapshot s, long root, int log, int count, boolean ascending, BTree sought) {
        this(s, log, 0, ascending);
        if (count == 0) {
            return;
        }
        long o = root, before = 0;
        while (depth < Layout.BTREE_LEVELS) {
            long node = s.at(o);
            int n = BTree.size(s, node);
            if (!BTree.isInner(node)) {
                long first = BTree.leaf(s, node, log);
                int place = sought.search(first, log, n);
                int i = place >> 1, found = place & 1;
                at = first + ((long) (ascending ? i : i + found) << log);
                end = ascending ? first + ((long) n << log) : first;
                long rest = ascending ? count - before - i : before + i + found;
                if (rest < 0 || rest > count) {
                    throw s.corrupt("the tree of a sorted collection has other counts than it says", o);
                }
                left = (int) rest;
                return;
            }
            int i = sought.way(node, n);
            before += BTree.before(node, n, i);
            push(node, i);
            o = BTree.child(node, i);
        }
        throw BTree.tooDeep(s, root);
    }

    private BTreeWalk(BTreeWalk w) {
        super(w.s, w.log, w.left);
        ascending = w.ascending;
        at = w.at;
        end = w.end;
        above = w.above.clone();
        way = w.way.clone();
        depth = w.depth;
    }

    /** A walk that goes on from here on its own. */
    BTreeWalk copy() {
        return new BTreeWalk(this);
    }

    private void push(long node, int i) {
        above[depth] = node;
        way[depth] = i;
        depth++;
    }

    /** To the first leaf below offset `o` in our direction. */
    private void descend(long o) {
        while (depth < Layout.BTREE_LEVELS) {
            long node = s.at(o);
            int n = BTree.size(s, node);
            if (!BTree.isInner(node)) {
                long first = BTree.leaf(s, node, log), last = first + ((long) n << log);
                at = ascending ? first : last;
                end = ascending ? last : first;
                return;
            }
            int i = ascending ? 0 : n - 1;
            push(node, i);
            o = BTree.child(node, i);
        }
        throw BTree.tooDeep(s, o);
    }

    /** To the next leaf: there is one, as entries are left. */
    private void nextLeaf() {
        while (depth > 0) {
            long node = above[--depth];
            int i = way[depth] + (ascending ? 1 : -1);
            if (i >= 0 && i < BTree.size(s, node)) {
                push(node, i);
                descend(BTree.child(node, i));
                return;
            }
        }
        throw s.corrupt("a sorted collection has fewer entries than it says", at - s.base);
    }

    @Override
    long next() {
        if (left == 0) {
            return 0;
        }
        if (at == end) {
            nextLeaf();
        }
        left--;
        if (ascending) {
            long a = at;
            at += 1L << log;
            return a;
        }
        at -= 1L << log;
        return at;
    }
}
