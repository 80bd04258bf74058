package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import clojure.lang.BigInt;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashSet;
import clojure.lang.PersistentList;
import clojure.lang.PersistentVector;
import clojure.lang.Ratio;
import clojure.lang.Symbol;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Date;
import java.util.UUID;

/** Words to values. Scalars are copied out; collections become handles that read in place. */
final class Word {
    /** Not a word: its low bits mean nothing. */
    static final long NONE = 8;

    private static final long INT_MIN = -1L << 62;
    private static final long INT_MAX = (1L << 62) - 1;

    private Word() {}

    static Object decode(Snapshot s, long w) {
        if ((w & 1) != 0) {
            return w >> 1;
        }
        if ((w & 15) == 0) {
            return w == 0 ? null : object(s, w);
        }
        if ((w & 3) == 2) {
            return toDouble(w);
        }
        return immediate(s, w);
    }

    static double toDouble(long w) {
        return Double.longBitsToDouble(Long.rotateRight((w & ~3L) | (2 - (w >>> 63)), 3));
    }

    /** The word of a double, or NONE if it has to be an object. */
    static long fromDouble(double d) {
        long bits = Double.doubleToRawLongBits(d);
        int exponent = (int) (bits >>> 60) & 7;
        if (exponent == 3 || exponent == 4) {
            return Long.rotateLeft(bits, 3) & ~3L | 2;
        }
        return bits == 0 ? Layout.ZERO : bits == Long.MIN_VALUE ? Layout.MINUS_ZERO : NONE;
    }

    private static Object immediate(Snapshot s, long w) {
        int descriptor = (int) w & 0xFF;
        switch (descriptor) {
            case Layout.DESC_CONSTANT:
                return constant(s, w);
            case Layout.DESC_CHAR:
                return (char) (w >>> 32);
            case Layout.DESC_KEYWORD:
            case Layout.DESC_SYMBOL:
                return s.slab.symbols.decode(s, w);
            default:
                if (descriptor >= Layout.DESC_STRING && (w & 7) == 4 && descriptor <= Layout.DESC_STRING + 8 * Layout.INLINE_STRING_MAX) {
                    return Text.decodeInline(w);
                }
                throw s.corrupt("no value has the word 0x" + Long.toHexString(w), 0);
        }
    }

    private static Object constant(Snapshot s, long w) {
        switch ((int) w) {
            case Layout.TRUE:
                return Boolean.TRUE;
            case Layout.FALSE:
                return Boolean.FALSE;
            case Layout.ZERO:
                return 0.0;
            case Layout.MINUS_ZERO:
                return -0.0;
            case Layout.EMPTY_MAP:
                return PersistentArrayMap.EMPTY;
            case Layout.EMPTY_VECTOR:
                return PersistentVector.EMPTY;
            case Layout.EMPTY_SET:
                return PersistentHashSet.EMPTY;
            case Layout.EMPTY_LIST:
                return PersistentList.EMPTY;
            default:
                throw s.corrupt("no constant has the word 0x" + Long.toHexString(w), 0);
        }
    }

    private static Object object(Snapshot s, long w) {
        long at = s.at(w);
        switch (ALL.get(I8, at)) {
            case Layout.TEXT:
                return Text.decode(s, at);
            case Layout.I64:
                return ALL.get(I64, at + 8);
            case Layout.F64:
                return Double.longBitsToDouble(ALL.get(I64, at + 8));
            case Layout.BIGINT:
                return BigInt.fromBigInteger(bigInteger(s, at));
            case Layout.RATIO:
                return new Ratio(integer(s, ALL.get(I64, at + 8)), integer(s, ALL.get(I64, at + 16)));
            case Layout.DECIMAL:
                return new BigDecimal(integer(s, ALL.get(I64, at + 8)), ALL.get(I32, at + 16));
            case Layout.UUID:
                return new UUID(ALL.get(I64, at + 8), ALL.get(I64, at + 16));
            case Layout.DATE:
                return new Date(ALL.get(I64, at + 8));
            case Layout.INSTANT:
                return instant(s, at, w);
            case Layout.BYTES:
                int n = ALL.get(I32, at + 8);
                s.bounds(at, 16, n);
                return Memory.bytes(at + 16, n);
            case Layout.ARRAY_MAP:
            case Layout.MAP:
                return EveMap.at(s, w, at);
            case Layout.SET:
                return EveSet.at(s, w, at);
            case Layout.SORTED_MAP:
                return EveSortedMap.at(s, w, at, EveMap.MAP_ENTRY);
            case Layout.SORTED_SET:
                return EveSortedSet.at(s, w, at);
            case Layout.VECTOR:
                return EveVector.at(s, w, at);
            case Layout.LIST:
                return EveList.at(s, w, at);
            default:
                throw s.corrupt("an object of unknown type " + (ALL.get(I8, at) & 0xFF), w);
        }
    }

    private static Instant instant(Snapshot s, long at, long w) {
        try {
            return Instant.ofEpochSecond(ALL.get(I64, at + 8), Integer.toUnsignedLong(ALL.get(I32, at + 16)));
        } catch (java.time.DateTimeException | ArithmeticException e) {
            throw s.corrupt("an instant that java.time.Instant can't hold", w);
        }
    }

    private static BigInteger bigInteger(Snapshot s, long at) {
        int n = ALL.get(I32, at + 8);
        s.bounds(at, 16, n);
        if (n == 0) {
            throw s.corrupt("a big integer without digits", at - s.base);
        }
        return new BigInteger(Memory.bytes(at + 16, n));
    }

    /** A number that is a part of another: integer, I64 or BIGINT. */
    private static BigInteger integer(Snapshot s, long w) {
        if ((w & 1) != 0) {
            return BigInteger.valueOf(w >> 1);
        }
        long at = s.at(w);
        return switch (ALL.get(I8, at)) {
            case Layout.I64 -> BigInteger.valueOf(ALL.get(I64, at + 8));
            case Layout.BIGINT -> bigInteger(s, at);
            default -> throw s.corrupt("a part of a number is no integer", w);
        };
    }

    /** The word of an integer, or NONE if it has to be an object. */
    static long fromLong(long x) {
        return x >= INT_MIN && x <= INT_MAX ? x << 1 | 1 : NONE;
    }

    /** The word of a value that is no object in this slab, or NONE. Keywords and symbols are interned. */
    static long immediateOf(Slab slab, Object x) {
        if (x == null) {
            return 0;
        }
        if (x instanceof Keyword k) {
            return slab.symbols.word(k);
        }
        if (x instanceof Long || x instanceof Integer || x instanceof Short || x instanceof Byte) {
            return fromLong(((Number) x).longValue());
        }
        if (x instanceof Boolean b) {
            return b ? Layout.TRUE : Layout.FALSE;
        }
        if (x instanceof Double || x instanceof Float) {
            return fromDouble(((Number) x).doubleValue());
        }
        if (x instanceof Character c) {
            return (long) c << 32 | Layout.DESC_CHAR;
        }
        if (x instanceof String s) {
            long w = Text.inline(s);
            return w == 0 ? NONE : w;
        }
        return x instanceof Symbol s ? slab.symbols.word(s) : NONE;
    }
}
