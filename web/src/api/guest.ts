// API: a guest of a shared screen: somebody signed in for a few minutes at a self-service terminal.
// Their session is a bearer that lives in this module only: no cookie is sent or taken, nothing is
// written into the browser's storage, and the terminal's own session stays as it was.

let here = false;
/** Counts the visits, so that the end of one is never the end of the next. */
let visit = 0;
let bearer: string | null = null;
const open = new Set<Promise<unknown>>();

/** Is the screen a guest's now? Then nothing of them may be kept. */
export const isGuest = (): boolean => here;

/** From now on the calls of this page are a guest's; nobody is signed in yet. */
export function welcomeGuest(): void {
  here = true;
  visit += 1;
  bearer = null;
}

/** How a call is sent: a guest's without cookies, under their bearer once there is one. */
export function credentialsNow(): { credentials: RequestCredentials; headers: Record<string, string> } {
  if (!here) return { credentials: 'same-origin', headers: {} };
  return { credentials: 'omit', headers: bearer ? { Authorization: `Bearer ${bearer}` } : {} };
}

/** An answer that opens a session carries its bearer; outside a guest's visit nobody looks at it. */
export function learn(answer: unknown): void {
  const token = here && typeof answer === 'object' && answer !== null && 'token' in answer ? answer.token : null;
  if (typeof token === 'string') bearer = token;
}

/** What is still under way is waited for before the session ends. */
export function underWay<T>(call: Promise<T>): Promise<T> {
  if (here) {
    const kept: Promise<unknown> = call.then(() => open.delete(kept), () => open.delete(kept));
    open.add(kept);
  }
  return call;
}

/** The visit that is on, with its bearer. */
export const visitNow = (): { visit: number; bearer: string | null } => ({ visit, bearer });

/** Forgets the bearer of a visit, unless the next guest is here already. */
export function farewell(of: number): void {
  if (of !== visit) return;
  here = false;
  bearer = null;
}

/** Until what is under way has come to its end, a short while at most. */
export async function settled(mostMs: number): Promise<void> {
  await Promise.race([Promise.all(open), new Promise((resolve) => { setTimeout(resolve, mostMs); })]);
}
