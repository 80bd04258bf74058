/** How often a property is tried: EVE_RUNS times as often as usual; a quarter in the fast loop (`make check`). */
export const runs = (n) => Math.max(1, Math.round(n * Number(process.env.EVE_RUNS ?? 1)));
