package eve;

import static eve.Memory.ALL;
import static eve.Memory.I32;
import static eve.Memory.I64;

import java.lang.invoke.VarHandle;

/** One version of a slab, readable while this object can be reached. */
final class Snapshot {
    /** No version: what was made outside of any commit. It can be read, but never linked from a new version. */
    static final long NO_VERSION = -1;

    final Slab slab;
    /** Keeps the memory mapped, and the version pinned unless that is for the scope's time only. */
    final Group group;
    /** How long it can be read; usually the group. */
    final Scope scope;
    final Symbols symbols;
    /** Address of offset 0. */
    final long base;
    /** Every object starts below this offset. */
    final long limit;
    final long version;
    /** The state map's word: atom name to value. */
    final long state;
    /** The root word while this version is current. */
    final int record;
    /** Address of the version's number in its root record. */
    final long recordVersion;

    /** From an eve_view at address `view`. */
    Snapshot(Slab slab, Group group, long view) {
        this(slab, group, group, view);
    }

    Snapshot(Slab slab, Group group, Scope scope, long view) {
        this(slab, group, scope, ALL.get(I64, view), ALL.get(I64, view + 8), ALL.get(I64, view + 16), ALL.get(I32, view + 40));
    }

    private Snapshot(Slab slab, Group group, Scope scope, long version, long state, long limit, int record) {
        this.slab = slab;
        this.group = group;
        this.scope = scope;
        this.symbols = slab.symbols;
        this.base = slab.base;
        this.limit = limit;
        this.version = version;
        this.state = state;
        this.record = record;
        this.recordVersion = base + Layout.RECORDS + (long) record * Layout.RECORD_SIZE + Layout.RECORD_VERSION;
    }

    /** The same memory for objects that no version holds; `limit` as it is now. */
    Snapshot unversioned() {
        return new Snapshot(slab, group, scope, NO_VERSION, 0, slab.backed(), 0);
    }

    /** The version before, which the group holds as well. */
    Snapshot previous() {
        return new Snapshot(slab, group, scope, version - 1, 0, limit, 0);
    }

    static long retired(long view) {
        return ALL.get(I64, view + 32);
    }

    /** To be called after every read, before its result is used. */
    void check() {
        // The read must not slip behind the look at `dead`.
        VarHandle.loadLoadFence();
        if (scope.dead || group.dead) {
            throw released();
        }
    }

    /** Can it end while it is reachable? */
    boolean isScoped() {
        return scope != group;
    }

    private RuntimeException released() {
        return group.dead || slab.isClosed() ? slab.closed() : EveException.released("this value belongs to version " + version + " of " + slab.name()
            + " and came from " + scope.what() + "; read it before that, or copy it out (eve.alpha/copy)");
    }

    /** Address of the object that `word` points to. */
    long at(long word) {
        if (Long.compareUnsigned(word, limit) >= 0 || (word & 15) != 0) {
            throw corrupt("a pointer leads out of the slab", word);
        }
        return base + word;
    }

    /** Throws unless the n bytes behind offset `from` of the object at `address` can be read. */
    void bounds(long address, long from, long n) {
        // Behind the limit follow SLACK readable bytes.
        if (n < 0 || address - base + from + n > limit + Layout.SLACK) {
            throw corrupt("an object is longer than the slab", address - base);
        }
    }

    RuntimeException corrupt(String what, long offset) {
        check(); // of a closed slab anything may have been read
        return new EveException(EveException.CORRUPT, "the slab " + slab.name() + " is damaged at offset 0x" + Long.toHexString(offset) + ": " + what);
    }

    /** The JVM's answer to a page that isn't in the file. */
    RuntimeException fault(InternalError e) {
        check();
        return new EveException(EveException.CORRUPT, "the slab " + slab.name() + " is damaged or was truncated while it was open", e);
    }
}
