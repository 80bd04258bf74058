// What a JavaScript host does to run eve as wasm32: one module and one shared memory, an instance for each thread, and the C ABI with its out-parameters.

const STACK = 1 << 20;
const ERROR_BYTES = 512;
const OUT_BYTES = 128;
const WASM_PAGE = 65536;

/** A shared memory for a module: 4 MiB at first, 4 GiB at most. */
export const newMemory = () => new WebAssembly.Memory({ initial: (4 << 20) / WASM_PAGE, maximum: 65536, shared: true });

/** A negative status of the C ABI. */
export class EveFailure extends Error {
  constructor(code, message) {
    super(`${message} (status ${code})`);
    this.code = code;
  }
}

/** The module's imports. `sleeps`: may this thread block? `woken(result)` hears how each sleep ended. */
function imports(memory, { sleeps, woken = () => {} }) {
  const wait = (address, expected, ms) => {
    if (!sleeps) throw new Error('the core blocks a thread that must not block');
    woken(Atomics.wait(new Int32Array(memory.buffer), address >>> 2, expected, ms));
  };
  const random = (address, length) => {
    // getRandomValues refuses shared memory.
    new Uint8Array(memory.buffer).set(crypto.getRandomValues(new Uint8Array(length)), address >>> 0);
  };
  return {
    env: { memory },
    eve: {
      now_ms: () => Date.now(),
      monotonic_ms: () => performance.now(),
      can_wait: () => (sleeps ? 1 : 0),
      wake: (address) => void Atomics.notify(new Int32Array(memory.buffer), address >>> 2),
      wait,
      random,
    },
  };
}

/** The first instance: it initializes the memory and runs on the module's own stack. Here for a thread that must not block. */
export async function first(module, memory) {
  const { exports } = await WebAssembly.instantiate(module, imports(memory, { sleeps: false }));
  return new Eve(exports, memory);
}

/** Stack and thread-local data of a further thread, allocated by a thread that has an instance. Plain numbers, to be posted. */
export function newThread(eve) {
  const { __tls_size: size, __tls_align: align } = eve.exports;
  return { stackTop: eve.alloc(STACK) + STACK, tls: size.value > 0 ? eve.alloc(size.value, Math.max(align.value, 16)) : 0 };
}

/** The instance of a further thread. Nothing of it may run before its stack and its thread-local data are set. */
export async function further(module, memory, thread, options) {
  const { exports } = await WebAssembly.instantiate(module, imports(memory, options));
  exports.__stack_pointer.value = thread.stackTop | 0;
  if (thread.tls !== 0) exports.__wasm_init_tls(thread.tls);
  return new Eve(exports, memory);
}

/** The C ABI of one instance. Errors are thrown; outcomes (0 and above) are returned. */
export class Eve {
  constructor(exports, memory) {
    this.exports = exports;
    this.memory = memory;
    this.error = this.alloc(ERROR_BYTES);
    this.out = this.alloc(OUT_BYTES);
  }

  /** Views are made anew each time: those of before the memory grew don't reach its end. */
  get data() {
    return new DataView(this.memory.buffer);
  }

  get bytes() {
    return new Uint8Array(this.memory.buffer);
  }

  alloc(size, align = 16) {
    const at = this.exports.eve_alloc(size, align) >>> 0;
    if (at === 0) throw new Error(`no room for ${size} bytes`);
    return at;
  }

  /** Runs f(address, length) on a copy of `bytes` in linear memory. */
  with(bytes, f) {
    const size = Math.max(bytes.length, 1);
    const at = this.alloc(size);
    try {
      this.bytes.set(bytes, at);
      return f(at, BigInt(bytes.length));
    } finally {
      this.exports.eve_free(at, size, 16);
    }
  }

  call(name, ...args) {
    const status = this.exports[name](...args, this.error);
    if (status >= 0) return status;
    const message = this.bytes.slice(this.error + 8, this.error + ERROR_BYTES);
    throw new EveFailure(status, new TextDecoder().decode(message.subarray(0, message.indexOf(0))));
  }

  /** A call whose last parameter before the error is a u64 to be filled. */
  u64(name, ...args) {
    this.expectOk(name, this.call(name, ...args, this.out));
    return this.data.getBigUint64(this.out, true);
  }

  expectOk(name, status) {
    if (status !== 0) throw new Error(`${name}: outcome ${status}`);
  }

  /** A new anonymous slab. */
  open(maxBytes) {
    const options = new Uint8Array(24);
    new DataView(options.buffer).setUint32(0, 24, true);
    new DataView(options.buffer).setBigUint64(16, BigInt(maxBytes), true);
    return this.with(options, (at) => this.u64('eve_open_anonymous', at));
  }

  /** Where the slab lies: {base, reserved, backed}. */
  place(slab) {
    this.call('eve_slab_memory', slab, this.out);
    const [base, reserved, backed] = [0, 8, 16].map((i) => Number(this.data.getBigUint64(this.out + i, true)));
    return { base, reserved, backed };
  }

  keyword(slab, name) {
    return this.with(new TextEncoder().encode(name), (at, n) => this.u64('eve_symbol_intern', slab, 0, 0, -1n, at, n));
  }

  view(at) {
    const [version, state, limit] = [0, 8, 16].map((i) => this.data.getBigUint64(at + i, true));
    return { version, state, limit };
  }

  /** Runs f(view) on the current version, pinned. */
  snapshot(slab, f) {
    this.call('eve_snapshot_open', slab, this.out, this.out + 8);
    const handle = this.data.getBigUint64(this.out, true);
    try {
      return f(this.view(this.out + 8));
    } finally {
      this.call('eve_snapshot_close', handle);
    }
  }

  /** Value of the atom of that keyword in a version. */
  atom(slab, view, keyword) {
    return this.u64('eve_get', slab, view.state, keyword);
  }

  int(slab, word) {
    this.u64('eve_to_i64', slab, word);
    return this.data.getBigInt64(this.out, true);
  }

  /** Result of a call that copies text out: its length is asked for first. */
  text(name, slab, word) {
    const length = Number(this.u64(name, slab, word, 0, 0n));
    const room = this.alloc(Math.max(length, 1));
    try {
      this.u64(name, slab, word, room, BigInt(length));
      return new TextDecoder().decode(this.bytes.slice(room, room + length));
    } finally {
      this.exports.eve_free(room, Math.max(length, 1), 16);
    }
  }

  /** Sets atoms in one transaction: [keyword word, build buffer] pairs. */
  commit(slab, atoms) {
    const txn = this.txn(slab);
    try {
      for (const [keyword, buffer] of atoms) {
        const word = this.with(buffer, (at, n) => this.u64('eve_txn_build', txn, at, n));
        this.call('eve_txn_set', txn, keyword, word);
      }
    } catch (e) {
      this.call('eve_txn_abort', txn, 0);
      throw e;
    }
    this.expectOk('eve_txn_commit', this.call('eve_txn_commit', txn, 0, this.out));
    return this.view(this.out);
  }

  txn(slab) {
    this.call('eve_txn_begin', slab, 0, this.out, 0);
    return this.data.getBigUint64(this.out, true);
  }

  /** eve_swap with a build buffer of arguments; the new version. */
  swap(slab, keyword, op, args) {
    this.with(args, (at, n) => this.expectOk('eve_swap', this.call('eve_swap', slab, 0, keyword, op, at, n, this.out)));
    return this.view(this.out);
  }

  /** eve_wait: the new version, or null. */
  wait(slab, seen, timeoutMs) {
    const TIMEOUT = 3;
    return this.call('eve_wait', slab, seen, BigInt(timeoutMs), this.out) === TIMEOUT ? null : this.data.getBigUint64(this.out, true);
  }
}
