// Desk, cases: exports of a filtered list: what is selected, or every row that matches, as CSV.
import { App, Button } from 'antd';
import { ApiError, type Params } from '../../../api/client';
import { everyRow } from '../../../api/cases';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { csv, saveFile } from '../../../lib/csv';
import { number } from '../../../lib/format';

interface Props<T> { name: string; path: string; params: Params; head: string[]; cells: (row: T) => unknown[]; selected?: T[] }

export function Exports<T>({ name, path, params, head, cells, selected }: Props<T>) {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const { busy, attempt } = useAttempt();
  const save = (rows: readonly T[]) => saveFile(`${name}.csv`, csv(head, rows.map(cells)));
  const all = () => attempt(async () => {
    try {
      const { rows, cut } = await everyRow<T>(path, params);
      save(rows);
      if (cut) void message.warning(t('tasks.cut', { n: number(rows.length, 0) }));
    } catch (e) {
      if (e instanceof ApiError) void message.error(e.say(lang));
      throw e;
    }
  });
  return (
    <>
      {selected ? <Button disabled={!selected.length} onClick={() => save(selected)}>{t('verb.export_selected', { n: selected.length })}</Button> : null}
      <Button loading={busy} onClick={() => { void all(); }}>{t('verb.export_csv')}</Button>
    </>
  );
}
