// The addon as JavaScript sees it: calls with a status, results in a shared buffer.
import { Encoder } from './encode.js';
import { EveError, statusError } from './error.js';
import { Pressure } from './pressure.js';

/** Outcomes of the C ABI. */
export const NOT_FOUND = 1;
export const CONFLICT = 2;
export const RERUN = 5;
/** Of its errors. */
export const FULL = -7;
export const LIMIT = -14;

const ABI = 1;
const OUT_BYTES = 104;

// Places in the output buffer, in units of 8 and of 4 bytes; node/addon.cc has the same.
const F = { VERSION: 0, LIMIT: 1, TIME: 2, RETIRED: 3, BACKED: 8, RESERVED: 9 };
const I = { STATE: 8, RECORD: 10, ID: 11, WORD: 12, OLD_WORD: 14, INCARNATION: 20, READ_ONLY: 21 };
const UUID = 88;

/** Calls the addon. There is one for each environment: the main thread, each worker. */
export class Native {
  constructor(addon) {
    this.addon = addon;
    if (addon.abiVersion() !== ABI) throw new EveError('EVE_VERSION', `the addon has ABI ${addon.abiVersion()}, this package needs ${ABI}: build it again`);
    const out = new ArrayBuffer(OUT_BYTES);
    this.doubles = new Float64Array(out);
    this.ints = new Int32Array(out);
    this.bytes = new Uint8Array(out);
    this.check(addon.setOutput(out));
    this.encoder = new Encoder((buffer) => addon.setInput(buffer));
    this.pressure = new Pressure(addon);
  }

  /** Throws for an error, else returns the outcome. */
  check(status) {
    if (status < 0) throw statusError(status, this.addon.error(), this.addon.osError());
    return status;
  }

  /** `check` for a call that has read what the encoder wrote. */
  checkRead(status) {
    this.encoder.shrink();
    return this.check(status);
  }

  get id() { return this.ints[I.ID]; }
  get wordLow() { return this.ints[I.WORD]; }
  get wordHigh() { return this.ints[I.WORD + 1]; }
  get version() { return this.doubles[F.VERSION]; }
  get time() { return this.doubles[F.TIME]; }
  get retired() { return this.doubles[F.RETIRED]; }
  get record() { return this.ints[I.RECORD]; }
  get stateLow() { return this.ints[I.STATE]; }
  get stateHigh() { return this.ints[I.STATE + 1]; }
  get backed() { return this.doubles[F.BACKED]; }
  get reserved() { return this.doubles[F.RESERVED]; }
  get readOnly() { return this.ints[I.READ_ONLY] !== 0; }
  get uuid() { return this.bytes.slice(UUID, UUID + 16); }

  /** What Memory reads through. */
  source(id) {
    this.check(this.addon.memory(id));
    const reserved = this.reserved;
    return {
      reserved,
      backed: () => (this.check(this.addon.memory(id)), this.backed),
      window: (segment, size) => {
        const buffer = this.addon.window(id, segment, size);
        if (typeof buffer === 'number') this.check(buffer);
        return buffer;
      },
    };
  }

  /** Word of a keyword; false if it was never interned and `make` is false. */
  intern(id, make, x) {
    const { encoder, addon } = this;
    encoder.check();
    encoder.length = 0;
    let ns = -1;
    if (x.namespace !== null) {
      encoder.utf8(x.namespace);
      ns = encoder.length;
    }
    encoder.utf8(x.name);
    const name = encoder.length - Math.max(ns, 0);
    return this.check(make ? addon.intern(id, 0, ns, name) : addon.find(id, 0, ns, name)) !== NOT_FOUND;
  }
}
