(ns eve.hostile-test
  "Slabs that the fuzzer has damaged: reading and writing them gives values or errors, and ends. `make test STAGES=clojure` writes them; each is used in its place."
  (:require [clojure.java.io :as io]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (clojure.lang Keyword)
           (eve EveException Layout Slab)))

;; What a kept slab has sorted by: the name of its comparator.
(e/register-comparator! :by/name (fn [a b] (compare (str a) (str b))))

(def ^:private kept (io/file "tests/data/hostile"))
(def ^:private slabs (io/file "target/hostile"))

(defmacro ^:private attempt
  "The value of the form, nil if the slab is an error. IllegalArgumentException and the like: the form isn't defined for such a value."
  [form]
  `(try ~form
        (catch EveException e# nil)
        (catch IllegalArgumentException e# nil)
        (catch UnsupportedOperationException e# nil)
        (catch IllegalStateException e# nil)
        (catch ClassCastException e# nil)
        (catch IndexOutOfBoundsException e# nil)
        (catch ArithmeticException e# nil)))

(defn- use-value [v]
  (attempt (pr-str v))
  (attempt (hash v))
  (attempt (= v (into (empty v) v)))
  (attempt (count v))
  (attempt (reduce (fn [n _] (inc n)) 0 v))
  (doseq [k [0 31 1099 "short" "AaBBAaAaAa" :leaf [1 2] nil]] (attempt (get v k)) (attempt (contains? v k)))
  (attempt (nth v 5 nil))
  (attempt (meta v))
  (when (some? v) (attempt (first (rseq v))))
  (when (sorted? v)
    (doseq [k [0 977 537350 "short" [3 1] nil], test [< >=]]
      (attempt (reduce (fn [n _] (inc n)) 0 (subseq v test k)))
      (attempt (reduce (fn [n _] (inc n)) 0 (rsubseq v test k))))
    (attempt (reduce (fn [n _] (inc n)) 0 (rseq v)))
    (attempt (reduce-kv (fn [n _ _] (inc n)) 0 v))
    (attempt (pr-str (disj v 977))))
  (attempt (pr-str (conj v [1 2])))
  (attempt (pr-str (assoc v 0 :changed)))
  (attempt (pr-str (dissoc v 0))))

(defn- use-slab [path read-only]
  (when-let [^Slab s (attempt (e/open path {:must-exist true :read-only read-only :sync :none :max-bytes (* 64 1024 1024)}))]
    (try
      (let [state (attempt @s)]
        (use-value state)
        (doseq [[k v] (filter map-entry? (attempt (into [] (take 40) state)))]
          (use-value v)
          (when (and (not read-only) (instance? Keyword k))
            (when-let [a (attempt (e/atom {:id k :persistent s} nil))]
              (attempt (swap! a conj [1 2]))
              (attempt (swap! a assoc 0 :changed))
              (attempt (swap! a (fn [x] [x x])))
              (attempt (pr-str @a))))))
      (attempt (e/verify s))
      (when-not read-only (attempt (e/gc s)))
      (finally (attempt (e/close! s))))))

(defn- ends? [path read-only]
  (let [done (future (use-slab (str path) read-only) :done)]
    (= :done (try (deref done 60000 :hangs) (catch java.util.concurrent.ExecutionException e (.getCause e))))))

(deftest ^:slow slabs-that-were-damaged-give-values-or-errors-and-end
  (is (= (set (.list kept)) (set (remove #(.endsWith ^String % ".copy") (.list slabs)))) "make test STAGES=clojure writes the slabs")
  (doseq [^java.io.File f (sort (.listFiles slabs)), read-only [true false]]
    (testing (str (.getName f) (when read-only " read-only"))
      (is (ends? f read-only)))))

(deftest ^:slow sorted-trees-with-a-word-changed-give-values-or-errors-and-end
  (let [path (u/temp-path), damaged (u/temp-path), random (java.util.Random. 7)
        s (e/open path {:sync :none})
        _ (doseq [[k v] {::map (into (sorted-map) (map (fn [i] [(* 977 i) i])) (range 3000))
                         ::set (into (sorted-set-by e/reverse-order) (map (fn [i] [(quot i 9) (str "value " i)])) (range 70))}]
            (e/atom {:id k :persistent s} v))
        _ (e/close! s)
        bytes (java.nio.file.Files/readAllBytes (.toPath (io/file path)))
        words (.order (java.nio.ByteBuffer/wrap bytes) java.nio.ByteOrder/LITTLE_ENDIAN)
        used (vec (filter #(not= 0 (.getLong words %)) (range Layout/HEADER_SIZE (alength bytes) 8)))
        ;; A node or leaf, its head or what follows.
        nodes (filterv #(contains? #{Layout/SORTED_MAP Layout/SORTED_SET Layout/BTREE_MAP_LEAF Layout/BTREE_SET_LEAF Layout/BTREE_NODE} (bit-and 0xFF (.getLong words %))) used)]
    (is (< 60 (count nodes)))
    (dotimes [_ 200]
      (let [at (if (.nextBoolean random) (+ (nodes (.nextInt random (count nodes))) (* 8 (.nextInt random 4))) (used (.nextInt random (count used))))
            x (case (.nextInt random 6)
                0 0, 1 -1, 2 64, 3 (.nextLong random), 4 (.getLong words (used (.nextInt random (count used))))
                (bit-xor (.getLong words at) (bit-shift-left 1 (.nextInt random 64))))
            was (.getLong words at)]
        (.putLong words at x)
        (io/copy bytes (io/file damaged))
        (.putLong words at was)
        (is (ends? damaged true) (str at " " x))))))
