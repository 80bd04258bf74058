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
const SYNC_MODES = { close: 0, commit: 2 };

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

function options({ create = true, readOnly = false, mode = 0, syncMode = 'close', maxBytes = 0, ...rest } = {}) {
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new EveError('EVE_ARG', `unknown option: ${unknown.join(', ')}`);
  if (!Object.hasOwn(SYNC_MODES, syncMode)) throw new EveError('EVE_ARG', `syncMode is 'close' or 'commit', not ${String(syncMode)}`);
  if (create !== true && create !== false && create !== 'new') throw new EveError('EVE_ARG', "create is true, false or 'new'");
  const flags = (readOnly ? READ_ONLY : 0) | (create === 'new' ? EXCLUSIVE_NEW : create && !readOnly ? CREATE : MUST_EXIST);
  return [flags, mode, SYNC_MODES[syncMode], maxBytes];
}

/**
 * Opens the slab at `path`; creates it if it is missing.
 * @param {string | URL} path
 * @param {object} [opts] create: true, false (must exist) or 'new' (must not); readOnly; mode: of a new file, 0o600;
 *   syncMode: 'close' (default) or 'commit'; maxBytes
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
