// Library: whom a clerk writes for: what is still missing or wrong before a draft is begun.
import type { Behalf } from '../api/applications';
import type { Serves } from '../api/items';
import type { HolderDocument } from '../api/licences';
import type { Key } from '../i18n';

export const DESK_CHANNELS = ['counter', 'hotline', 'terminal'] as const;
export type DeskChannel = (typeof DESK_CHANNELS)[number];

/** Documents of whom an item serves. */
export function documentsFor(serves: Serves): HolderDocument[] {
  const natural: HolderDocument[] = ['citizen_number', 'residence_permit', 'passport'];
  return serves === 'natural' ? natural : serves === 'legal' ? ['credit_code'] : [...natural, 'credit_code'];
}

export type BehalfField = 'number' | 'name' | 'mobile' | 'seen';
export interface BehalfChecks { isCitizenNumber: (number: string) => boolean; isCreditCode: (code: string) => boolean }

/** Everything wrong with it, by field. The checks of numbers are handed in: forms have them too. */
export function behalfFaults(behalf: Behalf, checks: BehalfChecks): Partial<Record<BehalfField, Key>> {
  const faults: Partial<Record<BehalfField, Key>> = {};
  const { holder, mobile, seen } = behalf;
  const number = holder.number.trim().toUpperCase();
  if (!number) faults.number = 'counter.need_number';
  else if (holder.document === 'citizen_number' && !checks.isCitizenNumber(number)) faults.number = 'form.not_citizen';
  else if (holder.document === 'credit_code' && !checks.isCreditCode(number)) faults.number = 'form.not_credit';
  if (!holder.name.trim()) faults.name = 'counter.need_name';
  if (!/^1[3-9]\d{9}$/.test(mobile.trim())) faults.mobile = 'form.not_mobile';
  const said = [...seen.trim()].length;
  if (said < 2 || said > 100) faults.seen = 'counter.need_seen';
  return faults;
}

/** As it is sent: without blanks around, numbers in capitals. */
export const tidyBehalf = (behalf: Behalf): Behalf => ({
  holder: { ...behalf.holder, number: behalf.holder.number.replace(/\s/g, '').toUpperCase(), name: behalf.holder.name.trim() },
  mobile: behalf.mobile.replace(/[\s-]/g, ''), seen: behalf.seen.trim(),
});
