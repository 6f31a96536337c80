// Portal: is a letter of an office real? By its number and check code, or by the PDF itself (its
// signature and content; for a print of a licence, where that stands now). For anybody; nothing is
// kept, and nobody is named.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useSearchParams } from 'react-router';
import { get, upload } from '../../api/client';
import type { Verdict } from '../../api/licences';
import type { Words } from '../../i18n/lang';
import { FormFault, TextField, useAct } from '../../components/Inputs';
import { useValidity, VerdictTag } from '../../components/Licence';
import { PageHead } from '../../components/PageHead';
import { useI18n } from '../../i18n';
import { percent } from '../../lib/format';
import { dateTime } from '../../lib/time';

interface LetterProof { number: string; title: string; office: string; issued_at: string; state: string; sha256: string }
interface PrintStanding { identifier: string; title: Words; issuer: Words; verdict: Verdict; words: Words; valid_from: string; valid_to: string | null }
interface PdfCheck { verdict: string; words: Words; signer: string | null; signed_at: string | null; letter: LetterProof | null; licence?: PrintStanding | null }
/** Letters and prints are small; larger files are none of ours, and the server takes no more. */
const PDF_MOST = 1024 * 1024;

function Proof({ letter }: { letter: LetterProof }) {
  const { t } = useI18n();
  return (
    <dl className="facts">
      <dt>{t('letter.title')}</dt><dd>{letter.title}</dd>
      <dt>{t('letter.number')}</dt><dd><code>{letter.number}</code></dd>
      <dt>{t('letter.office')}</dt><dd>{letter.office}</dd>
      <dt>{t('letter.issued')}</dt><dd>{dateTime(letter.issued_at)}</dd>
      <dt>SHA-256</dt><dd><code className="licence-code">{letter.sha256}</code></dd>
    </dl>
  );
}

/** The file is genuine; whether the licence still counts is another question. */
function PrintProof({ licence }: { licence: PrintStanding }) {
  const { t, w } = useI18n();
  const validity = useValidity();
  return (
    <>
      <p className={licence.verdict === 'valid' ? 'confirmed' : 'stale'}>{t(licence.verdict === 'valid' ? 'letter.print_valid' : 'letter.print_over')}</p>
      <dl className="facts">
        <dt>{t('lic.type')}</dt><dd>{w(licence.title)}</dd>
        <dt>{t('letter.print_now')}</dt><dd><VerdictTag verdict={licence.verdict} /></dd>
        <dt>{t('lic.validity')}</dt><dd>{validity(licence.valid_from, licence.valid_to)}</dd>
        <dt>{t('lic.issuer')}</dt><dd>{w(licence.issuer)}</dd>
        <dt>{t('lic.identifier')}</dt><dd><code className="licence-code">{licence.identifier}</code></dd>
      </dl>
    </>
  );
}

export default function Letter() {
  const { t, w } = useI18n();
  const [params] = useSearchParams();
  const act = useAct();
  const pdf = useAct();
  const [number, setNumber] = useState(params.get('number') ?? '');
  const [check, setCheck] = useState('');
  const [tried, setTried] = useState(false);
  const [found, setFound] = useState<LetterProof | null>(null);
  const [checked, setChecked] = useState<PdfCheck | null>(null);
  const [share, setShare] = useState<number | null>(null);
  const [large, setLarge] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => { if (found || checked) box.current?.focus(); }, [found, checked]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setFound(null);
    setChecked(null);
    if (!number.trim() || !check.trim()) return;
    const answer = await act.run(() => get<LetterProof>('/letters/verify', { number: number.trim(), check: check.trim() }));
    if (answer) setFound(answer);
  };
  const examine = async (file: File | undefined) => {
    if (!file) return;
    setFound(null);
    setChecked(null);
    setLarge(file.size > PDF_MOST);
    if (file.size > PDF_MOST) return;
    const answer = await pdf.run(() => upload<PdfCheck>('/letters/verify-pdf', {}, file, setShare));
    setShare(null);
    if (answer) setChecked(answer);
  };
  return (
    <div className="one-thing">
      <PageHead title={t('letter.page')} back={{ to: '/services', text: t('svc.title') }} />
      <div ref={box} tabIndex={-1}>
        {found ? <section className="card stack" data-letter-found><p className="confirmed" role="status"><strong>{t('letter.real')}</strong></p><Proof letter={found} /></section> : null}
        {checked ? <section className="card stack" data-pdf={checked.verdict}><p role="status"><strong>{w(checked.words)}</strong></p>{checked.signer ? <p>{t('letter.signer', { signer: checked.signer, time: dateTime(checked.signed_at) })}</p> : null}{checked.letter ? <Proof letter={checked.letter} /> : null}{checked.licence ? <PrintProof licence={checked.licence} /> : null}</section> : null}
      </div>
      <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <p>{t('letter.help')}</p>
        {act.error?.status === 404 ? <p role="alert" className="error-box">{t('letter.none')}</p> : <FormFault error={act.error} shown={['number', 'check']} />}
        <TextField name="number" label={t('letter.number')} value={number} error={act.error} wrong={tried && !number.trim() ? t('form.required') : null} autoComplete="off" spellCheck={false} maxLength={80} onChange={(e) => setNumber(e.target.value)} />
        <TextField name="check" label={t('letter.check')} value={check} error={act.error} wrong={tried && !check.trim() ? t('form.required') : null} autoComplete="off" spellCheck={false} maxLength={20} onChange={(e) => setCheck(e.target.value)} />
        <p><button type="submit" className="button strong" disabled={act.busy}>{t('letter.ask')}</button></p>
      </form>
      <section className="card stack">
        <h2>{t('letter.pdf')}</h2>
        <p className="muted small">{t('letter.pdf_help')}</p>
        <FormFault error={pdf.error} />
        {large ? <p role="alert" className="error-text">{t('letter.too_large')}</p> : null}
        {share !== null ? <p role="status">{percent(share, 0)}</p> : null}
        <div className="input"><label htmlFor="letter-pdf">{t('letter.file')}</label><input id="letter-pdf" type="file" accept=".pdf" onChange={(e) => { void examine(e.target.files?.[0]); }} /></div>
      </section>
    </div>
  );
}
