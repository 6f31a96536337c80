// Tests of forms made from a schema: conditions, pages, what is wrong with an answer, words of
// answers, where the server's problems are placed.
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/api/cases';
import { answerOf, asked, askedSteps, fenOf, fieldAt, hints, isCitizenNumber, isCreditCode, notAsked, placed, readForm, sayAnswer, typedOf, wordsOf, wrong, type FormField } from '../../src/components/form';

const SCHEMA = {
  type: 'object',
  required: ['name', 'kind', 'firm'],
  'x-steps': [{ name: 'who', title: '申请人', 'title-en': 'Applicant' }, { name: 'where', title: '地点', 'title-en': 'Place' }],
  properties: {
    place: { type: 'string', title: '地点', format: 'place', 'x-step': 'where' },
    name: { type: 'string', title: '姓名', 'x-title-en': 'Name', 'x-help': '照证件填写', 'x-help-en': 'As on the document', 'x-step': 'who', maxLength: 4, 'x-prefill': 'person.name' },
    kind: { type: 'string', enum: ['person', 'firm'], 'x-words': { person: { zh: '个人', en: 'Person' }, firm: { zh: '企业', en: 'Firm' } }, 'x-step': 'who' },
    firm: { type: 'string', format: 'credit-code', 'x-when': [{ field: 'kind', in: ['firm'] }], 'x-step': 'who' },
    branch: { type: 'boolean', 'x-when': [{ field: 'firm', in: ['911301990000000000'] }] },
    fee: { type: 'integer', format: 'money-fen', minimum: 100, maximum: 100_000 },
    tags: { type: 'array', items: { type: 'string', enum: ['a', 'b', 'c'], 'x-words': { a: { zh: '甲', en: 'A' }, b: { zh: '乙', en: 'B' }, c: { zh: '丙', en: 'C' } } }, maxItems: 2 },
    odd: { type: 'object', properties: {} },
  },
};
const TODAY = '2026-11-25';
const form = readForm(SCHEMA);
const field = (name: string): FormField => { const f = form.fields.find((x) => x.name === name); if (!f) throw new Error(name); return f; };

describe('a pattern', () => {
  const one = (more: Record<string, string>) => readForm({ type: 'object', properties: { account: { type: 'string', title: '账户', pattern: '^[0-9]{10,30}$', ...more } } }).fields[0]!;
  it('says what it wants, in both languages', () => {
    expect(wrong(one({ 'x-rule': '应为 10 至 30 位数字', 'x-rule-en': '10 to 30 digits' }), '62-1')).toEqual({ key: 'form.not_rule', fill: { zh: '应为 10 至 30 位数字', en: '10 to 30 digits' } });
    expect(wrong(one({}), '62-1')).toEqual({ key: 'form.not_pattern' });
  });
});

describe('reading a form', () => {
  it('takes the fields in their order and leaves out what it does not know', () => expect(form.fields.map((f) => f.name)).toEqual(['place', 'name', 'kind', 'firm', 'branch', 'fee', 'tags']));
  it('words fields and steps in both languages', () => {
    expect(field('name').title).toEqual({ zh: '姓名', en: 'Name' });
    expect(field('name').help).toEqual({ zh: '照证件填写', en: 'As on the document' });
    expect(form.steps[0]?.title).toEqual({ zh: '申请人', en: 'Applicant' });
  });
  it('words options by value', () => {
    expect(field('kind').options?.map((o) => o.words.en)).toEqual(['Person', 'Firm']);
    expect(field('tags').options?.map((o) => o.words.zh)).toEqual(['甲', '乙', '丙']);
  });
  it('puts declared steps in their order, and a field without one on a page of its own', () => expect(form.steps.map((s) => [s.name, s.fields.length])).toEqual([['who', 3], ['where', 1], ['branch', 1], ['fee', 1], ['tags', 1]]));
  it.each([null, 'x', 7, [], {}, { properties: 3 }, { properties: { a: null, b: 'x', c: { type: 'null' } } }, { properties: { a: { type: 'string', enum: 'no', 'x-when': 'no' } } }] as Json[])('survives %j', (schema) => expect(() => readForm(schema)).not.toThrow());
  it('reads words in one language or both', () => {
    expect(wordsOf('地点')).toEqual({ zh: '地点', en: '地点' });
    expect(wordsOf({ zh: '地点' })).toEqual({ zh: '地点', en: '地点' });
    expect(wordsOf({})).toBeNull();
  });
});

describe('conditions', () => {
  const names = (answers: Record<string, Json>) => asked(form, answers).map((f) => f.name);
  it('asks when the answer is among the values', () => {
    expect(names({})).toEqual(['place', 'name', 'kind', 'fee', 'tags']);
    expect(names({ kind: 'firm' })).toContain('firm');
    expect(names({ kind: 'person' })).not.toContain('firm');
  });
  it('does not ask what hangs on a question that is not asked', () => {
    expect(names({ kind: 'person', firm: '911301990000000000' })).not.toContain('branch');
    expect(names({ kind: 'firm', firm: '911301990000000000' })).toContain('branch');
  });
  it('tells answers to questions not asked any more', () => expect(notAsked(form, { kind: 'person', firm: 'x', name: '王' })).toEqual(['firm']));
  it('leaves pages without questions out', () => expect(askedSteps(form, {}).map((s) => s.name)).toEqual(['who', 'where', 'fee', 'tags']));
  it('holds all conditions together', () => {
    const two = readForm({ properties: { a: { type: 'boolean' }, b: { type: 'integer' }, c: { type: 'string', 'x-when': [{ field: 'a', in: [true] }, { field: 'b', in: [1, 2] }] } } });
    expect(asked(two, { a: true, b: 2 }).map((f) => f.name)).toContain('c');
    expect(asked(two, { a: true, b: 3 }).map((f) => f.name)).not.toContain('c');
    expect(asked(two, { b: 2 }).map((f) => f.name)).not.toContain('c');
  });
  it('never asks what hangs on a later field, as the engine', () => {
    const later = readForm({ properties: { a: { type: 'string', 'x-when': [{ field: 'b', in: ['x'] }] }, b: { type: 'string' } } });
    expect(asked(later, { b: 'x' }).map((f) => f.name)).toEqual(['b']);
  });
  it('takes one of several choices', () => {
    const several = readForm({ properties: { a: { type: 'array', items: { type: 'string', enum: ['p', 'q'] } }, b: { type: 'string', 'x-when': [{ field: 'a', in: ['q'] }] } } });
    expect(asked(several, { a: ['p', 'q'] }).map((f) => f.name)).toEqual(['a', 'b']);
    expect(asked(several, { a: ['p'] }).map((f) => f.name)).toEqual(['a']);
  });
  it('ends at a circle and never asks it', () => {
    const circle = readForm({ properties: { a: { type: 'string', 'x-when': [{ field: 'b', in: ['x'] }] }, b: { type: 'string', 'x-when': [{ field: 'a', in: ['x'] }] } } });
    expect(asked(circle, { a: 'x', b: 'x' })).toEqual([]);
  });
});

describe('what is wrong with an answer', () => {
  it.each([['130199199001010016', true], ['13019919900101001X', false], ['130199199013010010', false], ['', false], ['abc', false]] as const)('citizen number %s', (number, fine) => {
    // The first one is made with its check character here, so the test does not trust the code it tests.
    const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const own = '1 0 X 9 8 7 6 5 4 3 2'.split(' ')[[...number.slice(0, 17)].reduce((s, d, i) => s + Number(d) * (weights[i] ?? 0), 0) % 11];
    const real = number.length === 18 && fine ? number.slice(0, 17) + own : number;
    expect(isCitizenNumber(real)).toBe(fine);
  });
  it.each([['91350100M000100Y43', true], ['91350100M000100Y44', false], ['91350100I000100Y43', false]] as const)('credit code %s (GB 32100 annex)', (code, fine) => expect(isCreditCode(code)).toBe(fine));
  it.each([
    ['name', '张三李四王', 'form.too_long'], ['name', '张三', null], ['fee', 99, 'form.too_small'], ['fee', 100_001, 'form.too_big'], ['fee', 'abc', 'form.not_money'], ['fee', 500, null],
    ['tags', ['a', 'b', 'c'], 'form.too_many'], ['tags', ['x'], 'form.not_choice'], ['kind', 'other', 'form.not_choice'], ['branch', 'yes', 'form.not_type'], ['firm', '1', 'form.not_credit'],
  ] as [string, Json, string | null][])('%s = %j', (name, value, key) => expect(wrong(field(name), value)?.key ?? null).toBe(key));
  it.each([['2026-02-28', null], ['2026-02-30', 'form.not_date'], ['28.2.2026', 'form.not_date']] as const)('date %s', (value, key) => expect(wrong({ ...field('place'), format: 'date' }, value)?.key ?? null).toBe(key));
  it('names what is missing, only of what is asked', () => {
    const found = hints(form, { kind: 'person' }, TODAY);
    expect([...found.keys()]).toEqual(['name']);
    expect([...hints(form, { kind: 'firm' }, TODAY).keys()]).toEqual(['name', 'firm']);
    expect(hints(form, {}, TODAY).get('kind')?.key).toBe('form.choose');
  });
  const dated = readForm({ properties: { from: { type: 'string', format: 'date', 'x-not-after': 'today' }, to: { type: 'string', format: 'date', 'x-after': 'from' }, later: { type: 'string', format: 'date', 'x-not-before': 'from' } } });
  it.each([
    [{ from: '2026-11-25' }, []], [{ from: '2026-11-26' }, ['from']], [{ from: '2026-01-01', to: '2026-01-01' }, ['to']], [{ from: '2026-01-01', to: '2026-01-02' }, []],
    [{ from: '2026-01-02', later: '2026-01-01' }, ['later']], [{ later: '2020-01-01' }, []],
  ] as [Record<string, Json>, string[]][])('days beside each other %j', (answers, faulty) => expect([...hints(dated, answers, TODAY).keys()]).toEqual(faulty));
  it.each([['114.502461,38.045474', null], ['114.5，38.0', 'form.not_place'], ['200,38', 'form.not_place'], ['x', 'form.not_place']] as const)('place %s', (value, key) => expect(wrong(field('place'), value)?.key ?? null).toBe(key));
  it('leaves a pattern no browser knows to the server', () => expect(wrong({ ...field('name'), pattern: '(' }, '张')).toBeNull());
});

describe('money and words', () => {
  it.each([['1200.5', 120_050], ['1,200.50元', 120_050], ['¥3', 300], ['0.01', 1], ['-5', -500], ['1.234', null], ['', null], ['a', null], ['99999999999999999', null]] as const)('%s yuan', (text, fen) => expect(fenOf(text)).toBe(fen));
  it('types on what was answered', () => {
    expect(typedOf(field('fee'), 120_050)).toBe('1200.50');
    expect(typedOf(field('fee'), 300)).toBe('3');
    expect(answerOf(field('fee'), typedOf(field('fee'), 120_050))).toBe(120_050);
    expect(answerOf(field('firm'), ' 9135 0100m000100y43 ')).toBe('91350100M000100Y43');
    expect(answerOf({ ...field('name'), format: 'mobile' }, '+86 139-0000-0000')).toBe('13900000000');
  });
  const words = { yes: '是', no: '否', none: '—' };
  it('says answers', () => {
    expect(sayAnswer(field('kind'), 'firm', 'en', words)).toBe('Firm');
    expect(sayAnswer(field('tags'), ['a', 'c'], 'zh', words)).toBe('甲、丙');
    expect(sayAnswer(field('branch'), true, 'zh', words)).toBe('是');
    expect(sayAnswer(field('fee'), 120_050, 'zh', words)).toBe('¥1,200.50');
    expect(sayAnswer(field('name'), '', 'zh', words)).toBe('—');
    expect(sayAnswer(undefined, 'kept', 'zh', words)).toBe('kept');
  });
});

describe('problems of the server', () => {
  it.each([['/answers/name', 'name'], ['answers/name', 'name'], ['name', 'name'], ['/materials/photo', null], ['', null]] as const)('%s', (at, name) => expect(fieldAt(at)).toBe(name));
  it('stand at their field, the others on top', () => {
    const said = { zh: '错', en: 'wrong' };
    const found = placed([{ at: '/answers/name', words: said }, { at: '/materials/photo', words: said }, { at: '/answers/gone', words: said }], ['name'], 'en');
    expect(found.fields).toEqual({ name: ['wrong'] });
    expect(found.rest.map((p) => p.at)).toEqual(['/materials/photo', '/answers/gone']);
  });
});
