(ns eve.migration-test
  "The names of the original eve, with their arguments."
  (:require [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.atom :as a]
            [eve.util :as u]))

(defn- text-of [f] (try (f) nil (catch Exception t (ex-message t))))

(deftest atom-takes-the-arguments-of-the-original
  (doseq [atom [e/atom a/atom], :let [path (u/temp-path)]]
    (is (= [1 2 3 4] (map deref [(atom 1) (atom nil 2) (atom (keyword (str (gensym))) 3) (atom {:id ::x :persistent path :lustre? false} 4)])))
    (is (identical? (atom {:id ::x :persistent path} 5) (get (e/open path) ::x)))
    (is (re-find #"network" (text-of #(atom {:id ::x :persistent path :lustre? true} 1))))
    (is (re-find #"unknown options" (text-of #(atom {:id ::x :persist path} 1))))))

(deftest every-public-name-has-a-docstring
  (doseq [n '[eve.alpha eve.atom], v (vals (ns-publics n)), :let [{:keys [doc arglists]} (meta v)]]
    (is (and doc (or arglists (:dynamic (meta v)) (instance? java.util.Comparator @v))) (str v))))

(deftest domains-are-slabs
  (let [path (u/temp-path), d (a/persistent-atom-domain path :capacities {32 1000000} :lustre? false)]
    (is (identical? d (a/join-atom-domain path)))
    (is (= [nil :no] [(a/domain-lookup d ::p) (a/domain-lookup d ::p :no)]))
    (let [p (a/persistent-atom {:id ::p :persistent path} {:n 1}), q (a/lookup-or-create-mmap-atom! d "eve.migration-test/q" [1])]
      (is (identical? p (a/domain-lookup d ::p)))
      (is (= [p q] [(::p d) (get d ::q)]))
      (is (identical? q (a/lookup-or-create-mmap-atom! d "eve.migration-test/q" [2])))
      (is (= {::p {:n 1} ::q [1]} @d))
      (binding [a/*global-persistent-atom-domain* d]
        (let [unnamed [(a/persistent-atom 1) (a/persistent-atom nil 2)]]
          (is (= [1 2 3 4] (map deref (concat unnamed [(a/persistent-atom ::r 3) (a/persistent-atom {:id ::s :persistent true} 4)]))))
          (is (= #{d} (set (map e/slab unnamed))))
          (is (= 6 (count (e/atoms d)))))))
    (is (re-find #"network" (text-of #(a/persistent-atom-domain path :lustre? true))))
    (is (re-find #"unknown options" (text-of #(a/persistent-atom-domain path :size 1))))
    (a/close-atom-domain! d)
    (let [x (a/persistent-atom {:id ::p :persistent path} nil)]
      (is (= {:n 1} @x))
      (a/close! x)
      (is (re-find #"closed" (text-of #(deref x)))))
    (let [again (e/open path)]
      (e/close-atom-domain! again)
      (is (re-find #"closed" (text-of #(deref again)))))))
