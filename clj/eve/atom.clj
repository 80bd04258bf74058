(ns eve.atom
  "Atoms and slabs by the names that they had in the original eve, where a slab was a *domain*: for programs that move (docs/migration.md).
  New programs need eve.alpha alone."
  (:refer-clojure :exclude [atom])
  (:require [eve.alpha :as e])
  (:import (eve Slab)))

(def ^:dynamic *global-persistent-atom-domain*
  "The slab of persistent-atom's atoms without a :persistent of their own; nil: ./eve.slab."
  nil)

(def ^{:arglists (:arglists (meta #'e/atom)) :doc (:doc (meta #'e/atom))} atom e/atom)

(defn persistent-atom-domain
  "Opens the slab at path, as eve.alpha/open. :capacities is accepted and without effect, a slab grows by itself."
  ^Slab [path & {:keys [lustre?] :as options}]
  (when-let [unknown (seq (remove #{:capacities :lustre?} (keys options)))]
    (throw (IllegalArgumentException. (str "unknown options of persistent-atom-domain: " (pr-str (vec unknown))))))
  (when lustre?
    (throw (IllegalArgumentException. ":lustre? true: a slab is shared memory of one machine, a file system of a network is none")))
  (e/open path))

(defn join-atom-domain
  "The same."
  ^Slab [path]
  (e/open path))

(defn- domain ^Slab []
  (or *global-persistent-atom-domain* (e/open "./eve.slab")))

(defn persistent-atom
  "An atom in a file: as eve.alpha/atom, but without a :persistent it lies in *global-persistent-atom-domain*. Without a name, or with nil, it gets one
  that nobody else has (a UUID), and stays in the file until eve.alpha/remove! removes it."
  ([v] (persistent-atom nil v))
  ([id v]
   (let [{:keys [id persistent] :as config} (if (map? id) id {:id id})]
     (e/atom (assoc config
                    :id (if (nil? id) (keyword "eve.atom" (str (random-uuid))) id)
                    :persistent (if (or (nil? persistent) (true? persistent)) (domain) persistent))
             v))))

(defn domain-lookup
  "The atom of that name in a slab, or not-found: as get."
  ([domain id] (get domain id))
  ([domain id not-found] (get domain id not-found)))

(defn lookup-or-create-mmap-atom!
  "The atom named by a string \"namespace/name\" in a slab; made with the value init if there is none."
  [domain id init]
  (e/atom {:id (keyword id) :persistent domain} init))

(defn close-atom-domain!
  "Closes a slab: eve.alpha/close!."
  [domain]
  (e/close! domain))

(defn close!
  "Closes the slab of an atom, or a slab: eve.alpha/close!."
  [atom-or-domain]
  (e/close! atom-or-domain))
