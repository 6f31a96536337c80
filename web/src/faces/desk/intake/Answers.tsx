// Desk, applications: what the applicant answered, step by step as they were asked, and their
// materials with the files; what is masked says why, and how who needs it may see it.
import { useEffect, useMemo, useState } from 'react';
import { Button, Modal } from 'antd';
import { Link } from 'react-router';
import { ApiError, getBytes } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { fileAddress, type ApplicationFile, type FileLine, type MaterialState } from '../../../api/applications';
import { itemPath, type Item } from '../../../api/items';
import { asked, FormAnswers, readForm } from '../../../components/form';
import { DataFacts } from '../../../components/DataFacts';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import { bytes } from '../../../lib/format';
import { dateTime } from '../../../lib/time';
import { UseLicence, type InHand } from './UseLicence';

/** The version of the item an application follows. */
export function useItemOf(item: string | undefined, version: number | undefined) {
  return useApi<Item>(item ? itemPath(item) : null, { version });
}

export function AnswersByStep({ file, item, failed }: { file: ApplicationFile; item: Item | undefined; failed: boolean }) {
  const { t, w } = useI18n();
  const form = useMemo(() => (item ? readForm(item.content.form) : null), [item]);
  if (!form) return failed ? <><p className="muted">{t('matter.no_form')}</p><DataFacts data={file.answers} empty={t('matter.no_answers')} /></> : <Skeleton lines={4} />;
  // What was answered is shown even when the answer its question hangs on is masked.
  const shown = new Set([...asked(form, file.answers).map((f) => f.name), ...Object.keys(file.answers), ...file.masked]);
  const steps = form.steps.map((s) => ({ ...s, fields: s.fields.filter((f) => shown.has(f.name)) })).filter((s) => s.fields.length);
  const known = new Set(form.fields.map((f) => f.name));
  const others = Object.fromEntries(Object.entries(file.answers).filter(([name]) => !known.has(name)));
  return (
    <>
      {steps.length === 0 ? <p className="muted">{t('matter.no_answers')}</p> : null}
      {steps.map((step) => (
        <section key={step.name} className="answers-step" aria-label={w(step.title)}>
          <h3>{w(step.title)}</h3>
          <FormAnswers form={{ ...form, fields: step.fields.map((f) => ({ ...f, when: [] })) }} answers={file.answers} masked={file.masked} all />
        </section>
      ))}
      {Object.keys(others).length ? <DataFacts data={others} empty="" /> : null}
      {file.masked.length ? <p className="masked-note" role="note">{t('matter.masked', { n: file.masked.length })} <Link to="/desk/break-glass">{t('matter.masked_how')}</Link></p> : null}
    </>
  );
}

export function MaterialList({ about, materials, of }: { about: string; materials: readonly MaterialState[]; of: InHand }) {
  const { t, w } = useI18n();
  const [shown, setShown] = useState<FileLine | null>(null);
  if (materials.length === 0) return <p className="muted">{t('matter.no_materials')}</p>;
  return (
    <>
      <ul className="material-list">
        {materials.map((m) => (
          <li key={m.name}>
            <strong>{w(m.title)}</strong> <span className="muted small">{t(m.required ? 'matter.material_required' : 'matter.material_optional')}</span>
            {m.answered_by ? <p>{t('matter.answered_by', { source: w(m.answered_by[1]) })}{m.licence ? <> <UseLicence of={of} material={w(m.title)} identifier={m.licence} /></> : null}</p> : null}
            {m.following ? <p className="over">{t('matter.following')}</p> : null}
            {m.files.length ? (
              <ul className="file-lines">
                {m.files.map((f) => (
                  <li key={f.id}>
                    <span className="file-name">{f.name}</span> <span className="muted small">{bytes(f.bytes)} · {dateTime(f.at)}</span>
                    {canShow(f) ? <Button size="small" aria-label={t('matter.preview_of', { name: f.name })} onClick={() => setShown(f)}>{t('matter.preview')}</Button> : null}
                    <a href={fileAddress(about, f.id)} download={f.name} aria-label={t('matter.download_of', { name: f.name })}>{t('matter.download')}</a>
                  </li>
                ))}
              </ul>
            ) : m.answered_by || m.following ? null : <p className={m.required ? 'over' : 'muted'}>{t('matter.no_file')}</p>}
          </li>
        ))}
      </ul>
      {shown ? <Preview about={about} file={shown} onClose={() => setShown(null)} /> : null}
    </>
  );
}

const canShow = (file: FileLine): boolean => file.media === 'image/png' || file.media === 'image/jpeg';

/** A picture on the page; other kinds are downloaded, nothing foreign runs here. */
function Preview({ about, file, onClose }: { about: string; file: FileLine; onClose: () => void }) {
  const { t, lang } = useI18n();
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    let gone = false;
    let made: string | null = null;
    getBytes(fileAddress(about, file.id)).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(new Blob([blob], { type: file.media }));
      setUrl(made);
    }).catch((e: unknown) => { if (e instanceof ApiError) setError(e); });
    return () => { gone = true; if (made) URL.revokeObjectURL(made); };
  }, [about, file]);
  return (
    <Modal open width="min(60rem, 94vw)" title={file.name} footer={null} onCancel={onClose} closable={{ 'aria-label': t('verb.close_dialog') }}>
      {error ? <p className="error-text" role="alert">{error.say(lang)}</p> : url ? <img className="file-preview" src={url} alt={t('matter.picture_of', { name: file.name })} /> : <Skeleton lines={4} />}
    </Modal>
  );
}
