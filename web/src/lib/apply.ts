// Library: the pages of an application form, in order, and the page where a problem is mended. Pure.
import type { Draft, MaterialState, WantedDelivery } from '../api/applications';
import type { Answers, DeliveryWay, ItemContent, Problem } from '../api/items';
import { asked, askedSteps, fieldAt, type FormField, type FormStep, type ReadForm } from '../components/form/schema';
import type { Key } from '../i18n';

/** Pages beside those of the form; a step of a form begins with a letter, so none is called so. */
export const MATERIALS = '_materials';
export const DELIVERY = '_delivery';
export const CHECK = '_check';
export type PageKind = 'form' | 'materials' | 'delivery' | 'check';
export interface ApplyPage { name: string; kind: PageKind; step: FormStep | null }

export function applyPages(form: ReadForm, answers: Answers, content: Pick<ItemContent, 'delivery'>, materials: readonly MaterialState[]): ApplyPage[] {
  const pages: ApplyPage[] = askedSteps(form, answers).map((step) => ({ name: step.name, kind: 'form', step }));
  if (materials.length) pages.push({ name: MATERIALS, kind: 'materials', step: null });
  if (content.delivery.length) pages.push({ name: DELIVERY, kind: 'delivery', step: null });
  return [...pages, { name: CHECK, kind: 'check', step: null }];
}

/** Where to go on: the step of the address, else the one last seen, else the first. */
export function pageNow(pages: readonly ApplyPage[], asked: string | null, last: string | null): ApplyPage {
  const found = pages.find((p) => p.name === asked) ?? pages.find((p) => p.name === last) ?? pages[0];
  return found ?? { name: CHECK, kind: 'check', step: null };
}
export function pageBeside(pages: readonly ApplyPage[], name: string, by: 1 | -1): ApplyPage | null {
  const at = pages.findIndex((p) => p.name === name);
  return at < 0 ? null : (pages[at + by] ?? null);
}

/** Name of the material a problem is about: `/materials/<name>`. */
export function materialAt(at: string): string | null {
  const parts = at.split('/').filter((p) => p !== '');
  return parts[0] === 'materials' ? (parts[1] ?? null) : null;
}

/** Page and control where a problem is mended; null when no page is about it. */
export function mendAt(problem: Problem, pages: readonly ApplyPage[]): { page: string; control: string } | null {
  const field = fieldAt(problem.at);
  if (field !== null) {
    const page = pages.find((p) => p.step?.fields.some((f) => f.name === field));
    if (page) return { page: page.name, control: `field-${field}` };
  }
  const material = materialAt(problem.at);
  if (material !== null) return { page: MATERIALS, control: `material-${material}` };
  if (/^\/?delivery(\/|$)/.test(problem.at)) return { page: DELIVERY, control: deliveryControl(problem.at) };
  return null;
}
export function deliveryControl(at: string): string {
  const last = at.split('/').pop() ?? '';
  return ['name', 'mobile', 'address'].includes(last) && /address\/\w+$/.test(at) ? `delivery-${last}` : 'delivery';
}

/** Required papers that are neither there, nor had by the city, nor promised. */
export const lacking = (materials: readonly MaterialState[]): MaterialState[] => materials.filter((m) => m.required && m.answered_by === null && m.files.length === 0 && !m.following);

/** What is wrong with the wish for delivery. */
export function deliveryFaults(wanted: WantedDelivery | null, ways: readonly DeliveryWay[]): { control: string; key: Key }[] {
  if (ways.length === 0) return [];
  if (!wanted || !ways.includes(wanted.way)) return [{ control: 'delivery', key: 'apply.delivery_choose' }];
  if (wanted.way !== 'post') return [];
  const at = wanted.address ?? { name: '', mobile: '', address: '' };
  const faults: { control: string; key: Key }[] = [];
  if ([...at.name.trim()].length < 2) faults.push({ control: 'delivery-name', key: 'apply.a_need_name' });
  if (!/^1[3-9]\d{9}$/.test(at.mobile)) faults.push({ control: 'delivery-mobile', key: 'form.not_mobile' });
  const length = [...at.address.trim()].length;
  if (length < 5 || length > 200) faults.push({ control: 'delivery-address', key: 'apply.a_need_address' });
  return faults;
}

export const FILE_BYTES_MOST = 20 * 1024 * 1024;
const ENDINGS: Record<string, readonly string[]> = { pdf: ['pdf'], jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'], png: ['png'], ofd: ['ofd'] };
const kinds = (formats: readonly string[]): readonly string[] => (formats.length ? formats : Object.keys(ENDINGS));
/** For the chooser of files. */
export const acceptOf = (formats: readonly string[]): string => kinds(formats).flatMap((f) => (ENDINGS[f] ?? []).map((e) => `.${e}`)).join(',');
/** Why a file is not sent at all; null when it may be tried. The server looks at the content itself. */
export function fileRefusal(file: { name: string; size: number }, formats: readonly string[]): 'apply.m_empty' | 'apply.m_too_large' | 'apply.m_wrong_kind' | null {
  const ending = /\.([^.]+)$/.exec(file.name)?.[1]?.toLowerCase() ?? '';
  if (!kinds(formats).some((f) => ENDINGS[f]?.includes(ending))) return 'apply.m_wrong_kind';
  if (file.size === 0) return 'apply.m_empty';
  return file.size > FILE_BYTES_MOST ? 'apply.m_too_large' : null;
}

/** Answers kept apart that the form has no question for any more (one merely not asked now comes back by itself). */
export const gone = (draft: Pick<Draft, 'left_over'>, form: ReadForm): Answers => Object.fromEntries(Object.entries(draft.left_over).filter(([name]) => !form.fields.some((f) => f.name === name)));

/** What a correction opens: fields it names, those newly asked because of what was changed, and, where something free is asked, all others. */
export function correctable(form: ReadForm, before: Answers, now: Answers, named: readonly { at: string }[]): { wanted: FormField[]; opened: FormField[]; others: FormField[] } {
  const names = new Set(named.map((m) => fieldAt(m.at)));
  const asks = asked(form, now);
  const was = new Set(asked(form, before).map((f) => f.name));
  const wanted = asks.filter((f) => names.has(f.name));
  const opened = asks.filter((f) => !names.has(f.name) && !was.has(f.name));
  const free = named.some((m) => m.at === '');
  return { wanted, opened, others: free ? asks.filter((f) => !wanted.includes(f) && !opened.includes(f)) : [] };
}
