(ns eve.alpha
  "Persistent immutable maps, vectors, sets and lists in shared memory, behind atoms that several processes and languages share.

    (require '[eve.alpha :as e])
    (def a (e/atom {:id ::people :persistent \"people.slab\"} {}))
    (swap! a assoc 1 {:name \"Ada\"})
    (get-in @a [1 :name])

  Values read from an atom are Clojure collections that read the slab in place. They stay valid as long as the program holds them, whatever
  other threads and processes do. What assoc, conj, ... make of them lies on the heap, over the value in the slab, until an atom stores it.

  Stored are: nil, booleans, numbers (every integer becomes a long or a BigInt, every float a double), chars, strings, keywords, symbols, UUIDs,
  java.util.Date, java.time.Instant, byte arrays, maps, vectors, sets, sorted maps and sets, lists, seqs and queues (realised, as lists), and
  java.util's collections (its sorted ones as plain maps and sets). An infinite seq is never done: it fills the memory, as it would in vec.
  A sorted map or set is stored in its order if that is the natural one, the reverse one (reverse-order), or that of a comparator with a name
  (register-comparator!); another comparator is an error.
  Functions, records and other objects are refused with an IllegalArgumentException that says where in the value they are; the atom keeps its
  value then."
  (:refer-clojure :exclude [atom hash-map hash-set list read sorted-map sorted-map-by sorted-set sorted-set-by sync vector])
  (:require [clojure.walk :as walk]))

;; Before anything of Java is loaded: an old JVM would say something about a class file version.
(let [^String version (System/getProperty "java.specification.version")]
  (when (or (.startsWith version "1.") (< (Long/parseLong version) 22))
    (throw (ex-info (str "eve needs Java 22 or later; this is Java " (System/getProperty "java.version")) {}))))

(import '(eve Atom EveException EveList EveMap EveSet EveSortedMap EveSortedSet EveVector HeapList MapOverlay Order PinnedSnapshot Slab SortedOverlay
              Tools Transaction VectorOverlay))

(def ^:private default-path "./eve.slab")

(defn- check-options [what options known]
  (when-let [unknown (seq (remove known (keys options)))]
    (throw (IllegalArgumentException. (str "unknown options of " what ": " (pr-str (vec unknown)))))))

(defn- path-of ^String [path]
  (cond (string? path) path
        (or (instance? java.io.File path) (instance? java.nio.file.Path path)) (str path)
        :else (throw (IllegalArgumentException. (str "the path of a slab is a string or a file, not " (pr-str path))))))

(def ^:private sync-modes {:interval Slab/SYNC_INTERVAL, :none Slab/SYNC_NONE, :commit Slab/SYNC_COMMIT})

(defn open
  "Opens the slab at path (a string or file), which is created if it is missing. Opening it twice gives the same slab. Its deref is a map of
  all atoms' names and values, at one version; (get slab ::name) gives an atom, nil if there is none of that name.
  Options: :must-exist, a missing file is an error; :max-bytes, the largest size of the file; :read-only, for a file that nobody changes
  (who has it open for writing excludes it, and it excludes them until it is closed and the last value read from it is gone);
  :sync, when changes are made to survive a crash of the machine: :interval (default), in the background, at most :sync-interval-ms (1000)
  after each; :commit, before swap! returns; :none, only by sync and close!."
  (^Slab [path] (Slab/open (path-of path)))
  (^Slab [path {:keys [must-exist read-only max-bytes sync sync-interval-ms] :or {sync :interval} :as options}]
   (check-options "open" options #{:must-exist :read-only :max-bytes :sync :sync-interval-ms})
   (when-not (or (nil? max-bytes) (pos-int? max-bytes))
     (throw (IllegalArgumentException. (str ":max-bytes is a positive integer, not " (pr-str max-bytes)))))
   (when-not (contains? sync-modes sync)
     (throw (IllegalArgumentException. (str ":sync is :interval, :commit or :none, not " (pr-str sync)))))
   (when-not (or (nil? sync-interval-ms) (and (= sync :interval) (pos-int? sync-interval-ms) (<= sync-interval-ms Integer/MAX_VALUE)))
     (throw (IllegalArgumentException. (str ":sync-interval-ms is a positive integer, for :sync :interval, not " (pr-str sync-interval-ms)))))
   (Slab/open (path-of path) (boolean must-exist) (boolean read-only) (long (or max-bytes 0)) (int (sync-modes sync)) (int (or sync-interval-ms 0)))))

(defn- slab-of ^Slab [{:keys [persistent]}]
  (cond (nil? persistent) (Slab/anonymous)
        (false? persistent) (Slab/anonymous)
        (true? persistent) (Slab/open default-path)
        (instance? Slab persistent) persistent
        (or (string? persistent) (instance? java.io.File persistent) (instance? java.nio.file.Path persistent)) (open persistent)
        :else (throw (IllegalArgumentException. (str ":persistent is a path, a slab or true, not " (pr-str persistent))))))

(defn- place
  "The slab and the name (nil: none) that the first argument of atom means."
  [id]
  (let [{:keys [id persistent lustre?] :as config} (if (map? id) id {:id id})]
    (check-options "atom" config #{:id :persistent :lustre?})
    (when lustre?
      (throw (IllegalArgumentException. ":lustre? true: a slab is shared memory of one machine, a file system of a network is none")))
    (cond (keyword? id) [(slab-of config) id]
          (and (nil? id) (not persistent)) [(Slab/anonymous) nil]
          :else (throw (IllegalArgumentException. (str "the :id of an atom is a keyword, not " (pr-str id)))))))

(defn atom
  "An atom whose value lies in a slab.

    (atom v)                                    in the memory of this process
    (atom ::name v)                             the same; one name is one atom
    (atom {:id ::name :persistent \"path\"} v)    in the slab at that path, shared with every process that opens it

  :persistent is a path, true for ./eve.slab, or what open returned. An atom that exists already keeps its value: v is ignored then.
  clojure.core's options may follow, :meta and :validator; they belong to this process. (get slab ::name) gives an atom without making it, atoms
  lists them, remove! removes one. There may be as many as there is room for, in any number of slabs.
  clojure.core's deref, swap!, reset!, compare-and-set!, swap-vals!, reset-vals!, add-watch, remove-watch, set-validator! and meta work on
  it. Watches are also called for changes by other processes, in a thread of their own; changes that follow each other quickly may be told
  as one. compare-and-set! compares values with =. The function given to swap! may run several times.
  A swap! with assoc, dissoc, conj, disj, pop, inc, dec, + or - of clojure.core itself is one call of the library."
  ^Atom [x & more]
  (let [[[^Slab slab id] v options] (if (odd? (count more)) [(place x) (first more) (rest more)] [[(Slab/anonymous) nil] x more])
        {:keys [meta validator] :as options} (apply clojure.core/hash-map options)
        there (when id (.existing slab id))]
    (check-options "atom" options #{:meta :validator})
    (when (and validator (not there) (not (validator v)))
      (throw (IllegalStateException. "Invalid reference state")))
    (let [^Atom a (or there (if id (.atom slab ^clojure.lang.Keyword id v) (.atom slab v)))]
      (when meta (reset-meta! a meta))
      (when validator (set-validator! a validator))
      a)))

(defn slab
  "The slab that an atom is in."
  ^Slab [^Atom a]
  (.slab a))

(defn- opened ^Slab [slab-or-atom]
  (if (instance? Atom slab-or-atom) (slab slab-or-atom) slab-or-atom))

(defn atoms
  "The atoms of a slab by their names: {::people #<Atom> ...}. Without a slab those in the memory of this process that have names."
  ([] (atoms (Slab/anonymous)))
  ([^Slab slab] (.atoms slab)))

(defn remove!
  "Removes the atom from its slab, for all processes: to use it is an error (:not-found) from then on, until somebody makes an atom of its name
  again. Values read from it stay valid. Returns true, or false if it wasn't there any more."
  [^Atom a]
  (.remove a))

(defn close!
  "Closes the slab, or the slab of the atom. Its atoms and the values read from them can't be used any more; what was copied out can. The
  last process to close a slab writes it to disk. Closing twice is allowed, and closing an atom in the memory of this process: it stays, as
  the others there do."
  [slab-or-atom]
  (.close (opened slab-or-atom)))

(defn close-atom-domain!
  "close! of a slab, by the name that it had in the original eve."
  [slab]
  (close! slab))

(defn sync
  "Makes the current version survive a crash of the machine, and returns its number. A crash of a process loses nothing, with or without it."
  [slab-or-atom]
  (.sync (opened slab-or-atom)))

(defn update!
  "Changes the value like swap!, without keeping a version for what it gives out: for loops of many changes. f's argument, and what is read from
  it, can be used until f returns (later it is an error, :released; what f returns is stored, and copy copies). Returns the number of the new
  version, not a value. f may run several times. With watches it does what swap! does.

  With a transaction: (assoc! tx a (f (get tx a) & args)). Returns the value then."
  {:arglists '([a f & args] [tx a f & args])}
  [x & more]
  (if (instance? Transaction x)
    (.update ^Transaction x (first more) (second more) (object-array (nnext more)))
    (.update ^Atom x (first more) (object-array (rest more)))))

(defn- slab-of-all ^Slab [where]
  (cond (instance? Slab where) where
        (instance? Atom where) (slab where)
        (and (coll? where) (seq where) (every? #(instance? Atom %) where))
        (let [slabs (set (map slab where))]
          (when (next slabs)
            (throw (IllegalArgumentException. (str "atoms of different slabs can't change together: " (pr-str (mapv #(.name ^Slab %) slabs))))))
          (first slabs))
        :else (throw (IllegalArgumentException. "a transaction is of a slab, or of the slab of an atom or of several atoms"))))

(defn transact
  "Changes several atoms of one slab together, all or nothing, and returns what f returns.

    (e/transact [from to]
      (fn [tx]
        (when (<= n (get tx from))
          (e/update! tx from - n)
          (e/update! tx to + n))))

  tx is a transient of the slab's map: (get tx a), (tx a) and contains? read an atom as the transaction has left it, (assoc! tx a v) and
  (update! tx a f & args) change it. In place of an atom its name may stand; assoc! with a name that is new makes an atom. All reads are of one
  version; @a within f is the current value, of which the transaction knows nothing. The commit comes when f returns: if others have changed an atom
  that was read or written, f runs again, so it should be short and have no other effects. If f throws nothing has changed. Validators are asked before the
  commit, watches are called after it.
  tx ends with the call, and belongs to its thread. A transaction within a transaction is an error (IllegalStateException), and swap! and the like of
  an atom that the transaction uses. Values are those of swap!: they stay valid.
  The first argument: a slab, an atom, or a collection of atoms of one slab."
  [slab-or-atoms f]
  (.transact (slab-of-all slab-or-atoms) (reify java.util.function.Function (apply [_ tx] (f tx)))))

(defn read
  "(f value & args) of the atom's current value, which can be read until f returns: for reads in long loops beside writers, and of read-only
  programs. What f returns must not be lazy nor a part of the value, unless it is copied."
  [^Atom a f & args]
  (.read a f (object-array args)))

(defn snapshot
  "The current value of an atom, or of all atoms of a slab, as something to deref until it is closed, however long that takes:

    (with-open [s (e/snapshot a)] (report @s))
    (with-open [s (e/snapshot slab)] (report (get s ::people) (get s ::orders)))

  get (and the snapshot as a function) takes an atom of the slab or its name, and gives its value at that version; version gives the number.
  What was read from it gives an error (:released) after that. Without close it lasts until the collector finds it, which is counted by pins."
  ^eve.PinnedSnapshot [atom-or-slab]
  (if (instance? Atom atom-or-slab) (.snapshot ^Atom atom-or-slab) (.pinned ^Slab atom-or-slab)))

(defn version
  "Number of the current version of the slab, or the slab of the atom, or of a snapshot's version. Each commit makes the next one."
  [x]
  (if (instance? PinnedSnapshot x) (.version ^PinnedSnapshot x) (.version (opened x))))

(defn wait
  "Waits until (pred value) is true of the value of an atom, or of the map of all atoms of a slab, and returns that value. Changes that follow each
  other quickly may be seen as one. With a timeout, timeout-val when it is over. Ends with an InterruptedException if the thread is interrupted, and
  with an error (:closed) if the slab is closed. Virtual threads may wait too."
  ([atom-or-slab pred] (wait atom-or-slab pred -1 nil))
  ([atom-or-slab pred timeout-ms timeout-val]
   (let [test (reify java.util.function.Predicate (test [_ v] (boolean (pred v))))]
     (if (instance? Atom atom-or-slab)
       (.await ^Atom atom-or-slab test timeout-ms timeout-val)
       (.await ^Slab atom-or-slab test timeout-ms timeout-val)))))

(defn pins
  "What this process holds of old versions of the slab, or the slab of the atom, for values that may still be in use:
    :groups   intervals of versions
    :held     bytes that died in them
    :oldest, :seconds  the first version that is held, and for how long; nil: none
    :taken    bytes of blocks that the slab has taken so far, live and free
    :leaked   snapshots of this process that were not closed
  and of all slabs of this process:
    :process-held, :floor  bytes held now, and just after the last collection
    :budget   bytes beyond the floor that make the collector run earlier (-Deve.pin.budget=32m)
    :gcs, :filled  how often that was by System.gc(), and bytes allocated for it"
  [slab-or-atom]
  (update-keys (.pins (opened slab-or-atom)) keyword))

(defn- stored [v]
  (.unowned (Slab/anonymous) v))

(defn hash-map
  "A map of these keys and values that lies in the memory which atoms without :persistent use."
  [& keyvals]
  (stored (apply clojure.core/hash-map keyvals)))

(defn hash-set
  "A set of these elements; as hash-map."
  [& xs]
  (stored (apply clojure.core/hash-set xs)))

(defn vector
  "A vector of these elements; as hash-map."
  [& xs]
  (stored (vec xs)))

(defn list
  "A list of these elements; as hash-map."
  [& xs]
  (stored (apply clojure.core/list xs)))

(def ^java.util.Comparator reverse-order
  "The comparator of the reverse of compare: (sorted-map-by e/reverse-order). Every process and language that reads the slab knows this order."
  (Order/reverse))

(defn register-comparator!
  "Gives a comparator (or a function that clojure.core/sorted-map-by takes as one) a name, a keyword or symbol, for this process: sorted maps and
  sets in its order can be stored then, and looked up when they are read. The slab knows the name only, so each process that uses them registers
  the same order under it; without it they can be counted and walked, and else are an error (IllegalStateException). A name that is given again
  names the new comparator. Returns the comparator.
  A change of such a map or set writes all of it anew, as the library can't compare its keys; in the natural order and its reverse it writes a
  path of the tree."
  ^java.util.Comparator [name ^java.util.Comparator comparator]
  (Order/register name comparator)
  comparator)

(defn sorted-map
  "A sorted map of these keys and values; as hash-map."
  [& keyvals]
  (stored (apply clojure.core/sorted-map keyvals)))

(defn sorted-map-by
  "A sorted map in the order of the comparator, reverse-order or one that was registered (register-comparator!); as hash-map."
  [^java.util.Comparator comparator & keyvals]
  (stored (apply clojure.core/sorted-map-by comparator keyvals)))

(defn sorted-set
  "A sorted set of these elements; as hash-map."
  [& xs]
  (stored (apply clojure.core/sorted-set xs)))

(defn sorted-set-by
  "A sorted set in the order of the comparator, as for sorted-map-by."
  [^java.util.Comparator comparator & xs]
  (stored (apply clojure.core/sorted-set-by comparator xs)))

;; ---- the whole slab ----

(def ^:private counts
  [:version :total :reachable-objects :reachable-bytes :allocated-objects :allocated-bytes :unreachable-objects :unreachable-bytes :symbols
   :checksums])

(def ^:private gc-counts
  [:version :live-objects :live-bytes :freed-objects :freed-bytes :held-objects :held-bytes :freed-blocks])

(defn gc
  "Frees everything in the slab, or the slab of the atom, that no version in use reaches. The slab does so by itself when it grows; by hand it makes
  room at once. Others go on reading and writing. A map of counts; what is :held is freed when the old versions that hold it are let go."
  [slab-or-atom]
  (let [numbers (long-array Tools/GC_COUNTS)]
    (Tools/gc (opened slab-or-atom) numbers)
    (zipmap gc-counts numbers)))

(defn verify
  "Checks everything in the slab, or the slab of the atom: values, hashes, order, allocation maps. Others may go on writing. A map of counts, with
  :sound, and :findings (the first 1000): maps of :kind, :offset, :path (the atom's name and the keys) and :what."
  [slab-or-atom]
  (let [numbers (long-array Tools/COUNTS)
        lines (.lines (Tools/verify (opened slab-or-atom) numbers))
        finding (fn [line]
                  (let [[kind offset path what] (.split ^String line "\t" -1)]
                    {:kind (keyword kind) :offset (Long/decode offset) :path path :what what}))
        report (zipmap counts numbers)]
    (assoc report :sound (zero? (long (:total report))) :findings (mapv finding (iterator-seq (.iterator lines))))))

(defn backup
  "Copies the current version of the slab, or of the atom's slab, to a new file, with checksums that `eve verify` compares. Others may go on
  writing. Returns the number of the version. A file that is there already is left as it is: an error."
  [slab-or-atom path]
  (Tools/backup (opened slab-or-atom) (path-of path)))

(defn compact
  "Copies the values of the current version into a new slab, without garbage and free room. Returns {:before bytes :after bytes}. A file that is
  there already is left as it is: an error."
  [slab-or-atom path]
  (let [[before after] (Tools/compact (opened slab-or-atom) (path-of path))]
    {:before before :after after}))

(def ^:private ^ThreadLocal walking (ThreadLocal.))

(defn- whole
  "(f) walks through a value level by level. One that is too deep for the stack is an error: a value in a damaged slab may contain itself."
  [f]
  (if (.get walking)
    (f)
    (try (.set walking true)
         (f)
         (catch StackOverflowError _ (throw (EveException/tooDeep)))
         (finally (.remove walking)))))

(defn copy
  "The value with all collections in it as plain Clojure ones, which need no slab."
  [v]
  (whole #(walk/postwalk identity v)))

;; *print-dup* writes a plain collection: the reader knows no slab.
(doseq [[class plain] {EveMap #(into {} %), MapOverlay #(into {} %), EveVector #(into [] %), VectorOverlay #(into [] %), EveSet #(into #{} %)
                       EveSortedMap #(into (empty %) %), SortedOverlay #(into (empty %) %), EveSortedSet #(into (empty %) %)
                       EveList #(apply clojure.core/list %), HeapList #(apply clojure.core/list %)}
        :let [print (get-method print-method class)]]
  (.addMethod ^clojure.lang.MultiFn print-method class (fn [x w] (whole #(print x w))))
  (.addMethod ^clojure.lang.MultiFn print-dup class (fn [x w] (whole #(print-dup (with-meta (plain x) (meta x)) w)))))

;; By their names: as what can be dereferenced they would print all that is in them.
(doseq [class [Slab PinnedSnapshot]]
  (.addMethod ^clojure.lang.MultiFn print-method class (fn [x ^java.io.Writer w] (.write w (str x)))))
