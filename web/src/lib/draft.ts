// Library: the queue that saves a draft. What is typed waits a moment, what is chosen goes at once;
// one request at a time, each on the version last seen. Without a network what was typed stays in
// this tab and is tried again; when somebody saved between, fields that differ are asked about.
import { isGuest } from '../api/guest';
import type { Json } from '../api/cases';
import { ApiError } from '../api/client';
import type { Draft, DraftChange } from '../api/applications';
import { same } from '../components/form/schema';

/** Milliseconds without typing before it is saved. */
export const TYPING_MS = 900;
const RETRY_FIRST_MS = 2_000;
const RETRY_MOST_MS = 30_000;

export type SaveState =
  | { is: 'saved' } | { is: 'typing' } | { is: 'saving' }
  /** Kept in this tab, tried again. */
  | { is: 'offline' }
  /** Kept in this tab until signed in again. */
  | { is: 'signed_out' }
  /** Refused: the change is kept in this tab, nothing is tried until it is changed. */
  | { is: 'refused'; error: ApiError }
  | { is: 'conflict'; fields: Conflict[] };
export interface Conflict { name: string; mine: Json; theirs: Json }

/** What waits to be saved, and on what it was built. */
export interface Kept { change: DraftChange; version: number; answers: Record<string, Json> }
export interface Keeper { get: () => Kept | null; set: (kept: Kept | null) => void }
export interface Timers { after: (ms: number, act: () => void) => unknown; stop: (timer: unknown) => void }
export interface Door { save: (change: DraftChange, version: number) => Promise<Draft>; load: () => Promise<Draft> }

/** One change after another; the later word counts. */
export function joined(first: DraftChange, then: DraftChange): DraftChange {
  const answers = first.answers || then.answers ? { ...first.answers, ...then.answers } : undefined;
  return { ...first, ...then, ...(answers ? { answers } : {}) };
}
const isNothing = (change: DraftChange): boolean => Object.keys(change.answers ?? {}).length === 0 && change.step === undefined && change.delivery === undefined && change.following === undefined;

/** Fields that both changed, each to something else. `before` is what mine was built on. */
export function conflictsOf(mine: Record<string, Json>, before: Record<string, Json>, theirs: Record<string, Json>): Conflict[] {
  const at = (of: Record<string, Json>, name: string): Json => of[name] ?? null;
  return Object.keys(mine).filter((name) => !same(at(theirs, name), at(before, name)) && !same(at(theirs, name), at(mine, name))).map((name) => ({ name, mine: at(mine, name), theirs: at(theirs, name) }));
}

/** Keeps what waits in this tab: it is gone with the tab, so that a shared computer keeps nobody's answers. */
export function tabKeeper(id: string): Keeper {
  // A terminal keeps nothing of whom it served.
  if (isGuest()) return { get: () => null, set: () => undefined };
  const name = `jicheng.draft.${id}`;
  return {
    get: () => {
      try {
        return JSON.parse(sessionStorage.getItem(name) ?? 'null') as Kept | null;
      } catch {
        return null;
      }
    },
    set: (kept) => {
      try {
        if (kept) sessionStorage.setItem(name, JSON.stringify(kept));
        else sessionStorage.removeItem(name);
      } catch {
        // Without storage it is kept as long as the page is open.
      }
    },
  };
}

const browserTimers: Timers = { after: (ms, act) => setTimeout(act, ms), stop: (timer) => clearTimeout(timer as number) };

export class DraftQueue {
  /** As the server has it. */
  draft: Draft;
  state: SaveState = { is: 'saved' };
  private waiting: DraftChange = {};
  /** Under way to the server. */
  private going: DraftChange = {};
  private sending: Promise<boolean> | null = null;
  private timer: unknown = null;
  private retryMs = RETRY_FIRST_MS;
  private closed = false;
  private readonly door: Door;
  private readonly keeper: Keeper;
  private readonly tell: () => void;
  private readonly timers: Timers;

  constructor(draft: Draft, door: Door, keeper: Keeper, tell: () => void, timers: Timers = browserTimers) {
    this.draft = draft;
    this.door = door;
    this.keeper = keeper;
    this.tell = tell;
    this.timers = timers;
    const kept = keeper.get();
    if (kept && !isNothing(kept.change)) this.takeUp(kept);
  }

  /** What was left from before: a page that was closed without a network, or before signing in again. */
  private takeUp(kept: Kept): void {
    this.waiting = kept.change;
    const conflicts = kept.version === this.draft.version ? [] : conflictsOf(kept.change.answers ?? {}, kept.answers, this.draft.answers);
    if (conflicts.length) this.say({ is: 'conflict', fields: conflicts });
    else this.plan(0);
  }

  /** What the server does not have yet, or has not yet said that it has. */
  change(): DraftChange {
    return joined(this.going, this.waiting);
  }
  /** The answers as the page shows them: the server's, and over them what is not there yet. */
  answers(): Record<string, Json> {
    const all = { ...this.draft.answers, ...this.change().answers };
    return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== null && v !== undefined));
  }
  /** Is anything not on the server yet? */
  pending(): boolean {
    return this.sending !== null || !isNothing(this.waiting);
  }

  /** Takes a change; with `settled` it goes at once. */
  put(change: DraftChange, settled: boolean): void {
    this.waiting = joined(this.waiting, change);
    this.keepAll();
    if (this.state.is === 'conflict') return this.tell();
    if (this.state.is !== 'offline' && this.state.is !== 'signed_out') this.state = { is: 'typing' };
    this.tell();
    this.plan(settled ? 0 : TYPING_MS);
  }

  /** Saves what waits now; true when all of it is on the server. */
  async flush(): Promise<boolean> {
    this.stopTimer();
    for (;;) {
      if (this.sending) {
        if (!(await this.sending)) return false;
      } else if (this.state.is === 'conflict') return false;
      else if (isNothing(this.waiting)) return true;
      else this.start();
    }
  }

  private start(): void {
    const sending = this.send().finally(() => { if (this.sending === sending) this.sending = null; });
    this.sending = sending;
  }

  private async send(): Promise<boolean> {
    const going = this.waiting;
    this.going = going;
    this.waiting = {};
    const quiet = this.state.is === 'offline' || this.state.is === 'signed_out';
    if (!quiet) this.say({ is: 'saving' });
    // Kept until the server has said that it has it.
    this.keeper.set({ change: going, version: this.draft.version, answers: this.draft.answers });
    try {
      this.draft = await this.door.save(going, this.draft.version);
      this.going = {};
      this.retryMs = RETRY_FIRST_MS;
      this.keep();
      this.say(isNothing(this.waiting) ? { is: 'saved' } : { is: 'typing' });
      return true;
    } catch (error) {
      this.waiting = joined(going, this.waiting);
      this.going = {};
      this.keep();
      return this.failed(error);
    }
  }

  private async failed(error: unknown): Promise<boolean> {
    if (!(error instanceof ApiError)) {
      this.say({ is: 'offline' });
      this.plan(this.longer());
      return false;
    }
    if (error.code === 'input.stale' || error.status === 412) return this.meet();
    if (error.status === 401) this.say({ is: 'signed_out' });
    else if (error.status === 0 || error.status === 429 || error.status >= 500) {
      this.say({ is: 'offline' });
      this.plan(error.retryAfterS ? error.retryAfterS * 1000 : this.longer());
    } else this.say({ is: 'refused', error });
    return false;
  }

  /** Somebody saved between (another tab, another person who acts for the same): look, and ask only where both changed one field. */
  private async meet(): Promise<boolean> {
    const before = this.draft.answers;
    try {
      this.draft = await this.door.load();
    } catch {
      this.say({ is: 'offline' });
      this.plan(this.longer());
      return false;
    }
    const conflicts = conflictsOf(this.waiting.answers ?? {}, before, this.draft.answers);
    if (conflicts.length) {
      this.keep();
      this.say({ is: 'conflict', fields: conflicts });
      return false;
    }
    return this.send();
  }

  /** Decides a conflict: mine goes over theirs, or theirs stays and mine is forgotten. */
  async decide(choice: Record<string, 'mine' | 'theirs'>): Promise<boolean> {
    if (this.state.is !== 'conflict') return true;
    const answers = { ...this.waiting.answers };
    for (const [name, who] of Object.entries(choice)) if (who === 'theirs') delete answers[name];
    this.waiting = { ...this.waiting, answers };
    this.state = { is: 'typing' };
    this.keep();
    if (isNothing(this.waiting)) { this.say({ is: 'saved' }); return true; }
    return this.flush();
  }

  /** The server's draft was read anew (a file came, a part was judged). */
  renewed(draft: Draft): void {
    if (draft.version < this.draft.version) return;
    this.draft = draft;
    this.tell();
  }

  /** The network is back, or somebody signed in again. */
  again(): void {
    if (this.state.is === 'offline' || this.state.is === 'signed_out') this.plan(0);
  }
  /** The page is (again) open. */
  open(): void {
    this.closed = false;
    if (this.pending() && this.timer === null && this.sending === null && this.state.is !== 'conflict' && this.state.is !== 'refused') this.plan(0);
  }
  close(): void {
    this.closed = true;
    this.stopTimer();
  }
  /** Forgets what waits (the draft is gone). */
  forget(): void {
    this.waiting = {};
    this.keep();
    this.close();
  }

  private keep(): void {
    this.keeper.set(isNothing(this.waiting) ? null : { change: this.waiting, version: this.draft.version, answers: this.draft.answers });
  }
  /** While a request is under way both it and what waits must survive a closed page. */
  private keepAll(): void {
    this.keeper.set({ change: this.change(), version: this.draft.version, answers: this.draft.answers });
  }
  private longer(): number {
    const now = this.retryMs;
    this.retryMs = Math.min(RETRY_MOST_MS, now * 2);
    return now;
  }
  private plan(ms: number): void {
    this.stopTimer();
    if (this.closed) return;
    this.timer = this.timers.after(ms, () => { this.timer = null; void this.flush(); });
  }
  private stopTimer(): void {
    if (this.timer !== null) this.timers.stop(this.timer);
    this.timer = null;
  }
  private say(state: SaveState): void {
    this.state = state;
    this.tell();
  }
}
