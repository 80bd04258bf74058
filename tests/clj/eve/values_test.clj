(ns eve.values-test
  "Every kind of value comes back as itself, wherever it stands; what can't be stored is refused, and nothing changes."
  (:require [clojure.test :refer [are deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.time Instant)
           (java.util ArrayDeque ArrayList Date HashMap HashSet UUID)))

(defn positions
  "The value, read back from every position it can stand in."
  [v]
  [(u/stored v) (:v (u/stored {:v v})) (first (u/stored [v])) (first (u/stored (list v))) (first (u/stored #{v})) (key (first (u/stored {v 1})))
   (get-in (u/stored {:a [{:b v}]}) [:a 0 :b]) (get (u/stored (into {v v} (map (juxt str identity)) (range 40))) v)])

(def long-text (apply str (repeat 100000 "ab\u00e4\u4e2d\ud83d\ude00")))

(def scalars
  [nil true false 0 1 -1 42 Long/MAX_VALUE Long/MIN_VALUE 4611686018427387903 4611686018427387904 -4611686018427387904 -4611686018427387905
   0.0 1.0 -1.5 0.1 1e300 -1e-300 4.9e-324 ##Inf ##-Inf Double/MAX_VALUE 1.7272337110188893E-77 1.157920892373162E77
   \a \u0000 \uffff \newline "" "a" "1234567" "12345678" "na\u00efve" "na\u00efvet\u00e9 is it? " "a\u0000b" "\u00e4\u00f6\u00fc" "\u00e4\u00f6\u00fc\u00df"
   "\ud83d\ude00" "lone \ud800 surrogate" "\udc00" "end \ud83d" "?" "what? really?" long-text
   :a :a/b (keyword "with space") (keyword (apply str (repeat 5000 "k"))) 'a 'a.b/c '/ '+
   0N 5N -5N 123456789012345678901234567890N -170141183460469231731687303715884105728N (bigint Long/MIN_VALUE)
   1/3 -22/7 (/ 1 (biginteger (.pow BigInteger/TEN 40))) 1.5M 1.50M 0M 1E+10M 1E-30M 123456789012345678901234567890.5M
   (UUID. 0 0) #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" #inst "2026-11-23T12:06:00.123-00:00" #inst "1883-01-01" (Instant/ofEpochSecond 1700000000 123456789)
   (Instant/ofEpochSecond -62135596800 1) Instant/MAX Instant/MIN])

(deftest scalars-come-back-as-themselves
  (doseq [v scalars, x (positions v)]
    (is (= v x))
    (is (= (class v) (class x)))
    (is (= (hash v) (hash x)))
    (is (.equals (str v) (str x)) "digits and scale")))

(deftest not-a-number-and-the-sign-of-zero-are-kept
  (is (every? #(Double/isNaN %) (map #(% (u/stored [##NaN])) [first peek])))
  (is (= Double/NEGATIVE_INFINITY (/ 1.0 (u/stored -0.0)))))

(deftest byte-arrays-come-back-with-their-content
  (doseq [n [0 1 7 100 100000]]
    (let [b (byte-array (map unchecked-byte (range n)))]
      (is (= (seq b) (seq (u/stored b)) (seq (:b (u/stored {:b b})))))
      (is (bytes? (u/stored b)))
      (is (= :found (get (u/stored {b :found}) (aclone b))) "by content: the array that was stored is not there any more"))))

(deftest other-numbers-become-longs-doubles-and-bigints
  (are [class-back v] (and (= v (u/stored v)) (= class-back (class (u/stored v))))
    Long (int 5) Long (short 5) Long (byte 5) Double (float 0.5) clojure.lang.BigInt (biginteger 5)))

(deftest collections-become-the-kind-that-they-are-equal-to
  (are [kind? v] (let [x (u/stored v)] (and (kind? x) (= v x) (= x v) (= (hash x) (hash v))))
    map? (sorted-map 3 1 1 2) set? (sorted-set 3 1 2) list? (map inc [1 2 3]) list? (range 100) list? '(1 2) list? (cons 1 [2])
    vector? (first {1 2}) vector? (subvec [1 2 3] 1) list? (into clojure.lang.PersistentQueue/EMPTY [1 2]) list? (filter odd? (range 10)) map? (array-map 1 2)
    vector? (vector-of :long 1 2 3))
  (is (= [1 2 {"a" #{1}}] (u/stored (ArrayList. [1 2 (HashMap. {"a" (HashSet. [1])})]))))
  (is (= [[1 2]] (u/stored [(java.util.AbstractMap$SimpleEntry. 1 2)])))
  (is (= (range 1000) (u/stored (lazy-seq (range 1000)))))
  (is (= [1 2] (seq (u/stored (eduction (map inc) [0 1])))) "an eduction is Sequential"))

(deftest empty-collections-come-back-empty
  (are [v] (and (= v (u/stored v)) (= (class v) (class (u/stored v))) (= v (:v (u/stored {:v v}))))
    {} [] #{} ())
  (is (= () (u/stored (lazy-seq nil)) (u/stored (map inc nil)))))

(deftest deep-values-are-stored-and-too-deep-ones-refused
  (let [nested (fn [n] (nth (iterate vector []) n))]
    (is (= (nested 900) (u/stored (nested 900))))
    (is (thrown-with-msg? IllegalArgumentException #"nested more than 1024" (u/stored (nested 5000))))))

(defrecord Point [x y])

(deftest what-cannot-be-stored-is-refused-with-its-place
  (are [text v] (= (str "can't store " text) (try (u/stored v) "stored" (catch IllegalArgumentException e (ex-message e))))
    "a function (clojure.core$inc)" inc
    "a function (clojure.core$inc) at [:a 2 :f]" {:a [1 2 {:f inc}]}
    "a record (eve.values_test.Point) at [:p]" {:p (->Point 1 2)}
    "an object (java.lang.Thread$State) at [0]" (list Thread$State/NEW)
    "a class (java.lang.Class)" String
    "an array ([J) at [\"key\"]" {"key" (long-array 3)}
    "a reference (clojure.lang.Atom) at [0 0]" [[(atom 1)]]
    "a reference (clojure.lang.Var) at [#{1} 0]" {#{1} [#'inc]}
    "an object (java.util.regex.Pattern) at [1]" [0 #"a" 2]
    "an object (java.util.ArrayDeque)" (ArrayDeque.)
    "an object (java.sql.Timestamp) at [:t]" {:t (java.sql.Timestamp. 0)}
    "an object (java.util.concurrent.atomic.AtomicLong)" (java.util.concurrent.atomic.AtomicLong.))
  (testing "also as a key or an element"
    (is (thrown-with-msg? IllegalArgumentException #"can't store a function" (u/stored {inc 1})))
    (is (thrown-with-msg? IllegalArgumentException #"can't store a function" (u/stored #{inc})))))

(deftest a-refused-value-changes-nothing
  (let [a (e/atom {:n 1 :v [1 2]}), fired (atom 0)]
    (add-watch a :w (fn [& _] (swap! fired inc)))
    (doseq [f [#(reset! a inc) #(swap! a assoc :f inc) #(swap! a (fn [m] (assoc-in m [:v 1] inc))) #(swap! a update :v conj {:deep inc}) #(swap! a conj [:f inc])
               #(swap! a assoc :ok 1 :bad inc) #(swap-vals! a assoc :f inc) #(reset-vals! a [inc]) #(compare-and-set! a {:n 1 :v [1 2]} inc)]]
      (is (thrown? IllegalArgumentException (f)))
      (is (= {:n 1 :v [1 2]} @a)))
    (is (zero? @fired))
    (is (= "can't store a function (clojure.core$inc) at [:v 1]" (try (swap! a assoc-in [:v 1] inc) (catch IllegalArgumentException e (ex-message e)))))))

(deftest values-outside-an-atom-may-hold-anything
  (let [m @(e/atom {:a 1})]
    (is (= {:a 1 :f inc} (assoc m :f inc)))
    (is (= 6 ((:f (assoc m :f inc)) 5)))))
