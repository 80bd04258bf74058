package eve;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Hash and equality of values in slabs. A value of 40 objects can have 2^40 paths, when each holds the next one twice, and a collection that is met
 * again is another Java object each time: so what a thread has walked is remembered, by place, until its outermost walk ends.
 */
final class Walk {
    static final int HASHEQ = 0;
    static final int HASH_CODE = 1;
    static final int EQUIV = 2;
    static final int EQUALS = 3;

    /** Steps that make an answer worth remembering. What took fewer is walked again, which a value of few paths never notices. */
    private static final int WORTH = 128;
    private static final ThreadLocal<Walk> CURRENT = ThreadLocal.withInitial(Walk::new);

    private int depth;
    private long steps;
    private Map<Question, Object> known;

    private Walk() {}

    /** What was asked of the object at `word`; `other`, which it was compared with, is a slab with the word in it, or an object that lies in none, or null. */
    private record Question(int what, Slab slab, long word, Object other, long otherWord) {
        static Question of(int what, Snapshot s, long word, Object other) {
            // Versions that are read are pinned, so the place decides.
            return other instanceof EveMap m ? new Question(what, s.slab, word, m.snapshot.slab, m.word)
                : other instanceof EveVector v ? new Question(what, s.slab, word, v.snapshot.slab, v.word)
                : other instanceof EveList l ? new Question(what, s.slab, word, l.snapshot.slab, l.word)
                : other instanceof EveSet t && t.elements instanceof EveMap m ? new Question(what, s.slab, word, m.snapshot.slab, m.word)
                : other instanceof EveSortedMap m ? new Question(what, s.slab, word, m.snapshot.slab, m.word)
                : other instanceof EveSortedSet t && t.elements instanceof EveSortedMap m ? new Question(what, s.slab, word, m.snapshot.slab, m.word)
                : new Question(what, s.slab, word, other, 0);
        }

        // Not by the objects' own equality, which is what is asked.
        @Override
        public boolean equals(Object o) {
            return o instanceof Question q && what == q.what && slab == q.slab && word == q.word && other == q.other && otherWord == q.otherWord;
        }

        @Override
        public int hashCode() {
            long h = word * 31 + otherWord + what;
            return Long.hashCode(h * 0x9e3779b97f4a7c15L) + System.identityHashCode(other);
        }
    }

    /** The answer for a collection of `count` elements at `word`; `walk` finds it out. */
    static <T> T ask(int what, Snapshot s, long word, int count, Object other, Supplier<T> walk) {
        return CURRENT.get().answer(what, s, word, count, other, walk);
    }

    private <T> T answer(int what, Snapshot s, long word, int count, Object other, Supplier<T> walk) {
        if (known != null) {
            @SuppressWarnings("unchecked")
            T answer = (T) known.get(Question.of(what, s, word, other));
            if (answer != null) {
                return answer;
            }
        }
        long start = steps;
        depth++;
        try {
            T answer = walk.get();
            steps += 1 + count;
            if (steps - start >= WORTH) {
                if (known == null) {
                    known = new HashMap<>();
                }
                known.put(Question.of(what, s, word, other), answer);
            }
            return answer;
        } catch (StackOverflowError e) {
            throw EveException.tooDeep();
        } finally {
            if (--depth == 0) {
                steps = 0;
                known = null;
            }
        }
    }
}
