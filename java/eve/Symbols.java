package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import clojure.lang.Keyword;
import clojure.lang.Named;
import clojure.lang.Symbol;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Keywords and symbols of a slab: a word has an id, an id always means the same symbol. */
final class Symbols {
    private static final int NO_NAMESPACE = -1;

    private final Slab slab;
    /**
     * Keyword or Symbol by id; null: not met yet. Entries are only added, and the objects are immutable, so a plain read that misses a new
     * array or entry only takes the slow way once more.
     */
    Object[] byId = new Object[256];
    private final Map<Object, Long> words = new ConcurrentHashMap<>();

    Symbols(Slab slab) {
        this.slab = slab;
    }

    /** The keyword or symbol of a keyword's or symbol's word. */
    Object decode(Snapshot s, long word) {
        int id = (int) word >>> 8;
        Object[] known = byId;
        Object x = id < known.length ? known[id] : null;
        return x != null ? x : load(s, word, id);
    }

    private Object load(Snapshot s, long word, int id) {
        // Symbols are never freed or moved; they may be newer than the version that is being read.
        long limit = slab.backed();
        int k = 31 - Integer.numberOfLeadingZeros((id >>> 6) + 1);
        long chunk = slot(s, limit, ALL.get(I64, s.base + Layout.CONTROL_SYMBOLS), k);
        long symbol = slot(s, limit, chunk, id - 64 * ((1 << k) - 1));
        if (Long.compareUnsigned(symbol, limit) >= 0 || symbol == 0) {
            throw s.corrupt("no symbol has the id " + id, symbol);
        }
        long at = s.base + symbol;
        boolean keyword = (word & 0xFF) == Layout.DESC_KEYWORD;
        int kind = (int) (ALL.get(I64, at + 8) >>> 56);
        Object ns = Word.decode(s, ALL.get(I64, at + 16));
        Object name = Word.decode(s, ALL.get(I64, at + 24));
        if (kind != (keyword ? 0 : 1) || !(name instanceof String) || !(ns == null || ns instanceof String)) {
            throw s.corrupt("the symbol " + id + " is malformed", symbol);
        }
        Symbol sym = Symbol.intern((String) ns, (String) name);
        Object x = keyword ? Keyword.intern(sym) : sym;
        int hash = keyword ? ((Keyword) x).hasheq() : sym.hasheq();
        if (hash != (int) (word >>> 32)) {
            throw s.corrupt("the hash of " + x + " is wrong", symbol);
        }
        s.check();
        remember(id, x, word);
        return x;
    }

    private static long slot(Snapshot s, long limit, long object, int i) {
        if (Long.compareUnsigned(object, limit) >= 0 || object == 0 || object + 16 + 8L * i >= limit) {
            throw s.corrupt("the symbol table is malformed", object);
        }
        return ALL.get(I64, s.base + object + 16 + 8L * i);
    }

    private synchronized void remember(int id, Object x, long word) {
        if (id >= byId.length) {
            byId = Arrays.copyOf(byId, Math.max(id + 1, Math.min(2 * byId.length, Layout.SYMBOLS_MAX)));
        }
        byId[id] = x;
        words.put(x, word);
    }

    /** The word of a keyword or symbol, which is interned if it is new to the slab. */
    long word(Named x) {
        Long w = words.get(x);
        return w != null ? w : intern(x);
    }

    private long intern(Named x) {
        byte[] ns = x.getNamespace() == null ? new byte[0] : Text.encode(x.getNamespace());
        byte[] name = Text.encode(x.getName());
        try (Call c = Call.take()) {
            c.args.bytes(ns);
            c.args.bytes(name);
            int kind = x instanceof Keyword ? 0 : 1;
            long word = Native.intern(c, slab.handle, kind, x.getNamespace() == null ? NO_NAMESPACE : ns.length, name.length);
            // A symbol may carry metadata, which is not part of it.
            Object plain = x instanceof Symbol s ? Symbol.intern(s.getNamespace(), s.getName()) : x;
            remember((int) word >>> 8, plain, word);
            return word;
        }
    }
}
