// Portal: where the figures come from, what the levels mean, and the open indicators.
import { useApi } from '../../api/hooks';
import type { Air } from '../../api/environment';
import type { Indicator } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Mark } from '../../components/Marks';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { quantity } from '../../lib/format';
import { dateTime } from '../../lib/time';
import { aqiClasses } from '../../theme/palette';

const RANGES = ['0–50', '51–100', '101–150', '151–200', '201–300', '> 300'];

export default function About() {
  const { t, w } = useI18n();
  const air = useApi<Air>('/environment/air');
  const indicators = useApi<{ items: Indicator[] }>('/indicators');
  return (
    <>
      <PageHead title={t('portal.about')} back={{ to: '/portal', text: t('portal.home') }} />
      <section className="card">
        <p>{t('portal.about_text', { edition: air.data?.edition ?? 'HJ 633' })}</p>
        <p>{t('portal.about_hour')}</p>
        <p>{t('portal.about_na')}</p>
        <p><a href="/api/v1/openapi.json">{t('portal.see_all')}</a></p>
      </section>
      <section className="card" id="levels">
        <h2>{t('portal.levels')}</h2>
        <ul className="level-key">
          {aqiClasses.map((look, i) => (
            <li key={i}><Mark shape={look.shape} fill={look.fill} size={18} /> <strong>{RANGES[i]}</strong> {t(`aqi.${i + 1}` as Key)}
              <div className="small muted">{t(`portal.advice.${i + 1}` as Key)}</div>
            </li>
          ))}
        </ul>
      </section>
      <section className="card">
        <h2>{t('portal.indicators')}</h2>
        <View query={indicators} empty={(d) => d.items.length === 0}>
          {(d) => (
            <div className="scroll">
              <table className="plain-table">
                <caption className="hidden">{t('portal.indicators')}</caption>
                <thead><tr><th scope="col">{t('word.name')}</th><th scope="col" className="num">{t('word.value')}</th><th scope="col" className="num">{t('word.target')}</th><th scope="col">{t('source.as_of')}</th></tr></thead>
                <tbody>{d.items.map((i) => (
                  <tr key={`${i.system}.${i.name}`}><th scope="row">{w(i.title)}</th><td className="num">{quantity(i.value, i.unit)}</td><td className="num">{quantity(i.target, i.unit)}</td><td>{dateTime(i.computed_at)}</td></tr>
                ))}</tbody>
              </table>
            </div>
          )}
        </View>
      </section>
    </>
  );
}
