// Operator: the simulation (流程推演): the cases of a past period once more, through the process as it
// was and as it might be; what is assumed is typed here, what is wrong is said where it stands.
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from 'antd';
import { ApiError, send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Process, ProcessDrawing, Simulated, Simulation as Asked } from '../../../api/cases';
import type { List } from '../../../api/types';
import { FaultTable } from '../../../components/FaultTable';
import { PageHead } from '../../../components/PageHead';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useNow } from '../../../lib/now';
import { assumableOf, placeOf, processesOf, readAssumptions, type Assumable, type Fault, type Typed } from '../../../lib/simulation';
import { date, DAY_MS, fromBeijing, rfc3339 } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Assumptions } from './SimulationAssumptions';
import { ProcessTabs } from './Processes';
import { SimulationChoice, type Choice } from './SimulationChoice';
import { SimulationResult } from './SimulationResult';
import type { BpmnEditHandle } from './BpmnEdit';
import '../../desk/cases/cases.css';

const BpmnEdit = lazy(() => import('./BpmnEdit'));
/** Days replayed unless somebody chooses others. */
const USUAL_DAYS = 30;
/** The clocks of browser and server may differ so much, and the end must not be in the future. */
const BEHIND_MS = 10_000;
/** After so long without a change the steps of a drawing are read again. */
const READ_AGAIN_MS = 500;

const NOTHING: Typed = { workers: {}, minutes: {}, limit: '', seed: '' };
interface Given { name: string; xml: string }

/** As a page of its own, or for a drawing from the editor (`given`). */
export default function Simulation({ given, onBack }: { given?: Given; onBack?: (xml: string) => void }) {
  const { t } = useI18n();
  const { may, session } = useSession();
  const processes = useApi<List<Process>>('/processes', undefined, { keep: true });
  const back = useRef<() => void>(() => undefined);
  return (
    <>
      <PageHead title={given ? `${t('sim.title')} · ${given.name}` : t('sim.title')} sub={t('sim.what')}>
        {onBack ? <Button onClick={() => back.current()}>{t('sim.back')}</Button> : null}
      </PageHead>
      {given ? null : <ProcessTabs now="simulation" />}
      <p>{t('sim.not')}</p>
      {session && !may('operate', 'processes') ? <p className="muted" role="status">{t('sim.no_may')}</p> : null}
      <View query={processes} empty={(d) => d.items.length === 0} emptyText={t('sim.no_processes')}>
        {(d) => <Bench processes={d.items} given={given} back={back} onBack={onBack} operates={may('operate', 'processes')} />}
      </View>
    </>
  );
}

/** The process with the most open cases is the likeliest to be asked about. */
function likely(processes: Process[], among: string[] | null): string {
  const known = among ? processes.filter((p) => among.includes(p.process)) : processes;
  return known.reduce<Process | null>((best, p) => (best === null || p.open > best.open ? p : best), null)?.process ?? '';
}

interface BenchProps { processes: Process[]; given?: Given; back: { current: () => void }; onBack?: (xml: string) => void; operates: boolean }

function Bench({ processes, given, back, onBack, operates }: BenchProps) {
  const { t, lang } = useI18n();
  const filters = useFilters();
  const now = useNow();
  const today = date(now);
  const [choice, setChoice] = useState<Choice>(() => {
    const asked = filters.get('process');
    const process = !given && processes.some((p) => p.process === asked) ? asked : likely(processes, given ? processesOf(given.xml) : null);
    return { process, way: given ? 'drawing' : 'version', version: null, file: given ? { ...given, id: 0 } : null, from: date(now - (USUAL_DAYS - 1) * DAY_MS), to: today };
  });
  const [typed, setTyped] = useState<Typed>(NOTHING);
  const [edited, setEdited] = useState(given?.xml ?? '');
  const edit = useRef<BpmnEditHandle>(null);
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  const base = choice.process ? `/processes/${encodeURIComponent(choice.process)}` : null;
  const versions = useApi<List<Process>>(base ? `${base}/versions` : null);
  const newest = versions.data?.items.reduce((n, p) => Math.max(n, p.version), 0) || processes.find((p) => p.process === choice.process)?.version;
  const version = choice.version ?? newest;
  const drawing = useApi<ProcessDrawing>(base && version ? `${base}/drawing` : null, { version });
  const xml = choice.way === 'drawing' && choice.file ? edited : (drawing.data?.xml ?? '');
  const drawn: Assumable = useMemo(() => assumableOf(xml, choice.process), [xml, choice.process]);
  const run = useRun();
  useEffect(() => { back.current = () => { void Promise.resolve(edit.current?.xml() ?? edited).then((text) => onBack?.(text)); }; });
  useEffect(() => () => clearTimeout(later.current), []);

  const change = (part: Partial<Choice>) => {
    const next = { ...choice, ...part };
    if (part.process !== undefined && part.process !== choice.process) {
      Object.assign(next, { version: null }, given ? {} : { file: null });
      setTyped(NOTHING);
      if (!given) filters.set({ process: part.process });
    }
    if (part.file) setEdited(part.file.xml);
    setChoice(next);
    run.stale();
  };
  const type = (next: Typed) => { setTyped(next); run.stale(); };
  const redrawn = () => {
    run.stale();
    clearTimeout(later.current);
    later.current = setTimeout(() => { void edit.current?.xml().then(setEdited).catch(() => undefined); }, READ_AGAIN_MS);
  };
  const start = async () => {
    const text = choice.way === 'drawing' && choice.file ? ((await edit.current?.xml()) ?? edited) : null;
    if (text !== null) setEdited(text);
    const { read, faults } = readAssumptions(typed, assumableOf(text ?? xml, choice.process));
    if (choice.way === 'drawing' && text === null) faults.push({ at: 'xml', words: { zh: '请上传文件，或从现有版本开始修改', en: 'upload a file, or begin from a version there is' } });
    const { capacity, service, ...more } = read;
    const what: Asked = {
      process: choice.process, ...(text === null ? { version } : { xml: text }), capacity, service, ...more,
      from: rfc3339(fromBeijing(choice.from)), to: rfc3339(Math.min(fromBeijing(choice.to) + DAY_MS, now - BEHIND_MS)),
    };
    await run.start(what, faults, text ?? '');
  };
  const at = (place: ReturnType<typeof placeOf>) => run.faults.filter((f) => placeOf(f.at) === place);
  const lines = at('xml');
  return (
    <>
      <section className="card" aria-label={t('sim.choice')}>
        <SimulationChoice choice={choice} processes={given ? processes.filter((p) => processesOf(given.xml).includes(p.process)) : processes} versions={versions.data?.items ?? []} version={version} xml={drawing.data?.xml ?? null} fixed={given !== undefined} today={today} onChange={change} changed={at('changed')} period={at('period')} />
        {lines.length ? <FaultTable error={new ApiError({ code: 'input.invalid', status: 422, problems: lines })} xml={run.sent} title="sim.file_faults" onLine={(n) => edit.current?.toLine(n)} /> : null}
        {choice.way === 'drawing' && choice.file ? <Suspense fallback={<Skeleton lines={6} />}><BpmnEdit key={choice.file.id} ref={edit} xml={choice.file.xml} onChange={redrawn} /></Suspense> : null}
      </section>
      <Assumptions drawn={drawn} typed={typed} faults={at('input')} last={run.made?.result ?? null} onChange={type} />
      <section className="card">
        <div className="row">
          <Button type="primary" disabled={!operates || !choice.process || run.since !== null} onClick={() => { void start(); }}>{t('sim.run')}</Button>
          {run.since === null ? null : <Busy since={run.since} onStop={run.stop} />}
        </div>
        {run.gaveUp ? <p role="status">{t('sim.gave_up')}</p> : null}
        <Rest faults={run.faults} error={run.error} say={(words) => words[lang]} />
      </section>
      {run.made ? <SimulationResult result={run.made.result} xml={run.made.xml || xml} process={run.made.asked.process} stale={run.isStale} /> : null}
    </>
  );
}

/** How long it has been going on, and the way to give it up. */
function Busy({ since, onStop }: { since: number; onStop: () => void }) {
  const { t } = useI18n();
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <span role="status">{t('sim.busy')}</span>
      <span className="num" role="timer" aria-live="off">{t('sim.seconds', { n: Math.max(0, Math.round((now - since) / 1000)) })}</span>
      <Button onClick={onStop}>{t('sim.stop')}</Button>
    </>
  );
}

/** How many faults there are; those no part of the page shows; or why it could not be done at all. */
function Rest({ faults, error, say }: { faults: Fault[]; error: ApiError | null; say: (words: Fault['words']) => string }) {
  const { t, lang } = useI18n();
  if (faults.length === 0 && !error) return null;
  const rest = faults.filter((f) => placeOf(f.at) === 'rest');
  return (
    <div className="error-box" role="alert" style={{ marginTop: '.6rem' }}>
      <p>{faults.length ? t('sim.faults', { n: faults.length }) : error?.say(lang)}</p>
      {rest.length ? <ul>{rest.map((f, i) => <li key={i}><code>{f.at}</code> {say(f.words)}</li>)}</ul> : null}
      {error?.retryAfterS ? <p>{t('state.retry_after', { s: error.retryAfterS })}</p> : null}
    </div>
  );
}

interface Made { asked: Asked; result: Simulated; xml: string }

/** One replay at a time: going on since, given up, refused, or what came of it. */
function useRun() {
  const [since, setSince] = useState<number | null>(null);
  const [gaveUp, setGaveUp] = useState(false);
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  const [sent, setSent] = useState('');
  const [made, setMade] = useState<Made | null>(null);
  const [isStale, setStale] = useState(false);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (asked: Asked, wrong: Fault[], xml: string) => {
    setGaveUp(false);
    setError(null);
    setFaults(wrong);
    if (wrong.length) return;
    const mine = new AbortController();
    abort.current = mine;
    setSent(xml);
    setSince(Date.now());
    try {
      setMade({ asked, xml, result: await send<Simulated>('POST', '/processes/simulate', asked, { signal: mine.signal }) });
      setStale(false);
    } catch (e) {
      if (e instanceof ApiError) {
        setFaults(e.problems);
        setError(e);
      } else if (e instanceof DOMException && e.name === 'AbortError') setGaveUp(true);
      else throw e;
    } finally {
      setSince(null);
    }
  };
  return { since, gaveUp, faults, error, sent, made, isStale, start, stop: () => abort.current?.abort(), stale: () => setStale(true) };
}
