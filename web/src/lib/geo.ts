// Library: plain geometry for small maps: bounds and a flat projection good for one city.
import type { FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';

export type Districts = FeatureCollection<Polygon | MultiPolygon, { code: string; name: string }>;

/** All rings of an outline. */
export function rings(geometry: Polygon | MultiPolygon): Position[][] {
  return geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();
}

/** West, south, east, north. */
export function bounds(districts: Districts): [number, number, number, number] {
  const box: [number, number, number, number] = [180, 90, -180, -90];
  for (const feature of districts.features) {
    for (const ring of rings(feature.geometry)) {
      for (const at of ring) {
        const [lon = 0, lat = 0] = at;
        box[0] = Math.min(box[0], lon);
        box[1] = Math.min(box[1], lat);
        box[2] = Math.max(box[2], lon);
        box[3] = Math.max(box[3], lat);
      }
    }
  }
  return box;
}

/** Longitude and latitude to pixels of a box `width` wide; height follows from the true shape. */
export function flatProjection(box: [number, number, number, number], width: number) {
  const shrink = Math.cos((((box[1] + box[3]) / 2) * Math.PI) / 180);
  const scale = width / ((box[2] - box[0]) * shrink);
  return {
    height: (box[3] - box[1]) * scale,
    to: (lon: number, lat: number): [number, number] => [(lon - box[0]) * shrink * scale, (box[3] - lat) * scale],
  };
}

/** A point inside the largest ring (mean of its corners): where the name is written. */
export function labelPoint(geometry: Polygon | MultiPolygon): [number, number] {
  const largest = rings(geometry).reduce((a, b) => (b.length > a.length ? b : a), [] as Position[]);
  const sum = largest.reduce<[number, number]>((s, p) => [s[0] + (p[0] ?? 0), s[1] + (p[1] ?? 0)], [0, 0]);
  const n = Math.max(1, largest.length);
  return [sum[0] / n, sum[1] / n];
}
