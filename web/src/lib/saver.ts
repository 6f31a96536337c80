// Library: saves changes one after the other, a moment after the last of them, and keeps what could
// not be saved. Used for drafts and working copies: never two at once, never one lost.

export interface Saver<C> {
  /** Notes a change; it is sent soon, together with those noted meanwhile. */
  note: (change: C) => void;
  /** Sends now what waits; answers when everything is saved or could not be. */
  flush: () => Promise<boolean>;
  /** Does something wait or is it on its way? */
  pending: () => boolean;
  stop: () => void;
}

/** `merge` puts two changes into one; `send` saves one and throws when it cannot; `tell` hears how it stands. */
export function makeSaver<C>(merge: (earlier: C, later: C) => C, send: (change: C) => Promise<void>, tell: (state: 'waiting' | 'saving' | 'saved' | 'failed', error?: unknown) => void, waitMs = 700): Saver<C> {
  let waiting: { change: C } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let running: Promise<boolean> | null = null;
  const run = async (): Promise<boolean> => {
    let good = true;
    while (waiting && good) {
      const { change } = waiting;
      waiting = null;
      tell('saving');
      try {
        await send(change);
      } catch (error) {
        // What was noted meanwhile is newer and stays on top.
        const later = waiting as { change: C } | null;
        waiting = { change: later ? merge(change, later.change) : change };
        tell('failed', error);
        good = false;
      }
    }
    if (good) tell('saved');
    return good;
  };
  const start = (): Promise<boolean> => {
    if (timer) clearTimeout(timer);
    timer = null;
    running ??= run().finally(() => { running = null; });
    return running;
  };
  return {
    note: (change) => {
      waiting = { change: waiting ? merge(waiting.change, change) : change };
      tell('waiting');
      if (timer) clearTimeout(timer);
      timer = setTimeout(() => { void start(); }, waitMs);
    },
    flush: async () => (waiting || running ? (await start()) && (waiting ? start() : true) : true),
    pending: () => waiting !== null || running !== null,
    stop: () => { if (timer) clearTimeout(timer); timer = null; },
  };
}
