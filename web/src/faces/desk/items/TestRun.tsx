// Desk, item designer: a test run of the working copy: the form filled in as an applicant would, then
// what the server says of it: faults, questions asked, materials, fees. Nothing is kept.
import { useState } from 'react';
import { tryItem, type Answers, type Judged } from '../../../api/items';
import { fieldAt, readForm, SchemaForm } from '../../../components/form';
import { Faults } from '../../../components/Faults';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { emptyForm, titleOf } from '../../../lib/designer';
import { yuan } from '../../../lib/matter';
import type { TabProps } from './Basics';

export function TestRun({ content, item, flush }: TabProps & { /** Saves what is not saved yet; the server tries what it has. */ flush: () => Promise<boolean> }) {
  const { t, w, lang } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const [answers, setAnswers] = useState<Answers>({});
  const [judged, setJudged] = useState<Judged | null>(null);
  const form = content.form ?? emptyForm();
  const title = (name: string) => titleOf(form, name, lang);
  const run = () => attempt(async () => {
    if (!(await flush())) return;
    const known = new Set(readForm(form).fields.map((f) => f.name));
    setJudged(await tryItem(item, Object.fromEntries(Object.entries(answers).filter(([name, v]) => known.has(name) && v !== null && v !== undefined))));
  });
  return (
    <div className="grid two">
      <section className="card" aria-label={t('design.test_form')}>
        <h2>{t('design.test_form')}</h2>
        <p className="muted small">{t('design.test_help')}</p>
        <SchemaForm schema={form} prefix="test" onChange={setAnswers} />
        <p><button type="button" className="button strong" disabled={busy} onClick={() => { void run(); }}>{t('design.run')}</button></p>
        <Faults error={error} />
      </section>
      <section className="card stack" aria-label={t('design.test_result')}>
        <h2>{t('design.test_result')}</h2>
        {judged ? (
          <div role="status" className="stack">
            <h3>{t('design.problems_n', { n: judged.problems.length })}</h3>
            {judged.problems.length ? <ul className="problem-list">{judged.problems.map((p, i) => { const name = fieldAt(p.at); return <li key={i}>{name ? `${title(name)}: ` : ''}{w(p.words)}</li>; })}</ul> : <p>{t('design.test_good')}</p>}
            <h3>{t('design.asked_n', { n: judged.asked.length })}</h3>
            <p>{judged.asked.map(title).join(lang === 'zh' ? '、' : ', ') || '—'}</p>
            <h3>{t('design.materials_n', { n: judged.materials.length })}</h3>
            {judged.materials.length ? <ul className="problem-list">{judged.materials.map((m) => <li key={m.name}>{w(m.title)}{m.sources?.length ? <span className="muted"> · {t('design.has_source')}</span> : null}</li>)}</ul> : <p className="muted">{t('matter.no_materials')}</p>}
            <h3>{t('design.fees_sum', { sum: yuan(judged.fees_fen) })}</h3>
          </div>
        ) : <p className="muted">{t('design.test_empty')}</p>}
      </section>
    </div>
  );
}
