// API: government service items, as sent (kernel::items): the catalogue, one item whole, the
// designer's working copy, and what the server says about answers.
import type { Json, Limit } from './cases';
import { send } from './client';
import type { Words } from '../i18n/lang';

/** Answers to a form by the name of the field. */
export type Answers = Record<string, Json>;

export const ITEM_TYPES = ['01', '04', '05', '07', '08', '09', '10', '20'] as const;
export type ItemType = (typeof ITEM_TYPES)[number];
export const LEVELS = ['state', 'province', 'city', 'county', 'town', 'village'] as const;
export type ItemLevel = (typeof LEVELS)[number];
export const SERVES = ['natural', 'legal', 'either'] as const;
export type Serves = (typeof SERVES)[number];
/** A letter of the city as an item may word it differently; `text` fields stand in a paragraph. */
export interface LetterWording { kind: string; title: string; body: string; fields: { name: string; title: string; required: boolean; text: boolean }[] }
export const CHANNELS = ['web', 'phone', 'counter', 'terminal', 'hotline'] as const;
export type Channel = (typeof CHANNELS)[number];
export const DELIVERY_WAYS = ['counter', 'post', 'electronic'] as const;
export type DeliveryWay = (typeof DELIVERY_WAYS)[number];
export const FILE_KINDS = ['pdf', 'jpeg', 'png', 'ofd'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** The field has one of these values. Conditions of a list hold together. */
export interface When { field: string; in: Json[] }
export type Source = { from: 'licence'; kind: string } | { from: 'register'; register: string; key: string };

export interface Material {
  name: string; title: Words; required: boolean; may_follow: boolean; when: When[]; sources: Source[];
  formats: FileKind[]; most: number | null; note: Words | null;
}
export interface Fee { title: Words; fen: number; basis: string; when: When[] }
export interface HolderPaths { number: string; name: string }
export interface Outcome { title: Words; licence: string | null; fields: Record<string, string>; holder: HolderPaths | null }

export interface Choice { title: Words; next?: string | null; sets?: Answers; item?: string | null; stop?: Words | null }
export interface Question { name: string; ask: Words; options: Choice[] }
export interface Answered { question: Words; answer: Words }

/** A form: JSON Schema 2020-12 with `x-` keywords (docs/items.md); read by components/form/schema.ts. */
export type FormSchema = { [keyword: string]: Json };

export interface ItemContent {
  title: Words; summary: Words; catalogue_code: string; task_code: string; type: ItemType; level: ItemLevel;
  organisation: string; serves: Serves; keywords: string[]; subjects: string[]; basis: string[]; conditions: Words[];
  instant: boolean; statutory: Limit; promised: Limit; channels: Channel[]; visits: number; delivery: DeliveryWay[];
  fees: Fee[]; place: Words; contact: Words; matter: string; proofing: number; process: string | null; bundle: string[];
  form: FormSchema; desk_forms: Record<string, FormSchema>; materials: Material[]; guidance: Question[]; outcome: Outcome;
  letters: Record<string, string>; questions: Answered[];
}

export const ITEM_STATES = ['drafted', 'in_force', 'suspended', 'cancelled'] as const;
export type ItemState = (typeof ITEM_STATES)[number];
export interface Item {
  item: string; version: number; state: ItemState; published_at: string | null; published_by: string | null;
  note: string; successors: string[]; content: ItemContent;
}
export interface ItemLine {
  item: string; version: number; state: ItemState; title: Words; summary: Words; type: ItemType; organisation: string;
  serves: Serves; subjects: string[]; channels: Channel[]; promised: Limit; visits: number; instant: boolean;
  bundle: string[]; changed: boolean;
}
export interface SubjectCount { subject: string; count: number }

export type ItemVerb =
  | { verb: 'publish'; note: string } | { verb: 'roll_back'; version: number; note: string }
  | { verb: 'suspend'; note: string } | { verb: 'resume'; note: string }
  | { verb: 'cancel'; note: string; successors: string[] } | { verb: 'discard' };
export type ItemVerbName = ItemVerb['verb'];

/** One thing wrong with what was given; `at` is a path such as `/answers/name`. */
export interface Problem { at: string; words: Words }

/** The working copy of a designer; complete or not. */
export interface WorkingCopy {
  item: string; content: Partial<ItemContent>; digest: string; saved_at: string | null; saved_by: string | null;
  from_version: number; problems: Problem[];
}

/** What the server says about answers. */
export interface Judged { problems: Problem[]; asked: string[]; materials: Material[]; fees_fen: number }

export const itemPath = (item: string): string => `/items/${encodeURIComponent(item)}`;

/** What the server says about answers to a published item; keeps nothing. */
export const judgeItem = (item: string, answers: Answers, whole: boolean): Promise<Judged> => send<Judged>('POST', `${itemPath(item)}/judge`, { answers, whole });
/** The same for the working copy (designers). */
export const tryItem = (item: string, answers: Answers): Promise<Judged> => send<Judged>('POST', `${itemPath(item)}/try`, { answers });

/** Titles of organisations that have items, by their code; codes stand in for those not known. */
/** `formerly`: codes of organisations that stand no longer and whose work it has. */
export interface OrganisationCount { organisation: string; title: Words; count: number; formerly?: string[] }
