// The mapped bytes as typed arrays, one window a segment of 4 GiB. A word is two int32, low and high; so is an offset. Nothing is read without a
// check against the limit: what starts below it can be read for SLACK bytes (docs/format.md, section 1), longer objects check their end.
import { EveError, corrupt } from './error.js';
import { CONTROL_ROOT, RECORDS, RECORD_SIZE, RECORD_VERSION, SLACK } from './layout.js';

const SEGMENT = 0x100000000;
const WINDOW_STEP = 0x40000000;
/** Where the version of record 0 is, in units of 4 bytes. */
const RECORD_VERSIONS = (RECORDS + RECORD_VERSION) >>> 2;
const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

export class Memory {
  /**
   * @param {{backed(): number, window(segment: number, bytes: number): ArrayBuffer, reserved: number}} source
   * @param {string} name for messages
   */
  constructor(source, name) {
    this.source = source;
    this.name = name;
    // Not enumerable: whatever visits all properties (JSON, a structured clone, the message of an assertion) would read the windows to their
    // end, and die there.
    hidden(this, 'I0', NO_WORDS); // segment 0
    this.L0 = 0; // limit of segment 0 in units of 16 bytes
    this.symbols = []; // keywords and symbols by id
    hidden(this, 'words', []);
    hidden(this, 'bytes', []);
    this.limits = []; // in units of 16 bytes
    this.size = 0; // bytes in all, as far as is known
    this.closed = false;
    this.refresh();
  }

  /** Looks how far the slab has grown and makes windows for it. */
  refresh() {
    if (this.closed) throw closed(this);
    const backed = this.source.backed();
    for (let s = 0; s * SEGMENT < backed; s++) {
      const limit = Math.min(backed - s * SEGMENT, SEGMENT);
      const readable = Math.min(limit + SLACK, SEGMENT, this.source.reserved - s * SEGMENT);
      if (!(this.bytes[s]?.length >= readable)) {
        // Steps, so that growing rarely needs a new window: the collector takes each for garbage of that size and runs. What lies beyond the
        // limit must never be read (it is beyond the end of the file).
        const size = Math.min(Math.ceil(readable / WINDOW_STEP) * WINDOW_STEP, SEGMENT, this.source.reserved - s * SEGMENT);
        const buffer = this.source.window(s, size);
        this.words[s] = new Int32Array(buffer);
        this.bytes[s] = new Uint8Array(buffer);
      }
      this.limits[s] = Math.floor(limit / 16);
    }
    this.size = backed;
    this.I0 = this.words[0] ?? NO_WORDS;
    this.L0 = this.limits[0] ?? 0;
  }

  /** Can a collection's elements take `bytes` bytes? A count that says so without being true is damage. */
  holds(bytes) {
    if (bytes <= this.size) return true;
    this.refresh();
    return bytes <= this.size;
  }

  /**
   * Is `view` the current version? The root word is the index of its record; a record is used again once no pin is on its version (a group
   * isn't a pin on it), so the record's version is compared too.
   */
  isCurrent(view) {
    const { I0 } = this;
    const root = I0[CONTROL_ROOT >>> 2];
    // The place of the version depends on the root word read, so that no processor reads it before.
    const at = RECORD_VERSIONS + root * (RECORD_SIZE >>> 2);
    return root === view.record && I0[at] === view.versionLow && I0[at + 1] === view.versionHigh;
  }

  /** From now on nothing can be read: the mapping is about to go. */
  close() {
    this.closed = true;
    this.I0 = NO_WORDS;
    this.L0 = 0;
    this.words = [NO_WORDS];
    this.bytes = [NO_BYTES];
    this.limits = [0];
    this.size = 0;
  }

  /** The slow half of `segment`. */
  far(lo, hi) {
    if (this.closed) throw closed(this);
    if ((lo & 15) !== 0) throw corrupt('a pointer that is not aligned', lo, hi);
    const s = hi >>> 0;
    if (!(lo >>> 4 < (this.limits[s] ?? 0))) {
      this.refresh();
      if (!(lo >>> 4 < (this.limits[s] ?? 0))) throw corrupt('a pointer beyond the end', lo, hi);
    }
    return this.words[s];
  }

  /** Checks that an object of `bytes` bytes lies within the limit and returns the bytes of its segment. */
  extent(lo, hi, bytes) {
    segment(this, lo, hi);
    const s = hi >>> 0;
    if ((lo >>> 0) + bytes > this.limits[s] * 16) {
      this.refresh();
      if ((lo >>> 0) + bytes > this.limits[s] * 16) throw corrupt('an object that reaches beyond the end', lo, hi);
    }
    return this.bytes[s];
  }
}

function hidden(m, name, value) {
  Object.defineProperty(m, name, { value, writable: true });
}

export function closed(m) {
  return new EveError('EVE_CLOSED', `the slab ${m.name} is closed`);
}

/** The words of the segment of the object at (lo, hi), whose index there is lo >>> 2. Throws unless the offset is aligned and within the limit. */
export function segment(m, lo, hi) {
  if (hi === 0 && (lo & 15) === 0 && lo >>> 4 < m.L0) return m.I0;
  return m.far(lo, hi);
}

// Places of words are numbers too: index in the segment + segment * 2^30.
/** Places below it are the indices of segment 0. */
export const FIRST_SEGMENT = 0x40000000;

/** The place of index `i` of segment `hi`. */
export function place(hi, i) {
  return hi === 0 ? i : (hi >>> 0) * FIRST_SEGMENT + i;
}

/** The words of the segment of a place. */
export function wordsAt(m, p) {
  return p < FIRST_SEGMENT ? m.I0 : m.words[Math.floor(p / FIRST_SEGMENT)];
}

/** The index of a place in its segment. */
export function indexAt(p) {
  return p < FIRST_SEGMENT ? p : p % FIRST_SEGMENT;
}

/** Pins versions for as long as it is reachable, or until it is closed. Every value read has one; a read looks at `alive` first. */
export class Group {
  /** @param {Memory} memory @param {string} what ends it, for the error */
  constructor(memory, what = '') {
    this.alive = true;
    this.memory = memory;
    this.what = what;
    this.id = 0; // 0: the versions are pinned by something else
    this.pin = null; // its account
    this.retired = -1; // bytes retired in the life of the slab at its last version
  }
}

/** One version as seen by readers. */
export class View {
  constructor(group, version) {
    this.group = group;
    this.memory = group.memory;
    this.version = version;
    this.versionLow = version | 0;
    this.versionHigh = Math.floor(version / SEGMENT) | 0;
    this.record = -1; // index of its root record, if it is a version of the slab
    this.txn = null; // the transaction that made what is read, until it ends
  }
}

/** Throws the error for a read of what is not pinned any more. */
export function released(view) {
  const m = view.memory;
  if (m.closed) throw closed(m);
  throw new EveError(
    'EVE_RELEASED',
    `this value belongs to version ${view.version} of ${m.name} and came from ${view.group.what}; read it before that, or copy it out (toJS)`,
  );
}
