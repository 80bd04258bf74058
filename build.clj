(ns build
  "Build tasks for tools.build:
    bin/clojure -T:build javac   compiles java/ into target/classes
    bin/clojure -X:deps prep     in a project that uses this one by :local/root: the library too, if it isn't built
    bin/clojure -T:build jar     target/eve-VERSION.jar, with the library of this platform in it"
  (:require [clojure.java.io :as io]
            [clojure.string :as str]
            [clojure.tools.build.api :as b])
  (:import (java.nio.file Files)
           (java.security MessageDigest)
           (java.util HexFormat)))

(def version
  "Of Cargo.toml, which has it for all packages."
  (second (re-find #"(?m)^version = \"(.+)\"" (slurp "Cargo.toml"))))

(def jar-file (str "target/eve-" version ".jar"))

(defn- compile-java [class-dir]
  (b/javac {:src-dirs ["java"]
            :class-dir class-dir
            :basis (b/create-basis {:project "deps.edn"})
            :javac-opts ["--release" "22" "-Xlint:all,-restricted"]}))

(defn javac
  "Compiles java/ into target/classes. scripts/build.sh does the same with javac alone, which starts faster."
  [_]
  (compile-java "target/classes"))

(def ^:private library "target/release/libeve.so")

(defn- run
  "Runs a command; an error if it fails."
  [& command]
  (let [{:keys [exit]} (b/process {:command-args command})]
    (when-not (zero? exit)
      (throw (ex-info (str "failed: " (str/join " " command)) {:exit exit})))))

(defn prep
  "What a project that uses this one needs: the compiled Java, and the library, which takes Rust to build."
  [_]
  (when-not (.exists (io/file library))
    (run "sh" "scripts/build.sh" "rust"))
  (javac nil))

(defn- sha-256 [file]
  (.formatHex (HexFormat/of) (.digest (MessageDigest/getInstance "SHA-256") (Files/readAllBytes (.toPath (io/file file))))))

(defn jar
  "Makes the jar. Without :library the one of target/release, built for Linux on x86-64, goes into it."
  [{:keys [library] :or {library library}}]
  (when-not (.exists (io/file library))
    (throw (ex-info (str "there is no " library ": make build") {})))
  (let [dir "target/jar", native (str dir "/natives/linux-x86_64/libeve.so")]
    (b/delete {:path dir})
    (compile-java dir)
    (b/copy-dir {:src-dirs ["clj"] :target-dir dir})
    (doseq [licence ["LICENSE-MIT" "LICENSE-APACHE"]]
      (b/copy-file {:src licence :target (str dir "/META-INF/" licence)}))
    (io/make-parents native)
    ;; Most of it is debugging information.
    (run "strip" "--strip-unneeded" "-o" native library)
    (spit (str native ".sha256") (sha-256 native))
    (b/write-pom {:class-dir dir :lib 'eve/eve :version version :src-dirs ["clj"]
                  ;; Maven refuses a repository without an address, which is how deps.edn says that there is none.
                  :basis (update (b/create-basis {:project "deps.edn"}) :mvn/repos #(into {} (filter val) %))
                  :pom-data [[:licenses [:license [:name "MIT OR Apache-2.0"]]]]})
    (b/jar {:class-dir dir :jar-file jar-file :manifest {"Automatic-Module-Name" "eve" "Implementation-Version" version}})
    (println jar-file)))
