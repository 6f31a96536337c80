// Tests of decisions on pages: which verb is refused and why, order of gravity, what is kept in
// addresses, what is asked of the server.
import { describe, expect, it } from 'vitest';
import { address, ApiError } from '../../src/api/client';
import { flatField } from '../../src/api/registers';
import type { Alert, AlertState, Level } from '../../src/api/types';
import { byGravity } from '../../src/faces/command/LiveAlerts';
import { met } from '../../src/faces/data/Indicators';
import { fromName, toName } from '../../src/faces/data/Series';
import { refusal } from '../../src/faces/desk/AlertPage';
import { bounds, flatProjection, type Districts } from '../../src/lib/geo';

const alert = (state: AlertState, level: Level = 'red', raised_at = '2026-11-21T10:00:00+08:00') => ({ state, level, raised_at }) as Alert;

describe('verbs of an alert', () => {
  const cases: [AlertState, 'acknowledge' | 'close' | 'comment', boolean, string | null][] = [
    ['open', 'acknowledge', true, null], ['acknowledged', 'acknowledge', true, 'alerts.no_again'], ['assigned', 'close', true, null],
    ['closed', 'comment', true, 'alerts.no_closed'], ['open', 'close', false, 'alerts.no_may'],
  ];
  it.each(cases)('%s %s may=%s', (state, verb, may, why) => expect(refusal(alert(state), verb, may)).toBe(why));
});

it('sorts the gravest first, then the newest', () => {
  const list = [alert('open', 'blue', '2026-11-21T12:00:00+08:00'), alert('open', 'red', '2026-11-21T08:00:00+08:00'), alert('open', 'red', '2026-11-21T09:00:00+08:00'), alert('open', 'yellow')];
  expect(list.sort(byGravity).map((a) => `${a.level} ${a.raised_at.slice(11, 13)}`)).toEqual(['red 09', 'red 08', 'yellow 10', 'blue 12']);
});

it('judges targets in their direction', () => {
  expect(met({ value: 95, target: 95, better: 'higher' })).toBe(true);
  expect(met({ value: 12, target: 10, better: 'lower' })).toBe(false);
  expect(met({ value: null, target: 10, better: 'lower' })).toBe(null);
});

it('keeps a series in the address', () => {
  const pick = { thing: '130199TEST0001', property: 'a21026', kind: 'minute.mean.converted' };
  expect(fromName(toName(pick))).toEqual(pick);
  expect(fromName('broken')).toBe(null);
});

it('leaves empty parameters out of a call and escapes the rest', () => {
  expect(address('/alerts', { state: 'open,closed', text: '', level: null, limit: 5 })).toBe('/api/v1/alerts?state=open%2Cclosed&limit=5');
  expect(address('/x', { from: '2026-11-21T10:00:00+08:00' })).toContain('%2B08%3A00');
});

it('speaks a problem in the language of the reader', () => {
  const error = new ApiError({ code: 'input.stale', status: 409, detail: '已被他人修改', detail_en: 'changed by somebody else' });
  expect([error.say('zh'), error.say('en')]).toEqual(['已被他人修改', 'changed by somebody else']);
});

it('flattens the kind of a field', () => {
  const common = { name: 'kind', title: { zh: '类型', en: 'Kind' }, required: true, index: true, personal: false, unit: null };
  expect(flatField({ ...common, kind: { type: 'reference', register: 'enterprise' } })).toMatchObject({ type: 'reference', register: 'enterprise', name: 'kind' });
});

it('projects a box onto the drawing', () => {
  const shapes: Districts = { type: 'FeatureCollection', features: [{ type: 'Feature', properties: { code: '1', name: 'a' }, geometry: { type: 'Polygon', coordinates: [[[114, 37], [116, 37], [116, 39], [114, 39], [114, 37]]] } }] };
  const box = bounds(shapes);
  expect(box).toEqual([114, 37, 116, 39]);
  const flat = flatProjection(box, 100);
  expect(flat.to(114, 39)).toEqual([0, 0]);
  expect(flat.to(116, 37)[0]).toBeCloseTo(100, 6);
  expect(flat.to(116, 37)[1]).toBeCloseTo(flat.height, 6);
});
