// Component: a licence as a file to print, PDF or OFD, for its holder and for the office that issued
// it: two buttons, and a small dialog that asks what for. The purpose stands across the sheet and
// among the uses the holder sees. No library: a phone loads nothing more.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { sendForFile } from '../api/client';
import type { Licence, LicenceType, Verdict } from '../api/licences';
import { useI18n } from '../i18n';
import { saveFile } from '../lib/csv';
import { HOLDER_NAME, HOLDER_NUMBER } from '../lib/licences';
import { FormFault, TextField, useAct } from './Inputs';
import { Choices, FieldTicks, fieldNames } from './Licence';

type Format = 'pdf' | 'ofd';
const PURPOSE = { min: 2, max: 60 };
interface Parts { licence: Licence; type: LicenceType | undefined; path: string }

function PrintDialog({ licence, type, path, format, onClose, onSaved }: Parts & { format: Format; onClose: () => void; onSaved: (name: string) => void }) {
  const { t } = useI18n();
  const act = useAct();
  const box = useRef<HTMLDialogElement>(null);
  const [purpose, setPurpose] = useState('');
  const [how, setHow] = useState<'whole' | 'chosen'>('whole');
  const [chosen, setChosen] = useState<string[]>(() => [HOLDER_NAME, HOLDER_NUMBER, ...fieldNames(licence, type)]);
  const [wrong, setWrong] = useState<{ purpose?: string; fields?: string }>({});
  useEffect(() => { box.current?.showModal(); }, []);
  const make = async () => {
    const length = [...purpose.trim()].length;
    const found = {
      ...(length < PURPOSE.min || length > PURPOSE.max ? { purpose: t('lic.print_need_purpose', PURPOSE) } : {}),
      ...(how === 'chosen' && chosen.length === 0 ? { fields: t('lic.file_none') } : {}),
    };
    setWrong(found);
    if (Object.keys(found).length) return act.clear();
    const body = { format, purpose: purpose.trim(), fields: how === 'chosen' ? chosen : [] };
    const got = await act.run(() => sendForFile(`${path}/print`, body));
    if (!got) return;
    const name = got.name ?? `${licence.title.zh}.${format}`;
    saveFile(name, got.file);
    onSaved(name);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void make();
  };
  return (
    <dialog ref={box} className="dialog" aria-labelledby="print-title" onCancel={(e) => { e.preventDefault(); onClose(); }}>
      <form className="stack" noValidate onSubmit={submit}>
        <h2 id="print-title">{t(format === 'pdf' ? 'lic.print_pdf' : 'lic.print_ofd')}</h2>
        <FormFault error={act.error} shown={['purpose']} />
        <TextField name="purpose" label={t('lic.print_purpose')} hint={t('lic.print_purpose_help')} error={act.error} wrong={wrong.purpose ?? null} value={purpose} maxLength={PURPOSE.max} autoComplete="off" autoFocus onChange={(e) => setPurpose(e.target.value)} />
        <Choices name="print" legend={t('lic.print_what')} value={how} onChange={setHow} options={[{ value: 'whole', text: t('lic.print_whole') }, { value: 'chosen', text: t('lic.print_chosen') }]} />
        {how === 'chosen' ? <FieldTicks licence={licence} type={type} chosen={chosen} onChange={setChosen} legend={t('lic.show_fields')} fault={wrong.fields ?? null} /> : null}
        <p className="muted small">{t(format === 'pdf' ? 'lic.print_pdf_help' : 'lic.print_ofd_help')}</p>
        <p className="row">
          <button type="submit" className="button strong" disabled={act.busy}>{t(act.busy ? 'lic.print_busy' : 'lic.print_go')}</button>
          <button type="button" className="button" onClick={onClose}>{t('verb.cancel')}</button>
        </p>
      </form>
    </dialog>
  );
}

/** The card with both buttons. `onUsed` is told when there is one use more. */
export function PrintLicence({ licence, type, path, verdict, onUsed }: Parts & { verdict: Verdict; onUsed?: () => void }) {
  const { t } = useI18n();
  const [format, setFormat] = useState<Format | null>(null);
  const [saved, setSaved] = useState<string | null>(null);
  const open = (next: Format) => { setSaved(null); setFormat(next); };
  return (
    <section className="card stack" aria-labelledby="print" data-part="print">
      <h2 id="print">{t('lic.print')}</h2>
      <p className="muted small">{t('lic.print_help')}</p>
      {verdict === 'valid' ? (
        <p className="row">
          <button type="button" className="button strong" onClick={() => open('pdf')}>{t('lic.print_pdf')}</button>
          <button type="button" className="button" onClick={() => open('ofd')}>{t('lic.print_ofd')}</button>
        </p>
      ) : <p className="stale">{t('lic.print_not_valid')}</p>}
      <p role="status" className={saved ? 'confirmed' : undefined}>{saved ? t('lic.print_saved', { name: saved }) : null}</p>
      {format ? <PrintDialog licence={licence} type={type} path={path} format={format} onClose={() => setFormat(null)} onSaved={(name) => { setFormat(null); setSaved(name); onUsed?.(); }} /> : null}
    </section>
  );
}
