(ns eve.interfaces-test
  "An eve collection in the hands of Clojure's own functions and of Java."
  (:require [clojure.pprint :as pprint]
            [clojure.string :as str]
            [clojure.test :refer [are deftest is testing]]
            [clojure.walk :as walk]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.io ByteArrayInputStream ByteArrayOutputStream ObjectInputStream ObjectOutputStream)
           (java.util Collections)))

(def m8 {:a 1 :b [1 2 3] :c "text"})
(def big-map (into {} (map (juxt identity str)) (range 100)))

(defn both
  "A value as it is stored, and one with changes over a stored value. Both equal v."
  [v]
  [(u/stored v)
   (let [x (u/stored v)]
     (cond (map? v) (dissoc (assoc x ::new 1) ::new)
           (vector? v) (pop (conj x 1))
           (set? v) (disj (conj x ::new) ::new)
           :else (if (seq v) (conj (pop x) (peek v)) x)))])

(deftest they-print-as-what-they-are
  (doseq [v [m8 [1 [2 "x"] nil] #{:a} '(1 2 (3)) {:m {:n {1 2}}}], x (both v)]
    (is (= (pr-str v) (pr-str x)))
    (is (= (str v) (str x)))
    (is (= (with-out-str (pprint/pprint v)) (with-out-str (pprint/pprint x))))
    (is (= v (read-string (pr-str x)))))
  (is (= (pr-str [m8]) (pr-str (u/stored [m8]))))
  (is (= "{:a 1, :b [1 2 3], :c \"text\"}" (pr-str (u/stored m8))) "a small map keeps its order"))

(deftest print-dup-reads-back
  (doseq [v [m8 [1 2] #{1 2} '(1 2)], x (both v)]
    (is (= v (binding [*print-dup* true] (read-string (pr-str x)))) (str (class x)))))

(deftest they-say-what-they-are
  (doseq [x (both m8)] (is (and (map? x) (associative? x) (coll? x) (ifn? x) (counted? x) (not (sequential? x)) (seqable? x) (not (vector? x)) (not (record? x)))))
  (doseq [x (both [1 2])] (is (and (vector? x) (associative? x) (sequential? x) (ifn? x) (counted? x) (reversible? x) (indexed? x))))
  (doseq [x (both #{1 2})] (is (and (set? x) (coll? x) (ifn? x) (counted? x) (not (associative? x)))))
  (doseq [x (both '(1 2))] (is (and (list? x) (seq? x) (sequential? x) (counted? x) (not (vector? x))))))

(deftest destructuring-works
  (let [{:keys [a b] [_ y] :b :or {d 4} :as m :strs [z]} (u/stored m8), [x & more] (u/stored [1 2 3]), [p q] (u/stored '(5 6 7))]
    (is (= [1 [1 2 3] 2 nil 1 [2 3] 5 6] [a b y z x more p q]))
    (is (= m8 m)))
  (is (= [:b 2] (let [[[k v]] (seq (u/stored {:b 2}))] [k v]))))

(deftest look-ups-with-defaults-and-as-functions
  (doseq [x (both m8)]
    (is (= [1 nil :no :no 1 :no 1 nil] [(get x :a) (get x :z) (get x :z :no) (x :z :no) (:a x) (:z x :no) (x :a) (x nil)]))
    (is (= [:a 1] (find x :a)))
    (is (nil? (find x :z)))
    (is (= 1 (.get ^java.util.Map x :a)))
    (is (= :no (.getOrDefault ^java.util.Map x :z :no)))
    (is (= {:a 1} (select-keys x [:a :z])))
    (is (= 2 (get-in x [:b 1])))
    (is (.containsValue ^java.util.Map x "text")))
  (doseq [x (both {nil 1 false 2 :x nil})]
    (is (= [1 2 nil nil] [(get x nil :no) (get x false :no) (get x :x :no) (x :x :no)]))
    (is (contains? x :x)))
  (doseq [x (both {5 :long 1.5 :double})]
    (is (= [:long :long :long :long nil] [(get x (int 5)) (get x 5N) (get x (biginteger 5)) (get x (byte 5)) (get x 5.0)])))
  (is (= :big (get (u/stored {5N :big}) 5)))
  (doseq [x (both #{nil false 3})]
    (is (= [nil false 3 :no true true] [(x nil) (x false) (x 3) (get x 4 :no) (contains? x nil) (contains? x (int 3))]))))

(deftest errors-are-clojures
  (doseq [x (both [1 2 3])]
    (is (thrown? IndexOutOfBoundsException (nth x 3)))
    (is (thrown? IndexOutOfBoundsException (nth x -1)))
    (is (thrown? IndexOutOfBoundsException (x 3)))
    (is (thrown? IndexOutOfBoundsException (assoc x 5 :a)))
    (is (thrown? IllegalArgumentException (assoc x :k 1)))
    (is (= [nil :no :no :no] [(get x 3) (get x 3 :no) (nth x 3 :no) (nth x -1 :no)]))
    (is (thrown? UnsupportedOperationException (.add ^java.util.List x 1)))
    (is (thrown? IndexOutOfBoundsException (subvec x 1 9))))
  (doseq [x (both m8)]
    (is (thrown? UnsupportedOperationException (.put ^java.util.Map x 1 2)))
    (is (thrown? IllegalArgumentException (conj x [1])))
    (is (thrown? ClassCastException (conj x '(1 2)))) ; a seq of no entries
    (is (thrown? clojure.lang.ArityException (x))))
  (is (thrown? ClassCastException (assoc (u/stored '(1)) 0 1)))
  (is (thrown? ClassCastException (disj (u/stored [1]) 1)))
  (is (thrown? IllegalStateException (pop (pop (u/stored [1])))))
  (is (thrown? IndexOutOfBoundsException (nth (u/stored '(1 2)) 5))))

(deftest transients-work-and-end
  (doseq [x (both big-map)]
    (let [t (transient x)]
      (is (= (persistent! (reduce (fn [t i] (dissoc! (assoc! t [i] i) i)) t (range 50)))
             (reduce (fn [m i] (dissoc (assoc m [i] i) i)) big-map (range 50))))
      (is (thrown? IllegalAccessError (assoc! t 1 2)))
      (is (= big-map x) "what it was made of hasn't changed"))
    (is (= (into big-map {:a 1}) (into x {:a 1}) (persistent! (conj! (conj! (transient x) [:a 0]) {:a 1}))))
    (let [t (transient x)] (is (= ["5" nil :no "5" 100] [(get t 5) (get t 500) (get t 500 :no) (t 5) (count t)]))))
  (doseq [x (both (vec (range 100)))]
    (let [t (transient x)]
      (is (= [3 3] [(t 3) (t 3N)]))
      (doseq [k [1.5 :k nil]] (is (thrown-with-msg? IllegalArgumentException #"Key must be integer" (t k)) (pr-str k)))
      (is (= 100 (count t)))
      (is (= (conj (assoc (vec (range 100)) 3 :x) :y) (persistent! (conj! (assoc! t 3 :x) :y))))
      (is (thrown? IllegalAccessError (conj! t 1))))
    (is (= (vec (range 60)) (persistent! (nth (iterate pop! (transient x)) 40)))))
  (doseq [x (both #{1 2 3})]
    (let [t (transient x)]
      (is (= #{1 2 4} (persistent! (disj! (conj! t 4) 3))))
      (is (thrown? IllegalAccessError (disj! t 1))))))

(deftest seqs-are-seqs
  (doseq [x (both (vec (range 100)))]
    (is (= (range 100) (seq x)))
    (is (= (range 99 -1 -1) (rseq x)))
    (is (= (drop 33 (range 100)) (drop 33 x) (nthnext x 33) (nthrest x 33)))
    (is (= [1 2] (next (subvec x 0 3))))
    (is (= 50 (first (drop-while #(< % 50) x))))
    (is (= (map inc (range 100)) (map inc x)))
    (is (= 99 (last x) (peek x))))
  (is (chunked-seq? (seq (u/stored (vec (range 100))))))
  (doseq [x (both big-map)]
    (is (map-entry? (first x)))
    (is (= (set (range 100)) (set (map key x)) (set (keys x))))
    (is (= 100 (count (seq x)) (count (vals x))))))

(deftest reduce-stops-at-reduced
  (doseq [x (both (vec (range 1000)))]
    (is (= 45 (reduce (fn [s i] (if (= i 10) (reduced s) (+ s i))) 0 x)))
    (is (= 45 (reduce (fn [s i] (if (= i 10) (reduced s) (+ s i))) x)))
    (is (= [3 3] (reduce-kv (fn [_ k v] (if (= k 3) (reduced [k v]) nil)) nil x))))
  (doseq [x (both big-map)]
    (is (= 1 (reduce-kv (fn [n _ _] (reduced (inc n))) 0 x)))
    (is (= (reduce + (range 100)) (reduce (fn [s e] (+ s (key e))) 0 x)))
    (is (= 1 (reduce (fn [n _] (reduced (inc n))) 0 x))))
  (doseq [x (both '(1 2 3))]
    (is (= 6 (reduce + x) (reduce + 0 x)))
    (is (= 1 (reduce (fn [a _] (reduced a)) x)))))

(deftest everything-reduces-itself
  (doseq [v [m8 big-map [1 2 3] (vec (range 100)) #{1 2 3} '(1 2 3)], x (both v)]
    (is (instance? clojure.lang.IReduce x))
    (is (= (set (seq x)) (reduce conj #{} x) (.reduce ^clojure.lang.IReduceInit x conj #{})))
    (is (= (reduce (fn [_ e] e) (seq x)) (reduce (fn [_ e] e) x)))
    (is (= (first x) (reduce (fn [a _] (reduced a)) x))))
  (is (= :none (reduce (fn [] :none) (dissoc (u/stored {:a 1}) :a)) (reduce (fn [] :none) (disj (u/stored #{1}) 1)))))

(deftest metadata-belongs-to-the-value-in-hand
  (doseq [v [m8 [1 2] #{1} '(1 2)], x (both v)]
    (is (nil? (meta x)))
    (is (= {:m 1} (meta (with-meta x {:m 1}))))
    (is (= v (with-meta x {:m 1})))
    (is (= {:m 1} (meta (empty (with-meta x {:m 1})))))
    (is (= {:m 1} (meta (conj (with-meta x {:m 1}) [1 2]))))
    (is (= (empty v) (empty x))))
  (is (= {:m 1} (meta (persistent! (assoc! (transient (with-meta (u/stored m8) {:m 1})) 1 2))) (meta (into (with-meta (u/stored m8) {:m 1}) {1 2})))))

(deftest vectors-compare-and-sort
  (is (zero? (compare (u/stored [1 2]) [1 2])))
  (is (neg? (compare (u/stored [1 2]) (u/stored [1 3]))))
  (is (= [[1 2] [1 3] [2 0]] (sort [(u/stored [2 0]) [1 3] (u/stored [1 2])])))
  (is (= 1 (Collections/binarySearch ^java.util.List (u/stored [10 20 30]) 20 compare)))
  (is (= 1 (.indexOf ^java.util.List (u/stored [:a :b]) :b))))

(deftest java-sees-collections
  (is (= (java.util.HashMap. ^java.util.Map m8) (u/stored m8)))
  (is (= (u/stored m8) (java.util.HashMap. ^java.util.Map (u/stored m8))))
  (is (= (java.util.ArrayList. [1 2 3]) (u/stored [1 2 3])))
  (is (= (java.util.HashSet. [1 2 3]) (u/stored #{1 2 3})))
  (is (= 6 (.sum (.mapToLong (.stream ^java.util.Collection (u/stored [1 2 3])) (reify java.util.function.ToLongFunction (applyAsLong [_ x] (long x)))))))
  (is (= [1 2 3] (vec (.toArray ^java.util.Collection (u/stored [1 2 3])))))
  (is (= #{:a :b :c} (.keySet ^java.util.Map (u/stored m8))))
  (is (instance? java.util.RandomAccess (u/stored [1]))))

(deftest java-serialization-writes-a-copy
  (doseq [v [m8 big-map (vec (range 50)) #{1 2} '(1 2 3)], x (both v)]
    (let [out (ByteArrayOutputStream.)]
      (with-open [o (ObjectOutputStream. out)] (.writeObject o (with-meta x {:m 1})))
      (let [back (.readObject (ObjectInputStream. (ByteArrayInputStream. (.toByteArray out))))]
        (is (= v back))
        (is (= {:m 1} (meta back)))
        (is (or (not= v m8) (= (keys v) (keys back))) "a small map keeps its order")))))

(deftest clojures-functions-take-them
  (are [r x] (= r x)
    {:a 2 :b 3} (update-vals (u/stored {:a 1 :b 2}) inc)
    {"a" 1} (update-keys (u/stored {:a 1}) name)
    {:a 1 :b 2} (merge (u/stored {:a 1}) (u/stored {:b 2}))
    {:a 3} (merge-with + (u/stored {:a 1}) (u/stored {:a 2}))
    [[1 2] [3]] (partition-all 2 (u/stored [1 2 3]))
    {1 [1 3] 0 [2]} (group-by #(mod % 2) (u/stored [1 2 3]))
    "1,2" (str/join "," (u/stored [1 2]))
    {:a [2 3]} (walk/postwalk #(if (int? %) (inc %) %) (u/stored {:a [1 2]}))
    3 (apply + (u/stored [1 2]))
    [1 2 3 4] (into (u/stored [1 2]) (u/stored '(3 4)))
    {:a {:b {:c 1}}} (assoc-in (u/stored {:a {:b {}}}) [:a :b :c] 1)
    {:a {}} (update (u/stored {:a {:b 1}}) :a dissoc :b)
    #{1 2 3} (clojure.set/union (u/stored #{1 2}) (u/stored #{3}))
    [3 2 1] (vec (reverse (u/stored [1 2 3])))
    [0 1 2] (mapv - (u/stored [1 2 3]) (repeat 1))
    {:x 1} (zipmap (u/stored [:x]) (u/stored [1]))
    [[:a 1]] (vec (u/stored {:a 1}))
    10 (transduce (map inc) + (u/stored [1 2 4]))
    {:a 1} (conj (u/stored {}) (u/stored {:a 1}))
    '(0 1 2) (conj (u/stored '(1 2)) 0)
    '(0 1 2) (cons 0 (u/stored '(1 2)))))

(deftest values-made-outside-atoms
  (is (= {:a 1 :b 2} (e/hash-map :a 1 :b 2)))
  (is (= #{1 2} (e/hash-set 1 2)))
  (is (= [1 2] (e/vector 1 2)))
  (is (= '(1 2) (e/list 1 2)))
  (is (= [{} #{} [] ()] [(e/hash-map) (e/hash-set) (e/vector) (e/list)]))
  (is (instance? eve.EveMap (e/hash-map :a 1)))
  (is (thrown? IllegalArgumentException (e/hash-map :a)))
  (let [a (e/atom nil), v (e/vector 1 [2 3])]
    (reset! a {:v v})
    (is (= {:v [1 [2 3]]} @a))
    (is (= [1 [2 3]] v))))
