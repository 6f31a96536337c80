// Desk, on behalf: materials the clerk scans or takes over: files put at each, what the city has
// already, what may follow later.
import { useState } from 'react';
import { removeFile, uploadFile, type Draft, type MaterialState } from '../../../api/applications';
import { ApiError } from '../../../api/client';
import { useI18n } from '../../../i18n';
import { bytes, percent } from '../../../lib/format';

interface Props { draft: Draft; onChanged: () => void; onFollowing: (names: string[]) => void }

export function SheetMaterials({ draft, onChanged, onFollowing }: Props) {
  const { t } = useI18n();
  const following = draft.materials.filter((m) => m.following).map((m) => m.name);
  if (draft.materials.length === 0) return <p className="muted">{t('matter.no_materials')}</p>;
  return (
    <ul className="material-list">
      {draft.materials.map((m) => <OneMaterial key={m.name} about={draft.id} m={m} onChanged={onChanged} onFollows={(on) => onFollowing(on ? [...following, m.name] : following.filter((n) => n !== m.name))} />)}
    </ul>
  );
}

function OneMaterial({ about, m, onChanged, onFollows }: { about: string; m: MaterialState; onChanged: () => void; onFollows: (on: boolean) => void }) {
  const { t, w, lang } = useI18n();
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    try {
      await work();
      onChanged();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    } finally {
      setShare(null);
    }
  };
  const add = (files: FileList | null) => attempt(async () => { for (const file of files ?? []) await uploadFile(about, m.name, file, setShare); });
  const title = w(m.title);
  return (
    <li>
      <strong>{title}</strong> <span className="muted small">{t(m.required ? 'matter.material_required' : 'matter.material_optional')}</span>
      {m.note ? <p className="muted small">{w(m.note)}</p> : null}
      {m.answered_by ? <p>{t('matter.answered_by', { source: w(m.answered_by[1]) })}</p> : (
        <>
          <ul className="file-lines">{m.files.map((f) => <li key={f.id}><span className="file-name">{f.name}</span> <span className="muted small">{bytes(f.bytes)}</span><button type="button" className="link" aria-label={t('counter.remove_file', { name: f.name })} onClick={() => { void attempt(() => removeFile(about, m.name, f.id)); }}>{t('correction.remove')}</button></li>)}</ul>
          <label className="input upload">{t('counter.add_file', { title })}<input type="file" multiple accept=".pdf,.jpg,.jpeg,.png,.ofd" disabled={share !== null} onChange={(e) => { void add(e.target.files); e.target.value = ''; }} /></label>
          {share === null ? null : <p role="status">{t('counter.uploading', { share: percent(share, 0) })}</p>}
          {m.may_follow && m.files.length === 0 ? <label className="row"><input type="checkbox" checked={m.following} onChange={(e) => onFollows(e.target.checked)} />{t('counter.follows')}</label> : null}
        </>
      )}
      {error ? <p className="error-text" role="alert">{error.say(lang)}</p> : null}
    </li>
  );
}
