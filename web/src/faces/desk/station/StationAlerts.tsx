// Desk, station: its alerts, newest first.
import { useNavigate } from 'react-router';
import { usePaged } from '../../../api/pages';
import type { Alert } from '../../../api/types';
import { DataTable } from '../../../components/DataTable';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useAlertColumns } from '../alert/columns';

export default function StationAlerts({ thing }: { thing: string }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const columns = useAlertColumns();
  const paged = usePaged<Alert>('/alerts', { thing });
  return (
    <section className="card">
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('alerts.empty')}>
        {(p) => <DataTable<Alert> name="station-alerts" caption={t('alerts.caption')} rows={p.items} rowKey={(a) => a.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(a) => { void navigate(`/desk/alerts/${encodeURIComponent(a.id)}`); }} />}
      </View>
    </section>
  );
}
