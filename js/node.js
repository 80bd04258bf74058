// The entry for Node: loads the addon and gives the readers Node's fast text functions.
import { Buffer } from 'node:buffer';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { EveError, typeError } from './error.js';
import { Native } from './native.js';
import { Slab } from './slab.js';
import { setDecoders } from './text.js';

export * from './values.js';

const { latin1Slice, utf8Slice } = Buffer.prototype;
// Not documented, but there since Node 0.12; without them the decoders that work everywhere are used.
if (latin1Slice && utf8Slice) setDecoders((bytes, from, to) => latin1Slice.call(bytes, from, to), (bytes, from, to) => utf8Slice.call(bytes, from, to));

const CREATE = 1;
const MUST_EXIST = 2;
const READ_ONLY = 4;
const EXCLUSIVE_NEW = 8;
const SYNC_MODES = { interval: 0, none: 1, commit: 2 };

let native = null;

function load() {
  if (native !== null) return native;
  const places = [`prebuilds/${process.platform}-${process.arch}/eve.node`, '../node/build/Release/eve.node'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const file = process.env.EVE_ADDON || files.find((f) => existsSync(f));
  if (!file) throw new EveError('EVE_NOT_FOUND', `the addon of eve is not built for ${process.platform}-${process.arch}: run scripts/build.sh rust node`);
  native = new Native(createRequire(import.meta.url)(file));
  return native;
}

// Throws for an option that isn't what it must be.
function need(right, name, what, x) {
  if (!right) throw new EveError('EVE_ARG', `${name} is ${what}, not ${typeof x === 'string' ? JSON.stringify(x) : String(x)}`);
}

function options(given = {}) {
  need(typeof given === 'object' && given !== null && !Array.isArray(given), 'options', 'an object', given);
  const { create = true, readOnly = false, mode = 0, syncMode = 'interval', syncInterval = 0, maxBytes = 0, ...rest } = given;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new EveError('EVE_ARG', `unknown option: ${unknown.join(', ')}`);
  need(typeof syncMode === 'string' && Object.hasOwn(SYNC_MODES, syncMode), 'syncMode', "'interval', 'commit' or 'none'", syncMode);
  need(Number.isInteger(syncInterval) && syncInterval >= 0 && syncInterval < 2 ** 31 && (syncInterval === 0 || syncMode === 'interval'),
    'syncInterval', "a number of ms, for the syncMode 'interval'", syncInterval);
  need(create === true || create === false || create === 'new', 'create', "true, false or 'new'", create);
  need(typeof readOnly === 'boolean', 'readOnly', 'true or false', readOnly);
  need(create !== 'new' || !readOnly, 'create', "true or false if readOnly is true", create);
  need(Number.isInteger(mode) && mode >= 0 && mode <= 0o777, 'mode', 'a file mode such as 0o600', mode);
  need(Number.isSafeInteger(maxBytes) && maxBytes >= 0, 'maxBytes', 'a number of bytes', maxBytes);
  const flags = (readOnly ? READ_ONLY : 0) | (create === 'new' ? EXCLUSIVE_NEW : create && !readOnly ? CREATE : MUST_EXIST);
  return [flags, mode, SYNC_MODES[syncMode], maxBytes, syncInterval];
}

/**
 * Opens the slab at `path`; creates it if it is missing.
 * @param {string | URL} path
 * @param {object} [opts] create: true, false (must exist) or 'new' (must not); readOnly; mode: of a new file, 0o600;
 *   syncMode: 'interval' (default), 'commit' or 'none'; syncInterval: ms, 1000; maxBytes
 */
export function open(path, opts) {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  if (typeof file !== 'string') throw typeError('open takes the path of a file');
  const n = load();
  n.check(n.addon.open(file, ...options(opts)));
  return new Slab(n, n.id, file);
}

/** A new slab without a file, which lives until it is closed. */
export function openAnonymous(opts) {
  const n = load();
  n.check(n.addon.open(null, ...options(opts)));
  return new Slab(n, n.id, '(anonymous)');
}
