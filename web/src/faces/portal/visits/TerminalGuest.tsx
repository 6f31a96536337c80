// Portal, terminal: a person applies at the terminal itself: reads what the item takes, signs in,
// and begins an application, which can go on at home. Their pages live in a router of their own that
// never touches the browser's history, with a session that is nowhere but in this page's memory;
// after a while without a touch, or when they leave, everything of them is gone and they are signed out.
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { MemoryRouter, Navigate, Route, Routes, UNSAFE_LocationContext, UNSAFE_RouteContext, useNavigate, useParams } from 'react-router';
import { endGuest } from '../../../api/client';
import { welcomeGuest } from '../../../api/guest';
import { makeQueryClient, useApi } from '../../../api/hooks';
import { itemPath, type Item } from '../../../api/items';
import { PageHead } from '../../../components/PageHead';
import { QrCode } from '../../../components/QrCode';
import { useDepartments } from '../../../components/Service';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { SessionProvider, useSession } from '../../../shell/session';
import { Begin } from '../services/Begin';
import { MaterialList } from '../services/Materials';
import { Fees, Section, Standing, Times } from '../services/ServicePage';
import { useIdle } from './idle';

const SignIn = lazy(() => import('../../../shell/SignIn'));
const Apply = lazy(() => import('../apply/Apply'));

/** Without a touch for so long, everything of the person is gone. */
const GUEST_IDLE_S = 90;
/** So long before, a notice says so and can be answered. */
const SOON_S = 30;

/** What an item is and takes, and the way to begin it here. */
function AtItem() {
  const { t, w } = useI18n();
  const { item = '' } = useParams();
  const query = useApi<Item>(itemPath(item));
  const { name } = useDepartments();
  const phone = `${location.origin}/services/${encodeURIComponent(item)}`;
  return (
    <View query={query}>
      {(d) => {
        const { content } = d;
        return (
          <>
            <PageHead title={w(content.title)} sub={`${name(content.organisation)} · ${t(`svc.serves_${content.serves}`)}`} />
            <Standing item={d} />
            <section className="card stack"><p>{w(content.summary)}</p></section>
            {content.channels.includes('terminal') ? <Begin item={d} channel="terminal" /> : <section className="card stack" data-not-here><p role="status" className="stale">{t('term.not_here')}</p></section>}
            {content.conditions.length ? <Section id="conditions" title={t('svc.conditions')}><ol>{content.conditions.map((c, i) => <li key={i}>{w(c)}</li>)}</ol></Section> : null}
            <Section id="materials" title={t('svc.materials')}><MaterialList materials={content.materials} /></Section>
            <Times item={d} />
            <Fees item={d} />
            <section className="card term-item"><p>{t('term.scan')}</p><QrCode text={phone} label={t('term.scan_label', { title: w(content.title) })} /></section>
          </>
        );
      }}
    </View>
  );
}

/** The form, and the way to go on at home: an address alone shows nobody anything. */
function AtDraft() {
  const { t } = useI18n();
  const { draft = '' } = useParams();
  return (
    <div data-draft={draft}>
      <Apply />
      <details className="card">
        <summary>{t('term.later')}</summary>
        <div className="term-item"><p>{t('term.later_help')}</p><QrCode text={`${location.origin}/apply/${encodeURIComponent(draft)}`} label={t('term.later')} /></div>
      </details>
    </div>
  );
}

/** A page that is for one's own phone or computer. */
function Elsewhere() {
  const { t } = useI18n();
  const navigate = useNavigate();
  return (
    <section className="card stack">
      <p role="status">{t('term.elsewhere')}</p>
      <p><button type="button" className="term-back" onClick={() => { void navigate(-1); }}>← {t('apply.back')}</button></p>
    </section>
  );
}

function Frame({ onEnd, children }: { onEnd: () => void; children: ReactNode }) {
  const { t } = useI18n();
  const { session } = useSession();
  const { left, again } = useIdle(true, GUEST_IDLE_S, onEnd);
  const soon = left <= SOON_S;
  return (
    <div className="term-guest" data-guest={session ? 'in' : 'out'}>
      <p className="row spread term-guest-head">
        <button type="button" className="term-back" onClick={onEnd}>{t(session ? 'term.leave' : 'term.home')}</button>
        <span>{session ? <strong>{t('term.who', { name: session.display })} </strong> : null}<span role="timer" className={soon ? 'countdown soon' : 'muted'}>{t(session ? 'term.guest_idle' : 'term.idle', { s: left })}</span></span>
      </p>
      {soon ? <div role="alert" className="term-soon"><p>{t(session ? 'term.soon' : 'term.soon_out')}</p><button type="button" className="term-back strong" onClick={again}>{t('term.stay')}</button></div> : null}
      {children}
    </div>
  );
}

/** A router of its own inside the page's: its places are no places of the browser. */
function Apart({ first, children }: { first: string; children: ReactNode }) {
  return (
    <UNSAFE_LocationContext.Provider value={null as never}>
      <UNSAFE_RouteContext.Provider value={{ outlet: null, matches: [], isDataRoute: false }}>
        <MemoryRouter initialEntries={[first]}>{children}</MemoryRouter>
      </UNSAFE_RouteContext.Provider>
    </UNSAFE_LocationContext.Provider>
  );
}

/** What is asked for a guest is remembered for as long as they are here, and nothing leads away from the terminal. */
function guestClient() {
  const client = makeQueryClient();
  client.setQueryDefaults(['/session/providers'], { staleTime: Infinity });
  client.setQueryData(['/session/providers', {}], { items: [] });
  return client;
}

function Pages({ first, onEnd }: { first: string; onEnd: () => void }) {
  const [client] = useState(guestClient);
  useEffect(() => () => client.clear(), [client]);
  return (
    <QueryClientProvider client={client}>
      <Apart first={first}>
        <SessionProvider>
          <Frame onEnd={onEnd}>
            <Suspense fallback={<Skeleton />}>
              <Routes>
                <Route path="/sign-in" element={<SignIn />} />
                <Route path="/services/:item" element={<AtItem />} />
                <Route path="/apply/:draft" element={<AtDraft />} />
                <Route path="/" element={<Navigate to={first} replace />} />
                <Route path="*" element={<Elsewhere />} />
              </Routes>
            </Suspense>
          </Frame>
        </SessionProvider>
      </Apart>
    </QueryClientProvider>
  );
}

export function TerminalGuest({ item, onEnd }: { item: string; onEnd: () => void }) {
  const terminal = useQueryClient();
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const title = document.title;
    welcomeGuest();
    setReady(true);
    // Whoever goes back or forward in the browser, or closes it, leaves: nothing is kept for a return.
    const leave = () => { flushSync(onEnd); void endGuest(true); };
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      document.title = title;
      // Whatever the terminal asked meanwhile was asked in the guest's name.
      void endGuest(false).then(() => terminal.invalidateQueries());
    };
  }, [onEnd, terminal]);
  return ready ? <Pages first={`/services/${encodeURIComponent(item)}`} onEnd={onEnd} /> : <Skeleton />;
}
