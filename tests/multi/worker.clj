;; worker.clj FILE SECONDS SEED [watch]: as worker.rs beside it. Here a transfer is one swap! of :multi/bank; :multi/moves follows after each round.
;; A round also keeps the bank as it was before it, and checks afterwards that this handle still reads the same. Prints `ready` once all is loaded.
;; watch: watches the bank too. Its changes come from this process and the others; both must be seen, and every version told must be whole.
(require '[eve.alpha :as e])

(def each 100)
(def transfers 20) ; a round

(defn total ^long [m]
  (reduce-kv (fn [^long sum _ ^long v] (+ sum v)) 0 m))

(defn check [what m]
  (when (or (empty? m) (not= (total m) (* each (count m))))
    (throw (ex-info (str what ": " (count m) " accounts hold " (total m)) {}))))

(defn transfer [m from to]
  (-> m (update from dec) (update to inc)))

(defn watch!
  "Counts the calls in `calls`, by whose change it was; a fault found goes to `fault`."
  [bank calls fault]
  (let [me (Thread/currentThread)]
    (add-watch bank :count
               (fn [_ _ old new]
                 (swap! calls update (if (= me (Thread/currentThread)) :own :others) inc)
                 (try
                   (check "a watch's old value" old)
                   (check "a watch's new value" new)
                   (catch Throwable t (reset! fault t)))))))

(defn work [bank moves seconds seed fault]
  (let [random (java.util.Random. seed)
        end (+ (System/nanoTime) (* seconds 1000000000))]
    (loop [made 0 reads 0]
      (if (< (System/nanoTime) end)
        (let [before @bank
              n (count before)
              sum (hash before)]
          (check "the bank" before)
          (dotimes [_ transfers]
            (swap! bank transfer (.nextInt random n) (.nextInt random n)))
          (swap! moves + transfers)
          (check "a handle held over a round" before)
          (when (not= sum (hash (into {} before)))
            (throw (ex-info "a handle held over a round changed" {})))
          (some-> @fault throw)
          (recur (+ made transfers) (+ reads 2)))
        [made reads]))))

(let [[file seconds seed mode] *command-line-args*
      slab (e/open file {:must-exist true})
      bank (e/atom {:id :multi/bank :persistent slab} {})
      moves (e/atom {:id :multi/moves :persistent slab} 0)
      calls (atom {:own 0 :others 0})
      fault (atom nil)]
  (when mode (watch! bank calls fault))
  (println "ready")
  (let [[made reads] (work bank moves (parse-long seconds) (parse-long seed) fault)
        {:keys [own others]} @calls]
    (when mode
      (remove-watch bank :count)
      (some-> @fault throw)
      (when (or (zero? own) (zero? others))
        (throw (ex-info "a watch missed changes" @calls))))
    (e/close! slab)
    (println made "moves" reads "reads" (if mode (str own " + " others " watch calls") ""))
    (shutdown-agents)))
