// Operator: frames the gateways refused, by reason, with the raw bytes kept for inspection.
import { useApi } from '../../api/hooks';
import type { Frame, List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { number } from '../../lib/format';
import { FrameItem } from '../desk/station/Frames';

interface Count { gateway: string; reason: string; count: number }

export default function Rejected() {
  const { t } = useI18n();
  const filters = useFilters();
  const reason = filters.get('reason');
  const counts = useApi<List<Count>>('/frames/rejected/counts', undefined, { every: 10_000, keep: true });
  const params = { reason, limit: 100 };
  const frames = useApi<List<Frame>>('/frames/rejected', params, { every: 10_000, keep: true });
  return (
    <>
      <PageHead title={t('operator.rejected')} sub={t('operator.rejected_help')} />
      <div className="grid side">
        <section className="card">
          <View query={frames} empty={(d) => d.items.length === 0} emptyText={t('operator.rejected_empty')}>
            {(d) => <ol style={{ listStyle: 'none', padding: 0, margin: 0 }}>{d.items.map((f) => <FrameItem key={f.seq} frame={f} look="raw" />)}</ol>}
          </View>
        </section>
        <section className="card">
          <View query={counts} empty={(d) => d.items.length === 0} emptyText={t('operator.rejected_empty')}>
            {(d) => (
              <SimpleTable<Count> caption={t('operator.reason')} rows={d.items} rowKey={(c) => `${c.gateway} ${c.reason}`} columns={[
                { title: t('operator.reason'), cell: (c) => <button type="button" className="link" aria-pressed={reason === c.reason} onClick={() => filters.set({ reason: reason === c.reason ? null : c.reason })}>{c.reason}{reason === c.reason ? ' ✓' : ''}</button> },
                { title: t('operator.gateways'), cell: (c) => c.gateway }, { title: t('word.count'), cell: (c) => number(c.count, 0), right: true }]} />
            )}
          </View>
        </section>
      </div>
      <Provenance asOf={frames.dataUpdatedAt} source="gateways" path="/frames/rejected" params={params} />
    </>
  );
}
