package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;
import static eve.Memory.I8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Strings: UTF-8, a lone surrogate as its three bytes. */
final class Text {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Text() {}

    /** The text as bytes of the format. */
    static byte[] encode(String s) {
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c) && i + 1 < s.length() && Character.isLowSurrogate(s.charAt(i + 1))) {
                    i++;
                } else {
                    return encodeLone(s);
                }
            }
        }
        return s.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] encodeLone(String s) {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        int n;
        for (int i = 0; i < s.length(); i += n) {
            int c = s.codePointAt(i);
            n = Character.charCount(c);
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                out.write(0xE0 | c >> 12);
                out.write(0x80 | c >> 6 & 0x3F);
                out.write(0x80 | c & 0x3F);
            } else {
                out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
        }
        return out.toByteArray();
    }

    private static String decodeLone(byte[] b) {
        StringBuilder s = new StringBuilder();
        int from = 0;
        for (int i = 0; i + 2 < b.length; i++) {
            if ((b[i] & 0xFF) == 0xED && (b[i + 1] & 0xFF) >= 0xA0) {
                s.append(new String(b, from, i - from, StandardCharsets.UTF_8));
                s.append((char) (0xD000 | (b[i + 1] & 0x3F) << 6 | b[i + 2] & 0x3F));
                i += 2;
                from = i + 1;
            }
        }
        return s.append(new String(b, from, b.length - from, StandardCharsets.UTF_8)).toString();
    }

    /** The word of a text that fits one, or 0. */
    static long inline(String s) {
        int n = s.length();
        if (n > Layout.INLINE_STRING_MAX) {
            return 0;
        }
        long w = 0;
        for (int i = 0; i < n; i++) {
            char c = s.charAt(i);
            if (c >= 0x80) {
                return inlineBytes(encode(s));
            }
            w |= (long) c << 8 * i;
        }
        return w << 8 | Layout.DESC_STRING + 8L * n;
    }

    private static long inlineBytes(byte[] b) {
        if (b.length > Layout.INLINE_STRING_MAX) {
            return 0;
        }
        long w = 0;
        for (int i = 0; i < b.length; i++) {
            w |= (b[i] & 0xFFL) << 8 * i;
        }
        return w << 8 | Layout.DESC_STRING + 8L * b.length;
    }

    static String decodeInline(long word) {
        int n = (int) word >>> 3 & 7;
        byte[] b = new byte[n];
        for (int i = 0; i < n; i++) {
            b[i] = (byte) (word >>> 8 + 8 * i);
        }
        for (byte x : b) {
            if (x < 0) {
                return decodeLone(b); // short: the search for surrogates costs nothing
            }
        }
        return new String(b, StandardCharsets.ISO_8859_1);
    }

    /** The text object at address `at`. */
    static String decode(Snapshot s, long at) {
        int flags = ALL.get(I8, at + 1);
        if ((flags & Layout.FLAG_ASCII) != 0) {
            int n = ALL.get(I32, at + 12);
            s.bounds(at, 16, n);
            return new String(Memory.bytes(at + 16, n), StandardCharsets.ISO_8859_1);
        }
        int n = ALL.get(I32, at + 16);
        s.bounds(at, 24, n);
        byte[] b = Memory.bytes(at + 24, n);
        return (flags & Layout.FLAG_SURROGATE) != 0 ? decodeLone(b) : new String(b, StandardCharsets.UTF_8);
    }

    /** Is the text object that `word` points to this string? `hash` is its hasheq; the string doesn't fit a word. */
    static boolean equal(Snapshot s, long word, String key, int hash) {
        if ((word & 15) != 0 || word == 0 || Long.compareUnsigned(word, s.limit) >= 0) {
            return false;
        }
        long at = s.base + word;
        long header = ALL.get(I64, at);
        int n = key.length();
        if ((byte) header != Layout.TEXT || ALL.get(I64, at + 8) != ((hash & 0xFFFFFFFFL) | (long) n << 32)) {
            return false;
        }
        // getBytes turns what is not Latin-1 into '?': a text that has one could match falsely.
        int flags = (int) header >>> 8;
        if ((flags & (Layout.FLAG_ASCII | Layout.FLAG_QUESTION)) != Layout.FLAG_ASCII) {
            return key.equals(decode(s, at));
        }
        s.bounds(at, 16, n);
        byte[] b = key.getBytes(StandardCharsets.ISO_8859_1);
        // At least 8 bytes long, or it would fit a word.
        int last = n - 8;
        for (int i = 0; i < last; i += 8) {
            if ((long) LONGS.get(b, i) != ALL.get(I64, at + 16 + i)) {
                return false;
            }
        }
        return last < 0 ? key.equals(decode(s, at)) : (long) LONGS.get(b, last) == ALL.get(I64, at + 16 + last);
    }
}
