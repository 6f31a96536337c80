// Operator: organisations from a file: tried first, then taken, whole or not at all.
import { useState } from 'react';
import { Button, Input, Select } from 'antd';
import { address, ApiError, send } from '../../../api/client';
import { Faults } from '../../../components/Faults';
import { useI18n } from '../../../i18n';

interface Done { created: number; updated: number; unchanged: number }

export function Import({ parent, changed }: { parent: string; changed: () => void }) {
  const { t } = useI18n();
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState('csv');
  const [under, setUnder] = useState(parent);
  const [done, setDone] = useState<Done | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const take = async (dry: boolean) => {
    if (!file) return;
    setError(null);
    setDone(null);
    try {
      const path = address('/operator/organisations/import', { format, parent: under, dry_run: dry }).replace('/api/v1', '');
      setDone(await send<Done>('POST', path, await file.text(), { contentType: 'text/plain' }));
      if (!dry) changed();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    }
  };
  return (
    <div className="stack">
      <p>{t('org.import_help')}</p>
      <label>{t('org.file')} <input type="file" accept=".csv,.yaml,.yml" onChange={(e) => { const f = e.target.files?.[0] ?? null; setFile(f); if (f && /\.ya?ml$/.test(f.name)) setFormat('yaml'); }} /></label>
      <label>{t('org.format')} <Select aria-label={t('org.format')} value={format} onChange={setFormat} options={[{ value: 'csv', label: 'CSV' }, { value: 'yaml', label: 'YAML' }, { value: 'divisions', label: t('org.divisions') }]} /></label>
      <label>{t('org.parent')} <Input value={under} onChange={(e) => setUnder(e.target.value)} /></label>
      <span className="row"><Button disabled={!file} onClick={() => { void take(true); }}>{t('org.import_try')}</Button><Button type="primary" disabled={!file} onClick={() => { void take(false); }}>{t('org.import_take')}</Button></span>
      {done ? <p role="status">{t('org.import_done', { ...done })}</p> : null}
      <Faults error={error} />
    </div>
  );
}
