(ns eve.transaction-test
  "Several atoms that change together."
  (:require [clojure.string :as str]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (eve EveException Transaction)))

(defn- pair
  "Two atoms of one slab, with these values."
  [x y]
  (let [s (e/open (u/temp-path))]
    [(e/atom {:id ::a :persistent s} x) (e/atom {:id ::b :persistent s} y)]))

(defn- thrown [f] (try (f) nil (catch Throwable t t)))
(defn- thrown-text [f] (some-> (thrown f) ex-message))

(deftest a-transaction-changes-several-atoms-and-returns-what-its-function-does
  (doseq [[a b] [(pair 10 0) [(e/atom 10) (e/atom 0)]]]
    (is (= :done (e/transact [a b] (fn [tx]
                                     (is (= [10 10 10 0] [(get tx a) (tx a) (tx a :no) (get tx b)]))
                                     (is (= 7 (e/update! tx a - 3)))
                                     (is (identical? tx (assoc! tx b {:got (get tx a)})))
                                     (is (= [7 {:got 7}] [(get tx a) (get tx b)]) "it reads what it has written")
                                     (is (= [10 0] [@a @b]) "and nobody else does")
                                     :done))))
    (is (= [7 {:got 7}] [@a @b]))))

(deftest one-version-holds-all-changes-of-a-transaction
  (let [[a b] (pair 1 1), before (e/version a)]
    (e/transact a (fn [tx] (doseq [x [a b]] (e/update! tx x + 1)) (assoc! tx ::c 5)))
    (is (= (inc before) (e/version a)))
    (is (= {::a 2 ::b 2 ::c 5} @(e/slab a)))
    (testing "one that changes nothing makes none"
      (is (= [2 2] (e/transact a (fn [tx] [(get tx a) (get tx b)]))))
      (e/transact a (fn [tx] (assoc! tx a (get tx a))))
      (is (= (inc before) (e/version a))))))

(deftest names-stand-for-atoms
  (let [[a] (pair {:n 1} nil), s (e/slab a)]
    (e/transact s (fn [tx]
                    (is (= [{:n 1} nil :no true false [::a {:n 1}] nil]
                           [(get tx ::a) (get tx ::new) (get tx ::new :no) (contains? tx ::a) (contains? tx ::new) (find tx ::a) (find tx ::new)]))
                    (is (true? (contains? tx ::b)) "an atom whose value is nil is one")
                    (e/update! tx ::a update :n inc)
                    (e/update! tx ::new (fnil conj []) 1)
                    (conj! tx [::other 2])
                    (is (= {:n 2} (get tx a)))))
    (is (= {::a {:n 2} ::b nil ::new [1] ::other 2} @s))
    (is (= [1] @(get s ::new)))
    (is (re-find #"are keywords, as keys, not \"x\"" (thrown-text #(e/transact s (fn [tx] (get tx "x"))))))))

(deftest values-of-a-transaction-stay-valid-and-move-between-its-atoms
  (let [[a b] (pair {:deep {:v (vec (range 100))}} {}), kept (atom nil)
        got (e/transact a (fn [tx]
                            (let [v (:v (:deep (get tx a)))]
                              (reset! kept v)
                              (assoc! tx b {:linked v :changed (conj v :new)})
                              (e/update! tx a assoc :deep {:small 1})
                              v)))]
    (is (= {:deep {:small 1}} @a))
    (dotimes [i 2000] (swap! a assoc :deep (vec (range i (+ i 100)))))
    (is (= (range 100) got @kept (:linked @b) (butlast (:changed @b))))))

(deftest nothing-has-changed-when-the-function-throws
  (let [[a b] (pair 1 2)]
    (is (= "no" (thrown-text #(e/transact a (fn [tx] (assoc! tx a 5) (assoc! tx b 6) (throw (ex-info "no" {})))))))
    (is (re-find #"can't store a function .* at \[:f\]" (thrown-text #(e/transact a (fn [tx] (assoc! tx a 5) (assoc! tx b {:f inc}))))))
    (is (= [1 2] [@a @b]))
    (e/transact a (fn [tx] (assoc! tx a 3)))
    (is (= 3 @a))))

(deftest a-transaction-runs-again-when-others-change-what-it-has-read-or-written
  (doseq [[what f] {"read" (fn [tx a b] (assoc! tx b (inc (get tx a))))
                    "written, not read" (fn [tx a b] (assoc! tx a 7) (assoc! tx b 8))}]
    (testing what
      (let [[a b] (pair 0 0), runs (atom 0)]
        (e/transact a (fn [tx]
                        (f tx a b)
                        (when (= 1 (swap! runs inc)) @(future (reset! a 5)))))
        (is (= 2 @runs)))))
  (testing "not when they change others"
    (let [[a b] (pair 0 0), runs (atom 0)]
      (e/transact a (fn [tx] (swap! runs inc) (e/update! tx a inc) @(future (swap! b inc))))
      (is (= [1 1 1] [@runs @a @b])))))

(deftest write-skew-is-not-possible
  ;; Each takes from one account if both together have enough, and writes that account only: who commits second must see what the first has done.
  (let [[a b] (pair 1 1), runs (atom 0)
        take-from (fn [x meanwhile] (e/transact a (fn [tx] (when (<= 2 (+ (get tx a) (get tx b))) (meanwhile) (e/update! tx x - 2)))))]
    (is (nil? (take-from a #(when (= 1 (swap! runs inc)) @(future (take-from b (fn [])))))))
    (is (= [1 1 -1] [@runs @a @b]))))

(deftest validators-are-asked-before-the-commit
  (let [[a b] (pair 10 0)]
    (set-validator! a nat-int?)
    (is (instance? IllegalStateException (thrown #(e/transact a (fn [tx] (e/update! tx b + 20) (e/update! tx a - 20))))))
    (is (= "Invalid reference state" (thrown-text #(e/transact (e/slab a) (fn [tx] (assoc! tx ::b 1) (assoc! tx ::a -1))))))
    (is (= [10 0] [@a @b]))
    (is (= 1 (e/transact a (fn [tx] (assoc! tx a -5) (assoc! tx a 1) (get tx a)))) "of the value to be committed only")))

(deftest watches-are-called-after-the-commit-once-for-each-atom
  (doseq [[a b] [(pair 0 0) [(e/atom 0) (e/atom 0)]]]
    (let [seen (atom [])]
      (doseq [x [a b]] (add-watch x :k (fn [k r o n] (swap! seen conj [k (identical? r x) o n @a @b]))))
      (e/transact a (fn [tx] (assoc! tx a 5) (assoc! tx a 1) (e/update! tx b inc) (is (= [] @seen))))
      (Thread/sleep 100) ; a second call would come from the watcher's thread
      (is (= [[:k true 0 1 1 1] [:k true 0 1 1 1]] @seen))
      (testing "one that throws: the change is made, the others are told, the caller gets the exception"
        (add-watch a :bad (fn [& _] (throw (ex-info "of a watch" {}))))
        (is (= "of a watch" (thrown-text #(e/transact a (fn [tx] (assoc! tx a {:x 2}) (assoc! tx b 3))))))
        (is (= [{:x 2} 3] [@a @b]))
        (is (= 3 (nth (last @seen) 3)))
        (remove-watch a :bad))
      (testing "a watch may change atoms, in a transaction too"
        (add-watch b :more (fn [_ _ _ n] (when (= 4 n) (e/transact a (fn [tx] (assoc! tx a :more))))))
        (e/transact a (fn [tx] (assoc! tx b 4)))
        (is (= :more @a)))
      (run! (fn [x] (run! #(remove-watch x %) [:k :more])) [a b]))))

(deftest misuse-is-an-error-that-says-what-to-do
  (let [[a b] (pair 0 0), [other] (pair 0 0), kept (atom nil)]
    (is (re-find #"transaction within a transaction" (thrown-text #(e/transact a (fn [_] (e/transact other (fn [tx] (assoc! tx other 1))))))))
    (e/transact a (fn [tx] (reset! kept tx) (assoc! tx a 1)))
    (doseq [f [#(get @kept a) #(assoc! @kept a 1) #(e/update! @kept a inc) #(contains? @kept b)
               #(doall (e/transact a (fn [tx] (map (partial get tx) [a b]))))]]
      (is (instance? IllegalStateException (thrown f)))
      (is (re-find #"transaction is over" (thrown-text f))))
    (is (re-find #"belongs to the thread" (thrown-text #(e/transact a (fn [tx] (let [x @(future (thrown (fn [] (get tx a))))] (throw x)))))))
    (is (re-find #"different slabs" (thrown-text #(e/transact a (fn [tx] (get tx other))))))
    (is (re-find #"different slabs" (thrown-text #(e/transact [a other] identity))))
    (doseq [x [nil [] 5 [1 2] "path"]] (is (re-find #"a transaction is of a slab" (thrown-text #(e/transact x identity)))))
    (is (instance? UnsupportedOperationException (thrown #(e/transact a (fn [tx] (persistent! tx))))))
    (is (re-find #"over" (str @kept)))
    (is (instance? Transaction @kept))
    (e/remove! b)
    (is (= :not-found (:eve/error (ex-data (thrown #(e/transact a (fn [tx] (assoc! tx b 1))))))))
    (is (= [1] [@a]) "and none has changed anything")))

(deftest changes-beside-the-transaction-that-could-never-end-are-errors
  (let [[a b] (pair 0 0), beside #"beside it, in one thread"]
    (doseq [change [#(swap! a inc) #(reset! a 1) #(compare-and-set! a 0 1) #(e/update! a inc) #(swap-vals! a inc) #(swap! a (fn [n] (inc n)))]]
      (is (re-find beside (thrown-text #(e/transact a (fn [tx] (get tx a) (change))))))
      (is (re-find beside (thrown-text #(e/transact a (fn [tx] (change) (get tx a))))))
      (reset! a 0))
    (is (re-find beside (thrown-text #(e/transact a (fn [tx] (get tx a) (e/remove! a))))))
    (is (re-find beside (thrown-text #(e/transact a (fn [tx] (get tx ::new) (e/atom {:id ::new :persistent (e/slab a)} 1))))))
    (testing "of other atoms they are what they are everywhere: a commit of their own"
      (e/transact a (fn [tx] (swap! b inc) (assoc! tx a 1)))
      (is (= [1 1] [@a @b])))))

(deftest a-transaction-of-a-slab-that-cannot-be-written
  (let [[a] (pair 1 2), path (.name (e/slab a))]
    (e/close! a)
    (is (= :closed (:eve/error (ex-data (thrown #(e/transact a (fn [tx] (assoc! tx a 1))))))))
    (let [s (e/open path {:read-only true})]
      (is (re-find #"reading only" (thrown-text #(e/transact s (fn [tx] (assoc! tx ::a 1))))))
      (e/close! s)))
  (testing "a slab that is full: nothing has changed"
    (let [s (e/open (u/temp-path) {:max-bytes (* 8 1024 1024)}), a (e/atom {:id ::a :persistent s} 1), b (e/atom {:id ::b :persistent s} 1)
          f (fn [tx] (assoc! tx a 2) (assoc! tx b (vec (repeatedly 1000 #(apply str (repeat 10000 "x"))))))]
      (is (= :full (:eve/error (ex-data (thrown #(e/transact s f))))))
      (is (= [1 1] [@a @b]))
      (e/transact s (fn [tx] (assoc! tx a 2) (assoc! tx b 2)))
      (is (= [2 2] [@a @b])))))

;; The bank: eight accounts, transfers between random ones from two processes with two threads each. Whoever reads sees all the money.

(def ^:private transfers-form
  '(defn transfers [slab accounts n]
     (let [r (java.util.Random.)]
       (dotimes [_ n]
         (let [from (nth accounts (.nextInt r 8)), to (nth accounts (.nextInt r 8)), amount (inc (.nextInt r 50))]
           (eve.alpha/transact slab (fn [tx]
                                      (when (<= amount (:money (get tx from)))
                                        (eve.alpha/update! tx from update :money - amount)
                                        (eve.alpha/update! tx to update :money + amount)
                                        (eve.alpha/update! tx :bank/transfers inc)))))))))

(eval transfers-form)

(def ^:private accounts (mapv #(keyword "bank" (str "account-" %)) (range 8)))

(defn- money [m] (reduce + (map (comp :money m) accounts)))

(deftest ^:slow the-money-of-a-bank-is-constant
  (let [path (u/temp-path), s (e/open path), n 300, refs (mapv #(e/atom {:id % :persistent s} {:money 100}) accounts)
        stop (atom false), wrong (atom []), reads (atom 0)
        _ (e/atom {:id :bank/transfers :persistent s} 0)
        check (fn [total] (swap! reads inc) (when-not (= 800 total) (swap! wrong conj total)))
        readers [(future (while (not @stop) (check (money @s))))
                 (future (while (not @stop)
                           (with-open [now (e/snapshot s)] (check (money now)))
                           (check (e/transact refs (fn [tx] (money tx))))))]
        p (u/java-process ['(require 'eve.alpha) transfers-form
                           '(let [s (eve.alpha/open (first args)), accounts (mapv #(keyword "bank" (str "account-" %)) (range 8))]
                              (run! deref (doall (for [_ (range 2)] (future (transfers s accounts (parse-long (second args)))))))
                              (println "DONE")
                              (shutdown-agents))] path (str n))
        done (promise)
        mine (doall (for [_ (range 2)] (future (transfers s (if (zero? (rand-int 2)) refs accounts) n))))]
    ;; as long as the other process is at work, so that they meet
    (run! deref mine)
    (future (while (not (realized? done)) (transfers s refs 20)))
    (let [{:keys [exit out]} (u/finish p)]
      (deliver done true)
      (is (and (zero? exit) (str/includes? out "DONE")) out))
    (reset! stop true)
    (run! deref readers)
    (is (= [] @wrong))
    (is (pos? @reads))
    (is (= 800 (money @s) (reduce + (map (comp :money deref) refs))))
    (is (every? #(<= 0 (:money (deref %))) refs))
    (is (< 1000 @(get s :bank/transfers)))
    (Thread/sleep 50) ; the last round of the helper
    (is (:sound (e/verify s)))
    (e/close! s)
    (is (instance? EveException (thrown #(deref (first refs)))))))
