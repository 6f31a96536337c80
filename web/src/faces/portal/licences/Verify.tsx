// Portal: verifying a licence that somebody shows; for anybody, no account needed. A code from a QR
// comes behind `#` of the address: it is taken from there and the address is cleared at once. The QR
// of a print carries the identifier there instead; the name is typed from the sheet.
import { useEffect, useLayoutEffect, useRef, useState, type DragEvent, type FormEvent } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { send } from '../../../api/client';
import type { Shown, Verification } from '../../../api/licences';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { Choices } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { useI18n, type Key } from '../../../i18n';
import { codeOf, isCode, isDocument, isIdentifier } from '../../../lib/licences';
import { remember, remembered } from '../../../lib/memory';
import { Answer } from './Answer';
import { PhotoOfCode } from './PhotoOfCode';

type By = Shown['by'];
const DOCUMENT_MOST = 64 * 1024;
const WORDS = { min: 2, max: 100 };

interface Values { token: string; identifier: string; name: string; document: string; verifier: string; purpose: string }
type Wrong = Partial<Record<keyof Values, Key>>;

/** What is wrong with what was typed; nothing when it can be sent. */
export function wrongWith(by: By, v: Values): Wrong {
  const wrong: Wrong = {};
  if (by === 'token' && !isCode(codeOf(v.token))) wrong.token = 'verify.need_code';
  if (by === 'identifier' && !v.identifier.trim()) wrong.identifier = 'verify.need_identifier';
  if (by === 'identifier' && !v.name.trim()) wrong.name = 'verify.need_name';
  if (by === 'document' && v.document.trim().length > DOCUMENT_MOST) wrong.document = 'verify.too_large';
  else if (by === 'document' && !isDocument(v.document.trim())) wrong.document = 'verify.need_document';
  for (const name of ['verifier', 'purpose'] as const) {
    const length = [...v[name].trim()].length;
    if (length < WORDS.min || length > WORDS.max) wrong[name] = 'verify.need_words';
  }
  return wrong;
}

function shownOf(by: By, v: Values): Shown {
  if (by === 'token') return { by, token: codeOf(v.token) };
  if (by === 'identifier') return { by, identifier: v.identifier.trim(), name: v.name.trim() };
  return { by, document: v.document.trim() };
}

/** The code behind `#`: handed over once, and gone from the address bar before the page is drawn. */
function useFragment(take: (code: string) => void): void {
  const { hash } = useLocation();
  const navigate = useNavigate();
  const taker = useRef(take);
  useEffect(() => { taker.current = take; });
  useLayoutEffect(() => {
    if (hash.length < 2) return;
    taker.current(hash.slice(1));
    window.history.replaceState(window.history.state, '', '/verify');
    void navigate('/verify', { replace: true });
  }, [hash, navigate]);
}

function DocumentInput({ value, onChange, wrong }: { value: string; onChange: (text: string) => void; wrong: string | null }) {
  const { t } = useI18n();
  const [over, setOver] = useState(false);
  const [large, setLarge] = useState(false);
  const read = async (file: File | undefined) => {
    if (!file) return;
    setLarge(file.size > DOCUMENT_MOST);
    if (file.size <= DOCUMENT_MOST) onChange((await file.text()).trim());
  };
  const drop = (event: DragEvent) => {
    setOver(false);
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void read(event.dataTransfer.files[0]);
  };
  const fault = large ? t('verify.too_large') : wrong;
  return (
    <div className={over ? 'input drop over' : 'input drop'} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <label htmlFor="document">{t('verify.document')}</label>
      <p id="document-hint" className="muted small">{t('verify.document_help')}</p>
      {fault ? <p id="document-fault" className="error-text">{fault}</p> : null}
      <textarea id="document" name="document" rows={5} value={value} spellCheck={false} autoComplete="off" aria-invalid={fault ? true : undefined} aria-describedby={fault ? 'document-hint document-fault' : 'document-hint'} onChange={(e) => { setLarge(false); onChange(e.target.value); }} />
      <label htmlFor="document-file">{t('verify.file')}</label>
      <input id="document-file" type="file" onChange={(e) => { void read(e.target.files?.[0]); }} />
    </div>
  );
}

export default function Verify() {
  const { t } = useI18n();
  const act = useAct();
  const [by, setBy] = useState<By>('token');
  const [read, setRead] = useState<'code' | 'identifier' | null>(null);
  const [values, setValues] = useState<Values>(() => ({ token: '', identifier: '', name: '', document: '', verifier: remembered('verify.verifier') ?? '', purpose: remembered('verify.purpose') ?? '' }));
  const [keep, setKeep] = useState(() => remembered('verify.verifier') !== null);
  const [wrong, setWrong] = useState<Wrong>({});
  const [answer, setAnswer] = useState<Verification | null>(null);
  const put = (part: Partial<Values>) => setValues((before) => ({ ...before, ...part }));
  const taken = (code: string) => {
    const printed = isIdentifier(code);
    setBy(printed ? 'identifier' : 'token');
    put(printed ? { identifier: code, token: '' } : { token: code });
    setRead(printed ? 'identifier' : 'code');
    setWrong({});
    setAnswer(null);
    act.clear();
  };
  useFragment(taken);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    act.clear();
    const found = wrongWith(by, values);
    setWrong(found);
    const first = (['token', 'identifier', 'name', 'document', 'verifier', 'purpose'] as const).find((name) => found[name]);
    if (first) {
      const input = form.elements.namedItem(first);
      if (input instanceof HTMLElement) input.focus();
      return;
    }
    if (keep) { remember('verify.verifier', values.verifier.trim()); remember('verify.purpose', values.purpose.trim()); }
    else forget();
    const got = await act.run(() => send<Verification>('POST', '/licences/verify', { shown: shownOf(by, values), why: { verifier: values.verifier.trim(), purpose: values.purpose.trim() } }));
    // A code is used up by asking: it is not kept.
    if (got) { put({ token: '' }); setRead(null); setAnswer(got); }
  };
  const say = (name: keyof Values) => { const key = wrong[name]; return key ? t(key, WORDS) : null; };
  const text = (name: keyof Values) => ({ name, value: values[name], wrong: say(name), error: act.error, onChange: (e: { target: { value: string } }) => put({ [name]: e.target.value }) });
  const again = () => { setAnswer(null); put({ token: '', identifier: '', name: '', document: '' }); };
  return (
    <div className="one-thing">
      <PageHead title={t('verify.title')} back={{ to: '/portal', text: t('portal.home') }} />
      {answer ? <Answer answer={answer} onAgain={again} /> : (
        <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
          <p>{t('verify.help')}</p>
          <FormFault error={act.error} shown={['identifier', 'name', 'verifier', 'purpose', 'token']} />
          <Choices name="by" legend={t('verify.by')} value={by} onChange={(v) => { setBy(v); setRead(null); setWrong({}); act.clear(); }} options={(['token', 'identifier', 'document'] as const).map((v) => ({ value: v, text: t(`verify.by_${v}`) }))} />
          {by === 'token' ? (
            <>
              {read === 'code' ? <p role="status" className="confirmed">{t('verify.code_here')}</p> : null}
              <TextField {...text('token')} label={t('verify.code')} hint={t('verify.code_help')} autoComplete="off" spellCheck={false} maxLength={400} onChange={(e) => { const found = codeOf(e.target.value); if (isIdentifier(found)) taken(found); else { setRead(null); put({ token: e.target.value }); } }} />
              <PhotoOfCode onCode={(found) => taken(codeOf(found))} />
            </>
          ) : by === 'identifier' ? (
            <>
              {read === 'identifier' ? <p role="status" className="confirmed">{t('verify.read_identifier')}</p> : null}
              <TextField {...text('identifier')} label={t('verify.identifier')} hint={t('verify.identifier_help')} autoComplete="off" autoCapitalize="characters" spellCheck={false} maxLength={200} />
              <TextField {...text('name')} label={t('verify.name')} autoComplete="off" maxLength={200} />
            </>
          ) : <DocumentInput value={values.document} onChange={(document) => put({ document })} wrong={say('document')} />}
          <TextField {...text('verifier')} label={t('verify.who')} hint={t('verify.who_help')} autoComplete="organization" maxLength={100} />
          <TextField {...text('purpose')} label={t('verify.why')} hint={t('verify.why_help')} autoComplete="off" maxLength={100} />
          <div className="checks"><label><input type="checkbox" name="keep" checked={keep} onChange={(e) => setKeep(e.target.checked)} /><span>{t('verify.keep')}</span></label></div>
          <p><button type="submit" className="button strong wide" disabled={act.busy}>{t(act.busy ? 'state.loading' : 'verify.go')}</button></p>
          <p className="small">{t('verify.pdf')} <Link to="/verify/letter">{t('verify.pdf_go')}</Link></p>
        </form>
      )}
    </div>
  );
}

function forget(): void {
  try {
    localStorage.removeItem('jicheng.verify.verifier');
    localStorage.removeItem('jicheng.verify.purpose');
  } catch {
    // Storage may be forbidden; then nothing was kept.
  }
}
