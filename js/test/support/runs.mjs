/** How often a property is tried: EVE_RUNS times as often as usual; a quarter in the fast loop (`make check`). */
export const runs = (n) => Math.max(1, Math.round(n * Number(process.env.EVE_RUNS ?? 1)));

/** For `skip` of tests that take many seconds: a reason in the fast loop, else false. */
export const inFastLoop = Number(process.env.EVE_RUNS ?? 1) < 1 && 'not in the fast loop';
