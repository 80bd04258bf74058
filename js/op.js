/** Operations that the core applies in one call (EVE_OP_... of the C ABI). */
export const OP = Object.freeze({ RESET: 0, ASSOC: 1, DISSOC: 2, CONJ: 3, DISJ: 4, POP: 5, ADD: 6 });
