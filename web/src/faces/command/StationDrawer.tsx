// Command: a station clicked on the map: its headline and the way to its page.
import { Drawer } from 'antd';
import { Link } from 'react-router';
import type { MapStation } from '../../api/environment';
import { AqiTag, StationTag } from '../../components/Marks';
import { useI18n } from '../../i18n';
import { quantity } from '../../lib/format';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';
import { useSession } from '../../shell/session';

export function StationDrawer({ station, onClose }: { station: MapStation | null; onClose: () => void }) {
  const { t, lang } = useI18n();
  const { city } = useSession();
  const district = city?.districts.find((d) => d.code === station?.district)?.title[lang] ?? station?.district;
  return (
    <Drawer open={station !== null} onClose={onClose} title={station ? say(station.name, lang) : ''} mask={false} size={360} closable={{ 'aria-label': t('verb.close_dialog') }}>
      {station ? (
        <>
          <p><StationTag state={station.state} /></p>
          {station.aqi !== null ? <p><AqiTag aqi={station.aqi} /></p> : null}
          {station.headline ? (
            <p><span className="muted">{say(station.headline.title, lang) || station.headline.property}</span><br />
              <strong style={{ fontSize: '1.6rem' }}>{quantity(station.headline.value, station.headline.unit)}</strong></p>
          ) : null}
          <dl className="facts">
            <dt>{t('word.code')}</dt><dd><code>{station.station}</code></dd>
            <dt>{t('word.district')}</dt><dd>{district || '—'}</dd>
            {station.enterprise ? <><dt>{t('word.enterprise')}</dt><dd>{station.enterprise}</dd></> : null}
            <dt>{t('source.as_of')}</dt><dd>{station.last_received ? t('command.last', { time: dateTime(station.last_received) }) : t('command.never')}</dd>
          </dl>
          <p style={{ marginTop: 16 }}><Link className="button strong" to={`/desk/stations/${encodeURIComponent(station.station)}`}>{t('command.open_station')}</Link></p>
        </>
      ) : null}
    </Drawer>
  );
}
