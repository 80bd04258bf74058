(ns eve.faults-test
  "What went wrong in the original eve, and everything else about values that outlive their version."
  (:require [clojure.java.io :as io]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (eve EveException Slab)
           (java.io RandomAccessFile)))

(defn collect-garbage []
  (dotimes [_ 3] (System/gc) (Thread/sleep 20)))

(defn big [tag] (into {} (map (fn [i] [i (str tag " value " i)])) (range 500)))

(deftest a-value-stays-while-its-atom-is-swapped
  (let [a (e/atom {:id ::a :persistent (u/temp-path)} (big "first")), held @a]
    (dotimes [i 20000] (swap! a assoc (mod i 500) (str "new " i)))
    (collect-garbage)
    (is (= (big "first") held))))

(deftest a-swap-with-identity-links-nothing-wrong
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:mine (vec (range 100))}), b (e/atom {:id ::b :persistent path} 0)]
    (swap! a identity)
    (dotimes [i 2006] (swap! b (fn [_] {:other (vec (range 50)) :i i})))
    (is (= {:mine (vec (range 100))} @a))))

(deftest one-atoms-value-in-another-stays
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} (big "a")), b (e/atom {:id ::b :persistent path} nil)]
    (reset! b @a)
    (dotimes [i 2500] (swap! a assoc (mod i 500) {:i i}))
    (is (= (big "a") @b))))

(deftest ^:slow nested-swaps-do-not-grow-the-file-for-ever
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:v (vec (range 100)) :m {:k {:n 0}}})
        size #(.length (io/file path))
        run (fn [] (dotimes [i 5000] (swap! a (fn [x] (-> x (update-in [:m :k :n] inc) (update :v assoc (mod i 100) i))))) (collect-garbage))]
    (dotimes [_ 3] (run))
    (let [before (size)]
      (dotimes [_ 10] (run))
      (is (<= (size) (* 2 before)) "50,000 swaps later: steady, not linear")
      (is (= 65000 (get-in @a [:m :k :n]))))))

(deftest ^:slow a-spoilt-file-is-an-error
  (let [path (u/temp-path)]
    (e/close! (e/atom {:id ::a :persistent path} (big "x")))
    (let [bytes (java.nio.file.Files/readAllBytes (.toPath (io/file path)))
          spoil (fn [f] (let [p (u/temp-path)] (java.nio.file.Files/write (.toPath (io/file p)) ^bytes (f (aclone bytes)) (make-array java.nio.file.OpenOption 0)) p))
          look (fn [p] (try (let [v @(e/atom {:id ::a :persistent p} ::fresh)] (if (= v (big "x")) :whole :changed)) (catch EveException e (:eve/error (ex-data e)))))]
      (is (= :whole (look (spoil identity))))
      (doseq [[what f] {"truncated" #(java.util.Arrays/copyOf ^bytes % (quot (alength ^bytes %) 2)) "a page left" #(java.util.Arrays/copyOf ^bytes % 4096)
                        "zeroed" #(byte-array (alength ^bytes %)) "noise" #(do (.nextBytes (java.util.Random. 1) %) %)}]
        (let [p (spoil f), before (.length (io/file p))]
          (is (contains? #{:not-a-slab :corrupt} (look p)) what)
          (is (= before (.length (io/file p))) "not grown")))
      (testing "flipped bytes: an error or a value, never a crash"
        (let [random (java.util.Random. 7)]
          (dotimes [_ 40]
            (let [p (spoil (fn [^bytes b] (dotimes [_ 200] (let [i (.nextInt random (alength b))] (aset b i (unchecked-byte (.nextInt random))))) b))]
              (is (try (let [v @(e/atom {:id ::a :persistent p} ::fresh)] (count (pr-str v)) (hash v) true)
                       (catch EveException _ true)
                       (catch IllegalArgumentException _ true))))))))))

(deftest ^:slow a-file-truncated-while-it-is-open-is-an-error-not-a-crash
  (let [{:keys [exit out]}
        (u/finish
         (u/java-process
          '[(require '[eve.alpha :as e])
            (let [path (first args)
                  a (e/atom {:id :a :persistent path} (into {} (map (fn [i] [i (str "value " i)])) (range 20000)))
                  m @a]
              (with-open [f (java.io.RandomAccessFile. ^String path "rw")] (.setLength f 3145728))
              (println (try (dotimes [i 20000] (get m i)) "read" (catch eve.EveException e (:eve/error (ex-data e)))))
              (flush)
              (.halt (Runtime/getRuntime) 0))]
          (u/temp-path)))]
    (is (zero? exit))
    (is (re-find #":corrupt" out))))

(deftest ^:slow a-runaway-recursion-is-a-stack-overflow-error-not-a-crash
  (let [{:keys [exit out]}
        (u/finish
         (u/java-process
          '[(require '[eve.alpha :as e])
            (let [deep (e/atom (nth (iterate vector 1) 900)), a (e/atom 1), m (e/atom {})
                  overflow (fn [f] (try (f f 0) (catch StackOverflowError _ :overflow) (catch eve.EveException e (:eve/error (ex-data e)))))]
              (println (overflow (fn [f n] (swap! a (fn [x] (inc x))) (inc (f f (inc n)))))
                       (overflow (fn [f n] (swap! m assoc-in [n :k] n) (inc (f f (inc n)))))
                       (overflow (fn [f n] (e/vector n) (inc (f f (inc n)))))
                       (contains? #{:overflow :limit} (overflow (fn [f n] (swap! m assoc @deep n) (inc (f f (inc n)))))))
              (flush)
              (.halt (Runtime/getRuntime) 0))]
          (u/temp-path)))]
    (is (zero? exit))
    (is (re-find #":overflow :overflow :overflow true" out) out)))

(deftest values-that-the-original-refused-work
  (doseq [v [\c 5N 1/3 1.5M (java.time.Instant/ofEpochSecond 5) (apply str (repeat 3000 "long text")) (keyword (apply str (repeat 3000 "k")))]]
    (is (= v (u/stored v) (:v (u/stored {:v v})) (first (u/stored [v])) (ffirst (u/stored {v 1})) (first (u/stored #{v})))))
  (let [a (e/atom #{})]
    (is (= #{[1] {:a 1} #{2} '(3)} (do (run! #(swap! a conj %) [[1] {:a 1} #{2} '(3)]) @a))))
  (is (= '(3 4) (key (first (u/stored {'(3 4) 1})))))
  (is (= {:schema 1 :values 2} (u/stored {:schema 1 :values 2}))))

(deftest many-atoms-are-possible
  (let [path (u/temp-path), atoms (mapv (fn [i] (e/atom {:id (keyword "many" (str i)) :persistent path} i)) (range 1000))]
    (run! #(swap! % inc) atoms)
    (is (= (range 1 1001) (map deref atoms)))
    (is (= 1000 (count @(e/open path))))))

(deftest derefs-without-a-pause
  (let [a (e/atom {:n 0})]
    (dotimes [i 50000] (swap! a assoc :n i) (assert (= i (:n @a))))
    (is (= {:n 49999} @a))))

;; values that outlive what made them

(defn stress [a] (dotimes [i 3000] (swap! a assoc :noise (str "noise " i) (mod i 50) (vec (range 20)))) (collect-garbage) (dotimes [i 3000] (swap! a assoc :noise (str "more " i) (mod i 50) (str (range 30)))))

(deftest values-that-escape-from-the-function-stay-valid
  (let [a (e/atom {:id ::a :persistent (u/temp-path)} {:v (vec (range 100)) :m (big "m")}), leaked (atom {})]
    (swap! a (fn [x]
               (swap! leaked assoc :base x :vector (:v x) :changed (assoc x :new [1 2 3]) :seq (map inc (:v x)) :lazy (map val (:m x)))
               (assoc x :made (swap! leaked assoc :inner {:x (:m x)}) :n 1)))
    (try (swap! a (fn [x] (swap! leaked assoc :aborted (assoc x :a 1)) (throw (ex-info "stop" {})))) (catch clojure.lang.ExceptionInfo _))
    (swap! leaked assoc :returned (swap! a assoc :z 1) :vals (swap-vals! a assoc :y 2))
    (let [base {:v (vec (range 100)) :m (big "m")}]
      (stress a)
      (is (= base (:base @leaked)))
      (is (= (range 100) (:vector @leaked)))
      (is (= (assoc base :new [1 2 3]) (:changed @leaked)))
      (is (= (range 1 101) (:seq @leaked)))
      (is (= (set (vals (big "m"))) (set (:lazy @leaked))))
      (is (= (assoc base :made (:made (:returned @leaked)) :n 1 :a 1) (assoc (:aborted @leaked) :made (:made (:returned @leaked)))))
      (is (= base (select-keys (:returned @leaked) [:v :m])))
      (is (= [1 nil 1 2] (mapcat (juxt :z :y) (:vals @leaked))) "the value before and after"))))

(deftest a-value-made-outside-stays-valid
  (let [m (e/hash-map :a (vec (range 100))), a (e/atom {})]
    (stress a)
    (is (= {:a (vec (range 100))} m))))

(deftest an-atom-without-a-name-goes-with-its-object
  (let [s (Slab/anonymous), before (count @s)]
    (dotimes [i 200] (e/atom i))
    (is (u/eventually #(do (System/gc) (<= (count @s) (+ before 20)))))))

(defn- log-of
  "What the library logs while (f) runs: [message thrown] of each record, in an atom that f gets."
  [f]
  (let [logger (java.util.logging.Logger/getLogger "eve"), records (atom [])
        handler (proxy [java.util.logging.Handler] []
                  (publish [^java.util.logging.LogRecord r] (swap! records conj [(.getMessage r) (.getThrown r)]))
                  (flush [])
                  (close []))]
    (.addHandler logger handler)
    (.setUseParentHandlers logger false)
    (try (f records)
         (finally (.setUseParentHandlers logger true)
                  (.removeHandler logger handler)))))

(defn- transactions
  "As many transactions as the slab can have at once."
  [s]
  (let [make (doto (.getDeclaredConstructor (Class/forName "eve.Txn") (into-array Class [Slab])) (.setAccessible true))]
    (loop [all []]
      (if-let [t (try (.newInstance make (object-array [s])) (catch java.lang.reflect.InvocationTargetException _ nil))]
        (recur (conj all t))
        all))))

(deftest ^:slow an-atom-that-can-not-be-removed-yet-is-removed-later
  (let [s (e/open (u/temp-path))]
    (log-of
     (fn [records]
       (dotimes [i 5] (.atom ^Slab s {:n i}))
       (let [held (transactions s)]
         (is (u/eventually #(do (System/gc) (seq @records))))
         (Thread/sleep 2500) ; two more tries
         (is (= 1 (count @records)) "told once")
         (is (re-find #"at once" (ffirst @records)) "with the reason")
         (is (nil? (second (first @records))) "and no stack trace")
         (doseq [^java.lang.AutoCloseable t held] (.close t)))
       (is (u/eventually #(do (System/gc) (empty? @s))))
       (is (= 1 (count @records)))))
    (e/close! s)))

(deftest atoms-without-a-name-of-a-closed-slab-are-no-error
  (log-of
   (fn [records]
     (let [s (e/open (u/temp-path))]
       (dotimes [i 5] (.atom ^Slab s [i]))
       (e/close! s))
     (dotimes [_ 3] (collect-garbage) (e/atom 1))
     (Thread/sleep 1200)
     (is (= [] @records)))))

(deftest ^:slow a-read-outlives-the-handle-in-its-hand
  (testing "the last use of a value is inside the read: its version must stay until the read is over"
    (let [a (e/atom {:id ::a :persistent (u/temp-path)} (big "x")), bad (atom 0), stop (atom false)
          writer (Thread. (fn [] (loop [i 0] (when-not @stop (swap! a assoc (mod i 500) (str "x value " (mod i 500))) (when (zero? (mod i 200)) (System/gc)) (recur (inc i))))))]
      (.start writer)
      (dotimes [_ 300]
        (when-not (= 500 (reduce-kv (fn [n k v] (if (= v (str "x value " k)) (inc n) n)) 0 @a)) (swap! bad inc)))
      (reset! stop true)
      (.join writer)
      (is (zero? @bad)))))

(defn mappings [path] (count (re-seq (re-pattern (java.util.regex.Pattern/quote path)) (String. (java.nio.file.Files/readAllBytes (java.nio.file.Path/of "/proc/self/maps" (make-array String 0)))))))

(deftest a-closed-slab-that-nothing-refers-to-is-unmapped
  (let [path (u/temp-path)]
    (dotimes [_ 5]
      (let [a (e/atom {:id ::a :persistent path} 0)]
        (swap! a inc)
        (e/close! a)))
    (is (u/eventually #(do (System/gc) (zero? (mappings path)))))))

(deftest a-path-means-the-file-that-is-there-now
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} :old)]
    (io/delete-file path)
    (let [b (e/atom {:id ::a :persistent path} :new)]
      (is (= [:old :new] [@a @b]))
      (is (.exists (io/file path)))
      (reset! a :older)
      (e/close! a)
      (is (= :new @b) "closing the one that was removed closes only that one")
      (is (identical? b (e/atom {:id ::a :persistent path} nil)))
      (is (= :newer (reset! b :newer)))
      (e/close! b))
    (is (= :newer @(e/atom {:id ::a :persistent path} nil)))
    (spit (doto path io/delete-file) "another file")
    (is (= :not-a-slab (:eve/error (try (e/open path) (catch EveException e (ex-data e))))))))
