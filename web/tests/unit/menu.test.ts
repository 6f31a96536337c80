import { describe, expect, it } from 'vitest';
import { pageAt, sections } from '../../src/lib/menu';
import type { MenuPage } from '../../src/api/types';

const page = (path: string, order: number, group?: string): MenuPage => ({
  name: path, face: path.startsWith('/desk') ? 'desk' : 'portal', path, title: { zh: path, en: path }, icon: '', order,
  group: group ? { zh: group, en: group } : null, allowed: true,
});

describe('the menu of a face', () => {
  const pages = [page('/desk/b', 20, 'two'), page('/desk/c', 30, 'one'), page('/desk/a', 10, 'one'), page('/portal', 1), page('/desk/d', 15)];
  it('stands under its headings, each where its first page would', () => {
    expect(sections(pages, 'desk').map((s) => [s.title?.en ?? null, s.pages.map((p) => p.path)])).toEqual([
      ['one', ['/desk/a', '/desk/c']], [null, ['/desk/d']], ['two', ['/desk/b']],
    ]);
    expect(sections(pages, 'data')).toEqual([]);
  });
  it('knows the page of an address by the longest path', () => {
    const deeper = [...pages, page('/desk/b/more', 21)];
    expect(pageAt(deeper, '/desk/b/more/7')?.path).toBe('/desk/b/more');
    expect(pageAt(deeper, '/desk/b/7')?.path).toBe('/desk/b');
    expect(pageAt(deeper, '/desk/bc')).toBeUndefined();
  });
});
