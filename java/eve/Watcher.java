package eve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Tells the watches of a slab's atoms what other processes change. The changes of this process are told by the thread that made them, and
 * never again here: each is noted with its version, and only what lies between two noted changes was made by others. Changes of others
 * that follow each other quickly are told as one.
 */
final class Watcher {
    private static final long WAIT_MS = 1000;
    private static final long PAUSE_NANOS = 20_000;

    private final Slab slab;
    private final Map<Atom, Seen> watched = new ConcurrentHashMap<>();
    /** Changes of our own on the way: begun, and not noted yet. */
    private final ConcurrentSkipListSet<Long> tickets = new ConcurrentSkipListSet<>();
    private final AtomicLong nextTicket = new AtomicLong();
    private Thread thread;
    private volatile boolean stopped;

    Watcher(Slab slab) {
        this.slab = slab;
    }

    /** What an atom's watches know: up to `last`, and our own changes. Guarded by itself. */
    private static final class Seen {
        Atom.Cell last;
        final TreeMap<Long, Own> own = new TreeMap<>();
    }

    private record Own(Atom.Cell old, Atom.Cell now) {}

    /** A change of our own to a watched atom begins. */
    Long enter() {
        // The number is taken while it stands in the set: no look can pass between the two.
        synchronized (tickets) {
            Long t = nextTicket.incrementAndGet();
            tickets.add(t);
            return t;
        }
    }

    void leave(Long ticket) {
        tickets.remove(ticket);
    }

    /** Notes a change of our own, which its thread tells. */
    void own(Atom a, Atom.Cell old, Atom.Cell now) {
        Seen seen = watched.get(a);
        // The same word: perhaps not even a version of its own.
        if (seen != null && !slab.isAnonymous() && old.word() != now.word()) {
            synchronized (seen) {
                if (now.snapshot().version > seen.last.snapshot().version) {
                    seen.own.put(now.snapshot().version, new Own(old, now));
                }
            }
        }
    }

    synchronized void watch(Atom a) {
        Seen seen = new Seen();
        seen.last = a.at(slab.snapshot());
        watched.put(a, seen);
        if (thread == null && !slab.isAnonymous()) { // nobody else changes an anonymous slab
            thread = new Thread(this::loop, "eve-watch " + slab.name());
            thread.setDaemon(true);
            thread.start();
        }
    }

    void unwatch(Atom a) {
        watched.remove(a);
    }

    synchronized void stop() {
        stopped = true;
        watched.clear();
        if (thread != null) {
            try (Call c = Call.take()) {
                Native.wake(c, slab.handle);
            }
        }
    }

    private void loop() {
        long seen = 0;
        try (Call c = new Call()) {
            while (!stopped) {
                if (Native.await(c, slab.handle, seen, WAIT_MS) == Native.OK && !stopped) {
                    seen = look();
                }
            }
        } catch (EveException e) {
            if (e.code != EveException.CLOSED && !slab.isClosed()) {
                System.getLogger("eve").log(System.Logger.Level.ERROR, "watching " + slab.name() + " ended", e);
            }
        }
    }

    /** Tells what has changed up to the current version; returns it. */
    private long look() {
        Snapshot s = slab.snapshot();
        long mark;
        synchronized (tickets) {
            mark = nextTicket.get();
        }
        // Whatever of our own went into s began before: once that is noted, the rest is of others.
        while (!tickets.isEmpty() && firstTicket() <= mark) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        watched.forEach((a, seen) -> {
            List<Own> changes;
            try {
                changes = changesOfOthers(a, seen, s);
            } catch (EveException e) {
                s.check();
                if (e.code == EveException.NOT_FOUND) {
                    return; // removed; if it is made again, that is a change
                }
                watched.remove(a, seen);
                System.getLogger("eve").log(System.Logger.Level.WARNING, "the watches of " + a + " hear no more of other processes", e);
                return;
            }
            for (Own change : changes) {
                tell(a, change);
            }
        });
        return s.version;
    }

    private long firstTicket() {
        Long t = tickets.isEmpty() ? null : tickets.ceiling(Long.MIN_VALUE);
        return t == null ? Long.MAX_VALUE : t;
    }

    private static List<Own> changesOfOthers(Atom a, Seen seen, Snapshot s) {
        List<Own> changes = new ArrayList<>();
        synchronized (seen) {
            if (s.version <= seen.last.snapshot().version) {
                return changes;
            }
            Atom.Cell now = a.at(s);
            Atom.Cell known = seen.last;
            Map<Long, Own> ours = seen.own.headMap(s.version, true);
            for (Own o : ours.values()) {
                // Both are held, so equal words are the same value.
                if (o.old.word() != known.word()) {
                    changes.add(new Own(known, o.old));
                }
                known = o.now;
            }
            ours.clear();
            if (now.word() != known.word()) {
                changes.add(new Own(known, now));
            }
            seen.last = now;
        }
        return changes;
    }

    private void tell(Atom a, Own change) {
        try {
            a.changed(change.old, change.now);
        } catch (Throwable e) { // Clojure's functions throw anything; the other watches and later changes must still be told
            System.getLogger("eve").log(System.Logger.Level.WARNING, "a watch of " + a + " failed", e);
        } finally {
            Thread.interrupted(); // a watch that interrupts its thread means none of the next ones
        }
    }
}
