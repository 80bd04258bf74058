(ns eve.hostile-test
  "Slabs that the fuzzer has damaged: reading and writing them gives values or errors, and ends. `make test STAGES=clojure` writes them; each is used in its place."
  (:require [clojure.java.io :as io]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e])
  (:import (clojure.lang Keyword)
           (eve EveException Slab)))

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

(deftest ^:slow slabs-that-were-damaged-give-values-or-errors-and-end
  (is (= (set (.list kept)) (set (remove #(.endsWith ^String % ".copy") (.list slabs)))) "make test STAGES=clojure writes the slabs")
  (doseq [^java.io.File f (sort (.listFiles slabs)), read-only [true false]]
    (testing (str (.getName f) (when read-only " read-only"))
      (let [done (future (use-slab (str f) read-only) :done)
            result (try (deref done 60000 :hangs) (catch java.util.concurrent.ExecutionException e (.getCause e)))]
        (is (= :done result))))))
