package eve;

import java.lang.invoke.VarHandle;

/** How long handles can be read: to the end of a call or of an explicit snapshot. */
class Scope {
    /** What gives such handles, for the error. */
    private final String what;
    /**
     * The version may be gone. Set before it goes, and looked at after every read (with a loadLoadFence between): that makes the read of a
     * closed slab or of an ended scope an error; and in a group it keeps this object reachable, and so the version pinned, until the read is over.
     */
    boolean dead;

    Scope(String what) {
        this.what = what;
    }

    /** To be called before the version is let go. */
    final void end() {
        dead = true;
        VarHandle.fullFence();
    }

    final String what() {
        return what;
    }
}
