// Portal: supplying what is missing: only what was named, and a word to the clerk.
import { useMemo, useState, type FormEvent } from 'react';
import { useQuery } from '@tanstack/react-query';
import { actOwn, type ApplicationFile } from '../../../api/applications';
import { get, type ApiError } from '../../../api/client';
import { itemPath, type Answers, type Item } from '../../../api/items';
import { fieldAt, Fields, hintFor, placed, readForm, summaryOf, Summary, type Fault, type FieldFaults, type FormField } from '../../../components/form';
import { FormFault, useAct } from '../../../components/Inputs';
import { useI18n } from '../../../i18n';
import { correctable, materialAt } from '../../../lib/apply';
import { useNow } from '../../../lib/now';
import { date } from '../../../lib/time';
import { Uploads } from '../apply/Uploads';
import '../apply/apply.css';

export function Correct({ file, onDone, onStale, renew }: { file: ApplicationFile; onDone: () => void; onStale: () => void; renew: () => Promise<void> }) {
  const { t, w, lang } = useI18n();
  const { application, missing } = file;
  const item = useQuery<Item, ApiError>({ queryKey: [itemPath(application.item), { version: application.item_version }], queryFn: ({ signal }) => get<Item>(itemPath(application.item), { version: application.item_version }, signal) });
  const form = useMemo(() => readForm(item.data?.content.form), [item.data]);
  const act = useAct();
  const today = date(useNow());
  const [changed, setChanged] = useState<Answers>({});
  const [note, setNote] = useState('');
  const [tried, setTried] = useState(0);
  // Files that were there before stay; what is added now can be taken away again.
  const [before] = useState(() => new Set(file.materials.flatMap((m) => m.files.map((f) => f.id))));
  const wanted = file.materials.filter((m) => missing.some((x) => materialAt(x.at) === m.name));
  const original: Answers = Object.fromEntries(Object.entries(file.answers).filter(([name]) => !file.masked.includes(name)));
  const answers: Answers = { ...original, ...changed };
  const open = correctable(form, original, answers, missing);
  const fields = [...open.wanted, ...open.opened];
  const all = [...fields, ...open.others];
  const others = missing.filter((m) => !fields.some((f) => f.name === fieldAt(m.at)) && !wanted.some((x) => x.name === materialAt(m.at)));
  const said = placed(act.error?.problems ?? [], all.map((f) => f.name), lang);
  const faults: FieldFaults = {};
  // What was named must be answered; the rest by the rules of the form.
  const judged = (f: FormField) => hintFor(open.wanted.includes(f) ? { ...f, required: true } : f, answers, today);
  for (const f of all) {
    const hint = tried ? judged(f) : null;
    faults[f.name] = hint ? [t(hint.key, hint.fill)] : (said.fields[f.name] ?? []);
  }
  const lacks = (name: string) => !wanted.find((m) => m.name === name)?.files.some((x) => !before.has(x.id)) && !wanted.find((m) => m.name === name)?.answered_by;
  const materialFaults = (name: string): string[] => [...(tried && lacks(name) ? [t('app.correct_file', { title: w(wanted.find((m) => m.name === name)?.title) })] : []), ...said.rest.filter((p) => materialAt(p.at) === name).map((p) => w(p.words))];
  const lines: Fault[] = [...summaryOf(all, faults, w, 'correct'), ...wanted.flatMap((m) => materialFaults(m.name).map((text) => ({ text, to: `material-${m.name}` }))), ...said.rest.filter((p) => materialAt(p.at) === null).map((p) => ({ text: w(p.words), to: null }))];
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    act.clear();
    setTried(tried + 1);
    if (all.some(judged) || wanted.some((m) => lacks(m.name))) return;
    const own: Answers = Object.fromEntries(all.flatMap((f) => {
      const value = answers[f.name];
      return value === undefined || (open.others.includes(f) && !Object.hasOwn(changed, f.name)) ? [] : [[f.name, value]];
    }));
    const done = await act.run(() => actOwn(application, { verb: 'correct', answers: own, note: note.trim() }));
    if (done) onDone();
  };
  const stale = act.error?.code === 'input.stale' || act.error?.code === 'input.conflict';
  return (
    <form className="card stack" noValidate aria-labelledby="missing" onSubmit={(e) => { void submit(e); }} data-correct>
      <h2 id="missing">{t('app.missing')}</h2>
      <p>{t(file.parts.length ? 'app.missing_whole' : 'app.missing_help')}</p>
      <Summary faults={lines} round={tried + (act.error ? 1000 : 0)} />
      {act.error && lines.length === 0 ? <FormFault error={act.error} /> : null}
      {stale ? <p role="alert"><button type="button" className="button" onClick={onStale}>{t('verb.refresh')}</button> {t('app.newer')}</p> : null}
      {fields.map((f) => (
        <div key={f.name}>
          <p className="over">{missing.filter((m) => fieldAt(m.at) === f.name).map((m) => m.what).join(' ')}</p>
          <Fields fields={[f]} answers={answers} faults={faults} prefix="correct" onChange={(name, value) => setChanged({ ...changed, [name]: value })} />
        </div>
      ))}
      {wanted.length ? (
        <ul className="material-list">
          {wanted.map((m) => (
            <Uploads key={m.name} about={application.id} state={{ ...m, note: { zh: missing.filter((x) => materialAt(x.at) === m.name).map((x) => x.what).join(' '), en: missing.filter((x) => materialAt(x.at) === m.name).map((x) => x.what).join(' ') } }} material={item.data?.content.materials.find((x) => x.name === m.name)} faults={materialFaults(m.name)} fixed={[...before]} onChanged={renew} />
          ))}
        </ul>
      ) : null}
      {open.others.length ? <details><summary>{t('app.correct_more')}</summary><Fields fields={open.others} answers={answers} faults={faults} prefix="correct" onChange={(name, value) => setChanged({ ...changed, [name]: value })} /></details> : null}
      {others.length ? <><h3>{t('app.missing_other')}</h3><ul>{others.map((m, i) => <li key={i} className="over">{m.what}</li>)}</ul></> : null}
      <div className="input">
        <label htmlFor="correct-note">{t('app.correct_note')}</label>
        <textarea id="correct-note" name="note" rows={3} maxLength={500} value={note} onChange={(e) => setNote(e.target.value)} />
      </div>
      <p><button type="submit" className="button strong" disabled={act.busy}>{t(act.busy ? 'apply.submitting' : 'app.correct')}</button></p>
    </form>
  );
}
