// Desk: an item written by officials without code: its elements, form, materials, guidance, flow,
// result, letters and questions; saved while it is written, problems by tab, tried, published.
import { useEffect, useMemo, useRef, useState } from 'react';
import { App } from 'antd';
import { useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { itemPath, type ItemVerbName, type Problem, type WorkingCopy } from '../../../api/items';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import type { Content } from '../../../lib/designer';
import { problemsByTab, tabOf, TABS, type Tab } from '../../../lib/itemContent';
import { makeSaver } from '../../../lib/saver';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Basics } from './Basics';
import { Flow } from './Flow';
import { FormDesigner } from './FormDesigner';
import { Guidance } from './Guidance';
import { Letters, Questions } from './Letters';
import { Materials } from './Materials';
import { Outcome } from './Outcome';
import { goToPlace, ProblemsProvider } from './parts';
import { TestRun } from './TestRun';
import { Versions } from './Versions';

export default function ItemDesigner() {
  const { item = '' } = useParams();
  const { t } = useI18n();
  const { may } = useSession();
  const path = `${itemPath(item)}/copy`;
  const [round, setRound] = useState(0);
  const client = useQueryClient();
  const query = useApi<WorkingCopy>(path);
  const again = async () => {
    await client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/items') });
    await query.refetch();
    setRound((n) => n + 1);
  };
  return (
    <>
      {may('operate', 'items') ? null : <p className="error-box">{t('design.no_may')}</p>}
      <View query={query} lines={10}>{(copy) => <Opened key={`${item}/${round}`} item={item} copy={copy} path={path} onAgain={again} />}</View>
    </>
  );
}

/** The working copy: changes are saved a moment after the last, on top of what was seen last. */
function useCopy(item: string, first: WorkingCopy) {
  const [content, setContent] = useState<Content>(first.content);
  const [copy, setCopy] = useState(first);
  const [state, setState] = useState<'waiting' | 'saving' | 'saved' | 'failed'>('saved');
  const [error, setError] = useState<ApiError | null>(null);
  const digest = useRef(first.digest);
  const client = useQueryClient();
  const saver = useMemo(() => makeSaver<Content>((_, later) => later, async (next) => {
    const saved = await send<WorkingCopy>('PUT', `${itemPath(item)}/copy`, { content: next }, { ifMatch: digest.current });
    digest.current = saved.digest;
    setCopy(saved);
    // Whoever comes back to this page goes on from here.
    client.setQueryData([`${itemPath(item)}/copy`, {}], saved);
  }, (next, e) => { setState(next); setError(e instanceof ApiError ? e : null); }), [item, client]);
  useEffect(() => () => { if (saver.pending()) void saver.flush(); saver.stop(); }, [saver]);
  useEffect(() => {
    const leave = (e: BeforeUnloadEvent) => { if (saver.pending()) e.preventDefault(); };
    addEventListener('beforeunload', leave);
    return () => removeEventListener('beforeunload', leave);
  }, [saver]);
  const change = (next: Content) => { setContent(next); saver.note(next); };
  return { content, copy, state, error, change, flush: saver.flush };
}

function Opened({ item, copy: first, path, onAgain }: { item: string; copy: WorkingCopy; path: string; onAgain: () => Promise<void> }) {
  const { t, w, lang } = useI18n();
  const { message } = App.useApp();
  const filters = useFilters();
  const { content, copy, state, error, change, flush } = useCopy(item, first);
  const tab = TABS.find((one) => one === filters.get('tab')) ?? 'basics';
  const counts = problemsByTab(copy.problems);
  const title = w(content.title) || item;
  const jump = (problem: Problem) => {
    filters.set({ tab: tabOf(problem.at) });
    setTimeout(() => goToPlace(problem.at), 60);
  };
  const done = (verb: ItemVerbName) => {
    void message.success(t('design.done', { verb: t(`design.${verb}`) }));
    void onAgain();
  };
  const changed = copy.saved_at !== null;
  const stale = error?.status === 409 || error?.status === 412;
  const props = { content, item, onChange: change };
  return (
    <ProblemsProvider value={copy.problems}>
      <PageHead title={title} back={{ to: '/desk/items', text: t('design.list') }} sub={<><code>{item}</code> · {t('design.from_version', { n: copy.from_version })}</>} />
      <div className="save-line">
        <span role="status" className={state === 'failed' ? 'error-text' : 'muted'}>{state === 'failed' ? t('design.not_saved', { why: error?.say(lang) ?? '' }) : state === 'saved' ? (copy.saved_at ? t('design.saved_at', { at: dateTime(copy.saved_at), by: copy.saved_by ?? '' }) : t('design.no_copy')) : t('counter.saving')}</span>
        {state === 'failed' ? <button type="button" className="button" onClick={() => { if (stale) void onAgain(); else void flush(); }}>{t(stale ? 'design.take_theirs' : 'state.retry')}</button> : null}
      </div>
      <nav className="tabs" aria-label={t('design.tabs')}>
        {TABS.map((one) => <button key={one} type="button" className={one === tab ? 'tab link now' : 'tab link'} style={{ textDecoration: 'none' }} aria-current={one === tab ? 'page' : undefined} onClick={() => filters.set({ tab: one })}>{t(`design.tab_${one}`)}{counts[one] ? <> <span className="count" aria-label={t('design.problems_n', { n: counts[one] ?? 0 })}>{counts[one]}</span></> : null}</button>)}
      </nav>
      {copy.problems.length ? (
        <details className="card" open={tab !== 'form' && copy.problems.length <= 5}>
          <summary>{t('design.to_fix', { n: copy.problems.length })}</summary>
          <ul className="problem-list">{copy.problems.map((p, i) => <li key={i}><button type="button" className="link" onClick={() => jump(p)}>{t(`design.tab_${tabOf(p.at)}` as Key)}: {w(p.words)}</button> <code className="muted small">{p.at}</code></li>)}</ul>
        </details>
      ) : null}
      <TabBody tab={tab} props={props} copy={copy} changed={changed} flush={flush} done={done} />
      <Provenance asOf={copy.saved_at} source="items" path={path} />
    </ProblemsProvider>
  );
}

function TabBody({ tab, props, copy, changed, flush, done }: { tab: Tab; props: { content: Content; item: string; onChange: (content: Content) => void }; copy: WorkingCopy; changed: boolean; flush: () => Promise<boolean>; done: (verb: ItemVerbName) => void }) {
  switch (tab) {
    case 'basics': return <Basics {...props} />;
    case 'form': return <FormDesigner content={props.content} at="/form" onChange={props.onChange} />;
    case 'materials': return <Materials {...props} />;
    case 'guidance': return <Guidance {...props} />;
    case 'flow': return <Flow {...props} />;
    case 'outcome': return <Outcome {...props} />;
    case 'letters': return <Letters {...props} />;
    case 'questions': return <Questions {...props} />;
    case 'test': return <TestRun {...props} flush={flush} />;
    case 'versions': return <Versions item={props.item} content={props.content} changed={changed} problems={copy.problems.length} flush={flush} onDone={done} />;
  }
}
