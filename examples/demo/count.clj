;; count.clj SLAB N PROCESSES: waits until so many processes are ready, then adds N to :demo/counter, one at a time.
(require '[eve.alpha :as e])

(let [[path n processes] *command-line-args*
      slab (e/open path {:must-exist true})
      counter (e/atom {:id :demo/counter :persistent slab} 0)
      ready (e/atom {:id :demo/ready :persistent slab} 0)]
  (swap! ready inc)
  (while (< @ready (parse-long processes)) (Thread/sleep 1))
  (let [start (System/nanoTime)]
    (dotimes [_ (parse-long n)] (swap! counter inc))
    (println (format "%s increments in %.0f ms" n (/ (- (System/nanoTime) start) 1e6))))
  (e/close! slab)
  (shutdown-agents))
