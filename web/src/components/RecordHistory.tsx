// Component: a record and every version of it: when it was valid, when the city came to know, who
// wrote it and why; what changed from the version before is pointed out.
import { Link } from 'react-router';
import { useApi } from '../api/hooks';
import { useRegister } from '../api/registers';
import type { List, RecordVersion } from '../api/types';
import { useI18n } from '../i18n';
import { dateTimeSeconds } from '../lib/time';
import { fieldText } from './fields';
import { View } from './View';

export default function RecordHistory({ register, recordKey, here }: { register: string; recordKey: string; here?: boolean }) {
  const { t, lang } = useI18n();
  const history = useApi<List<RecordVersion>>(`/registers/${register}/${encodeURIComponent(recordKey)}/history`);
  const { register: declared } = useRegister(register);
  return (
    <section className="card">
      {here ? null : <p><Link to={`/data/registers/${register}/${encodeURIComponent(recordKey)}`}>{t('data.open_record')}</Link></p>}
      <View query={history} empty={(d) => d.items.length === 0}>
        {(d) => (
          <ol className="timeline">
            {d.items.map((v, i) => {
              const before = d.items[i + 1];
              const names = declared?.fields.map((f) => f.name) ?? Object.keys(v.fields);
              const changed = before ? names.filter((n) => JSON.stringify(v.fields[n]) !== JSON.stringify(before.fields[n])) : names;
              return (
                <li key={`${v.version} ${v.recorded_at}`}>
                  <strong>{t('data.version', { n: v.version })}</strong>{' '}
                  <span className="muted small">{t('data.recorded', { time: dateTimeSeconds(v.recorded_at), who: v.by })}{v.reason ? ` · ${v.reason}` : ''}</span>
                  <div className="small muted">{t('data.valid', { from: dateTimeSeconds(v.valid_from), to: v.valid_to ? dateTimeSeconds(v.valid_to) : t('data.now') })}{v.superseded_at ? ` · ${t('data.superseded', { time: dateTimeSeconds(v.superseded_at) })}` : ''}</div>
                  <dl className="facts small">
                    {changed.map((n) => {
                      const field = declared?.fields.find((f) => f.name === n);
                      return [<dt key={`${n} t`}>{field?.title[lang] ?? n}</dt>, <dd key={n}>{before ? <><s className="muted">{field ? fieldText(field, before.fields[n], lang) : String(before.fields[n] ?? '—')}</s> → </> : null}{field ? fieldText(field, v.fields[n], lang) : String(v.fields[n] ?? '—')}</dd>];
                    })}
                  </dl>
                </li>
              );
            })}
          </ol>
        )}
      </View>
    </section>
  );
}
