(ns build
  "Build tasks for tools.build: bin/clojure -T:build javac"
  (:require [clojure.tools.build.api :as b]))

(defn javac
  "Compiles java/ into target/classes. scripts/build.sh does the same with javac alone, which starts faster."
  [_]
  (b/javac {:src-dirs ["java"]
            :class-dir "target/classes"
            :basis (b/create-basis {:project "deps.edn"})
            :javac-opts ["--release" "22" "-Xlint:all,-restricted"]}))
