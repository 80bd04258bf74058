package eve;

import static eve.Memory.ALL;
import static eve.Memory.I64;

import clojure.lang.Util;
import java.lang.ref.Reference;

/** A transaction: a version to read, and what is to become the next one. One thread uses it; closing it gives it up unless it was committed. */
final class Txn implements AutoCloseable {
    static final long NONE = -1;

    private final Slab slab;
    /** Null: no group, and what the transaction reads is readable in the scope. */
    private final Group group;
    private final Scope scope;
    private final Call call;
    private final long handle;
    final Snapshot base;
    private boolean ended;
    /** What `prepare` has left to do. */
    private Encoder last;
    private long coll;

    Txn(Slab slab) {
        slab.checkWritable();
        this.slab = slab;
        scope = null;
        group = slab.group();
        call = Call.take();
        handle = Native.begin(call, slab.handle, group.id);
        base = slab.publish(group, call.out + 8);
    }

    /** A transaction that holds its base by itself, for as long as it lasts: what was read from it is readable until the scope ends with it. */
    Txn(Slab slab, Scope scope) {
        slab.checkWritable();
        this.slab = slab;
        this.scope = scope;
        group = null;
        call = Call.take();
        handle = Native.begin(call, slab.handle, 0);
        base = slab.scoped(scope, call.out + 8);
    }

    /** Can objects of the snapshot be part of what this transaction makes? Those of other versions may be gone by the commit. */
    boolean links(Snapshot s) {
        return s.version == base.version && s.slab == slab;
    }

    /** The word of a value, which is written if it isn't in the slab. */
    long write(Object x) {
        Snapshot at = null;
        long word = 0;
        if (x instanceof EveMap m) {
            at = m.snapshot;
            word = m.word;
        } else if (x instanceof EveVector v) {
            at = v.snapshot;
            word = v.word;
        }
        if (at != null && links(at)) {
            at.check();
            return word;
        }
        call.args.reset();
        return new Encoder(slab, this, call.args).word(x);
    }

    long build(Buffer b) {
        return Native.build(call, handle, b);
    }

    long importWord(Snapshot s, long word) {
        long w = Native.importWord(call, handle, s.version, word);
        s.check();
        return w;
    }

    /** Applies an operation to a collection that it is defined for. */
    long apply(long coll, int op, Buffer args) {
        if (Native.apply(call, handle, coll, op, args) != Native.OK) {
            throw undefined(op);
        }
        return call.out();
    }

    private static RuntimeException undefined(int op) {
        return Util.runtimeException("eve: operation " + op + " isn't defined for the value");
    }

    /** Writes a value but for the last step, which `finish` does. */
    void prepare(Object x) {
        call.args.reset();
        last = new Encoder(slab, this, call.args);
        coll = last.prepare(x);
    }

    /** Makes what was prepared the atom's value and commits: the new version, or null if another commit came first: run it again. */
    Snapshot finish(long atom) {
        return finished(atom) == NONE ? null : slab.publish(group, call.out);
    }

    /** The same: the number of the new version, or NONE. */
    long finished(long atom) {
        endScope();
        ended = true;
        int status = Native.finish(call, handle, atom, coll, last.op(), call.args);
        last.release();
        if (status == Native.RERUN) {
            throw undefined(last.op());
        }
        return status == Native.CONFLICT ? NONE : ALL.get(I64, call.out);
    }

    private void endScope() {
        if (scope != null) {
            scope.end();
        }
    }

    /** The word of the value that `finish` has made the atom's. */
    long value() {
        return ALL.get(I64, call.out + Native.FINISHED_VALUE);
    }

    /** The word of an atom's value, or NONE of Word; the commit will depend on it. */
    long get(long atom) {
        return Native.get(call, handle, atom);
    }

    void set(long atom, long value) {
        Native.set(call, handle, atom, value);
    }

    void remove(long atom) {
        Native.remove(call, handle, atom);
    }

    /** The new version, or null if another commit came first: run it again. */
    Snapshot commit() {
        ended = true;
        return Native.commit(call, handle, false) == Native.CONFLICT ? null : slab.publish(group, call.out);
    }

    /** Gives the transaction up; what it has made stays readable through the snapshot returned. */
    Snapshot escape() { // of a transaction with a group
        ended = true;
        Native.abort(call, handle, true);
        return base.unversioned();
    }

    @Override
    public void close() {
        if (!ended) {
            endScope();
            ended = true;
            Native.abort(call, handle, false);
        }
        call.close();
        Reference.reachabilityFence(group);
    }

    static void removeAtom(Slab slab, long atom) {
        while (true) {
            try (Txn t = new Txn(slab)) {
                t.remove(atom);
                if (t.commit() != null) {
                    return;
                }
            }
        }
    }

    /** Writes a value that belongs to no atom. */
    static Object unowned(Slab slab, Object x) {
        try (Txn t = new Txn(slab)) {
            long w = t.write(x);
            return Word.decode(t.escape(), w);
        }
    }
}
