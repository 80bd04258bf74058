(ns eve.names-test
  "Atoms and their names: listing, removing, many of them; what clojure.core's atom has, ours has."
  (:require [clojure.set :as set]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (java.lang.reflect Method Modifier)
           (java.nio.file Files Path)
           (java.nio.file.attribute FileAttribute)))

(defn- error-of [f] (try (f) nil (catch Throwable t (or (:eve/error (ex-data t)) t))))

(deftest an-eve-atom-has-all-that-clojures-atom-has
  (let [ours eve.Atom, theirs clojure.lang.Atom]
    (is (set/subset? (supers theirs) (supers ours)) "every class and interface")
    (doseq [^Method m (.getMethods theirs) :when (not= Object (.getDeclaringClass m))]
      (let [mine (.getMethod ours (.getName m) (.getParameterTypes m))]
        (is (Modifier/isPublic (.getModifiers mine)))
        (is (.isAssignableFrom (.getReturnType m) (.getReturnType mine)) (str m))))))

(deftest swap-takes-any-number-of-arguments
  (doseq [make [e/atom #(e/atom {:id ::arity :persistent (u/temp-path)} %)], n [0 1 2 3 4 5 19 20 21 100]]
    (let [a (make []), c (atom []), f (fn [v & xs] (conj v (vec xs))), args (range n)]
      (is (= (apply swap! c f args) (apply swap! a f args) @a))
      (is (= (apply swap-vals! c f args) (apply swap-vals! a f args)))
      (is (= (apply swap! c conj :x args) (apply swap! a conj :x args)) "an operation of the core too")
      (apply e/update! a f args)
      (is (= (apply swap! c f args) @a)))))

(deftest validators-are-as-clojures
  (doseq [make [atom e/atom #(e/atom {:id ::valid :persistent (u/temp-path)} %)]]
    (let [a (make 1), asked (clojure.core/atom [])
          refusals (fn [v] (mapv (fn [f] (let [t (try (f) nil (catch Throwable t t))] [(class t) (ex-message t) (class (ex-cause t)) @a]))
                                 [#(reset! a v) #(swap! a (constantly v)) #(swap-vals! a (constantly v)) #(reset-vals! a v) #(compare-and-set! a 1 v)]))]
      (is (nil? (get-validator a)))
      (set-validator! a (fn [v] (swap! asked conj v) (not= v 5)))
      (is (fn? (get-validator a)))
      (is (= [1] @asked) "of the value that is there")
      (is (= (repeat 5 [IllegalStateException "Invalid reference state" nil 1]) (refusals 5)))
      (is (= [IllegalStateException "Invalid reference state"] ((juxt class ex-message) (error-of #(set-validator! a neg?)))))
      (is (= [1 5 5 5 5 5] @asked))
      (set-validator! a (fn [v] (when (= v 5) (throw (Exception. "checked"))) true))
      (is (= (repeat 5 [IllegalStateException "Invalid reference state" Exception 1]) (refusals 5)) "a checked exception is wrapped")
      (set-validator! a (fn [v] (when (= v 5) (throw (ArithmeticException. "unchecked"))) true))
      (is (= (repeat 5 [ArithmeticException "unchecked" nil 1]) (refusals 5)))
      (is (= ArithmeticException (class (error-of #(compare-and-set! a 2 5)))) "also where nothing would change")
      (set-validator! a nil)
      (is (= 5 (reset! a 5))))))

(deftest a-validator-is-asked-each-time-that-the-function-runs
  (let [a (e/atom 0), asked (atom []), runs (atom 0)]
    (set-validator! a (fn [v] (swap! asked conj v) true))
    (reset! asked [])
    (is (= 11 (swap! a (fn [n] (when (= 1 (swap! runs inc)) @(future (e/update! a + 10))) (inc n)))))
    (is (= [10 1 11] @asked))))

(deftest metadata-is-as-clojures
  (doseq [make [atom e/atom #(apply e/atom {:id ::meta :persistent (u/temp-path)} %&)]]
    (let [a (make 1 :meta {:m 1})]
      (is (= {:m 1} (meta a)))
      (is (= {:m 2} (alter-meta! a update :m inc) (meta a)))
      (is (= {:x 1} (reset-meta! a {:x 1}) (meta a)))
      (is (nil? (reset-meta! a nil)))
      (is (= 1 @a)))))

(deftest watches-are-as-clojures
  (doseq [make [atom e/atom #(e/atom {:id ::watch :persistent (u/temp-path)} %)]]
    (let [a (make 1), seen (atom []), w (fn [k r o n] (swap! seen conj [k (identical? r a) o n]))]
      (is (identical? a (add-watch a :k w)))
      (add-watch a :k (fn [k r o n] (w [k] r o n)))
      (reset! a 2)
      (is (= [[[:k] true 1 2]] @seen) "a key has one watch, the last")
      (is (identical? a (remove-watch a :k)))
      (remove-watch a :none)
      (reset! a 3)
      (is (= 1 (count @seen)))
      (testing "one that throws: the caller gets it, the change is made"
        (add-watch a :bad (fn [& _] (throw (ArithmeticException. "of a watch"))))
        (is (thrown-with-msg? ArithmeticException #"of a watch" (swap! a inc)))
        (is (= 4 @a))
        (remove-watch a :bad))
      (testing "one that the function itself adds or removes"
        (reset! seen [])
        (swap! a (fn [n] (add-watch a :late w) (inc n)))
        (is (u/eventually #(= [[:late true 4 5]] @seen)))
        (swap! a (fn [n] (remove-watch a :late) (inc n)))
        (is (= 1 (count @seen)))))))

(deftest a-watch-that-is-added-beside-a-change-hears-of-it-or-was-added-after-it
  (doseq [make [(fn [_] (e/atom 0)) (let [s (e/open (u/temp-path))] #(e/atom {:id (keyword "late" (str "n" %)) :persistent s} 0))]]
    (let [n 300, as (mapv make (range n)), go (java.util.concurrent.atomic.AtomicInteger. -1), done (java.util.concurrent.atomic.AtomicInteger. -1)
          changer (Thread. (fn [] (dotimes [i n]
                                    (while (< (.get go) i) (Thread/onSpinWait))
                                    (swap! (nth as i) inc)
                                    (.set done i))))]
      (.start changer)
      (dotimes [i n]
        (let [a (nth as i), told (atom 0)]
          (.set go i)
          (dotimes [_ (rand-int 60)] (Thread/onSpinWait))
          (add-watch a :k (fn [& _] (swap! told inc)))
          (let [value @a]
            (while (< (.get done) i) (Thread/onSpinWait))
            (when (zero? value)
              (is (u/eventually #(= 1 @told)) (str i)))))))))

(deftest atoms-are-listed-and-found-by-name
  (let [path (u/temp-path), s (e/open path)]
    (is (= {} (e/atoms s)))
    (is (= [nil :no] [(get s ::a) (get s ::a :no)]))
    (let [a (e/atom {:id ::a :persistent s} 1), b (e/atom {:id :b :persistent path} nil)]
      (is (= {::a a :b b} (e/atoms s)))
      (is (and (identical? a (get s ::a)) (identical? b (:b s)) (= ::a (.name a))))
      (is (nil? (get s "a")))
      (u/finish (u/java-process '[(require '[eve.alpha :as e]) (e/atom {:id :from/there :persistent (first args)} [1 2])] path))
      (is (= #{::a :b :from/there} (set (keys (e/atoms s)))))
      (is (= [1 2] @(:from/there (e/atoms s))))
      (e/close! s)
      (is (= :closed (error-of #(e/atoms s)) (error-of #(get s ::a))))))
  (testing "in the memory of this process: those with names"
    (let [a (e/atom ::named 1), _ (e/atom 2)]
      (is (identical? a (::named (e/atoms))))
      (is (every? keyword? (keys (e/atoms)))))))

(deftest a-removed-atom-is-an-error-until-it-is-made-again
  (doseq [where [{:persistent (u/temp-path)} {}]]
    (let [config (assoc where :id ::gone), a (e/atom config {:v [1 2 3]}), v @a, seen (atom [])]
      (add-watch a :k (fn [_ _ o n] (swap! seen conj [o n])))
      (is (true? (e/remove! a)))
      (is (false? (e/remove! a)))
      (is (nil? (get (e/slab a) ::gone)))
      (doseq [f [#(deref a) #(swap! a assoc :x 1) #(swap! a update :x inc) #(reset! a 1) #(compare-and-set! a v 1)
                 #(e/update! a assoc :x 1) #(e/read a count) #(deref (e/snapshot a))]]
        (is (= :not-found (error-of f)))
        (is (re-find #"the atom :eve.names-test/gone was removed from the slab" (ex-message (try (f) (catch Exception x x))))))
      (is (= {:v [1 2 3]} v) "its value stays valid")
      (let [b (e/atom config :again)]
        (is (= [:again :again] [@b @a]))
        (reset! b :more)
        (is (= :more @a)))
      (is (true? (e/remove! a))))))

(deftest an-atom-that-another-process-removes
  (let [path (u/temp-path), a (e/atom {:id ::r :persistent path} 1), seen (atom [])
        there #(let [{:keys [exit out]} (u/finish (u/java-process ['(require '[eve.alpha :as e]) %] path))] (is (zero? exit) out))]
    (add-watch a :k (fn [_ _ o n] (swap! seen conj [o n])))
    (there '(e/remove! (e/atom {:id :eve.names-test/r :persistent (first args)} nil)))
    (is (= :not-found (error-of #(deref a))))
    (is (= 2 @(e/atom {:id ::r :persistent path} 2) @a) "it is made, not taken for one that is there")
    (is (u/eventually #(= [[1 2]] @seen)) "which is a change that watches hear of")
    (e/close! a)))

(deftest three-hundred-atoms-in-a-slab-and-a-hundred-slabs-at-once
  (let [s (e/open (u/temp-path)), ids (mapv #(keyword "many" (str "n" %)) (range 300)), as (mapv #(e/atom {:id % :persistent s} {:n 0}) ids)]
    (dotimes [_ 3] (run! #(swap! % update :n inc) as))
    (e/transact s (fn [tx] (doseq [id ids] (e/update! tx id update :n + 10))))
    (is (= (zipmap ids (repeat {:n 13})) @s))
    (is (= (zipmap ids as) (e/atoms s)))
    (run! e/remove! (take 299 as))
    (is (= {:many/n299 {:n 13}} @s))
    (is (:sound (e/verify s)))
    (e/close! s))
  (let [anonymous (mapv e/atom (range 300))]
    (run! #(swap! % inc) anonymous)
    (is (= (range 1 301) (map deref anonymous))))
  (let [slabs (mapv (fn [_] (e/open (u/temp-path) {:max-bytes 16000000})) (range 100)), as (mapv #(e/atom {:id ::one :persistent %} 0) slabs)]
    (dotimes [_ 3] (run! #(swap! % inc) as))
    (run! (fn [a] (e/transact a (fn [tx] (e/update! tx a inc)))) as)
    (is (= (repeat 100 4) (map deref as)))
    (run! e/close! slabs)))

(deftest a-slab-has-room-for-two-hundred-participants
  ;; Each opening is one, as a process is. One process opens a file once, so each gets a name of its own for it.
  (let [path (Path/of (u/temp-path) (make-array String 0)), _ (e/close! (e/atom {:id ::n :persistent (str path)} 0))
        dir (.getParent path)
        as (mapv (fn [i] (let [link (.resolve dir (str "link" i))]
                           (Files/createLink link path)
                           (e/atom {:id ::n :persistent (e/open link {:max-bytes 200000000})} nil)))
                 (range 200))]
    (run! #(swap! % inc) as)
    (is (= (repeat 200 200) (map deref as)))
    (e/transact (first as) (fn [tx] (e/update! tx (first as) inc)))
    (is (= 201 @(peek as)))
    (run! e/close! as)))
