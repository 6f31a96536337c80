// Desk: cases, the newest first: filtered, exported, started.
import { lazy, Suspense, useState } from 'react';
import { Button, Checkbox, Input, Select } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { List } from '../../../api/types';
import { CASE_STATES, type Case, type Process } from '../../../api/cases';
import { DataTable, type Column } from '../../../components/DataTable';
import { Light } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { pressing } from '../../../lib/cases';
import { useOrganisations } from '../../../lib/organisations';
import { dateTime, lastMoment } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Exports } from './Exports';
import './cases.css';

const StartCase = lazy(() => import('./StartCase'));

export default function Cases() {
  const { t } = useI18n();
  const { may, session } = useSession();
  const organisation = useOrganisations();
  const filters = useFilters();
  const navigate = useNavigate();
  const [starting, setStarting] = useState(false);
  const states = filters.get('state').split(',').filter((s) => CASE_STATES.some((known) => known === s));
  const params = { state: states.join(','), process: filters.get('process'), organisation: filters.get('organisation'), mine: filters.get('mine'), stuck: filters.get('stuck'), text: filters.get('text') };
  const paged = usePaged<Case>(session === null ? null : '/cases', params, { every: 30_000 });
  const query = paged.query;
  const processes = useApi<List<Process>>('/processes');
  const nameOf = (process: string) => processes.data?.items.find((p) => p.process === process)?.name || process;
  const starts = may('write', 'cases');
  const columns: Column<Case>[] = [
    { key: 'number', title: t('tasks.number'), render: (c) => <Link to={`/desk/cases/${encodeURIComponent(c.id)}`}>{c.number}</Link> },
    { key: 'title', title: t('tasks.about'), width: 180, render: (c) => c.title },
    { key: 'state', title: t('word.state'), render: (c) => <><span className={`tag plain state-${c.state === 'running' ? 'open' : 'closed'}`}>{t(`case.state.${c.state}`)}</span>{c.stuck ? <span className="over"> {t('cases.stuck_n', { n: c.stuck })}</span> : null}</> },
    { key: 'clock', title: t('clock.title'), render: (c) => (c.ended_at ? '—' : <Light left={pressing(c.promised, c.statutory)} />) },
    { key: 'process', title: t('cases.process'), render: (c) => <>{nameOf(c.process)} <span className="muted small">{t('cases.version', { n: c.version })}</span></> },
    { key: 'organisation', title: t('cases.organisation'), render: (c) => organisation(c.organisation) },
    { key: 'started', title: t('cases.started'), render: (c) => dateTime(c.started_at) },
    { key: 'by', title: t('cases.started_by'), spare: true, render: (c) => c.started_by },
    { key: 'ended', title: t('cases.ended'), spare: true, render: (c) => dateTime(c.ended_at) },
  ];
  const filtered = Object.values(params).some(Boolean);
  return (
    <>
      <PageHead title={t('cases.title')}>
        <Button type="primary" disabled={!starts} aria-describedby={starts ? undefined : 'no-start'} onClick={() => setStarting(true)}>{t('cases.start')}</Button>
        {starts ? null : <span id="no-start" className="muted small">{t('case.no_may')}</span>}
      </PageHead>
      <div className="filters">
        <label>{t('word.state')}<Select mode="multiple" aria-label={t('word.state')} style={{ minWidth: 190 }} placeholder={t('word.all')} value={states} onChange={(v: string[]) => filters.set({ state: v.join(',') || null })} options={CASE_STATES.map((s) => ({ value: s as string, label: t(`case.state.${s}`) }))} /></label>
        <label>{t('cases.process')}<Select aria-label={t('cases.process')} style={{ width: 200 }} showSearch optionFilterProp="label" value={filters.get('process') || ''} onChange={(v) => filters.set({ process: v || null })} options={[{ value: '', label: t('word.all') }, ...(processes.data?.items ?? []).map((p) => ({ value: p.process, label: p.name || p.process }))]} /></label>
        <label>{t('cases.organisation_code')}<Input key={filters.get('organisation')} defaultValue={filters.get('organisation')} allowClear style={{ width: 160 }} onPressEnter={(e) => filters.set({ organisation: e.currentTarget.value.trim() || null })} onBlur={(e) => filters.set({ organisation: e.currentTarget.value.trim() || null })} /></label>
        <label>{t('verb.search')}<span data-search><Input.Search id="search" key={filters.get('text')} defaultValue={filters.get('text')} allowClear placeholder={t('cases.text')} onSearch={(v) => filters.set({ text: v.trim() || null })} /></span></label>
        <Checkbox checked={filters.get('mine') === 'true'} onChange={(e) => filters.set({ mine: e.target.checked ? 'true' : null })}>{t('cases.mine')}</Checkbox>
        <Checkbox checked={filters.get('stuck') === 'true'} onChange={(e) => filters.set({ stuck: e.target.checked ? 'true' : null })}>{t('cases.stuck')}</Checkbox>
        {filtered ? <Button onClick={() => filters.set({ state: null, process: null, organisation: null, text: null, mine: null, stuck: null })}>{t('verb.clear')}</Button> : null}
      </div>
      <View query={query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('cases.empty')} lines={10}>
        {(p) => (
          <DataTable<Case> name="cases" caption={t('cases.caption')} rows={p.items} rowKey={(c) => c.id} columns={columns} loading={query.isPlaceholderData}
            total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(c) => { void navigate(`/desk/cases/${encodeURIComponent(c.id)}`); }}
            tools={<Exports<Case> name="cases" path="/cases" params={params}
              head={[t('tasks.number'), t('tasks.about'), t('word.state'), t('cases.process'), t('proc.version'), t('cases.organisation'), t('cases.started'), t('cases.started_by'), t('cases.ended'), t('clock.statutory'), t('clock.promised')]}
              cells={(c) => [c.number, c.title, t(`case.state.${c.state}`), c.process, c.version, c.organisation, dateTime(c.started_at), c.started_by, dateTime(c.ended_at), c.statutory ? dateTime(lastMoment(c.statutory.due)) : '', c.promised ? dateTime(lastMoment(c.promised.due)) : '']} />} />
        )}
      </View>
      {starting ? <Suspense fallback={null}><StartCase processes={processes.data?.items ?? []} onClose={() => setStarting(false)} onStarted={(c) => { void navigate(`/desk/cases/${encodeURIComponent(c.id)}`); }} /></Suspense> : null}
      <Provenance asOf={query.dataUpdatedAt} source="cases" path="/cases" params={params} />
    </>
  );
}
