package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

import clojure.lang.Keyword;
import clojure.lang.Murmur3;
import clojure.lang.Util;
import java.util.Arrays;

/**
 * Look-up in the CHAMP tries of maps and sets, in place (docs/format.md, section 3). `root` is an offset; an entry has 1 &lt;&lt; `log` bytes: 16 in
 * maps, 8 in sets. Each method returns the address of the entry found, or 0. The only checks are that a node starts within the slab and
 * that the depth is bounded: with them a damaged slab can give wrong answers, but no read outside.
 */
final class Trie {
    /** Below this shift stand collision nodes. */
    static final int SHIFT_END = 35;
    private static final int ARRAY_HEAD = 24;
    private static final int HEAD = 16;

    private Trie() {}

    /** Entry of any key. */
    static long find(Snapshot s, long root, int log, Object key) {
        if (key instanceof Keyword k) {
            return findKeyword(s, root, log, k);
        }
        if (key instanceof String t) {
            return findString(s, root, log, t);
        }
        if (key instanceof Long || key instanceof Integer || key instanceof Short || key instanceof Byte) {
            return findLong(s, root, log, ((Number) key).longValue(), key);
        }
        return findOther(s, root, log, key, hash(key));
    }

    static int hash(Object key) {
        // A float is stored as the double that it equals, which has another hash.
        return key instanceof byte[] b ? Arrays.hashCode(b) : Util.hasheq(key instanceof Float f ? (Object) (double) f : key);
    }

    static RuntimeException bad(Snapshot s, long offset) {
        return s.corrupt("a pointer leads out of the slab", offset);
    }

    static long findLong(Snapshot s, long root, int log, long k, Object key) {
        int h = Murmur3.hashLong(k);
        long base = s.base, limit = s.limit, o = root;
        for (int shift = 0; shift < SHIFT_END; shift += 5) {
            if (Long.compareUnsigned(o, limit) >= 0) {
                throw bad(s, o);
            }
            long n = base + o, maps = ALL.get(I64, n + 8);
            int entries = (int) maps, nodes = (int) (maps >>> 32), bit = 1 << (h >>> shift);
            if ((nodes & bit) != 0) {
                o = ALL.get(I64, n + HEAD + 8L * Integer.bitCount(nodes & (bit - 1)));
                continue;
            }
            if ((entries & bit) == 0) {
                return 0;
            }
            long a = n + HEAD + 8L * Integer.bitCount(nodes) + ((long) Integer.bitCount(entries & (bit - 1)) << log);
            long w = ALL.get(I64, a);
            if ((w & 1) != 0) {
                return w >> 1 == k ? a : 0;
            }
            return equal(s, w, key) ? a : 0; // a boxed integer, or another number that is equal
        }
        return findColliding(s, o, log, key, h);
    }

    static long findKeyword(Snapshot s, long root, int log, Keyword k) {
        int h = k.hasheq();
        Object[] byId = s.symbols.byId;
        long base = s.base, limit = s.limit, o = root;
        for (int shift = 0; shift < SHIFT_END; shift += 5) {
            if (Long.compareUnsigned(o, limit) >= 0) {
                throw bad(s, o);
            }
            long n = base + o, maps = ALL.get(I64, n + 8);
            int entries = (int) maps, nodes = (int) (maps >>> 32), bit = 1 << (h >>> shift);
            if ((nodes & bit) != 0) {
                o = ALL.get(I64, n + HEAD + 8L * Integer.bitCount(nodes & (bit - 1)));
                continue;
            }
            if ((entries & bit) == 0) {
                return 0;
            }
            long a = n + HEAD + 8L * Integer.bitCount(nodes) + ((long) Integer.bitCount(entries & (bit - 1)) << log);
            long w = ALL.get(I64, a);
            return is(s, byId, w, k, h) ? a : 0;
        }
        return findColliding(s, o, log, k, h);
    }

    /** Is `w` the keyword's word? */
    private static boolean is(Snapshot s, Object[] byId, long w, Keyword k, int h) {
        if ((int) (w >>> 32) != h) {
            return false;
        }
        int id = (int) w >>> 8;
        Object known = id < byId.length ? byId[id] : null;
        // Keywords and symbols share the ids, so the object decides about the kind as well; but other words may look alike.
        return (w & 0xFF) == Layout.DESC_KEYWORD && (known == k || known == null && s.symbols.decode(s, w) == k);
    }

    static long findString(Snapshot s, long root, int log, String k) {
        long word = Text.inline(k);
        int h = k.isEmpty() ? 0 : Murmur3.hashInt(k.hashCode());
        long base = s.base, limit = s.limit, o = root;
        for (int shift = 0; shift < SHIFT_END; shift += 5) {
            if (Long.compareUnsigned(o, limit) >= 0) {
                throw bad(s, o);
            }
            long n = base + o, maps = ALL.get(I64, n + 8);
            int entries = (int) maps, nodes = (int) (maps >>> 32), bit = 1 << (h >>> shift);
            if ((nodes & bit) != 0) {
                o = ALL.get(I64, n + HEAD + 8L * Integer.bitCount(nodes & (bit - 1)));
                continue;
            }
            if ((entries & bit) == 0) {
                return 0;
            }
            long a = n + HEAD + 8L * Integer.bitCount(nodes) + ((long) Integer.bitCount(entries & (bit - 1)) << log);
            long w = ALL.get(I64, a);
            return w == word || word == 0 && Text.equal(s, w, k, h) ? a : 0;
        }
        return findColliding(s, o, log, k, h);
    }

    private static long findOther(Snapshot s, long root, int log, Object key, int h) {
        long base = s.base, limit = s.limit, o = root;
        for (int shift = 0; shift < SHIFT_END; shift += 5) {
            if (Long.compareUnsigned(o, limit) >= 0) {
                throw bad(s, o);
            }
            long n = base + o, maps = ALL.get(I64, n + 8);
            int entries = (int) maps, nodes = (int) (maps >>> 32), bit = 1 << (h >>> shift);
            if ((nodes & bit) != 0) {
                o = ALL.get(I64, n + HEAD + 8L * Integer.bitCount(nodes & (bit - 1)));
                continue;
            }
            if ((entries & bit) == 0) {
                return 0;
            }
            long a = n + HEAD + 8L * Integer.bitCount(nodes) + ((long) Integer.bitCount(entries & (bit - 1)) << log);
            return equal(s, ALL.get(I64, a), key) ? a : 0;
        }
        return findColliding(s, o, log, key, h);
    }

    private static long findColliding(Snapshot s, long o, int log, Object key, int h) {
        long at = s.at(o);
        int n = collisionCount(s, at, log);
        if (ALL.get(I32, at + 8) != h) {
            return 0;
        }
        for (int i = 0; i < n; i++) {
            long a = at + HEAD + ((long) i << log);
            if (equal(s, ALL.get(I64, a), key)) {
                return a;
            }
        }
        return 0;
    }

    /** Number of entries of the collision node at address `at`; throws if it isn't one. */
    static int collisionCount(Snapshot s, long at, int log) {
        int type = ALL.get(Memory.I8, at);
        int n = ALL.get(I32, at + 12);
        if (type != (log == EveMap.MAP_ENTRY ? Layout.MAP_COLLISION : Layout.SET_COLLISION)) {
            throw s.corrupt("no collision node below the deepest level", at - s.base);
        }
        s.bounds(at, HEAD, (n & 0xFFFFFFFFL) << log);
        return n;
    }

    /** Entry of `key` in the n entries of the array map at offset `o`. */
    static long findInArray(Snapshot s, long o, int n, Object key) {
        long at = s.base + o + ARRAY_HEAD;
        long end = at + 16L * n;
        if (key instanceof Keyword k) {
            Object[] byId = s.symbols.byId;
            int h = k.hasheq();
            for (; at < end; at += 16) {
                if (is(s, byId, ALL.get(I64, at), k, h)) {
                    return at;
                }
            }
            return 0;
        }
        long word = key instanceof String t ? Text.inline(t) : 0;
        for (; at < end; at += 16) {
            long w = ALL.get(I64, at);
            if (word != 0 ? w == word : equal(s, w, key)) {
                return at;
            }
        }
        return 0;
    }

    /** Is the value of `w` equal to `key`, as Clojure's maps see it? */
    static boolean equal(Snapshot s, long w, Object key) {
        if (key == null || w == 0) {
            return key == null && w == 0;
        }
        if ((w & 1) != 0) {
            return key instanceof Number n ? Util.equiv(n, (Object) (w >> 1)) : false;
        }
        if (key instanceof String t) {
            long inline = Text.inline(t);
            return inline != 0 ? w == inline : Text.equal(s, w, t, Murmur3.hashInt(t.hashCode()));
        }
        Object x = Word.decode(s, w);
        if (key instanceof byte[] b) {
            return x instanceof byte[] c && Arrays.equals(b, c);
        }
        return Util.equiv(key, x);
    }
}
