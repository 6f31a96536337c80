// Portal, applying: one material: what the city has already, the files, adding with progress, refusals
// in words, removing, the promise to hand it in later. Also used for corrections.
import { useRef, useState } from 'react';
import { ApiError } from '../../../api/client';
import { fileAddress, removeFile, uploadFile, type FileLine, type MaterialState } from '../../../api/applications';
import type { Material } from '../../../api/items';
import { useI18n } from '../../../i18n';
import { acceptOf, FILE_BYTES_MOST, fileRefusal } from '../../../lib/apply';
import { bytes, percent } from '../../../lib/format';
import { FILES_MOST, kindsOf } from '../services/Materials';

interface Going { name: string; share: number; stop: AbortController }
interface Props {
  /** Draft or application. */
  about: string;
  state: MaterialState;
  /** What the item says of it; parts of a bundle bring their own, which this page need not know. */
  material: Material | undefined;
  faults: readonly string[];
  /** A file came or went. */
  onChanged: () => Promise<void>;
  onFollow?: (follows: boolean) => void;
  follows?: boolean;
  /** Nothing of the files that are there can be taken away (a correction adds). */
  fixed?: readonly string[];
}

export function Uploads({ about, state, material, faults, onChanged, onFollow, follows = state.following, fixed = [] }: Props) {
  const { t, w } = useI18n();
  const id = `material-${state.name}`;
  const answered = state.answered_by;
  return (
    <li className={answered ? 'has' : faults.length ? 'faulty' : undefined} data-material={state.name}>
      <strong>{w(state.title)}{state.required ? null : <span className="muted">{t('form.optional')}</span>}</strong>
      {state.note ? <p className="muted small">{w(state.note)}</p> : null}
      {faults.length ? <div id={`${id}-fault`} className="error-text">{faults.map((f, i) => <p key={i}>{f}</p>)}</div> : null}
      {answered ? <p className="city-has">✓ {t('apply.m_have', { what: w(answered[1]) })}</p> : <Files about={about} state={state} material={material} id={id} faulty={faults.length > 0} onChanged={onChanged} fixed={fixed} />}
      {!answered && state.may_follow && onFollow && state.files.length === 0 ? (
        <div className="checks"><label><input type="checkbox" name={`follow-${state.name}`} checked={follows} onChange={(e) => onFollow(e.target.checked)} /><span>{t('apply.m_follow')}</span></label></div>
      ) : null}
    </li>
  );
}

function Files({ about, state, material, id, faulty, onChanged, fixed }: Omit<Props, 'onFollow' | 'follows' | 'faults'> & { id: string; faulty: boolean }) {
  const { t, w, lang } = useI18n();
  const [going, setGoing] = useState<Going | null>(null);
  const [wrong, setWrong] = useState<string[]>([]);
  const [said, setSaid] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const formats = material?.formats ?? [];
  const most = material?.most ?? FILES_MOST;
  const left = most - state.files.length;
  const one = async (file: File): Promise<string | null> => {
    const refusal = fileRefusal(file, formats);
    if (refusal) return t(refusal, { name: file.name, kinds: kindsOf(formats), size: bytes(file.size), most: bytes(FILE_BYTES_MOST) });
    const stop = new AbortController();
    setGoing({ name: file.name, share: 0, stop });
    try {
      await uploadFile(about, state.name, file, (share) => setGoing({ name: file.name, share, stop }), stop.signal);
      setSaid(t('apply.m_added', { name: file.name }));
      return null;
    } catch (e) {
      if (e instanceof DOMException && e.name === 'AbortError') return null;
      if (!(e instanceof ApiError)) throw e;
      const why = [e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' ');
      return t('apply.m_failed', { name: file.name, why });
    } finally {
      setGoing(null);
    }
  };
  const add = async (files: readonly File[]) => {
    const faults: string[] = [];
    setSaid('');
    for (const [i, file] of files.entries()) {
      const fault = i >= left ? t('apply.m_too_many', { n: most }) : await one(file);
      if (fault && !faults.includes(fault)) faults.push(fault);
    }
    setWrong(faults);
    if (input.current) input.current.value = '';
    await onChanged();
  };
  const remove = async (file: FileLine) => {
    setWrong([]);
    try {
      await removeFile(about, state.name, file.id);
      setSaid(t('apply.m_removed', { name: file.name }));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setWrong([e.say(lang)]);
    }
    await onChanged();
    input.current?.focus();
  };
  return (
    <>
      {state.files.length ? (
        <ul className="file-list">
          {state.files.map((f) => (
            <li key={f.id}>
              <a href={fileAddress(about, f.id)} target="_blank" rel="noreferrer">{f.name}</a> <span className="muted small">{bytes(f.bytes)}</span>{' '}
              {fixed?.includes(f.id) ? null : <button type="button" className="link" aria-label={t('apply.m_remove_named', { name: f.name })} onClick={() => { void remove(f); }}>{t('apply.m_remove')}</button>}
            </li>
          ))}
        </ul>
      ) : null}
      {going ? (
        <p className="row"><progress max={1} value={going.share} aria-label={t('apply.m_going', { name: going.name, share: '' })} /> <span className="small">{t('apply.m_going', { name: going.name, share: percent(going.share, 0) })}</span> <button type="button" className="link" onClick={() => going.stop.abort()}>{t('apply.m_stop')}</button></p>
      ) : null}
      {wrong.length ? <div role="alert" className="error-text">{wrong.map((f) => <p key={f}>{f}</p>)}</div> : null}
      <p role="status" className={said ? 'small' : 'hidden'}>{said}</p>
      {left > 0 ? (
        <div className="input">
          <label htmlFor={id} className="small">{t('apply.m_add')}<span className="hidden"> {w(state.title)}</span></label>
          <p id={`${id}-hint`} className="muted small">{t('apply.m_kinds', { kinds: kindsOf(formats), size: bytes(FILE_BYTES_MOST), n: most })}</p>
          <input ref={input} id={id} type="file" name={`file-${state.name}`} multiple={left > 1} accept={acceptOf(formats)} disabled={going !== null} aria-describedby={`${id}-hint${faulty ? ` ${id}-fault` : ''}`} aria-invalid={faulty || undefined} onChange={(e) => { void add([...(e.target.files ?? [])]); }} />
        </div>
      ) : null}
    </>
  );
}
