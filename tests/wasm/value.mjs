// The value that the threads read, its build buffer (docs/format.md, section 4), and js/'s readers over linear memory.
import { Group, Memory, View } from '../../js/memory.js';
import { SLACK } from '../../js/layout.js';
import { decode } from '../../js/reader.js';

const INTEGER = 3, STRING = 6, VECTOR = 16, MAP = 19;
const PEOPLE = 1000;

/** A map of PEOPLE entries: "person 7" -> [7, "..."]. */
export const people = () => new Map(Array.from({ length: PEOPLE }, (_, i) => [`person ${i}`, [i, i % 3 === 0 ? `\u00fcber ${'\u{1F600}'.repeat(i % 40)}` : `plain ${i}`]]));

/** The build buffer of integers, strings, arrays and Maps. */
export function encode(value) {
  const parts = [];
  const put = (op, count) => {
    const head = Buffer.alloc(5, op);
    head.writeUInt32LE(count, 1);
    parts.push(head);
  };
  const walk = (x) => {
    if (typeof x === 'number') {
      const head = Buffer.alloc(9, INTEGER);
      head.writeBigInt64LE(BigInt(x), 1);
      parts.push(head);
    } else if (typeof x === 'string') {
      put(STRING, Buffer.byteLength(x));
      parts.push(Buffer.from(x));
    } else if (Array.isArray(x)) {
      put(VECTOR, x.length);
      x.forEach(walk);
    } else {
      put(MAP, x.size);
      for (const [k, v] of x) [k, v].forEach(walk);
    }
  };
  walk(value);
  return new Uint8Array(Buffer.concat(parts));
}

/** js/'s view of a slab in linear memory: the same readers as of a file, but their arrays begin at the slab's base. */
class LinearMemory extends Memory {
  constructor(eve, slab) {
    super({ eve, slab, backed: () => eve.place(slab).backed, reserved: eve.place(slab).reserved, window: () => new ArrayBuffer(0) }, 'the slab');
  }

  refresh() {
    super.refresh();
    const { eve, slab } = this.source;
    const { base, backed } = eve.place(slab);
    this.words[0] = this.I0 = new Int32Array(eve.memory.buffer, base, (backed + SLACK) / 4);
    this.bytes[0] = new Uint8Array(eve.memory.buffer, base, backed + SLACK);
  }
}

/** A reader of words of a pinned version, in JavaScript alone. */
export function reader(eve, slab) {
  const view = new View(new Group(new LinearMemory(eve, slab)), 0);
  return (word) => decode(view, Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n)));
}
