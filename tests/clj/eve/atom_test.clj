(ns eve.atom-test
  "Atoms in the hands of clojure.core's functions."
  (:require [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (eve EveException Slab)))

(defn thrown-text [f]
  (try (f) nil (catch Throwable t (ex-message t))))

(deftest clojure-core-works-on-an-atom
  (let [a (e/atom {:n 1})]
    (is (= {:n 1} @a))
    (is (= {:n 2} (swap! a update :n inc) @a))
    (is (= {:n 2 :m 3} (swap! a assoc :m 3)))
    (is (= [{:n 2 :m 3} {:n 2}] (swap-vals! a dissoc :m)))
    (is (= [{:n 2} 5] (reset-vals! a 5)))
    (is (= 6 (swap! a inc)))
    (is (= 5 (swap! a dec)))
    (is (= 9 (swap! a + 4)))
    (is (= 7 (swap! a - 2)))
    (is (= 10 (swap! a + 1 1 1)))
    (is (= "x" (reset! a "x") @a))
    (is (nil? (reset! a nil)))
    (is (nil? @a))
    (is (instance? clojure.lang.IAtom2 a))))

(deftest an-operation-of-the-core-gives-what-clojures-function-gives
  (doseq [[start f & args] [[{:a 1} assoc :a 2] [{} assoc :a 1 :b 2] [nil assoc :a 1] [[1 2] assoc 0 :x] [[1 2] assoc 2 :x] [[1 2] assoc 1 :x 2 :y 3 :z]
                            [{:a 1} dissoc :a] [{:a 1} dissoc :b :c] [nil dissoc :a] [{} conj [:a 1]] [{} conj {:a 1 :b 2}] [{} conj nil] [nil conj 1 2]
                            [[1] conj 2 3] [#{1} conj 1 2] ['(1) conj 2 3] [#{1 2} disj 1] [nil disj 1] [[1 2] pop] ['(1 2) pop]
                            [1 inc] [1 dec] [1 + 5] [1 - 5] [1.5 inc] [5N inc] [1/2 + 1] [1M - 1] [Long/MAX_VALUE dec] [4611686018427387903 inc]
                            [{:a {:b 1}} assoc-in [:a :b] 2] [{:a 1} update :a + 5] [{:a 1} merge {:b 2}] [[1 2] into [3 4]] [{:a 1} select-keys [:a]] [[3 1 2] sort]
                            [{:a 1} conj (first {:b 2})] [{5 :long} assoc 5N :big] [{1 :a} assoc 1.0 :b]]]
    (let [a (e/atom start), expected (apply f start args)]
      (is (= expected (apply swap! a f args) @a) (pr-str start f args))
      (is (= (class expected) (class (let [x @a] (if (coll? x) expected x)))) (pr-str start f args)))))

(deftest an-operation-that-does-not-apply-fails-as-clojures-function-and-changes-nothing
  (doseq [[start f & args] [[[1] assoc 5 :x] [[1] assoc :k 1] ['(1) assoc 0 1] [1 assoc :a 1] [{:a 1} disj :a] [[] pop] [() pop] [{} pop] [Long/MAX_VALUE inc] [Long/MIN_VALUE dec]
                            [Long/MAX_VALUE + 1] ["x" inc] [nil inc] [{} conj 1] [{} conj [1]] [[1] dissoc 0] [5 conj 1] [{:a 1} assoc :b]]]
    (let [a (e/atom start)
          expected (try (apply f start args) (catch Throwable t t))
          actual (try (apply swap! a f args) (catch Throwable t t))]
      (is (instance? Throwable expected) "the case is one")
      (is (= (class expected) (class actual)) (pr-str start f args))
      (is (= start @a)))))

(deftest deref-gives-the-same-object-while-nothing-changes
  (let [a (e/atom {:a 1}), b (e/atom 0)]
    (is (identical? @a @a))
    (let [before @a]
      (swap! b inc)
      (is (= before @a)))))

(deftest swap-runs-again-when-another-came-first
  (let [a (e/atom {:n 0}), runs (atom 0)]
    (is (= {:n 11} (swap! a (fn [m] (when (= 1 (swap! runs inc)) (swap! a update :n + 10)) (update m :n inc)))))
    (is (= 2 @runs))))

(deftest swaps-of-other-atoms-do-not-disturb
  (let [a (e/atom {:n 0}), b (e/atom 0), runs (atom 0)]
    (is (= {:n 1} (swap! a (fn [m] (swap! runs inc) (swap! b inc) (update m :n inc)))))
    (is (= [1 1] [@runs @b]))))

(deftest threads-count-exactly
  (let [a (e/atom 0), b (e/atom {:n 0}), n 2000
        threads (doall (for [_ (range 4)] (Thread. (fn [] (dotimes [_ n] (swap! a inc) (swap! b update :n inc))))))]
    (run! #(.start ^Thread %) threads)
    (run! #(.join ^Thread %) threads)
    (is (= [(* 4 n) {:n (* 4 n)}] [@a @b]))))

(deftest virtual-threads-count-exactly
  (let [a (e/atom {:n 0}), n 50
        threads (doall (for [_ (range 200)] (.unstarted (Thread/ofVirtual) (fn [] (dotimes [_ n] (swap! a update :n inc) (get @a :n))))))]
    (run! #(.start ^Thread %) threads)
    (run! #(.join ^Thread %) threads)
    (is (= {:n (* 200 n)} @a))))

(deftest a-slab-opened-for-reading-only
  (let [path (u/temp-path)]
    (e/close! (e/atom {:id ::a :persistent path} {:k [1 2 3]}))
    (let [s (e/open path {:read-only true}), a (e/atom {:id ::a :persistent s} nil)]
      (is (= {:k [1 2 3]} @a (get @s ::a)))
      (doseq [f [#(swap! a assoc :x 1) #(swap! a update :k conj 1) #(reset! a 1) #(compare-and-set! a {:k [1 2 3]} 1) #(e/atom {:id ::new :persistent s} 1)]]
        (is (re-find #"reading only" (str (thrown-text f)))))
      (is (re-find #"open already" (thrown-text #(e/open path))))
      (e/close! s))
    ;; Its lock goes with its memory, and that with the last value that was read from it.
    (is (u/eventually #(do (System/gc) (try (e/open path) (catch EveException _)))))
    (is (= {:k [1 2 3] :x 1} (swap! (e/atom {:id ::a :persistent path} nil) assoc :x 1)))))

(deftest an-error-in-the-function-leaves-the-value
  (let [a (e/atom {:n 1})]
    (is (= "no" (thrown-text #(swap! a (fn [_] (throw (ex-info "no" {})))))))
    (is (= {:n 1} @a))
    (is (= {:n 2} (swap! a update :n inc)))))

(deftest compare-and-set-compares-values
  (let [a (e/atom {:n 1})]
    (is (true? (compare-and-set! a @a {:n 2})))
    (is (false? (compare-and-set! a {:n 1} {:n 3})))
    (is (true? (compare-and-set! a {:n 2} 5)))
    (is (false? (compare-and-set! a 5.0 6)))
    (is (true? (compare-and-set! a 5 6)))
    (is (= 6 @a)))
  (testing "one of many threads wins each round"
    (let [a (e/atom 0), wins (atom 0)
          threads (doall (for [_ (range 4)] (Thread. (fn [] (dotimes [i 200] (when (compare-and-set! a i (inc i)) (swap! wins inc)))))))]
      (run! #(.start ^Thread %) threads)
      (run! #(.join ^Thread %) threads)
      (is (= @a @wins)))))

(deftest compare-and-set-takes-back-what-deref-gave
  (testing "also what doesn't equal itself: a loop of compare-and-set! would never end"
    (doseq [v [##NaN (byte-array [1 2]) [##NaN] {:k (byte-array 3)}]]
      (let [a (e/atom v), b (e/atom 0), before @a]
        (swap! b inc)
        (is (true? (compare-and-set! a before :new)))
        (is (false? (compare-and-set! a before :newer)))
        (is (= :new @a))))))

(deftest the-options-of-clojures-atom
  (is (= [{:m 1} 5] ((juxt meta deref) (e/atom 5 :meta {:m 1}))))
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} 1 :validator pos? :meta {:m 1})]
    (is (= {:m 1} (meta a)))
    (is (thrown? IllegalStateException (reset! a -1)))
    (is (identical? a (e/atom {:id ::a :persistent path} -5 :validator pos?)) "the value is ignored")
    (is (thrown? IllegalStateException (e/atom {:id ::a :persistent path} 1 :validator neg?)))
    (is (thrown? IllegalStateException (e/atom {:id ::b :persistent path} 1 :validator neg?)))
    (is (= {::a 1} @(e/open path)) "an invalid value makes no atom"))
  (is (thrown? IllegalStateException (e/atom -1 :validator pos?)))
  (is (re-find #"unknown options of atom: \[:validater\]" (thrown-text #(e/atom 1 :validater pos?)))))

(deftest validators-are-asked-before-the-change
  (let [a (e/atom 1 )]
    (set-validator! a pos?)
    (is (= "Invalid reference state" (thrown-text #(reset! a -1)) (thrown-text #(swap! a - 5)) (thrown-text #(compare-and-set! a 1 -1))))
    (is (= 1 @a))
    (is (= 2 (swap! a inc)))
    (is (thrown? IllegalStateException (set-validator! a neg?)))))

(deftest metadata-of-the-reference
  (let [a (e/atom 1)]
    (is (nil? (meta a)))
    (alter-meta! a assoc :doc "x")
    (is (= {:doc "x"} (meta a)))))

(deftest watches-are-called-once-for-each-change
  (doseq [a [(e/atom 0) (e/atom {:id ::w :persistent (u/temp-path)} 0)]]
    (let [seen (atom [])]
      (add-watch a :k (fn [k r o n] (swap! seen conj [k (identical? r a) o n])))
      (is (= [:k] (keys (.getWatches ^clojure.lang.IRef a))))
      (swap! a inc)
      (is (= [[:k true 0 1]] @seen) "in the thread that changes, before swap! returns")
      (reset! a {:x 1})
      (swap! a assoc :x 2)
      (swap! a update :x inc)
      (swap-vals! a identity)
      (compare-and-set! a {:x 3} nil)
      (compare-and-set! a :wrong 5)
      (Thread/sleep 200) ; a second call would come from the watcher's thread
      (is (= [[0 1] [1 {:x 1}] [{:x 1} {:x 2}] [{:x 2} {:x 3}] [{:x 3} {:x 3}] [{:x 3} nil]] (mapv #(subvec % 2) @seen)))
      (remove-watch a :k)
      (reset! a 1)
      (is (= 6 (count @seen))))))

(deftest watches-of-busy-threads-see-each-change-once
  (let [a (e/atom {:id ::busy :persistent (u/temp-path)} 0), seen (atom {}), n 500]
    (add-watch a :k (fn [_ _ o n] (swap! seen update [o n] (fnil inc 0))))
    (let [threads (doall (for [_ (range 4)] (Thread. (fn [] (dotimes [_ n] (swap! a inc))))))]
      (run! #(.start ^Thread %) threads)
      (run! #(.join ^Thread %) threads))
    (Thread/sleep 200)
    (is (= (zipmap (map (juxt identity inc) (range (* 4 n))) (repeat 1)) @seen))))

(deftest one-name-is-one-atom
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:n 1})]
    (is (identical? a (e/atom {:id ::a :persistent path} {:n 2})))
    (is (= {:n 1} @a) "the initial value of an atom that exists is ignored")
    (is (identical? a (e/atom {:id ::a :persistent (java.io.File. path)} nil)))
    (is (identical? a (e/atom {:id ::a :persistent (e/open path)} nil)))
    (is (identical? (e/slab a) (e/open path)))
    (is (not (identical? a (e/atom {:id ::b :persistent path} nil))))
    (is (identical? (e/atom ::c 0) (e/atom ::c 1) ))
    (is (identical? (e/atom {:id ::c} 0) (e/atom ::c 1)))
    (is (not (identical? (e/atom 0) (e/atom 0))))
    (is (= {::a {:n 1} ::b nil} @(e/open path)) "a slab's deref is all its atoms")))

(deftest wrong-arguments-of-atom-are-errors
  (is (re-find #":id of an atom is a keyword" (thrown-text #(e/atom {:id "x" :persistent (u/temp-path)} 1))))
  (is (re-find #":id of an atom is a keyword" (thrown-text #(e/atom {:persistent (u/temp-path)} 1))))
  (is (re-find #"unknown options" (thrown-text #(e/atom {:id ::a :persistant "x"} 1))))
  (is (re-find #":persistent is a path" (thrown-text #(e/atom {:id ::a :persistent 5} 1)))))

(deftest wrong-arguments-of-open-are-errors
  (is (re-find #"unknown options of open: \[:readonly\]" (thrown-text #(e/open (u/temp-path) {:readonly true}))))
  (is (re-find #":max-bytes is a positive integer, not -1" (thrown-text #(e/open (u/temp-path) {:max-bytes -1}))))
  (is (re-find #":sync is :interval, :commit or :none, not :never" (thrown-text #(e/open (u/temp-path) {:sync :never}))))
  (is (re-find #":sync-interval-ms is a positive integer" (thrown-text #(e/open (u/temp-path) {:sync :commit :sync-interval-ms 5}))))
  (doseq [options [{:sync :none} {:sync :commit} {:sync :interval} {:sync-interval-ms 5}]]
    (let [s (e/open (u/temp-path) options), a (e/atom {:id ::a :persistent s} 0)]
      (is (= 1 (swap! a inc)))
      (is (pos? (e/sync s)))
      (e/close! s)))
  (is (re-find #":max-bytes is a positive integer, not \"1\"" (thrown-text #(e/open (u/temp-path) {:max-bytes "1"}))))
  (is (re-find #"the path of a slab is a string or a file, not nil" (thrown-text #(e/open nil))))
  (let [path (u/temp-path)]
    (is (identical? (e/open path) (e/open (java.io.File. path)) ))
    (is (identical? (e/open path) (e/open (.toPath (java.io.File. path)) {:max-bytes 100000000})))))

(deftest a-closed-slab-is-an-error-not-a-crash
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:k "a value that is read in place" :v (vec (range 100))}), m @a, v (:v m), it (.iterator ^Iterable v)]
    (add-watch a :k (fn [& _]))
    (e/close! a)
    (e/close! a)
    (doseq [f [#(deref a) #(swap! a assoc :x 1) #(swap! a (fn [x] x)) #(reset! a 1) #(get m :k) #(count (vec m)) #(nth v 5) #(hash m) #(reduce + v) #(first (seq m))
               #(compare-and-set! a 1 2) #(e/sync (e/slab a)) #(e/atom {:id ::b :persistent (e/slab a)} 1) #(assoc m :k 1) #(pr-str m)]]
      (is (re-find #"closed" (str (thrown-text f)))))
    (is (= :closed (:eve/error (try @a (catch EveException e (ex-data e))))))
    (is (= 100 (count v)))
    (testing "it opens again"
      (let [b (e/atom {:id ::a :persistent path} nil)]
        (is (not (identical? a b)))
        (is (= (vec (range 100)) (:v @b)))
        (e/close! b)))))

(deftest closing-an-atom-in-memory-leaves-the-others
  (let [a (e/atom 1), b (e/atom {:k 2}), c (e/atom ::closing 3), h (e/hash-map :a 1)]
    (e/close! a)
    (e/close! c)
    (is (= [1 {:k 2} 3 {:a 1}] [@a @b @c h]))
    (is (= {:k 3} (swap! b update :k inc)))))

(deftest close-while-others-read-gives-values-or-the-error
  (dotimes [_ 5]
    (let [a (e/atom {:id ::a :persistent (u/temp-path)} (into {} (map (juxt identity str)) (range 1000))), m @a, bad (atom []), stop (atom false)
          threads (doall (for [t (range 4)]
                           (Thread. (fn [] (try (while (not @stop)
                                                  (dotimes [i 1000] (when-not (= (str i) (get m i)) (swap! bad conj i)))
                                                  (when-not (= 1000 (count @a)) (swap! bad conj :count)))
                                                (catch EveException e (when-not (= :closed (:eve/error (ex-data e))) (swap! bad conj e)))
                                                (catch Throwable e (swap! bad conj e)))))))]
      (run! #(.start ^Thread %) threads)
      (Thread/sleep 20)
      (e/close! a)
      (Thread/sleep 20)
      (reset! stop true)
      (run! #(.join ^Thread %) threads)
      (is (= [] @bad)))))

(deftest sync-returns-the-version
  (let [a (e/atom {:id ::a :persistent (u/temp-path)} 0)]
    (swap! a inc)
    (let [v (e/sync a)]
      (is (pos? v))
      (swap! a inc)
      (is (< v (e/sync (e/slab a)))))))

(deftest values-move-between-atoms-and-slabs
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:x {:deep [1 2 "a longer text"]}}), b (e/atom {:id ::b :persistent path} nil)
        c (e/atom {:id ::c :persistent (u/temp-path)} nil), d (e/atom nil)]
    (doseq [r [b c d]]
      (reset! r (:x @a))
      (is (= {:deep [1 2 "a longer text"]} @r))
      (swap! r assoc :more (:deep (:x @a)))
      (is (= {:deep [1 2 "a longer text"] :more [1 2 "a longer text"]} @r))
      (swap! r (fn [m] (assoc m :mine {:of @a} :changed (assoc (:x @a) :k 1))))
      (is (= {:of @a} (:mine @r)))
      (is (= {:deep [1 2 "a longer text"] :k 1} (:changed @r))))
    (testing "a value of an older version"
      (let [old (:x @a)]
        (dotimes [i 100] (swap! a assoc :x {:other i}))
        (reset! b old)
        (swap! a assoc :back (assoc old :y 1))
        (is (= {:deep [1 2 "a longer text"]} @b))
        (is (= {:deep [1 2 "a longer text"] :y 1} (:back @a)))))))

(deftest changes-over-values-are-stored
  (let [a (e/atom {:m {:a 1 :b 2} :v [1 2 3] :s #{1 2} :l '(1 2)})]
    (is (= {:m {:b 3 :c 4} :v [0 2] :s #{2 3} :l '(0 1 2)}
           (swap! a (fn [x] (-> x (update :m #(-> % (dissoc :a) (assoc :b 3 :c 4))) (update :v #(-> % pop (assoc 0 0))) (update :s #(-> % (disj 1) (conj 3))) (update :l conj 0))))
           @a))
    (is (= [:m :v] (keys (swap! a select-keys [:m :v]))))
    (reset! a {:v (subvec (:v @a) 1)})
    (is (= {:v [2]} @a))))

(deftest names-that-are-gone-and-files-that-are-wrong
  (testing "errors that say what to do"
    (let [dir (str (u/temp-dir)), f (str dir "/not-a-slab")]
      (spit f (apply str (repeat 1000 "no slab ")))
      (is (= :not-a-slab (:eve/error (try (e/open f) (catch EveException e (ex-data e))))))
      (is (= :not-found (:eve/error (try (e/open (str dir "/missing/x.slab")) (catch EveException e (ex-data e))))))
      (is (= :not-found (:eve/error (try (e/open (str dir "/x.slab") {:must-exist true}) (catch EveException e (ex-data e))))))
      (is (instance? EveException (try (e/open dir) (catch EveException e e))))
      (is (re-find #"not-a-slab" (thrown-text #(e/open f))) "the path is in the message"))))

(deftest a-small-limit-is-an-error-and-the-value-stays
  (let [s (e/open (u/temp-path) {:max-bytes (* 8 1024 1024)}), a (e/atom {:id ::a :persistent s} [1])]
    (is (= :full (:eve/error (try (reset! a (vec (repeatedly 2000 #(apply str (repeat 10000 "x"))))) (catch EveException e (ex-data e))))))
    (is (= [1] @a))
    (is (= [1 2] (swap! a conj 2)))))
