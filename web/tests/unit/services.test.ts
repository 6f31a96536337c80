// Tests of pages of services: ways to apply, the walk through a guidance, the line of progress, pages
// of the form, where a problem is mended, papers, delivery, files that are not sent at all.
import { describe, expect, it } from 'vitest';
import type { ApplicationState, MaterialState } from '../../src/api/applications';
import type { Question } from '../../src/api/items';
import { payAddress } from '../../src/faces/portal/applications/Bills';
import { readForm } from '../../src/components/form';
import { applyPages, CHECK, correctable, deliveryControl, deliveryFaults, FILE_BYTES_MOST, fileRefusal, gone, lacking, mendAt, pageBeside, pageNow } from '../../src/lib/apply';
import { channelHere, pointsFor, readPath, stages, walkGuidance, writePath } from '../../src/lib/services';

const say = (zh: string) => ({ zh, en: zh });

describe('way to apply', () => {
  it.each([
    [['web', 'phone', 'counter'], true, 'phone'], [['web', 'phone'], false, 'web'], [['web'], true, 'web'], [['phone'], false, 'phone'], [['counter', 'hotline'], true, null],
  ] as const)('%j small=%s', (channels, small, way) => expect(channelHere(channels, small)).toBe(way));
});

describe('guidance', () => {
  const tree: Question[] = [
    { name: 'what', ask: say('什么'), options: [{ title: say('饭店'), sets: { business: 'catering' }, next: 'size' }, { title: say('食品店'), sets: { business: 'retail' } }, { title: say('预包装'), stop: say('备案') }, { title: say('别的'), item: 'other' }] },
    { name: 'size', ask: say('多大'), options: [{ title: say('大'), sets: { seats: 100 } }, { title: say('小'), next: 'what' }] },
  ];
  it('begins at the first question', () => expect(walkGuidance(tree, []).end).toMatchObject({ kind: 'ask', question: { name: 'what' } }));
  it('gathers what is settled', () => expect(walkGuidance(tree, [0, 0])).toMatchObject({ end: { kind: 'begin' }, sets: { business: 'catering', seats: 100 } }));
  it('stops with words, or leads to another item', () => {
    expect(walkGuidance(tree, [2]).end).toEqual({ kind: 'stop', words: say('备案') });
    expect(walkGuidance(tree, [3]).end).toEqual({ kind: 'item', item: 'other' });
  });
  it('cuts off what does not fit, and ends in a circle', () => {
    expect(walkGuidance(tree, [9]).end.kind).toBe('ask');
    expect(walkGuidance(tree, [1, 0, 0]).taken).toHaveLength(1);
    expect(() => walkGuidance(tree, Array<number>(200).fill(0).map((_, i) => i % 2))).not.toThrow();
  });
  it.each([['', []], ['0.2.1', [0, 2, 1]], ['x', []], ['1.', []], ['-1', []]] as const)('path %s', (text, path) => expect(readPath(text)).toEqual(path));
  it('writes what it reads', () => expect(readPath(writePath([0, 11, 3]))).toEqual([0, 11, 3]));
});

describe('line of progress', () => {
  it.each([
    ['submitted', false, 'done now ahead ahead'], ['correction', false, 'done now ahead ahead'], ['not_accepted', false, 'done ended ahead ahead'], ['accepted', false, 'done done now ahead'],
    ['approved', false, 'done done done now'], ['approved', true, 'done done done done'], ['refused', false, 'done done ended ahead'], ['withdrawn', false, 'done ended ahead ahead'],
  ] as [ApplicationState, boolean, string][])('%s delivered=%s', (state, delivered, line) => expect(stages(state, delivered).map((s) => s.state).join(' ')).toBe(line));
  it('offers what fits the mark', () => {
    expect(pointsFor(0)).toEqual([]);
    expect(pointsFor(5)).not.toContain('slow');
    expect(pointsFor(1)).not.toContain('fast');
    expect(pointsFor(3)).toEqual(expect.arrayContaining(['fast', 'slow']));
  });
});

const form = readForm({ properties: {
  name: { type: 'string', title: '姓名', 'x-step': 'who' }, married: { type: 'boolean', title: '已婚', 'x-step': 'who' },
  spouse: { type: 'string', title: '配偶', 'x-step': 'spouse', 'x-when': [{ field: 'married', in: [true] }] },
}, 'x-steps': [{ name: 'who', title: '您' }, { name: 'spouse', title: '配偶' }] });
const paper = (part: Partial<MaterialState>): MaterialState => ({ name: 'photo', title: say('照片'), required: true, may_follow: false, following: false, answered_by: null, files: [], note: null, ...part });

describe('pages of the form', () => {
  const pages = applyPages(form, { married: true }, { delivery: ['electronic'] }, [paper({})]);
  it('stand in order, with papers, delivery and the check at the end', () => expect(pages.map((p) => p.name)).toEqual(['who', 'spouse', '_materials', '_delivery', CHECK]));
  it('leave out what is not asked', () => expect(applyPages(form, { married: false }, { delivery: [] }, []).map((p) => p.name)).toEqual(['who', CHECK]));
  it('go on where one was, if it is still there', () => {
    expect(pageNow(pages, null, 'spouse').name).toBe('spouse');
    expect(pageNow(pages, null, 'gone').name).toBe('who');
    expect(pageNow(pages, CHECK, 'spouse').name).toBe(CHECK);
    expect(pageBeside(pages, 'who', 1)?.name).toBe('spouse');
    expect(pageBeside(pages, 'who', -1)).toBeNull();
    expect(pageBeside(pages, CHECK, 1)).toBeNull();
  });
  it.each([
    ['/answers/spouse', 'spouse', 'field-spouse'], ['/materials/photo', '_materials', 'material-photo'], ['/delivery', '_delivery', 'delivery'], ['/delivery/address/mobile', '_delivery', 'delivery-mobile'], ['delivery/address', '_delivery', 'delivery'],
  ] as const)('a problem at %s is mended there', (at, page, control) => expect(mendAt({ at, words: say('x') }, pages)).toEqual({ page, control }));
  it('a problem of the whole is on no page', () => expect(mendAt({ at: '', words: say('x') }, pages)).toBeNull());
  it('names the control of an address', () => expect(deliveryControl('/delivery/address/name')).toBe('delivery-name'));
  it('tells what is not asked any more from what is only not asked now', () => expect(gone({ left_over: { spouse: '李', old: 1 } }, form)).toEqual({ old: 1 }));
});

describe('papers and delivery', () => {
  const file = { id: 'f', name: 'a.pdf', media: 'application/pdf', bytes: 1, at: '' };
  it.each([[{}, 1], [{ required: false }, 0], [{ files: [file] }, 0], [{ answered_by: [{ from: 'licence', kind: 'x' }, say('证')] }, 0], [{ following: true }, 0]] as [Partial<MaterialState>, number][])('%j', (part, n) => expect(lacking([paper(part)])).toHaveLength(n));
  it.each([
    ['a.pdf', 10, [], null], ['a.PDF', 10, ['pdf'], null], ['a.jpg', 10, ['jpeg'], null], ['a.exe', 10, [], 'apply.m_wrong_kind'], ['a', 10, [], 'apply.m_wrong_kind'], ['a.png', 10, ['pdf'], 'apply.m_wrong_kind'],
    ['a.pdf', 0, [], 'apply.m_empty'], ['a.pdf', FILE_BYTES_MOST + 1, [], 'apply.m_too_large'], ['a.pdf.exe', 1, [], 'apply.m_wrong_kind'],
  ] as [string, number, string[], string | null][])('%s %i %j', (name, size, formats, why) => expect(fileRefusal({ name, size }, formats)).toBe(why));
  it('asks for a way, and for an address where the post goes', () => {
    expect(deliveryFaults(null, ['post']).map((f) => f.control)).toEqual(['delivery']);
    expect(deliveryFaults({ way: 'counter' }, ['post']).map((f) => f.control)).toEqual(['delivery']);
    expect(deliveryFaults({ way: 'post' }, ['post']).map((f) => f.control)).toEqual(['delivery-name', 'delivery-mobile', 'delivery-address']);
    expect(deliveryFaults({ way: 'post', address: { name: '王明', mobile: '13900000000', address: '走查路 1 号院' } }, ['post'])).toEqual([]);
    expect(deliveryFaults({ way: 'electronic' }, ['electronic', 'post'])).toEqual([]);
    expect(deliveryFaults(null, [])).toEqual([]);
  });
});

describe('a correction', () => {
  const names = (fields: readonly { name: string }[]) => fields.map((f) => f.name);
  it('opens what it names and nothing else', () => {
    const c = correctable(form, { married: false }, { married: false }, [{ at: 'answers/name' }, { at: 'materials/photo' }]);
    expect([names(c.wanted), names(c.opened), names(c.others)]).toEqual([['name'], [], []]);
  });
  it('asks what the new answer opens', () => {
    const c = correctable(form, { married: false }, { married: true }, [{ at: 'answers/married' }]);
    expect([names(c.wanted), names(c.opened)]).toEqual([['married'], ['spouse']]);
  });
  it('lets everything be changed when something free is asked', () => expect(names(correctable(form, {}, {}, [{ at: '' }]).others)).toEqual(['name', 'married']));
});

describe('paying a bill', () => {
  const page = 'https://city.example/portal/applications/01J';
  it('fills the address of the payment service in, and the way back', () => {
    expect(payAddress('https://pay.example/?o={bill}&a={fen}&r={back}', { id: '01J-1', fen: 5000 }, page))
      .toBe('https://pay.example/?o=01J-1&a=5000&r=https%3A%2F%2Fcity.example%2Fportal%2Fapplications%2F01J%3Fpaid%3D01J-1');
  });
  it.each([[null], [undefined], ['']])('leads nowhere without one', (template) => {
    expect(payAddress(template, { id: '01J-1', fen: 5000 }, page)).toBeNull();
  });
});
