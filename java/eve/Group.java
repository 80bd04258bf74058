package eve;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/**
 * An interval of versions that stay readable while this object can be reached. Handles hold snapshots, snapshots hold their group; only the
 * group is tracked by the collector, so tracking costs one reference for a MiB of garbage in the slab and not one for each handle.
 */
final class Group extends Scope {
    static final ReferenceQueue<Group> QUEUE = new ReferenceQueue<>();

    final Slab slab;
    final int id;
    /** First version. */
    volatile long version;
    /** Retired bytes of the slab at the first version; Long.MAX_VALUE: not known yet. */
    volatile long retired = Long.MAX_VALUE;
    /** The same at the last version. */
    volatile long retiredLast;
    final long opened = System.nanoTime();
    /** Set once, before the group is used. */
    Ref ref;
    Group(Slab slab, int id) {
        super("a snapshot that was closed");
        this.slab = slab;
        this.id = id;
    }

    /** Notices that a group has become unreachable. */
    static final class Ref extends WeakReference<Group> {
        final Slab slab;
        final int id;
        final long opened;
        /** First version. Set when the group takes no more. */
        volatile long version;
        /** What the group holds at most: the bytes that died from its first version on until the next group's first, as far as is known. */
        volatile long bytes;
        /** Retired bytes of the slab at the first version. */
        long retired;
        /** Of an explicit snapshot: it should have been closed. */
        final boolean explicit;
        final Throwable origin;

        Ref(Group g) {
            this(g, false, null);
        }

        Ref(Group g, boolean explicit, Throwable origin) {
            super(g, QUEUE);
            slab = g.slab;
            id = g.id;
            opened = g.opened;
            this.explicit = explicit;
            this.origin = origin;
        }
    }
}
