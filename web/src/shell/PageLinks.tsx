// Shell: the pages of a face, beside the page under their headings; on a phone a strip of a few, or
// folded behind one button that says where one is.
import { useEffect, useId, useRef, useState } from 'react';
import { NavLink, useLocation } from 'react-router';
import { useI18n } from '../i18n';
import { pageAt, sections } from '../lib/menu';
import { Icon } from './icons';
import type { Face, MenuPage } from '../api/types';

export function PageLinks({ pages, face }: { pages: MenuPage[]; face: Face }) {
  const { t, w } = useI18n();
  const { pathname } = useLocation();
  const [open, setOpen] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const id = useId();
  const found = sections(pages, face);
  const own = found.flatMap((s) => s.pages);
  const folds = found.some((s) => s.title);
  const now = pageAt(own, pathname);

  useEffect(() => {
    setOpen(false);
    // A strip longer than the phone shows the page one is on.
    const link = nav.current?.querySelector<HTMLElement>('.page-link.now');
    if (nav.current && link) nav.current.scrollLeft = link.offsetLeft - (nav.current.clientWidth - link.clientWidth) / 2;
  }, [pathname, own.length]);

  if (own.length < 2 || face === 'command') return null;
  return (
    <>
      {folds ? (
        <button type="button" className="pages-fold" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          <Icon name={now?.icon ?? ''} />
          <span>{now ? w(now.title) : t('app.pages')}</span>
          <span aria-hidden="true">{open ? '▴' : '▾'}</span>
        </button>
      ) : null}
      <nav ref={nav} id={id} className={`pages${folds ? ' folds' : ''}${open ? ' open' : ''}`} aria-label={t('app.pages')}>
        {found.map((section) => (
          <div key={section.title?.zh ?? ''} className="page-group" role={section.title ? 'group' : undefined} aria-label={section.title ? w(section.title) : undefined}>
            {section.title ? <span className="page-group-title" aria-hidden="true">{w(section.title)}</span> : null}
            {section.pages.map((page) => (
              <NavLink
                key={page.path}
                to={page.path}
                end={page.path === '/portal'}
                className={({ isActive }) => `page-link${isActive ? ' now' : ''}${page.allowed ? '' : ' barred'}`}
              >
                <Icon name={page.icon} />
                <span>{w(page.title)}</span>
              </NavLink>
            ))}
          </div>
        ))}
      </nav>
    </>
  );
}
