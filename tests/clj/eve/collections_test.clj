(ns eve.collections-test
  "Random operations on eve's collections and on Clojure's: what comes out must be the same in every way that a program can see.
  Each runs twice: every step by a swap! (so each value lies in the slab), and on a value read from an atom (so the changes lie over it)."
  (:require [clojure.set :as set]
            [clojure.test :refer [deftest is testing]]
            [clojure.test.check.clojure-test :refer [defspec]]
            [clojure.test.check.generators :as gen]
            [clojure.test.check.properties :as prop]
            [eve.alpha :as e]
            [eve.util :as u]))

(defn alike?
  "Equal both ways, also for Java, with equal hashes and counts."
  [model x]
  (and (= model x) (= x model) (.equals ^Object model x) (.equals ^Object x model)
       (= (hash model) (hash x)) (= (.hashCode ^Object model) (.hashCode ^Object x))
       (= (count model) (count x)) (= (empty? model) (empty? x))
       (= (frequencies (seq model)) (frequencies (seq x)))))

(defn steps
  "All values that come from applying the operations [f & args] one after the other."
  [start ops]
  (reductions (fn [x [f & args]] (apply f x args)) start ops))

(defn by-swaps
  "The same through an atom: each value is read back from the slab."
  [start ops]
  (let [a (e/atom start)]
    (doall (cons @a (for [[f & args] ops] (apply swap! a f args))))))

(defn by-general-swaps
  "The same, by functions that the slab doesn't know."
  [start ops]
  (let [a (e/atom start)]
    (doall (cons @a (for [[f & args] ops] (swap! a (fn [x] (apply f x args))))))))

(defn same-everywhere
  "A property: the operations give the same in Clojure, through atoms, over a stored value, and written at the end. `probe` compares further."
  [start ops probe]
  (let [model (steps start ops)]
    (every? true?
            (for [values [(by-swaps start ops) (by-general-swaps start ops) (steps (u/stored start) ops)
                          (map u/stored (steps (u/stored start) ops))
                          (let [a (e/atom start), over (last (steps @a ops))] (reset! a over) (concat (butlast model) [@a]))]]
              (and (= (count model) (count values))
                   (every? true? (map (fn [m x] (and (alike? m x) (probe m x))) model values)))))))

;; maps

(def gen-map-op
  (gen/one-of [(gen/tuple (gen/return assoc) u/gen-key u/gen-scalar)
               (gen/tuple (gen/return assoc) u/gen-key u/gen-scalar u/gen-key u/gen-scalar)
               (gen/tuple (gen/return dissoc) u/gen-key)
               (gen/tuple (gen/return dissoc) u/gen-key u/gen-key u/gen-key)
               (gen/tuple (gen/return conj) (gen/tuple u/gen-key u/gen-scalar))
               (gen/tuple (gen/return into) (gen/map u/gen-key gen/small-integer))
               (gen/tuple (gen/return update) u/gen-key (gen/return vector))
               (gen/tuple (gen/return merge) (gen/map u/gen-key gen/small-integer))]))

(def some-keys (concat (range -41 42) u/colliding [:a :b :c :d/e 'x nil "" "short" "a longer key" 1.5 5 5N true [1] #{2} {3 4} '(5) :missing "missing" 3/4]))

(defn map-probe [m x]
  (and (every? (fn [k] (and (= (get m k ::none) (get x k ::none)) (= (contains? m k) (contains? x k)) (= (find m k) (find x k)) (= (m k) (x k))))
               some-keys)
       (= (set (keys m)) (set (keys x)))
       (= (frequencies (vals m)) (frequencies (vals x)))
       (= m (reduce-kv assoc {} x) (into {} x) (reduce (fn [r [k v]] (assoc r k v)) {} x))
       (= (set m) (set (iterator-seq (.iterator ^Iterable x))))
       (= (.entrySet ^java.util.Map m) (.entrySet ^java.util.Map x))
       (map? x)))

(defspec map-operations-give-what-clojure-gives 60
  (prop/for-all [start (gen/map u/gen-key u/gen-scalar {:max-elements 60}), ops (gen/vector gen-map-op 0 12)]
    (same-everywhere start ops map-probe)))

(deftest maps-of-all-sizes-are-alike
  (doseq [n [0 1 7 8 9 16 17 31 32 33 100 1000 5000]
          f [identity str #(keyword (str "k" %)) vector #(- % 0.5)]]
    (let [m (into {} (map (fn [i] [(f i) i])) (range n)), x (u/stored m)]
      (is (alike? m x) (str n))
      (is (every? (fn [i] (and (= i (get x (f i))) (= i (x (f i))))) (range n)))
      (is (nil? (get x (f n))))
      (is (= (* 1/2 n (dec n)) (reduce-kv (fn [s _ v] (+ s v)) 0 x))))))

;; sets

(def gen-set-op
  (gen/one-of [(gen/tuple (gen/return conj) u/gen-key)
               (gen/tuple (gen/return conj) u/gen-key u/gen-key u/gen-key)
               (gen/tuple (gen/return disj) u/gen-key)
               (gen/tuple (gen/return disj) u/gen-key u/gen-key)
               (gen/tuple (gen/return into) (gen/vector u/gen-key))
               (gen/tuple (gen/return set/union) (gen/set u/gen-key))
               (gen/tuple (gen/return set/difference) (gen/set u/gen-key))]))

(defn set-probe [m x]
  (and (every? (fn [k] (and (= (get m k ::none) (get x k ::none)) (= (contains? m k) (contains? x k)) (= (m k) (x k)))) some-keys)
       (= m (into #{} x) (set (iterator-seq (.iterator ^Iterable x))))
       (.containsAll ^java.util.Set x ^java.util.Set m)
       (set? x)))

(defspec set-operations-give-what-clojure-gives 60
  (prop/for-all [start (gen/set u/gen-key {:max-elements 60}), ops (gen/vector gen-set-op 0 12)]
    (same-everywhere start ops set-probe)))

;; vectors

(defn assoc-mod [v i x] (assoc v (mod i (inc (count v))) x))
(defn pop-some [v] (if (seq v) (pop v) v))
(def gen-vector-op
  (gen/one-of [(gen/tuple (gen/return conj) u/gen-scalar)
               (gen/tuple (gen/return conj) u/gen-scalar u/gen-scalar)
               (gen/tuple (gen/return assoc-mod) gen/nat u/gen-scalar)
               (gen/tuple (gen/return pop-some))
               (gen/tuple (gen/return into) (gen/vector gen/small-integer 0 40))]))

(defn vector-probe [m x]
  (let [n (count m)]
    (and (every? (fn [i] (and (= (nth m i ::none) (nth x i ::none)) (= (get m i) (get x i)) (= (contains? m i) (contains? x i)))) (range -1 (inc n)))
         (= (seq m) (seq x)) (= (rseq m) (rseq x)) (= (peek m) (peek x))
         (= (subvec m (quot n 2)) (subvec x (quot n 2))) (= (hash (subvec m (quot n 2))) (hash (subvec x (quot n 2))))
         (= m (reduce conj [] x) (into [] x) (vec (iterator-seq (.iterator ^Iterable x))) (reduce-kv (fn [v _ e] (conj v e)) [] x) (mapv identity x))
         (= (vec (.toArray ^java.util.Collection x)) m)
         (zero? (compare (mapv str m) (mapv str x)))
         (vector? x))))

(defspec vector-operations-give-what-clojure-gives 60
  (prop/for-all [start (gen/vector u/gen-scalar 0 100), ops (gen/vector gen-vector-op 0 12)]
    (same-everywhere start ops vector-probe)))

(deftest vectors-of-all-sizes-are-alike
  (doseq [n [0 1 31 32 33 63 64 65 1023 1024 1025 1055 1056 1057 1088 32800 33000]]
    (let [v (vec (range n)), x (u/stored v)]
      (is (alike? v x) (str n))
      (is (= v (mapv #(nth x %) (range n))))
      (is (= (reduce + v) (reduce + x)))
      (is (= (reduce + 5 v) (reduce + 5 x)))
      (is (= (seq (map inc v)) (seq (map inc x)))))))

;; lists

(defn rest-list [l] (if (seq l) (pop l) l))
(def gen-list-op
  (gen/one-of [(gen/tuple (gen/return conj) u/gen-scalar)
               (gen/tuple (gen/return conj) u/gen-scalar u/gen-scalar)
               (gen/tuple (gen/return rest-list))]))

(defn list-probe [m x]
  (and (= (seq m) (seq x)) (= (peek m) (peek x)) (= (rest m) (rest x)) (= (reverse m) (reverse x)) (= (vec m) (vec x))
       (= (reduce conj () m) (reduce conj () x)) (list? x)))

(defspec list-operations-give-what-clojure-gives 60
  (prop/for-all [start (gen/fmap #(apply list %) (gen/vector u/gen-scalar 0 20)), ops (gen/vector gen-list-op 0 12)]
    (same-everywhere start ops list-probe)))

;; values of all kinds, nested

(defspec nested-values-come-back-equal 200
  (prop/for-all [v u/gen-value]
    (let [x (u/stored v)]
      (and (= v x) (= x v) (= (hash v) (hash x)) (= v (get (u/stored {:v v}) :v)) (= v (first (u/stored [v]))) (= {v 1} (u/stored {v 1}))
           (contains? (u/stored #{v}) v) (= 1 (get (u/stored {v 1}) v)) (= (pr-str (vec (flatten [v]))) (pr-str (vec (flatten [v]))))))))

(defspec equal-maps-built-in-any-order-are-equal-in-the-slab 60
  (prop/for-all [kvs (gen/vector (gen/tuple u/gen-key gen/small-integer) 0 60), seed gen/nat]
    (let [m (into {} kvs), shuffled (java.util.ArrayList. ^java.util.Collection (vec m))]
      (java.util.Collections/shuffle shuffled (java.util.Random. seed))
      (let [x (u/stored m), y (u/stored (into {} shuffled))]
        (and (= x y) (= (hash x) (hash y)) (= #{x} #{y}))))))

;; keys that are equal and not the same

(deftest a-key-that-was-removed-comes-back-as-the-one-put-in-last
  (doseq [[start f] [[{1 :a, :k 2} #(-> % (dissoc 1) (assoc 1N :b))]
                     [{1 :a, :k 2} #(-> % transient (dissoc! 1) (assoc! 1N :b) persistent!)]
                     [{[1] :a} #(-> % (dissoc [1]) (assoc '(1) :b))]
                     [(zipmap (range 100) (range)) #(-> % (dissoc 1 2) (assoc 1N :b))]
                     [#{1 :k} #(-> % (disj 1) (conj 1N))]
                     [#{1 :k} #(-> % (disj 1) (conj 1N) (disj 1) (conj 1N))]]
          :let [expected (f start), printed (fn [c] (frequencies (map pr-str (if (map? c) (keys c) c))))]
          x [(f (u/stored start)) (u/stored (f (u/stored start))) (swap! (e/atom start) f)]]
    (is (alike? expected x))
    (is (= (printed expected) (printed x)))))

(deftest byte-arrays-are-one-key-by-content-before-and-after-storing
  (let [b (byte-array [1 2]), b2 (aclone b), b3 (byte-array [3])]
    (doseq [[what n f] [["dissoc" 1 #(dissoc % b2)]
                        ["assoc over it" 2 #(assoc % b2 :new)]
                        ["assoc of a new one, twice" 3 #(assoc % b3 1 (aclone b3) 2)]
                        ["dissoc and assoc" 2 #(-> % (dissoc b2) (assoc (aclone b) :new))]
                        ["dissoc of an added one" 2 #(-> % (assoc b3 1) (dissoc (aclone b3)))]]
            x [(f (u/stored {b 1 :k 2})) (u/stored (f (u/stored {b 1 :k 2})))]]
      (is (= n (count x) (count (seq x)) (count (keys x)) (reduce-kv (fn [n _ _] (inc n)) 0 x)) what)
      (is (every? (fn [[k v]] (= v (get x (if (bytes? k) (aclone ^bytes k) k)))) x) what)
      (is (every? #(or (keyword? %) (bytes? %)) (keys x)) what)
      (is (= (contains? x b) (some? (find x b2))) what))
    (let [s (u/stored #{b :k})]
      (is (= [2 3 1] (map count [(conj s b2) (conj s b3 (aclone b3)) (disj s b2)]) (map (comp count seq) [(conj s b2) (conj s b3 (aclone b3)) (disj s b2)]))))))

(deftest a-float-key-is-found-by-the-float-that-was-put-in
  (doseq [n [0 40], :let [m (assoc (zipmap (range n) (range)) (float 0.1) :x), a (e/atom m)]]
    (is (= [:x true [(double (float 0.1)) :x]] [(get @a (float 0.1)) (contains? @a (float 0.1)) (find @a (float 0.1))]))
    (is (= (count m) (count (swap! a (fn [x] (assoc x (float 0.1) :y))))))
    (is (= :y (get @a (float 0.1))))
    (is (contains? (u/stored (set (keys m))) (float 0.1)))
    (is (= n (count (swap! a (fn [x] (dissoc x (float 0.1)))))))))

(deftest ^:slow a-loop-that-takes-the-first-away-ends
  (testing "a work list: it took time that grows with the square"
    (let [n 60000
          drain (fn [take-away of x] (loop [x x, seen []] (if-let [s (seq x)] (recur (take-away x (of (first s))) (conj seen (of (first s)))) seen)))
          run #(deref (future (drain %1 %2 %3)) 120000 [:too-slow])]
      (is (= (range n) (sort (run disj identity (u/stored (set (range n)))))))
      (is (= (range n) (sort (run dissoc key (u/stored (zipmap (range n) (range))))))))
    (doseq [n [1 8 9 40]
            :let [m (u/stored (zipmap (range n) (range)))]]
      (is (= (range -5 n) (sort (loop [m (assoc m -5 0 -4 0 -3 0 -2 0 -1 0), seen []]
                                  (if-let [[k] (first m)]
                                    (recur (cond-> (dissoc m k) (even? n) (-> (assoc k 1) (dissoc k))) (conj seen k))
                                    seen))))))))
