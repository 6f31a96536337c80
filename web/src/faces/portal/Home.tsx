// Portal: the residents' first page: the air now, then large tiles, then the last two days.
import { Link } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Air } from '../../api/environment';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useAt } from '../../lib/at';
import { useSession } from '../../shell/session';
import { Icon } from '../../shell/icons';
import { Hero } from './Hero';
import { History } from './History';

const REFRESH_MS = 60_000;
const TILES: readonly { to: string; icon: string; title: Key; help: Key }[] = [
  { to: '/services', icon: 'service', title: 'svc.title', help: 'portal.tile_services_help' },
  { to: '/portal/applications', icon: 'file', title: 'app.mine', help: 'portal.tile_matters_help' },
  { to: '/portal/notices', icon: 'bell', title: 'office.public', help: 'portal.tile_notices_help' },
  { to: '/portal/air', icon: 'environment', title: 'portal.tile_stations', help: 'portal.tile_stations_help' },
  { to: '/about#levels', icon: 'gauge', title: 'portal.levels', help: 'portal.tile_levels_help' },
  { to: '/data/indicators', icon: 'chart', title: 'portal.indicators', help: 'portal.tile_indicators_help' },
  { to: '/about', icon: 'info', title: 'portal.about', help: 'portal.tile_about_help' },
];

export function Home() {
  const { t, w } = useI18n();
  const { city, session } = useSession();
  const { at } = useAt();
  const air = useApi<Air>('/environment/air', { at }, { every: at ? 0 : REFRESH_MS, keep: true });
  const name = city ? w(city.title) : '';
  return (
    <>
      <PageHead title={t('portal.title', { city: name })} />
      <View query={air} lines={6}>{(a) => <Hero air={a} />}</View>
      <ul className="tiles">
        {TILES.map((tile) => (
          <li key={tile.to}><Link to={tile.to}><Icon name={tile.icon} /><strong>{t(tile.title)}</strong><span className="muted small">{t(tile.help)}</span></Link></li>
        ))}
      </ul>
      <section className="card">
        <h2>{t('portal.history', { station: name })}</h2>
        <History station={null} name={name} />
      </section>
      {air.data ? <Provenance asOf={air.data.at} source={`HJ 212 · ${air.data.edition}`} path="/environment/air" params={{ at }} /> : null}
      {session ? null : <p><Link to="/sign-in">{t('portal.officer')}</Link></p>}
    </>
  );
}
