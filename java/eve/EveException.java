package eve;

import clojure.lang.IExceptionInfo;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.RT;

/** An error of the slab or its library. {@link #code} is the status of include/eve.h (negative), or 0 if it comes from these classes. */
public final class EveException extends RuntimeException implements IExceptionInfo {
    private static final long serialVersionUID = 1;

    static final int CORRUPT = -6;
    static final int TYPE = -8;
    static final int CLOSED = -10;
    static final int READ_ONLY = -13;
    static final int LIMIT = -14;
    static final int NOT_FOUND = -17;

    private static final String[] NAMES = {
        "loading", "argument", "handle", "io", "not-a-slab", "version", "corrupt", "full", "type", "busy", "closed", "forked", "remote",
        "read-only", "limit", "buffer", "permission", "not-found", "not-durable"
    };

    /** Status of include/eve.h, or 0. */
    public final int code;
    private final String kind;

    EveException(int code, String message) {
        this(code, -code < NAMES.length && code <= 0 ? NAMES[-code] : "bug", message);
    }

    private EveException(int code, String kind, String message) {
        super(message);
        this.code = code;
        this.kind = kind;
    }

    /** A value was used after the call or snapshot that gave it. */
    static EveException released(String message) {
        return new EveException(0, "released", message);
    }

    /** A walk through a value has overflowed the stack. For eve.alpha. */
    public static EveException tooDeep() {
        return new EveException(LIMIT, "a value is nested deeper than this thread's stack allows; or it contains itself, then the slab is damaged: see `eve verify`");
    }

    /** `origin` is suppressed, and no cause: a REPL shows only the innermost cause, which would hide what the message says. */
    EveException(int code, String message, Throwable origin) {
        this(code, message);
        addSuppressed(origin);
    }

    /** {:eve/error kind, :eve/code status}; kind is for example :corrupt, :closed, :released, :full or :not-a-slab. */
    @Override
    public IPersistentMap getData() {
        return RT.map(Keyword.intern("eve", "error"), Keyword.intern(kind), Keyword.intern("eve", "code"), (long) code);
    }
}
