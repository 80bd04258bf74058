(ns eve.packaging-test
  "eve as other projects get it: the jar, :local/root, plain Java; and what is said where it can't run. Each in processes of its own, in a folder of its
  own."
  (:require [clojure.java.io :as io]
            [clojure.java.shell :as shell]
            [clojure.string :as str]
            [clojure.test :refer [deftest is testing]]
            [eve.util :as u])
  (:import (java.io File)
           (java.nio.file Files LinkOption Path)
           (java.nio.file.attribute PosixFilePermissions)))

(def ^:private project (.getCanonicalPath (io/file ".")))
(def ^:private clojure (str project "/bin/clojure"))
(def ^:private java (str (io/file (System/getProperty "java.home") "bin" "java")))
(def ^:private native-access "--enable-native-access=ALL-UNNAMED")

(defn- sh
  "Runs a command in dir with these additions to the environment; {:exit :out}, where :out is what it said on both outputs."
  [dir env & command]
  (let [b (-> (ProcessBuilder. ^java.util.List (mapv str command)) (.directory (io/file dir)) (.redirectErrorStream true))]
    (doseq [k ["EVE_LIB" "EVE_CACHE" "CLASSPATH" "JAVA_TOOL_OPTIONS"]] (.remove (.environment b) k))
    (.putAll (.environment b) env)
    (u/finish (.start b) 300)))

(def ^:private jar
  "The jar, built once, away from the project: no library of the project can be found from there."
  (delay (let [{:keys [exit out]} (sh project {} clojure "-T:build" "jar")
               made (last (str/split-lines (str/trim out)))
               dir (u/temp-dir), to (io/file dir "eve.jar")]
           (when-not (zero? exit) (throw (ex-info (str "no jar: " out) {})))
           (io/copy (io/file project made) to)
           (str to))))

(def ^:private clojure-jars
  (delay (filter #(re-find #"/org/clojure/(clojure|spec\.alpha|core\.specs\.alpha)/" %) (str/split (System/getProperty "java.class.path") #":"))))

(defn- class-path [] (str/join ":" (cons @jar @clojure-jars)))

(def ^:private program
  "(require '[eve.alpha :as e]) (let [a (e/atom {:id ::n :persistent \"test.eve\"} {:n 0})]
     (println \"GOT\" (:n (swap! a update :n inc)) (eve.alpha/version a)))")

(defn- run-jar [dir env options]
  (apply sh dir env (concat [java] options ["-XX:TieredStopAtLevel=1" "-cp" (class-path) "clojure.main" "-e" program])))

(defn- files [dir] (sort (map #(.getName ^File %) (.listFiles (io/file dir)))))

(defn- folder [name & [parent]] (doto (io/file (or parent (u/temp-dir)) name) .mkdirs))

(deftest ^:slow another-project-uses-the-jar
  (let [dir (u/temp-dir), cache (io/file dir "cache")]
    (spit (io/file dir "deps.edn") (pr-str {:deps {'eve/eve {:local/root @jar}} :mvn/repos {"clojars" nil}}))
    (doseq [n [1 2]]
      (let [{:keys [exit out]} (sh dir {"EVE_CACHE" (str cache)} clojure "-M" "-e" program)]
        (is (zero? exit) out)
        (is (str/includes? out (str "GOT " n)) "without any set-up; what it has written is there the next time")))
    (is (= 1 (count (files cache))))
    (is (= "rwx------" (PosixFilePermissions/toString (Files/getPosixFilePermissions (.toPath cache) (make-array LinkOption 0)))))))

(deftest ^:slow another-project-uses-the-folder-of-this-one
  (let [dir (u/temp-dir), eve (folder "eve" dir), app (folder "app" dir)]
    ;; As it is after a clone and `cargo build`: nothing of Java is compiled.
    (doseq [f (concat ["deps.edn" "build.clj" "Cargo.toml" "target/release/libeve.so"]
                      (for [root ["clj" "java"], ^File f (file-seq (io/file project root)) :when (.isFile f)]
                        (str (.relativize (Path/of project (make-array String 0)) (.toPath f)))))]
      (io/make-parents (io/file eve f))
      (io/copy (io/file project f) (io/file eve f)))
    (spit (io/file app "deps.edn") (pr-str {:deps {'eve/eve {:local/root "../eve"}} :mvn/repos {"clojars" nil}}))
    (let [{:keys [exit out]} (sh app {} clojure "-M" "-e" program)]
      (is (not (zero? exit)))
      (is (re-find #"prep" out) "tools.deps says what is missing"))
    (let [{:keys [exit out]} (sh app {} clojure "-X:deps" "prep")] (is (zero? exit) out))
    (let [{:keys [exit out]} (sh app {} clojure "-M" "-e" program)]
      (is (zero? exit) out)
      (is (str/includes? out "GOT 1")))))

(deftest ^:slow a-program-in-plain-java
  (let [dir (u/temp-dir), example (str project "/examples/Inventory.java"), env {"EVE_CACHE" (str (io/file dir "cache"))}
        {:keys [exit out]} (sh dir env java native-access "-cp" (class-path) example "inventory.eve")]
    (is (zero? exit) out)
    (doseq [line ["moved: true false" "posters: 42, changes seen: " "items: [lamp, poster], version "]] (is (str/includes? out line) out))
    (is (re-find #"before: \{.*\"lamp\" 10.*\}, now: \{.*\"lamp\" 7.*\} and \{.*\"lamp\" 3.*\}" out))
    (testing "its documentation is well-formed"
      (let [sources (map #(str project "/java/eve/" % ".java") ["Slab" "Atom" "Transaction" "PinnedSnapshot" "EveException"])
            javadoc (str (io/file (System/getProperty "java.home") "bin" "javadoc"))]
        (when (.exists (io/file javadoc))
          (let [{:keys [exit out]} (apply sh dir {} javadoc "-quiet" "-Xdoclint:all,-missing" "-Werror" "-d" "doc" "-cp" (class-path) sources)]
            (is (zero? exit) out)))))))

(deftest ^:slow processes-that-unpack-the-library-at-the-same-time
  (let [dir (u/temp-dir), cache (io/file dir "cache"), env {"EVE_CACHE" (str cache)}
        runs (doall (for [i (range 6)] (future (run-jar (folder (str i) dir) env [native-access]))))]
    (doseq [r runs] (is (str/includes? (:out @r) "GOT 1") (:out @r)))
    (let [[name :as all] (files cache), lib (io/file cache name), size (.length lib)]
      (is (= 1 (count all)) "and nothing is left beside it")
      (is (re-matches #"[0-9a-f]{64}-libeve\.so" name))
      (is (str/starts-with? name (str/trim (:out (shell/sh "sh" "-c" (str "sha256sum < " lib " | cut -d ' ' -f 1"))))))
      (testing "one that was cut is made again"
        (spit lib "cut")
        (is (str/includes? (:out (run-jar dir env [native-access])) "GOT 1"))
        (is (= size (.length lib))))
      (testing "one that is there is used as it is"
        (let [time (.lastModified lib)]
          (is (str/includes? (:out (run-jar dir env [native-access])) "GOT 2"))
          (is (= time (.lastModified lib))))))))

(deftest ^:slow where-the-cache-cannot-be-used-a-temporary-file-is
  (let [dir (u/temp-dir), tmp (folder "tmp" dir), options [native-access (str "-Djava.io.tmpdir=" tmp)]
        not-a-folder (doto (io/file dir "file") (spit "x")), others (folder "others" dir)]
    (Files/setPosixFilePermissions (.toPath others) (PosixFilePermissions/fromString "rwxrwxrwx"))
    (doseq [cache [not-a-folder (io/file not-a-folder "below") others "/proc/eve"]]
      (let [{:keys [exit out]} (run-jar (folder (str (gensym)) dir) {"EVE_CACHE" (str cache)} options)]
        (is (zero? exit) out)
        (is (str/includes? out "GOT 1"))))
    (testing "nor a user without a home, for whom Java says ?"
      (let [home (folder "homeless" dir), {:keys [out]} (run-jar home {"XDG_CACHE_HOME" ""} (conj options "-Duser.home=?"))]
        (is (str/includes? out "GOT 1") out)
        (is (= ["test.eve"] (files home)))))
    (is (= [] (files others)) "a folder that others can write to is not used")
    (is (empty? (filter #(str/starts-with? % "eve") (files tmp))) "it is gone while the program runs")
    (let [{:keys [exit out]} (run-jar dir {"EVE_CACHE" (str not-a-folder)} [native-access "-Djava.io.tmpdir=/no/such/folder"])]
      (is (not (zero? exit)))
      (is (re-find #"can't unpack the eve library, neither to .*file.* nor to a temporary file .*EVE_CACHE" out)))))

(defn- old-java
  "A java before 22, if this machine has one."
  []
  (first (for [^File home (.listFiles (io/file "/usr/lib/jvm")), :let [java (io/file home "bin" "java")] :when (.canExecute java)
               :let [version (second (re-find #"version \"(\d+)" (:err (shell/sh (str java) "-version"))))]
               :when (and version (< (parse-long version) 22))]
           (str java))))

(deftest ^:slow an-old-java-is-told-so
  (let [dir (u/temp-dir), expected #"eve needs Java 22 or later; this is Java "
        said (fn [java & forms] (:out (apply sh dir {} java "-cp" (class-path) "clojure.main" (mapcat #(vector "-e" %) forms))))]
    (when-let [old (old-java)]
      (doseq [form [program "(require 'eve.alpha)" "(require 'eve.atom)"]] (is (re-find expected (said old form)) old)))
    (doseq [version ["17" "21" "1.8"]] ; as it says itself
      (is (re-find expected (said java (pr-str `(System/setProperty "java.specification.version" ~version)) program))))))

(deftest ^:slow without-native-access-the-jvm-warns-and-eve-works
  (let [dir (u/temp-dir), {:keys [exit out]} (run-jar dir {"EVE_CACHE" (str (io/file dir "cache"))} [])]
    (is (zero? exit) out)
    (is (str/includes? out "GOT 1"))
    (is (re-find #"WARNING: .*--enable-native-access=ALL-UNNAMED" out))))

(deftest ^:slow a-platform-that-is-not-supported-is-told-so
  (let [dir (u/temp-dir), env {"EVE_CACHE" (str (io/file dir "cache"))}]
    (doseq [[os arch] [["Linux" "riscv64"] ["Windows 11" "amd64"] ["Mac OS X" "aarch64"]]]
      (let [{:keys [exit out]} (run-jar dir env [native-access (str "-Dos.name=" os) (str "-Dos.arch=" arch)])]
        (is (not (zero? exit)))
        (is (str/includes? out (str "eve runs on Linux on x86-64; this is " os " on " arch ", and there is no natives/")) out)))))
