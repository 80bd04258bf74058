;; load.clj SLAB CITIES.json FOLDER: reads the cities and stores them in the slab, and the same data as JSON, EDN and Transit in FOLDER. Then it watches
;; the slab and says what others change, until a line comes on its standard input. Atoms: :geo/cities, a vector of maps; :geo/by-name, from a name to a vector of
;; indices; :geo/by-country, from a country's code to the number of its cities; :demo/counter and :demo/ready, integers.
(require '[clojure.data.json :as json]
         '[clojure.java.io :as io]
         '[cognitect.transit :as transit]
         '[eve.alpha :as e])

(defn say [& xs]
  (locking *out*
    (apply println xs)
    (flush)))

(defmacro step
  "Says what comes, does it, says how long it took."
  [what & body]
  `(let [start# (System/nanoTime)
         _# (say (str ~what " ..."))
         result# (do ~@body)]
     (say (format "  %.2f s" (/ (- (System/nanoTime) start#) 1e9)))
     result#))

(defn read-cities [file]
  (with-open [in (io/reader file)]
    (mapv (fn [city] (-> city (update :lat parse-double) (update :lng parse-double)))
          (json/read in :key-fn keyword))))

(defn indices-by-name [cities]
  (persistent!
   (reduce-kv (fn [m i {:keys [name]}] (assoc! m name (conj (get m name []) i)))
              (transient {}) cities)))

(defn export
  "Writes the data in the three formats that it is compared with."
  [folder data]
  (doseq [[name write] {"cities.json" #(with-open [out (io/writer %)] (json/write data out :escape-unicode false))
                        "cities.edn" #(with-open [out (io/writer %)] (binding [*out* out] (pr data)))
                        "cities.transit" #(with-open [out (io/output-stream %)] (transit/write (transit/writer out :json) data))}]
    (step (str "writing the same to " name ", to compare with") (write (io/file folder name)))))

(defn atom-of [slab id value]
  (e/atom {:id id :persistent slab} value))

(let [[path source folder] *command-line-args*
      cities (step "reading cities.json" (read-cities source))
      by-name (indices-by-name cities)
      by-country (frequencies (map :country cities))
      slab (e/open path)
      shared (step (format "storing %,d cities, %,d names, %d countries" (count cities) (count by-name) (count by-country))
               (atom-of slab :geo/by-name by-name)
               (atom-of slab :geo/by-country by-country)
               (atom-of slab :geo/cities cities))
      counter (atom-of slab :demo/counter 0)
      changes (atom 0)]
  (atom-of slab :demo/ready 0)
  (when-not (= cities @shared)
    (throw (ex-info "the slab holds something else than what was stored" {})))
  (say (format "  the slab has %,d KiB" (quot (.length (io/file path)) 1024)))
  (export folder {:cities cities :by-name by-name :by-country by-country})
  (add-watch shared :tell
             (fn [_ _ old new]
               (say "watch:" (count old) "cities became" (str (count new) ",") "the last is" (:name (peek new)) "in" (:country (peek new)))))
  (add-watch counter :count (fn [_ _ _ _] (swap! changes inc)))
  (say "loaded")
  (read-line) ; lives on until run.sh lets it end
  (say "counter" @counter)
  (say (str "  (the watch of the counter was called " @changes " times: changes close together come as one)"))
  (e/close! slab)
  (shutdown-agents))
