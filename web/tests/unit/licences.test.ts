// Tests of licences: rows of a table made into licences with every fault named, marks of verdicts,
// where a licence stands, the countdown of a code, what was scanned, what is sent.
import { describe, expect, it } from 'vitest';
import type { Licence, LicenceType, LicenceUse, Verdict } from '../../src/api/licences';
import { qrPath } from '../../src/components/QrCode';
import { licenceFrom } from '../../src/faces/desk/licences/Issue';
import { faultsOf } from '../../src/faces/desk/licences/IssueMany';
import { typeNow } from '../../src/faces/desk/licences/Licences';
import { wrongOf } from '../../src/faces/desk/licences/Requests';
import { useOf } from '../../src/faces/portal/licences/Present';
import { wrongWith } from '../../src/faces/portal/licences/Verify';
import { ApiError, fileNameOf } from '../../src/api/client';
import { csv } from '../../src/lib/csv';
import { changesOf, dayOf, headOf, licencesOf, placeOf, records } from '../../src/lib/licenceRows';
import { CHANGES, codeOf, isCode, isDocument, isIdentifier, lastDay, secondsLeft, standing, VERDICTS, verdictLook } from '../../src/lib/licences';

const words = (zh: string, en: string) => ({ zh, en });
const field = (name: string, zh: string, kind: LicenceType['fields'][number]['kind'], required = false) => ({ name, title: words(zh, name), kind, required, personal: false, longest: 10 });
const food: LicenceType = {
  name: 'food_permit', code: '11130199000000019E001', title: words('食品经营许可证', 'Food permit'), issuer: 'market', holder: 'legal', grade: 'A', basis: '《食品安全法》',
  fields: [
    field('address', '经营场所', { type: 'text' }, true), field('category', '主体业态', { type: 'choice', of: [['restaurant', words('餐饮服务', 'Restaurant')], ['shop', words('食品销售', 'Shop')]] }, true),
    field('area', '面积', { type: 'number' }), field('seats', '座位', { type: 'integer' }), field('open_kitchen', '明厨亮灶', { type: 'boolean' }), field('checked', '核查日期', { type: 'date' }),
  ],
  minimum: ['holder_name'], public: [], authority: words('市场监督管理局', 'Market bureau'), authority_code: '11130199000000019E',
};
const HEAD = '签发依据,持证主体代码,持证主体,经营场所,主体业态,面积,座位,明厨亮灶,核查日期,有效期起,有效期止';
const ROW = 'case/1,91130199MA00000010,甲饭店,中山路1号,餐饮服务,88.5,40,是,2026/3/5,2026-11-01,2031-10-31';
const faults = (text: string, type = food) => licencesOf(text, type).faults.map((f) => `${f.line} ${f.column} ${f.key}`);

describe('records of a table', () => {
  it('reads quotes, line ends and what spreadsheets paste', () => {
    expect(records('\uFEFFa,b\r\n"x, ""y""\nz",2\r\n')).toEqual([['a', 'b'], ['x, "y"\nz', '2']]);
    expect(records('a\tb\n1,5\t2')).toEqual([['a', 'b'], ['1,5', '2']]);
    expect(records('a,b\n"open')).toBe(null);
    expect(records('a,\n')).toEqual([['a', '']]);
  });
});

describe('rows made into licences', () => {
  it('makes a licence with every value in its type', () => {
    const { licences, faults: none } = licencesOf(`${HEAD}\n${ROW}\n`, food);
    expect(none).toEqual([]);
    expect(licences).toEqual([{
      kind: 'food_permit', source: 'case/1', holder: { document: 'credit_code', number: '91130199MA00000010', name: '甲饭店' },
      fields: { address: '中山路1号', category: 'restaurant', area: 88.5, seats: 40, open_kitchen: true, checked: '2026-03-05' }, valid_from: '2026-11-01', valid_to: '2031-10-31',
    }]);
  });
  it('leaves out what is not filled in', () => {
    const { licences } = licencesOf('source,holder_number,holder_name,address,category,area\ns1,9113,甲,路,shop,', food);
    expect(licences[0]?.fields).toEqual({ address: '路', category: 'shop' });
    expect(licences[0]).not.toHaveProperty('valid_from');
  });
  it('names every fault of every row and issues nothing', () => {
    const bad = `${HEAD}\ncase/1,9113,,很长很长很长很长很长很长,茶馆,八十,4.5,也许,2026-02-30,2026-11-02,2026-11-01\n\n${ROW}\n`;
    expect(faults(bad)).toEqual([
      '2 经营场所 lic.bad_long', '2 主体业态 lic.bad_choice', '2 面积 lic.bad_number', '2 座位 lic.bad_integer', '2 明厨亮灶 lic.bad_boolean', '2 核查日期 lic.bad_date',
      '2 持证主体 lic.bad_required', '2 有效期止 lic.bad_order', '4 签发依据 lic.bad_source_twice',
    ]);
    expect(licencesOf(bad, food).licences).toEqual([]);
  });
  const heads: [string, string, string[]][] = [
    ['an unknown column', `${HEAD},颜色\n${ROW},红`, ['1 颜色 lic.bad_column']],
    ['a column twice', `${HEAD},面积\n${ROW},1`, ['1 面积 lic.bad_twice']],
    ['columns that are missing', '签发依据,持证主体代码,经营场所\na,b,c', ['1 持证主体 lic.bad_missing_column', '1 主体业态 lic.bad_missing_column']],
    ['more cells than columns', `${HEAD}\n${ROW},多`, ['2  lic.bad_more']],
    ['nothing at all', '  \n', ['1  lic.bad_empty']],
    ['a head alone', HEAD, ['1  lic.bad_empty']],
    ['an open quote', `${HEAD}\n"x`, ['1  lic.bad_quote']],
    ['too many rows', [HEAD, ...Array.from({ length: 1001 }, (_, i) => ROW.replace('case/1', `case/${i}`))].join('\n'), ['1  lic.bad_many']],
  ];
  it.each(heads)('refuses %s', (_, text, expected) => expect(faults(text)).toEqual(expected));
  it('refuses a document such a holder cannot have, and demands one where both kinds hold', () => {
    const either: LicenceType = { ...food, holder: 'either', fields: [] };
    const head = '签发依据,证件类型,持证主体代码,持证主体\n';
    expect(faults(`${head}a,居民身份证,1,甲`, { ...food, fields: [] })).toEqual(['2 证件类型 lic.bad_document']);
    expect(faults(`${head}a,,1,甲`, either)).toEqual(['2 证件类型 lic.bad_required']);
    expect(licencesOf(`${head}a,居民身份证,1,甲\nb,统一社会信用代码,2,乙`, either).licences.map((l) => l.holder.document)).toEqual(['citizen_number', 'credit_code']);
  });
  it('makes an empty table that it reads itself', () => {
    const clash: LicenceType = { ...food, fields: [...food.fields, field('shop_name', '名称', { type: 'text' })] };
    expect(headOf(clash).at(-1)).toBe('shop_name');
    const cells = ['s', '统一社会信用代码', '9113', '甲', '', '', '路', '食品销售', '', '', '', '', '乙店'];
    expect(licencesOf(csv(headOf(clash), [cells]), clash).licences[0]).toMatchObject({ source: 's', holder: { name: '甲' }, fields: { address: '路', category: 'shop', shop_name: '乙店' } });
  });
  it('knows days that exist', () => expect(['2026-1-5', '2024/02/29', '2026-02-29', '5.1.2026', '2026-13-01'].map(dayOf)).toEqual(['2026-01-05', '2024-02-29', null, null, null]));
  it('puts what the server refused at its row of the table', () => {
    const error = new ApiError({ code: 'input.invalid', status: 422, problems: [{ at: 'rows/1/fields/area', words: words('应为数值', 'a number') }, { at: '', words: words('太多', 'too many') }] });
    expect(faultsOf(error, [2, 5], 'zh', (f) => f.toUpperCase())).toEqual([{ line: 5, column: 'FIELDS/AREA', text: '应为数值' }, { line: null, column: '', text: '太多' }]);
    expect(placeOf('rows/12/holder/number')).toEqual({ row: 12, field: 'holder/number' });
  });
});

describe('a licence issued in place of another', () => {
  it('sends what changed, null for what is emptied, and names what is wrong', () => {
    const now = { address: '路 1 号', category: 'shop', area: 20 };
    expect(changesOf(food, now, { address: '路 1 号', category: 'shop', area: '' })).toEqual({ fields: { area: null }, wrong: {} });
    expect(changesOf(food, now, { address: '路 2 号', category: 'shop', area: '20' })).toEqual({ fields: { address: '路 2 号' }, wrong: {} });
    expect(Object.keys(changesOf(food, now, { address: '', category: 'shop', area: 'x' }).wrong)).toEqual(['address', 'area']);
  });
});

describe('the form of one licence', () => {
  it('names what is missing or wrong by the names of the server', () => {
    const { wrong } = licenceFrom(food, 'credit_code', { 'holder/number': '9113', 'fields/area': 'x', valid_from: '2026-11-02', valid_to: '2026-11-01' });
    expect(Object.keys(wrong).sort()).toEqual(['fields/address', 'fields/area', 'fields/category', 'holder/name', 'source', 'valid_to']);
  });
  it('sends only what was said', () => {
    const { licence, wrong } = licenceFrom(food, 'credit_code', { source: ' s ', 'holder/number': '9113', 'holder/name': '甲', 'fields/address': '路', 'fields/category': 'shop', 'fields/seats': '3', serial: '' });
    expect(wrong).toEqual({});
    expect(licence).toEqual({ kind: 'food_permit', source: 's', holder: { document: 'credit_code', number: '9113', name: '甲' }, fields: { address: '路', category: 'shop', seats: 3 } });
  });
});

describe('where a licence stands', () => {
  const at = (text: string) => Date.parse(text);
  const of = (state: Licence['state'], to: string | null = '2027-01-01T00:00:00+08:00') => ({ state, valid_from: '2026-01-01T00:00:00+08:00', valid_to: to });
  const cases: [Licence['state'], string, Verdict][] = [
    ['in_force', '2026-06-01T00:00:00+08:00', 'valid'], ['in_force', '2025-12-31T23:59:59+08:00', 'not_yet_valid'], ['in_force', '2026-12-31T23:59:59+08:00', 'valid'], ['in_force', '2027-01-01T00:00:00+08:00', 'expired'],
    ['suspended', '2026-06-01T00:00:00+08:00', 'suspended'], ['suspended', '2027-06-01T00:00:00+08:00', 'expired'], ['withdrawn', '2026-06-01T00:00:00+08:00', 'revoked'], ['replaced', '2030-06-01T00:00:00+08:00', 'revoked'],
  ];
  it.each(cases)('%s at %s: %s', (state, now, verdict) => expect(standing(of(state), at(now))).toBe(verdict));
  it('has no end when it says none', () => {
    expect(standing(of('in_force', null), at('2999-01-01T00:00:00+08:00'))).toBe('valid');
    expect(lastDay(null)).toBe(null);
    expect(lastDay('2027-01-01T00:00:00+08:00')).toBe('2026-12-31');
  });
  it('tells every verdict by its shape alone', () => expect(new Set(VERDICTS.map((v) => verdictLook[v].shape)).size).toBe(8));
  it('offers nothing once it is over', () => {
    const open = (state: Licence['state']) => CHANGES.filter((c) => c.from.includes(state)).map((c) => c.to);
    expect(open('in_force')).toEqual(['suspended', 'withdrawn', 'cancelled', 'penalty']);
    expect(open('suspended')).toEqual(['in_force', 'withdrawn', 'cancelled', 'penalty']);
    expect((['withdrawn', 'cancelled', 'penalty', 'replaced'] as const).flatMap(open)).toEqual([]);
  });
});

describe('a code that is shown', () => {
  const end = '2026-11-21T10:01:00+08:00';
  const left = (seconds: number) => secondsLeft(Date.parse(end), Date.parse(end) - seconds * 1000, 60);
  it('counts down and never below none or above what was asked', () => expect([90, 60, 59.2, 0.1, 0, -5].map(left)).toEqual([60, 60, 60, 1, 0, 0]));
  it('is over when its end is unreadable', () => expect(secondsLeft(Number.NaN, 0, 60)).toBe(0));
  it('is found behind # of an address, or is the text itself', () => {
    const token = 'Zk3v_0-QYq5r8m1nB7cWxE2sT9uLpA4dHfGjKiOoXyz';
    expect([`https://city.example/verify#${token}`, ` ${token}\n`, `#${token}`].map(codeOf)).toEqual([token, token, token]);
    expect(isCode(token)).toBe(true);
    expect(['', 'short', 'https://city.example/verify', `${token} `].map(isCode)).toEqual([false, false, false, false]);
  });
  it('is known to be used by a use after it was made, and by no other', () => {
    const use = (way: string, at: string) => ({ id: at, way, at }) as LicenceUse;
    const made = { presentation: { token: '', url: '', expires_at: end, fields: [] }, seconds: 60 };
    expect(useOf([use('office', '2026-11-21T10:00:30+08:00'), use('token', '2026-11-21T09:59:59+08:00')], made)).toBe(undefined);
    expect(useOf([use('token', '2026-11-21T10:00:10+08:00')], made)?.id).toBe('2026-11-21T10:00:10+08:00');
  });
  it('is drawn with its three finders and a quiet zone of four', () => {
    const { d, size } = qrPath('https://city.example/verify#Zk3v_0-QYq5r8m1nB7cWxE2sT9uLpA4dHfGjKiOoXyz');
    expect((size - 8 - 17) % 4).toBe(0);
    for (const corner of ['M4 4h7', `M${size - 11} 4h7`, `M4 ${size - 11}h7`]) expect(d).toContain(corner);
    expect(Math.min(...[...d.matchAll(/M(\d+) (\d+)h/g)].flatMap((m) => [Number(m[1]), Number(m[2])]))).toBe(4);
  });
});

describe('the QR of a print', () => {
  const identifier = '1.2.156.3005.2.11130199000000019E001.11130199000000019E.000001.001.X';
  it('carries an identifier, which no code looks like', () => {
    expect(codeOf(`https://city.example/verify#${identifier}`)).toBe(identifier);
    expect([identifier, '1.2', '', 'Zk3v_0-QYq5r8m1nB7cWxE2sT9uLpA4dHfGjKiOoXyz', 'a.b.c.d.e.f', `${identifier} `].map(isIdentifier)).toEqual([true, false, false, false, false, false]);
    expect(isCode(identifier)).toBe(false);
  });
});

describe('the name of a file', () => {
  it('is read in any script, and a broken one is none', () => {
    expect(fileNameOf('attachment; filename="a.pdf"; filename*=UTF-8\'\'%E8%AF%81%E7%85%A7.pdf')).toBe('证照.pdf');
    expect([null, 'inline', 'attachment; filename="a.pdf"', "attachment; filename*=UTF-8''%E8%"].map(fileNameOf)).toEqual([null, null, 'a.pdf', null]);
  });
});

describe('what is typed to verify', () => {
  const good = { token: 'Zk3v_0-QYq5r8m1nB7cWxE2sT9uLpA4dHfGjKiOoXyz', identifier: '', name: '', document: '', verifier: '某宾馆', purpose: '入住' };
  it('sends what is whole', () => expect(wrongWith('token', good)).toEqual({}));
  it('says who and what for is missing', () => expect(wrongWith('token', { ...good, verifier: '甲', purpose: '  ' })).toEqual({ verifier: 'verify.need_words', purpose: 'verify.need_words' }));
  it('demands what the way needs', () => {
    expect(wrongWith('token', { ...good, token: 'x' })).toEqual({ token: 'verify.need_code' });
    expect(wrongWith('identifier', good)).toEqual({ identifier: 'verify.need_identifier', name: 'verify.need_name' });
    expect(wrongWith('document', { ...good, document: 'hello' })).toEqual({ document: 'verify.need_document' });
    expect(wrongWith('document', { ...good, document: `a.b.c~${'d'.repeat(70_000)}` })).toEqual({ document: 'verify.too_large' });
  });
  it('knows the form of a signed document', () => {
    expect(['eyJ.eyJ.sig~WyJ4~', 'eyJ.eyJ.sig~WyJ4~eyJ.eyJ.sig', 'eyJ.eyJ.sig'].map(isDocument)).toEqual([true, true, true]);
    expect(['eyJ.eyJ', 'a b', ''].map(isDocument)).toEqual([false, false, false]);
  });
});

it('opens the type the address names, else one of the own organisation', () => {
  const other = { ...food, name: 'driver', issuer: 'transport' };
  expect([typeNow([other, food], 'driver', 'market')?.name, typeNow([other, food], '', 'market')?.name, typeNow([other, food], 'nothing', 'market')?.name, typeNow([other], '', 'market')?.name]).toEqual(['driver', 'food_permit', undefined, undefined]);
});

describe('asking a wallet', () => {
  const type = { name: 'food', title: { zh: '', en: '' }, fields: [], minimum: [] } as unknown as LicenceType;
  it.each([
    [undefined, [], 'x', ['kind', 'purpose']],
    [type, [], '核对资格', ['fields']],
    [type, ['holder_name'], ' x ', ['purpose']],
    [type, ['holder_name'], '字'.repeat(101), ['purpose']],
    [type, ['holder_name'], '核对资格', []],
  ] as const)('names everything that is missing', (of, fields, purpose, wrong) => {
    expect(Object.keys(wrongOf(of, fields, purpose))).toEqual(wrong);
  });
});
