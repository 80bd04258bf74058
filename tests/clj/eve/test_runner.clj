(ns eve.test-runner
  "Runs the tests in namespaces named *-test.

    bin/clojure -M:test                    all
    bin/clojure -M:test -n eve.map-test    one namespace (repeatable)
    bin/clojure -M:test -v eve.map-test/x  one test (repeatable)
    bin/clojure -M:test -i :slow           only tests with this metadata key (repeatable)
    bin/clojure -M:test -e :slow           without these (repeatable; stronger than -i)
    bin/clojure -M:test -d DIR             look in DIR instead of tests/clj (repeatable)

  Exit status: 0 all passed, 1 a failure, an error or a namespace that does not load, 2 nothing to run or wrong options."
  (:require [clojure.java.io :as io]
            [clojure.stacktrace :as stacktrace]
            [clojure.string :as str]
            [clojure.test :as t]
            [clojure.tools.namespace.find :as find]))

(def ^:private options
  {"-n" [:namespaces symbol]
   "-v" [:vars symbol]
   "-i" [:includes #(keyword (str/replace-first % ":" ""))]
   "-e" [:excludes #(keyword (str/replace-first % ":" ""))]
   "-d" [:dirs identity]})

(defn- parse [args]
  (when (odd? (count args))
    (throw (ex-info (str "Option without a value: " (last args)) {})))
  (reduce (fn [m [option value]]
            (let [[k read-value] (or (options option) (throw (ex-info (str "Unknown option: " option) {})))]
              (update m k (fnil conj []) (read-value value))))
          {}
          (partition 2 args)))

(defn- choose-namespaces [{:keys [dirs namespaces vars]}]
  (let [all (set (find/find-namespaces (map io/file (or dirs ["tests/clj"]))))
        named (into (set namespaces) (map (comp symbol namespace)) vars)]
    (when-let [missing (seq (remove all named))]
      (throw (ex-info (str "No such namespace: " (str/join ", " missing)) {})))
    (sort (if (seq named) named (filter #(str/ends-with? (name %) "-test") all)))))

(defn- wanted? [{:keys [vars includes excludes]} v]
  (let [data (meta v)]
    (and (or (empty? vars) (some #{(symbol v)} vars))
         (or (empty? includes) (some data includes))
         (not-any? data excludes))))

(defn- load-namespace
  "True if it loads; else reports why not."
  [n]
  (try (require n)
       true
       (catch Throwable e
         (println "\nERROR loading" (str n))
         (t/with-test-out (stacktrace/print-cause-trace e 20))
         false)))

(defn run
  "Runs what the options choose; returns the counts of clojure.test with :not-loaded, a count of namespaces."
  [opts]
  (let [namespaces (choose-namespaces opts)
        loaded (filterv load-namespace namespaces)]
    ;; clojure.test runs whatever has :test metadata: what is not wanted loses it, so that fixtures still apply to the rest.
    (doseq [n loaded, v (vals (ns-interns n)) :when (and (:test (meta v)) (not (wanted? opts v)))]
      (alter-meta! v dissoc :test))
    (assoc (apply t/run-tests (filter (fn [n] (some (comp :test meta) (vals (ns-interns n)))) loaded))
           :not-loaded (- (count namespaces) (count loaded)))))

(defn- exit-status [{:keys [test fail error not-loaded]}]
  (cond (pos? (+ fail error not-loaded)) 1
        (zero? test) (do (binding [*out* *err*] (println "test-runner: no test ran")) 2)
        :else 0))

(defn- run-and-exit [get-opts]
  (let [status (try (exit-status (run (get-opts)))
                    (catch clojure.lang.ExceptionInfo e
                      (binding [*out* *err*] (println "test-runner:" (ex-message e)))
                      2))]
    (flush)
    (shutdown-agents)
    (System/exit status)))

(defn exec
  "For -X: the same options as a map, e.g. :namespaces '[eve.map-test]'."
  [opts]
  (run-and-exit (constantly opts)))

(defn -main [& args]
  (run-and-exit #(parse args)))
