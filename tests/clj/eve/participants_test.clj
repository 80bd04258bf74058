(ns eve.participants-test
  "Two participants of one slab in one process: a file is opened once by its name, so the second has another name for it. What they see of each other is
  what two processes see."
  (:require [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.nio.file Files Path)))

(defn- two-slabs []
  (let [path (Path/of (u/temp-path) (make-array String 0)), link (.resolve (.getParent path) "link")]
    (e/close! (e/open (str path)))
    (Files/createLink link path)
    [(e/open (str path)) (e/open (str link))]))

(deftest watches-hear-of-the-transactions-of-others
  (let [[s other] (two-slabs), [a b] (mapv #(e/atom {:id % :persistent s} 0) [::a ::b]), seen (atom [])]
    (doseq [x [a b]] (add-watch x :k (fn [_ r o n] (swap! seen conj [(.name ^eve.Atom r) o n]))))
    (e/transact other (fn [tx] (e/update! tx ::a inc) (e/update! tx ::b dec)))
    (is (u/eventually #(= #{[::a 0 1] [::b 0 -1]} (set @seen))))
    (e/transact s (fn [tx] (e/update! tx ::a inc) (e/update! tx ::b dec)))
    (Thread/sleep 50)
    (is (= #{[::a 0 1] [::b 0 -1] [::a 1 2] [::b -1 -2]} (set @seen)))
    (is (= 4 (count @seen)) "each once")
    (run! e/close! [s other])))

(deftest a-transaction-runs-again-when-another-participant-was-first
  (let [[s other] (two-slabs), a (e/atom {:id ::a :persistent s} 0), b (e/atom {:id ::a :persistent other} nil), runs (atom 0)]
    (is (= 6 (e/transact a (fn [tx] (let [n (e/update! tx a inc)] (when (= 1 (swap! runs inc)) (reset! b 5)) n)))))
    (is (= [2 6 6] [@runs @a @b]))
    (run! e/close! [s other])))

(deftest a-validator-and-a-snapshot-belong-to-one-participant
  (let [[s other] (two-slabs), a (e/atom {:id ::a :persistent s} 1 :validator pos?), b (e/atom {:id ::a :persistent other} nil)]
    (with-open [snap (e/snapshot s)]
      (reset! b -1)
      (is (= [-1 -1 1] [@a @b (get snap a)]))
      (is (thrown? IllegalArgumentException (get snap b)))
      (is (thrown? IllegalStateException (e/transact s (fn [tx] (e/update! tx a dec))))))
    (is (= 5 (e/transact s (fn [tx] (assoc! tx a 5) (tx a)))))
    (is (= 5 (e/wait b pos?)))
    (run! e/close! [s other])))

(deftest a-watch-that-interrupts-its-thread-does-not-disturb-the-next
  (let [[s other] (two-slabs), a (e/atom {:id ::a :persistent s} 0), b (e/atom {:id ::a :persistent other} nil), seen (atom [])]
    (add-watch a :k (fn [_ _ _ n]
                      (swap! seen conj [n (.isInterrupted (Thread/currentThread))])
                      (.interrupt (Thread/currentThread))))
    (doseq [n [1 2 3]]
      (reset! b n)
      (is (u/eventually #(= [n false] (peek @seen)))))
    (remove-watch a :k)
    (run! e/close! [s other])))
