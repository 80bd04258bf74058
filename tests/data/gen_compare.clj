;; Writes tests/data/compares.tsv: bin/clojure -M tests/data/gen_compare.clj > tests/data/compares.tsv
;; Pairs of values with real Clojure's answer: both build buffers in hex (docs/format.md section 4), then -1, 0 or 1 as `compare` says, "error" where it
;; throws a ClassCastException, or "-" where it can't tell (a ratio beside a decimal whose expansion doesn't end; eve compares these exactly).
(require '[clojure.java.io :as io])
(import '(java.io PushbackReader) '(java.math BigDecimal BigInteger) '(java.util Date UUID) 'java.time.Instant)

;; the encoder of gen_vectors.clj: all but its last form, which writes files
(with-open [in (PushbackReader. (io/reader "tests/data/gen_vectors.clj"))]
  (doseq [form (butlast (take-while some? (repeatedly #(read {:eof nil} in))))]
    (eval form)))

(def random (java.util.Random. 11))
(defn below [n] (.nextInt random (int n)))
(defn pick [xs] (nth xs (below (count xs))))

(def longs [0 1 -1 2 3 7 -7 10 100 9007199254740991 9007199254740992 9007199254740993 -9007199254740993 4611686018427387903 4611686018427387904
            Long/MAX_VALUE (dec Long/MAX_VALUE) Long/MIN_VALUE])
(def doubles [0.0 -0.0 1.0 -1.0 0.1 0.5 0.3333333333333333 1.5 7.0 9007199254740992.0 9.223372036854775807E18 -9.223372036854775808E18 1.0E19 1.0E100
              4.9E-324 1.7976931348623157E308 ##Inf ##-Inf ##NaN])
(def bigs (concat (map bigint [0 1 -1 7 9007199254740993 Long/MAX_VALUE])
                  (for [e [63 64 65 127 128 1023 1024 1100] delta [-1 0 1] sign [1 -1]]
                    (bigint (.multiply (biginteger sign) (.add (.shiftLeft BigInteger/ONE (int e)) (biginteger delta)))))
                  ;; halfway between two doubles, and beside it
                  (for [delta [-1 0 1]] (bigint (.add (.add (.shiftLeft BigInteger/ONE 100) (.shiftLeft BigInteger/ONE 47)) (biginteger delta))))))
(defn big-random [bits] (BigInteger. (int (inc (below bits))) random))
(def ratios (concat [1/2 -1/2 1/3 2/3 -1/3 22/7 1/10 3/10 355/113 1/9007199254740993 9007199254740993/2 1/1048576]
                    (filter ratio? (for [_ (range 40)] (/ (bigint (big-random 200)) (inc (bigint (big-random 120))))))
                    (filter ratio? (for [_ (range 20)] (/ (- (long (below 1000))) (inc (below 1000)))))))
(def decimals (concat (map bigdec ["0" "0.0" "1" "1.0" "1.00" "-1" "0.1" "0.5" "0.3" "7" "1E+2" "100" "9007199254740993" "9007199254740993.5" "1E+400" "1E-400" "-1E+400"
                                   "0.33333333333333331483" "123456789012345678901234567890.5"])
                      (for [_ (range 30)] (BigDecimal. ^BigInteger (big-random 90) (int (- (below 40) 20))))))
(def numbers (vec (concat longs doubles bigs ratios decimals
                          ;; doubles near the others
                          (map #(double %) (take 25 (shuffle ratios)))
                          (map #(.doubleValue ^BigDecimal %) (take 20 decimals)))))

(defn random-string []
  (apply str (repeatedly (below 12) #(pick ["a" "b" "\u007f" "\u0080" "\u07ff" "\u0800" "\ud7ff" "\ud800" "\udbff" "\udc00" "\udfff" "\ue000" "\uffff"
                                            "\ud83d\ude00" "\ud800\udc00" "\udbff\udfff" "abcdefgh"]))))
(def texts (vec (concat ["" "a" "b" "aa" "ab" "a\u0000" "abcdefg" "abcdefgh" "abcdefghi" "ABCDEFGHIJ" "\uffff" "\ue000" "\ud83d\ude00" "\ud83d" "\ude00"]
                        (repeatedly 60 random-string))))
(def names ["a" "b" "aa" "A" "z-long-name" "z-long-namf" "\uffff" "\ud83d\ude00" "x/y"])
(def spaces [nil "a" "b" "aa" "a-long-namespace" "\uffff" "\ud83d\ude00"])
(def keywords (vec (for [n names s spaces] (keyword s n))))
(def symbols (vec (for [n names s spaces] (symbol s n))))
(def chars* (mapv char [0 1 65 97 0x7f 0x80 0xd7ff 0xd800 0xdfff 0xe000 0xffff]))
(def uuids (vec (concat [(UUID. 0 0) (UUID. -1 0) (UUID. 0 -1) (UUID. 1 0) (UUID. Long/MIN_VALUE 1) (UUID. Long/MAX_VALUE 1)]
                        (repeatedly 10 #(UUID. (.nextLong random) (.nextLong random))))))
(def dates (mapv #(Date. (long %)) [0 1 -1 1700000000000 Long/MAX_VALUE Long/MIN_VALUE]))
(def instants (vec (for [s [0 1 -1 1700000000 -62135596800] n [0 1 999999999]] (Instant/ofEpochSecond s n))))
(def scalars [[nil] numbers texts keywords symbols chars* uuids dates instants [true false]])
(def vectors
  (vec (concat [[] [nil] [1] [1.0] [2] ["a"] [:a] [[1]] [[2]] [[1 2] 3] [[1 2] 4] [[1] 4] [nil 1] [1 nil] [{}]]
               (for [_ (range 40)] (vec (repeatedly (below 4) #(pick (vec (take 6 numbers))))))
               (for [_ (range 40)] [(pick texts) (pick texts)])
               (for [n [31 32 33 70] last [1 2]] (conj (vec (range n)) last)))))
(def others [{} {:a 1} #{} #{1} () '(1) '(2) (byte-array [1])])

(defn answer [a b]
  (try (Integer/signum (compare a b))
       (catch ClassCastException _ "error")
       (catch ArithmeticException _ "-")))
(defn line [a b] (println (str (hex (encode a)) \tab (hex (encode b)) \tab (answer a b))))

(doseq [group (concat scalars [vectors])]
  (if (< (count group) 20)
    (doseq [a group b group] (line a b))
    (dotimes [_ 1500] (line (pick group) (pick group)))))
;; numbers that are close: each beside its double and the doubles next to it
(doseq [x numbers :let [d (double x)] :when (not (or (Double/isNaN d) (Double/isInfinite d))), y [d (Math/nextUp d) (Math/nextDown d)]]
  (line x y)
  (line y x))
;; of every kind beside every kind
(let [one-each (concat (map first (rest scalars)) [nil [1] [] ] others)]
  ;; a value beside the same word is equal to it, and empty collections have one word
  (doseq [a one-each b one-each :when (not (and (coll? a) (not (vector? a)) (= a b)))] (when-not (and (bytes? a) (bytes? b)) (line a b))))
