// Tests of the dictionaries: no key in two rooms, nothing empty, the same blanks in both languages.
import { expect, it } from 'vitest';
import { cases } from '../../src/i18n/texts/cases';
import { command } from '../../src/i18n/texts/command';
import { common } from '../../src/i18n/texts/common';
import { counter } from '../../src/i18n/texts/counter';
import { data } from '../../src/i18n/texts/data';
import { desk } from '../../src/i18n/texts/desk';
import { intake } from '../../src/i18n/texts/intake';
import { items } from '../../src/i18n/texts/items';
import { licences } from '../../src/i18n/texts/licences';
import { office } from '../../src/i18n/texts/office';
import { operator } from '../../src/i18n/texts/operator';
import { portal } from '../../src/i18n/texts/portal';
import { processes } from '../../src/i18n/texts/processes';
import { visitsDesk } from '../../src/i18n/texts/visits_desk';
import { wallets } from '../../src/i18n/texts/wallets';
import { translate } from '../../src/i18n';

const rooms: Record<string, readonly [string, string]>[] = [common, portal, desk, command, data, operator, licences, cases, processes, counter, intake, items, office, visitsDesk, wallets];
const blanks = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

it('keeps every key in one room', () => {
  const keys = rooms.flatMap((r) => Object.keys(r));
  expect(keys.filter((k, i) => keys.indexOf(k) !== i)).toEqual([]);
});
it('leaves nothing empty and the blanks alike', () => {
  const wrong = rooms.flatMap((r) => Object.entries(r)).filter(([, [zh, en]]) => !zh.trim() || !en.trim() || blanks(zh).join() !== blanks(en).join());
  expect(wrong).toEqual([]);
});
it('has no Chinese in the English but the name of the language', () => {
  const mixed = rooms.flatMap((r) => Object.entries(r)).filter(([key, [, en]]) => key !== 'app.language' && /[\u4e00-\u9fff]/.test(en));
  expect(mixed).toEqual([]);
});
it('fills blanks and leaves unknown ones visible', () => {
  expect(translate('en', 'table.total', { n: '1,234' })).toBe('1,234 in all');
  expect(translate('zh', 'table.total')).toBe('共 {n} 条');
});
