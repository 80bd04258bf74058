;; Writes the conformance cases: bin/clojure -M tests/data/gen_vectors.clj tests/data/vectors
;; The values and the answers (EDN text, hash) are real Clojure's; eve is not used here. `make gen` then writes the slabs from cases.tsv.
;;   GROUP.edn   {name {:hash int :value value}}; byte arrays as #eve/bytes "hex", java.time.Instant as #eve/instant "text"
;;   cases.tsv   group, name, build buffer in hex (docs/format.md section 4), hash, pr-str if every Clojure prints it so ("-" if not)
(import '(java.io ByteArrayOutputStream) '(java.math BigDecimal BigInteger) '(java.nio ByteBuffer ByteOrder)
        '(java.time Instant) '(java.util Date UUID))
(require '[clojure.string :as str] '[clojure.java.io :as io])
(set! *print-namespace-maps* false)

;; build buffer
(defn le [n f] (let [b (.order (ByteBuffer/allocate n) ByteOrder/LITTLE_ENDIAN)] (f b) (.array b)))
(defn u8 [x] (byte-array [(unchecked-byte x)]))
(defn u16 [x] (le 2 #(.putShort % (unchecked-short x))))
(defn u32 [x] (le 4 #(.putInt % (unchecked-int x))))
(defn i64 [x] (le 8 #(.putLong % (long x))))
(defn f64 [x] (le 8 #(.putDouble % (double x))))
(defn wtf8
  "UTF-8; a lone surrogate becomes its three bytes."
  [^String s]
  (let [out (ByteArrayOutputStream.)]
    (loop [i 0]
      (when (< i (.length s))
        (let [c (.charAt s i)
              pair? (and (Character/isHighSurrogate c) (< (inc i) (.length s)) (Character/isLowSurrogate (.charAt s (inc i))))]
          (cond pair? (.write out (.getBytes (subs s i (+ i 2)) "UTF-8"))
                (Character/isSurrogate c) (let [c (int c)]
                                            (doseq [b [(bit-or 0xE0 (bit-shift-right c 12)) (bit-or 0x80 (bit-and 0x3F (bit-shift-right c 6)))
                                                       (bit-or 0x80 (bit-and 0x3F c))]]
                                              (.write out (int b))))
                :else (.write out (.getBytes (str c) "UTF-8")))
          (recur (+ i (if pair? 2 1))))))
    (.toByteArray out)))
(defn join-bytes [& parts] (let [out (ByteArrayOutputStream.)] (doseq [^bytes p parts] (.write out p)) (.toByteArray out)))
(defn sym [op x]
  (let [n (wtf8 (name x))]
    (apply join-bytes (u8 op) (concat (if-let [ns (namespace x)] (let [b (wtf8 ns)] [(u16 (alength b)) b]) [(u16 0xFFFF)]) [(u16 (alength n)) n]))))
(defn integer [x] (if (instance? Long x) (join-bytes (u8 3) (i64 x)) (let [b (.toByteArray (biginteger x))] (join-bytes (u8 9) (u32 (alength b)) b))))
(defn shrink [^BigInteger b] (if (<= (.bitLength b) 63) (.longValue b) b))
(declare encode)
(defn coll [op n xs] (apply join-bytes (u8 op) (u32 n) (map encode xs)))
(defn encode [x]
  (cond (nil? x) (u8 0) (true? x) (u8 1) (false? x) (u8 2)
        (instance? Long x) (integer x)
        (instance? Double x) (join-bytes (u8 4) (f64 x))
        (char? x) (join-bytes (u8 5) (u16 (int x)))
        (string? x) (let [b (wtf8 x)] (join-bytes (u8 6) (u32 (alength b)) b))
        (keyword? x) (sym 7 x)
        (symbol? x) (sym 8 x)
        (instance? clojure.lang.BigInt x) (integer x)
        (ratio? x) (join-bytes (u8 10) (integer (shrink (numerator x))) (integer (shrink (denominator x))))
        (decimal? x) (join-bytes (u8 11) (u32 (.scale ^BigDecimal x)) (integer (shrink (.unscaledValue ^BigDecimal x))))
        (uuid? x) (join-bytes (u8 12) (i64 (.getMostSignificantBits ^UUID x)) (i64 (.getLeastSignificantBits ^UUID x)))
        (instance? Date x) (join-bytes (u8 13) (i64 (.getTime ^Date x)))
        (instance? Instant x) (join-bytes (u8 14) (i64 (.getEpochSecond ^Instant x)) (u32 (.getNano ^Instant x)))
        (bytes? x) (join-bytes (u8 15) (u32 (alength ^bytes x)) x)
        (vector? x) (coll 16 (count x) x)
        (seq? x) (coll 17 (count x) x)
        (set? x) (coll 18 (count x) x)
        (map? x) (coll 19 (count x) (mapcat identity x))
        :else (throw (ex-info "no encoding" {:class (class x)}))))
(defn hex [^bytes b] (str/join (map #(format "%02x" %) b)))

;; EDN: as pr-str, but lone surrogates are escaped, and the two types that EDN can't name have a tag
(defn edn [x]
  (cond (string? x) (str/replace (pr-str x) #"[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]" #(format "\\u%04x" (int (first %))))
        (bytes? x) (str "#eve/bytes \"" (hex x) "\"")
        (instance? Instant x) (str "#eve/instant \"" x "\"")
        (map? x) (str "{" (str/join ", " (map (fn [[k v]] (str (edn k) " " (edn v))) x)) "}")
        (vector? x) (str "[" (str/join " " (map edn x)) "]")
        (set? x) (str "#{" (str/join " " (map edn x)) "}")
        (seq? x) (str "(" (str/join " " (map edn x)) ")")
        :else (pr-str x)))
(defn ordered?
  "Is the printed form the same in every implementation: no set or hash map of several entries, nothing that EDN can't name?"
  [x]
  (cond (string? x) (and (= (edn x) (pr-str x)) (not (str/includes? x "\u0000")))
        (or (bytes? x) (instance? Instant x)) false
        (map? x) (and (<= (count x) 8) (every? (fn [[k v]] (and (ordered? k) (ordered? v))) x))
        (set? x) (and (<= (count x) 1) (every? ordered? x))
        (coll? x) (every? ordered? x)
        :else true))
;; eve's hash of a byte array is of its content (Clojure's is of its identity): only alone, never inside another value
(defn answer [x] (if (bytes? x) (java.util.Arrays/hashCode ^bytes x) (hash x)))

;; the cases
(def rnd (java.util.Random. 42))
(defn words [n] (mapv (fn [i] (str "word-" i "-" (Long/toString (.nextLong rnd) 36))) (range n)))
;; strings of equal String.hashCode: Aa and BB
(defn colliding [n] (mapv (fn [i] (str/join (map #(if (bit-test i %) "Aa" "BB") (range 4)))) (range n)))
(def groups
  {"scalars"
   (into {:nil nil :true true :false false :char \a :char-newline \newline :char-wide \u4e2d
          :kw :a :kw-ns :some.name-space/key :kw-slash :/ :kw-long (keyword (apply str (repeat 300 \k)))
          :sym 'a :sym-ns 'a.b/c :sym-plus '+ :sym-slash '/ :uuid #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" :uuid-0 (UUID. 0 0)
          :inst #inst "2026-11-23T12:06:00.123-00:00" :inst-old #inst "1883-01-01T00:00:00.000-00:00" :instant (Instant/ofEpochSecond 1700000000 123456789)
          :instant-old (Instant/ofEpochSecond -62135596800 1) :ratio 1/3 :ratio-neg -22/7 :ratio-big (/ 1 (biginteger (.pow BigInteger/TEN 30)))
          :dec 1.5M :dec-scale 1.50M :dec-exp 1E+10M :dec-small 1E-30M :dec-0 0M :dec-0-scale 0.000M :dec-big 123456789012345678901234567890.123M
          :bigint-5 5N :bigint-0 0N :bigint-neg -5N :bigint-big 123456789012345678901234567890N :bigint-neg-big -170141183460469231731687303715884105728N
          :bytes (byte-array [0 1 -1 127 -128]) :bytes-0 (byte-array 0)
          :double-nan ##NaN :double-inf ##Inf :double-neg-inf ##-Inf :double-minus-0 -0.0}
         (concat (for [x [0 1 -1 42 127 128 -128 255 65536 2147483647 2147483648 -2147483648 -2147483649 9007199254740991 9007199254740993
                          4611686018427387903 4611686018427387904 -4611686018427387904 -4611686018427387905 Long/MAX_VALUE Long/MIN_VALUE]]
                   [(keyword (str "long" x)) x])
                 (for [x [0.0 1.0 -1.0 0.1 3.141592653589793 1e10 1e21 1e-5 0.001 1e7 12345678.9 1e300 -1e-300 4.9e-324 1.7976931348623157e308
                          1.7272337110188893E-77 1.1579208923731620E77 100.0 123456789.0]]
                   [(keyword (str "double" x)) x])))
   "texts"
   (into {:empty "" :a "a" :seven "1234567" :eight "12345678" :nul "a\u0000b" :question "is it? yes" :latin "na\u00efve" :seven-bytes "na\u00efve!" :greek "\u03b1\u03b2\u03b3\u03b4\u03b5"
          :cjk "\u4e2d\u6587\u5b57\u7b26\u4e32\u6d4b\u8bd5" :emoji "\ud83d\ude00 smile \ud83d\ude00" :lone-high "a\ud800b-lone-high" :lone-low "\udc00 lone low first" :lone-end "lone at the end \ud83d"
          :quotes "say \"hi\"\\ \n\t\r\b\f" :control "\u0001\u001f\u007f" :kb4 (apply str (repeat 4096 \x)) :kb20 (apply str (take 20000 (cycle "eve slab ")))
          :mixed-long (apply str (repeat 1000 "\u00e9\u4e2d\ud83d\ude00a"))}
         (for [n (range 1 34)] [(keyword (str "len" n)) (apply str (take n (cycle "abcdefghijklmnop")))]))
   "collections"
   (into {:map0 {} :vec0 [] :set0 #{} :list0 () :map1 {:a 1} :map8 (apply array-map (mapcat (fn [i] [(keyword (str "k" i)) i]) (range 8)))
          :map-order (array-map :z 1 :a 2 :m 3) :set1 #{:a} :set3 #{1 2 3} :list3 '(1 2 3) :nested {:a [1 {:b #{:c}} '(d "e")] :f {[1 2] {:g nil}}}
          :coll-keys {[1 2] :vector '(1 2 3) :list #{1} :set {:a 1} :map} :set-of-colls #{[1] #{1} {1 1} '(2)} :mixed-keys {1 :int 1.0 :double "1" :string :1 :keyword 'one :symbol \1 :char nil :nil 1/2 :ratio 1M :decimal}
          :vec-nil [nil nil] :deep (nth (iterate vector []) 100) :deep-map (nth (iterate (fn [m] {:m m}) {}) 100) :nil-value {:a nil} :false-value {false false}}
         (concat (for [n [1 2 31 32 33 63 64 65 1023 1024 1025 1056 1057 1088 5000 33000]] [(keyword (str "vec" n)) (vec (range n))])
                 (for [n [9 16 17 100 1000 4000]] [(keyword (str "map" n)) (into {} (map (fn [i] [i (str i)]) (range n)))])
                 (for [n [9 100 5000]] [(keyword (str "kwmap" n)) (into {} (map (fn [i] [(keyword (str "key" i)) i]) (range n)))])
                 (for [n [9 100 3000]] [(keyword (str "strmap" n)) (zipmap (words n) (range))])
                 (for [n [9 33 1000]] [(keyword (str "set" n)) (set (range n))])
                 (for [n [2 9 16]] [(keyword (str "collide-map" n)) (zipmap (colliding n) (range))])
                 (for [n [3 16]] [(keyword (str "collide-set" n)) (set (colliding n))])
                 [[:collide-mixed (merge (zipmap (colliding 16) (range)) (zipmap (range 50) (range)))]
                  [:list1000 (apply list (range 1000))]
                  [:records (mapv (fn [i] {:id i :name (str "name " i) :tags #{:a (keyword (str "t" (mod i 5)))} :pos [(/ i 7.0) (- i)]}) (range 200))]]))})

(let [[dir] *command-line-args*]
  (with-open [tsv (io/writer (io/file dir "cases.tsv"))]
    (doseq [[group cases] (sort-by key groups)]
      (with-open [w (io/writer (io/file dir (str group ".edn")))]
        (.write w "{\n")
        (doseq [[k x] (sort-by key cases)]
          (.write w (str (pr-str k) " {:hash " (answer x) " :value " (edn x) "}\n"))
          (.write tsv (str (str/join "\t" [group (name k) (hex (encode x)) (answer x) (if (ordered? x) (edn x) "-")]) "\n")))
        (.write w "}\n")))))
