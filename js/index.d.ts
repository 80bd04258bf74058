import type { Slab } from './values.js';
export * from './values.js';

export interface OpenOptions {
  /** true (default): create the slab if it is missing; false: it must exist; 'new': it must not. */
  create?: boolean | 'new';
  /** Open for reading only. */
  readOnly?: boolean;
  /** File mode of a new slab: 0o600. */
  mode?: number;
  /** When commits are made to survive a crash of the machine: by sync() and at the last close ('close', the default), or each at once ('commit'). */
  syncMode?: 'close' | 'commit';
  /** Largest size of the slab in bytes. */
  maxBytes?: number;
}

/** Opens the slab at `path`; creates it if it is missing. */
export function open(path: string | URL, options?: OpenOptions): Slab;
/** A new slab without a file, which lives until it is closed. */
export function openAnonymous(options?: OpenOptions): Slab;
