// Operator: work set aside after too many failures, of cases and of applications: what, of which, how
// often, why; tried again one at a time or all that is shown.
import { useState } from 'react';
import { App, Button } from 'antd';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import { APPLICATIONS, type ApplicationAside } from '../../api/applications';
import type { CaseAside, Noted } from '../../api/cases';
import type { Page } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../components/SimpleTable';
import { Skeleton } from '../../components/Skeleton';
import { TabNav } from '../../components/TabNav';
import { Failure } from '../../components/View';
import { useI18n } from '../../i18n';
import { number } from '../../lib/format';
import { faultKey, inOrder, ofApplication, ofCase, pageOf, retryPath, taskOf, type Aside } from '../../lib/setAside';
import { dateTimeSeconds } from '../../lib/time';
import { useSession } from '../../shell/session';

const MOST = 200;
const OF_CASES = '/cases/set-aside';
const OF_APPLICATIONS = `${APPLICATIONS}/set-aside`;
const EVERY_MS = 15_000;

/** The jobs of the machine and the work set aside, for who may see them. */
export function JobTabs({ now }: { now: 'jobs' | 'aside' }) {
  const { t } = useI18n();
  const { may } = useSession();
  const aside = may('operate', 'cases') || may('operate', 'service_applications');
  if (!may('operate', 'system') || !aside) return null;
  return <TabNav label={t('aside.tabs')} now={now} items={[{ key: 'jobs', title: t('operator.jobs'), to: '/operator/jobs' }, { key: 'aside', title: t('aside.tab'), to: '/operator/set-aside' }]} />;
}

interface Told { retried: number; gone: number; failed: { row: Aside; error: ApiError }[] }

export default function SetAside() {
  const { t, lang } = useI18n();
  const { may, session } = useSession();
  const cases = may('operate', 'cases');
  const applications = may('operate', 'service_applications');
  const ofCases = useApi<Page<CaseAside>>(cases ? OF_CASES : null, { limit: MOST }, { every: EVERY_MS, keep: true });
  const ofApplications = useApi<Page<ApplicationAside>>(applications ? OF_APPLICATIONS : null, { limit: MOST }, { every: EVERY_MS, keep: true });
  const rows = inOrder([...(ofCases.data?.items ?? []).map(ofCase), ...(ofApplications.data?.items ?? []).map(ofApplication)]);
  const cut = [ofCases, ofApplications].some((q) => (q.data?.items.length ?? 0) >= MOST);
  const columns = useColumns();
  const head = <><PageHead title={t('aside.title')} sub={t('aside.sub')} /><JobTabs now="aside" /></>;
  if (session && !cases && !applications) return <>{head}<div className="state" role="alert"><h2>{t('state.denied')}</h2><p>{t('aside.no_may')}</p></div></>;
  // One list may fail while the other is there: its rows are shown, and what failed is said.
  const asked = [...(cases ? [ofCases] : []), ...(applications ? [ofApplications] : [])];
  const failed = asked.filter((q) => q.data === undefined && q.error);
  const answered = asked.filter((q) => q.data !== undefined);
  return (
    <>
      {head}
      {cases ? null : <p className="muted">{t('aside.no_cases')}</p>}
      {applications ? null : <p className="muted">{t('aside.no_applications')}</p>}
      <section className="card">
        {failed.map((q, i) => (q.error ? <Failure key={i} error={q.error} retry={() => { void q.refetch(); }} /> : null))}
        {answered.map((q, i) => (q.error ? <p key={i} className="stale" role="status">{t('state.stale', { time: dateTimeSeconds(q.dataUpdatedAt), why: q.error.say(lang) })}</p> : null))}
        {answered.length ? <List rows={rows} whole={failed.length === 0} cut={cut} columns={columns} /> : failed.length ? null : <Skeleton lines={4} />}
      </section>
      <Provenance asOf={answered[0]?.dataUpdatedAt} source={cases ? 'cases' : 'applications'} path={cases ? OF_CASES : OF_APPLICATIONS} downloads={rows.length ? [{ text: 'CSV', save: () => saveRows('set-aside.csv', columns, rows) }] : undefined} />
    </>
  );
}

function useColumns(): SimpleColumn<Aside>[] {
  const { t, w } = useI18n();
  const { may } = useSession();
  const opens = (row: Aside) => (row.owner === 'cases' ? may('read', 'cases') : may('read', 'service_applications') || may('handle', 'service_applications'));
  const said = (row: Aside) => { const { key, what } = taskOf(row); return t(key, { what }); };
  const about = (row: Aside) => row.number ?? (row.owner === 'cases' && !row.about ? '—' : row.owner === 'cases' ? `${row.about} (${t('aside.lost')})` : t('aside.draft'));
  return [
    { title: t('aside.what'), cell: said, file: said },
    { title: t('aside.of'), file: (row) => row.number ?? row.about, cell: (row) => {
      const page = pageOf(row);
      return page && row.number && opens(row) ? <Link to={page}>{row.number}</Link> : about(row);
    } },
    { title: t('aside.attempts'), right: true, cell: (row) => number(row.attempts, 0), file: (row) => row.attempts },
    { title: t('aside.last'), cell: (row) => dateTimeSeconds(row.at), file: (row) => dateTimeSeconds(row.at) },
    { title: t('aside.why'), file: (row) => [t(faultKey(row.error)), row.error.code, w(row.error.words)].filter(Boolean).join(' '), cell: (row) => <Why error={row.error} /> },
  ];
}

function Why({ error }: { error: Noted }) {
  const { t, w } = useI18n();
  const { code } = error;
  const noted = w(error.words).trim();
  return (
    <div style={{ minWidth: '14rem', maxWidth: '30rem' }}>
      {t(faultKey(error))}
      {code || noted ? (
        <details>
          <summary className="muted small">{t('aside.noted')}</summary>
          {noted ? <p className="small" style={{ margin: 0, overflowWrap: 'anywhere', whiteSpace: 'pre-line' }}>{noted}</p> : null}
          {code ? <p className="small" style={{ margin: 0 }}><a href={`/docs/errors/${code}`} aria-label={`${t('aside.code_help')} ${code}`}><code>{code}</code></a></p> : null}
        </details>
      ) : null}
    </div>
  );
}

function List({ rows, whole, cut, columns }: { rows: Aside[]; whole: boolean; cut: boolean; columns: SimpleColumn<Aside>[] }) {
  const { t, lang } = useI18n();
  const { modal } = App.useApp();
  const client = useQueryClient();
  const [going, setGoing] = useState<{ done: number; n: number } | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const words = (row: Aside) => { const { key, what } = taskOf(row); return t('aside.retry_one', { what: t(key, { what }), number: row.number ?? '' }).trim(); };
  const retry = async (which: Aside[]) => {
    const outcome: Told = { retried: 0, gone: 0, failed: [] };
    setTold(null);
    for (const [done, row] of which.entries()) {
      setGoing({ done, n: which.length });
      try {
        await send('POST', retryPath(row));
        outcome.retried += 1;
      } catch (e) {
        if (!(e instanceof ApiError)) throw e;
        // Done meanwhile, or somebody else was quicker.
        if (e.status === 404) outcome.gone += 1;
        else outcome.failed.push({ row, error: e });
      }
    }
    setTold(outcome);
    setGoing(null);
    await client.invalidateQueries({ predicate: (q) => [OF_CASES, OF_APPLICATIONS, '/operator/health'].includes(String(q.queryKey[0])) });
  };
  const all = () => { void modal.confirm({ title: t('aside.confirm_title', { n: rows.length }), content: t('aside.confirm'), okText: t('aside.retry'), cancelText: t('verb.cancel'), onOk: () => { void retry(rows); } }); };
  const news = (
    <div role="status">
      {going ? <p>{t('aside.going', going)}</p> : null}
      {told?.retried ? <p>{t('aside.retried', { n: told.retried })}</p> : null}
      {told?.gone ? <p>{t('aside.gone', { n: told.gone })}</p> : null}
      {told?.failed.length ? <div className="error-box"><p>{t('aside.failed', { n: told.failed.length })}</p><ul>{told.failed.map(({ row, error }) => <li key={row.id}>{words(row)}: {error.say(lang)}</li>)}</ul></div> : null}
    </div>
  );
  if (rows.length === 0) return !whole ? news : <>{news}<div className="state empty"><p><strong>{t('aside.none_title')}</strong></p><p>{t('aside.none')}</p></div></>;
  return (
    <>
      {news}
      <div className="row spread">
        <p><strong>{t('aside.count', { n: number(rows.length, 0) })}</strong> {cut ? <span className="muted">{t('aside.cut', { n: MOST })}</span> : null}</p>
        <Button disabled={going !== null} loading={going !== null} onClick={all}>{t('aside.retry_all', { n: rows.length })}</Button>
      </div>
      <SimpleTable<Aside> quiet caption={t('aside.caption')} rows={rows} rowKey={(row) => `${row.owner} ${row.id}`} columns={[...columns,
        { title: t('aside.retry'), cell: (row) => <Button size="small" disabled={going !== null} aria-label={words(row)} onClick={() => { void retry([row]); }}>{t('aside.retry')}</Button> }]} />
    </>
  );
}
