// What the tools over a whole slab answer with, read from the addon's text.

/** Numbers of the tools in node/addon.cc. */
export const VERIFY = 0;
export const GC = 1;
export const BACKUP = 2;
export const COMPACT = 3;

const GC_COUNTS = ['version', 'liveObjects', 'liveBytes', 'freedObjects', 'freedBytes', 'heldObjects', 'heldBytes', 'freedBlocks'];
const COUNTS = ['reachableObjects', 'reachableBytes', 'allocatedObjects', 'allocatedBytes', 'unreachableObjects', 'unreachableBytes', 'symbols', 'checksums'];

const numbers = (line) => line.split('\t').map(Number);
const named = (names, counts) => Object.fromEntries(names.map((name, i) => [name, counts[i]]));

export function gc(text) {
  return named(GC_COUNTS, numbers(text));
}

export function verify(text) {
  const [first, ...lines] = text.split('\n').slice(0, -1);
  const [version, total, ...counts] = numbers(first);
  const findings = lines.map((line) => {
    const [kind, offset, path, what] = line.split('\t');
    return { kind, offset: Number(offset), path, what };
  });
  return { version, sound: total === 0, total, findings, ...named(COUNTS, counts) };
}

/** The version. */
export function backup(text) {
  return Number(text);
}

export function compact(text) {
  const [before, after] = numbers(text);
  return { before, after };
}
