// GCJ-02 to CGCS2000 and back by the public algorithm; the inverse is found by iteration (error
// below 1e-8 degrees). Used at build time only: everything in the running system is CGCS2000.
const A = 6378245.0;
const EE = 0.00669342162296594323;

function offset(lon, lat) {
  const x = lon - 105;
  const y = lat - 35;
  const waves = (v) => (20 * Math.sin(6 * v * Math.PI) + 20 * Math.sin(2 * v * Math.PI)) * (2 / 3);
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  dLat += waves(x);
  dLat += (20 * Math.sin(y * Math.PI) + 40 * Math.sin((y / 3) * Math.PI)) * (2 / 3);
  dLat += (160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * (2 / 3);
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  dLon += waves(x);
  dLon += (20 * Math.sin(x * Math.PI) + 40 * Math.sin((x / 3) * Math.PI)) * (2 / 3);
  dLon += (150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * (2 / 3);
  const rad = (lat * Math.PI) / 180;
  const magic = 1 - EE * Math.sin(rad) ** 2;
  const root = Math.sqrt(magic);
  return [
    (dLon * 180) / ((A / root) * Math.cos(rad) * Math.PI),
    (dLat * 180) / (((A * (1 - EE)) / (magic * root)) * Math.PI),
  ];
}

/** CGCS2000 longitude and latitude to GCJ-02. */
export function toGcj02(lon, lat) {
  const [dLon, dLat] = offset(lon, lat);
  return [lon + dLon, lat + dLat];
}

/** GCJ-02 longitude and latitude to CGCS2000. */
export function toCgcs2000(lon, lat) {
  let at = [lon, lat];
  for (let i = 0; i < 20; i++) {
    const [gLon, gLat] = toGcj02(at[0], at[1]);
    const next = [at[0] + lon - gLon, at[1] + lat - gLat];
    const moved = Math.abs(next[0] - at[0]) + Math.abs(next[1] - at[1]);
    at = next;
    if (moved < 1e-9) break;
  }
  return at;
}
