package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import java.util.Comparator;

/**
 * The B+tree of a sorted map or set, read in place (docs/format.md, section 3), and a key that is sought in it. Checked are the type and size of every node
 * and the depth: with them a damaged slab can give wrong answers, but no read outside.
 */
final class BTree {
    private static final int FIRST = 16;

    private final Snapshot s;
    private final int log;
    private final Object key;
    private final Comparator<Object> comparator;
    /** The key is an integer that has a word, in an order by value; `turned` with all bits turned if that is the reverse one. */
    private final boolean integer;
    private final long turn;
    private final long turned;

    BTree(Snapshot s, int log, Order order, Object key) {
        this.s = s;
        this.log = log;
        this.key = key;
        comparator = order.comparator();
        turn = order == Order.REVERSE ? -1 : 0;
        if (!order.isNamed() && (key instanceof Long || key instanceof Integer || key instanceof Short || key instanceof Byte)) {
            long k = ((Number) key).longValue();
            integer = Word.fromLong(k) != Word.NONE;
            turned = k ^ turn;
        } else {
            integer = false;
            turned = 0;
        }
    }

    /** Address of the key's entry in the tree at offset `root`, or 0. */
    long find(long root) {
        long o = root;
        for (int level = 0; level < Layout.BTREE_LEVELS; level++) {
            long at = s.at(o);
            int n = size(s, at);
            if (!isInner(at)) {
                int place = search(leaf(s, at, log), log, n);
                return (place & 1) == 0 ? 0 : at + FIRST + ((long) (place >> 1) << log);
            }
            o = child(at, way(at, n));
        }
        throw tooDeep(s, root);
    }

    static RuntimeException tooDeep(Snapshot s, long root) {
        return s.corrupt("the tree of a sorted collection is too deep", root);
    }

    static boolean isInner(long at) {
        return ALL.get(I8, at) == Layout.BTREE_NODE;
    }

    /** Number of entries or children of the node at address `at`: what is read of it lies within the slab's slack then. */
    static int size(Snapshot s, long at) {
        int n = ALL.get(I32, at + 8);
        if (n < 1 || n > Layout.BTREE_WIDTH) {
            throw s.corrupt("a node of " + n + " entries in the tree of a sorted collection", at - s.base);
        }
        return n;
    }

    /** Address of the first entry of the leaf at address `at`. */
    static long leaf(Snapshot s, long at, int log) {
        if (ALL.get(I8, at) != (log == EveMap.MAP_ENTRY ? Layout.BTREE_MAP_LEAF : Layout.BTREE_SET_LEAF)) {
            throw s.corrupt("no leaf below a node of the tree of a sorted collection", at - s.base);
        }
        return at + FIRST;
    }

    static long child(long at, int i) {
        return ALL.get(I64, at + FIRST + 8L * i);
    }

    /** Number of entries below the first i of the n children. */
    static long before(long at, int n, int i) {
        long sum = 0;
        for (long a = at + FIRST + 16L * n, end = a + 4L * i; a < end; a += 4) {
            sum += ALL.get(I32, a) & 0xFFFFFFFFL;
        }
        return sum;
    }

    /** Which of the n children of the node at address `at` may hold the key: the last whose first key isn't beyond it, else the first. */
    int way(long at, int n) {
        int place = search(at + FIRST + 8L * n, 3, n);
        int i = place >> 1;
        return (place & 1) != 0 || i == 0 ? i : i - 1;
    }

    /** Number of the n keys from address `at` on that come before the key, times 2; plus 1 if the next one is it. */
    int search(long at, int stride, int n) {
        if (integer) {
            int place = searchIntegers(at, stride, n);
            if (place >= 0) {
                return place;
            }
        }
        int from = 0, to = n;
        while (from < to) {
            int middle = (from + to) >>> 1;
            Object x = Word.decode(s, ALL.get(I64, at + ((long) middle << stride)));
            s.check();
            int c = comparator.compare(key, x);
            if (c == 0) {
                return middle << 1 | 1;
            }
            if (c > 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from << 1;
    }

    /** The same among integers: without a branch, as a guess would be as good as none. -1 if another key was met. */
    private int searchIntegers(long at, int stride, int n) {
        long a = at, all = 1;
        for (int left = n; left > 1;) {
            int half = left >>> 1;
            long step = (long) half << stride;
            long w = ALL.get(I64, a + step);
            all &= w;
            a += step & ~(turned - (w >> 1 ^ turn) >> 63);
            left -= half;
        }
        long w = ALL.get(I64, a);
        if ((all & w & 1) == 0) {
            return -1;
        }
        long x = w >> 1 ^ turn;
        int i = (int) (a - at >> stride);
        return x < turned ? i + 1 << 1 : x == turned ? i << 1 | 1 : i << 1;
    }
}
