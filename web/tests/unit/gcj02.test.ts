// Tests of the datum conversion used at build time, against public vectors (eviltransform).
import { describe, expect, it } from 'vitest';
// @ts-expect-error a build script without types
import { toCgcs2000, toGcj02 } from '../../scripts/gcj02.mjs';

const cases: [number, number, number, number][] = [
  [121.5272106, 31.1774276, 121.531541859215, 31.17530398364597],
  [113.912316, 22.543847, 113.9171764808363, 22.540796131694766],
  [116.377817, 39.911954, 116.38404722455657, 39.91334545536069],
];
describe('GCJ-02', () => {
  it.each(cases)('of %d, %d', (lon, lat, gLon, gLat) => {
    const forward = toGcj02(lon, lat) as [number, number];
    expect(forward[0]).toBeCloseTo(gLon, 6);
    expect(forward[1]).toBeCloseTo(gLat, 6);
    const back = toCgcs2000(gLon, gLat) as [number, number];
    expect(back[0]).toBeCloseTo(lon, 6);
    expect(back[1]).toBeCloseTo(lat, 6);
  });
});
