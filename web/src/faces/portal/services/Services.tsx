// Portal: finding a service item: search first, tiles of subjects, whom it serves, the department.
// Public; the filters stand in the address.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useLocation } from 'react-router';
import { get as ask, type ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { ItemLine, SubjectCount } from '../../../api/items';
import type { Page } from '../../../api/types';
import { SelectField } from '../../../components/Inputs';
import { Choices } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { ItemTags, useDepartments } from '../../../components/Service';
import { Skeleton } from '../../../components/Skeleton';
import { Empty, Failure } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import '../../../components/licences.css';

const AT_ONCE = 40;
const TYPING_MS = 350;
/** Tiles shown before somebody asks for all. */
const SUBJECTS_FIRST = 8;

function Search({ text, onText }: { text: string; onText: (text: string) => void }) {
  const { t } = useI18n();
  const { pathname } = useLocation();
  const [typed, setTyped] = useState(text);
  const sent = useRef(text);
  useEffect(() => { if (text !== sent.current) { sent.current = text; setTyped(text); } }, [text]);
  const go = (words: string) => {
    // Nothing new: a late timer must not call somebody back who has already gone on.
    if (words.trim() === sent.current) return;
    sent.current = words.trim();
    onText(words.trim());
  };
  const latest = useRef(go);
  useEffect(() => { latest.current = go; });
  useEffect(() => {
    if (typed.trim() === sent.current) return undefined;
    // Somebody who chose a card meanwhile is on the way; the address says so before the page does.
    const timer = setTimeout(() => { if (window.location.pathname === pathname) latest.current(typed); }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, pathname]);
  const submit = (event: FormEvent) => { event.preventDefault(); go(typed); };
  return (
    <form className="card service-search" role="search" onSubmit={submit}>
      <label htmlFor="service-text">{t('svc.search')}</label>
      <p id="service-text-help" className="muted small">{t('svc.search_help')}</p>
      <div className="row">
        <input id="service-text" data-search name="text" type="search" value={typed} maxLength={60} autoComplete="off" aria-describedby="service-text-help" onChange={(e) => setTyped(e.target.value)} />
        <button type="submit" className="button strong">{t('verb.search')}</button>
      </div>
    </form>
  );
}

function Subjects({ onChoose }: { onChoose: (subject: string) => void }) {
  const { t } = useI18n();
  const query = useApi<{ items: SubjectCount[] }>('/items/subjects');
  const [whole, setWhole] = useState(false);
  const all = [...(query.data?.items ?? [])].sort((a, b) => b.count - a.count);
  const items = whole ? all : all.slice(0, SUBJECTS_FIRST);
  if (items.length === 0) return null;
  return (
    <section aria-labelledby="subjects">
      <h2 id="subjects">{t('svc.subjects')}</h2>
      <ul className="subject-tiles">
        {items.map((s) => <li key={s.subject}><button type="button" onClick={() => onChoose(s.subject)}><strong>{s.subject}</strong><span className="muted small">{t('svc.subject_count', { n: s.count })}</span></button></li>)}
      </ul>
      {all.length > items.length ? <p><button type="button" className="link" onClick={() => setWhole(true)}>{t('svc.more_subjects', { n: all.length })}</button></p> : null}
    </section>
  );
}

export function ServiceCard({ line, department }: { line: ItemLine; department: string }) {
  const { w, t } = useI18n();
  return (
    <li>
      <Link className="card service-card" to={`/services/${encodeURIComponent(line.item)}`}>
        <h3>{w(line.title)}</h3>
        <p>{w(line.summary)}</p>
        <ItemTags line={line} />
        <p className="muted small">{department} · {t(`svc.serves_${line.serves}`)}</p>
      </Link>
    </li>
  );
}

function Results({ params }: { params: Record<string, string> }) {
  const { t } = useI18n();
  const { name } = useDepartments();
  const query = useInfiniteQuery<Page<ItemLine>, ApiError, { pages: Page<ItemLine>[] }, unknown[], string | null>({
    queryKey: ['/items', params, 'list'],
    queryFn: ({ pageParam, signal }) => ask<Page<ItemLine>>('/items', { ...params, after: pageParam, limit: AT_ONCE }, signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
  if (query.error && !query.data) return <Failure error={query.error} retry={() => { void query.refetch(); }} />;
  if (!query.data) return <Skeleton />;
  const all = query.data.pages.flatMap((p) => p.items);
  return (
    <section aria-labelledby="found">
      <h2 id="found"><span role="status">{t('svc.found', { n: query.data.pages[0]?.total ?? all.length })}</span></h2>
      {all.length ? <ul className="service-cards">{all.map((line) => <ServiceCard key={line.item} line={line} department={name(line.organisation)} />)}</ul> : <Empty text={t('svc.none')} />}
      {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('svc.more')}</button></p> : null}
    </section>
  );
}

export default function Services() {
  const { t, w } = useI18n();
  const { get, set } = useFilters();
  const { list } = useDepartments();
  const [text, subject, organisation] = [get('q'), get('subject'), get('organisation')];
  const serves = get('serves') === 'natural' || get('serves') === 'legal' ? (get('serves') as 'natural' | 'legal') : '';
  return (
    <>
      <PageHead title={t('svc.title')} sub={t('svc.sub')}><Link className="button" to="/progress">{t('progress.title')}</Link></PageHead>
      <Search text={text} onText={(q) => set({ q })} />
      <div className="service-filters">
        <Choices name="serves" legend={t('svc.serves')} value={serves} onChange={(v) => set({ serves: v || null })} options={[{ value: '', text: t('svc.serves_all') }, { value: 'natural', text: t('svc.serves_natural') }, { value: 'legal', text: t('svc.serves_legal') }]} />
        {list.length > 1 ? <SelectField name="organisation" label={t('svc.department')} value={organisation} onChange={(v) => set({ organisation: v || null })} choices={[{ value: '', text: t('word.all') }, ...list.map((o) => ({ value: o.organisation, text: `${w(o.title)}（${o.count}）` }))]} /> : null}
      </div>
      {subject ? <p>{t('svc.subject_now', { subject })} <button type="button" className="link" onClick={() => set({ subject: null })}>{t('svc.all_subjects')}</button></p> : text ? null : <Subjects onChoose={(s) => set({ subject: s })} />}
      <Results params={{ text, subject, organisation, serves }} />
    </>
  );
}
