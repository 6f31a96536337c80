// Data: the records of one register: filter, order, look at another moment of the world or of the
// city's knowledge, create, import, export.
import { useMemo, useState } from 'react';
import { App, Button, DatePicker, Drawer, Input } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { address, ApiError, send } from '../../api/client';
import { usePaged } from '../../api/pages';
import { useRegister } from '../../api/registers';
import type { RecordVersion, Register } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { FieldFilters, fieldParams } from '../../components/FieldFilters';
import { fieldText } from '../../components/fields';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { RecordForm } from '../../components/RecordForm';
import { fromPicker, toPicker } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { useDistrictName } from '../../lib/places';
import { csv, saveFile } from '../../lib/csv';
import { rfc3339 } from '../../lib/time';
import { useSession } from '../../shell/session';

const MOST_IMPORT_BYTES = 8 * 1024 * 1024;

function Import({ register, onDone }: { register: Register; onDone: () => void }) {
  const { t, lang } = useI18n();
  const [error, setError] = useState<ApiError | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    setError(null);
    setDone(null);
    try {
      if (file.size > MOST_IMPORT_BYTES) throw new ApiError({ code: 'input.too_large', status: 413, detail: '文件超过 8 MiB，请分批导入', detail_en: 'the file is larger than 8 MiB; import it in parts' });
      const answer = await send<{ created: number; updated: number; unchanged: number }>('POST', `/registers/${register.name}/import`, await file.text(), { contentType: 'text/csv' });
      setDone(t('data.import_done', answer));
      onDone();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    }
  };
  return (
    <div className="stack">
      <p>{t('data.import_help', { names: register.fields.map((f) => f.name).join(', ') })}</p>
      <label>{t('data.import_choose')} <input type="file" accept=".csv,text/csv" onChange={(e) => { void take(e.target.files?.[0]); }} /></label>
      {done ? <p role="status">{done}</p> : null}
      {error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p><ul>{error.problems.map((p, i) => <li key={i}><code>{p.at}</code> {p.words[lang]}</li>)}</ul></div> : null}
    </div>
  );
}

export default function RegisterPage() {
  const { register: name = '' } = useParams();
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const filters = useFilters();
  const [open, setOpen] = useState<'create' | 'import' | null>(null);
  const [selected, setSelected] = useState<string[]>([]);
  const { query: registers, register } = useRegister(name);
  const districtName = useDistrictName();
  const order = filters.get('order');
  const params = { ...fieldParams(register, filters.params), text: filters.get('text'), order, valid_at: filters.get('at'), as_of: filters.get('as_of') };
  const path = `/registers/${name}`;
  const paged = usePaged<RecordVersion>(path, params);
  const writable = may('write', `register.${name}`);
  const columns = useMemo<Column<RecordVersion>[]>(() => (register?.fields ?? []).map((f) => ({
    key: f.name, title: f.title[lang], spare: !register?.summary.includes(f.name) && f.name !== register?.key, order: f.index ? f.name : undefined,
    align: f.type === 'number' || f.type === 'integer' ? 'right' : undefined,
    render: (r) => (f.name === register?.key ? <Link to={`/data/registers/${name}/${encodeURIComponent(r.key)}`}>{r.key}</Link> : f.name === 'district' ? districtName(r.fields[f.name]) || '—' : fieldText(f, r.fields[f.name], lang)),
  })), [register, lang, name, districtName]);
  const moment = (param: 'at' | 'as_of', label: string) => (
    <label>{label}
      <DatePicker aria-label={label} showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" placeholder={t('data.now')} value={filters.get(param) ? toPicker(Date.parse(filters.get(param))) : null} onChange={(d) => filters.set({ [param]: d ? rfc3339(fromPicker(d)) : null })} />
    </label>
  );
  return (
    <View query={registers}>
      {() => !register ? <p className="state">{t('state.empty')}</p> : (
        <>
          <PageHead title={w(register.title)} back={{ to: '/data/registers', text: t('data.registers') }} sub={`${t('data.owner')}：${register.owner} · ${register.system}/${register.name}${writable ? '' : ` · ${t('data.no_write')}`}`}>
            <Button type="primary" disabled={!writable} onClick={() => setOpen('create')}>{t('data.new_record')}</Button>
            <Button disabled={!writable} onClick={() => setOpen('import')}>{t('verb.import_csv')}</Button>
          </PageHead>
          <div className="filters">
            <label>{t('verb.search')}<span data-search><Input.Search allowClear defaultValue={filters.get('text')} placeholder={t('data.search')} onSearch={(v) => filters.set({ text: v })} /></span></label>
            <FieldFilters register={register} filters={filters} />
            {moment('at', t('data.valid_at'))}
            {moment('as_of', t('data.known_at'))}
            <Button onClick={() => filters.set(Object.fromEntries([...filters.params.keys()].map((k) => [k, null])))}>{t('verb.clear')}</Button>
          </div>
          <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('data.records_empty')} lines={10}>
            {(p) => (
              <DataTable<RecordVersion> name={`register.${name}`} caption={t('data.records_caption', { register: w(register.title) })} rows={p.items} rowKey={(r) => r.key} columns={columns} loading={paged.query.isPlaceholderData} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn}
                order={order} onOrder={(o) => filters.set({ order: o })} onOpen={(r) => { void navigate(`/data/registers/${name}/${encodeURIComponent(r.key)}`); }} selected={selected} onSelect={setSelected}
                tools={<Button disabled={!selected.length} onClick={() => saveFile(`${name}.csv`, csv(register.fields.map((f) => f.name), p.items.filter((r) => selected.includes(r.key)).map((r) => register.fields.map((f) => r.fields[f.name]))))}>{t('verb.export_selected', { n: selected.length })}</Button>} />
            )}
          </View>
          <Drawer open={open !== null} onClose={() => setOpen(null)} size={520} destroyOnHidden title={t(open === 'import' ? 'data.import_title' : 'data.new_record')} closable={{ 'aria-label': t('verb.close_dialog') }}>
            {open === 'import' ? <Import register={register} onDone={() => { void client.invalidateQueries(); }} /> : (
              <RecordForm register={register} submitText={t('verb.save')} onSubmit={async (fields) => {
                const key = String(fields[register.key] ?? '');
                await send('PUT', `${path}/${encodeURIComponent(key)}`, { fields }, { ifMatch: 0 });
                void message.success(t('operator.done'));
                setOpen(null);
                void client.invalidateQueries();
              }} />
            )}
          </Drawer>
          <Provenance asOf={filters.get('as_of') || filters.get('at') || paged.query.dataUpdatedAt} source={`${register.owner} · register.${name}`} path={path} params={params} downloads={(['csv', 'xlsx'] as const).map((format) => ({ text: format.toUpperCase(), href: address(path, { ...params, format }) }))} />
        </>
      )}
    </View>
  );
}
