// Desk, station: production against treatment, stretch by stretch.
import { useApi } from '../../../api/hooks';
import type { WorkingCondition } from '../../../api/environment';
import type { List } from '../../../api/types';
import { TimeRange, useStretch } from '../../../components/TimeRange';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useNow } from '../../../lib/now';
import { useRunning } from '../../../lib/running';
import { say } from '../../../lib/text';
import { dateTime } from '../../../lib/time';

export default function Conditions({ station }: { station: string }) {
  const { t, lang } = useI18n();
  const running = useRunning();
  const stretch = useStretch(useNow());
  const query = useApi<List<WorkingCondition>>('/environment/working_conditions', { from: stretch.fromText, to: stretch.toText }, { keep: true });
  return (
    <section className="card">
      <TimeRange stretch={stretch} spans={['day', 'week']} />
      <View query={query} empty={(d) => !d.items.some((i) => i.station === station)} emptyText={t('station.no_conditions')}>
        {(d) => (
          <div className="scroll">
            <table className="plain-table">
              <caption>{t('station.tab_conditions')}</caption>
              <thead><tr><th scope="col">{t('word.from')}</th><th scope="col">{t('word.to')}</th><th scope="col">{t('station.production')}</th><th scope="col">{t('station.treatment')}</th><th scope="col">{t('station.finding')}</th></tr></thead>
              <tbody>{d.items.filter((i) => i.station === station).map((i) => <tr key={i.from}><th scope="row">{dateTime(i.from)}</th><td>{dateTime(i.to)}</td><td>{running(i.production)}</td><td>{running(i.treatment)}</td><td>{say(i.finding, lang)}</td></tr>)}</tbody>
            </table>
          </div>
        )}
      </View>
    </section>
  );
}
