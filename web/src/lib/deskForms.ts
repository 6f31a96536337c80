// Library: standard forms of the desk (docs/items.md), for tasks whose item brings no form of that
// name. The words are those of the decision that is made with them.
import type { Data, Json } from '../api/cases';
import type { FormSchema, Item } from '../api/items';

type Node = { [keyword: string]: Json };
const yesNo = (zh: string, en: string): Node => ({ type: 'boolean', title: zh, 'x-title-en': en });
const long = (zh: string, en: string, more: Node = {}): Node => ({ type: 'string', format: 'textarea', title: zh, 'x-title-en': en, maxLength: 2000, ...more });
const day = (zh: string, en: string): Node => ({ type: 'string', format: 'date', title: zh, 'x-title-en': en });
const form = (required: string[], properties: { [name: string]: Node }): FormSchema => ({ type: 'object', required, properties });
const note = long('备注', 'Note');

export const STANDARD: Record<string, FormSchema> = {
  accept: form(['accepted'], { accepted: yesNo('是否受理', 'Accepted?'), note }),
  review: form(['opinion', 'reason'], {
    opinion: { type: 'string', title: '审查意见', 'x-title-en': 'Opinion', enum: ['agree', 'disagree'], 'x-words': { agree: { zh: '同意', en: 'Agree' }, disagree: { zh: '不同意', en: 'Disagree' } } },
    reason: long('不同意的理由', 'Reason', { minLength: 2, maxLength: 1000, 'x-when': [{ field: 'opinion', in: ['disagree'] }] }), note,
  }),
  approve: form(['approved', 'reason', 'basis'], {
    approved: yesNo('是否准予', 'Approved?'),
    reason: long('不予批准的理由', 'Reason for refusing', { minLength: 2, maxLength: 1000, 'x-when': [{ field: 'approved', in: [false] }], 'x-help': '写入不予批准的决定书，告知申请人', 'x-help-en': 'Goes into the letter to the applicant' }),
    basis: { type: 'string', title: '法律依据', 'x-title-en': 'Legal basis', minLength: 2, maxLength: 300, 'x-when': [{ field: 'approved', in: [false] }] }, note,
  }),
  inspect: form(['passed', 'inspected_on', 'findings'], { passed: yesNo('现场核查是否合格', 'Passed?'), inspected_on: day('核查日期', 'Inspected on'), findings: long('核查情况', 'Findings', { minLength: 2 }) }),
  hearing: form(['held_on', 'attended', 'record'], { held_on: day('听证日期', 'Held on'), attended: yesNo('申请人是否到场', 'Did the applicant attend?'), record: long('听证笔录摘要', 'Record', { minLength: 2 }) }),
};

export interface DeskForm { schema: FormSchema; own: boolean }
/** The form of a task: the item's own of that name, or a standard one; null when there is neither. */
export function deskForm(item: Item | undefined, name: string | null): DeskForm | null {
  if (!name) return null;
  const own = item && Object.hasOwn(item.content.desk_forms ?? {}, name) ? item.content.desk_forms[name] : undefined;
  if (own) return { schema: own, own: true };
  const standard = Object.hasOwn(STANDARD, name) ? STANDARD[name] : undefined;
  return standard ? { schema: standard, own: false } : null;
}

/** The application a case is of, as its variables say. */
export function applicationOf(data: Data): { id: string; item: string | null } | null {
  const said = data['application'];
  if (typeof said !== 'object' || said === null || Array.isArray(said) || typeof said['id'] !== 'string') return null;
  return { id: said['id'], item: typeof said['item'] === 'string' ? said['item'] : null };
}
