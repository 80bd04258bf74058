/** Codes of EveError by the status of the C ABI. */
const CODES = {
  '-1': 'EVE_ARG', '-2': 'EVE_HANDLE', '-3': 'EVE_IO', '-4': 'EVE_NOT_A_SLAB', '-5': 'EVE_VERSION', '-6': 'EVE_CORRUPT', '-7': 'EVE_FULL',
  '-8': 'EVE_TYPE', '-9': 'EVE_BUSY', '-10': 'EVE_CLOSED', '-11': 'EVE_FORKED', '-12': 'EVE_REMOTE', '-13': 'EVE_READ_ONLY', '-14': 'EVE_LIMIT',
  '-15': 'EVE_BUFFER', '-16': 'EVE_PERMISSION', '-17': 'EVE_NOT_FOUND', '-18': 'EVE_NOT_DURABLE',
  '-99': 'EVE_PANIC',
};

/** Every error that eve makes. `code` is one of EVE_... */
export class EveError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [errno] of the operating system, if it is the cause
   */
  constructor(code, message, errno) {
    super(message);
    this.name = 'EveError';
    this.code = code;
    if (errno) this.errno = errno;
  }
}

/** The error for a negative status of the C ABI. */
export function statusError(status, message, errno) {
  return new EveError(CODES[status] ?? 'EVE_UNKNOWN', message || `status ${status}`, errno);
}

/** Damage found by a reader. */
export function corrupt(what, lo = 0, hi = 0) {
  const offset = (hi >>> 0) * 0x100000000 + (lo >>> 0);
  return new EveError('EVE_CORRUPT', `the slab is damaged: ${what} at 0x${offset.toString(16)}`);
}

/** For a value given that no slab can hold: look-ups answer that it isn't there. */
export class Unstorable extends EveError {
  constructor(message) {
    super('EVE_TYPE', message);
  }
}

/** Runs after a look-up by a value given has failed: returns `absent` if no slab can hold that value, else throws. */
export function unstorable(e, absent) {
  if (e instanceof Unstorable) return absent;
  throw e;
}

/** A value of the wrong type given or met. */
export function typeError(message) {
  return new EveError('EVE_TYPE', message);
}
