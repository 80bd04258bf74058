(ns eve.bench-jvm
  "The JVM's measurements, each beside Clojure's own collection in the same run: rounds of both take turns, the best of each counts.
    java ... clojure.main -m eve.bench-jvm [file.json [row-prefix]]"
  (:require [clojure.java.io :as io]
            [clojure.string :as str]
            [eve.alpha :as e])
  (:import (java.lang.management ManagementFactory ThreadMXBean)
           (java.util Random)))

(set! *warn-on-reflection* true)

(def ^:private ^ThreadMXBean threads (ManagementFactory/getThreadMXBean))
(def ^:private rounds 15)

(defn- cpu-ns
  "CPU time of this thread that (f) takes: other work on the machine counts less than by the clock."
  ^long [f]
  (let [start (.getCurrentThreadCpuTime threads)]
    (f)
    (- (.getCurrentThreadCpuTime threads) start)))

(defn- measure
  "Best ns of one of the n operations that (ours) and (peer) do."
  [n ours peer]
  (dotimes [_ 5] (ours) (peer)) ; compiles
  (let [times (vec (for [_ (range rounds)] [(cpu-ns ours) (cpu-ns peer)]))]
    (mapv #(/ (double (apply min (map % times))) (long n)) [first second])))

(defn- row [name goal n ours peer]
  (let [[a b] (measure n ours peer)]
    {:row name :ours a :peer b :unit "ns" :ratio (/ (double b) (double a)) :goal goal}))

(def ^:private lookups 200000)

(defn- shuffled
  "An array of `lookups` of the things, at random."
  ^objects [things]
  (let [things (object-array things), random (Random. 42)]
    (object-array (repeatedly lookups #(aget things (.nextInt random (alength things)))))))

(defn- get-all [m ^objects ks]
  (let [n (alength ks)]
    (loop [i 0, found 0]
      (if (< i n)
        (recur (inc i) (if (nil? (get m (aget ks i))) found (inc found)))
        (when-not (= found n) (throw (ex-info "a key was not found" {})))))))

(defn- get-row [name goal n key-of key-again & [empty-map]]
  (let [m (into (or empty-map {}) (map (fn [i] [(key-of i) i])) (range n)), ours @(e/atom m), ks (shuffled (map key-again (range n)))]
    (row name goal lookups #(get-all ours ks) #(get-all m ks))))

(defn- scan-row [name goal n empty-map]
  (let [m (into empty-map (map (juxt identity identity)) (range n)), ours @(e/atom m), sum (fn [s _ v] (unchecked-add (long s) (long v)))]
    (row name goal n #(reduce-kv sum 0 ours) #(reduce-kv sum 0 m))))

(defn- deref-get-all [a ^objects ks]
  (dotimes [i (alength ks)]
    (when (nil? (get @a (aget ks i))) (throw (ex-info "a key was not found" {})))))

(defn- swap-all [a ^objects ks]
  (dotimes [i 20000]
    (swap! a assoc (aget ks i) i)))

(defn- nth-all [v ^objects is]
  (let [n (alength is)]
    (loop [i 0, s 0]
      (if (< i n) (recur (inc i) (unchecked-add s (long (nth v (unchecked-int (long (aget is i))))))) s))))

(def ^:private long-text #(str "string-key-" %))

(defn- atoms-of-10k []
  (let [m (into {} (map (juxt identity identity)) (range 10000))]
    [(e/atom m) (atom m) (shuffled (range 10000))]))

(def ^:private rows
  {"jvm-get-long-10k" #(get-row % 0.9 10000 identity (fn [i] (Long. (long i))))
   "jvm-get-long-1m" #(get-row % 1.2 1000000 identity (fn [i] (Long. (long i))))
   "jvm-get-kw-10k" #(get-row % 0.7 10000 (comp keyword long-text) (comp keyword long-text))
   "jvm-get-kw-1m" #(get-row % 0.7 1000000 (comp keyword long-text) (comp keyword long-text))
   "jvm-get-str-10k" #(get-row % 0.7 10000 long-text long-text)
   "jvm-get-str-1m" #(get-row % 0.7 1000000 long-text long-text)
   "jvm-deref-get-10k" #(let [[ours peer ks] (atoms-of-10k)] (row % 0.5 lookups (fn [] (deref-get-all ours ks)) (fn [] (deref-get-all peer ks))))
   "jvm-swap-10k" #(let [[ours peer ks] (atoms-of-10k)] (row % 0.2 20000 (fn [] (swap-all ours ks)) (fn [] (swap-all peer ks))))
   "jvm-reduce-1m" #(scan-row % 0.7 1000000 {})
   "jvm-sorted-get" #(get-row % 1.5 1000000 identity (fn [i] (Long. (long i))) (sorted-map))
   "jvm-sorted-scan" #(scan-row % 1.5 1000000 (sorted-map))
   "jvm-nth" #(let [v (vec (range 1000000)), ours @(e/atom v), is (shuffled (range 1000000))]
                (row % 0.7 lookups (fn [] (nth-all ours is)) (fn [] (nth-all v is))))
   "jvm-vec-reduce" #(let [v (vec (range 1000000)), ours @(e/atom v), sum (fn [s x] (unchecked-add (long s) (long x)))]
                       (row % 1.2 1000000 (fn [] (reduce sum 0 ours)) (fn [] (reduce sum 0 v))))})

(defn- heap-bytes
  "Bytes of the heap that are in use, once the collector finds no more to free."
  []
  (let [used (fn [] (dotimes [_ 3] (System/gc)) (let [r (Runtime/getRuntime)] (- (.totalMemory r) (.freeMemory r))))]
    (loop [before (used)]
      (let [now (used)]
        (if (< (- before now) 100000) now (recur now))))))

(defn- disk-bytes [path]
  (let [^java.util.List command ["stat" "-c" "%b" path], p (.start (ProcessBuilder. command))]
    (* 512 (parse-long (str/trim (slurp (.getInputStream p)))))))

(defn- bytes-row
  "Bytes an entry of a map of a million integers: of the slab's file, free cells and tables included, against Clojure's heap."
  []
  (let [n 1000000
        path (str (java.nio.file.Files/createTempDirectory "eve-bench" (make-array java.nio.file.attribute.FileAttribute 0)) "/bytes.eve")
        entries (map (fn [i] [i (inc (long i))]))
        before (heap-bytes)
        m (into {} entries (range n))
        theirs (- (heap-bytes) before)
        a (e/atom {:id ::bytes :persistent path} m)
        ours (disk-bytes path)]
    (when-not (= n (count @a)) (throw (ex-info "the map is not whole" {})))
    (e/close! a)
    (io/delete-file path)
    {:row "bytes-clojure" :ours (/ ours (double n)) :peer (/ theirs (double (count m))) :unit "bytes" :ratio (/ theirs (double ours)) :goal 2.5}))

(defn- crossings
  "Calls of the library for one swap!, counted in a JVM that counts (a switch that others don't pay for)."
  []
  (let [code '(do (require '[eve.alpha :as e])
                  (let [a (e/atom {:n 0}), per (fn [f] (dotimes [_ 100] (f)) (let [before (eve.Slab/crossings)] (dotimes [_ 1000] (f)) (/ (- (eve.Slab/crossings) before) 1000.0)))]
                    (println "CROSSINGS" (per (fn [] (swap! a assoc :n 1))) (per (fn [] (swap! a update :n inc))) (per (fn [] @a)))))
        java (str (io/file (System/getProperty "java.home") "bin" "java"))
        command (concat [java "--enable-native-access=ALL-UNNAMED" "-Deve.count-crossings=true" "-cp" (System/getProperty "java.class.path")]
                        (when-let [lib (System/getProperty "eve.lib")] [(str "-Deve.lib=" lib)])
                        ["clojure.main" "-e" (pr-str code)])
        p (.start (.redirectErrorStream (ProcessBuilder. ^java.util.List (vec command)) true))
        out (slurp (.getInputStream p))
        [_ & counts] (re-find #"CROSSINGS (\S+) (\S+) (\S+)" out)]
    (when-not counts (throw (ex-info (str "counting the crossings failed: " out) {})))
    (for [[name n aim] (map clojure.core/vector ["jvm-crossings-swap-assoc" "jvm-crossings-swap-update" "jvm-crossings-deref"] counts [1 2 0])]
      {:row name :ours (parse-double n) :peer (double aim) :unit "calls" :ratio nil :goal nil})))

(defn- json [rows]
  (let [value #(cond (nil? %) "null" (string? %) (pr-str %) :else (String/format java.util.Locale/ROOT "%.3f" (object-array [(double %)])))]
    (str "[\n" (str/join ",\n" (for [r rows] (str "  {" (str/join ", " (for [k [:row :ours :peer :unit :ratio :goal]] (str (pr-str (name k)) ": " (value (r k))))) "}"))) "\n]\n")))

(defn -main [& [file prefix]]
  (let [chosen (filter #(str/starts-with? % (or prefix "")) (sort (keys rows)))
        results (vec (concat (for [name chosen]
                               (let [r ((rows name) name)]
                                 (println (format "%-20s ours %9.1f  peer %9.1f ns   ratio %.2f  goal %.1f" name (:ours r) (:peer r) (:ratio r) (:goal r)))
                                 (flush)
                                 r))
                             (when-not prefix (cons (bytes-row) (crossings)))))]
    (doseq [r results :when (not= "ns" (:unit r))] (println (:row r) (:ours r) (:unit r)))
    (when file
      (io/make-parents file)
      (spit file (json results)))
    (shutdown-agents)))
