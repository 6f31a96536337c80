// Lib: the pages of a face, under the headings they declare.
import type { Face, MenuPage } from '../api/types';
import type { Words } from '../i18n';

/** Pages that stand together; without a title when they declare none. */
export interface Section {
  title: Words | null;
  pages: MenuPage[];
}

/** The sections of a face, each where its first page would stand; pages in their order. */
export function sections(pages: readonly MenuPage[], face: Face): Section[] {
  const found: Section[] = [];
  for (const page of pages.filter((p) => p.face === face).sort((a, b) => a.order - b.order)) {
    const title = page.group ?? null;
    const section = found.find((s) => s.title?.zh === title?.zh);
    if (section) section.pages.push(page);
    else found.push({ title, pages: [page] });
  }
  return found;
}

/** The page an address belongs to: the one with the longest path that leads to it. */
export function pageAt(pages: readonly MenuPage[], path: string): MenuPage | undefined {
  return pages
    .filter((p) => path === p.path || path.startsWith(`${p.path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
}
