// Shared: files attached to what an office sends: shown with name and size, and put there while it
// is written. A file is kept by the server as soon as it is chosen; it goes out with what is sent.
import { useState } from 'react';
import { Button } from 'antd';
import type { FileLine } from '../api/applications';
import { ApiError } from '../api/client';
import { uploadOfficeFile } from '../api/office';
import { Faults } from './Faults';
import { useI18n } from '../i18n';
import { bytes, percent } from '../lib/format';

/** Files one thing may have (`office::FILES_LIMIT`). */
const MOST = 20;

export function Attachments({ files, address }: { files: readonly FileLine[]; address: (file: string) => string }) {
  const { t } = useI18n();
  if (files.length === 0) return null;
  return (
    <section aria-label={t('office.attachments')}>
      <ul className="file-lines">
        {files.map((file) => <li key={file.id}><a className="file-name" href={address(file.id)} download>{file.name}</a> <span className="muted small">{bytes(file.bytes)}</span></li>)}
      </ul>
    </section>
  );
}

export function AttachFiles({ files, onChange }: { files: readonly FileLine[]; onChange: (files: FileLine[]) => void }) {
  const { t } = useI18n();
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const add = async (chosen: FileList | null) => {
    setError(null);
    const now = [...files];
    try {
      for (const file of chosen ?? []) {
        now.push(await uploadOfficeFile(file, setShare));
        onChange([...now]);
      }
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    } finally {
      setShare(null);
    }
  };
  return (
    <div className="stack">
      <ul className="file-lines">
        {files.map((file) => <li key={file.id}><span className="file-name">{file.name}</span> <span className="muted small">{bytes(file.bytes)}</span> <Button size="small" type="link" aria-label={t('counter.remove_file', { name: file.name })} onClick={() => onChange(files.filter((other) => other.id !== file.id))}>{t('correction.remove')}</Button></li>)}
      </ul>
      <label className="stack">{t('office.attach')}<input type="file" multiple accept=".pdf,.jpg,.jpeg,.png,.ofd" disabled={share !== null || files.length >= MOST} onChange={(e) => { void add(e.target.files); e.target.value = ''; }} /></label>
      {share === null ? null : <p role="status">{t('counter.uploading', { share: percent(share, 0) })}</p>}
      <Faults error={error} />
    </div>
  );
}
