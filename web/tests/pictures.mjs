// Walk: the screenshots of docs/pictures and their list. Palettes are reduced with pngquant where
// it is installed, which makes the files about a third.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tallest picture for a width; a longer page is cut. */
const TALLEST = { 390: 1800, 1280: 1400, 1920: 1080 };
/** Names in docs/pictures that differ from those of the walk. */
const NAMES = { command: 'command-map', 'command-past': 'command-map-past' };

export function album(folder) {
  const taken = new Map();
  mkdirSync(folder, { recursive: true });
  return {
    async shoot(page, item, look) {
      const name = NAMES[item.name] ?? item.name;
      const file = `${name}-${look.width}-${look.lang}.png`;
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({
        path: join(folder, file), fullPage: true,
        clip: { x: 0, y: 0, width: look.width, height: Math.min(height, TALLEST[look.width]) },
      });
      const entry = taken.get(name) ?? { path: item.path.replace(/\?.*$/, '').replace(/\/[^/]{18,}/g, '/…'), files: {} };
      if (look.lang === 'zh' && look.width === 1280) entry.title = (await page.locator('main h1').first().innerText().catch(() => '')).trim();
      entry.files[`${look.width}-${look.lang}`] = file;
      taken.set(name, entry);
    },
    /** Reduces, removes pictures of pages that are gone, lists the rest. Answers the size in bytes. */
    finish({ whole }) {
      const made = [...taken.values()].flatMap((e) => Object.values(e.files));
      if (made.length === 0) return 0;
      try {
        execFileSync('pngquant', ['--force', '--ext', '.png', '--speed', '3', '--strip', '--skip-if-larger', '--quality', '50-90', ...made], { cwd: folder, stdio: 'pipe' });
      } catch (e) {
        // 98 and 99: some picture would not become smaller or good enough and was left as it is.
        if (e.code === 'ENOENT') console.log('walk: pngquant is not installed, the pictures stay large');
        else if (e.status !== 98 && e.status !== 99) throw e;
      }
      if (whole) {
        const kept = new Set(made);
        for (const file of readdirSync(folder)) if (file.endsWith('.png') && !kept.has(file)) rmSync(join(folder, file));
        writeFileSync(join(folder, 'README.md'), list(taken));
      }
      return made.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    },
  };
}

function list(taken) {
  const looks = ['1920-zh', '1280-zh', '390-zh', '1280-en'];
  const rows = [...taken].sort(([a], [b]) => a.localeCompare(b)).map(([name, e]) =>
    `| ${name} | ${e.title ?? ''} | \`${e.path}\` | ${looks.map((l) => (e.files[l] ? `[${l}](${e.files[l]})` : '')).join(' | ')} |`);
  return `# 界面图 / Pictures of the pages

由 \`npm run walk -- --pictures\`（web/）在模拟城市上生成，数据均为模拟。Made by the walk on the simulated city; every figure is simulated. File names: page, width in px, language.

| 图 / picture | 页面 / page | 地址 / address | ${looks.join(' | ')} |
|---|---|---|${looks.map(() => '---|').join('')}
${rows.join('\n')}
`;
}
