;; Writes tests/data/prints.tsv: bin/clojure -M tests/data/gen_prints.clj > tests/data/prints.tsv
;; Values with what real Clojure says of them: build buffer in hex (docs/format.md section 4), hash, pr-str ("-" where it may differ in order).
(require '[clojure.java.io :as io])
(import '(java.io PushbackReader))

;; the encoder and the text form of gen_vectors.clj: all but its last form, which writes files
(with-open [in (PushbackReader. (io/reader "tests/data/gen_vectors.clj"))]
  (doseq [form (butlast (take-while some? (repeatedly #(read {:eof nil} in))))]
    (eval form)))

(def random (java.util.Random. 7))
(defn rand-n [n] (.nextInt random n))
(defn pick [xs] (nth xs (rand-n (count xs))))
(defn random-integer [] (BigInteger. (int (inc (rand-n 40))) random))
(defn signed [^BigInteger x] (if (.nextBoolean random) x (.negate x)))
(defn random-big [] (bigint (signed (BigInteger. (int (inc (rand-n 300))) random))))
(defn random-double [] (Double/longBitsToDouble (.nextLong random)))
(defn random-decimal [] (BigDecimal. (signed (BigInteger. (int (rand-n 90)) random)) (int (pick [(- (rand-n 40) 20) (rand-n 12) (.nextInt random)]))))
(defn random-ratio [] (let [x (/ (random-big) (inc (random-integer)))] (if (ratio? x) x 22/7)))
(defn random-char [] (char (let [c (pick [(rand-n 128) (rand-n 0x300) (rand-n 0x10000)])] (if (<= 0xd800 c 0xdfff) 65 c))))
(defn random-string [] (apply str (repeatedly (rand-n 20) #(pick [(random-char) \a \" \\ \newline "\ud83d\ude00" \?]))))
(defn random-named [make]
  (let [part #(apply str (pick ["a" "x-y" "b.c" "\u00e9\u4e2d" "long-name-that-needs-an-object"]) (repeatedly (rand-n 4) (fn [] (pick "abc*+!?<>=1"))))]
    (if (.nextBoolean random) (make (part)) (make (part) (part)))))
(defn random-date [] (Date. (long (pick [(.nextLong random) (- (rem (.nextLong random) 100000000000000) 60000000000000) (rem (.nextLong random) 4000000000000)]))))
(defn random-instant []
  (Instant/ofEpochSecond (pick [(rem (.nextLong random) 31556889864403199) (- (rem (.nextLong random) 100000000000) 60000000000)])
                         (pick [0 1 999999999 (* 1000000 (rand-n 1000)) (* 1000 (rand-n 1000000)) (rand-n 1000000000)])))
(defn random-scalar []
  ((pick [(constantly nil) #(.nextBoolean random) #(.nextLong random) #(long (- (rand-n 200) 100)) random-double #(/ (- (rand-n 4000) 2000) 8.0) random-char random-string
          #(random-named keyword) #(random-named symbol) random-big random-ratio random-decimal #(UUID. (.nextLong random) (.nextLong random)) random-date])))
(defn random-value [depth]
  (if (or (zero? depth) (zero? (rand-n 4)))
    (random-scalar)
    (let [n (pick [0 1 2 3 4 8 9 12])
          xs (repeatedly n #(random-value (dec depth)))]
      (case (rand-n 4)
        0 (vec xs)
        1 (apply list xs)
        2 (set xs)
        3 (let [ks (distinct (repeatedly n #(random-value (dec depth))))]
            (if (<= n 8) (apply array-map (interleave ks xs)) (zipmap ks xs)))))))

(def scalars
  (concat
   (for [e (range -324 309 2) m [1.0 1.5 9.999999999999999]] (Double/parseDouble (str m "e" e)))
   (for [e (range -1074 1024 7)] (Math/scalb 1.0 (int e)))
   (for [i (range 1 60)] (Double/longBitsToDouble i))
   [0.001 (Math/nextDown 0.001) 1.0E7 (Math/nextDown 1.0E7) 2.0E-3 9007199254740993.0 2.2250738585072014E-308 2.225073858507201E-308 1.0E23 8.41E21 2.0E-323]
   (repeatedly 1200 random-double)
   (map char (range 0 256)) (repeatedly 100 random-char)
   (repeatedly 200 random-string)
   (repeatedly 60 #(random-named keyword)) (repeatedly 60 #(random-named symbol))
   (repeatedly 100 random-big) (repeatedly 100 random-ratio) (repeatedly 300 random-decimal)
   (for [unscaled [0 1 -1 15 123456789] scale [-2147483648 -2147483647 -7 -1 0 1 2 5 6 7 8 9 10 14 15 16 2147483647]
         :when (or (zero? unscaled) (> scale -2147480000))] ; Clojure can't hash a few
     (BigDecimal. (biginteger unscaled) (int scale)))
   (map #(Date. (long %)) [0 -1 1 999 -12219292800000 -12219292800001 -12219206400000 -62135596800000 -62135596800001 -62135769600000 -62167219200000 -62167392000001
                           253402300799999 253402300800000 Long/MAX_VALUE Long/MIN_VALUE 951782400000 951868799999 4107542399999 -2203977600000 -2203891200001])
   (repeatedly 400 random-date)
   (map #(Instant/ofEpochSecond %) [0 -1 253402300799 253402300800 -62167219200 -62167219201 -377705116800 -377705116801 31556889864403199 -31557014167219200])
   (repeatedly 300 random-instant)))

;; a set of NaNs or such prints in no order worth comparing; instants have our own text
(defn line [x] (str (hex (encode x)) "\t" (hash x) "\t" (if (or (ordered? x) (instance? Instant x)) (edn x) "-")))
(with-open [out (io/writer System/out :encoding "UTF-8")]
  (doseq [s (distinct (map line (concat scalars (repeatedly 500 #(random-value 3))))) :when (< (count s) 3000)] ; a small file
    (.write out (str s "\n"))))
