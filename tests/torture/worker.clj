;; worker.clj FOLDER (write|read) ID: as the worker in driver.rs beside it.
(require '[eve.alpha :as e])
(import '(java.io RandomAccessFile) '(java.nio ByteBuffer ByteOrder) '(java.nio.channels FileChannel))

(let [[folder role id] *command-line-args*
      writes (= role "write")
      id (parse-long id)
      ^FileChannel told (.getChannel (RandomAccessFile. (str folder "/told") "rw"))
      buffer (.order (ByteBuffer/allocate 8) ByteOrder/LITTLE_ENDIAN)
      put (fn [i n] (.clear buffer) (.putLong buffer 0 n) (.write told buffer (* 8 (long i))))
      take-one (fn [i] (.clear buffer) (.read told buffer (* 8 (long i))) (.getLong buffer 0))
      slab (e/open (str folder "/bank.eve") {:must-exist true :sync-interval-ms 30})
      bank (e/atom {:id :torture/bank :persistent slab} {})
      own (mapv #(e/atom {:id (keyword "torture" (str "own-" %)) :persistent slab} 0) (range 4))
      random (java.util.Random.)]
  (loop [done 1, seen (vec (repeat 4 0))]
    (let [floors (mapv take-one (range 4))
          own-floors (mapv #(take-one (+ 8 %)) (range 4))
          m @bank
          sum (reduce-kv (fn [^long s k v] (if (< k 1000) (+ s v) s)) 0 m)
          made (mapv #(get m (+ 1000 %)) (range 4))
          counted (mapv deref own)]
      (when-not (and (= 304 (count m)) (= 30000 sum))
        (throw (ex-info "BROKEN: money was lost or made" {:count (count m) :sum sum})))
      (when-not (and (every? true? (map >= made floors)) (every? true? (map >= made seen)) (every? true? (map >= counted own-floors)))
        (throw (ex-info "BROKEN: a commit is missing" {:told floors :seen seen :made made :own-told own-floors :counted counted})))
      (when writes
        (dotimes [_ 10]
          (let [from (.nextInt random 300), to (.nextInt random 300)
                now (swap! bank (fn [m] (-> m (update from dec) (update to inc) (update (+ 1000 id) inc))))]
            (put id (get now (+ 1000 id)))
            (put (+ 8 id) (swap! (own id) inc)))))
      (put (+ 16 id (if writes 0 4)) done)
      (recur (inc done) made))))
