// Library: licences: where one stands, how a verdict looks, what was scanned, how long a code is
// still good. Pure, so that it can be tested.
import type { LicenceState, Verdict } from '../api/licences';
import type { Shape } from '../theme/palette';
import { date, ms } from './time';

export const HOLDER_NAME = 'holder_name';
export const HOLDER_NUMBER = 'holder_number';

/** Where a licence stands at an instant: in the order the server judges in. */
export function standing(licence: { state: LicenceState; valid_from: string; valid_to: string | null }, now: number): Verdict {
  if (licence.state !== 'in_force' && licence.state !== 'suspended') return 'revoked';
  if (licence.valid_to !== null && now >= ms(licence.valid_to)) return 'expired';
  if (licence.state === 'suspended') return 'suspended';
  return now < ms(licence.valid_from) ? 'not_yet_valid' : 'valid';
}

/** Shape and colour of a verdict: no two share a shape, so that none hangs on its colour. */
export const verdictLook: Record<Verdict, { shape: Shape; colour: string; tone: 'good' | 'warn' | 'bad' }> = {
  valid: { shape: 'circle', colour: 'var(--good)', tone: 'good' },
  not_yet_valid: { shape: 'ring', colour: 'var(--warn)', tone: 'warn' },
  expired: { shape: 'square', colour: 'var(--warn)', tone: 'warn' },
  suspended: { shape: 'diamond', colour: 'var(--warn)', tone: 'warn' },
  revoked: { shape: 'octagon', colour: 'var(--bad)', tone: 'bad' },
  unknown: { shape: 'triangle', colour: 'var(--warn)', tone: 'warn' },
  altered: { shape: 'cross', colour: 'var(--bad)', tone: 'bad' },
  incomplete: { shape: 'pentagon', colour: 'var(--warn)', tone: 'warn' },
};
export const VERDICTS = Object.keys(verdictLook) as Verdict[];
export const isVerdict = (word: string): word is Verdict => word in verdictLook;

/** The last day it counts; the server says the instant it no longer does. Null: no end. */
export function lastDay(validTo: string | null): string | null {
  return validTo === null ? null : date(ms(validTo) - 1);
}

/** Whole seconds until an instant of the same clock, never more than was asked for nor less than none. */
export function secondsLeft(until: number, now: number, most: number): number {
  const left = Math.ceil((until - now) / 1000);
  return Number.isFinite(left) ? Math.max(0, Math.min(most, left)) : 0;
}

/** The code in what was scanned or pasted: behind `#` of an address, or the text itself. */
export function codeOf(text: string): string {
  const plain = text.trim();
  const at = plain.lastIndexOf('#');
  return at === -1 ? plain : plain.slice(at + 1);
}

/** Does this look like a code at all? 43 characters of base64url, with some room. */
export const isCode = (text: string): boolean => /^[A-Za-z0-9_-]{20,200}$/.test(text);

/** Does this look like an identifier (GB/T 36904)? Numbers and parts with dots between, which a code never has. */
export const isIdentifier = (text: string): boolean => /^\d+(\.[0-9A-Za-z]+){4,20}$/.test(text) && text.length <= 200;

/** Does this look like a signed document: a JWS with its disclosures. */
export const isDocument = (text: string): boolean => /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(~[A-Za-z0-9_.-]*)*$/.test(text);

/** What an officer may do with a licence, by where it stands; the server decides. */
export const CHANGES: readonly { to: LicenceState; from: readonly LicenceState[]; final: boolean }[] = [
  { to: 'suspended', from: ['in_force'], final: false },
  { to: 'in_force', from: ['suspended'], final: false },
  { to: 'withdrawn', from: ['in_force', 'suspended'], final: true },
  { to: 'cancelled', from: ['in_force', 'suspended'], final: true },
  { to: 'penalty', from: ['in_force', 'suspended'], final: true },
];
