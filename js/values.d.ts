/// <reference lib="esnext.disposable" />
/** What a slab can hold, as it is read. Integers beyond 2^53 are BigInts, all other numbers are numbers. */
export type Value =
  | null | boolean | number | bigint | string
  | Keyword | EveSymbol | Char | Ratio | Decimal | UUID | Date | Instant | Uint8Array
  | EveMap<any, any> | EveSet<any> | EveSortedMap<any, any> | EveSortedSet<any> | EveVector<any> | EveList<any>;

/**
 * What can be given to be stored. Arrays become vectors, Map and plain objects maps (the keys of objects are strings), Set sets, list(...) lists. Safe
 * integers become integers, other numbers doubles; double(1) is the double 1.0. undefined, functions, JavaScript's symbols and instances of other classes
 * are errors that name their path. A value whose type is an interface is given as a copy, { ...value }: interfaces have no index signature.
 */
export type Storable =
  | Value | Double | ListOf | SortedMapOf | SortedSetOf | readonly Storable[] | ReadonlySet<Storable> | ReadonlyMap<Storable, Storable> | { readonly [key: string]: Storable };

/** Codes of errors. */
export type EveErrorCode =
  | 'EVE_ARG' | 'EVE_HANDLE' | 'EVE_IO' | 'EVE_NOT_A_SLAB' | 'EVE_VERSION' | 'EVE_CORRUPT' | 'EVE_FULL' | 'EVE_TYPE' | 'EVE_BUSY' | 'EVE_CLOSED'
  | 'EVE_FORKED' | 'EVE_REMOTE' | 'EVE_READ_ONLY' | 'EVE_LIMIT' | 'EVE_BUFFER' | 'EVE_PERMISSION' | 'EVE_NOT_FOUND' | 'EVE_NOT_DURABLE'
  | 'EVE_PANIC'
  | 'EVE_RELEASED' | 'EVE_UNKNOWN';

export class EveError extends Error {
  readonly code: EveErrorCode;
  /** Of the operating system, if it is the cause. */
  readonly errno?: number;
}

declare class Named {
  readonly namespace: string | null;
  readonly name: string;
  /** "ns/name" or "name". */
  readonly fullName: string;
  toString(): string;
  toJSON(): string;
}
/** One object of a name in a process: compare with ===. Made by keyword(). */
export class Keyword extends Named {
  private constructor();
  private readonly keyword: true;
}
/** One object of a name in a process: compare with ===. Made by symbol(). */
export class EveSymbol extends Named {
  private constructor();
  private readonly symbol: true;
}
/** keyword('name'), keyword('ns/name') or keyword('ns', 'name'). */
export function keyword(name: string | Keyword): Keyword;
export function keyword(namespace: string | null, name: string): Keyword;
/** symbol('name'), symbol('ns/name') or symbol('ns', 'name'). */
export function symbol(name: string | EveSymbol): EveSymbol;
export function symbol(namespace: string | null, name: string): EveSymbol;
/** kw`ns/name` */
export function kw(strings: TemplateStringsArray, ...values: unknown[]): Keyword;

/** One UTF-16 unit, as Java's char. */
export class Char {
  constructor(character: string | number);
  readonly code: number;
  toString(): string;
  toJSON(): string;
}
/** Stores a number as a double even if it is integral. */
export class Double {
  constructor(value: number);
  readonly value: number;
  valueOf(): number;
  toString(): string;
  toJSON(): number;
}
export function double(value: number): Double;
/** A fraction in lowest terms. */
export class Ratio {
  constructor(numerator: bigint | number, denominator: bigint | number);
  readonly numerator: bigint;
  readonly denominator: bigint;
  valueOf(): number;
  toString(): string;
  toJSON(): string;
}
/** unscaled * 10^-scale, as java.math.BigDecimal. */
export class Decimal {
  constructor(text: string);
  constructor(unscaled: bigint | number, scale: number);
  readonly unscaled: bigint;
  readonly scale: number;
  valueOf(): number;
  toString(): string;
  toJSON(): string;
}
export class UUID {
  constructor(text: string);
  constructor(high: bigint, low: bigint);
  readonly high: bigint;
  readonly low: bigint;
  toString(): string;
  toJSON(): string;
}
/** A point in time with nanoseconds, as java.time.Instant. A Date is stored as java.util.Date. */
export class Instant {
  constructor(seconds: bigint | number, nanoseconds?: number);
  readonly seconds: bigint;
  readonly nanoseconds: number;
  toDate(): Date;
  toString(): string;
  toJSON(): string;
}
declare class ListOf {
  private constructor();
  readonly elements: readonly Storable[];
  [Symbol.iterator](): Iterator<Storable>;
}
/** Elements to be stored as a list. */
export function list(...elements: Storable[]): ListOf;

/** 'natural': Clojure's `compare`. 'reverse': the other way round. A keyword or symbol: as the comparator of that name says (registerComparator). */
export type Order = 'natural' | 'reverse' | Keyword | EveSymbol;

/**
 * A part of a sorted collection, in its own order: from `from`, which belongs to it, or what comes after `after`; up to `to`, which belongs to it, or what
 * comes before `before`. Without an end all of it. null is a key like others.
 */
export interface Range {
  readonly from?: Storable;
  readonly after?: Storable;
  readonly to?: Storable;
  readonly before?: Storable;
  /** The last one first. */
  readonly reverse?: boolean;
}

declare class SortedMapOf {
  private constructor();
  readonly order: Order;
  readonly size: number;
  [Symbol.iterator](): Iterator<[Storable, Storable]>;
}
declare class SortedSetOf {
  private constructor();
  readonly order: Order;
  readonly size: number;
  [Symbol.iterator](): Iterator<Storable>;
}
/** Entries to be stored as a sorted map. Of keys that compare as equal the first stays, with the last value. */
export function sortedMap(
  entries?: Iterable<readonly [Storable, Storable]> | { readonly [key: string]: Storable }, order?: Order,
): SortedMapOf;
/** Values to be stored as a sorted set. */
export function sortedSet(values?: Iterable<Storable>, order?: Order): SortedSetOf;
/**
 * Gives this thread the comparator of a name: f(a, b) is negative, 0 or positive, as for Array.prototype.sort. The slab has the name only: all programs
 * need the same function. Without it a collection in that order can be read in its order, not searched. With it, it can be searched and made, not changed.
 */
export function registerComparator(name: Keyword | EveSymbol, f: (a: any, b: any) => number): void;

declare abstract class Handle {
  /** Clojure's hash, an int32. */
  hashCode(): number;
  /** Clojure's `=`: by content, whatever the version or slab. */
  equals(other: unknown): boolean;
  /** EDN, as Clojure's pr-str. */
  toString(): string;
  /** For JSON.stringify: objects with string keys, arrays. Keywords become their names. */
  toJSON(): unknown;
}

/** A persistent map. It never changes; set, delete, ... return new maps and work only inside a swap. */
export class EveMap<K = Value, V = Value> extends Handle implements Iterable<[K, V]> {
  private constructor();
  readonly size: number;
  readonly [Symbol.toStringTag]: string;
  get(key: Storable): V | undefined;
  get<D>(key: Storable, otherwise: D): V | D;
  has(key: Storable): boolean;
  /** The value at the end of a path of keys and indices. */
  getIn<D = undefined>(path: readonly Storable[], otherwise?: D): any;
  forEach(f: (value: V, key: K, map: EveMap<K, V>) => void, self?: unknown): void;
  reduce<A>(f: (accumulator: A, value: V, key: K) => A, initial: A): A;
  entries(): ReturnType<ReadonlyMap<K, V>['entries']>;
  keys(): ReturnType<ReadonlyMap<K, V>['keys']>;
  values(): ReturnType<ReadonlyMap<K, V>['values']>;
  [Symbol.iterator](): ReturnType<ReadonlyMap<K, V>['entries']>;
  /** Inside a swap. */
  set(key: Storable, value: Storable): EveMap<any, any>;
  /** Inside a swap. */
  delete(key: Storable): EveMap<K, V>;
  /** Inside a swap: all entries of the others, in one step. */
  merge(...others: (Iterable<readonly [Storable, Storable]> | { readonly [key: string]: Storable })[]): EveMap<any, any>;
  /** Inside a swap: the key bound to f(its value, ...args). */
  update<A extends unknown[]>(key: Storable, f: (value: V | undefined, ...args: A) => Storable, ...args: A): EveMap<any, any>;
  clear(): EveMap<K, V>;
  /** A deep copy out of the slab. */
  toJS(): Map<any, any>;
}

/** A persistent set. It never changes; add, delete, ... return new sets and work only inside a swap. */
export class EveSet<T = Value> extends Handle implements Iterable<T> {
  private constructor();
  readonly size: number;
  readonly [Symbol.toStringTag]: string;
  has(element: Storable): boolean;
  /** The equal element of the set, if there is one. */
  get(element: Storable): T | undefined;
  get<D>(element: Storable, otherwise: D): T | D;
  forEach(f: (element: T, again: T, set: EveSet<T>) => void, self?: unknown): void;
  reduce<A>(f: (accumulator: A, element: T) => A, initial: A): A;
  values(): ReturnType<ReadonlySet<T>['values']>;
  keys(): ReturnType<ReadonlySet<T>['keys']>;
  entries(): ReturnType<ReadonlySet<T>['entries']>;
  [Symbol.iterator](): ReturnType<ReadonlySet<T>['values']>;
  /** Inside a swap. */
  add(...elements: Storable[]): EveSet<any>;
  /** Inside a swap. */
  delete(...elements: Storable[]): EveSet<T>;
  /** Inside a swap: all elements of the others, in one step. */
  union(...others: Iterable<Storable>[]): EveSet<any>;
  clear(): EveSet<T>;
  /** A deep copy out of the slab. */
  toJS(): Set<any>;
}

/**
 * A persistent map in the order of its keys. They are the same if they compare as equal, as 1 and 1.0 do. A key that can't be compared with those of the map
 * is an error. It never changes; set, delete, ... return new maps and work only inside a swap.
 */
export class EveSortedMap<K = Value, V = Value> extends Handle implements Iterable<[K, V]> {
  private constructor();
  readonly size: number;
  readonly order: Order;
  readonly [Symbol.toStringTag]: string;
  get(key: Storable): V | undefined;
  get<D>(key: Storable, otherwise: D): V | D;
  has(key: Storable): boolean;
  /** The value at the end of a path of keys and indices. */
  getIn<D = undefined>(path: readonly Storable[], otherwise?: D): any;
  /** The first entry, of a range: first({ from: k }) is the nearest from k on, first({ after: k }) the nearest beyond. */
  first(range?: Range): [K, V] | undefined;
  /** The last entry, of a range: last({ to: k }) is the nearest up to k, last({ before: k }) the nearest before. */
  last(range?: Range): [K, V] | undefined;
  /** The entry of that rank; a negative one counts from the end. */
  at(rank: number): [K, V] | undefined;
  /** How many entries a range has, found by ranks: count({ before: k }) is the rank of k. */
  count(range?: Range): number;
  forEach(f: (value: V, key: K, map: EveSortedMap<K, V>) => void, self?: unknown): void;
  reduce<A>(f: (accumulator: A, value: V, key: K) => A, initial: A): A;
  entries(range?: Range): ReturnType<ReadonlyMap<K, V>['entries']>;
  keys(range?: Range): ReturnType<ReadonlyMap<K, V>['keys']>;
  values(range?: Range): ReturnType<ReadonlyMap<K, V>['values']>;
  [Symbol.iterator](): ReturnType<ReadonlyMap<K, V>['entries']>;
  /** Inside a swap. */
  set(key: Storable, value: Storable): EveSortedMap<any, any>;
  /** Inside a swap. */
  delete(key: Storable): EveSortedMap<K, V>;
  /** Inside a swap: all entries of the others, in one step. */
  merge(...others: (Iterable<readonly [Storable, Storable]> | { readonly [key: string]: Storable })[]): EveSortedMap<any, any>;
  /** Inside a swap: the key bound to f(its value, ...args). */
  update<A extends unknown[]>(key: Storable, f: (value: V | undefined, ...args: A) => Storable, ...args: A): EveSortedMap<any, any>;
  /** Inside a swap: the empty map in the same order. */
  clear(): EveSortedMap<K, V>;
  /** A deep copy out of the slab, in the same order. */
  toJS(): Map<any, any>;
}

/** A persistent set in order, as EveSortedMap. */
export class EveSortedSet<T = Value> extends Handle implements Iterable<T> {
  private constructor();
  readonly size: number;
  readonly order: Order;
  readonly [Symbol.toStringTag]: string;
  has(element: Storable): boolean;
  /** The element of the set that compares as equal, if there is one. */
  get(element: Storable): T | undefined;
  get<D>(element: Storable, otherwise: D): T | D;
  first(range?: Range): T | undefined;
  last(range?: Range): T | undefined;
  /** The element of that rank; a negative one counts from the end. */
  at(rank: number): T | undefined;
  count(range?: Range): number;
  forEach(f: (element: T, again: T, set: EveSortedSet<T>) => void, self?: unknown): void;
  reduce<A>(f: (accumulator: A, element: T) => A, initial: A): A;
  values(range?: Range): ReturnType<ReadonlySet<T>['values']>;
  keys(range?: Range): ReturnType<ReadonlySet<T>['keys']>;
  entries(range?: Range): ReturnType<ReadonlySet<T>['entries']>;
  [Symbol.iterator](): ReturnType<ReadonlySet<T>['values']>;
  /** Inside a swap. */
  add(...elements: Storable[]): EveSortedSet<any>;
  /** Inside a swap. */
  delete(...elements: Storable[]): EveSortedSet<T>;
  /** Inside a swap: all elements of the others, in one step. */
  union(...others: Iterable<Storable>[]): EveSortedSet<any>;
  /** Inside a swap: the empty set in the same order. */
  clear(): EveSortedSet<T>;
  /** A deep copy out of the slab, in the same order. */
  toJS(): Set<any>;
}

/** A persistent vector. It never changes; set, push, pop, ... return new vectors and work only inside a swap. map, filter and slice return arrays. */
export class EveVector<T = Value> extends Handle implements Iterable<T> {
  private constructor();
  readonly length: number;
  readonly size: number;
  readonly [Symbol.toStringTag]: string;
  get(index: number): T | undefined;
  get<D>(index: number, otherwise: D): T | D;
  /** A negative index counts from the end. */
  at(index: number): T | undefined;
  has(index: number): boolean;
  getIn<D = undefined>(path: readonly Storable[], otherwise?: D): any;
  forEach(f: (element: T, index: number, vector: EveVector<T>) => void, self?: unknown): void;
  reduce(f: (accumulator: T, element: T, index: number, vector: EveVector<T>) => T): T;
  reduce<A>(f: (accumulator: A, element: T, index: number, vector: EveVector<T>) => A, initial: A): A;
  map<U>(f: (element: T, index: number, vector: EveVector<T>) => U, self?: unknown): U[];
  filter(f: (element: T, index: number, vector: EveVector<T>) => unknown, self?: unknown): T[];
  find(f: (element: T, index: number, vector: EveVector<T>) => unknown, self?: unknown): T | undefined;
  findIndex(f: (element: T, index: number, vector: EveVector<T>) => unknown, self?: unknown): number;
  some(f: (element: T, index: number) => unknown, self?: unknown): boolean;
  every(f: (element: T, index: number) => unknown, self?: unknown): boolean;
  /** By Clojure's equality. */
  indexOf(element: Storable): number;
  includes(element: Storable): boolean;
  slice(start?: number, end?: number): T[];
  /** The elements; those that are collections stay handles. */
  toArray(): T[];
  join(separator?: string): string;
  values(): ReturnType<ReadonlyArray<T>['values']>;
  keys(): ReturnType<ReadonlyArray<T>['keys']>;
  entries(): ReturnType<ReadonlyArray<T>['entries']>;
  [Symbol.iterator](): ReturnType<ReadonlyArray<T>['values']>;
  /** Inside a swap; the index may be the length. */
  set(index: number, value: Storable): EveVector<any>;
  /** Inside a swap. */
  push(...elements: Storable[]): EveVector<any>;
  /** Inside a swap. */
  concat(...others: Iterable<Storable>[]): EveVector<any>;
  /** Inside a swap. */
  pop(): EveVector<T>;
  /** Inside a swap: the element replaced by f(it, ...args). */
  update<A extends unknown[]>(index: number, f: (value: T | undefined, ...args: A) => Storable, ...args: A): EveVector<any>;
  clear(): EveVector<T>;
  /** A deep copy out of the slab. */
  toJS(): any[];
}

/** A persistent linked list. */
export class EveList<T = Value> extends Handle implements Iterable<T> {
  private constructor();
  readonly length: number;
  readonly size: number;
  readonly [Symbol.toStringTag]: string;
  first(): T | undefined;
  rest(): EveList<T>;
  /** Found by walking. */
  get(index: number): T | undefined;
  get<D>(index: number, otherwise: D): T | D;
  has(index: number): boolean;
  forEach(f: (element: T, index: number, list: EveList<T>) => void, self?: unknown): void;
  reduce<A>(f: (accumulator: A, element: T, index: number) => A, initial: A): A;
  map<U>(f: (element: T, index: number, list: EveList<T>) => U, self?: unknown): U[];
  toArray(): T[];
  values(): ReturnType<ReadonlyArray<T>['values']>;
  [Symbol.iterator](): ReturnType<ReadonlyArray<T>['values']>;
  /** Inside a swap: the elements in front, the last one first, as Clojure's conj. */
  unshift(...elements: Storable[]): EveList<any>;
  /** The list without its first element. */
  shift(): EveList<T>;
  /** A deep copy out of the slab. */
  toJS(): any[];
}

/** One version, held until it is closed: `using s = atom.snapshot()`. T is what it was made of: the value of an atom, or the map of all. */
export class Snapshot<T = EveMap<Keyword, any>> implements Disposable {
  private constructor();
  /** The value of the atom in this version (undefined if it didn't exist), or a map of all atoms. */
  deref(): T;
  /** The same as deref(). */
  readonly value: T;
  readonly version: number;
  readonly time: Date;
  /** All atoms: a map from name to value. */
  readonly state: EveMap<Keyword, any>;
  /** The value of an atom in this version; undefined if it didn't exist. */
  get<T>(atom: Atom<T>): T | undefined;
  get(name: string | Keyword): any;
  /** Handles read from it throw from now on. A second call does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** A named value that all processes share. T is what it holds as read; nothing checks it. */
export class Atom<T = any> {
  private constructor();
  readonly slab: Slab;
  readonly name: Keyword;
  /** The current value. */
  deref(): T;
  /** The same as deref(). */
  readonly value: T;
  /** Sets the value to f(value, ...args), which may run several times, and returns it as it is in the slab. */
  swap<A extends unknown[]>(f: (value: T, ...args: A) => Storable, ...args: A): T;
  /**
   * Changes the value like swap, without keeping a version for what it gives out: for loops of many changes. f's argument, and what is read from it, can
   * be used until f returns. Returns the number of the new version.
   */
  update<A extends unknown[]>(f: (value: T, ...args: A) => Storable, ...args: A): number;
  /** Sets the value and returns it as it is in the slab. */
  reset(value: Storable): T;
  /** Sets the value if the current one equals `expected` (Clojure's equality). */
  compareAndSet(expected: Storable, value: Storable): boolean;
  /** Binds keys of a map, replaces elements of a vector: assoc(k, v, k2, v2, ...). */
  assoc(...pairs: Storable[]): T;
  /** Removes keys of a map. */
  dissoc(...keys: Storable[]): T;
  /** Adds elements to a collection. */
  conj(...elements: Storable[]): T;
  /** Adds to a number: 1 by default. */
  add(n?: number | bigint): T;
  /** f(value, ...args), with the value held for the call only: handles from it are dead afterwards. */
  read<R, A extends unknown[]>(f: (value: T | undefined, ...args: A) => R, ...args: A): R;
  /** The current value, held until the snapshot is closed. */
  snapshot(): Snapshot<T | undefined>;
  /**
   * Calls f(value, old value) on this thread after changes by any process; changes that follow each other closely may come as one. The value is undefined
   * while there is no such atom. Returns a function that stops it. With {ref: true} it keeps the process alive.
   */
  watch(f: (value: T | undefined, old: T | undefined) => void, options?: { ref?: boolean }): () => void;
  toString(): string;
}

/** What `verify` found. */
export interface Report {
  readonly version: number;
  readonly sound: boolean;
  /** Number of findings; the first 1000 are listed. */
  readonly total: number;
  readonly findings: readonly { readonly kind: string; readonly offset: number; readonly path: string; readonly what: string }[];
  readonly reachableObjects: number;
  readonly reachableBytes: number;
  readonly allocatedObjects: number;
  readonly allocatedBytes: number;
  readonly unreachableObjects: number;
  readonly unreachableBytes: number;
  readonly symbols: number;
  /** Checksums of a backup that were compared, 0 if it isn't one or is open for writing. */
  readonly checksums: number;
}

/** What `gc` did. Bytes are those of objects with the room they take. */
export interface GcReport {
  readonly version: number;
  /** Objects that stay: in use, or waiting until nobody holds them. */
  readonly liveObjects: number;
  readonly liveBytes: number;
  readonly freedObjects: number;
  readonly freedBytes: number;
  /** Unreachable, but held by old versions in use: freed when these are let go. */
  readonly heldObjects: number;
  readonly heldBytes: number;
  /** Blocks of 64 KiB that are free now and weren't. */
  readonly freedBlocks: number;
}

/** What this environment (the main thread, a worker) holds of old versions. Bytes are what died in them, as far as is known. */
export interface Pins {
  /** Intervals of versions of this slab that are held. */
  readonly groups: number;
  readonly held: number;
  /** The first version that is held, and for how many seconds; null: none. */
  readonly oldest: number | null;
  readonly seconds: number | null;
  /** Bytes of blocks that the slab has taken so far, live and free. */
  readonly taken: number;
  /** Snapshots that nobody closed, of all slabs of this environment, as are the next. */
  readonly leaked: number;
  readonly processHeld: number;
  /** Bytes held just after the last collection. */
  readonly floor: number;
  /** Bytes beyond the floor that make the collector run: this environment's part of EVE_PIN_BUDGET. */
  readonly budget: number;
  /** How often it was made to. */
  readonly gcs: number;
}

/** An open slab. */
export class Slab implements Disposable {
  private constructor();
  readonly path: string;
  readonly readOnly: boolean;
  /** Number of the current version. */
  readonly version: number;
  /** The atom of that name, made with the initial value if it isn't there. Without one, a missing atom is an error. */
  atom<T = any>(name: string | Keyword, initial?: Storable): Atom<T>;
  /** Is there an atom of that name? */
  has(name: string | Keyword): boolean;
  /** Removes the atom of that name; true if there was one. */
  remove(name: string | Keyword): boolean;
  /** The current version, held until it is closed. */
  snapshot(): Snapshot;
  /** What is held of old versions. */
  pins(): Pins;
  /** Makes the current version survive a crash of the machine; returns the version that is durable. */
  sync(): number;
  /** Frees everything that no version in use reaches. The slab does so by itself when it grows. */
  gc(): GcReport;
  /** Checks everything in it; others may go on writing. */
  verify(): Report;
  /** Copies the current version to a new file, with checksums; returns its number. */
  backup(path: string): number;
  /** Copies the values of the current version into a new slab, without garbage; returns the bytes of both. */
  compact(path: string): { before: number; after: number };
  /** The same in another thread. */
  gcAsync(): Promise<GcReport>;
  verifyAsync(): Promise<Report>;
  backupAsync(path: string): Promise<number>;
  compactAsync(path: string): Promise<{ before: number; after: number }>;
  /** Values read from it throw from now on. A second call does nothing. */
  close(): void;
  [Symbol.dispose](): void;
  toString(): string;
}

/** For swap: the map with keys bound, the vector with elements replaced. */
export function assoc(coll: any, ...pairs: Storable[]): any;
/** For swap: the map without keys. */
export function dissoc(coll: any, ...keys: Storable[]): any;
/** For swap: the collection with elements. */
export function conj(coll: any, ...elements: Storable[]): any;
/** For swap: the set without elements. */
export function disj(coll: any, ...elements: Storable[]): any;
/** For swap: the vector without its last element, the list without its first. */
export function pop(coll: any): any;
/** For swap: the sum; of integers exactly at any size. */
export function add(x: number | bigint, y: number | bigint): number | bigint;
/** For swap: add(x, 1). */
export function inc(x: number | bigint): number | bigint;

/** EDN of a value, as Clojure's pr-str. */
export function print(value: Storable): string;
/** Clojure's hash of a value, an int32. */
export function hash(value: Storable): number;
/** Clojure's `=`. The integer 1 and the double 1.0 differ. */
export function equal(a: Storable, b: Storable): boolean;
