// Component: a small still map of stations, drawn as SVG: no library, no graphics card, prints well.
// Used by the portal and wherever the large map cannot run.
import { useMemo } from 'react';
import { useDistricts } from '../api/districts';
import { useI18n } from '../i18n';
import { bounds, flatProjection, labelPoint, rings, type Districts } from '../lib/geo';
import { shapePaths } from '../theme/shapes';
import type { Shape } from '../theme/palette';
import { View } from './View';

export interface SmallMapPoint {
  key: string; name: string; place: [number, number]; shape: Shape; fill: string; label?: string; now?: boolean;
}
const WIDTH = 640;

function Drawing({ shapes, points, title, onPick }: {
  shapes: Districts; points: SmallMapPoint[]; title: string; onPick?: (key: string) => void;
}) {
  const drawn = useMemo(() => {
    const project = flatProjection(bounds(shapes), WIDTH);
    const outlines = shapes.features.map((f) => ({
      code: f.properties.code,
      name: f.properties.name,
      at: project.to(...labelPoint(f.geometry)),
      d: rings(f.geometry)
        .map((ring) => ring.map((p, i) => `${i ? 'L' : 'M'}${project.to(p[0] ?? 0, p[1] ?? 0).map((n) => n.toFixed(1)).join(' ')}`).join('') + 'Z')
        .join(''),
    }));
    return { project, outlines };
  }, [shapes]);
  return (
    <svg className="small-map" viewBox={`0 0 ${WIDTH} ${drawn.project.height.toFixed(0)}`} role="group" aria-label={title}>
      {drawn.outlines.map((o) => <path key={o.code} d={o.d} className="district"><title>{o.name}</title></path>)}
      {drawn.outlines.map((o) => <text key={o.code} x={o.at[0]} y={o.at[1]} className="district-name" aria-hidden="true">{o.name}</text>)}
      {points.map((p) => {
        const [x, y] = drawn.project.to(...p.place);
        return (
          <g key={p.key} transform={`translate(${x - 11} ${y - 11}) scale(1.1)`} className={p.now ? 'point now' : 'point'}
            role={onPick ? 'button' : 'img'} tabIndex={onPick ? 0 : undefined} aria-label={`${p.name} ${p.label ?? ''}`}
            onClick={() => onPick?.(p.key)}
            onKeyDown={(e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); onPick?.(p.key); } }}>
            <path d={shapePaths[p.shape]} fill={p.fill} fillRule="evenodd" />
            <title>{`${p.name} ${p.label ?? ''}`}</title>
          </g>
        );
      })}
    </svg>
  );
}

export function SmallMap(props: { points: SmallMapPoint[]; title: string; onPick?: (key: string) => void }) {
  const { t } = useI18n();
  const districts = useDistricts();
  return (
    <View query={districts}>
      {(found) => (
        <figure className="map-figure">
          <Drawing shapes={found.shapes} {...props} />
          <figcaption className="muted small">{t(found.imported ? 'source.outlines_imported' : 'source.outlines')}</figcaption>
        </figure>
      )}
    </View>
  );
}
