package eve;

import clojure.lang.RT;

/** The functions of clojure.core that the slab can do in one call, recognised by identity. */
final class CoreOps {
    static final int NONE = -1;

    private static final Object ASSOC = core("assoc");
    private static final Object DISSOC = core("dissoc");
    private static final Object CONJ = core("conj");
    private static final Object DISJ = core("disj");
    private static final Object POP = core("pop");
    private static final Object INC = core("inc");
    private static final Object DEC = core("dec");
    private static final Object PLUS = core("+");
    private static final Object MINUS = core("-");

    private CoreOps() {}

    private static Object core(String name) {
        return RT.var("clojure.core", name).getRawRoot();
    }

    /** The operation that does what f does with these arguments after the atom's value, or NONE. */
    static int of(Object f, Object[] args) {
        int n = args.length;
        if (f == ASSOC) {
            return n >= 2 && n % 2 == 0 ? Native.OP_ASSOC : NONE;
        }
        if (f == INC || f == DEC || f == POP) {
            return n != 0 ? NONE : f == POP ? Native.OP_POP : Native.OP_ADD;
        }
        if (f == PLUS || f == MINUS) {
            return n == 1 && args[0] instanceof Long x && x != Long.MIN_VALUE ? Native.OP_ADD : NONE;
        }
        if (n == 0) {
            return NONE;
        }
        return f == CONJ ? Native.OP_CONJ : f == DISSOC ? Native.OP_DISSOC : f == DISJ ? Native.OP_DISJ : NONE;
    }

    /** What OP_ADD adds. */
    static Object[] summand(Object f, Object[] args) {
        long x = f == INC ? 1L : f == DEC ? -1L : f == PLUS ? (Long) args[0] : -(Long) args[0];
        return new Object[] {x};
    }
}
