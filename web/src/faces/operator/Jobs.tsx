// Operator: scheduled jobs, their last result, and running one now.
import { App, Button } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { number } from '../../lib/format';
import { dateTimeSeconds } from '../../lib/time';
import { JobTabs } from './SetAside';

interface Job { name: string; state: string; next_at: string; started_at: string | null; ended_at: string | null; attempts: number; runs: number; failures: number; error: string | null }

const KNOWN = ['waiting', 'running', 'retrying', 'failed'];

export default function Jobs() {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const query = useApi<List<Job>>('/operator/jobs', undefined, { every: 5_000, keep: true });
  const run = async (job: Job) => {
    try {
      await send('POST', `/operator/jobs/${encodeURIComponent(job.name)}/run`);
      void message.success(t('operator.run_started', { name: job.name }));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/jobs'] });
  };
  return (
    <>
      <PageHead title={t('operator.jobs')} />
      <JobTabs now="jobs" />
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('operator.jobs_empty')}>
          {(d) => (
            <SimpleTable<Job> caption={t('operator.jobs_caption')} rows={d.items} rowKey={(j) => j.name} columns={[
              { title: t('word.name'), cell: (j) => <code>{j.name}</code> },
              { title: t('word.state'), cell: (j) => <span className={j.error ? 'over' : ''}>{KNOWN.includes(j.state) ? t(`job.${j.state}` as Key) : j.state}</span> },
              { title: t('operator.last_run'), cell: (j) => dateTimeSeconds(j.ended_at ?? j.started_at) },
              { title: t('operator.next_run'), cell: (j) => dateTimeSeconds(j.next_at) },
              { title: t('operator.attempts'), cell: (j) => number(j.attempts, 0), right: true },
              { title: t('operator.runs'), cell: (j) => number(j.runs, 0), right: true },
              { title: t('operator.failures'), cell: (j) => number(j.failures, 0), right: true },
              { title: t('operator.error'), cell: (j) => j.error ?? '—' },
              { title: t('operator.run_now'), cell: (j) => <Button size="small" aria-label={`${t('operator.run_now')} ${j.name}`} onClick={() => { void run(j); }}>{t('operator.run_now')}</Button> }]} />
          )}
        </View>
      </section>
      <Provenance asOf={query.dataUpdatedAt} source="store.jobs" path="/operator/jobs" />
    </>
  );
}
