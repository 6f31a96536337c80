// Component: the large map: MapLibre over a plain background of our own, district outlines, stations
// as marks whose shape says the state. No tiles, fonts or styles from anywhere else; names are
// written by the page itself. Without WebGL the still map takes its place.
import { useEffect, useMemo, useRef, useState } from 'react';
import maplibregl, { type GeoJSONSource, type Map as LibreMap, type StyleSpecification } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { FeatureCollection, Point } from 'geojson';
import { useDistricts } from '../api/districts';
import { useI18n } from '../i18n';
import { bounds, labelPoint, type Districts } from '../lib/geo';
import { useTheme } from '../theme/theme';
import type { Palette, Shape } from '../theme/palette';
import { shapePaths } from '../theme/shapes';
import { SmallMap } from './SmallMap';

export interface MapMark { key: string; name: string; place: [number, number]; shape: Shape; fill: string; rank: number; label?: string; aqi?: { text: string; fill: string; ink: string } | undefined }
interface Props { marks: MapMark[]; title: string; onPick: (key: string) => void; chosen: string | null; /** Where the map itself was clicked: longitude, latitude. */ onPlace?: (place: [number, number]) => void }

const ICON_PX = 44;

function style(palette: Palette): StyleSpecification {
  const none: FeatureCollection = { type: 'FeatureCollection', features: [] };
  return {
    version: 8,
    sources: { districts: { type: 'geojson', data: none }, marks: { type: 'geojson', data: none } },
    layers: [
      { id: 'background', type: 'background', paint: { 'background-color': palette.page } },
      { id: 'district-fill', type: 'fill', source: 'districts', paint: { 'fill-color': palette.district } },
      { id: 'district-line', type: 'line', source: 'districts', paint: { 'line-color': palette.districtLine, 'line-width': 1.2 } },
      { id: 'chosen', type: 'circle', source: 'marks', filter: ['==', ['get', 'chosen'], true], paint: { 'circle-radius': 15, 'circle-color': 'transparent', 'circle-stroke-color': palette.accent, 'circle-stroke-width': 3 } },
      { id: 'marks', type: 'symbol', source: 'marks', layout: { 'icon-image': ['get', 'icon'], 'icon-size': ['interpolate', ['linear'], ['zoom'], 7, 0.26, 12, 0.5], 'icon-allow-overlap': true, 'symbol-sort-key': ['get', 'rank'] } },
    ],
  };
}

/** Draws a mark once; the map keeps it by name. */
function ensureIcon(map: LibreMap, shape: Shape, fill: string, line: string): string {
  const name = `${shape}|${fill}|${line}`;
  if (map.hasImage(name)) return name;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = ICON_PX;
  const draw = canvas.getContext('2d');
  if (!draw) return name;
  draw.scale((ICON_PX - 4) / 20, (ICON_PX - 4) / 20);
  draw.translate(1, 1);
  const path = new Path2D(shapePaths[shape]);
  draw.fillStyle = fill;
  draw.fill(path, 'evenodd');
  draw.lineWidth = 1.2;
  draw.strokeStyle = line;
  draw.stroke(path);
  map.addImage(name, draw.getImageData(0, 0, ICON_PX, ICON_PX));
  return name;
}

function hasWebGl(): boolean {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null;
  } catch {
    return false;
  }
}

function nameMarkers(map: LibreMap, shapes: Districts): maplibregl.Marker[] {
  return shapes.features.map((f) => {
    const element = document.createElement('div');
    element.className = 'map-name';
    element.textContent = f.properties.name;
    element.setAttribute('aria-hidden', 'true');
    return new maplibregl.Marker({ element }).setLngLat(labelPoint(f.geometry)).addTo(map);
  });
}

export default function CityMap(p: Props) {
  const { t } = useI18n();
  const { palette } = useTheme();
  const districts = useDistricts();
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<LibreMap | null>(null);
  const pick = useRef(p.onPick);
  const toPlace = useRef(p.onPlace);
  const works = useMemo(hasWebGl, []);
  useEffect(() => { pick.current = p.onPick; toPlace.current = p.onPlace; });

  useEffect(() => {
    if (!box.current || !works) return undefined;
    const made = new maplibregl.Map({
      container: box.current, style: style(palette), center: [114.5, 38.1], zoom: 8, minZoom: 6, maxZoom: 16,
      attributionControl: false, dragRotate: false, pitchWithRotate: false, fadeDuration: 0,
    });
    made.touchZoomRotate.disableRotation();
    made.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'bottom-left');
    made.addControl(new maplibregl.ScaleControl({ unit: 'metric' }), 'bottom-left');
    made.on('load', () => setMap(made));
    made.on('click', 'marks', (e) => {
      const key: unknown = e.features?.[0]?.properties['key'];
      if (typeof key === 'string') pick.current(key);
    });
    made.on('click', (e) => toPlace.current?.([e.lngLat.lng, e.lngLat.lat]));
    made.on('mouseenter', 'marks', () => { made.getCanvas().style.cursor = 'pointer'; });
    made.on('mouseleave', 'marks', () => { made.getCanvas().style.cursor = ''; });
    return () => {
      setMap(null);
      made.remove();
    };
  }, [palette, works]);

  const shapes = districts.data?.shapes;
  useEffect(() => {
    if (!map || !shapes) return undefined;
    (map.getSource('districts') as GeoJSONSource).setData(shapes);
    // Room on the left for the legend where the map is wide.
    const left = map.getContainer().clientWidth > 600 ? 150 : 16;
    map.fitBounds(bounds(shapes), { padding: { top: 16, right: 16, bottom: 28, left }, animate: false });
    const names = nameMarkers(map, shapes);
    return () => names.forEach((n) => n.remove());
  }, [map, shapes]);

  useEffect(() => {
    if (!map) return undefined;
    const collection: FeatureCollection<Point> = {
      type: 'FeatureCollection',
      features: p.marks.map((m) => ({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: m.place },
        properties: { key: m.key, rank: m.rank, icon: ensureIcon(map, m.shape, m.fill, palette.page), chosen: m.key === p.chosen },
      })),
    };
    (map.getSource('marks') as GeoJSONSource).setData(collection);
    const numbers = p.marks.filter((m) => m.aqi).map((m) => {
      // A label only: the mark under it is what is clicked, the search box what the keyboard uses.
      const element = document.createElement('div');
      element.setAttribute('aria-hidden', 'true');
      element.className = 'map-aqi';
      element.textContent = m.aqi?.text ?? '';
      element.style.background = m.aqi?.fill ?? '';
      element.style.color = m.aqi?.ink ?? '';
      return new maplibregl.Marker({ element, anchor: 'bottom', offset: [0, -10] }).setLngLat(m.place).addTo(map);
    });
    return () => numbers.forEach((n) => n.remove());
  }, [map, p.marks, p.chosen, palette.page]);

  if (!works) {
    return <SmallMap title={p.title} onPick={p.onPick} points={p.marks.map((m) => ({ ...m, now: m.key === p.chosen }))} />;
  }
  return (
    <div className="city-map">
      <div ref={box} className="city-map-canvas" role="region" aria-label={p.title} />
      <p className="map-source">{t(districts.data?.imported ? 'source.outlines_imported' : 'source.outlines')}</p>
    </div>
  );
}
