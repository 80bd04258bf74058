(ns eve.pins-test
  "Old versions: who keeps them, for how long, and how much that is."
  (:require [clojure.string :as str]
            [clojure.test :refer [deftest is]]
            [eve.alpha :as e]
            [eve.util :as u])
  (:import (clojure.lang IExceptionInfo)))

(defn- error-of
  "The :eve/error of what (f) throws; nil if it doesn't."
  [f]
  (try (f) nil (catch Exception t (if (instance? IExceptionInfo t) (:eve/error (ex-data t)) t))))

(defn- numbers [n] (into {} (map (juxt identity identity)) (range n)))

(defn- taken [a] (:taken (e/pins a)))

(def ^:private mib (* 1024 1024))

(deftest update-changes-the-value-as-swap-does
  (doseq [[start f & args] [[{:a 1} assoc :a 2] [nil assoc :a 1] [[1 2] conj 3] [#{1 2} disj 1] [1 inc] [1 + 5] [1 + 5 6] [{:a 1} update :a inc] [{:a {:b 1}} assoc-in [:a :c] [1 2]]
                            [{:a 1} merge {:b 2}] [[3 1 2] sort] [[1 2 3] #(map inc %)] [{:a [1]} :a] ["x" str "y"] [{:a 1} (constantly nil)]]]
    (let [a (e/atom start), b (e/atom start)]
      (is (int? (apply e/update! a f args)))
      (is (= (apply swap! b f args) @a) (pr-str start args)))))

(deftest update-fails-as-swap-does-and-changes-nothing
  (doseq [[start f & args] [[[1] assoc 5 :x] [1 assoc :a 1] [Long/MAX_VALUE inc] [[] pop] [{:a 1} (fn [_] (throw (IllegalStateException. "no")))] [{} assoc :f inc]]]
    (let [a (e/atom start), thrown (fn [f] (try (f) (catch Throwable t (class t))))]
      (is (= (thrown #(apply swap! a f args)) (thrown #(apply e/update! a f args))))
      (is (= start @a))))
  (let [a (e/atom {:n 1} :validator #(pos? (:n %)))]
    (is (thrown? IllegalStateException (e/update! a assoc :n -1)))
    (e/update! a assoc :n 5)
    (is (= {:n 5} @a))))

(deftest update-runs-again-when-another-came-first
  (let [a (e/atom {:n 0}), runs (atom 0)]
    (e/update! a (fn [m] (when (= 1 (swap! runs inc)) (swap! a update :n + 10)) (update m :n inc)))
    (is (= [2 {:n 11}] [@runs @a]))))

(deftest update-tells-watches-both-values
  (let [a (e/atom {:n 0}), seen (atom nil)]
    (add-watch a :w (fn [_ _ old now] (reset! seen [old now])))
    (e/update! a update :n inc)
    (is (= [{:n 0} {:n 1}] @seen))))

(deftest what-update-gives-its-function-ends-with-the-call
  (let [a (e/atom {:n 0 :v [1 2 3]}), leaked (atom [])]
    (e/update! a (fn [m] (swap! leaked conj m (:v m) (assoc m :x 1) (map inc (:v m))) (assoc m :n (count (:v m)))))
    (is (= {:n 3 :v [1 2 3]} @a) "it can be read until then")
    (let [[m v more elements] @leaked]
      (doseq [f [#(get m :n) #(doall (seq m)) #(reduce-kv (fn [_ _ x] x) nil m) #(nth v 0) #(reduce + v) #(get more :v) #(doall elements) #(swap! a assoc :x v) #(swap! a (constantly m)) #(reset! a [m])
                 #(e/update! a assoc :x m) #(e/update! a (fn [_] more)) #(= m {:n 1 :v [1]}) #(e/copy m)]]
        (is (= :released (error-of f))))
      (is (re-find #"belongs to version \d+ of .*update!.*copy" (try (get m :n) (catch Exception t (ex-message t))))))
    (is (= {:n 3 :v [1 2 3]} @a))))

(deftest ^:slow many-updates-keep-no-version
  (let [a (e/atom {:id ::many :persistent (u/temp-path)} (numbers 10000)), before (taken a)]
    (dotimes [i 60000] (e/update! a assoc (rem i 10000) i))
    (dotimes [i 60000] (e/update! a (fn [m] (assoc m (rem i 10000) (- i)))))
    (is (< (- (taken a) before) (* 4 mib)))
    (is (= (- 59999) (get @a 9999)))
    (e/close! a)))

(deftest a-snapshot-is-readable-until-it-is-closed
  (let [a (e/atom {:id ::kept :persistent (u/temp-path)} (numbers 1000)), s (e/snapshot a), all (e/snapshot (e/slab a)), m @s]
    (dotimes [i 3000] (e/update! a assoc (rem i 1000) :new))
    (is (= (numbers 1000) @s m (::kept @all)))
    (is (= :new (get @a 5)))
    (.close s)
    (.close s)
    (is (= :released (error-of #(get m 5)) (error-of #(deref s))))
    (is (= 5 (get (::kept @all) 5)))
    (with-open [now (e/snapshot a)]
      (is (= :new (get @now 5))))
    (.close all)
    (e/close! a)
    (is (= :closed (error-of #(get m 5)) (error-of #(e/snapshot a))))))

(deftest a-group-of-one-version-counts-with-what-died-until-the-next-one
  (let [a (e/atom {:id ::slow :persistent (u/temp-path)} (numbers 1000)), held #(:held (e/pins a)), before (held)
        values (doall (for [_ (range 3)]
                        (let [m @a]
                          ;; Longer than a group is open, so that the next deref is of another one; each update kills some 100 bytes at least.
                          (Thread/sleep 2500)
                          (dotimes [i 10000] (e/update! a assoc (rem i 1000) (str "a text of some length " i)))
                          m)))]
    @a
    (is (< (+ before (* 2 mib)) (held)))
    (is (= [0 (str "a text of some length 9000")] (map #(get % 0) (take 2 values))))
    (e/close! a)))

(deftest forgotten-snapshots-that-fill-the-table-are-found-by-the-collector
  (let [a (e/atom {:id ::forgotten :persistent (u/temp-path)} {:x 1})
        fill #(loop [held []] (if-let [s (try (e/snapshot a) (catch eve.EveException e (when-not (= :limit (:eve/error (ex-data e))) (throw e))))]
                                (recur (conj held s))
                                (count held)))]
    ;; With all in use it is an error; afterwards nobody uses them.
    (is (< 8000 (fill)))
    (with-open [s (e/snapshot a)]
      (is (= {:x 1} @s)))
    (e/close! a)))

(deftest what-read-gives-its-function-ends-with-the-call
  (let [a (e/atom {:id ::read :persistent (u/temp-path)} (numbers 100)), leaked (atom nil)]
    (is (= 4950 (e/read a (fn [m] (reset! leaked m) (reduce + (vals m))))))
    (is (= 7 (e/read a get 7)))
    (is (= :released (error-of #(get @leaked 1))))
    (e/close! a)
    (let [again (e/open (u/temp-path) {})
          reader (fn [] (let [b (e/atom {:id ::read :persistent again} {:x 1})] (e/read b :x)))]
      (is (= 1 (reader)))
      (e/close! again))))

(deftest a-snapshot-that-is-closed-under-readers-gives-them-values-or-the-error
  (let [a (e/atom {:id ::race :persistent (u/temp-path)} (numbers 1000)), stop (atom false), wrong (atom []), reads (atom 0)
        current (atom nil)
        readers (doall (for [_ (range 8)]
                         (future (while (not @stop)
                                   (when-let [m @current]
                                     (let [x (try (get m 500) (catch Exception t (:eve/error (ex-data t))))]
                                       (swap! reads inc)
                                       (when-not (or (= :released x) (and (int? x) (= 500 (rem x 1000)))) (swap! wrong conj x))))))))]
    (dotimes [i 300]
      (with-open [s (e/snapshot a)]
        (reset! current @s)
        (dotimes [j 5] (e/update! a assoc 500 (+ 500 (* 1000 (+ j i)))))))
    (reset! stop true)
    (run! deref readers)
    (is (= [] @wrong))
    (is (pos? @reads))
    (e/close! a)))

(deftest a-snapshot-that-is-never-closed-is-released-by-the-collector-and-counted
  (let [a (e/atom {:id ::leak :persistent (u/temp-path)} (numbers 100)), before (:leaked (e/pins a))]
    (dotimes [_ 3] (e/snapshot a))
    (is (u/eventually #(do (System/gc) (= (+ 3 before) (:leaked (e/pins a))))))
    (is (= 0 (:held (e/pins a))))
    (e/close! a)))

(deftest handles-kept-over-many-versions-stay-valid-and-let-go-what-they-held
  (let [a (e/atom {:id ::hold :persistent (u/temp-path)} (numbers 1000))
        held (vec (for [i (range 4000)] (swap! a assoc (rem i 1000) (- i))))]
    (dotimes [i 4000]
      (let [m (nth held i)]
        (when-not (and (= (- i) (get m (rem i 1000))) (= 1000 (count m))) (is false (str "version " i)))))
    (is (pos? (:held (e/pins a))))
    (is (some? (:oldest (e/pins a))))
    (e/close! a)
    (is (= :closed (error-of #(get (first held) 1))))))

(deftest a-budget-is-read-like-a-heap-size
  (let [m (doto (.getDeclaredMethod (Class/forName "eve.Pressure") "budget" (into-array Class [String Long/TYPE])) (.setAccessible true))
        budget #(.invoke m nil (object-array [% 7]))]
    (is (= [7 (* 64 mib) (* 2 1024 mib) 2000000 (* 2048 1024)] (map budget [nil "64m" "2G" "2000000" "2048k"])))
    (is (= [7 7 7 7] (map budget ["" "much" "-5m" "9999999999g"])) "with a warning")))

(deftest what-a-thread-has-retired-that-writes-no-more-is-freed
  (let [path (u/temp-path), a (e/atom {:id ::idle :persistent path} (numbers 1000))
        waiting #(:unreachable-objects (e/verify a))]
    (let [held @a]
      ;; A thread of its own, which is gone: nobody else frees what it had retired.
      (doto (Thread. #(dotimes [i 5000] (swap! a assoc (rem i 1000) (- i)))) .start .join)
      (is (< 15000 (waiting)) "held by a value in use")
      (is (= (numbers 1000) held)))
    (e/sync a)
    ;; The value that the next deref may give still holds a MiB, at most.
    (is (u/eventually #(do (System/gc) (< (waiting) 10000))))
    (e/close! a)))

(deftest the-error-of-a-full-slab-says-who-holds-old-versions
  (let [path (u/temp-path), a (e/atom {:id ::full :persistent (e/open path {:max-bytes (* 12 mib)})} {:x 1}), s (e/snapshot a)
        fill #(dotimes [i 1000] (e/update! a assoc i (apply str (repeat 50000 "x"))))]
    (dotimes [i 10] (e/update! a assoc :x i))
    (let [x (try (fill) (catch Exception t t)), pid (.pid (java.lang.ProcessHandle/current))]
      (is (= :full (:eve/error (ex-data x))))
      (is (str/includes? (ex-message x) (str "held by process " pid " (this one): ")) (ex-message x))
      (is (= 1 (:x @s))))
    (.close s)
    (e/close! a)))

;; The bound. The peak is that of the slab's blocks, which it never gives back: bytes taken.

(def ^:private loop-forms
  '[(require '[eve.alpha :as e])
    (let [n (parse-long (first args))
          a (e/atom {:id ::loop :persistent (second args)} (into {} (map (juxt identity identity)) (range 10000)))
          live (:taken (e/pins a))
          start (System/nanoTime)]
      (dotimes [i n]
        (swap! a assoc (rem i 10000) i)
        (when-not (= i (get @a (rem i 10000))) (throw (ex-info "wrong" {}))))
      (let [p (e/pins a)
            ns (quot (- (System/nanoTime) start) n)
            rss (parse-long (re-find #"\d+" (re-find #"VmHWM.*" (String. (java.nio.file.Files/readAllBytes (java.nio.file.Path/of "/proc/self/status" (make-array String 0)))))))]
        (println "PEAK" (:taken p) live (* 1024 rss) ns (:gcs p) (quot (:filled p) 1048576))
        (shutdown-agents)))])

(defn- run-loop
  "Peak and live bytes of the slab after n swaps and derefs in a JVM with these options, and all that it printed."
  [n & options]
  (let [{:keys [exit out]} (u/finish (u/java-process-with options loop-forms (str n) (u/temp-path)) 3600)
        [peak live rss ns gcs filled] (some->> (re-find #"PEAK (.*)" out) second (re-seq #"\d+") (map parse-long))]
    (is (= 0 exit) out)
    (when peak
      (println (format "%-50s %.1f M: peak %4d MiB, live %.1f, RSS %4d MiB, %d ns, %d System.gc, %d MiB filled"
                       (str/join " " options) (/ n 1e6) (quot peak mib) (/ live (double mib)) (quot rss mib) ns gcs filled)))
    {:peak peak :live live :out out}))

(defn- bound [live] (+ (* 1.5 live) (* 64 mib)))

(deftest old-versions-take-bounded-memory-in-short
  (doseq [options [[] ["-XX:+UseSerialGC" "-Xmx512m"]]]
    (let [{:keys [peak live]} (apply run-loop 400000 options)]
      (is (<= peak (bound live)) (str options)))))

(deftest ^:long old-versions-take-bounded-memory
  (doseq [options [[] ["-XX:+UseG1GC" "-Xmx512m"] ["-XX:+UseSerialGC" "-Xmx512m"] ["-XX:+UseParallelGC" "-Xmx512m"] ["-XX:+UseZGC" "-Xmx512m"]]]
    (let [{:keys [peak live]} (apply run-loop 5000000 options)]
      (is (<= peak (bound live)) (str options)))))

(deftest ^:slow where-system-gc-is-switched-off-one-warning-says-so
  (let [{:keys [peak live out]} (run-loop 300000 "-XX:+UseParallelGC" "-Xmx256m" "-XX:+DisableExplicitGC" "-Deve.pin.budget=8m")]
    (is (<= peak (bound live)))
    (is (>= 1 (count (re-seq #"System.gc\(\) does nothing" out))) out))
  (let [{:keys [out]} (run-loop 100000 "-XX:+UseZGC" "-Xmx128m" "-XX:+DisableExplicitGC" "-Deve.pin.budget=8m")]
    (is (= 1 (count (re-seq #"System.gc\(\) does nothing" out))) out)))

(deftest ^:slow beyond-the-ceiling-the-committing-thread-waits
  (let [{:keys [peak live]} (run-loop 200000 "-XX:+UseZGC" "-Xmx512m" "-Deve.pin.budget=1m")]
    (is (<= peak (bound live)))))
