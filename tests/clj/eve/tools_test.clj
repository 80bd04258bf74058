(ns eve.tools-test
  "verify, backup, compact."
  (:require [clojure.java.io :as io]
            [clojure.test :refer [deftest is]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (eve EveException)
           (java.io RandomAccessFile)))

(defn- index-of [path ^String text]
  (.indexOf (slurp path :encoding "ISO-8859-1") text))

(deftest a-slab-is-verified-backed-up-and-compacted
  (let [path (u/temp-path), backup (str path ".backup"), small (str path ".compact")
        value {:text "a text of some length" :list '(1 2 3) :set #{1 2}}
        a (e/atom {:id ::a :persistent path} value)]
    (let [report (e/verify a)]
      (is (:sound report))
      (is (= [] (:findings report)))
      (is (pos? (:reachable-objects report)))
      (is (= (:version report) (e/backup a backup))))
    (is (pos? (:live-objects (e/gc a))))
    (is (= (:version (e/verify a)) (:version (e/gc (e/slab a)))))
    (is (thrown-with-msg? EveException #"exists already" (e/backup (e/slab a) (io/file backup))))
    (is (thrown? IllegalArgumentException (e/backup a 5)))
    (is (thrown? IllegalArgumentException (e/compact a "a\u0000b")))
    (let [{:keys [before after]} (e/compact a small)]
      (is (<= 1 after before)))
    (is (= value @(e/atom {:id ::a :persistent backup} nil) @(e/atom {:id ::a :persistent small} nil)))))

(deftest damage-is-found-and-its-place-told
  (let [path (u/temp-path), a (e/atom {:id ::a :persistent path} {:x [1 "a text of some length"]}), backup (str path ".backup")]
    (e/backup a backup)
    (with-open [f (RandomAccessFile. ^String backup "rw")]
      (.seek f (index-of backup "a text of some length"))
      (.write f (int \A)))
    (let [report (e/verify (e/atom {:id ::a :persistent backup} nil))
          [finding & more] (:findings report)]
      (is (false? (:sound report)))
      (is (= 1 (:total report)))
      (is (= {:kind :hash :path ":eve.tools-test/a [:x 1]"} (select-keys finding [:kind :path])))
      (is (pos? (:offset finding)))
      (is (nil? more)))))
