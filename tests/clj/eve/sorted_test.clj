(ns eve.sorted-test
  "Sorted maps and sets beside Clojure's own."
  (:require [clojure.pprint :as pprint]
            [clojure.string :as str]
            [clojure.test :refer [are deftest is testing]]
            [clojure.test.check.clojure-test :refer [defspec]]
            [clojure.test.check.generators :as gen]
            [clojure.test.check.properties :as prop]
            [eve.alpha :as e]
            [eve.collections-test :as c]
            [eve.util :as u])
  (:import (eve EveSortedMap EveSortedSet SortedOverlay)
           (java.io ByteArrayInputStream ByteArrayOutputStream ObjectInputStream ObjectOutputStream)))

;; By length, then as strings: of the values here none has a natural order with all others.
(def by-text (e/register-comparator! ::by-text (fn [a b] (compare [(count (pr-str a)) (pr-str a)] [(count (pr-str b)) (pr-str b)]))))
(e/register-comparator! ::greater >)

(def orders {:natural compare, :reverse e/reverse-order, :named by-text})
(defn empty-map [order] (if (= order :natural) (sorted-map) (sorted-map-by (orders order))))
(defn empty-set [order] (if (= order :natural) (sorted-set) (sorted-set-by (orders order))))

;; Keys of one family have an order with each other. Numbers of several classes, of which some compare as equal.
(def families
  [(gen/choose -30 30)
   (gen/one-of [(gen/choose -6 6) (gen/elements [1.0 1.5 2N 2M 5/2 -0.5 1e10 10000000000 Long/MAX_VALUE Long/MIN_VALUE 9223372036854775808N])])
   (gen/one-of [(gen/elements ["" "a" "aa" "ab" "b" "longer than a word" "longer than a word." "\u00E9" "\uD83D\uDE00" "\uFFFF" nil]) gen/string])
   (gen/elements [:a :b :c :a/b :b/a :zz :zz/z nil])
   (gen/vector (gen/choose 0 3) 0 3)
   (gen/elements ['a 'b 'x/y 'x/a])
   (gen/one-of [gen/boolean (gen/return nil)])])

(defn- key-of [x] (if (map-entry? x) (key x) x))
(defn- number-class [x] (when (number? x) (class x)))

(defn same?
  "Is x the same sorted collection as m, in all that needs no other key, and for look-ups and ranges from the keys?"
  [m x ks]
  (and (c/alike? m x) (sorted? x) (reversible? x)
       (= (seq m) (seq x)) (= (rseq m) (rseq x)) (= (first m) (first x)) (= (last m) (last x)) (= (reduce conj [] m) (reduce conj [] x))
       (= (map (comp number-class key-of) m) (map (comp number-class key-of) x)) ; of keys that compare as equal the same one is there
       (= (pr-str m) (pr-str x))
       (identical? (.comparator ^clojure.lang.Sorted m) (.comparator ^clojure.lang.Sorted x))
       (or (set? m) (and (= (keys m) (keys x)) (= (vals m) (vals x)) (= (reduce-kv conj [] m) (reduce-kv conj [] x))))
       (every? (fn [k]
                 (and (= (get m k ::none) (get x k ::none)) (= (m k) (x k)) (= (contains? m k) (contains? x k))
                      (= (number-class (get m k)) (number-class (get x k)))
                      (or (set? m) (= (find m k) (find x k)))
                      (every? true? (for [test [< <= > >=]]
                                      (and (= (subseq m test k) (subseq x test k)) (= (rsubseq m test k) (rsubseq x test k)))))))
               ks)))

(defn same-everywhere?
  "The operations give the same in Clojure, by swaps, over a stored value, and written at the end."
  [start ops ks]
  (let [model (c/steps start ops)]
    (every? true?
            (for [values [(c/by-swaps start ops) (c/by-general-swaps start ops) (c/steps (u/stored start) ops) (map u/stored (c/steps (u/stored start) ops))]]
              (and (= (count model) (count values)) (every? true? (map #(same? %1 %2 ks) model values)))))))

(defn- gen-case [gen-ops]
  (gen/let [family (gen/elements families), order (gen/elements (keys orders))
            start (gen/vector family 0 200), ops (gen/vector (gen-ops family) 0 12), ks (gen/vector family 3)]
    {:order order :start start :ops ops :ks ks}))

(defn- gen-map-op [k]
  (gen/one-of [(gen/tuple (gen/return assoc) k u/gen-scalar)
               (gen/tuple (gen/return assoc) k u/gen-scalar k u/gen-scalar)
               (gen/tuple (gen/return dissoc) k)
               (gen/tuple (gen/return dissoc) k k k)
               (gen/tuple (gen/return conj) (gen/tuple k u/gen-scalar))
               (gen/tuple (gen/return into) (gen/vector (gen/tuple k gen/small-integer) 0 9))
               (gen/tuple (gen/return #(if-let [e (first %)] (dissoc % (key e)) %)))
               (gen/tuple (gen/return #(if-let [e (first (rseq %))] (dissoc % (key e)) %)))
               (gen/tuple (gen/return update) k (gen/return vector))]))

(defn- gen-set-op [k]
  (gen/one-of [(gen/tuple (gen/return conj) k)
               (gen/tuple (gen/return conj) k k k)
               (gen/tuple (gen/return disj) k)
               (gen/tuple (gen/return disj) k k k)
               (gen/tuple (gen/return into) (gen/vector k 0 9))
               (gen/tuple (gen/return #(disj % (first %))))
               (gen/tuple (gen/return #(if (seq %) (disj % (first (rseq %))) %)))]))

(defspec sorted-maps-do-what-clojures-do 60
  (prop/for-all [{:keys [order start ops ks]} (gen-case gen-map-op)]
    (same-everywhere? (into (empty-map order) (map-indexed (fn [i k] [k i])) start) ops ks)))

(defspec sorted-sets-do-what-clojures-do 100
  (prop/for-all [{:keys [order start ops ks]} (gen-case gen-set-op)]
    (same-everywhere? (into (empty-set order) start) ops ks)))

(defspec equality-is-clojures-both-ways 150
  (prop/for-all [{:keys [start ks]} (gen-case gen-map-op), change gen/boolean]
    (let [others (for [order (keys orders)] (into (empty-map order) (map #(vector % (str %))) (cond-> start change (into ks))))
          plain (into {} (map #(vector % (str %))) start)
          said #(try (= %1 %2) (catch ClassCastException _ :throws))]
      (every? true? (for [order (keys orders), :let [m (into (empty-map order) plain), x (u/stored m)], o (conj others plain)]
                      (and (= (said m o) (said x o) (said x (u/stored o))) (= (said o m) (said o x)) (= (hash m) (hash x))))))))

(deftest trees-of-several-levels
  (doseq [[order n] [[:natural 20000] [:reverse 20000] [:named 3000]]]
    (let [m (into (empty-map order) (map (fn [i] [(* 3 i) i])) (range n)), x (u/stored m)
          probes (map #(- % 2) (repeatedly 200 #(rand-int (* 3 n))))]
      (is (= (seq m) (seq x)))
      (is (= (rseq m) (rseq x)))
      (doseq [k probes]
        (is (= (get m k) (get x k)))
        (is (= (take 70 (subseq m >= k)) (take 70 (subseq x >= k))))
        (is (= (take 70 (rsubseq m <= k)) (take 70 (rsubseq x <= k))))
        (is (= (subseq m > k < (+ k 50)) (subseq x > k < (+ k 50)))))
      (is (= (reduce-kv + 0 m) (reduce-kv + 0 x)))
      (is (= 3 (reduce-kv (fn [c _ _] (if (= c 3) (reduced c) (inc c))) 0 x))))))

(deftest they-are-what-clojures-are
  (doseq [[v c] {(sorted-map 1 2) EveSortedMap, (sorted-set 1 2) EveSortedSet}
          x [(u/stored v) (let [x (u/stored v)] (if (map? x) (dissoc (assoc x 5 6) 5) (disj (conj x 5) 5)))]]
    (is (instance? c (u/stored v)))
    (is (empty? (remove #(.isInstance ^Class % x) (filter #(.isInterface ^Class %) (supers (class v))))) "every interface of Clojure's")
    (is (= (pr-str v) (pr-str x) (str x)))
    (is (= (with-out-str (pprint/pprint v)) (with-out-str (pprint/pprint x))))
    (is (= {:m 1} (meta (with-meta x {:m 1})) (meta (empty (with-meta x {:m 1}))) (meta (if (map? x) (assoc (with-meta x {:m 1}) 9 9) (conj (with-meta x {:m 1}) 9)))))
    (is (and (= (empty v) (empty x)) (sorted? (empty x))))))

(deftest copies-are-clojures
  (doseq [v [(sorted-map 1 2 3 4) (sorted-set-by e/reverse-order 1 2 3) (sorted-map-by by-text 1 2 :x 3)]
          x [(u/stored v) (let [x (u/stored v)] (if (map? x) (dissoc (assoc x 5 6) 5) (disj (conj x 5) 5)))]]
    (is (and (= (seq v) (seq (e/copy x))) (= (class v) (class (e/copy x)))))
    (when (not= by-text (.comparator ^clojure.lang.Sorted v)) ; a function of Clojure can't be serialized
      (let [out (ByteArrayOutputStream.)]
        (with-open [o (ObjectOutputStream. out)] (.writeObject o (with-meta x {:m 1})))
        (let [back (.readObject (ObjectInputStream. (ByteArrayInputStream. (.toByteArray out))))]
          (is (and (= (seq v) (seq back)) (= {:m 1} (meta back)) (= (class v) (class back))))
          (is (identical? (.comparator ^clojure.lang.Sorted v) (.comparator ^clojure.lang.Sorted back)))))))
  (is (= (sorted-map 1 2) (binding [*print-dup* true] (read-string (pr-str (u/stored (sorted-map 1 2))))))))

(deftest keys-of-another-class-are-clojures-error
  (doseq [x [(u/stored (sorted-map 1 2)) (assoc (u/stored (sorted-map 1 2)) 3 4)]]
    (are [form] (thrown? ClassCastException form)
      (get x "a") (contains? x :a) (assoc x "a" 1) (dissoc x :a) (doall (subseq x >= "a")) (x [1])))
  (let [a (e/atom (sorted-map 1 2)), s (e/atom (sorted-set "x"))]
    (is (thrown? ClassCastException (swap! a assoc "a" 1)))
    (is (thrown? ClassCastException (e/update! a dissoc "a")))
    (is (thrown? ClassCastException (swap! s conj 5)))
    (is (= [{1 2} #{"x"}] [@a @s])))
  (testing "where there is nothing to compare with"
    (is (= {"a" 1} (assoc (dissoc (u/stored (sorted-map 1 2)) 1) "a" 1) (assoc (u/stored (sorted-map)) "a" 1)))
    (is (= #{"a"} (conj (disj (u/stored (sorted-set 1)) 1) "a")))
    (is (nil? (get (u/stored (sorted-map)) (Object.))))))

(deftest a-swap-keeps-the-order
  (doseq [order (keys orders)]
    (let [a (e/atom {:m (into (empty-map order) {1 :a 2 :b}) :s (into (empty-set order) [1 2])})]
      (swap! a assoc-in [:m 0] {:deep (into (empty-map order) {9 9 8 8})})
      (swap! a update :s conj 5 0)
      (swap! a update-in [:m 0 :deep] dissoc 9)
      (is (= (seq (into (empty-map order) {0 {:deep {8 8}} 1 :a 2 :b})) (seq (:m @a))))
      (is (= (seq (into (empty-set order) [0 1 2 5])) (seq (:s @a))))
      (is (= [EveSortedMap EveSortedMap EveSortedSet] (map class [(:m @a) (get-in @a [:m 0 :deep]) (:s @a)])))
      (swap! a update :m (comp #(apply dissoc % (keys %)) #(assoc % 7 7)))
      (swap! a assoc-in [:m 3] 3)
      (is (and (sorted? (:m @a)) (= {3 3} (:m @a)) (identical? (.comparator ^clojure.lang.Sorted (empty-map order)) (.comparator ^clojure.lang.Sorted (:m @a)))))
      (is (:sound (e/verify a))))))

(deftest values-of-another-slab-and-of-other-versions
  (let [a (e/atom {:id ::a :persistent (u/temp-path)} nil), b (e/atom {:id ::b :persistent (u/temp-path)} nil)]
    (doseq [order (keys orders)]
      (reset! a (into (empty-map order) (map (fn [i] [i (str "text number " i)])) (range 100)))
      (let [old @a]
        (swap! a assoc 1000 1)
        (reset! b {:old old :new (assoc old 500 5)})
        (is (and (= (seq old) (seq (:old @b))) (= (seq (assoc old 500 5)) (seq (:new @b)))))
        (reset! a [old (dissoc old 3)])
        (is (= [(seq old) (seq (dissoc old 3))] (map seq @a)))))))

(deftest taking-the-first-one-away-until-none-is-left
  (let [n 20000, x (u/stored (into (sorted-set) (range n)))]
    (is (= (range n) (loop [s x, out []] (if-let [k (first s)] (recur (disj s k) (conj out k)) out))))
    (is (= (reverse (range n)) (loop [s x, out []] (if-let [k (first (rseq s))] (recur (disj s k) (conj out k)) out))))))

(deftest comparators-have-names
  (is (thrown-with-msg? IllegalArgumentException #"comparator without a name \(clojure.core\$_LT_\).* at \[:a 0\]" (u/stored {:a [(sorted-set-by < 1)]})))
  (is (thrown-with-msg? IllegalArgumentException #"keyword or symbol" (e/register-comparator! "x" <)))
  (is (thrown-with-msg? IllegalArgumentException #"has a name already: :eve.sorted-test/greater" (e/register-comparator! ::other >)))
  (is (thrown-with-msg? IllegalArgumentException #"natural order" (e/register-comparator! ::other (.comparator (sorted-map)))))
  (is (thrown-with-msg? IllegalArgumentException #"reverse order" (e/register-comparator! ::other e/reverse-order)))
  (is (identical? > (e/register-comparator! ::greater >)) "again")
  (let [f (fn [a b] (compare a b)), g (fn [a b] (compare b a))]
    (e/register-comparator! 'by/symbol f)
    (let [x (u/stored (sorted-map-by f 1 2 3 4))]
      (is (identical? f (.comparator ^clojure.lang.Sorted x)))
      (e/register-comparator! 'by/symbol g)
      (is (identical? g (.comparator ^clojure.lang.Sorted x)))
      (is (thrown? IllegalArgumentException (u/stored (sorted-map-by f 1 2)))))))

(deftest made-outside-atoms
  (are [x v] (and (= (seq v) (seq x)) (= (class v) (class (e/copy x))))
    (e/sorted-map 2 1 1 2) (sorted-map 1 2 2 1)
    (e/sorted-map-by e/reverse-order 1 2 3 4) (sorted-map-by e/reverse-order 1 2 3 4)
    (e/sorted-set 3 1 2) (sorted-set 1 2 3)
    (e/sorted-set-by > 1 2) (sorted-set-by > 1 2)
    (e/sorted-map) (sorted-map)))

(deftest ^:slow another-jvm-keeps-the-order
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:m (sorted-map-by e/reverse-order 1 :a 2 :b 3 :c) :s (sorted-set-by by-text "ccc" "b")})
        {:keys [exit out]} (u/finish (u/java-process '[(require '[eve.alpha :as e])
                                                       (let [a (e/atom {:id :eve.sorted-test/a :persistent (first args)} nil)]
                                                         (println "READ" (pr-str @a) (pr-str (subseq (:m @a) > 2)) (count (:s @a)))
                                                         (println "ERROR" (try (get (:s @a) "b") (catch IllegalStateException e (ex-message e))))
                                                         (swap! a update :m assoc 0 :z 9 :y)
                                                         (swap! a assoc :also (:s @a))
                                                         (e/register-comparator! :eve.sorted-test/by-text (fn [a b] (compare [(count a) a] [(count b) b])))
                                                         (swap! a update :s conj "aa"))] path))]
    (is (zero? exit) out)
    (is (str/includes? out "READ {:m {3 :c, 2 :b, 1 :a}, :s #{\"b\" \"ccc\"}} ([1 :a]) 2"))
    (is (str/includes? out "the comparator :eve.sorted-test/by-text, which this process doesn't know"))
    (is (= [[9 :y] [3 :c] [2 :b] [1 :a] [0 :z]] (seq (:m @a))))
    (is (= [["b" "aa" "ccc"] ["b" "ccc"]] [(seq (:s @a)) (seq (:also @a))]))))
