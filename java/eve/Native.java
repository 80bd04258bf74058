package eve;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.LongAdder;

/**
 * The C functions of include/eve.h. Pointers are passed as addresses. Every method here is one crossing of the border
 * (counted with -Deve.count-crossings=true); an error status becomes an {@link EveException}, an outcome is returned.
 */
final class Native {
    static final int ABI = 1;

    // Outcomes.
    static final int OK = 0;
    static final int NOT_FOUND = 1;
    static final int CONFLICT = 2;
    static final int TIMEOUT = 3;
    static final int RERUN = 5;

    // Operations.
    static final int OP_RESET = 0;
    static final int OP_ASSOC = 1;
    static final int OP_DISSOC = 2;
    static final int OP_CONJ = 3;
    static final int OP_DISJ = 4;
    static final int OP_POP = 5;
    static final int OP_ADD = 6;

    // Flags of eve_options.
    static final int CREATE = 1;
    static final int MUST_EXIST = 2;
    static final int READ_ONLY = 4;

    /** Size of an eve_view. */
    static final int FINISHED_VALUE = 48;

    static final boolean COUNT = Boolean.getBoolean("eve.count-crossings");
    static final LongAdder CROSSINGS = new LongAdder();

    private static final SymbolLookup LIBRARY = load();

    // A class for each, so that a handle is linked when it is used first: that costs some ms each, and few programs use them all. It is still a
    // constant for the compiler.
    private static final class Open { static final MethodHandle CALL = function("eve_open", "pppp"); }
    private static final class OpenAnonymous { static final MethodHandle CALL = function("eve_open_anonymous", "ppp"); }
    private static final class Close { static final MethodHandle CALL = function("eve_close", "lp"); }
    private static final class SlabMemory { static final MethodHandle CALL = function("eve_slab_memory", "lpp"); }
    private static final class GroupOpen { static final MethodHandle CALL = function("eve_group_open", "lpp"); }
    private static final class GroupClose { static final MethodHandle CALL = function("eve_group_close", "lip"); }
    private static final class Reclaim { static final MethodHandle CALL = function("eve_reclaim", "lp"); }
    private static final class GroupView { static final MethodHandle CALL = function("eve_group_view", "lipp"); }
    private static final class Sync { static final MethodHandle CALL = function("eve_sync", "lpp"); }
    private static final class Wait { static final MethodHandle CALL = function("eve_wait", "lllpp"); }
    private static final class Wake { static final MethodHandle CALL = function("eve_wake", "lp"); }
    private static final class Gc { static final MethodHandle CALL = function("eve_gc", "lpp"); }
    private static final class Verify { static final MethodHandle CALL = function("eve_verify", "lpplpp"); }
    private static final class Backup { static final MethodHandle CALL = function("eve_backup", "lppp"); }
    private static final class Compact { static final MethodHandle CALL = function("eve_compact", "lpppp"); }
    private static final class Intern { static final MethodHandle CALL = function("eve_symbol_intern", "liplplpp"); }
    private static final class IterOpen { static final MethodHandle CALL = function("eve_iter_open", "llpp"); }
    private static final class IterClose { static final MethodHandle CALL = function("eve_iter_close", "lp"); }
    private static final class TxnBegin { static final MethodHandle CALL = function("eve_txn_begin", "lippp"); }
    private static final class TxnGet { static final MethodHandle CALL = function("eve_txn_get", "llpp"); }
    private static final class TxnSet { static final MethodHandle CALL = function("eve_txn_set", "lllp"); }
    private static final class TxnRemove { static final MethodHandle CALL = function("eve_txn_remove", "llp"); }
    private static final class TxnCommit { static final MethodHandle CALL = function("eve_txn_commit", "lipp"); }
    private static final class TxnAbort { static final MethodHandle CALL = function("eve_txn_abort", "lip"); }
    private static final class TxnBuild { static final MethodHandle CALL = function("eve_txn_build", "lplpp"); }
    private static final class TxnImport { static final MethodHandle CALL = function("eve_txn_import", "lllpp"); }
    private static final class TxnFinish { static final MethodHandle CALL = function("eve_txn_finish", "lllipLippp"); }
    private static final class TxnApply { static final MethodHandle CALL = function("eve_txn_apply", "lilipLpp"); }
    private static final class Swap { static final MethodHandle CALL = function("eve_swap", "lilipLpp"); }

    private Native() {}

    /** `types`: p and l are 64 bits wide, i 32. */
    private static MethodHandle function(String name, String types) {
        MemoryLayout[] args = new MemoryLayout[types.length()];
        for (int i = 0; i < args.length; i++) {
            args[i] = types.charAt(i) == 'i' ? JAVA_INT : JAVA_LONG;
        }
        MemorySegment address = LIBRARY.find(name)
                .orElseThrow(() -> new EveException(0, "the library eve has no function " + name + ": it belongs to another version of eve"));
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(JAVA_INT, args));
    }

    private static SymbolLookup load() {
        Library lib = Library.load();
        int abi;
        try {
            MemorySegment f = lib.symbols.find("eve_abi_version").orElseThrow(() -> new EveException(0, lib.path + " is not the eve library"));
            abi = (int) Linker.nativeLinker().downcallHandle(f, FunctionDescriptor.of(JAVA_INT)).invokeExact();
        } catch (Throwable e) {
            throw sneaky(e);
        }
        if (abi != ABI) {
            throw new EveException(0, lib.path + " has ABI " + abi + ", these classes need ABI " + ABI + ": use library and classes of one version");
        }
        return lib.symbols;
    }

    /** Any throwable of a method handle: none is expected but errors of the JVM. */
    static RuntimeException sneaky(Throwable t) {
        return Native.<RuntimeException>cast(t);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> RuntimeException cast(Throwable t) throws T {
        throw (T) t;
    }

    private static void count() {
        if (COUNT) {
            CROSSINGS.increment();
        }
    }

    /** The path is in c's buffer, NUL-terminated, the options at c.options. Result: c.out. */
    static void open(Call c) {
        count();
        try {
            c.check((int) Open.CALL.invokeExact(c.buffer(), c.options, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void openAnonymous(Call c) {
        count();
        try {
            c.check((int) OpenAnonymous.CALL.invokeExact(c.options, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void close(Call c, long slab) {
        count();
        try {
            c.check((int) Close.CALL.invokeExact(slab, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void slabMemory(Call c, long slab) {
        count();
        try {
            c.check((int) SlabMemory.CALL.invokeExact(slab, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void groupOpen(Call c, long slab) {
        count();
        try {
            c.check((int) GroupOpen.CALL.invokeExact(slab, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void groupClose(Call c, long slab, int group) {
        count();
        try {
            c.check((int) GroupClose.CALL.invokeExact(slab, group, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void reclaim(Call c, long slab) {
        count();
        try {
            c.check((int) Reclaim.CALL.invokeExact(slab, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void groupView(Call c, long slab, int group) {
        count();
        try {
            c.check((int) GroupView.CALL.invokeExact(slab, group, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void sync(Call c, long slab) {
        count();
        try {
            c.check((int) Sync.CALL.invokeExact(slab, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static int await(Call c, long slab, long seen, long timeoutMs) {
        count();
        try {
            return c.check((int) Wait.CALL.invokeExact(slab, seen, timeoutMs, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void wake(Call c, long slab) {
        count();
        try {
            c.check((int) Wake.CALL.invokeExact(slab, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    /** The bytes of namespace (nsLength -1: none) and name stand in c's buffer, one after the other. Returns the word. */
    static long intern(Call c, long slab, int kind, long nsLength, long nameLength) {
        count();
        try {
            long name = c.buffer() + Math.max(0, nsLength);
            c.check((int) Intern.CALL.invokeExact(slab, kind, c.buffer(), nsLength, name, nameLength, c.out, c.err));
            return c.out();
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static long iterOpen(Call c, long slab, long word) {
        count();
        try {
            c.check((int) IterOpen.CALL.invokeExact(slab, word, c.out, c.err));
            return c.out();
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void iterClose(Call c, long iter) {
        count();
        try {
            c.check((int) IterClose.CALL.invokeExact(iter, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    /** Returns the transaction; the base's view is at c.out + 8. */
    static long begin(Call c, long slab, int group) {
        count();
        try {
            c.check((int) TxnBegin.CALL.invokeExact(slab, group, c.out, c.out + 8, c.err));
            return c.out();
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    /** The word of an atom's value, or Word.NONE. */
    static long get(Call c, long txn, long atom) {
        count();
        try {
            return c.check((int) TxnGet.CALL.invokeExact(txn, atom, c.out, c.err)) == OK ? c.out() : Word.NONE;
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void set(Call c, long txn, long atom, long value) {
        count();
        try {
            c.check((int) TxnSet.CALL.invokeExact(txn, atom, value, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void remove(Call c, long txn, long atom) {
        count();
        try {
            c.check((int) TxnRemove.CALL.invokeExact(txn, atom, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static int commit(Call c, long txn, boolean escaped) {
        count();
        try {
            return c.check((int) TxnCommit.CALL.invokeExact(txn, escaped ? 1 : 0, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void abort(Call c, long txn, boolean escaped) {
        count();
        try {
            c.check((int) TxnAbort.CALL.invokeExact(txn, escaped ? 1 : 0, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static long build(Call c, long txn, Buffer b) {
        count();
        try {
            c.check((int) TxnBuild.CALL.invokeExact(txn, b.address(), b.length(), c.out, c.err));
            return c.out();
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static long importWord(Call c, long txn, long version, long word) {
        count();
        try {
            c.check((int) TxnImport.CALL.invokeExact(txn, version, word, c.out, c.err));
            return c.out();
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static int apply(Call c, long txn, long coll, int op, Buffer b) {
        count();
        try {
            return c.check((int) TxnApply.CALL.invokeExact(txn, 0, coll, op, b.address(), b.length(), c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    /** The view is at c.out, the atom's value at c.out + FINISHED_VALUE. */
    static int finish(Call c, long txn, long atom, long coll, int op, Buffer b) {
        count();
        try {
            return c.check((int) TxnFinish.CALL.invokeExact(txn, atom, coll, op, b.address(), b.length(), 0, c.out, c.out + FINISHED_VALUE, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static int swap(Call c, long slab, int group, long atom, int op, Buffer b) {
        count();
        try {
            return c.check((int) Swap.CALL.invokeExact(slab, group, atom, op, b.address(), b.length(), c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void gc(Call c, long slab, long report) {
        count();
        try {
            c.check((int) Gc.CALL.invokeExact(slab, report, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    /** The length of the lines is at c.out. */
    static void verify(Call c, long slab, long report, long lines, long size) {
        count();
        try {
            c.check((int) Verify.CALL.invokeExact(slab, report, lines, size, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void backup(Call c, long slab, long path) {
        count();
        try {
            c.check((int) Backup.CALL.invokeExact(slab, path, c.out, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }

    static void compact(Call c, long slab, long path) {
        count();
        try {
            c.check((int) Compact.CALL.invokeExact(slab, path, c.out, c.out + 8, c.err));
        } catch (Throwable t) {
            throw sneaky(t);
        }
    }
}
