// Walk: what a page is still fetching is waited for; what never comes fails the act.
const PATIENCE_MS = 10_000;

/** Waits until the probe holds. */
export async function until(probe, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await probe())) {
    if (Date.now() > end) throw new Error(what);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}
