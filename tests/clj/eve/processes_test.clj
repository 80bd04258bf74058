(ns eve.processes-test
  "Two JVMs on one slab."
  (:require [clojure.java.io :as io]
            [clojure.string :as str]
            [clojure.test :refer [deftest is testing]]
            [eve.alpha :as e]
            [eve.util :as u]))

(deftest ^:slow another-jvm-reads-and-writes-the-same-atoms
  (let [path (u/temp-path), value {:a [1 {:b #{:c "a longer text"}}] 'sym 1.5 :t (java.time.Instant/ofEpochSecond 5)}
        a (e/atom {:id ::a :persistent path} value)
        {:keys [exit out]} (u/finish (u/java-process '[(require '[eve.alpha :as e])
                                                       (let [a (e/atom {:id :eve.processes-test/a :persistent (first args)} :ignored)
                                                             b (e/atom {:id :eve.processes-test/b :persistent (first args)} {:made "there, in the other process"})]
                                                         (println "READ" (pr-str (dissoc @a :t)) (str (:t @a)))
                                                         (swap! a assoc :from-there [:x {:new/keyword 1}])
                                                         (swap! a update :a conj @b))] path))]
    (is (zero? exit) out)
    (is (str/includes? out (str "READ " (pr-str (dissoc value :t)) " 1970-01-01T00:00:05Z")))
    (is (= (-> value (assoc :from-there [:x {:new/keyword 1}]) (update :a conj {:made "there, in the other process"})) @a))
    (is (= {:made "there, in the other process"} @(e/atom {:id ::b :persistent path} nil)))))

(deftest ^:slow two-jvms-and-their-threads-count-exactly
  (let [path (u/temp-path), n 2000, a (e/atom {:id ::n :persistent path} 0), m (e/atom {:id ::m :persistent path} {:x 0})
        p (u/java-process '[(require '[eve.alpha :as e])
                            (let [[path n] args, a (e/atom {:id :eve.processes-test/n :persistent path} nil), m (e/atom {:id :eve.processes-test/m :persistent path} nil)]
                              (run! deref (doall (for [_ (range 2)] (future (dotimes [_ (parse-long n)] (swap! a inc) (swap! m update :x inc))))))
                              (shutdown-agents))] path (str n))
        mine (doall (for [_ (range 2)] (future (dotimes [_ n] (swap! a inc) (swap! m update :x inc)))))]
    (run! deref mine)
    (let [{:keys [exit out]} (u/finish p)]
      (is (zero? exit) out)
      (is (= [(* 4 n) {:x (* 4 n)}] [@a @m])))))

(deftest watches-see-what-another-jvm-changes
  (let [path (u/temp-path), a (e/atom {:id ::w :persistent path} {:n 0}), other (e/atom {:id ::other :persistent path} 0), seen (atom [])]
    (add-watch a :k (fn [_ _ o n] (swap! seen conj [o n])))
    (let [p (u/java-process '[(require '[eve.alpha :as e])
                              (let [path (first args), a (e/atom {:id :eve.processes-test/w :persistent path} nil), other (e/atom {:id :eve.processes-test/other :persistent path} nil)]
                                (dotimes [_ 50] (swap! other inc))
                                (dotimes [_ 200] (swap! a update :n inc)))] path)
          mine (future (dotimes [_ 200] (swap! a update :n inc) (Thread/sleep 1)))]
      @mine
      (let [{:keys [exit out]} (u/finish p)] (is (zero? exit) out))
      (is (u/eventually #(= {:n 400} (second (last (sort-by (comp :n second) @seen))))))
      (Thread/sleep 200)
      (let [steps (sort-by (comp :n first) @seen)]
        (is (= [{:n 0} {:n 400}] [(ffirst steps) (second (last steps))]))
        (is (= (map second (butlast steps)) (map first (rest steps))) "the calls together tell every change once, none twice")
        (is (< 200 (count steps)))))
    (remove-watch a :k)))

(deftest ^:slow a-watch-that-throws-hears-of-the-next-change
  (let [path (u/temp-path), a (e/atom {:id ::w :persistent path} 0), b (e/atom {:id ::b :persistent path} 0), seen (atom #{})
        change #(u/finish (u/java-process '[(require '[eve.alpha :as e])
                                            (reset! (e/atom {:id :eve.processes-test/w :persistent (first args)} nil) (first (rest args)))
                                            (reset! (e/atom {:id :eve.processes-test/b :persistent (first args)} nil) (first (rest args)))] path %))]
    (.setLevel (java.util.logging.Logger/getLogger "eve") java.util.logging.Level/OFF) ; each is logged
    (doseq [[k thrown] {:exception (Exception. "of the watch, not a RuntimeException") :error (AssertionError. "of the watch")}]
      (add-watch a k (fn [_ _ _ n] (swap! seen conj n) (throw thrown))))
    (add-watch b :k (fn [_ _ _ n] (swap! seen conj [n])))
    (doseq [n ["1" "2"]]
      (is (zero? (:exit (change n))))
      (is (u/eventually #(every? @seen [n [n]]))))
    (run! #(remove-watch a %) [:exception :error])
    (remove-watch b :k)
    (.setLevel (java.util.logging.Logger/getLogger "eve") nil)))

(deftest ^:slow a-killed-jvm-holds-up-nobody
  (let [path (u/temp-path), a (e/atom {:id ::k :persistent path} {:n 0})
        p (u/java-process '[(require '[eve.alpha :as e])
                            (let [a (e/atom {:id :eve.processes-test/k :persistent (first args)} nil)]
                              (while true (swap! a update :n inc)))] path)]
    (is (u/eventually #(< 1000 (:n @a))))
    (.destroyForcibly p)
    (.waitFor p)
    (let [n (:n @a)]
      (dotimes [_ 1000] (swap! a update :n inc))
      (is (= (+ n 1000) (:n @a))))))

(deftest ^:slow what-the-jvm-lacks-is-said
  (let [run (fn [& options]
              (let [java (str (io/file (System/getProperty "java.home") "bin" "java"))
                    command (concat [java "-cp" (System/getProperty "java.class.path")] options ["clojure.main" "-e" "(require 'eve.alpha) (eve.alpha/atom 1)"])]
                (:out (u/finish (-> (ProcessBuilder. ^java.util.List (vec command)) (.redirectErrorStream true) .start)))))]
    (when (<= 24 (.feature (Runtime/version))) ; earlier JVMs allow what they warn of
      (is (re-find #"start java with --enable-native-access" (run "--illegal-native-access=deny"))))
    (is (re-find #"there is no eve library at .*/no/library.so" (run "--enable-native-access=ALL-UNNAMED" "-Deve.lib=/no/library.so")))
    (is (re-find #"can't load the eve library .*deps.edn" (run "--enable-native-access=ALL-UNNAMED" "-Deve.lib=deps.edn")))))
