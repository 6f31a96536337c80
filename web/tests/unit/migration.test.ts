// Tests of moving running cases and of acts at several tasks: what is asked, and what was prefilled.
import { describe, expect, it } from 'vitest';
import { batchVerb } from '../../src/faces/desk/cases/BatchDialog';
import { counted, mappingOf, nodeRows, prefilled } from '../../src/lib/migration';

const problem = { at: 'b', words: { zh: '无', en: 'none' } };
const found = [
  { case: '1', number: 'A-1', nodes: ['b'], problems: [problem] },
  { case: '2', number: 'A-2', nodes: ['a', 'b'], problems: [] },
  { case: '3', number: 'A-3', nodes: ['gone'], problems: [] },
];
const old = [{ id: 'a', name: '受理', kind: 'userTask' }, { id: 'b', name: '审查', kind: 'userTask' }];

describe('migration', () => {
  const rows = nodeRows(found, old);
  it('has a row for each step with cases, in the order of the drawing', () => expect(rows).toEqual([
    { node: 'a', name: '受理', kind: 'userTask', cases: 1 }, { node: 'b', name: '审查', kind: 'userTask', cases: 2 }, { node: 'gone', name: 'gone', kind: '', cases: 1 },
  ]));
  it('prefills what has the same identification there', () => expect(prefilled(rows, [{ id: 'a', name: '受理', kind: 'userTask' }, { id: 'c', name: '审查', kind: 'userTask' }])).toEqual({ a: 'a' }));
  it('sends only what has another', () => expect(mappingOf({ a: 'a', b: 'c', gone: '' })).toEqual({ b: 'c' }));
  it('counts those that go over', () => expect(counted(found)).toEqual({ fit: 2, not: 1 }));
});

describe('acts at several tasks', () => {
  it('needs somebody to hand over to', () => expect(batchVerb('transfer', '  ', 'x')).toBe('task.need_to'));
  it('is sent with what was said', () => {
    expect(batchVerb('transfer', ' wang ', ' 出差 ')).toEqual({ verb: 'transfer', to: 'wang', reason: '出差' });
    expect(batchVerb('complete', '', ' 同意 ')).toEqual({ verb: 'complete', data: { opinion: '同意' } });
    expect(batchVerb('complete', '', '')).toEqual({ verb: 'complete', data: {} });
  });
});
