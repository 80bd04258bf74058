;; Writes the answers of real Clojure and Java that the tests in src/value are compared with:
;;
;;   bin/clojure -M tests/data/gen_hashes.clj > tests/data/hashes.tsv
;;
;; A line is: kind, payload, answer, separated by tabs. Text is hex of generalized UTF-8 (a lone surrogate has its three-byte form),
;; an integer hex of BigInteger.toByteArray, a decimal "unscaled/scale" with the scale in decimal digits. The random values come from
;; a fixed seed: the same Clojure writes the same file.
(import '(java.math BigDecimal BigInteger) '(java.util Date Random UUID) 'java.time.Instant)

(def ^Random random (Random. 20240229))
(defn below [n] (.nextInt random (int n)))
(defn pick [xs] (nth xs (below (count xs))))
(defn shuffled-bits ^long [] (bit-shift-right (.nextLong random) (below 64)))

;; payloads

(defn hex [bytes] (apply str (map #(format "%02x" %) bytes)))

(defn integer-hex [n] (hex (.toByteArray (biginteger n))))

(defn text-bytes
  "The generalized UTF-8 of `s`, written by hand as Java's encoder replaces lone surrogates."
  [^String s]
  (loop [at 0, out []]
    (if (= at (count s))
      (map unchecked-byte out)
      (let [code (.codePointAt s at)
            trail (fn [shift] (bit-or 0x80 (bit-and 0x3f (bit-shift-right code shift))))]
        (recur (+ at (Character/charCount code))
               (into out (cond
                           (< code 0x80) [code]
                           (< code 0x800) [(bit-or 0xc0 (bit-shift-right code 6)) (trail 0)]
                           (< code 0x10000) [(bit-or 0xe0 (bit-shift-right code 12)) (trail 6) (trail 0)]
                           :else [(bit-or 0xf0 (bit-shift-right code 18)) (trail 12) (trail 6) (trail 0)])))))))

(defn text-hex [s] (hex (text-bytes s)))
(defn named-hex [x] (str (if-let [n (namespace x)] (text-hex n) "-") "/" (text-hex (name x))))
(defn decimal-payload [^BigDecimal d] (str (integer-hex (.unscaledValue d)) "/" (.scale d)))
(defn longs-payload [xs] (apply str (interpose "," xs)))

(defn line [kind payload answer] (println (str kind \tab payload \tab answer)))

;; values

(def edge-longs
  (distinct (concat (range -70 71)
                    (for [bit (range 64), delta [-2 -1 0 1 2], sign [1 -1]]
                      (unchecked-multiply sign (unchecked-add (bit-shift-left 1 bit) delta)))
                    [Long/MAX_VALUE Long/MIN_VALUE 1231 1237 0x7fffffff -0x80000000])))

(def edge-doubles
  [0.0 -0.0 1.0 -1.0 0.1 0.5 1.5 Math/PI Math/E 1e10 1e100 1e-100 1e300 Double/MAX_VALUE Double/MIN_VALUE Double/MIN_NORMAL
   ##Inf ##-Inf ##NaN (Double/longBitsToDouble 0x7ff8000000000001) (Double/longBitsToDouble -1)
   (Double/longBitsToDouble 0x3000000000000000) (Double/longBitsToDouble 0x4fffffffffffffff) 9007199254740993.0 -2147483648.0])

(defn code-unit
  "A random character of a few kinds; a pair counts as one."
  []
  (case (int (below 9))
    (0 1 2 3) (str (char (+ 32 (below 95))))
    4 (str (char (below 128)))
    5 (str (char (+ 0x80 (below 0x780))))
    6 (str (char (+ 0x800 (below 0xd000))))
    7 (str (char (+ 0xe000 (below 0x2000))))
    8 (String. (Character/toChars (+ 0x10000 (below 0x100000))))))

(defn ascii [length] (apply str (repeatedly length #(char (+ 33 (below 94))))))
(defn mixed [length] (apply str (repeatedly length code-unit)))
(defn any-units
  "UTF-16 units from few, so that lone surrogates, pairs and common prefixes are frequent."
  [length]
  (apply str (repeatedly length #(char (pick [0x61 0x62 0x3f 0x7f 0x80 0x7ff 0x800 0xd7ff 0xd800 0xd83d 0xdbff 0xdc00 0xde00 0xdfff 0xe000 0xfffd 0xffff])))))

(def strings
  (distinct
   (concat ["" "a" "?" "hello" "hello, world" "Aa" "BB" "AaAa" "BBBB" "AaBB" "\u0000" "\u0000\u0000" "a\u0000" "\u007f" "\u0080" "\u07ff" "\u0800" "\uffff"
            "\ud800" "\udfff" "\ud83d\ude00" "\ude00\ud83d" "\ud83d" "a\ud83d" "\ud83da" "\ud83d\ud83d\ude00" "\ud83d\ude00\ude00" "\ud800\udc00" "\udbff\udfff"
            ;; a string whose hashCode is 0 without being empty
            "f5a5a608" "polygenelubricants"]
           (for [length (range 1 41)] (ascii length))
           (for [length (range 1 41)] (mixed length))
           ;; one character that is not ASCII at each place of and around the words of eight bytes
           (for [at (range 20), c ["\u00e9" "\u20ac" "\ud83d\ude00" "\udc00" "?"]] (str (ascii at) c (ascii (below 20))))
           (for [length (concat (range 12) (range 12) (range 12)), _ (range 4)] (any-units length))
           [(ascii 1000) (mixed 1000) (any-units 300) (apply str (repeat 300 "\u007f")) (apply str (repeat 70 "\uffff"))])))

(def names (concat (remove empty? strings)
                   ["a" "id" "name" "+" "a.b" "a/b" "\u00e9t\u00e9" "\ud83d\ude00"]))

(defn random-integer [] (* (pick [1 -1]) (bigint (BigInteger. (int (inc (below 400))) random))))

(def integers
  (distinct
   (map biginteger
        (concat (take-nth 2 edge-longs)
                (for [bits (concat (range 60 70) (range 90 100) [127 128 129 255 256 257 511 512 1024]), delta [-1 0 1], sign [1 -1]]
                  (* sign (+ delta (.shiftLeft BigInteger/ONE bits))))
                (for [digits (concat (range 1 40) [63 64 99 100 180]), delta [-1 0 1], sign [1 -1]]
                  (* sign (+ delta (.pow BigInteger/TEN digits))))
                (repeatedly 250 random-integer)))))

(def decimals
  (doall ; not `distinct`: 1.0M and 1.00M are equal and both wanted
   (concat (map bigdec ["0" "0.0" "0.000" "0E+5" "1" "1.0" "1.00" "-1.0" "10" "100" "1E+2" "1E+1" "0.1" "0.10" "123.4500" "-123.4500" "1E-400" "1E+400"
                        "9223372036854775807" "9223372036854775808" "-9223372036854775808" "92233720368547758.080" "12345678901234567890.1234567890000"])
           (for [zeros [1 2 8 9 10 11 17 18 19 20 27 40], unscaled [1 7 -7 25 32 1024 -999999999], scale [-3 0 2 9 30]]
             (BigDecimal. (.multiply (biginteger unscaled) (.pow BigInteger/TEN zeros)) (int scale)))
           (for [scale [Integer/MAX_VALUE Integer/MIN_VALUE (inc Integer/MIN_VALUE) -1 1], unscaled [0 1 -1 123]]
             (BigDecimal. (biginteger unscaled) (int scale)))
           (for [_ (range 250)] (BigDecimal. (biginteger (random-integer)) (int (- (below 60) 20)))))))

(defn near
  "A decimal that is equal or close to `d`, with another scale where that is possible."
  [^BigDecimal d]
  (let [zeros (below 25)
        wider (.setScale d (int (+ (.scale d) zeros)))]
    (case (int (below 4))
      0 wider
      1 (.add wider (BigDecimal. BigInteger/ONE (int (.scale wider))))
      2 (.subtract wider (BigDecimal. BigInteger/ONE (int (.scale wider))))
      3 (.negate wider))))

(def decimal-pairs
  (let [moderate (filterv #(< (abs (long (.scale ^BigDecimal %))) 1000) decimals)]
    (concat (for [_ (range 150)] [(pick moderate) (pick moderate)])
            (for [d moderate] [d (near d)])
            (for [_ (range 200)] [(pick decimals) (pick decimals)])
            (for [_ (range 200)] [(pick moderate) (BigDecimal. ^BigInteger (pick integers))]))))

;; lines

(println "# Made by gen_hashes.clj with Clojure" (clojure-version))

(doseq [n (concat edge-longs (repeatedly 500 shuffled-bits))]
  (line "long" n (hash n)))
(doseq [n [0 1 -1 5 127 -128 Integer/MAX_VALUE Integer/MIN_VALUE]] ; Java ints are equal to longs
  (line "long" n (hash (int n))))
(doseq [n [0 1 -1 2 12345 -12345 -1035494534 Integer/MAX_VALUE Integer/MIN_VALUE]]
  (line "murmur-int" n (clojure.lang.Murmur3/hashInt (int n))))
(doseq [d (concat edge-doubles
                  (repeatedly 300 #(Double/longBitsToDouble (.nextLong random)))
                  (repeatedly 200 #(* (.nextGaussian random) 1000)))]
  (line "double" (format "%016x" (Double/doubleToRawLongBits d)) (hash d)))
(doseq [b [true false]] (line "bool" b (hash b)))
(line "nil" "" (hash nil))
(doseq [c (concat (range 0 300) (repeatedly 200 #(below 65536)) [0xd800 0xdfff 0xfffe 0xffff])]
  (line "char" (format "%04x" (int c)) (hash (char c))))

(doseq [s strings]
  (line "string" (text-hex s) (hash s))
  (line "java-string" (text-hex s) (.hashCode ^String s))
  (line "unencoded-chars" (text-hex s) (clojure.lang.Murmur3/hashUnencodedChars s))
  (line "utf16" (text-hex s) (apply str (map #(format "%04x" (int %)) s))))
(doseq [n names, namespace [nil (pick names)]]
  (line "symbol" (named-hex (symbol namespace n)) (hash (symbol namespace n)))
  (line "keyword" (named-hex (keyword namespace n)) (hash (keyword namespace n))))
(doseq [_ (range 200), :let [seed (.nextInt random), h (.nextInt random)]]
  (line "combine" (str seed "," h) (clojure.lang.Util/hashCombine seed h)))

(doseq [_ (range 100), :let [high (shuffled-bits), low (shuffled-bits)]]
  (line "uuid" (format "%016x%016x" high low) (hash (UUID. high low))))
(doseq [ms (concat [0 1 -1 1700000000000 -1700000000000 Long/MAX_VALUE Long/MIN_VALUE] (repeatedly 100 shuffled-bits))]
  (line "date" ms (hash (Date. (long ms)))))
(doseq [[seconds nanos] (concat [[0 0] [0 999999999] [-1 999999999] [(.getEpochSecond Instant/MAX) 999999999] [(.getEpochSecond Instant/MIN) 0]]
                                (repeatedly 100 #(vector (rem (shuffled-bits) (.getEpochSecond Instant/MAX)) (below 1000000000))))]
  (line "instant" (str seconds "," nanos) (hash (Instant/ofEpochSecond seconds nanos))))

(doseq [n integers]
  (line "bigint" (integer-hex n) (hash n))            ; java.math.BigInteger, also in the range of long
  (line "bigint" (integer-hex n) (hash (bigint n)))   ; clojure.lang.BigInt: 5N
  (line "java-bigint" (integer-hex n) (.hashCode ^BigInteger n))
  (line "integer-text" (integer-hex n) (str n)))
(doseq [_ (range 300)
        :let [r (/ (pick [(random-integer) (bigint (shuffled-bits)) (bigint (- (below 100) 50))])
                   (pick [(inc (abs (random-integer))) (bigint (+ 2 (below 100)))]))]
        :when (ratio? r)]
  (line "ratio" (str (integer-hex (numerator r)) "/" (integer-hex (denominator r))) (hash r)))
(doseq [d decimals]
  (line "decimal" (decimal-payload d) (hash d))
  (line "strip" (decimal-payload d) (decimal-payload (.stripTrailingZeros ^BigDecimal d))))

(doseq [length (concat (range 12) [100]), :let [bytes (byte-array length)]]
  (.nextBytes random bytes)
  (line "bytes" (hex bytes) (java.util.Arrays/hashCode bytes)))

(doseq [length (concat (range 40) [100 1000])
        :let [xs (vec (repeatedly length #(- (below 2000) 1000)))
              m (into {} (map vec (partition 2 xs)))]]
  (line "ordered" (longs-payload xs) (hash xs))
  (line "ordered" (longs-payload xs) (hash (apply list xs)))
  (line "ordered" (longs-payload xs) (hash (map identity xs)))
  (line "ordered" (longs-payload xs) (hash (into clojure.lang.PersistentQueue/EMPTY xs)))
  (line "unordered" (longs-payload (set xs)) (hash (set xs)))
  (line "unordered" (longs-payload (set xs)) (hash (into (sorted-set) xs)))
  (line "map" (longs-payload (mapcat identity m)) (hash m))
  (line "map" (longs-payload (mapcat identity m)) (hash (into (sorted-map) m))))
(doseq [_ (range 100), :let [k (shuffled-bits), v (shuffled-bits)]]
  (line "entry" (str k "," v) (hash (first {k v}))))

(doseq [_ (range 800), :let [a (pick strings), b (pick (conj [(str a (any-units 1)) (str (subs a 0 (below (inc (count a)))) (any-units (below 3)))] (pick strings)))]]
  (line "compare-strings" (str (text-hex a) "/" (text-hex b)) (Integer/signum (.compareTo ^String a b))))
(doseq [_ (range 700), :let [a (pick integers), b (pick [(.add ^BigInteger a (biginteger (- (below 3) 1))) (.negate ^BigInteger a) (pick integers)])]]
  (line "compare-integers" (str (integer-hex a) "/" (integer-hex b)) (compare a b)))
(doseq [[^BigDecimal a ^BigDecimal b] decimal-pairs]
  (line "compare-decimals" (str (decimal-payload a) "/" (decimal-payload b)) (.compareTo a b)))
