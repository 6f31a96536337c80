// API: shapes of the answers of /api/v1, as in the contract. Snake case, as sent.
import type { Words } from '../i18n/lang';

export interface Problem { at: string; words: Words }
export interface ProblemJson {
  type?: string; code: string; title?: string; detail?: string; detail_en?: string;
  status: number; problems?: Problem[]; retry_after_s?: number;
}
export interface Page<T> { items: T[]; next: string | null; total: number }
export interface List<T> { items: T[] }

export interface Session {
  account: string; display: string; roles: string[]; organisation: string | null;
  expires_at: string; may?: { do: string; on: string }[];
}
export interface District { code: string; title: Words; centre: [number, number] }
export interface City {
  folder: string; code: string; title: Words; centre: [number, number]; zoom: number;
  simulated: boolean; replaying: boolean; now: string; version: string;
  districts: District[]; systems: { folder: string; title: Words; maturity: string }[];
}
export type Face = 'portal' | 'desk' | 'command' | 'data' | 'operator';
export interface MenuPage {
  name: string; face: Face; path: string; title: Words; icon: string; order: number; allowed: boolean;
}

export type FieldKind =
  | { type: 'text' } | { type: 'integer' } | { type: 'number' } | { type: 'boolean' }
  | { type: 'date' } | { type: 'time' }
  | { type: 'choice'; of: [string, Words][] }
  | { type: 'reference'; register: string };
export type Field = FieldKind & {
  name: string; title: Words; required: boolean; index: boolean; personal: boolean; unit: string | null;
};
export interface Register {
  name: string; title: Words; system: string; owner: string; key: string;
  place: [string, string] | null; summary: string[]; fields: Field[]; count: number;
}
export type FieldValue = string | number | boolean | null | undefined;
export interface RecordVersion {
  register: string; key: string; fields: Record<string, FieldValue>;
  valid_from: string; valid_to: string | null; recorded_at: string; superseded_at: string | null;
  version: number; by: string; reason: string | null;
}

export type Level = 'blue' | 'yellow' | 'orange' | 'red';
export type AlertState = 'open' | 'acknowledged' | 'assigned' | 'closed';
export interface AlertStep { at: string; by: string; what: string; text: string }
export interface Alert {
  id: string; system: string; rule: string; title: Words; thing: string;
  property: string | null; kind: string | null; level: Level; state: AlertState;
  since: string; raised_at: string; ended_at: string | null;
  value: number | null; limit: number | null; unit: string; message: Words;
  assignee: string | null; escalated_to: string | null; steps: AlertStep[]; version: number;
}
export type AlertVerb =
  | { do: 'acknowledge' } | { do: 'assign'; to: string }
  | { do: 'comment'; text: string } | { do: 'close'; reason: string };
export interface BatchAnswer { done: string[]; failed: { id: string; problem: ProblemJson }[] }
export type LevelCounts = Record<Level, number>;

export interface Device {
  thing: string; gateway: string; state: 'quarantined' | 'claimed'; connected: boolean; peer: string;
  edition: string; check: string; system_code: string; first_seen: string | null; last_seen: string | null;
  clock_offset_s: number | null; frames: number; values: number; rejected: number;
  notes: Record<string, unknown>;
}
export interface Frame {
  seq: number; at: string; gateway: string; peer: string; thing: string;
  rejected: string | null; raw: string; decoded?: unknown;
}
export interface Command {
  id: string; thing: string; name: string; parameters: Record<string, unknown>; by: string; at: string;
  state: 'queued' | 'sent' | 'accepted' | 'done' | 'failed' | 'timed_out'; steps: [string, string][];
}
export interface CommandParameter { name: string; type: string; title: Words }
export interface CommandKind { name: string; title: Words; parameters: CommandParameter[] }

export interface SeriesInfo {
  thing: string; property: string; title: Words | string | null; unit: string; kind: string;
  first: string; latest: { time: string; value: number; flag: string };
}
export type PointRow = [time_ms: number, value: number, flag: string];
export type BucketRow = [
  time_ms: number, mean: number | null, min: number | null, max: number | null,
  count: number, valid: number, sum: number | null,
];
export interface Range {
  thing: string; property: string; title: Words | string | null; unit: string; kind: string;
  step_s: number | null; points?: PointRow[]; buckets?: BucketRow[]; cut: boolean;
}

export interface Indicator {
  system: string; name: string; title: Words; unit: string; value: number | null; target: number | null;
  better: 'higher' | 'lower'; source: string; computed_at: string | null; trend: [number, number | null][];
}
export interface Decision { allowed: boolean; role?: string; purpose?: string; basis?: string; would?: string[] }
