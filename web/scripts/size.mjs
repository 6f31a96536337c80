// Adds up what a cold load of the first page fetches and fails past the promised 300 kB gzip.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const MOST_KB = 300;
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'));
const files = new Set(['index.html']);
const visit = (name) => {
  const part = manifest[name];
  if (!part || files.has(part.file)) return;
  files.add(part.file);
  for (const css of part.css ?? []) files.add(css);
  for (const next of part.imports ?? []) visit(next);
};
visit('index.html');
const sizes = [...files].map((f) => [f, gzipSync(readFileSync(join(dist, f))).length]);
const total = sizes.reduce((sum, [, n]) => sum + n, 0);
for (const [file, n] of sizes) console.log(`${(n / 1000).toFixed(1).padStart(8)} kB  ${file}`);
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  first page, gzip (limit ${MOST_KB})`);
if (total > MOST_KB * 1000) process.exit(1);
