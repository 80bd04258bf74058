import type { Slab } from './values.js';
export * from './values.js';

export interface OpenOptions {
  /** true (default): create the slab if it is missing; false: it must exist; 'new': it must not. */
  create?: boolean | 'new';
  /** Open for reading only. */
  readOnly?: boolean;
  /** File mode of a new slab: 0o600. */
  mode?: number;
  /** When commits are made to survive a crash of the machine: in the background, at most syncInterval after each ('interval', the default), before
   * the call that made it returns ('commit'), or only by sync() and at the last close ('none'). */
  syncMode?: 'interval' | 'commit' | 'none';
  /** ms; 1000. */
  syncInterval?: number;
  /** Largest size of the slab in bytes. */
  maxBytes?: number;
}

/** Opens the slab at `path`; creates it if it is missing. */
export function open(path: string | URL, options?: OpenOptions): Slab;
/** A new slab without a file, which lives until it is closed. */
export function openAnonymous(options?: OpenOptions): Slab;
