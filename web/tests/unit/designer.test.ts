// Tests of the item designer: operations on the form keep what the contract (docs/items.md) asks for,
// references follow, what changed is said in words.
import { describe, expect, it } from 'vitest';
import { readForm } from '../../src/components/form';
import { addField, addStep, askableBefore, brokenConditions, choicesOf, emptyForm, EXTRAS, fieldNames, freshName, isRequired, kindOf, KINDS, moveField, nodeOf, removeField, renameField, setField, setRequired, stepsOf, valuesOf, whensOf, withChoices, withKind, withSteps, type Content } from '../../src/lib/designer';
import { changesOf, copyOf, fieldOf, guidanceTree, isItemName, newContent, problemsByTab, tabOf } from '../../src/lib/itemContent';
import { itemRefusal } from '../../src/faces/desk/items/Versions';
import type { FormSchema } from '../../src/api/items';
import panel from '../../src/faces/desk/items/FieldPanel.tsx?raw';

const words = (zh: string) => ({ zh, en: zh });
const food = (): FormSchema => ({
  type: 'object', required: ['premises', 'business'],
  'x-steps': [{ name: 'place', title: '经营场所', 'title-en': 'Premises' }, { name: 'business', title: '经营内容', 'title-en': 'Business' }],
  properties: {
    premises: { type: 'string', title: '经营场所', 'x-title-en': 'Premises', 'x-step': 'place', maxLength: 100 },
    business: { type: 'string', title: '主体业态', 'x-title-en': 'Kind of business', 'x-step': 'business', enum: ['retail', 'catering'], 'x-words': { retail: { zh: '销售', en: 'Retail' }, catering: { zh: '餐饮', en: 'Catering' } } },
    seats: { type: 'integer', title: '座位数', 'x-title-en': 'Seats', 'x-step': 'business', minimum: 1, 'x-when': [{ field: 'business', in: ['catering'] }] },
  },
});
const item = (): Content => ({
  ...newContent(words('食品经营许可'), 'data_bureau'), form: food(),
  materials: [{ name: 'layout', title: words('平面图'), required: true, may_follow: false, when: [{ field: 'business', in: ['catering'] }], sources: [{ from: 'register', register: 'shop', key: 'form.premises' }], formats: [], most: null, note: null }],
  guidance: [{ name: 'what', ask: words('开什么'), options: [{ title: words('饭店'), sets: { business: 'catering' } }, { title: words('食品店'), sets: { business: 'retail' } }] }],
  outcome: { title: words('许可证'), licence: 'food', fields: { premises: 'form.premises', kind: 'form.business', issued: '=2026' }, holder: null },
});

describe('fields of a form', () => {
  it('adds every kind as the contract writes it, behind the chosen one and on its step', () => {
    for (const kind of KINDS) {
      const { form, name } = addField(food(), kind, 'premises', { zh: '新题', en: 'New' });
      expect(fieldNames(form)[1]).toBe(name);
      expect(kindOf(nodeOf(form, name))).toBe(kind);
      expect(nodeOf(form, name)['x-step']).toBe('place');
      expect(readForm(form).fields.map((f) => f.name)).toEqual(['premises', name, 'business', 'seats']);
    }
    expect(nodeOf(addField(emptyForm(), 'money', null, words('金额')).form, 'money')).toMatchObject({ type: 'integer', format: 'money-fen', minimum: 0 });
    expect(nodeOf(addField(emptyForm(), 'choices', null, words('多选')).form, 'choices')).toMatchObject({ type: 'array', items: { type: 'string', enum: ['option_1', 'option_2'] } });
  });
  it('changes the kind, keeps words and choices, leaves what does not fit behind', () => {
    const several = withKind(nodeOf(food(), 'business'), 'choices');
    expect(choicesOf(several).map((c) => c.value)).toEqual(['retail', 'catering']);
    expect(several['enum']).toBeUndefined();
    const day = withKind({ ...nodeOf(food(), 'premises'), pattern: 'x' }, 'date');
    expect(day).toEqual({ type: 'string', format: 'date', title: '经营场所', 'x-title-en': 'Premises', 'x-step': 'place' });
  });
  it('writes choices with words for every value', () => {
    const node = withChoices({ type: 'string' }, [{ value: 'a', words: { zh: '甲', en: 'A' } }]);
    expect(node).toEqual({ type: 'string', enum: ['a'], 'x-words': { a: { zh: '甲', en: 'A' } } });
  });
  it('moves within bounds and says which conditions that breaks', () => {
    expect(fieldNames(moveField(food(), 'seats', 99))).toEqual(['premises', 'business', 'seats']);
    const moved = moveField(food(), 'seats', -5);
    expect(fieldNames(moved)).toEqual(['seats', 'premises', 'business']);
    expect(brokenConditions(moved)).toEqual([{ name: 'seats', field: 'business' }]);
    expect(brokenConditions(food())).toEqual([]);
  });
  it('keeps required in the order of the form, after a move too', () => {
    expect(setRequired(food(), 'seats', true)['required']).toEqual(['premises', 'business', 'seats']);
    expect(moveField(food(), 'premises', 2)['required']).toEqual(['business', 'premises']);
    expect(isRequired(setRequired(food(), 'premises', false), 'premises')).toBe(false);
  });
  it('takes a keyword away when it is emptied, and keeps a zero', () => {
    expect(nodeOf(setField(food(), 'seats', { minimum: 0, 'x-when': [], 'x-help': '' }), 'seats')).toEqual({ type: 'integer', title: '座位数', 'x-title-en': 'Seats', 'x-step': 'business', minimum: 0 });
  });
  it('lets a condition look only at choices before it', () => {
    expect(askableBefore(food(), 'seats')).toEqual(['business']);
    expect(askableBefore(food(), 'business')).toEqual([]);
    expect(askableBefore(food(), null)).toEqual(['business']);
    expect(valuesOf(food(), 'business')).toEqual(['retail', 'catering']);
  });
  it('makes names that are free and valid', () => {
    expect(freshName([], 'Shop Name!')).toBe('shop_name');
    expect(freshName(['field', 'field_2'], 'field')).toBe('field_3');
    expect(freshName([], '座位')).toBe('field');
  });
});

describe('references to a field', () => {
  it('follow a rename everywhere, and drafts find it by its old name', () => {
    const to = renameField(item(), 'business', 'trade');
    expect(fieldNames(to.form)).toEqual(['premises', 'trade', 'seats']);
    expect(nodeOf(to.form, 'trade')['x-was']).toBe('business');
    expect(to.form?.['required']).toEqual(['premises', 'trade']);
    expect(whensOf(nodeOf(to.form, 'seats'))).toEqual([{ field: 'trade', in: ['catering'] }]);
    expect(to.materials?.[0]?.when).toEqual([{ field: 'trade', in: ['catering'] }]);
    expect(to.guidance?.[0]?.options[0]?.sets).toEqual({ trade: 'catering' });
    expect(to.outcome?.fields).toEqual({ premises: 'form.premises', kind: 'form.trade', issued: '=2026' });
    expect(renameField(item(), 'premises', 'site').materials?.[0]?.sources).toEqual([{ from: 'register', register: 'shop', key: 'form.site' }]);
  });
  it('are not touched by a name that is wrong or taken', () => {
    for (const name of ['seats', 'Trade', '1st', '', 'a'.repeat(41)]) expect(renameField(item(), 'business', name)).toEqual(item());
  });
  it('go with a field that is removed', () => {
    const left = removeField(item(), 'business');
    expect(fieldNames(left.form)).toEqual(['premises', 'seats']);
    expect(nodeOf(left.form, 'seats')['x-when']).toBeUndefined();
    expect(left.materials?.[0]?.when).toEqual([]);
    expect(left.guidance?.[0]?.options.map((o) => o.sets)).toEqual([{}, {}]);
    expect(left.outcome?.fields).toEqual({ premises: 'form.premises', issued: '=2026' });
  });
  it('a date that hangs on a removed one hangs on none', () => {
    const form: FormSchema = { type: 'object', required: [], properties: { a: { type: 'string', format: 'date', title: '起' }, b: { type: 'string', format: 'date', title: '止', 'x-not-before': 'a' } } };
    expect(nodeOf(removeField({ form }, 'a').form, 'b')['x-not-before']).toBeUndefined();
    expect(nodeOf(renameField({ form }, 'a', 'c').form, 'b')['x-not-before']).toBe('c');
  });
});

describe('steps', () => {
  it('take every field in when the first is made', () => {
    const { 'x-steps': _, ...plain } = food();
    const one = addStep({ ...plain, properties: { a: { type: 'string', title: 'a' }, b: { type: 'string', title: 'b' } } }, words('第一步'));
    expect(stepsOf(one).map((s) => s.name)).toEqual(['step']);
    expect(fieldNames(one).map((n) => nodeOf(one, n)['x-step'])).toEqual(['step', 'step']);
  });
  it('give their fields to the first when they are removed, and go wholly', () => {
    const one = withSteps(food(), stepsOf(food()).slice(0, 1));
    expect(fieldNames(one).map((n) => nodeOf(one, n)['x-step'])).toEqual(['place', 'place', 'place']);
    const none = withSteps(food(), []);
    expect(none['x-steps']).toBeUndefined();
    expect(nodeOf(none, 'seats')['x-step']).toBeUndefined();
  });
});

describe('an item', () => {
  it('finds the tab and field of a problem', () => {
    expect(['/form/properties/seats/type', '/materials/0/title', '/task_code', '/process', '/desk_forms/review', '/outcome/fields/x', '', '/fees/0'].map(tabOf)).toEqual(['form', 'materials', 'basics', 'flow', 'flow', 'outcome', 'basics', 'basics']);
    expect(fieldOf('/form/properties/seats/type')).toBe('seats');
    expect(fieldOf('/form/x-steps/0')).toBe(null);
    expect(problemsByTab([{ at: '/form', words: words('') }, { at: '/form/required', words: words('') }, { at: '/title', words: words('') }])).toEqual({ form: 2, basics: 1 });
  });
  it('is copied without the codes that are its own', () => {
    const copy = copyOf({ ...item(), task_code: 'x', catalogue_code: 'y' }, words('副本'));
    expect([copy.title?.zh, copy.task_code, copy.catalogue_code, fieldNames(copy.form).length]).toEqual(['副本', '', '', 3]);
  });
  it('has names as the server takes them', () => expect(['food_permit', 'a', 'A_b', 'x'.repeat(61)].map(isItemName)).toEqual([true, false, false, false]));
  it('shows guidance as a tree, circles and strays included', () => {
    const q = (name: string, ...next: string[]) => ({ name, ask: words(name), options: next.map((n) => ({ title: words(n), next: n })) });
    expect(guidanceTree([q('a', 'b', 'c'), q('b', 'a'), q('c'), q('d')]).map((r) => `${r.question.name}${r.depth}`)).toEqual(['a0', 'b1', 'c1', 'd-1']);
  });
  it('says what changed', () => {
    let now = renameField(item(), 'business', 'trade');
    now = { ...now, promised: { days: 5, count: 'working_days' }, title: words('食品许可'), materials: [] };
    now = removeField(now, 'seats');
    const added = addField(now.form ?? {}, 'text', null, words('招牌'));
    now = { ...now, form: setRequired(added.form, added.name, true) };
    const keys = changesOf(item(), now, (w) => w?.zh ?? '').map((c) => `${c.key} ${Object.values(c.fill).join('>')}`.trim());
    expect(keys).toContain('compare.title 食品经营许可>食品许可');
    expect(keys).toContain('compare.promised 10>5');
    expect(keys).toContain('compare.field_added 招牌');
    expect(keys).toContain('compare.field_removed 座位数');
    expect(keys).toContain('compare.material_removed 平面图');
    // A renamed field is neither new nor gone.
    expect(keys.filter((k) => k.includes('主体业态'))).toEqual([]);
    expect(changesOf(item(), item(), () => '')).toEqual([]);
    // What is left out is as empty as what is said to be empty, in whatever order it is written.
    const { keywords: _1, fees: _2, instant: _3, ...short } = item();
    const { outcome: last, ...rest } = short;
    expect(changesOf(item(), { outcome: last, ...rest, materials: [{ title: words('平面图'), name: 'layout', when: [{ field: 'business', in: ['catering'] }], sources: item().materials?.[0]?.sources ?? [] } as never] }, () => '')).toEqual([]);
    expect(changesOf(item(), { ...item(), instant: true }, () => '').map((c) => c.key)).toEqual(['compare.instant']);
  });
  const refusals: [Parameters<typeof itemRefusal>, string | null][] = [
    [['publish', 'drafted', 0, true, 0], null], [['publish', 'in_force', 1, true, 2], 'design.no_problems'], [['publish', 'in_force', 1, false, 0], 'design.no_change'], [['publish', 'cancelled', 1, true, 0], 'design.no_cancelled'],
    [['roll_back', 'in_force', 1, false, 0], 'design.no_earlier'], [['roll_back', 'in_force', 2, false, 0], null], [['suspend', 'suspended', 1, false, 0], 'design.no_in_force'], [['resume', 'suspended', 1, false, 0], null], [['cancel', 'drafted', 0, true, 0], 'design.no_in_force'], [['discard', 'drafted', 0, true, 0], null],
  ];
  it.each(refusals)('%j → %s', (args, why) => expect(itemRefusal(...args)).toBe(why));
});

describe('the panel of a field', () => {
  it('has a control for every keyword of every kind', () => {
    const words = new Set(Object.values(EXTRAS).flat());
    const lacking = [...words, 'title', 'x-help', 'x-step', 'x-personal', 'x-when', 'x-was', 'description'].filter((word) => !panel.includes(`/${word}\``) && !panel.includes(`'${word}'`));
    expect(lacking).toEqual([]);
  });
});
