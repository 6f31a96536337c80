// API: shapes of the answers of /api/v1, snake case, as sent. What the contract (schemas/openapi.json)
// declares is taken from schema.ts, which is generated; what it leaves loose is made exact here.
import type { Words } from '../i18n/lang';
import type { components } from './schema';

type Schemas = components['schemas'];
/** A shape of the contract with some of its parts, and only its own, described more exactly. */
type Exact<G, P extends { [K in keyof P]: K extends keyof G ? unknown : never }> = Omit<G, keyof P> & P;
/** A hand-written shape that the contract accepts. */
type Within<G, T extends G> = T;

/** Only the code and the status are certain: the browser makes some of these itself. */
export type ProblemJson = Partial<Schemas['Problem']> & Pick<Schemas['Problem'], 'code' | 'status'>;
export interface Page<T> { items: T[]; next: string | null; total: number }
export interface List<T> { items: T[] }

export type Session = Exact<Schemas['Session'], { may?: { do: string; on: string }[] }>;
export type Challenge = Exact<Schemas['Challenge'], { passkey: Record<string, unknown> | null }>;
export type FactorMethod = Challenge['methods'][number];
export type SessionItem = Schemas['SessionItem'];
export type AccountSecurity = Schemas['AccountSecurity'];
export type NewTotp = Schemas['NewTotp'];
export type Enrolled = Schemas['Enrolled'];
export interface District { code: string; title: Words; centre: [number, number] }
export type City = Exact<Schemas['City'], {
  centre: [number, number]; districts: District[]; systems: { folder: string; title: Words; maturity: string }[];
}>;

export type Face = 'portal' | 'desk' | 'command' | 'data' | 'operator';
export interface MenuPage {
  name: string; face: Face; path: string; title: Words; icon: string; order: number; group: Words | null; allowed: boolean;
}

export type FieldKind =
  | { type: 'text' } | { type: 'integer' } | { type: 'number' } | { type: 'boolean' }
  | { type: 'date' } | { type: 'time' }
  | { type: 'choice'; of: [string, Words][] }
  | { type: 'reference'; register: string };
export type Field = FieldKind & {
  name: string; title: Words; required: boolean; index: boolean; personal: boolean; unit: string | null;
};
export type Register = Exact<Omit<Schemas['RegisterPage']['items'][number], 'cached'>, { place: [string, string] | null; fields: Field[] }>;
export type FieldValue = string | number | boolean | null | undefined;
export type RecordVersion = Exact<Schemas['Record'], { fields: Record<string, FieldValue> }>;

export type Alert = Schemas['Alert'];
export type Level = Alert['level'];
export type AlertState = Alert['state'];
export type AlertStep = Alert['steps'][number];
export type AlertVerb = Within<Schemas['AlertVerb'],
  | { do: 'acknowledge' } | { do: 'assign'; to: string }
  | { do: 'comment'; text: string } | { do: 'close'; reason: string }>;
export interface BatchAnswer { done: string[]; failed: { id: string; problem: ProblemJson }[] }
export type LevelCounts = Schemas['AlertCounts'];

export type Device = Exact<Schemas['Device'], { notes: Record<string, unknown> }>;
export type Frame = Schemas['Frame'];
export type Command = Exact<Schemas['Command'], { parameters: Record<string, unknown>; steps: [string, string][] }>;
export interface CommandParameter { name: string; type: string; title: Words }
export interface CommandKind { name: string; title: Words; parameters: CommandParameter[] }

export type SeriesInfo = Schemas['Series'];
export type PointRow = [time_ms: number, value: number, flag: string];
export type BucketRow = [
  time_ms: number, mean: number | null, min: number | null, max: number | null,
  count: number, valid: number, sum: number | null,
];
export type Range = Exact<Schemas['Range'], { points?: PointRow[]; buckets?: BucketRow[] }>;

export type Indicator = Exact<Schemas['Indicator'], { better: 'higher' | 'lower'; trend?: [number, number | null][] }>;
export interface Decision { allowed: boolean; role?: string; purpose?: string; basis?: string; would?: string[] }

export type NewAccount = Schemas['NewAccount'];
export type AccountChange = Schemas['AccountChange'];

export type Mine = Schemas['Mine'];
export type PartyTie = Schemas['PartyTie'];
export type ActingFor = Schemas['ActingFor'];
export type PartyInFull = Schemas['PartyInFull'];
export type PersonalExport = Schemas['PersonalExport'];
export type PartyRequest = Schemas['PartyRequest'];
export type Party = Schemas['Party'];
export type PartyFound = Schemas['PartyFound'];
export type RegistrationTerms = Schemas['RegistrationTerms'];
export type CodeSent = Schemas['CodeSent'];
export type Application = Schemas['Application'];
export type ApplicationList = Schemas['ApplicationList'];
export type ApplicationSecret = Schemas['ApplicationSecret'];
export type ApplicationUsage = Schemas['ApplicationUsage'];
export type RegisteredApplication = Schemas['RegisteredApplication'];
export type ConnectedList = Schemas['ConnectedList'];
export type OpenIdRequest = Schemas['OpenIdRequest'];
export type OpenIdNext = Schemas['OpenIdNext'];
export type Provider = Schemas['Provider'];
export type ProviderList = Schemas['ProviderList'];
export type ProviderChoices = Schemas['ProviderChoices'];
