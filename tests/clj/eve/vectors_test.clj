(ns eve.vectors-test
  "The conformance vectors: slabs written by the core, with real Clojure's answers beside them (tests/data/vectors)."
  (:require [clojure.java.io :as io]
            [clojure.test :refer [deftest is]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.nio.file Files)))

(def folder (io/file "tests/data/vectors"))

(defn- hex->bytes [s]
  (byte-array (map (fn [[a b]] (unchecked-byte (Integer/parseInt (str a b) 16))) (partition 2 s))))

(defn- answers
  "name -> {:hash :value}, from GROUP.edn. (Clojure's reader, not the EDN reader: that one refuses some symbols and keywords that Clojure makes.)"
  [group]
  (binding [*data-readers* {'eve/bytes hex->bytes 'eve/instant #(java.time.Instant/parse %)} *read-eval* false]
    (read-string (slurp (io/file folder (str group ".edn"))))))

(defn- same? [v x]
  (cond (bytes? v) (and (bytes? x) (= (seq v) (seq x)))
        (and (double? v) (Double/isNaN v)) (Double/isNaN x)
        (coll? v) (and (= v x) (= x v))
        :else (and (= v x) (= (class v) (class x)) (.equals (str v) (str x)))))

(deftest every-slab-reads-as-clojure-says
  (let [groups (for [f (.listFiles folder), :let [[_ group] (re-matches #"(.*)\.slab" (.getName f))], :when group] group)]
    (is (seq groups) "the vectors are there: make gen")
    (doseq [group groups]
      (let [copy (u/temp-path), expected (answers group)]
        (Files/copy (.toPath (io/file folder (str group ".slab"))) (.toPath (io/file copy)) (make-array java.nio.file.CopyOption 0))
        (let [state @(e/open copy {:must-exist true})]
          (is (= (set (keys expected)) (set (keys state))) group)
          (is (pos? (count expected)))
          (doseq [[k {:keys [value] h :hash}] expected, :let [x (get state k)]]
            (is (same? value x) (str group " " k))
            (when-not (bytes? value)
              (is (= h (hash x)) (str group " " k)))))))))
