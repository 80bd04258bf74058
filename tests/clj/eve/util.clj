(ns eve.util
  "What the tests share."
  (:require [clojure.java.io :as io]
            [clojure.string :as str]
            [clojure.test.check.generators :as gen]
            [eve.alpha :as e])
  (:import (java.nio.file Files)
           (java.nio.file.attribute FileAttribute)
           (java.util.concurrent TimeUnit)))

(defn temp-dir
  "A new folder, deleted with what is in it when the process ends."
  []
  (let [dir (.toFile (Files/createTempDirectory "eve-test" (make-array FileAttribute 0)))]
    (.addShutdownHook (Runtime/getRuntime)
                      (Thread. (fn [] (run! io/delete-file (reverse (file-seq dir))))))
    dir))

(defn temp-path
  "A path that does not exist yet."
  ([] (temp-path "test.slab"))
  ([name] (str (io/file (temp-dir) name))))

(defn eventually
  "Waits until (f) is true. False if that takes half a minute: a test may hang on it, but is not about the time."
  [f]
  (loop [n 3000]
    (cond (f) true
          (zero? n) false
          :else (do (Thread/sleep 10) (recur (dec n))))))

(defn java-process-with
  "Starts another JVM, with these options, on this class path that evaluates the forms, in which `args` is the vector of these strings."
  ^Process [options forms & args]
  (let [java (str (io/file (System/getProperty "java.home") "bin" "java"))
        lib (System/getProperty "eve.lib")
        command (concat [java "--enable-native-access=ALL-UNNAMED"] options ["-cp" (System/getProperty "java.class.path")]
                        (when lib [(str "-Deve.lib=" lib)])
                        ["clojure.main" "-e" (str/join "\n" (map pr-str (cons `(def ~'args ~(vec args)) forms)))])]
    (-> (ProcessBuilder. ^java.util.List (vec command)) (.redirectErrorStream true) .start)))

(defn java-process
  "The same with options for a quick start."
  ^Process [forms & args]
  (apply java-process-with ["-XX:TieredStopAtLevel=1"] forms args))

(defn finish
  "Waits for the process, for a minute at most or so many seconds; returns its exit status and output."
  ([p] (finish p 60))
  ([^Process p seconds]
   (let [out (slurp (.getInputStream p))]
     (when-not (.waitFor p seconds TimeUnit/SECONDS)
       (.destroyForcibly p))
     {:exit (.waitFor p) :out out})))

(defn stored
  "The value as it comes back from a slab."
  [v]
  @(e/atom v))

(def colliding
  "Strings of one hash."
  (vec (for [a ["Aa" "BB"], b ["Aa" "BB"], c ["Aa" "BB"], d ["Aa" "BB"]] (str a b c d))))

(def gen-scalar
  (gen/one-of [gen/large-integer gen/keyword gen/symbol gen/string gen/string-ascii gen/boolean gen/char gen/uuid gen/ratio
               (gen/double* {:NaN? false}) (gen/return nil)
               (gen/fmap bigint gen/large-integer)
               (gen/fmap #(* (bigint %) 1000000000000000000000N) gen/large-integer)
               (gen/fmap bigdec (gen/double* {:NaN? false :infinite? false}))
               (gen/fmap #(java.util.Date. (long %)) gen/large-integer)
               (gen/elements colliding)]))

(def gen-key
  "Few enough that they meet again, some of one hash."
  (gen/one-of [(gen/choose -40 40) (gen/elements colliding) (gen/elements [:a :b :c :d/e 'x nil "" "short" "a longer key" 1.5 5N true [1] #{2} {3 4} '(5)])]))

(def gen-value
  (gen/recursive-gen (fn [g] (gen/one-of [(gen/vector g) (gen/list g) (gen/set g) (gen/map gen-scalar g)])) gen-scalar))
