// Desk, station: the newest value of every property, with limit, share of limit and flag; what is
// known of the device beside it.
import { Link } from 'react-router';
import type { Station, StationProperty } from '../../../api/environment';
import type { Device } from '../../../api/types';
import { FlagTag } from '../../../components/Marks';
import { Empty } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { number, percent, quantity } from '../../../lib/format';
import { kindWords } from '../../../lib/series';
import { useRunning } from '../../../lib/running';
import { say } from '../../../lib/text';
import { dateTimeSeconds, duration } from '../../../lib/time';

const CLOCK_TOLERANCE_S = 30;

/** The newest value, however the report carries it. */
export function latestOf(p: StationProperty): { time: string | null; value: number | null; flag: string } {
  return { time: p.latest?.time ?? p.time ?? null, value: p.latest?.value ?? p.value ?? null, flag: p.latest?.flag ?? p.flag ?? '' };
}

export function Values({ answer, thing }: { answer: Station; thing: string }) {
  const { t, lang } = useI18n();
  const running = useRunning();
  return (
    <div className="grid side">
      <section className="card scroll">
        {answer.properties.length === 0 ? <Empty text={t('station.no_values')} /> : (
          <table className="plain-table">
            <caption>{t('station.values_caption')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('word.property')}</th><th scope="col" className="num">{t('word.value')}</th><th scope="col">{t('word.unit')}</th>
                <th scope="col" className="num">{t('word.limit')}</th><th scope="col" className="num">{t('word.ratio')}</th><th scope="col">{t('word.flag')}</th><th scope="col">{t('word.time')}</th>
              </tr>
            </thead>
            <tbody>
              {answer.properties.map((p) => {
                const latest = latestOf(p);
                const limit = answer.limits.find((l) => l.property === p.property);
                const over = p.ratio !== null && p.ratio > 1;
                return (
                  <tr key={`${p.property} ${p.kind}`}>
                    <th scope="row">
                      <Link to={`/desk/stations/${encodeURIComponent(answer.record.key)}/charts?property=${encodeURIComponent(p.property)}`}>{say(p.title, lang) || p.property}</Link>
                      <div className="muted small">{p.property} · {kindWords(p.kind, t)}</div>
                    </th>
                    <td className={over ? 'num over' : 'num'}>{number(latest.value, p.digits)}{over ? ' ▲' : ''}</td>
                    <td>{p.unit}</td>
                    <td className="num" title={limit ? t('station.limit_from', { source: say(limit.source, lang) }) : undefined}>{number(p.limit ?? limit?.limit)}</td>
                    <td className={over ? 'num over' : 'num'}>{percent(p.ratio, 0)}</td>
                    <td><FlagTag flag={latest.flag} /></td>
                    <td>{dateTimeSeconds(latest.time)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </section>
      <section className="card">
        {answer.conditions ? <p>{t('station.production')}：<strong>{running(answer.conditions.production)}</strong> · {t('station.treatment')}：<strong>{running(answer.conditions.treatment)}</strong></p> : null}
        <h2>{t('word.device')}</h2>
        {answer.device ? <DeviceFacts device={answer.device} /> : <p>{t('station.device_missing')} <code>{thing}</code></p>}
        {answer.limits.length ? (
          <>
            <h3 style={{ marginTop: 16 }}>{t('word.limit')}</h3>
            <ul>{answer.limits.map((l) => <li key={l.property} className="small">{say(l.title, lang) || l.property} ≤ {quantity(l.limit, l.unit)} <span className="muted">{say(l.source, lang)}</span></li>)}</ul>
          </>
        ) : null}
      </section>
    </div>
  );
}

export function DeviceFacts({ device }: { device: Device }) {
  const { t, lang } = useI18n();
  const offset = device.clock_offset_s;
  const length = offset === null ? '' : duration(Math.abs(offset) * 1000, lang);
  const clock = offset === null ? '—' : Math.abs(offset) <= CLOCK_TOLERANCE_S ? t('station.clock_right', { s: number(Math.abs(offset), 0) }) : t(offset > 0 ? 'station.clock_fast' : 'station.clock_slow', { s: length });
  return (
    <dl className="facts">
      <dt>MN</dt><dd><code>{device.thing}</code></dd>
      <dt>{t('word.state')}</dt><dd>{t(device.connected ? 'station.connected' : 'station.not_connected')} · {t(`devices.state.${device.state}`)}</dd>
      <dt>{t('station.edition')}</dt><dd>{device.gateway} {device.edition}</dd>
      <dt>{t('station.check')}</dt><dd>{device.check || '—'}</dd>
      <dt>ST</dt><dd>{device.system_code || '—'}</dd>
      <dt>{t('station.peer')}</dt><dd><code>{device.peer || '—'}</code></dd>
      <dt>{t('station.clock')}</dt><dd className={offset !== null && Math.abs(offset) > CLOCK_TOLERANCE_S ? 'over' : ''}>{clock}</dd>
      <dt>{t('station.frames_n')}</dt><dd>{number(device.frames, 0)}</dd>
      <dt>{t('station.rejected_n')}</dt><dd>{number(device.rejected, 0)}</dd>
      <dt>{t('devices.first_seen')}</dt><dd>{dateTimeSeconds(device.first_seen)}</dd>
      <dt>{t('devices.last_seen')}</dt><dd>{dateTimeSeconds(device.last_seen)}</dd>
      {Object.entries(device.notes).map(([name, value]) => [<dt key={`${name} t`}>{name}</dt>, <dd key={name}>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>])}
    </dl>
  );
}
