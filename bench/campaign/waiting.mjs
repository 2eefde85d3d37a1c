export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks every `everyMs` until the probe gives something; undefined if it did not within `limitMs`. A probe that throws is asked again. */
export async function until(probe, limitMs, everyMs = 50) {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await Promise.resolve()
      .then(probe)
      .catch(() => undefined);
    if (found) return found;
    if (performance.now() > endMs) return undefined;
    await sleep(everyMs);
  }
}
