(ns eve.shared-test
  "Values whose objects are met on many paths: each is hashed and compared once."
  (:require [clojure.test :refer [deftest is]]
            [eve.alpha :as e]
            [eve.util :as u]))

(defmacro ends
  "The value of the body, or :hangs if it takes a minute: it would take for ever. (The thread goes on until the process ends.)"
  [& body]
  `(let [result# (promise)]
     (doto (Thread. (fn [] (deliver result# (try (do ~@body) (catch Throwable t# t#)))))
       (.setDaemon true)
       .start)
     (deref result# 60000 :hangs)))

(defn deep
  "60 levels, 2^60 paths, each level stored by a commit of its own."
  [atom level bottom]
  (reset! atom bottom)
  (dotimes [_ 60] (swap! atom level))
  @atom)

(def levels
  {"[x x]" (fn [x] [x x])
   "(x x)" (fn [x] (list x x))
   "{0 x, 1 x}" (fn [x] {0 x, 1 x})
   "{x x}" (fn [x] {x x})
   "#{[x x] 1}" (fn [x] #{[x x] 1})
   "[m m'], x in both" (fn [x] (let [m (assoc (zipmap (range 40) (range)) 7 x)] [m (assoc m 1 2)]))})

(deftest what-is-met-on-many-paths-is-hashed-and-compared-once
  (let [slab (u/temp-path)]
    (doseq [[text level] levels]
      (let [[a b other] (map #(deep (e/atom {:persistent slab :id (keyword "eve.shared-test" (str (gensym)))} nil) level %) [0 0 1])
            elsewhere (deep (e/atom nil) level 0)]
        (is (= true (ends (= (hash a) (hash b) (hash elsewhere)))) text)
        (is (= true (ends (not= (hash a) (hash other)))) text)
        (is (= true (ends (= a b))) text)
        (is (= true (ends (not= a other))) text)
        (is (= true (ends (= a elsewhere))) (str text " of another slab"))
        (is (= true (ends (== (.hashCode ^Object a) (.hashCode ^Object b)))) text)
        (is (= true (ends (and (.equals ^Object a b) (not (.equals ^Object a other))))) text)))))

(deftest a-value-of-a-slab-is-compared-with-one-that-is-not-in-one-step-for-each-object
  (let [stored (deep (e/atom nil) (fn [x] [x x]) 0)
        heap (nth (iterate (fn [x] [x x]) 0) 60)]
    (is (= true (ends (= stored heap))))
    (is (= true (ends (= (hash stored) (hash heap)))))))

(deftest an-answer-to-one-question-is-no-answer-to-another
  (let [xs (vec (range 1000)), ys (conj (pop xs) :other)]
    (is (not= @(e/atom [{xs 1} xs xs]) @(e/atom [{xs 1} xs ys])))
    (is (= @(e/atom [{xs 1} xs xs]) @(e/atom [{xs 1} xs xs])))
    ;; Java's equals: keys are looked up by Clojure's =, values are not.
    (let [[a b] (map #(doto (e/atom [% xs]) (swap! (fn [x] {x x}))) [1.0M 1.00M])]
      (is (= @a @b))
      (is (not (.equals ^Object @a @b)))
      (is (.equals ^Object @a @(e/atom @a))))))
