// Form: choosing a place on the map of the city; a chunk of its own that is loaded when it is asked for.
import { useI18n } from '../../i18n';
import CityMap from '../CityMap';
import { isPlace } from './judge';

export default function PlacePick({ value, onPick }: { value: string; onPick: (place: string) => void }) {
  const { t } = useI18n();
  const [lon = 0, lat = 0] = isPlace(value) ? value.split(',').map(Number) : [];
  const marks = isPlace(value) ? [{ key: 'place', name: '', place: [lon, lat] as [number, number], shape: 'octagon' as const, fill: '#c81e1e', rank: 1 }] : [];
  return (
    <div className="place-map">
      <p className="muted small">{t('form.place_map_help')}</p>
      <CityMap title={t('form.place_map')} marks={marks} chosen={null} onPick={() => undefined} onPlace={([x, y]) => onPick(`${x.toFixed(6)},${y.toFixed(6)}`)} />
    </div>
  );
}
