// Desk: devices that have spoken to the gateways; unknown ones wait in quarantine until an officer
// claims them with a form made from the station register's declaration.
import { useState } from 'react';
import { App, Button, Drawer, Input, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../api/client';
import { usePaged } from '../../api/pages';
import { useRegister } from '../../api/registers';
import type { Device, FieldValue, Register } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { RecordForm } from '../../components/RecordForm';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { csv, saveFile } from '../../lib/csv';
import { number } from '../../lib/format';
import { dateTimeSeconds } from '../../lib/time';
import { useSession } from '../../shell/session';
import Frames from './station/Frames';
import { DeviceFacts } from './station/Values';

/** Fields of the claim form the device itself answers. */
function prefill(register: Register, device: Device): Record<string, FieldValue> {
  const own = ['thing', 'device', 'mn'].filter((n) => register.fields.some((f) => f.name === n));
  const known = Object.fromEntries([...own, register.key].map((n) => [n, device.thing]));
  return register.fields.some((f) => f.name === 'st') && device.system_code ? { ...known, st: device.system_code } : known;
}

function ClaimForm({ device, onDone }: { device: Device; onDone: () => void }) {
  const { t } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { query, register } = useRegister('station');
  return (
    <View query={query}>
      {() => {
        if (!register) return <p>{t('state.empty')}</p>;
        const initial = prefill(register, device);
        return (
          <RecordForm register={register} initial={initial} fixed={[register.key]} submitText={t('devices.claim')}
            onSubmit={async (fields) => {
              await send('POST', `/devices/${encodeURIComponent(device.thing)}/claim`, { fields });
              void message.success(t('devices.claimed_done'));
              void client.invalidateQueries();
              onDone();
            }} />
        );
      }}
    </View>
  );
}

export default function Devices() {
  const { t } = useI18n();
  const { may } = useSession();
  const filters = useFilters();
  const [claiming, setClaiming] = useState<Device | null>(null);
  const [looking, setLooking] = useState<Device | null>(null);
  const [selected, setSelected] = useState<string[]>([]);
  const params = { state: filters.get('state'), connected: filters.get('connected'), text: filters.get('text') };
  const paged = usePaged<Device>('/devices', params, { every: 10_000 });
  const allowed = may('write', 'register.station');
  const columns: Column<Device>[] = [
    { key: 'thing', title: 'MN', render: (d) => <button type="button" className="link" onClick={() => setLooking(d)}><code>{d.thing}</code></button> },
    { key: 'state', title: t('word.state'), render: (d) => <span className={d.state === 'quarantined' ? 'tag plain state-open' : 'tag plain'}>{t(`devices.state.${d.state}`)}</span> },
    { key: 'connected', title: t('station.connected'), render: (d) => (d.connected ? `● ${t('word.yes')}` : `○ ${t('word.no')}`) },
    { key: 'gateway', title: t('station.edition'), render: (d) => `${d.gateway} ${d.edition}` },
    { key: 'check', title: t('station.check'), render: (d) => d.check || '—', spare: true },
    { key: 'system_code', title: 'ST', render: (d) => d.system_code || '—' },
    { key: 'last_seen', title: t('devices.last_seen'), render: (d) => dateTimeSeconds(d.last_seen) },
    { key: 'first_seen', title: t('devices.first_seen'), render: (d) => dateTimeSeconds(d.first_seen), spare: true },
    { key: 'clock', title: `${t('station.clock')} (s)`, align: 'right', render: (d) => number(d.clock_offset_s, 0) },
    { key: 'frames', title: t('station.frames_n'), align: 'right', render: (d) => number(d.frames, 0) },
    { key: 'rejected', title: t('station.rejected_n'), align: 'right', render: (d) => number(d.rejected, 0) },
    { key: 'peer', title: t('station.peer'), render: (d) => <code>{d.peer}</code>, spare: true },
    { key: '_claim', title: t('devices.claim'), render: (d) => (d.state === 'quarantined' ? <Button size="small" disabled={!allowed} title={allowed ? undefined : t('devices.claim_denied')} onClick={() => setClaiming(d)}>{t('devices.claim')}</Button> : '') },
  ];
  const rows = paged.query.data?.items ?? [];
  return (
    <>
      <PageHead title={t('devices.title')} sub={<>{t('devices.quarantine_note')}{allowed ? null : <> {t('devices.claim_denied')}</>}</>} />
      <div className="filters">
        <label>{t('verb.search')}<span data-search><Input.Search allowClear defaultValue={filters.get('text')} placeholder={t('devices.search')} onSearch={(v) => filters.set({ text: v })} /></span></label>
        <label>{t('word.state')}<Select style={{ minWidth: 130 }} aria-label={t('word.state')} value={params.state} onChange={(v: string) => filters.set({ state: v })} options={[{ value: '', label: t('word.all') }, { value: 'quarantined', label: t('devices.state.quarantined') }, { value: 'claimed', label: t('devices.state.claimed') }]} /></label>
        <label>{t('station.connected')}<Select style={{ minWidth: 110 }} aria-label={t('station.connected')} value={params.connected} onChange={(v: string) => filters.set({ connected: v })} options={[{ value: '', label: t('word.all') }, { value: 'true', label: t('word.yes') }, { value: 'false', label: t('word.no') }]} /></label>
      </div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('devices.empty')} lines={10}>
        {(p) => (
          <DataTable<Device> name="devices" caption={t('devices.caption')} rows={rows} rowKey={(d) => d.thing} columns={columns} loading={paged.query.isPlaceholderData} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={setLooking} selected={selected} onSelect={setSelected}
            tools={<Button disabled={!selected.length} onClick={() => saveFile('devices.csv', csv(['MN', 'gateway', 'edition', 'check', 'state', 'connected', 'last_seen', 'frames', 'values', 'rejected', 'clock_offset_s'], rows.filter((d) => selected.includes(d.thing)).map((d) => [d.thing, d.gateway, d.edition, d.check, d.state, d.connected, d.last_seen, d.frames, d.values, d.rejected, d.clock_offset_s])))}>{t('verb.export_selected', { n: selected.length })}</Button>} />
        )}
      </View>
      <Drawer open={claiming !== null} onClose={() => setClaiming(null)} size={520} destroyOnHidden title={claiming ? t('devices.claim_title', { thing: claiming.thing }) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {claiming ? <ClaimForm device={claiming} onDone={() => setClaiming(null)} /> : null}
      </Drawer>
      <Drawer open={looking !== null} onClose={() => setLooking(null)} size={720} destroyOnHidden title={looking?.thing ?? ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {looking ? <><DeviceFacts device={looking} /><Frames thing={looking.thing} /></> : null}
      </Drawer>
      <Provenance asOf={paged.query.dataUpdatedAt} source="gateways" path="/devices" params={params} />
    </>
  );
}
