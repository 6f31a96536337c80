// Tests of pages of cases: clocks in words, which verbs fit, the typed editor and its faults, lines of
// faults, forms, decision tables, the calendar.
import { describe, expect, it } from 'vitest';
import type { CaseFile, Json, Left, Task } from '../../src/api/cases';
import type { TableReading } from '../../src/api/decisions';
import { caseVerb } from '../../src/faces/desk/cases/CaseDialog';
import { placesOf, taskVerb } from '../../src/faces/desk/cases/TaskDialog';
import { wordOf } from '../../src/faces/desk/cases/History';
import { propertiesOf } from '../../src/faces/operator/processes/properties';
import { changes, kindOf, readDays, weekdayOf, weeksOf, withDay, workingDays } from '../../src/lib/calendar';
import { accounts, caseRefusal, daysLeft, faultRows, formFields, lights, plainValue, pressing, readJson, readRows, rowOf, taskRefusal } from '../../src/lib/cases';
import { asksIn } from '../../src/lib/bpmn';
import { shownRows } from '../../src/lib/dmn';
import { toolWord } from '../../src/lib/bpmnWords';

const left = (days: number, light: Left['light']): Left => ({ due: '2026-12-01T23:59:59+08:00', days, light, provisional: false });

describe('clock', () => {
  it.each([[5, 'green', 'clock.left', 5], [0, 'yellow', 'clock.today', 0], [-2, 'red', 'clock.over', 2], [3, 'paused', 'clock.stopped', 3], [-1, 'paused', 'clock.stopped', 1]] as const)('%s days, %s', (days, light, key, n) => expect(daysLeft(left(days, light))).toEqual({ key, n }));
  it('gives every light a shape of its own', () => expect(new Set(Object.values(lights).map((l) => l.shape)).size).toBe(4));
  it('shows the more pressing of two', () => {
    const red = left(-1, 'red');
    const green = left(9, 'green');
    expect(pressing(green, red)).toBe(red);
    expect(pressing(null, green)).toBe(green);
    expect(pressing(left(3, 'green'), green)?.days).toBe(3);
    expect(pressing(null, null)).toBeNull();
  });
});

describe('verbs of a task', () => {
  const task = (part: Partial<Task>) => ({ kind: 'task', state: 'open', assignee: null, ended_by: null, ...part }) as Task;
  it.each([
    [{}, 'claim', null], [{ assignee: 'me' }, 'claim', 'task.no_mine_already'], [{ assignee: 'you' }, 'claim', 'task.no_taken'],
    [{}, 'complete', null], [{ assignee: 'you' }, 'complete', 'task.no_taken'], [{}, 'transfer', 'task.no_not_claimed'], [{ assignee: 'me' }, 'transfer', null],
    [{ assignee: 'me', kind: 'signer' as const }, 'send_back', 'task.no_side'], [{ assignee: 'me', kind: 'signer' as const }, 'complete', null],
    [{ state: 'done' as const, ended_by: 'me' }, 'withdraw', null], [{ state: 'done' as const, ended_by: 'you' }, 'withdraw', 'task.no_not_mine_done'], [{}, 'withdraw', 'task.no_not_done'],
    [{ state: 'done' as const }, 'urge', 'task.no_ended'], [{ assignee: 'you' }, 'urge', null], [{ assignee: 'me' }, 'remove_signer', 'task.no_no_signer'],
  ] as const)('%o %s', (part, verb, why) => expect(taskRefusal(task(part), verb, 'me', 0)).toBe(why));
  it('waits for opinions', () => {
    expect(taskRefusal(task({ assignee: 'me' }), 'complete', 'me', 1)).toBe('task.no_signers');
    expect(taskRefusal(task({ assignee: 'me' }), 'remove_signer', 'me', 1)).toBeNull();
  });
  it('is sent only when it says what it must', () => {
    expect(taskVerb('send_back', { to: 'check', reason: ' ' })).toBe('task.need_reason');
    expect(taskVerb('send_back', { to: '', reason: 'x' })).toBe('task.need_node');
    expect(taskVerb('send_back', { to: 'check', reason: ' x ' })).toEqual({ verb: 'send_back', to: 'check', reason: 'x' });
    expect(taskVerb('transfer', { to: ' ', reason: '' })).toBe('task.need_to');
    expect(taskVerb('circulate', { to: 'a, b，a', reason: '' })).toEqual({ verb: 'circulate', to: ['a', 'b'], reason: '' });
    expect(taskVerb('urge', { to: '', reason: 'now' })).toEqual({ verb: 'urge', words: 'now' });
    expect(taskVerb('remove_signer', { to: '', reason: '' })).toBe('task.need_signer');
    expect(taskVerb('remove_signer', { to: 'c-1', reason: 'x' })).toEqual({ verb: 'remove_signer', signer: 'c-1', reason: 'x' });
    expect(taskVerb('send_back', { to: 'check', reason: 'x', of: 'caller' })).toEqual({ verb: 'send_back', to: 'check', case: 'caller', reason: 'x' });
    expect(taskVerb('add_signer', { to: 'eva', reason: '', joins: 'opinion' })).toEqual({ verb: 'add_signer', to: 'eva', reason: '' });
    expect(taskVerb('add_signer', { to: 'eva', reason: '', joins: 'next' })).toEqual({ verb: 'add_signer', to: 'eva', reason: '', countersign: 'next' });
  });
  it('offers one more countersigner where there is a countersign, in its order', () => {
    const round = (sequential: boolean) => ({ sequential, instances: 2, done: 0, signers: [] });
    expect(placesOf(null)).toEqual([]);
    expect(placesOf(round(false))).toEqual(['opinion', 'last']);
    expect(placesOf(round(true))).toEqual(['opinion', 'next', 'last']);
    const theirs = task({ assignee: 'you' });
    expect(taskRefusal(theirs, 'add_signer', 'me', 0)).toBe('task.no_taken');
    expect(taskRefusal(theirs, 'add_signer', 'me', 0, { removable: 0, steers: true })).toBeNull();
    expect(taskRefusal(task({ assignee: 'me' }), 'remove_signer', 'me', 0, { removable: 1, steers: false })).toBeNull();
  });
});

describe('verbs of a case', () => {
  const file = (state: string, open: boolean, holder = 'you') => ({ case: { state, stuck: 0 }, marks: [], tasks: [{ assignee: holder }], pauses: open ? [{ to: null }] : [] }) as unknown as CaseFile;
  it.each([
    ['running', false, 'suspend', true, null], ['suspended', false, 'suspend', true, 'case.no_suspended'], ['running', false, 'resume', true, 'case.no_running'], ['completed', false, 'cancel', true, 'case.no_ended'],
    ['running', true, 'pause', true, 'case.no_paused'], ['running', true, 'unpause', true, null], ['running', false, 'unpause', true, 'case.no_clock_runs'], ['running', false, 'cancel', false, 'case.no_may'], ['running', false, 'retry', true, 'case.no_stuck'],
  ] as const)('%s paused=%s %s operates=%s', (state, open, verb, operates, why) => expect(caseRefusal(file(state, open), verb, 'me', operates)).toBe(why));
  it('lets who has a task stop the clock, and nothing more', () => {
    expect(caseRefusal(file('running', false, 'me'), 'pause', 'me', false)).toBeNull();
    expect(caseRefusal(file('running', false, 'me'), 'cancel', 'me', false)).toBe('case.no_may');
  });
  it('is sent only when it says what it must', () => {
    const said = { reason: '', kind: 'hearing' as const, basis: '', note: '', token: null, to: '' };
    expect(caseVerb('cancel', said)).toBe('task.need_reason');
    expect(caseVerb('pause', said)).toBe('case.need_basis');
    expect(caseVerb('pause', { ...said, basis: 'law' })).toEqual({ verb: 'pause', kind: 'hearing', basis: 'law', note: '' });
    expect(caseVerb('move', { ...said, token: 0, to: 'a', reason: 'x' })).toEqual({ verb: 'move', token: 0, to: 'a', reason: 'x' });
  });
});

describe('typed editor', () => {
  it('reads what it wrote', () => {
    const data = { a: 'x', b: 1.5, c: false, d: null, e: [1, { f: 'g' }], h: '' };
    expect(readRows(Object.entries(data).map(([name, value]) => rowOf(name, value)))).toEqual({ data, faults: [] });
  });
  it('names every fault at once, and where', () => {
    const { data, faults } = readRows([
      { name: 'a', kind: 'number', text: '12a' }, { name: '', kind: 'text', text: 'x' }, { name: 'b', kind: 'json', text: '{"x":' }, { name: 'c', kind: 'text', text: '1' },
      { name: ' c ', kind: 'text', text: '2' }, { name: '', kind: 'text', text: '' }, { name: 'd', kind: 'number', text: '' }, { name: 'e', kind: 'number', text: '1e999' },
    ]);
    expect(faults.map((f) => `${f.row} ${f.at} ${f.what}`)).toEqual(['0 value value.not_number', '1 name value.need_name', '2 value value.not_json', '4 name value.twice', '6 value value.not_number', '7 value value.not_number']);
    expect(data).toEqual({ c: '1' });
  });
  it('keeps a text that looks like a number a text', () => expect(readRows([{ name: 'a', kind: 'text', text: '007' }]).data).toEqual({ a: '007' }));
  it('takes __proto__ as a name like any other', () => {
    const { data } = readRows([{ name: '__proto__', kind: 'json', text: '{"evil":1}' }]);
    expect(Object.keys(data)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['evil']).toBeUndefined();
  });
  it('says why JSON is none', () => {
    expect(readJson('')).toEqual({ what: 'value.empty_json' });
    expect(readJson('{')).toMatchObject({ what: 'value.not_json' });
    expect(readJson(' {"a":1} ')).toEqual({ value: { a: 1 } });
  });
});

it('finds the fields of a form among the variables of the case only', () => {
  expect(formFields('opinion, approved，nobody', { opinion: '', approved: true })).toEqual(['opinion', 'approved']);
  expect(formFields('permit-form', { opinion: '' })).toBeNull();
  expect(formFields('constructor', {})).toBeNull();
  expect(formFields(null, { a: 1 })).toBeNull();
});
it('finds what the way on hangs on in conditions', () => {
  expect(asksIn(['accepted = true', '= accepted = false', 'risk = "high" and area >= 50.5', 'count(list) > 2', 'a.b = 1', '', '金额 > 100'])).toEqual([
    { name: 'accepted', kind: 'boolean' }, { name: 'risk', kind: 'text' }, { name: 'area', kind: 'number' }, { name: '金额', kind: 'number' },
  ]);
});
it('does not choose for the officer', () => {
  expect(readRows([{ name: 'accepted', kind: 'boolean', text: '' }]).faults.map((f) => f.what)).toEqual(['value.not_boolean']);
});
it('says values on one line', () => {
  expect(([true, null, 0, '', 'x', ['a'], { '@date': '2026-11-25' }, { a: 1 }] as Json[]).map((v) => plainValue(v, 'yes', 'no'))).toEqual(['yes', '—', '0', '—', 'x', '["a"]', '2026-11-25', '{"a":1}']);
});
it('splits accounts', () => expect(accounts(' a,b；c  a ')).toEqual(['a', 'b', 'c']));

it('finds the line of each fault, in the order of the file', () => {
  const words = { zh: '错', en: 'wrong' };
  const rows = faultRows([{ at: 'x.bpmn:3', words }, { at: 'line 1', words }, { at: '/model', words }, { at: '2:7', words }, { at: 'x.bpmn:99', words }], 'one\n  two\nthree');
  expect(rows.map((r) => [r.line, r.text])).toEqual([[null, ''], [1, 'one'], [2, 'two'], [3, 'three'], [99, '']]);
});

it('has words for what happens, and shows a code for what it does not know', () => {
  expect(wordOf({ what: 'sent_back', by: 'officer' })).toBe('history.sent_back');
  expect(wordOf({ what: 'returned', by: 'officer' })).toBe('history.returned');
  expect(wordOf({ what: 'returned', by: 'system' })).toBe('history.call_returned');
  expect(wordOf({ what: 'toString', by: 'x' })).toBeNull();
});

it('asks of an element only what it carries', () => {
  expect(propertiesOf('bpmn:UserTask')).toContain('roles');
  expect(propertiesOf('bpmn:ServiceTask')).toEqual(['name', 'id', 'function']);
  expect(propertiesOf('bpmn:EndEvent')).toEqual(['name', 'id']);
});
it('puts tools in Chinese and leaves unknown ones', () => {
  expect(toolWord('zh', 'Create task')).toBe('任务');
  expect(toolWord('en', 'Append {type}', { type: 'Task' })).toBe('Append Task');
  expect(toolWord('zh', 'Something new')).toBe('Something new');
});

describe('decision table', () => {
  const table: TableReading = { name: 'fee', hit_policy: 'F', inputs: [{ label: 'area', expression: 'area', value: 80 }], outputs: ['fee'], rules: 3, matched: [{ row: 2, conditions: ['> 50'], outputs: [120], counted: true }, { row: 3, conditions: ['> 10'], outputs: ['x'], counted: false }] };
  it('marks the rows that matched among all', () => {
    expect(shownRows(table, [{ conditions: ['<= 50'], outputs: ['0'] }]).map((r) => [r.row, r.how, r.conditions[0], r.outputs[0]])).toEqual([[1, 'not_matched', '<= 50', '0'], [2, 'matched', '> 50', '120'], [3, 'not_counted', '> 10', 'x']]);
  });
  it('shows a dash where the file is not at hand', () => expect(shownRows(table, [])[0]).toEqual({ row: 1, how: 'not_matched', conditions: ['—'], outputs: ['—'] }));
});

describe('calendar', () => {
  it('knows weekdays and days that are none', () => {
    expect([weekdayOf('2026-11-25'), weekdayOf('2026-11-29'), weekdayOf('2026-02-29'), weekdayOf('2024-02-29'), weekdayOf('x')]).toEqual([3, 7, 0, 4, 0]);
  });
  it('lays months out from Monday', () => {
    const weeks = weeksOf(2026, 2);
    expect(weeks[0]).toEqual([null, null, null, null, null, null, '2026-02-01']);
    expect(weeks.flat().filter(Boolean)).toHaveLength(28);
    expect(weeks.every((w) => w.length === 7)).toBe(true);
  });
  it('counts working days with holidays and make-up days', () => {
    // 2026 has 261 days from Monday to Friday.
    expect(workingDays(2026, [])).toBe(261);
    expect(workingDays(2026, [{ day: '2026-10-01', worked: false, name: '国庆节' }, { day: '2026-10-10', worked: true, name: '' }, { day: '2026-10-03', worked: false, name: '' }])).toBe(261);
    expect(kindOf('2026-10-10', undefined)).toBe('weekend');
  });
  it('puts days in, takes them out, tells what changed', () => {
    const before = [{ day: '2026-10-01', worked: false, name: '国庆节' }];
    const after = withDay(withDay(before, '2026-10-10', { day: '2026-10-10', worked: true, name: '' }), '2026-10-01', null);
    expect(after.map((d) => d.day)).toEqual(['2026-10-10']);
    expect(changes(before, after)).toEqual(['2026-10-01', '2026-10-10']);
    expect(changes(before, before)).toEqual([]);
  });
  it('reads lines and spans, refuses what it does not understand', () => {
    const { days, wrong } = readDays('2026-10-01~2026-10-03 休 国庆节\n\n2026-10-10 班；2026-02-30 休\n2027-01-01 休\n2026-05-02~2026-05-01 off\nhello', 2026);
    expect(days).toHaveLength(4);
    expect(days[3]).toEqual({ day: '2026-10-10', worked: true, name: '' });
    expect(wrong.map((w) => w.line)).toEqual([4, 5, 6, 7]);
    expect(readDays('2026-01-01~2026-12-31 休', 2026).wrong).toHaveLength(1);
  });
});
