import eve.Atom;
import eve.PinnedSnapshot;
import eve.Slab;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A shop's inventory in a slab, from plain Java: java -cp eve.jar:clojure.jar:spec.jar:core-specs.jar examples/Inventory.java inventory.eve
 */
public final class Inventory {
    private Inventory() {}

    /** Java's maps are stored as persistent ones; what is read back is a java.util.Map that nobody can change. */
    @SuppressWarnings("unchecked")
    private static Map<String, Long> stock(Object value) {
        return (Map<String, Long>) value;
    }

    private static Object with(Object value, String item, long change) {
        Map<String, Long> m = new HashMap<>(stock(value));
        m.merge(item, change, Long::sum);
        return m;
    }

    /** Moves n of an item from one place to another; false if there are too few. */
    private static boolean move(Slab slab, Atom from, Atom to, String item, long n) {
        return slab.transact(tx -> {
            if (stock(tx.get(from)).getOrDefault(item, 0L) < n) {
                return false;
            }
            tx.update(from, v -> with(v, item, -n));
            tx.update(to, v -> with(v, item, n));
            return true;
        });
    }

    public static void main(String[] args) throws InterruptedException {
        try (Slab slab = Slab.open(args[0])) {
            Atom shop = slab.atom("place/shop", Map.of());
            Atom cellar = slab.atom("place/cellar", Map.of("lamp", 10, "chair", 4)); // kept, if the slab has it already
            AtomicInteger changes = new AtomicInteger();
            shop.watch("count", (old, now) -> changes.incrementAndGet());

            try (PinnedSnapshot before = slab.pinned()) {
                System.out.println("moved: " + move(slab, cellar, shop, "lamp", 3) + " " + move(slab, cellar, shop, "chair", 5));
                shop.swap(v -> with(v, "poster", 1));
                System.out.println("before: " + before.valAt(cellar) + ", now: " + cellar.deref() + " and " + shop.deref());
            }

            // Another thread, or another process in any language, changes it; this one waits.
            Thread.ofVirtual().start(() -> shop.swap(v -> with(v, "poster", 41)));
            Object enough = shop.await(v -> stock(v).get("poster") == 42, 10_000, null);
            System.out.println("posters: " + stock(enough).get("poster") + ", changes seen: " + changes.get());

            List<Object> sorted = shop.read(v -> List.copyOf(new java.util.TreeSet<Object>(stock(v).keySet())));
            System.out.println("items: " + sorted + ", version " + slab.version());
        }
    }
}
