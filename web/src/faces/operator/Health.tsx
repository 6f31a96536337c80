// Operator: how the machine is: store, memory, engine, gateways, readers of the event log.
import { Link } from 'react-router';
import { useApi } from '../../api/hooks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { bytes, number } from '../../lib/format';
import { useNow } from '../../lib/now';
import { dateTimeSeconds, duration, ms } from '../../lib/time';
import { useSession } from '../../shell/session';

interface GatewayHealth { name: string; address: string; connections: number; frames_per_s?: number; counters?: Record<string, number> }
interface Cursor { name: string; seq: number; lag: number }
interface HealthAnswer {
  version: string; started_at: string; store: { kind: string; size_bytes: number; last_event: number }; memory_bytes: number;
  set_aside?: { cases: number; service_applications: number };
  engine: Record<string, number>; gateways: GatewayHealth[]; cursors: Cursor[];
}
const COUNTERS = ['things', 'series', 'values', 'unflushed', 'queued_rows'];
const LAG_TO_NOTE = 1000;

export default function Health() {
  const { t, lang } = useI18n();
  const now = useNow(10_000);
  const query = useApi<HealthAnswer>('/operator/health', undefined, { every: 5_000, keep: true });
  return (
    <>
      <PageHead title={t('operator.health')} />
      <View query={query} lines={10}>
        {(h) => (
          <div className="grid two">
            <section className="card">
              <h2>{t('operator.store')}</h2>
              <dl className="facts">
                <dt>{t('operator.version')}</dt><dd>{h.version}</dd>
                <dt>{t('operator.started')}</dt><dd>{dateTimeSeconds(h.started_at)}</dd>
                <dt>{t('operator.uptime')}</dt><dd>{duration(now - ms(h.started_at), lang)}</dd>
                <dt>{t('operator.memory')}</dt><dd>{bytes(h.memory_bytes)}</dd>
                <dt>{t('operator.store_kind')}</dt><dd>{h.store.kind}</dd>
                <dt>{t('operator.store_size')}</dt><dd>{bytes(h.store.size_bytes)}</dd>
                <dt>{t('operator.last_event')}</dt><dd>{number(h.store.last_event, 0)}</dd>
                <Aside counts={h.set_aside} />
              </dl>
            </section>
            <section className="card">
              <h2>{t('operator.engine')}</h2>
              <dl className="facts">{Object.entries(h.engine).map(([name, value]) => [<dt key={`${name} t`}>{COUNTERS.includes(name) ? t(`operator.${name}` as Key) : name}</dt>, <dd key={name}>{number(value, 0)}</dd>])}</dl>
            </section>
            <section className="card">
              <h2>{t('operator.gateways')}</h2>
              <SimpleTable<GatewayHealth> caption={t('operator.gateways')} rows={h.gateways} rowKey={(g) => g.name} columns={[
                { title: t('word.name'), cell: (g) => g.name }, { title: t('operator.address'), cell: (g) => <code>{g.address}</code> },
                { title: t('operator.connections'), cell: (g) => number(g.connections, 0), right: true }, { title: t('operator.frames_per_s'), cell: (g) => number(g.frames_per_s, 1), right: true }]} />
              {h.gateways.map((g) => (g.counters ? <details key={g.name}><summary>{g.name}: {t('operator.counters')}</summary><dl className="facts">{Object.entries(g.counters).map(([n, v]) => [<dt key={`${n} t`}>{n}</dt>, <dd key={n}>{typeof v === 'number' ? number(v, 0) : JSON.stringify(v)}</dd>])}</dl></details> : null))}
            </section>
            <section className="card">
              <h2>{t('operator.cursors')}</h2>
              <p className="muted small">{t('operator.cursors_help')}</p>
              <SimpleTable<Cursor> caption={t('operator.cursors')} rows={h.cursors} rowKey={(c) => c.name} columns={[
                { title: t('word.name'), cell: (c) => c.name }, { title: t('operator.seq'), cell: (c) => number(c.seq, 0), right: true },
                { title: t('operator.lag'), cell: (c) => <span className={c.lag > LAG_TO_NOTE ? 'over' : ''}>{number(c.lag, 0)}{c.lag > LAG_TO_NOTE ? ' ▲' : ''}</span>, right: true }]} />
            </section>
          </div>
        )}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source="operator/health" path="/operator/health" downloads={[{ text: 'Prometheus /metrics', href: '/metrics' }]} />
    </>
  );
}

/** Work set aside; nothing is said of it while there is none. */
function Aside({ counts }: { counts: HealthAnswer['set_aside'] }) {
  const { t } = useI18n();
  const { may } = useSession();
  const n = (counts?.cases ?? 0) + (counts?.service_applications ?? 0);
  if (!counts || n === 0) return null;
  const opens = may('operate', 'cases') || may('operate', 'service_applications');
  return (
    <>
      <dt>{t('aside.health')}</dt>
      <dd>
        <span className="over">▲ {t('aside.health_say', { n: number(n, 0), cases: number(counts.cases, 0), applications: number(counts.service_applications, 0) })}</span>{' '}
        {opens ? <Link to="/operator/set-aside">{t('aside.health_go')}</Link> : null}
      </dd>
    </>
  );
}
