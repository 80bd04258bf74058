(ns eve.library-test
  "Clojure's own library on eve's collections: each answer is Clojure's answer."
  (:require [clojure.core.protocols :as protocols]
            [clojure.core.reducers :as reducers]
            [clojure.data :as data]
            [clojure.datafy :as datafy]
            [clojure.edn :as edn]
            [clojure.pprint :as pprint]
            [clojure.set :as set]
            [clojure.spec.alpha :as s]
            [clojure.string :as str]
            [clojure.template :as template]
            [clojure.test :refer [deftest is testing]]
            [clojure.walk :as walk]
            [clojure.zip :as zip]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.util Map Set)
           (java.util.function Function Predicate ToLongFunction)
           (java.util.stream Collectors StreamSupport)))

(defn- forms
  "A value as it lies in a slab, and with changes over it; both equal v."
  [v]
  [(u/stored v)
   (let [x (u/stored v)]
     (cond (map? v) (dissoc (assoc x ::new 1) ::new)
           (vector? v) (pop (conj x 1))
           (set? v) (disj (conj x ::new) ::new)
           :else (if (seq v) (conj (pop x) (peek v)) x)))])

(def people
  {:ada {:name "Ada" :born 1815 :tags #{:maths :poetry}} :alan {:name "Alan" :born 1912 :tags #{:maths}} "grace" {:name "Grace" :born 1906 :tags #{}}})
(def numbers (vec (range 70)))
(def rows #{{:id 1 :city "Rome" :n 5} {:id 2 :city "Oslo" :n 7} {:id 3 :city "Rome" :n 9}})
(def values
  [people {} {nil nil} {:a 1} (zipmap (range 50) (map str (range 50))) numbers [] [nil] [[1 [2]] {:k "v"}] rows #{} #{nil} #{1 2.5 "x" :k}
   (list 1 2 (list 3 [4])) () (apply list (range 40)) {:deep {:deeper [{:deepest #{(list 1)}}]}}])

(defmacro same
  "The expression is the same for eve's forms of the value as for Clojure's own."
  [[x v] & body]
  `(let [v# ~v, f# (fn [~x] ~@body), expected# (f# v#)]
     (doseq [y# (forms v#)] (is (= expected# (f# y#)) (str '~body)))))

(deftest printing-and-reading
  (doseq [v values]
    (doseq [x (forms v)]
      (is (= v (read-string (pr-str x)) (edn/read-string (pr-str x))))
      (is (= v (read-string (binding [*print-dup* true] (pr-str x))))))
    (same [x v] (read-string (with-out-str (prn x))))
    (when-not (and (< 8 (count v)) (or (map? v) (set? v))) ; the order of a larger one is its own
      (doseq [options [{} {#'*print-length* 2} {#'*print-level* 1} {#'*print-level* 2 #'*print-length* 1} {#'*print-meta* true}
                       {#'*print-namespace-maps* true} {#'*print-readably* false}]]
        (same [x v]
          (with-bindings options
            [(pr-str x) (with-out-str (pprint/pprint x)) (pr-str (with-meta x {:m 1})) (str x) (print-str x)])))))
  (same [x {:a/b 1 :a/c 2}] (binding [*print-namespace-maps* true] (pr-str x)))
  (same [x {:a {:b [1 2 {:c (vec (range 100))}]} :z "long text long text long text long text long text long text"}] (with-out-str (pprint/pprint x)))
  (same [x [1 2 3]] (binding [pprint/*print-right-margin* 3] (with-out-str (pprint/pprint x))))
  (same [x [{:a 1 :b "x"} {:a 22 :b "yy"}]] (with-out-str (pprint/print-table x)))
  (same [x {:a 1}] (format "%s" x))
  (same [x ["a" :b 1]] (str/join "," x))
  (is (re-matches #"#\{\d+ \d+ \d+ \.\.\.\}" (binding [*print-length* 3] (pr-str (u/stored (set (range 20)))))))
  (is (re-matches #"\{\d+ \d+, \d+ \d+, \.\.\.\}" (binding [*print-length* 2] (pr-str (u/stored (zipmap (range 20) (range))))))))

(deftest walking
  (doseq [v values]
    (same [x v] (walk/postwalk identity x))
    (same [x v] (walk/prewalk #(if (int? %) (str %) %) x))
    (same [x v] (walk/postwalk #(if (int? %) (inc %) %) x))
    (same [x v] (walk/stringify-keys x))
    (same [x v] (frequencies (tree-seq coll? seq x))))
  (same [x {"a" 1 "b" {"c" [{"d" 2}]}}] (walk/keywordize-keys x))
  (same [x '{:x [a b] :y #{a}}] (walk/postwalk-replace {'a 1} x))
  (same [x '(+ a (* a b))] (walk/prewalk-replace {'a 1} x))
  (same [x '(+ a (* a b))] (template/apply-template '[a b] x [1 2]))
  (same [x (with-meta [1 {:a 2}] {:m 1})] (walk/postwalk identity x))
  (same [x [1 [2 [3 4]] 5]] (loop [z (zip/vector-zip x)] (if (zip/end? z) (zip/root z) (recur (zip/next (if (int? (zip/node z)) (zip/edit z inc) z))))))
  (same [x '(1 (2 3))] (-> (zip/seq-zip x) zip/down zip/right zip/down (zip/replace :x) zip/root)))

(deftest sets-and-relations
  (doseq [a [#{} #{1} #{1 2 3} (set (range 40))], b [#{} #{2} #{3 4} (set (range 20 60))], x (cons a (forms a)), y (cons b (forms b))]
    (is (= (set/union a b) (set/union x y)))
    (is (= (set/intersection a b) (set/intersection x y)))
    (is (= (set/difference a b) (set/difference x y)))
    (is (= [(set/subset? a b) (set/superset? a b)] [(set/subset? x y) (set/superset? x y)])))
  (same [x rows] (set/index x [:city]))
  (same [x rows] (set/project x [:id :city]))
  (same [x rows] (set/rename x {:id :key}))
  (same [x rows] (set/select #(= "Rome" (:city %)) x))
  (doseq [x (forms rows), y (forms #{{:city "Rome" :country "IT"} {:city "Oslo" :country "NO"}})]
    (is (= (set/join rows #{{:city "Rome" :country "IT"} {:city "Oslo" :country "NO"}}) (set/join x y)))
    (is (= 3 (count (set/join x (set/rename y {:city :place}) {:city :place})))))
  (same [x {:a 1 :b 2}] (set/rename-keys x {:a :c}))
  (same [x {:a 1 :b 2}] (set/map-invert x)))

(deftest differences
  (doseq [[a b] [[{:a 1 :b {:c 2 :d [1 2]}} {:a 1 :b {:c 3 :d [1 5 6]}}] [[1 2 3] [1 5 3 4]] [#{1 2} #{2 3}]
                 ['(1 2) [1 3]] [{} nil] [{:a 1} [1]] [{:a 1} {:a 1}] [1 2]]
          x (cons a (when (coll? a) (forms a))), y (cons b (when (coll? b) (forms b)))]
    (is (= (data/diff a b) (data/diff x y)) (pr-str a b (class x) (class y)))))

(s/def ::name string?)
(s/def ::born pos-int?)
(s/def ::person (s/keys :req-un [::name ::born]))
(deftest specs
  (doseq [[spec v] [[(s/map-of any? ::person) people] [(s/map-of keyword? ::person) people] [(s/coll-of int?) numbers]
                    [(s/coll-of int? :kind vector? :min-count 5) numbers]
                    [(s/coll-of int? :kind set?) #{1 2}] [(s/coll-of int? :kind list?) '(1 2)]
                    [(s/coll-of int? :distinct true) [1 1]] [(s/every-kv int? string?) {1 "a"}]
                    [::person {:name "A" :born 1}] [::person {:name "A"}] [(s/cat :a int? :more (s/* string?)) [1 "a" "b"]]
                    [(s/cat :a int?) '(1)] [(s/tuple int? string?) [1 "x"]]
                    [(s/or :n int? :m map?) {}] [(s/and map? #(= 1 (count %))) {:a 1}] [(s/coll-of int?) ["x"]]
                    [(s/map-of int? int? :conform-keys true) {1 2}] [(s/merge ::person (s/keys)) {:name 1 :born 1}]]]
    (same [x v] [(s/valid? spec x) (s/conform spec x) (some-> (s/explain-data spec x) ::s/problems (->> (mapv #(dissoc % :pred))))]))
  (same [x [1 2]] (s/unform (s/cat :a int? :b int?) (s/conform (s/cat :a int? :b int?) x)))
  (same [x {:into [1 2]}] (s/conform (s/keys) x))
  (same [x [1 2 3]] (s/conform (s/coll-of int? :into #{}) x)))

(deftest maps-in-the-hands-of-clojure-core
  (same [x people] (update-in x [:ada :born] inc))
  (same [x people] (assoc-in x [:ada :x :y] 1))
  (same [x people] [(get-in x [:ada :tags :maths]) (get-in x [:none :x] :no) (x :ada) (:ada x) (:none x :no) (apply x [:ada])])
  (same [x people] (select-keys x [:ada "grace" :none]))
  (same [x people] (into {} (filter (comp #{"Ada"} :name val)) x))
  (same [x people] [(update-vals x :born) (update-keys x str)])
  (same [x people] [(merge x {:ada 1} nil {:new 2}) (merge {:ada 1} x) (merge nil x) (merge x nil)])
  (same [x people] (merge-with merge x {:ada {:died 1852}}))
  (same [x people] (merge-with into {:ada {:died 1852}} x))
  (same [x people] (reduce-kv (fn [n _ v] (+ n (:born v))) 0 x))
  (same [x people] [(dissoc x :ada "grace") (not-empty (dissoc x :ada)) (not-empty (apply dissoc x (keys x)))])
  (same [x people] (update x :ada dissoc :tags :name))
  (same [x people] [(group-by (comp count :tags) (sort-by :born (vals x))) (map-indexed vector (sort-by :born (vals x)))])
  (same [x people] [(apply max-key (comp :born val) x) (zipmap (keys x) (map :born (vals x))) (frequencies (mapcat :tags (vals x)))])
  (same [x people] [(some (fn [[k v]] (when (= 1912 (:born v)) k)) x) (every? map? (vals x)) (mapv (juxt :name :born) (sort-by :born > (vals x)))])
  (same [x people] (let [{{:keys [name tags] :or {tags 0} [_ y] :v} :ada :as m, g "grace"} (assoc x :ada {:name 1 :v [1 2]})] [name tags y g (count m)]))
  (same [x people] (let [{:strs [grace] :or {grace 1} :keys [alan none]} x] [grace alan none]))
  (same [x people] (into (sorted-map-by (fn [a b] (compare (str a) (str b)))) x))
  (same [x people] (= x (into (sorted-map-by (fn [a b] (compare (str a) (str b)))) x)))
  (same [x people] (persistent! (reduce-kv (fn [t k v] (assoc! t k (:born v))) (transient {}) x)))
  (same [x people] [(apply hash-map (mapcat identity x)) (ex-data (ex-info "x" x)) (replace x [:ada 5]) (mapv x [:ada :none]) (reduce conj {} x)])
  (same [x {:name "Ada" :born 1815}] ((fn [& {:keys [name born]}] [name born]) x))
  (same [x people] [(hash x) (.hashCode ^Object x) (count x) (contains? x :ada) (empty x) (seq (empty x)) (key (find x :ada)) (find x :none)]))

(deftest sequential-ones-in-the-hands-of-clojure-core
  (same [x numbers] [(sort > x) (sort-by - x) (reverse x) (rseq x) (shuffle (subvec x 0 1)) (rand-nth (subvec x 0 1)) (apply max x)])
  (same [x numbers] [(partition 3 x) (partition-by even? x) (partition-all 4 x) (partitionv 2 x) (split-at 5 x) (splitv-at 3 x)
                     (split-with #(< % 9) x) (take-nth 9 x)])
  (same [x numbers] [(interleave x x) (interpose 0 x) (reductions + x) (subvec x 3 9) (nth x 9) (group-by even? x)
                     (frequencies (map #(quot % 20) x)) (mapv - x)])
  (same [x numbers] (let [[a b & more :as all] x] [a b more all]))
  (same [x numbers] [(peek x) (pop x) (assoc x 3 :x) (into x [1 2]) (into () x) (vec x) (set x) (update x 3 inc) (replace {1 :one} x) (filterv x [0 5])])
  (same [x numbers] [(distinct (map even? x)) (dedupe (map #(quot % 9) x)) (rest x) (next x) (nthnext x 5) (nthrest x 5) (last x) (butlast x)])
  (same [x numbers] [(drop-last 2 x) (take-last 2 x) (reduce + x) (reduce + 5 x) (apply + x) (bounded-count 5 x) (some #{9} x) (run! identity x)])
  (same [x numbers] [(vec (to-array x)) (vec (long-array x)) (vec (into-array x)) (vec (object-array x)) (vec (byte-array x)) (compare x (conj (pop x) 500))])
  (same [x numbers] [(find x 3) (contains? x 70) (get x 3) (hash x) (.hashCode ^Object x) (= x (seq x)) (= (seq x) x) (flatten [x [x]]) (ffirst [x])])
  (same [x numbers] (transduce (comp (map inc) (filter even?) (take 5)) + x))
  (same [x numbers] [(into [] (eduction (map inc) (partition-all 7) x)) (seq (eduction (map inc) x)) (reduce + (eduction (filter odd?) x))])
  (same [x numbers] [(sequence (comp (mapcat #(vector % %)) (distinct)) x) (sequence (map +) x x)])
  (same [x numbers] (into [] (comp (drop 2) (take-while #(< % 9)) (interpose :x) (map-indexed vector)) x))
  (same [x numbers] [(reduce (fn [_ n] (if (= n 5) (reduced :five) n)) nil x) (reduce-kv + 0 x) (reduce-kv (fn [_ i _] (if (= i 3) (reduced i) 0)) 0 x)])
  (same [x numbers] [(reducers/fold + (reducers/map inc x)) (reducers/fold 8 + + x) (into [] (reducers/filter odd? x))])
  (same [x rows] [(sort-by :id x) (into #{} (map :n) x) (frequencies (map :city x)) (reduce + (map :n x)) (update-vals (group-by :city x) set)])
  (same [x #{[:a 1]}] (let [[[k v]] (seq x)] [k v]))
  (same [x #{3 1 2}] [(x 1) (x 5) (get x 5 :no) (sort x) (into (sorted-set) x) (disj x 1) (conj x 9) (contains? x 3) (apply max x)])
  (same [x (list 3 1 2)] [(sort x) (peek x) (pop x) (conj x 0) (nth x 1) (first x) (rest x) (apply + x) (reduce - x)
                          (list* 1 x) (cons 1 x) (concat x x) (vec x)])
  (same [x (list 3 1 2)] [(list? x) (seq? x) (sequential? x) (counted? x) (empty x) (into x [1]) (map inc x) (let [[a & more] x] [a more])]))

(deftest cases-and-conditions
  (same [x {:k [1 2] :t :go}] (case (:t x) :go 1 2))
  (same [x {:k [1 2]}] (case x {:k [1 2]} :yes :no))
  (same [x [1 "a" {:b 2}]] (case x [1 "a" {:b 2}] :yes :no))
  (same [x #{1 2}] (case x #{1 2} :yes :no))
  (same [x #{1 2}] (condp contains? 2 x :yes :no))
  (same [x {:a 1}] (condp = x {:b 1} :no {:a 1} :yes))
  (same [x {:a 1}] (condp some [:x :a] x :>> str :none))
  (same [x [1 2]] (cond-> x (vector? x) (conj 3)))
  (same [x {:a {:b 1}}] (some-> x :a :b inc))
  (same [x [1 2]] (if-let [[a] (seq x)] a :none)))

(defrecord Point [x y])
(deftest equality-goes-both-ways
  (doseq [v values, x (forms v)]
    (is (and (= v x) (= x v) (= (hash v) (hash x)) (not= x ::other) (= #{v} #{x} (hash-set x v))
             (= :found (get {v :found} x) (get {x :found} v)) (= 1 (count (distinct [v x])))))
    (is (= (.equals ^Object v x) (.equals ^Object x v) true)))
  (let [r (->Point 1 2)]
    (doseq [x (forms {:x 1 :y 2})]
      (is (not= r x))
      (is (not= x r))
      (is (= (into {} r) x))
      (is (= x (into {} r)))
      (is (= {:x 1 :y 2 :z 3} (merge x {:z 3}) (into {} (merge r {:z 3}))))
      (is (= (->Point 1 2) (map->Point x)))
      (is (= (assoc r :z 1) (into r {:z 1}) (merge r (u/stored {:z 1}))))
      (is (.equals ^Map (java.util.HashMap. {:x 1 :y 2}) x)))))

(defprotocol Kind (kind [x]))
(extend-protocol Kind
  clojure.lang.IPersistentMap (kind [_] :map)
  clojure.lang.IPersistentVector (kind [_] :vector)
  clojure.lang.IPersistentSet (kind [_] :set)
  clojure.lang.ISeq (kind [_] :seq)
  Object (kind [_] :object))
(defprotocol JavaKind (java-kind [x]))
(extend-protocol JavaKind Map (java-kind [_] :map) java.util.List (java-kind [_] :list) Set (java-kind [_] :set))
(defmulti dispatch class)
(defmethod dispatch clojure.lang.IPersistentMap [_] :map)
(defmethod dispatch clojure.lang.IPersistentVector [_] :vector)
(defmethod dispatch clojure.lang.IPersistentSet [_] :set)
(defmethod dispatch clojure.lang.IPersistentList [_] :list)

(deftest protocols-and-multimethods
  (doseq [[v k j m] [[{:a 1} :map :map :map] [[1] :vector :list :vector] [#{1} :set :set :set] ['(1) :seq :list :list]], x (forms v)]
    (is (= [k j m] [(kind x) (java-kind x) (dispatch x)]) (str (class x))))
  (same [x {:a 1}] (protocols/kv-reduce x (fn [n k v] [n k v]) 0))
  (same [x [5 6]] (protocols/kv-reduce x (fn [n k v] [n k v]) 0))
  (doseq [v [[1 2 3] '(1 2 3) #{1}]] (same [x v] [(protocols/coll-reduce x +) (protocols/coll-reduce x + 10) (protocols/internal-reduce (seq x) + 0)]))
  (doseq [v [{:a 1} [1] #{1}]] (same [x v] (let [nav (datafy/datafy (with-meta x {`protocols/datafy (fn [y] {:was y}) }))] nav)))
  (same [x {:a 1}] [(datafy/datafy x) (datafy/nav x :a 1)])
  (same [x {:a 1}] (datafy/nav (with-meta x {`protocols/nav (fn [_ k v] [k v])}) :a 1)))

(deftest java-streams
  (same [x numbers]
    (.sum (.mapToLong (.filter (.stream ^java.util.Collection x) (reify Predicate (test [_ n] (even? n))))
                      (reify ToLongFunction (applyAsLong [_ n] (long n))))))
  (same [x numbers] (.sum (.mapToLong (.parallelStream ^java.util.Collection x) (reify ToLongFunction (applyAsLong [_ n] (long n))))))
  (same [x rows] (set (.toList (.map (.stream ^java.util.Collection x) (reify Function (apply [_ r] (:n r)))))))
  (same [x people] (set (.toList (.map (.stream (.entrySet ^Map x)) (reify Function (apply [_ e] (:born (val e))))))))
  (same [x people] (.collect (.stream (.values ^Map x)) (Collectors/groupingBy (reify Function (apply [_ p] (count (:tags p)))) (Collectors/counting))))
  (same [x '(1 2 3)] (vec (.toArray (.stream ^java.util.Collection x))))
  (same [x numbers] (.count (StreamSupport/stream (.spliterator ^Iterable x) true)))
  (same [x numbers] (vec (stream-seq! (.stream ^java.util.Collection x))))
  (same [x {:a 1}] (let [m (java.util.TreeMap. (update-keys ^Map x str))] (into {} m)))
  (doseq [x (forms {:a 1})]
    (is (= 2 (.merge (java.util.HashMap. ^Map x) :a 1 (reify java.util.function.BiFunction (apply [_ a b] (+ a b))))))
    (let [seen (atom {})] (.forEach ^Map x (reify java.util.function.BiConsumer (accept [_ k v] (swap! seen assoc k v)))) (is (= {:a 1} @seen)))
    (is (thrown? UnsupportedOperationException (.putIfAbsent ^Map x :b 1)))
    (is (thrown? UnsupportedOperationException (.clear ^Map x)))
    (is (= "{:a 1}" (.toString ^Object x)))))

(deftest values-of-atoms-in-the-hands-of-other-references
  (let [a (e/atom {:n 1}), r (ref @a), g (agent @a), v (volatile! @a), d (delay @a), p (promise)]
    (dosync (alter r update :n inc) (commute r assoc :c 1))
    (send g assoc :x 1)
    (await g)
    (vswap! v update :n + 10)
    (deliver p @a)
    (is (= [{:n 2 :c 1} {:n 1 :x 1} {:n 11} {:n 1} {:n 1}] [@r @g @v @d @p]))
    (is (= {:n 2} (with-local-vars [x @a] (var-set x (update (var-get x) :n inc)) @x)))
    (reset! a @r)
    (is (= {:n 2 :c 1} @a)))
  (let [f (memoize (fn [m] (count m)))] (is (= 1 (f (u/stored {:a 1})) (f {:a 1})))))
