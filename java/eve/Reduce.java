package eve;

import clojure.lang.IDeref;
import clojure.lang.IFn;
import clojure.lang.RT;
import java.util.Iterator;

/** clojure.core's reduce over what an iterator still gives. */
final class Reduce {
    private Reduce() {}

    static Object over(Iterator<?> i, IFn f) {
        return i.hasNext() ? over(i, f, i.next()) : f.invoke();
    }

    static Object over(Iterator<?> i, IFn f, Object init) {
        Object acc = init;
        while (i.hasNext()) {
            acc = f.invoke(acc, i.next());
            if (RT.isReduced(acc)) {
                return ((IDeref) acc).deref();
            }
        }
        return acc;
    }
}
