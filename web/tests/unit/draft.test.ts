// Tests of the queue that saves a draft: typing waits, one request at a time, kept without a network
// and over a new sign-in, what two people changed is asked about, nothing is lost.
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/api/cases';
import type { Draft, DraftChange } from '../../src/api/applications';
import { ApiError } from '../../src/api/client';
import { conflictsOf, DraftQueue, joined, TYPING_MS, type Kept } from '../../src/lib/draft';

/** A small server with one draft, a clock moved by hand, and a tab's storage. */
function world(answers: Record<string, Json> = {}) {
  const server = { draft: { id: 'd', answers, version: 1 } as unknown as Draft, saves: [] as DraftChange[], fail: null as ApiError | null, hold: null as Promise<void> | null };
  const timers: { at: number; act: () => void; id: number }[] = [];
  let now = 0;
  let ids = 0;
  let kept: Kept | null = null;
  const settle = async () => { for (let i = 0; i < 30; i++) await Promise.resolve(); };
  const apply = (change: DraftChange) => {
    const next: Record<string, Json> = { ...server.draft.answers, ...change.answers };
    for (const [name, value] of Object.entries(next)) if (value === null) delete next[name];
    server.draft = { ...server.draft, answers: next, version: server.draft.version + 1, step: change.step ?? server.draft.step };
    return server.draft;
  };
  const open = () => new DraftQueue({ ...server.draft }, {
    save: async (change, version) => {
      if (server.hold) await server.hold;
      if (server.fail) throw server.fail;
      if (version !== server.draft.version) throw new ApiError({ code: 'input.stale', status: 412 });
      server.saves.push(change);
      return apply(change);
    },
    load: async () => { if (server.fail) throw server.fail; return server.draft; },
  }, { get: () => kept, set: (k) => { kept = k ? structuredClone(k) : null; } }, () => undefined, {
    after: (ms, act) => { const id = ++ids; timers.push({ at: now + ms, act, id }); return id; },
    stop: (id) => { const i = timers.findIndex((t) => t.id === id); if (i >= 0) timers.splice(i, 1); },
  });
  const pass = async (ms: number) => {
    now += ms;
    for (const due of timers.filter((t) => t.at <= now)) { timers.splice(timers.indexOf(due), 1); due.act(); }
    await settle();
  };
  return { server, open, pass, settle, other: (change: DraftChange) => apply(change), kept: () => kept };
}
const gone = () => new ApiError({ code: 'network.unreachable', status: 0 });

describe('saving', () => {
  it('waits while somebody types and sends once', async () => {
    const w = world();
    const q = w.open();
    for (const name of ['王', '王小', '王小明']) { q.put({ answers: { name } }, false); await w.pass(300); }
    expect(w.server.saves).toHaveLength(0);
    await w.pass(TYPING_MS);
    expect(w.server.saves).toEqual([{ answers: { name: '王小明' } }]);
    expect(q.state.is).toBe('saved');
    expect(w.kept()).toBeNull();
  });
  it('sends a choice at once', async () => {
    const w = world();
    const q = w.open();
    q.put({ answers: { kind: 'firm' } }, true);
    await w.pass(0);
    expect(w.server.draft.answers).toEqual({ kind: 'firm' });
  });
  it('has one request under way and sends what came meanwhile after it', async () => {
    const w = world();
    const q = w.open();
    let release = () => {};
    w.server.hold = new Promise((r) => { release = r; });
    q.put({ answers: { a: 1 } }, true);
    await w.pass(0);
    expect(q.answers()).toEqual({ a: 1 });
    expect(w.kept()?.change).toEqual({ answers: { a: 1 } });
    q.put({ answers: { b: 1 } }, true);
    expect(q.answers()).toEqual({ a: 1, b: 1 });
    expect(w.kept()?.change).toEqual({ answers: { a: 1, b: 1 } });
    q.put({ answers: { a: 2 } }, true);
    q.put({ step: 'next' }, true);
    expect(q.answers()).toMatchObject({ a: 2 });
    release();
    w.server.hold = null;
    expect(await q.flush()).toBe(true);
    expect(w.server.saves).toEqual([{ answers: { a: 1 } }, { answers: { b: 1, a: 2 }, step: 'next' }]);
  });
  it('takes an answer back', async () => {
    const w = world({ a: 'x' });
    const q = w.open();
    q.put({ answers: { a: null } }, true);
    expect(q.answers()).toEqual({});
    await w.pass(0);
    expect(w.server.draft.answers).toEqual({});
  });
  it('joins changes, the later word counts', () => expect(joined({ answers: { a: 1, b: 1 }, step: 'x' }, { answers: { b: 2 } })).toEqual({ answers: { a: 1, b: 2 }, step: 'x' }));
});

describe('without a network', () => {
  it('keeps, tries again later and later, and is done when it is back', async () => {
    const w = world();
    const q = w.open();
    w.server.fail = gone();
    q.put({ answers: { a: 1 } }, true);
    await w.pass(0);
    expect(q.state.is).toBe('offline');
    expect(w.kept()?.change).toEqual({ answers: { a: 1 } });
    q.put({ answers: { b: 2 } }, false);
    expect(q.state.is).toBe('offline');
    await w.pass(2_000);
    expect(q.state.is).toBe('offline');
    w.server.fail = null;
    await w.pass(1_000);
    expect(w.server.saves).toHaveLength(0);
    await w.pass(4_000);
    expect(w.server.draft.answers).toEqual({ a: 1, b: 2 });
    expect(q.state.is).toBe('saved');
  });
  it('goes on from what the tab kept when the page is opened again', async () => {
    const w = world({ name: '王' });
    const q = w.open();
    w.server.fail = gone();
    q.put({ answers: { name: '王明' }, step: 'who' }, true);
    await w.pass(0);
    q.close();
    w.server.fail = null;
    const again = w.open();
    expect(again.answers()).toEqual({ name: '王明' });
    await w.pass(0);
    expect(w.server.draft.answers).toEqual({ name: '王明' });
  });
  it('keeps over an expired session and goes on after signing in', async () => {
    const w = world();
    const q = w.open();
    w.server.fail = new ApiError({ code: 'access.sign_in', status: 401 });
    q.put({ answers: { a: 1 } }, true);
    await w.pass(0);
    expect(q.state.is).toBe('signed_out');
    await w.pass(60_000);
    expect(w.server.saves).toHaveLength(0);
    w.server.fail = null;
    q.again();
    await w.pass(0);
    expect(q.state.is).toBe('saved');
  });
  it('says a refusal and keeps what was written', async () => {
    const w = world();
    const q = w.open();
    w.server.fail = new ApiError({ code: 'input.invalid', status: 422 });
    q.put({ answers: { a: 1 } }, true);
    await w.pass(0);
    expect(q.state.is).toBe('refused');
    expect(q.answers()).toEqual({ a: 1 });
    expect(await q.flush()).toBe(false);
    w.server.fail = null;
    q.put({ answers: { a: 2 } }, true);
    await w.pass(0);
    expect(q.state.is).toBe('saved');
  });
});

describe('two who save', () => {
  it('joins changes of different fields without asking', async () => {
    const w = world({ a: 1, b: 1 });
    const q = w.open();
    w.other({ answers: { b: 2 } });
    q.put({ answers: { a: 3 } }, true);
    await w.pass(0);
    expect(w.server.draft.answers).toEqual({ a: 3, b: 2 });
    expect(q.state.is).toBe('saved');
  });
  it('asks about a field both changed and overwrites nothing until it is decided', async () => {
    const w = world({ a: 1 });
    const q = w.open();
    w.other({ answers: { a: 2 } });
    q.put({ answers: { a: 3, b: 1 } }, true);
    await w.pass(0);
    expect(q.state).toEqual({ is: 'conflict', fields: [{ name: 'a', mine: 3, theirs: 2 }] });
    q.put({ answers: { c: 1 } }, true);
    await w.pass(60_000);
    expect(w.server.draft.answers).toEqual({ a: 2 });
    expect(await q.decide({ a: 'theirs' })).toBe(true);
    expect(w.server.draft.answers).toEqual({ a: 2, b: 1, c: 1 });
  });
  it('puts mine over theirs when that is chosen', async () => {
    const w = world({ a: 1 });
    const q = w.open();
    w.other({ answers: { a: 2 } });
    q.put({ answers: { a: 3 } }, true);
    await w.pass(0);
    await q.decide({ a: 'mine' });
    expect(w.server.draft.answers).toEqual({ a: 3 });
  });
  it('asks too about what a tab kept while another saved', async () => {
    const w = world({ a: 1 });
    const q = w.open();
    w.server.fail = gone();
    q.put({ answers: { a: 3 } }, true);
    await w.pass(0);
    q.close();
    w.server.fail = null;
    w.other({ answers: { a: 2 } });
    expect(w.open().state).toEqual({ is: 'conflict', fields: [{ name: 'a', mine: 3, theirs: 2 }] });
  });
  it('is no conflict when both say the same', () => expect(conflictsOf({ a: [1] }, { a: 0 }, { a: [1] })).toEqual([]));
  it('is one when they took it back', () => expect(conflictsOf({ a: 2 }, { a: 1 }, {})).toEqual([{ name: 'a', mine: 2, theirs: null }]));
});
