// Desk, tasks: the application a task decides on, shown beside it, and the form of the decision.
import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { applicationPath, type ApplicationFile } from '../../../api/applications';
import type { Data } from '../../../api/cases';
import type { Answers, Item, Problem } from '../../../api/items';
import { readForm, SchemaForm } from '../../../components/form';
import { DataFacts } from '../../../components/DataFacts';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import { applicationOf, deskForm, type DeskForm } from '../../../lib/deskForms';
import { AnswersByStep, MaterialList, useItemOf } from '../intake/Answers';
import '../intake/intake.css';

export interface TaskApplication { id: string; query: UseQueryResult<ApplicationFile, ApiError>; item: Item | undefined; itemFailed: boolean; form: DeskForm | null; known: boolean }

/** The application of a task's case, and the form its item brings; null for a case of something else. */
export function useTaskApplication(data: Data, form: string | null): TaskApplication | null {
  const named = applicationOf(data);
  const query = useApi<ApplicationFile>(named ? applicationPath(named.id) : null);
  const version = query.data?.application.item_version;
  const item = useItemOf(query.data?.application.item ?? (query.isError ? (named?.item ?? undefined) : undefined), version);
  if (!named) return null;
  return { id: named.id, query, item: item.data, itemFailed: item.isError, form: deskForm(item.data, form), known: !query.isPending && (item.isError || item.data !== undefined || !named.item) };
}

export function ApplicationBeside({ of, data }: { of: TaskApplication; data: Data }) {
  const { t, w } = useI18n();
  const file = of.query.data;
  if (of.query.isPending) return <section className="card" aria-label={t('task_form.application')}><Skeleton lines={6} /></section>;
  if (!file) return <section className="card" aria-label={t('task_form.application')}><h2>{t('task_form.application')}</h2><p className="muted">{t('task_form.not_known')}</p><DataFacts data={data} empty={t('task.no_data')} /></section>;
  const a = file.application;
  return (
    <section className="card" aria-label={t('task_form.application')}>
      <h2>{w(a.title)}</h2>
      <p>{a.applicant.name} <span className="muted">{a.applicant.number}</span> · <Link to={`/desk/applications/${encodeURIComponent(a.id)}`}>{t('task_form.open')} {a.number}</Link></p>
      <AnswersByStep file={file} item={of.item} failed={of.itemFailed} />
      <h3 className="part">{t('matter.materials')}</h3>
      <MaterialList about={a.id} materials={file.materials} of={{ number: a.number, title: w(a.title) }} />
      <details style={{ marginTop: 8 }}><summary>{t('task.data')}</summary><DataFacts data={data} empty={t('task.no_data')} /></details>
    </section>
  );
}

interface Props { form: DeskForm; name: string; data: Data; label: string; busy: boolean; disabled: boolean; problems: readonly Problem[]; onDone: (found: Data) => void }

export function DecisionForm({ form, name, data, label, busy, disabled, problems, onDone }: Props) {
  const { t } = useI18n();
  // Words of an earlier round are where one begins; what is decided is decided anew, never by default.
  const initial: Answers = Object.fromEntries(readForm(form.schema).fields.flatMap((f) => { const value = data[f.name]; return f.type === 'string' && !f.options && typeof value === 'string' ? [[f.name, value]] : []; }));
  return (
    <>
      <p className="muted small">{t(form.own ? 'task_form.own' : 'task_form.standard', { form: name })}</p>
      <SchemaForm schema={form.schema} initial={initial} prefix="task" submitText={label} busy={busy} disabled={disabled} problems={problems} onSubmit={(answers) => onDone(answers)} />
    </>
  );
}
