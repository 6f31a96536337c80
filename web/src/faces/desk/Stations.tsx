// Desk: the list of stations. Pages, order and field filters are the register's; the state comes
// from the map report. A filter by state lists the stations of the map report instead.
import { useMemo, useState } from 'react';
import { Button, Input, Select } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useApi } from '../../api/hooks';
import { address } from '../../api/client';
import { usePaged } from '../../api/pages';
import type { MapStation, StationMap, StationState } from '../../api/environment';
import { useRegister } from '../../api/registers';
import type { RecordVersion } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { FieldFilters, fieldParams } from '../../components/FieldFilters';
import { fieldText } from '../../components/fields';
import { AqiTag, StationTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useAt, useFilters } from '../../lib/at';
import { csv, saveFile } from '../../lib/csv';
import { quantity } from '../../lib/format';
import { useDistrictName } from '../../lib/places';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';
import { STATES } from '../../theme/palette';

interface Row { key: string; record?: RecordVersion; station?: MapStation }

export default function Stations() {
  const { t, lang } = useI18n();
  const { at } = useAt();
  const filters = useFilters();
  const navigate = useNavigate();
  const [selected, setSelected] = useState<string[]>([]);
  const { register } = useRegister('station');
  const districtName = useDistrictName();
  const state = filters.get('state') as StationState | '';
  const order = filters.get('order');
  const params = { ...fieldParams(register, filters.params), text: filters.get('text'), order, valid_at: at };
  const paged = usePaged<RecordVersion>('/registers/station', params);
  const stations = useApi<StationMap>('/environment/map', { at }, { every: at ? 0 : 30_000, keep: true });
  const byKey = useMemo(() => new Map((stations.data?.items ?? []).map((s) => [s.station, s])), [stations.data]);

  const rows: Row[] = state
    ? [...byKey.values()].filter((s) => s.state === state && matches(s, filters.get('text'), lang)).map((s) => ({ key: s.station, station: s }))
    : (paged.query.data?.items ?? []).map((r) => ({ key: r.key, record: r, station: byKey.get(r.key) }));
  const columns = useMemo<Column<Row>[]>(() => {
    const known = new Set(register?.fields.map((f) => f.name));
    const summary = [register?.key ?? '', ...(register?.summary ?? [])].filter((f) => known.has(f));
    const own: Column<Row>[] = [
      { key: '_state', title: t('word.state'), render: (r) => (r.station ? <StationTag state={r.station.state} /> : '—') },
      { key: '_headline', title: t('desk.headline'), render: (r) => (r.station?.aqi !== null && r.station?.aqi !== undefined ? <AqiTag aqi={r.station.aqi} /> : r.station?.headline ? <>{say(r.station.headline.title, lang)} {quantity(r.station.headline.value, r.station.headline.unit)}</> : '—') },
      { key: '_last', title: t('desk.last_received'), render: (r) => dateTime(r.station?.last_received) },
    ];
    const fields: Column<Row>[] = (register?.fields ?? []).map((f) => ({
      key: f.name, title: f.title[lang], order: f.index ? f.name : undefined, spare: !summary.includes(f.name),
      align: f.type === 'number' || f.type === 'integer' ? 'right' : undefined,
      render: (r) => (f.name === register?.key
        ? <Link to={`/desk/stations/${encodeURIComponent(r.key)}`}>{r.key}</Link>
        : f.name === 'district' ? districtName(r.record?.fields['district'] ?? r.station?.district) || '—' : r.record ? fieldText(f, r.record.fields[f.name], lang) : f.name === 'name' && r.station ? say(r.station.name, lang) : '—'),
    }));
    const keyed = fields.some((f) => f.key === register?.key) ? fields : [{ key: '_key', title: t('word.code'), render: (r: Row) => <Link to={`/desk/stations/${encodeURIComponent(r.key)}`}>{r.key}</Link> }, ...fields];
    return [...keyed, ...own];
  }, [register, t, lang, districtName]);

  const exportSelected = () => {
    const fields = register?.fields ?? [];
    saveFile('stations.csv', csv([t('word.code'), ...fields.map((f) => f.title[lang]), t('word.state'), t('desk.last_received')],
      rows.filter((r) => selected.includes(r.key)).map((r) => [r.key, ...fields.map((f) => r.record?.fields[f.name]), r.station ? t(`station.${r.station.state}`) : '', dateTime(r.station?.last_received)])));
  };

  return (
    <>
      <PageHead title={t('desk.stations')} sub={state ? t('desk.filtered_by_state') : undefined} />
      <div className="filters">
        <label>{t('verb.search')}<span data-search><Input.Search allowClear defaultValue={filters.get('text')} placeholder={t('desk.search_station')} onSearch={(v) => filters.set({ text: v })} /></span></label>
        <label>{t('word.state')}
          <Select style={{ minWidth: 130 }} value={state} aria-label={t('word.state')} onChange={(v: string) => filters.set({ state: v })}
            options={[{ value: '', label: t('word.all') }, ...STATES.map((s) => ({ value: s, label: t(`station.${s}`) }))]} />
        </label>
        {register && !state ? <FieldFilters register={register} filters={filters} /> : null}
        <Button onClick={() => filters.set(Object.fromEntries([...filters.params.keys()].map((k) => [k, null])))}>{t('verb.clear')}</Button>
      </div>
      <View query={paged.query} lines={10}>
        {(page) => (
          <>
            <DataTable<Row>
              name="stations" caption={t('desk.stations_caption')} rows={rows} rowKey={(r) => r.key} columns={columns}
              loading={paged.query.isPlaceholderData} total={state ? rows.length : page.total} page={paged.page} hasNext={page.next !== null}
              onPage={state ? undefined : paged.turn} order={order} onOrder={(o) => filters.set({ order: o })}
              onOpen={(r) => { void navigate(`/desk/stations/${encodeURIComponent(r.key)}`); }} selected={selected} onSelect={setSelected}
              tools={<><Button disabled={!selected.length} onClick={exportSelected}>{t('verb.export_selected', { n: selected.length })}</Button><Button href={address('/registers/station', { ...params, format: 'csv' })}>{t('verb.export_csv')}</Button><Button href={address('/registers/station', { ...params, format: 'xlsx' })}>{t('verb.export_xlsx')}</Button></>}
            />
            {rows.length === 0 ? <p className="state">{t('desk.stations_empty')}</p> : null}
          </>
        )}
      </View>
      <Provenance asOf={stations.data?.at} source="register.station, environment/map" path="/registers/station" params={params} />
    </>
  );
}

function matches(s: MapStation, text: string, lang: 'zh' | 'en'): boolean {
  const wanted = text.trim().toLowerCase();
  return !wanted || s.station.toLowerCase().includes(wanted) || say(s.name, lang).toLowerCase().includes(wanted);
}
