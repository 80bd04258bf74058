package eve;

import clojure.lang.Keyword;
import clojure.lang.RT;
import clojure.lang.Symbol;
import clojure.lang.Util;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The order of a sorted collection: the natural one (clojure.core/compare), its reverse, or that of a comparator that has a name. A slab knows the name only;
 * the comparator is what this process has registered under it.
 */
public final class Order {
    static final Order NATURAL = new Order(null, RT.DEFAULT_COMPARATOR);
    static final Order REVERSE = new Order(-1L, Reverse.ORDER);

    private static final Map<Object, Order> NAMED = new ConcurrentHashMap<>();

    /** As it stands in the slab: null, -1, or the comparator's name. */
    final Object word;
    private volatile Comparator<Object> comparator;

    @SuppressWarnings("unchecked") // Clojure's comparators say no type
    private Order(Object word, Comparator<?> comparator) {
        this.word = word;
        this.comparator = (Comparator<Object>) comparator;
    }

    /** An enum, so that serialization gives the same object. */
    private enum Reverse implements Comparator<Object> {
        ORDER;

        @Override
        public int compare(Object a, Object b) {
            return Util.compare(b, a);
        }
    }

    /** The comparator of the reverse order. For eve.alpha. */
    public static Comparator<?> reverse() {
        return REVERSE.comparator;
    }

    private static Order named(Object name) {
        return NAMED.computeIfAbsent(name, n -> new Order(n, null));
    }

    /** Gives a comparator a name (a keyword or symbol), in place of the one that had it. A comparator has one name. */
    @SuppressWarnings("unchecked")
    public static synchronized void register(Object name, Comparator<?> comparator) {
        if (!(name instanceof Keyword || name instanceof Symbol)) {
            throw new IllegalArgumentException("the name of a comparator is a keyword or symbol, not " + RT.printString(name));
        }
        Order known = of(comparator);
        Object plain = name instanceof Symbol s ? Symbol.intern(s.getNamespace(), s.getName()) : name;
        if (known != null && !plain.equals(known.word)) {
            throw new IllegalArgumentException("the comparator has a name already: "
                + (known == NATURAL ? "it is the natural order" : known == REVERSE ? "it is the reverse order" : RT.printString(known.word)));
        }
        named(plain).comparator = (Comparator<Object>) comparator;
    }

    /** The order that the word of a head says. */
    static Order at(Snapshot s, long word) {
        if (word == 0) {
            return NATURAL;
        }
        if (word == -1) {
            return REVERSE;
        }
        int descriptor = (int) word & 0xFF;
        if (descriptor != Layout.DESC_KEYWORD && descriptor != Layout.DESC_SYMBOL) {
            throw s.corrupt("a sorted collection has no order", word);
        }
        return named(s.symbols.decode(s, word));
    }

    /** The order of a comparator, or null if it has no name. */
    static Order of(Comparator<?> comparator) {
        if (comparator == RT.DEFAULT_COMPARATOR) {
            return NATURAL;
        }
        if (comparator == Reverse.ORDER) {
            return REVERSE;
        }
        for (Order o : NAMED.values()) {
            if (o.comparator == comparator) {
                return o;
            }
        }
        return null;
    }

    /** Is it the order of a comparator that the core can't call? */
    boolean isNamed() {
        return this != NATURAL && this != REVERSE;
    }

    Comparator<Object> comparator() {
        Comparator<Object> c = comparator;
        if (c == null) {
            throw new IllegalStateException("a sorted collection is in the order of the comparator " + RT.printString(word)
                + ", which this process doesn't know: see eve.alpha/register-comparator!");
        }
        return c;
    }
}
