// Tests of the library's pure functions: table first, one door each.
import { describe, expect, it } from 'vitest';
import { csv } from '../../src/lib/csv';
import { covers } from '../../src/lib/access';
import { bytes, number, percent, quantity } from '../../src/lib/format';
import { personName } from '../../src/lib/person';
import { kindParts, lineOf } from '../../src/lib/series';
import { clock, date, dateTime, duration, fromBeijing, rfc3339, weekday } from '../../src/lib/time';
import { aqiClass } from '../../src/theme/palette';

describe('time is Beijing time wherever the reader is', () => {
  const cases: [string, string, string][] = [
    ['2026-11-21T10:32:05+08:00', '2026-11-21 10:32', '2026-11-21'],
    ['2026-11-20T16:00:00Z', '2026-11-21 00:00', '2026-11-21'],
    ['2026-12-31T23:59:59-08:00', '2027-01-01 15:59', '2027-01-01'],
  ];
  it.each(cases)('%s', (input, shown, day) => {
    expect(dateTime(input)).toBe(shown);
    expect(date(input)).toBe(day);
  });
  it('says a dash for no time', () => {
    expect([dateTime(null), dateTime('no time'), clock(undefined)]).toEqual(['—', '—', '—']);
  });
  it('reads back what it writes', () => {
    const at = Date.parse('2026-02-28T23:05:00+08:00');
    expect(rfc3339(at)).toBe('2026-02-28T23:05:00+08:00');
    expect(fromBeijing('2026-02-28 23:05')).toBe(at);
    expect(fromBeijing('2026-02-28')).toBe(Date.parse('2026-02-27T16:00:00Z'));
  });
  it('knows the weekday', () => {
    expect(weekday('2026-11-21T00:30:00+08:00', 'zh')).toBe('星期六');
    expect(weekday('2026-11-21T00:30:00+08:00', 'en')).toBe('Saturday');
  });
  const lengths: [number, string, string][] = [
    [59_000, '59 秒', '59 s'], [60_000, '1 分钟', '1 min'], [3_720_000, '1 小时 2 分', '1 h 2 min'], [7_200_000, '2 小时', '2 h'], [172_800_000, '2 天', '2 days'], [-5, '0 秒', '0 s'],
  ];
  it.each(lengths)('%d ms', (length, zh, en) => {
    expect([duration(length, 'zh'), duration(length, 'en')]).toEqual([zh, en]);
  });
});

describe('numbers', () => {
  const cases: [number | null | undefined, number | undefined, string][] = [
    [1234567.8, undefined, '1,234,568'], [123.456, undefined, '123.5'], [1.23456, undefined, '1.23'], [0.012345, undefined, '0.0123'],
    [-0.00001, undefined, '0'], [null, undefined, '—'], [NaN, undefined, '—'], [Infinity, undefined, '—'], [5.678, 1, '5.7'], [0, undefined, '0'],
  ];
  it.each(cases)('%s', (value, digits, shown) => expect(number(value, digits)).toBe(shown));
  it('puts the unit beside the number and nothing beside a dash', () => {
    expect(quantity(35, 'mg/m³')).toBe('35\u202fmg/m³');
    expect(quantity(null, 'mg/m³')).toBe('—');
    expect(percent(0.954)).toBe('95.4\u202f%');
  });
  it('counts bytes in binary units', () => {
    expect([bytes(512), bytes(2048), bytes(5 * 1024 ** 3)]).toEqual(['512\u202fB', '2\u202fKiB', '5\u202fGiB']);
  });
});

describe('CSV', () => {
  const cases: [unknown, string][] = [
    ['plain', 'plain'], ['a,b', '"a,b"'], ['say "x"', '"say ""x"""'], ['two\nlines', '"two\nlines"'], [null, ''], [-5.2, '-5.2'],
    ['=SUM(A1)', "'=SUM(A1)"], ['-cmd', "'-cmd"], ['@x', "'@x"],
  ];
  it.each(cases)('%j', (value, shown) => expect(csv(['h'], [[value]])).toBe(`\uFEFFh\r\n${shown}\r\n`));
});

describe('grants', () => {
  const cases: [string, string, boolean][] = [
    ['alerts', 'alerts', true], ['register.*', 'register.station', true], ['register.*', 'registers', false], ['alerts', 'alert', false], ['*', 'anything', true], ['register.station', 'register.outlet', false],
  ];
  it.each(cases)('%s covers %s: %s', (granted, object, yes) => expect(covers(granted, object)).toBe(yes));
});

describe('AQI classes of HJ 633', () => {
  const cases: [number | null, number][] = [[0, 1], [50, 1], [51, 2], [100, 2], [101, 3], [150, 3], [200, 4], [201, 5], [300, 5], [301, 6], [500, 6], [null, 0]];
  it.each(cases)('%s is class %d', (aqi, n) => expect(aqiClass(aqi)).toBe(n));
});

describe('series', () => {
  it('takes kinds apart', () => {
    expect(kindParts('minute.max.converted')).toEqual({ period: 'minute', statistic: 'max', converted: true });
    expect(kindParts('real_time')).toEqual({ period: 'real_time', statistic: 'value', converted: false });
    expect(kindParts('real_time.converted')).toEqual({ period: 'real_time', statistic: 'value', converted: true });
  });
  const head = { thing: 't', property: 'p', title: { zh: 'pH 值', en: 'pH' }, unit: '', kind: 'real_time', cut: false };
  it('breaks the line over a gap and marks odd flags', () => {
    const points = [[0, 1, 'N'], [60, 2, 'N'], [120, 3, 'D'], [180, 3, ''], [9000, 4, 'N'], [9060, 5, 'N']] as [number, number, string][];
    const line = lineOf({ ...head, step_s: null, points }, (f) => `flag ${f}`);
    expect(line.points.filter((p) => p[1] === null)).toHaveLength(1);
    expect(line.points).toHaveLength(7);
    expect(line.odd).toEqual([[120, 3, 'flag D']]);
  });
  it('gives buckets a band and names those with invalid values', () => {
    const buckets = [[0, 5, 1, 9, 4, 4, 20], [60_000, 6, 2, 8, 4, 3, 18], [120_000, null, null, null, 4, 0, null]] as [number, number | null, number | null, number | null, number, number, number | null][];
    const line = lineOf({ ...head, step_s: 60, buckets }, (f) => f);
    expect(line.points).toEqual([[0, 5], [60_000, 6], [120_000, null]]);
    expect(line.band[1]).toEqual([60_000, 2, 8]);
    expect(line.odd).toEqual([[60_000, 6, '3/4']]);
  });
});

describe('an account is called by a name its reader can read', () => {
  it.each([
    ['officer', '环保监管员', 'zh', '环保监管员'], ['officer', '环保监管员', 'en', 'officer'],
    ['liu', 'Liu Yang', 'en', 'Liu Yang'], ['liu', ' ', 'zh', 'liu'],
  ] as const)('%s %s in %s', (account, display, lang, shown) => expect(personName(account, display, lang)).toBe(shown));
});
