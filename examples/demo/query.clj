;; query.clj SLAB FOLDER: answers three questions from the slab in place, and times the first answer beside reading JSON, EDN and Transit.
;; Prints lines `answer NAME TEXT`, which are the same in every language, and `time NAME MILLISECONDS`.
(require '[clojure.data.json :as json]
         '[clojure.edn :as edn]
         '[clojure.java.io :as io]
         '[clojure.string :as str]
         '[cognitect.transit :as transit]
         '[eve.alpha :as e])

(def wanted "Springfield")
(def latitude 48.8566)
(def longitude 2.3522)

(defn fmt [pattern & args]
  (String/format java.util.Locale/ROOT pattern (to-array args)))

(defn timed
  "Calls f, prints its time, returns its value."
  [name f]
  (let [start (System/nanoTime)
        result (f)
        ms (/ (- (System/nanoTime) start) 1e6)]
    (println (fmt "time %s %.3f" name ms))
    result))

(defn progress [& xs]
  (binding [*out* *err*] (apply println "   " xs)))

(defn look-up
  "The cities of that name. as-key makes a key of the maps out of a name."
  [as-key cities by-name]
  (str/join "; " (for [i (get by-name wanted)]
                   (apply fmt "%s.%s %.5f %.5f" (map (nth cities i) (map as-key ["country" "admin1" "lat" "lng"]))))))

(defn most-cities [cities by-country]
  (let [counts (reduce (fn [m city] (update m (:country city) (fnil inc 0))) {} cities)]
    (when (not= counts by-country)
      (throw (ex-info "the counts are not those of :geo/by-country" {})))
    (->> (sort-by (fn [[country n]] [(- n) country]) counts)
         (take 5)
         (map (fn [[country n]] (str country " " n)))
         (str/join ", "))))

(defn distance
  "Kilometres on a sphere, by the haversine formula."
  [lat lng]
  (let [lat1 (Math/toRadians latitude)
        lat2 (Math/toRadians lat)
        a (Math/sin (/ (- lat2 lat1) 2))
        b (Math/sin (/ (Math/toRadians (- lng longitude)) 2))]
    (* 2 6371.0 (Math/asin (Math/sqrt (+ (* a a) (* (Math/cos lat1) (Math/cos lat2) b b)))))))

(defn nearest [cities]
  (->> (reduce (fn [best {:keys [lat lng name]}]
                 (let [d (distance lat lng)]
                   (if (and (= 3 (count best)) (>= d (first (peek best))))
                     best
                     (vec (take 3 (sort-by first (conj best [d name])))))))
               [] cities)
       (map (fn [[d name]] (fmt "%s %.1f km" name d)))
       (str/join ", ")))

(fmt "%.5f" 1.0) ; loads Java's formatter, which is no part of what is measured

(defn open-and-look-up [path]
  (let [slab (e/open path {:must-exist true})
        {:geo/keys [cities by-name]} @slab] ; all atoms, at one version
    [slab (look-up keyword cities by-name)]))

(let [[path folder] *command-line-args*
      [first-slab in-place] (timed "in-place" #(open-and-look-up path)) ; loads the library
      _ (e/close! first-slab)
      [slab again] (timed "again" #(open-and-look-up path))
      {:geo/keys [cities by-country]} @slab]
  (when (not= in-place again)
    (throw (ex-info "another answer after opening again" {})))
  (println "answer look-up" in-place)
  (println "answer most" (timed "most" #(most-cities cities by-country)))
  (println "answer nearest" (timed "nearest" #(nearest cities)))
  (doseq [[name as-key parse] [["json" identity #(with-open [in (io/reader %)] (json/read in))]
                               ["edn" keyword #(with-open [in (java.io.PushbackReader. (io/reader %))] (edn/read in))]
                               ["transit" keyword #(with-open [in (io/input-stream %)] (transit/read (transit/reader in :json)))]]
          :let [file (io/file folder (str "cities." name))]]
    (progress "reading" (str "cities." name))
    (let [answer (timed name #(let [all (parse file)]
                                (look-up as-key (get all (as-key "cities")) (get all (as-key "by-name")))))]
      (when (not= in-place answer)
        (throw (ex-info (str "another answer from " file) {})))))
  (e/close! slab)
  (shutdown-agents))
