// Shell: skip link, faces across the top, pages of the face beside or below, banners, the page.
import { useEffect, useRef, useState } from 'react';
import { Link, Navigate, Outlet, useLocation } from 'react-router';
import { useI18n } from '../i18n';
import { useTheme } from '../theme/theme';
import { useSession } from './session';
import { Banners } from './Banners';
import { UserMenu } from './UserMenu';
import { HelpDialog } from './HelpDialog';
import { PageLinks } from './PageLinks';
import { Icon } from './icons';
import type { Face, MenuPage } from '../api/types';

const FACES: readonly Face[] = ['portal', 'desk', 'command', 'data', 'operator'];

/** The face an address belongs to. */
export function faceOf(path: string): Face {
  const head = path.split('/')[1];
  return FACES.find((f) => f === head) ?? 'portal';
}

function FaceLinks({ pages, now }: { pages: MenuPage[]; now: Face }) {
  const { t } = useI18n();
  const { session } = useSession();
  const shown = FACES.filter((face) => {
    const own = pages.filter((p) => p.face === face);
    return face === 'portal' || (session && own.some((p) => p.allowed));
  });
  return (
    <nav className="faces" aria-label={t('app.menu')}>
      {shown.map((face) => (
        <Link
          key={face}
          to={firstPath(pages, face) ?? `/${face}`}
          className={face === now ? 'face now' : 'face'}
          aria-current={face === now ? 'true' : undefined}
        >
          {t(`face.${face}`)}
        </Link>
      ))}
    </nav>
  );
}

function firstPath(pages: MenuPage[], face: Face): string | undefined {
  const own = pages.filter((p) => p.face === face && p.allowed).sort((a, b) => a.order - b.order);
  return own[0]?.path;
}

export function Shell() {
  const { t, w, lang, setLang } = useI18n();
  const { mode, toggleMode, large, setLarge } = useTheme();
  const { session, city, pages } = useSession();
  const { pathname } = useLocation();
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const face = faceOf(pathname);
  const menu = pages ?? [];

  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const inField = e.target instanceof HTMLElement && e.target.closest('input,textarea,select,[contenteditable]');
      if (inField || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === '?') setHelp(true);
      if (e.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[data-search], [data-search] input');
        if (search) {
          e.preventDefault();
          search.focus();
        }
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);

  return (
    <div className={`shell face-${face}`}>
      <a className="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>
        {t('app.skip')}
      </a>
      <header className="top">
        <Link to="/" className="brand">
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>{t('app.name')}{city ? <small> {w(city.title)}</small> : null}</span>
        </Link>
        <FaceLinks pages={menu} now={face} />
        <div className="tools">
          <button type="button" className="tool" lang={lang === 'zh' ? 'en' : 'zh-CN'} title={t('app.language_label')} onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}>
            {t('app.language')}
          </button>
          <button type="button" className="tool" aria-label={t(mode === 'dark' ? 'app.theme_to_light' : 'app.theme_to_dark')} title={t(mode === 'dark' ? 'app.theme_to_light' : 'app.theme_to_dark')} onClick={toggleMode}>
            <Icon name={mode === 'dark' ? 'sun' : 'moon'} />
          </button>
          <button type="button" className="tool" aria-pressed={large} title={t(large ? 'app.large_off' : 'app.large_on')} onClick={() => setLarge(!large)}>
            {t('app.large')}
          </button>
          {session ? <UserMenu session={session} onHelp={() => setHelp(true)} /> : null}
          {session === null ? <Link className="tool strong" to={`/sign-in?then=${encodeURIComponent(pathname)}`}>{t('app.sign_in')}</Link> : null}
        </div>
      </header>
      <Banners />
      <div className="body">
        <PageLinks pages={menu} face={face} />
        <main id="main" ref={main} tabIndex={-1}>
          {session?.must && pathname !== '/account' ? <Navigate to="/account" replace /> : <Outlet />}
        </main>
      </div>
      <HelpDialog open={help} onClose={() => setHelp(false)} />
    </div>
  );
}
