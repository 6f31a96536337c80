// Desk, item designer: the process that decides (or the items of a bundle), what its service tasks can
// do, and the forms officers fill in at its tasks.
import { lazy, Suspense, useState } from 'react';
import { Link } from 'react-router';
import type { Process } from '../../../api/cases';
import { useApi } from '../../../api/hooks';
import type { ItemLine } from '../../../api/items';
import type { List } from '../../../api/types';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { STANDARD } from '../../../lib/deskForms';
import { emptyForm, isFieldName } from '../../../lib/designer';
import { formsOf } from '../../../lib/processForms';
import { useSteps } from '../cases/useSteps';
import type { TabProps } from './Basics';
import { FormDesigner } from './FormDesigner';
import { ChecksIn, SelectIn, TextIn } from './parts';
import '../cases/cases.css';

const Drawing = lazy(() => import('../../../components/Drawing'));
const FUNCTIONS = ['applications.decide', 'applications.licence', 'applications.bill', 'applications.note', 'cases.pause', 'cases.unpause', 'licences.issue'] as const;

export function Flow({ content, item, onChange }: TabProps) {
  const { t, w } = useI18n();
  const processes = useApi<List<Process>>('/processes');
  const items = useApi<{ items: ItemLine[] }>('/items', { all: true, limit: 200 });
  const bundled = content.process === null || content.process === undefined ? (content.bundle ?? []).length > 0 : false;
  const [bundle, setBundle] = useState(bundled);
  const put = (part: TabProps['content']) => onChange({ ...content, ...part });
  const chosen = processes.data?.items.find((p) => p.process === content.process);
  return (
    <>
      <section className="card stack" aria-label={t('design.tab_flow')}>
        <h2>{t('design.tab_flow')}</h2>
        <SelectIn label={t('design.decided_by')} value={bundle ? 'bundle' : 'process'} onChange={(v) => { setBundle(v === 'bundle'); put(v === 'bundle' ? { process: null } : { bundle: [] }); }} options={[{ value: 'process', text: t('design.by_process') }, { value: 'bundle', text: t('design.by_bundle') }]} />
        {bundle ? <ChecksIn label={t('design.bundle')} at="/bundle" value={content.bundle ?? []} onChange={(list) => put({ bundle: list })} options={(items.data?.items ?? []).filter((i) => i.item !== item && i.state === 'in_force' && i.bundle.length === 0).map((i) => ({ value: i.item, text: w(i.title) }))} />
          : (
            <>
              <SelectIn label={t('design.process')} hint={t('design.process_help')} at="/process" value={content.process} none={t('design.no_process')} onChange={(process) => put({ process: process || null })} options={(processes.data?.items ?? []).map((p) => ({ value: p.process, text: `${p.name || p.process} (${t('cases.version', { n: p.version })})` }))} />
              <p className="row"><Link className="button" to="/operator/processes">{t('design.draw_process')}</Link><Link className="button" to="/operator/decisions">{t('design.open_decisions')}</Link></p>
              {chosen ? <ProcessOf process={chosen.process} version={chosen.version} own={Object.keys(content.desk_forms ?? {})} /> : null}
              <details><summary>{t('design.functions')}</summary><dl className="facts" style={{ marginTop: 8 }}>{FUNCTIONS.map((f) => <div key={f} className="fact"><dt><code>{f}</code></dt><dd>{t(`design.fn_${f.replace('.', '_') as 'applications_decide'}`)}</dd></div>)}</dl></details>
            </>
          )}
      </section>
      <DeskForms content={content} item={item} onChange={onChange} />
    </>
  );
}

function ProcessOf({ process, version, own }: { process: string; version: number; own: readonly string[] }) {
  const { t } = useI18n();
  const { query } = useSteps(process, version);
  return (
    <View query={query}>
      {(d) => {
        const forms = formsOf(d.xml);
        return (
          <>
            <Suspense fallback={<Skeleton lines={6} />}><Drawing xml={d.xml} /></Suspense>
            {forms.length ? <p>{t('design.tasks_ask')} {forms.map((f) => <span key={f} className="tag plain" style={{ marginRight: 6 }}><code>{f}</code> {t(own.includes(f) ? 'design.form_own' : f in STANDARD ? 'design.form_standard' : 'design.form_missing')}</span>)}</p> : <p className="muted">{t('design.tasks_ask_none')}</p>}
          </>
        );
      }}
    </View>
  );
}

/** Forms of tasks: the item's own instead of a standard one. */
function DeskForms({ content, onChange }: TabProps) {
  const { t } = useI18n();
  const forms = content.desk_forms ?? {};
  const [open, setOpen] = useState<string | null>(null);
  const [name, setName] = useState('');
  const put = (next: typeof forms) => onChange({ ...content, desk_forms: next });
  const wrong = name && !isFieldName(name) ? t('design.name_rule') : name in forms ? t('design.name_taken') : null;
  const add = () => { if (!name || wrong) return; put({ ...forms, [name]: structuredClone(STANDARD[name] ?? emptyForm()) }); setOpen(name); setName(''); };
  return (
    <section className="card stack" aria-label={t('design.desk_forms')} data-at="/desk_forms">
      <h2>{t('design.desk_forms')}</h2>
      <p className="muted small">{t('design.desk_forms_help', { names: Object.keys(STANDARD).join(', ') })}</p>
      <ul className="plain-list">{Object.keys(forms).map((f) => (
        <li key={f} className="row" data-at={`/desk_forms/${f}`}><code>{f}</code><button type="button" className="link" aria-expanded={open === f} onClick={() => setOpen(open === f ? null : f)}>{t('verb.edit')}</button>
          <button type="button" className="link" aria-label={t('design.remove_of', { title: f })} onClick={() => { const { [f]: _, ...rest } = forms; put(rest); }}>{t('design.remove')}</button></li>
      ))}</ul>
      <div className="row"><TextIn label={t('design.desk_form_name')} value={name} max={40} wrong={wrong} onChange={setName} /><button type="button" className="button" disabled={!name || wrong !== null} onClick={add}>{t('design.add_desk_form')}</button></div>
      {open && forms[open] ? <FormDesigner key={open} content={{ form: forms[open] }} at={`/desk_forms/${open}`} onChange={(next) => put({ ...forms, [open]: next.form ?? emptyForm() })} /> : null}
    </section>
  );
}
