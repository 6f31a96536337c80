// Portal: the page of a self-service terminal (1080 × 1920, works at 1280): take a number, check in,
// find an item and apply for it here or with one's own phone, progress. It goes back to its start when
// nobody touches it, so that nobody sees what the one before did.
import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from 'react';
import { useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import type { ItemLine } from '../../../api/items';
import type { Page } from '../../../api/types';
import { checkIn, hallPath, PRIORITIES, takeNumber, type Hall, type HallMatter, type Ticket } from '../../../api/visiting';
import { FormFault, useAct } from '../../../components/Inputs';
import { useTitle } from '../../../components/PageHead';
import { QrCode } from '../../../components/QrCode';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { typedCode } from '../../../lib/visits';
import { useSession } from '../../../shell/session';
import { ProgressForm } from '../Progress';
import { useIdle } from './idle';
import { TicketShown } from './Ticket';

const TerminalGuest = lazy(() => import('./TerminalGuest').then((page) => ({ default: page.TerminalGuest })));

type Screen = { at: 'home' } | { at: 'matter' } | { at: 'priority'; matter: HallMatter } | { at: 'code' } | { at: 'progress' } | { at: 'items' } | { at: 'item'; line: ItemLine } | { at: 'apply'; item: string } | { at: 'ticket'; ticket: Ticket };
const IDLE_S = 60;

function Big({ title, help, onClick, disabled }: { title: string; help?: string; onClick: () => void; disabled?: boolean }) {
  return <button type="button" className="term-big" onClick={onClick} disabled={disabled}><strong>{title}</strong>{help ? <span>{help}</span> : null}</button>;
}

function CodePad({ busy, onEnter }: { busy: boolean; onEnter: (code: string) => void }) {
  const { t } = useI18n();
  const [code, setCode] = useState('');
  const [short, setShort] = useState(false);
  const enter = () => { setShort(code.length !== 8); if (code.length === 8) onEnter(code); };
  useEffect(() => {
    const press = (e: KeyboardEvent) => { if (/^\d$/.test(e.key)) setCode((c) => typedCode(c, e.key)); if (e.key === 'Backspace') setCode((c) => typedCode(c, 'back')); };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return (
    <div className="term-pad">
      <output className="term-code" aria-label={t('term.code')}>{code.padEnd(8, '·')}</output>
      {short ? <p role="alert" className="error-text">{t('term.need_code')}</p> : null}
      <div className="term-keys">
        {[...'123456789'].map((d) => <button key={d} type="button" onClick={() => setCode(typedCode(code, d))}>{d}</button>)}
        <button type="button" onClick={() => setCode(typedCode(code, 'back'))}>{t('term.digit_back')}</button>
        <button type="button" onClick={() => setCode(typedCode(code, '0'))}>0</button>
        <button type="button" className="strong" disabled={busy} onClick={enter}>{t('term.enter')}</button>
      </div>
    </div>
  );
}

function Items({ onChoose }: { onChoose: (line: ItemLine) => void }) {
  const { t, w } = useI18n();
  const [text, setText] = useState('');
  const query = useApi<Page<ItemLine>>('/items', { text: text.trim(), limit: 12 }, { keep: true });
  return (
    <>
      <label className="term-search">{t('svc.search')}<input type="search" value={text} maxLength={60} onChange={(e) => setText(e.target.value)} /></label>
      <View query={query}>{(d) => d.items.length ? <div className="term-list">{d.items.map((line) => <Big key={line.item} title={w(line.title)} help={w(line.summary)} onClick={() => onChoose(line)} />)}</div> : <p>{t('svc.none')}</p>}</View>
    </>
  );
}

function Inside({ hall }: { hall: Hall }) {
  const { t, w } = useI18n();
  const { may } = useSession();
  const [screen, setScreen] = useState<Screen>({ at: 'home' });
  const act = useAct();
  const home = useCallback(() => setScreen({ at: 'home' }), []);
  // A person who applies has a countdown of their own.
  const { left } = useIdle(screen.at !== 'home' && screen.at !== 'apply', IDLE_S, home);
  const allowed = may('handle', 'visits');
  const go = (next: Screen) => { act.clear(); setScreen(next); };
  const matterOf = (code: string) => w(hall.matters.find((m) => m.code === code)?.title) || code;
  const take = async (matter: HallMatter, priority: (typeof PRIORITIES)[number]) => {
    const ticket = await act.run(() => takeNumber({ hall: hall.code, matter: matter.code, priority }));
    if (ticket) go({ at: 'ticket', ticket });
  };
  const arrive = async (code: string) => {
    const ticket = await act.run(() => checkIn(hall.code, code));
    if (ticket) go({ at: 'ticket', ticket });
  };
  const head = (key: Key, body: ReactNode) => (
    <>
      <h2>{t(key)}</h2>
      {screen.at === 'code' && act.error?.code === 'input.not_found' ? <p role="alert" className="error-box">{t('term.no_appointment')}</p> : <FormFault error={act.error} />}
      {body}
      <p className="row no-print"><button type="button" className="term-back" onClick={() => go({ at: 'home' })}>← {t('term.home')}</button><span className="muted">{t('term.idle', { s: Math.max(0, left) })}</span></p>
    </>
  );
  switch (screen.at) {
    case 'matter': return head('term.matter', <div className="term-list">{hall.matters.map((m) => <Big key={m.code} title={w(m.title)} help={m.letter} onClick={() => go({ at: 'priority', matter: m })} />)}</div>);
    case 'priority': return head('term.priority', <div className="term-list">{PRIORITIES.map((p) => <Big key={p} title={t(`term.priority_${p}`)} disabled={act.busy} onClick={() => { void take(screen.matter, p); }} />)}</div>);
    case 'code': return head('term.check_in', <CodePad busy={act.busy} onEnter={(code) => { void arrive(code); }} />);
    case 'progress': return head('progress.title', <ProgressForm />);
    case 'items': return head('term.items', <Items onChoose={(line) => go({ at: 'item', line })} />);
    case 'apply': return <Suspense fallback={<Skeleton />}><TerminalGuest item={screen.item} onEnd={home} /></Suspense>;
    case 'item': return head('term.items', <div className="term-item"><h3>{w(screen.line.title)}</h3><p>{w(screen.line.summary)}</p><p><button type="button" className="term-back strong" data-here onClick={() => go({ at: 'apply', item: screen.line.item })}>{t('term.here')}</button></p><p>{t('term.scan')}</p><QrCode text={`${location.origin}/services/${encodeURIComponent(screen.line.item)}`} label={t('term.scan_label', { title: w(screen.line.title) })} /></div>);
    case 'ticket': return head('term.your_number', <div className="print-ticket"><TicketShown ticket={screen.ticket} hall={w(hall.title)} matter={matterOf(screen.ticket.matter)} /><p>{t('term.keep')}</p><p className="no-print"><button type="button" className="term-back" onClick={() => print()}>{t('ticket.print')}</button></p></div>);
    default: return (
      <>
        <h2>{t('term.welcome')}</h2>
        {allowed ? null : <p role="status" className="stale">{t('term.not_allowed')}</p>}
        <div className="term-list home">
          <Big title={t('term.take')} help={t(hall.open ? 'term.take_help' : 'visit.closed')} disabled={!allowed || !hall.open} onClick={() => go({ at: 'matter' })} />
          <Big title={t('term.check_in')} help={t('term.check_in_help')} disabled={!allowed} onClick={() => go({ at: 'code' })} />
          <Big title={t('term.items')} help={t('term.items_help')} onClick={() => go({ at: 'items' })} />
          <Big title={t('term.progress')} help={t('term.progress_help')} onClick={() => go({ at: 'progress' })} />
        </div>
      </>
    );
  }
}

export default function Terminal() {
  const { t, w, lang, setLang } = useI18n();
  const { hall = '' } = useParams();
  const query = useApi<Hall>(hallPath(hall), undefined, { every: 30_000 });
  const title = w(query.data?.title) || t('visit.title');
  useTitle(title);
  return (
    <main className="terminal" id="main">
      <header className="row spread no-print"><h1>{title}</h1><button type="button" className="term-back" lang={lang === 'zh' ? 'en' : 'zh-CN'} onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}>{t('app.language')}</button></header>
      <View query={query}>{(d) => <Inside hall={d} />}</View>
    </main>
  );
}
