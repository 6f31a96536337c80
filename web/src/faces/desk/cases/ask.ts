// Desk, cases: an act at a task or case: sent, said, everything of cases asked anew.
import { App } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../../api/client';
import type { Acted, Case, CaseVerb, Task, TaskOutcome, TaskVerb } from '../../../api/cases';
import type { List } from '../../../api/types';
import { useI18n } from '../../../i18n';

/** Everything that an act can change: who takes a task may see its application from then on. */
export function useRefresh(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ predicate: (q) => /^\/(tasks|cases|service-applications)/.test(String(q.queryKey[0])) });
}

/** Asked by who did not see what others did since. */
export const late = (error: ApiError | null): boolean => error?.status === 409 || error?.status === 412;

export const actAtTask = (task: Task, verb: TaskVerb): Promise<Acted> => send<Acted>('POST', `/tasks/${encodeURIComponent(task.id)}/verbs`, verb, { ifMatch: task.revision });
/** Tasks of one batch, at most. */
const BATCH = 100;
export interface BatchDone { done: Acted[]; failed: { id: string; why: ApiError }[] }

/** The same at several tasks in one request; each has an outcome of its own. */
export async function actAtTasks(tasks: readonly Task[], verb: TaskVerb): Promise<BatchDone> {
  const all: BatchDone = { done: [], failed: [] };
  for (let at = 0; at < tasks.length; at += BATCH) {
    const some = tasks.slice(at, at + BATCH).map((task) => ({ id: task.id, revision: task.revision }));
    const { items } = await send<List<TaskOutcome>>('POST', '/tasks/batch', { tasks: some, act: verb });
    for (const one of items) {
      if (one.acted) all.done.push(one.acted);
      if (one.problem) all.failed.push({ id: one.task, why: new ApiError(one.problem) });
    }
  }
  return all;
}
export const actAtCase = (of: Case, verb: CaseVerb): Promise<Case> => send<Case>('POST', `/cases/${encodeURIComponent(of.id)}/verbs`, verb, { ifMatch: of.revision });

/** Says what became of an act at a task. */
export function useSaid(): (acted: Acted, verb: TaskVerb['verb']) => void {
  const { t } = useI18n();
  const { message } = App.useApp();
  return (acted, verb) => {
    const done = t('task.done', { verb: t(`task.${verb}`) });
    const next = acted.opened.filter((task) => task.kind === 'task').map((task) => task.name || task.node);
    const more = acted.case.state === 'completed' ? t('task.case_over') : next.length ? t('task.next', { names: next.join(', ') }) : '';
    void message.success([done, more].filter(Boolean).join(' · '));
  };
}
