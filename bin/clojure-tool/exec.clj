;; Runs the function of `clojure -X` and `clojure -T`: [function] key value ... [map]
;; Aliases have been merged into :argmap of the basis: :exec-fn, :exec-args, :ns-default, :ns-aliases.
(require '[clojure.edn :as edn])

(defn- read-arg [text]
  (try (edn/read-string text)
       (catch RuntimeException e
         (throw (ex-info (str "Not EDN: " text " (quote strings as '\"text\"')") {:argument text} e)))))

(defn- qualify [{:keys [ns-default ns-aliases]} f]
  (cond
    (qualified-symbol? f) (symbol (str (get ns-aliases (symbol (namespace f)) (namespace f))) (name f))
    ns-default (symbol (str ns-default) (name f))
    :else (throw (ex-info (str "Which namespace? " f " has none, and no alias has :ns-default") {:function f}))))

(defn- collect [defaults args]
  (let [last-map (when (odd? (count args)) (last args))]
    (when-not (or (nil? last-map) (map? last-map))
      (throw (ex-info (str "A key without a value: " (pr-str last-map)) {:key last-map})))
    (merge (reduce (fn [m [k v]] (if (vector? k) (assoc-in m k v) (assoc m k v)))
                   (or defaults {})
                   (partition 2 args))
           last-map)))

(let [basis (edn/read-string {:default tagged-literal} (slurp (System/getProperty "clojure.basis")))
      {:keys [exec-fn exec-args] :as argmap} (:argmap basis)
      args (map read-arg *command-line-args*)
      named? (symbol? (first args))
      f (if named? (first args) exec-fn)]
  (when-not f
    (binding [*out* *err*] (println "No function: name one, or give an alias with :exec-fn"))
    (System/exit 1))
  ((requiring-resolve (qualify argmap f)) (collect exec-args (if named? (rest args) args)))
  (shutdown-agents))
