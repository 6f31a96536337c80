// API: shapes of processes, cases, tasks and the calendar, as sent (kernel::cases).
import { get, type Params } from './client';
import type { Page, ProblemJson } from './types';
import type { Words } from '../i18n/lang';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type Data = Record<string, Json>;

export type LightName = 'green' | 'yellow' | 'red' | 'paused';
export interface Left { due: string; days: number; light: LightName; provisional: boolean }
export interface Limit { days: number; count: 'working_days' | 'calendar_days' }

export const PAUSES = ['supplement', 'display', 'hearing', 'tender', 'inspection', 'appraisal', 'expert_review', 'force_majeure'] as const;
export type PauseKind = (typeof PAUSES)[number];
export interface Pause { from: string; to: string | null; kind: PauseKind; basis: string; note: string; by: string }

export type TaskKind = 'task' | 'signer' | 'reading';
export type TaskState = 'open' | 'done' | 'sent_back' | 'withdrawn' | 'dropped';
export interface Task {
  id: string; case: string; number: string; title: string; process: string; node: string; name: string;
  kind: TaskKind; state: TaskState; assignee: string | null; owner: string | null; roles: string[]; organisation: string | null;
  parent: string | null; form: string | null; opened_at: string; claimed_at: string | null; ended_at: string | null;
  ended_by: string | null; left: Left | null; urged: number; revision: number;
}
/** One of those who sign (会签): signed, to sign now, or later. */
export interface Countersigner { signer: string; account: string | null; organisation: string | null; state: 'done' | 'open' | 'pending'; added_by: string | null; removable: boolean }
export interface Countersign { sequential: boolean; instances: number; done: number; signers: Countersigner[] }
/** A task that may be sent back to: of the case itself, or of one that called it. */
export interface TaskTarget { case: string; number: string; process: string; node: string; name: string }
export interface TaskOpened { task: Task; data: Data; countersign: Countersign | null; targets: TaskTarget[] }

export type TaskVerb =
  | { verb: 'claim' } | { verb: 'release' }
  | { verb: 'complete'; data: Data }
  | { verb: 'transfer' | 'delegate'; to: string; reason: string }
  | { verb: 'add_signer'; to: string; reason: string; countersign?: 'next' | 'last' }
  | { verb: 'remove_signer'; signer: string; reason: string }
  | { verb: 'send_back'; to: string; case?: string; reason: string }
  | { verb: 'return_to_starter' | 'withdraw'; reason: string }
  | { verb: 'circulate'; to: string[]; reason: string }
  | { verb: 'urge'; words: string };
export type TaskVerbName = TaskVerb['verb'];
export interface Acted { task: Task; case: Case; opened: Task[] }
/** What became of one task of a batch. */
export interface TaskOutcome { task: string; acted: Acted | null; problem: ProblemJson | null }

export const CASE_STATES = ['running', 'suspended', 'completed', 'failed', 'cancelled'] as const;
export type CaseState = (typeof CASE_STATES)[number];
export interface Case {
  id: string; number: string; process: string; version: number; title: string; organisation: string | null; state: CaseState;
  error: string | null; started_by: string; started_at: string; ended_at: string | null; parent: string | null; stuck: number;
  statutory: Left | null; promised: Left | null; revision: number;
}
export interface Marked { node: string; token: number; stuck: Words | null }
export interface CaseFile { case: Case; data: Data; marks: Marked[]; passed: string[]; tasks: Task[]; pauses: Pause[] }
export interface Entry { number: number; at: string; by: string; what: string; task: string | null; node: string | null; details: Record<string, Json> | null }

export type CaseVerb =
  | { verb: 'suspend' | 'cancel'; reason: string } | { verb: 'resume' | 'unpause' | 'retry' }
  | { verb: 'pause'; kind: PauseKind; basis: string; note: string }
  | { verb: 'set'; data: Data }
  | { verb: 'move'; token: number; to: string; reason: string };
export type CaseVerbName = CaseVerb['verb'];
export interface NewCase {
  process: string; version?: number | null; number?: string | null; title: string; organisation?: string | null;
  data: Data; statutory?: Limit | null; promised?: Limit | null;
}

export interface Process { process: string; version: number; name: string; published_at: string; published_by: string; digest: string; open: number; /** When a timer begins the next case. */ begins_at: string | null }
export interface ProcessDrawing { process: string; version: number | null; xml: string }

export interface Migration { process: string; from: number; to: number; mapping: Record<string, string>; cases?: string[]; dry: boolean }
/** A case of a migration: where it stands, and what forbids that it goes over. */
export interface Migrated { case: string; number: string; nodes: string[]; problems: { at: string; words: Words }[] }

/** What was noted of a failure nobody waited for. */
export interface Noted { code: string | null; words: Words }
/** Work set aside after too many failures; of a case. */
export interface CaseAside { id: string; case: string; number: string | null; kind: string; name: string; attempts: number; error: Noted; at: string }

export interface Simulation {
  process: string; version?: number; xml?: string; from: string; to: string;
  capacity?: Record<string, number>; service?: Record<string, number>; seed?: number; limit?: number;
}
export interface Spread { count: number; mean: number; p50: number; p90: number }
export interface Used { name: string; nodes: string[]; workers: number; share: number }
export interface SimulationFigures {
  minutes: Spread; days: Spread; waiting: Spread; work: Spread; promised: number; within: number | null; people: Used[]; congested: string | null;
}
export interface NodeLoad { waiting: Spread; work: Spread }
export interface NodeFigures { node: string; name: string; baseline: NodeLoad | null; changed: NodeLoad | null }
export interface Calibration { actual: Spread; replayed: Spread; error: number; of_a_case: number }
export interface Unplayed { reason: Words; changed: boolean; cases: number; numbers: string[] }
export interface Simulated {
  arrivals: number; compared: number; baseline: SimulationFigures; changed: SimulationFigures; by_node: NodeFigures[];
  calibration: Calibration | null; unplayed: Unplayed[]; assumptions: Words[];
}

export interface CalendarDay { day: string; worked: boolean; name: string }
export interface Moved { kind: 'case' | 'task' | 'timer' | 'start'; id: string; before: string | null; after: string | null }

const MOST_ROWS = 5_000;
/** Every row of a list, page by page; `cut` when there were more than are taken. */
export async function everyRow<T>(path: string, params: Params): Promise<{ rows: T[]; cut: boolean }> {
  const rows: T[] = [];
  let after: string | undefined;
  do {
    const page: Page<T> = await get<Page<T>>(path, { ...params, limit: 200, after });
    rows.push(...page.items);
    after = page.next ?? undefined;
  } while (after && rows.length < MOST_ROWS);
  return { rows, cut: after !== undefined };
}
