(ns eve.history-test
  "Versions that are kept and looked up later, and waiting for later ones."
  (:require [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u]))

(defn- error-of [f] (try (f) nil (catch Throwable t (or (:eve/error (ex-data t)) t))))

(deftest a-snapshot-of-a-slab-has-the-values-of-all-atoms-at-its-version
  (let [s (e/open (u/temp-path)), a (e/atom {:id ::a :persistent s} {:n 1}), b (e/atom {:id ::b :persistent s} [1 2 3])
        gone (e/atom {:id ::gone :persistent s} :here)]
    (with-open [old (e/snapshot s), of-a (e/snapshot a)]
      (swap! a assoc :n 2)
      (reset! b nil)
      (e/remove! gone)
      (dotimes [i 2000] (e/update! b (constantly {:i i})))
      (let [c (e/atom {:id ::c :persistent s} :new)]
        (doseq [snap [old of-a]]
          (is (= [{:n 1} {:n 1} [1 2 3] [1 2 3] :here :here] [(get snap ::a) (get snap a) (snap ::b) (snap b) (::gone snap) (get snap gone)]))
          (is (= [nil :no :no nil :no :no] [(get snap ::c) (get snap ::c :no) (snap c :no) (get snap c) (get snap "x" :no) (get snap nil :no)])))
        (is (= {::a {:n 1} ::b [1 2 3] ::gone :here} @old))
        (is (= {:n 1} @of-a))
        (is (< (e/version old) (e/version a) ))
        (is (= (e/version s) (e/version a)))
        (is (= {::a {:n 2} ::b {:i 1999} ::c :new} @s)))
      (testing "it belongs to its slab"
        (is (re-find #"the snapshot is of" (ex-message (error-of #(get old (e/atom 1)))))))
      (let [v (get old b)]
        (.close old)
        (is (= [:released :released :released :released] (mapv error-of [#(get old a) #(old ::b) #(deref old) #(nth v 1)])))
        (is (= [1 2 3] (get of-a b)) "each keeps its own")
        (is (int? (e/version old)))
        (is (re-find #"closed" (str old)))))
    (e/close! s)))

(deftest slabs-and-snapshots-print-as-what-they-are-not-as-all-that-is-in-them
  (let [s (e/open (u/temp-path)), a (e/atom {:id ::a :persistent s} 5), snap (e/snapshot s)]
    (is (= (str "#<Slab " (.name s) ">") (pr-str s)))
    (is (= (str "[#<PinnedSnapshot of " (.name s) ", version " (e/version snap) ">]") (pr-str [snap])))
    (is (re-find #"\{:status :ready, :val 5\}" (pr-str a)) "an atom prints as Clojure's")
    (.close snap)
    (e/close! s)
    (is (re-find #", closed>" (pr-str snap)))
    (is (re-find #", closed>" (pr-str s)))
    (is (re-find #":status :failed" (pr-str a)))))

(deftest many-snapshots-are-a-history
  (let [s (e/open (u/temp-path)), a (e/atom {:id ::a :persistent s} {}), history (mapv (fn [i] (swap! a assoc i (str i)) (e/snapshot s)) (range 100))]
    (dotimes [_ 20] (dotimes [i 100] (e/update! a dissoc i)) (dotimes [i 100] (e/update! a assoc i :later)))
    (is (apply < (map e/version history)))
    (doseq [[i snap] (map-indexed vector history)]
      (is (= (into {} (map (juxt identity str)) (range (inc i))) (get snap a))))
    (run! #(.close ^eve.PinnedSnapshot %) history)
    (e/gc s)
    (is (:sound (e/verify s)))
    (e/close! s)))

(deftest wait-returns-the-value-that-it-waited-for
  (doseq [make [#(e/atom {:id ::w :persistent (u/temp-path)} 0) #(e/atom 0)]]
    (let [a (make), seen (atom [])]
      (is (= 0 (e/wait a zero?) (e/wait a zero? 0 :late)) "at once, if it is there")
      (is (= :late (e/wait a pos? 0 :late) (e/wait a pos? 20 :late)))
      (let [waiters (doall (for [n [1 2 2 5]] (future (e/wait a #(<= n %)))))]
        (dotimes [_ 5] (Thread/sleep 5) (swap! a inc))
        (is (every? true? (map <= [1 2 2 5] (map deref waiters)))))
      (testing "the predicate is asked once for a value"
        (let [b (e/atom {:id (keyword "eve.history-test" (str (gensym))) :persistent (e/slab a)} 0)
              w (future (e/wait a #(do (swap! seen conj %) (= % 100))))]
          (is (u/eventually #(= [5] @seen)))
          (dotimes [_ 50] (swap! b inc))
          (reset! a 100)
          (is (= 100 @w))
          (is (= [5 100] @seen)))))))

(deftest wait-sees-the-changes-of-another-process-and-all-atoms-of-a-slab
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} 0), s (e/slab a)
        of-atom (future (e/wait a #(= 3 %))), of-slab (future (::b (e/wait s ::b)))
        p (u/java-process '[(require '[eve.alpha :as e])
                            (let [a (e/atom {:id :eve.history-test/a :persistent (first args)} nil)]
                              (reset! a 3)
                              (e/atom {:id :eve.history-test/b :persistent (first args)} :made)
                              (println "WAITED" (e/wait a neg? 60000 :timeout)) ; for us
                              (shutdown-agents))] path)]
    (is (= [3 :made] [@of-atom @of-slab]))
    (reset! a -1)
    (let [{:keys [exit out]} (u/finish p)]
      (is (zero? exit) out)
      (is (re-find #"WAITED -1" out)))
    (e/close! a)))

(deftest ^:slow two-processes-wait-for-each-other
  (let [path (u/temp-path), a (e/atom {:id ::turn :persistent path} 0)
        p (u/java-process '[(require '[eve.alpha :as e])
                            (let [a (e/atom {:id :eve.history-test/turn :persistent (first args)} nil)]
                              (dotimes [_ 100] (e/wait a odd?) (swap! a inc))
                              (shutdown-agents))] path)]
    (dotimes [_ 100] (swap! a inc) (is (even? (e/wait a even? 60000 1))))
    (is (zero? (:exit (u/finish p))))
    (is (= 200 @a))))

(defn- in-thread
  "A thread, platform or virtual, that runs f; an atom with :running, then what f returned or the class of what it threw."
  [virtual f]
  (let [result (atom :starting)
        body (fn [] (reset! result :running) (reset! result (try [(f) (Thread/interrupted)] (catch Throwable t (or (:eve/error (ex-data t)) (class t))))))]
    [(if virtual (Thread/startVirtualThread body) (doto (Thread. ^Runnable body) .start)) result]))

(deftest an-interrupt-ends-a-wait
  (doseq [virtual [false true], timeout [-1 60000], a [(e/atom {:id ::i :persistent (u/temp-path)} 0) (e/atom 0)]]
    (let [[^Thread t result] (in-thread virtual #(e/wait a pos? timeout :timeout)), [^Thread other others] (in-thread virtual #(e/wait a pos?))]
      (is (u/eventually #(= [:running :running] [@result @others])))
      (Thread/sleep 20)
      (.interrupt t)
      (.join t)
      (is (= InterruptedException @result))
      (is (= :running @others) "of that thread only")
      (swap! a inc)
      (.join other)
      (is (= [1 false] @others)))
    (testing "also one that came before"
      (let [[^Thread t result] (in-thread virtual #(do (.interrupt (Thread/currentThread)) (e/wait a neg? timeout :timeout)))]
        (.join t)
        (is (= InterruptedException @result))))))

(deftest more-virtual-threads-wait-than-there-are-carriers
  (let [a (e/atom {:id ::v :persistent (u/temp-path)} 0), waiters (doall (for [i (range 200)] (in-thread true #(e/wait a (fn [n] (< i n))))))]
    (dotimes [_ 200] (swap! a inc))
    (doseq [[^Thread t result] waiters] (.join t) (is (int? (first @result))))))

(deftest closing-the-slab-ends-waits-with-the-error
  (let [a (e/atom {:id ::c :persistent (u/temp-path)} 0), waiters (doall (for [v [false true]] (in-thread v #(e/wait a pos?))))]
    (is (u/eventually #(every? (fn [[_ r]] (= :running @r)) waiters)))
    (Thread/sleep 20)
    (e/close! a)
    (doseq [[^Thread t result] waiters] (.join t) (is (= :closed @result)))
    (is (= :closed (error-of #(e/wait a pos?))))))

(deftest a-predicate-that-throws-ends-the-wait
  (let [a (e/atom 0)]
    (is (= "no" (ex-message (error-of #(e/wait a (fn [_] (throw (ex-info "no" {}))))))))))

(deftest a-wait-of-a-removed-atom-is-an-error
  (let [a (e/atom {:id ::r :persistent (u/temp-path)} 0), [^Thread t result] (in-thread false #(e/wait a pos?))]
    (is (u/eventually #(= :running @result)))
    (e/remove! a)
    (.join t)
    (is (= :not-found @result))
    (is (= :not-found (error-of #(e/wait a pos?))))))
