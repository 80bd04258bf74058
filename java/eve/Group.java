package eve;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/**
 * An interval of versions that stay readable while this object can be reached. Handles hold snapshots, snapshots hold their group; only the
 * group is tracked by the collector, so tracking costs one reference for a MiB of garbage in the slab and not one for each handle.
 */
final class Group {
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
    /**
     * The memory may be gone. Set before the memory goes, and looked at after every read (with a loadLoadFence between): that makes the read
     * of a closed slab an error, and it keeps this object reachable, and so the version pinned, until the read is over.
     */
    boolean dead;

    Group(Slab slab, int id) {
        this.slab = slab;
        this.id = id;
    }

    /** Notices that a group has become unreachable. */
    static final class Ref extends WeakReference<Group> {
        final Slab slab;
        final int id;
        final long opened;
        /** First version, and bytes that died while the group was open: what it holds. Set when it takes no more versions. */
        volatile long version;
        volatile long bytes;

        Ref(Group g) {
            super(g, QUEUE);
            slab = g.slab;
            id = g.id;
            opened = g.opened;
        }
    }
}
