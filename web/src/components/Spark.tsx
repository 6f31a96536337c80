// Component: a small trend beside a figure, drawn as SVG without axes; hidden from screen readers,
// which get the figure itself.
export function Spark({ points, target, width = 120, height = 28 }: {
  points: readonly (readonly [number, number | null])[]; target?: number | null; width?: number; height?: number;
}) {
  const known = points.filter((p): p is [number, number] => p[1] !== null && Number.isFinite(p[1]));
  const first = known[0];
  const last = known[known.length - 1];
  if (known.length < 2 || !first || !last) return <svg className="spark" width={width} height={height} aria-hidden="true" />;
  const values = known.map((p) => p[1]);
  if (target !== null && target !== undefined) values.push(target);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (t: number) => 2 + ((t - first[0]) / (last[0] - first[0] || 1)) * (width - 6);
  const y = (v: number) => height - 3 - ((v - low) / (high - low || 1)) * (height - 6);
  const line = known.map(([t, v], i) => `${i ? 'L' : 'M'}${x(t).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  return (
    <svg className="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {target !== null && target !== undefined ? <line x1="0" x2={width} y1={y(target)} y2={y(target)} className="spark-target" /> : null}
      <path d={line} className="spark-line" />
      <circle cx={x(last[0])} cy={y(last[1])} r="2.5" className="spark-end" />
    </svg>
  );
}
