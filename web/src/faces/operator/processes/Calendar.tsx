// Operator: the working-day calendar of a year: months, holidays and make-up days; a change shows what
// it would move before it is put.
import { useMemo, useState } from 'react';
import { App, Button, Input, Segmented, Select } from 'antd';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { CalendarDay, Moved } from '../../../api/cases';
import type { List } from '../../../api/types';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { changes, kindOf, readDays, weekdayOf, weeksOf, withDay, workingDays } from '../../../lib/calendar';
import { number } from '../../../lib/format';
import { useNow } from '../../../lib/now';
import { date, dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import '../../desk/cases/cases.css';

export default function Calendar() {
  const { t } = useI18n();
  const filters = useFilters();
  const thisYear = Number(date(useNow()).slice(0, 4));
  const asked = Number(filters.get('year'));
  const year = Number.isInteger(asked) && asked >= 2000 && asked <= 2100 ? asked : thisYear;
  const path = `/calendar/${year}`;
  const query = useApi<List<CalendarDay>>(path);
  const years = [...new Set([year, ...Array.from({ length: 6 }, (_, i) => thisYear - 3 + i)])].sort();
  return (
    <>
      <PageHead title={t('cal.title')} sub={t('cal.sub')}>
        <Select aria-label={t('cal.year')} value={year} style={{ width: 110 }} onChange={(y: number) => filters.set({ year: String(y) })} options={years.map((y) => ({ value: y, label: String(y) }))} />
      </PageHead>
      <View query={query} lines={12}>{(d) => <Year key={`${year} ${JSON.stringify(d.items)}`} year={year} path={path} given={d.items} />}</View>
      <Provenance asOf={query.dataUpdatedAt} source="cases" path={path} downloads={[{ text: 'CSV', save: () => saveRows(`calendar-${year}.csv`, columnsOf(t), query.data?.items ?? []) }]} />
    </>
  );
}

const columnsOf = (t: (key: Key) => string): SimpleColumn<CalendarDay>[] => [
  { title: t('cal.day'), cell: (d) => d.day },
  { title: t('cal.kind'), cell: (d) => t(d.worked ? 'cal.made_up' : 'cal.holiday') },
  { title: t('cal.name'), cell: (d) => d.name },
];

function Year({ year, path, given }: { year: number; path: string; given: CalendarDay[] }) {
  const { t } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt, clear } = useAttempt();
  const [days, setDays] = useState(given);
  const [day, setDay] = useState(`${year}-01-01`);
  const [moved, setMoved] = useState<Moved[] | null>(null);
  const changed = useMemo(() => changes(given, days), [given, days]);
  const operates = may('operate', 'calendar');
  const change = (next: CalendarDay[]) => { clear(); setMoved(null); setDays(next); };
  const ask = (dry: boolean) => send<List<Moved>>('PUT', dry ? `${path}?dry=true` : path, { days });
  const dry = () => attempt(async () => setMoved((await ask(true)).items));
  const put = () => attempt(async () => {
    const { items } = await ask(false);
    void message.success(t('cal.saved', { n: items.length }));
    await client.invalidateQueries({ predicate: (q) => /^\/(calendar|tasks|cases)/.test(String(q.queryKey[0])) });
  });
  return (
    <>
      {given.length === 0 ? <p className="stale" role="status">{t('cal.unpublished')}</p> : null}
      <p>{t('cal.working', { n: number(workingDays(year, days), 0) })}</p>
      {operates ? null : <p className="muted">{t('cal.no_may')}</p>}
      {changed.length ? (
        <div className="card" role="region" aria-label={t('cal.changed', { n: changed.length })}>
          <p><strong>{t('cal.changed', { n: changed.length })}</strong> <span className="muted">{changed.slice(0, 12).join(', ')}{changed.length > 12 ? ' …' : ''}</span></p>
          <div className="row">
            <Button loading={busy} disabled={!operates} onClick={() => { void dry(); }}>{t('cal.dry')}</Button>
            <Button type="primary" loading={busy} disabled={!operates || moved === null} aria-describedby={moved === null ? 'dry-first' : undefined} onClick={() => { void put(); }}>{t('cal.put')}</Button>
            <Button onClick={() => change(given)}>{t('cal.discard')}</Button>
            {moved === null ? <span id="dry-first" className="muted small">{t('cal.dry_first')}</span> : null}
          </div>
          {moved ? <MovedTable moved={moved} /> : null}
        </div>
      ) : null}
      <Faults error={error instanceof ApiError ? error : null} />
      <section className="card" aria-label={t('cal.months')}>
        <ul className="drawing-key"><li><span className="day holiday" aria-hidden="true">{t('cal.holiday_mark')}</span>{t('cal.holiday')}</li><li><span className="day made_up" aria-hidden="true">{t('cal.made_up_mark')}</span>{t('cal.made_up')}</li></ul>
        <div className="months">{Array.from({ length: 12 }, (_, i) => <Month key={i} year={year} month={i + 1} days={days} changed={changed} onPick={setDay} />)}</div>
      </section>
      <div className="grid two">
        <DayForm key={day} year={year} day={day} days={days} disabled={!operates} onPut={change} />
        <Several year={year} days={days} disabled={!operates} onPut={change} />
      </div>
      <section className="card"><h2>{t('cal.list')}</h2>
        {days.length ? <SimpleTable<CalendarDay> quiet caption={t('cal.list_caption')} rows={days} rowKey={(d) => d.day} columns={[...columnsOf(t), { title: t('cal.remove'), cell: (d) => <Button size="small" disabled={!operates} aria-label={`${t('cal.remove')} ${d.day}`} onClick={() => change(withDay(days, d.day, null))}>{t('cal.remove')}</Button> }]} /> : <p className="muted">{t('cal.no_days')}</p>}
      </section>
    </>
  );
}

function Month({ year, month, days, changed, onPick }: { year: number; month: number; days: CalendarDay[]; changed: string[]; onPick: (day: string) => void }) {
  const { t } = useI18n();
  const put = new Map(days.map((d) => [d.day, d]));
  return (
    <table className="month">
      <caption>{t('cal.month', { y: year, m: month })}</caption>
      <thead><tr>{[1, 2, 3, 4, 5, 6, 7].map((n) => <th key={n} scope="col">{t(`cal.w${n}` as Key)}</th>)}</tr></thead>
      <tbody>{weeksOf(year, month).map((week, i) => (
        <tr key={i}>{week.map((day, n) => {
          if (!day) return <td key={n} />;
          const special = put.get(day);
          const kind = kindOf(day, special);
          const mark = kind === 'holiday' ? t('cal.holiday_mark') : kind === 'made_up' ? t('cal.made_up_mark') : '';
          // The form below is the way of the keyboard; a click here only fills it in.
          return <td key={n}><button type="button" tabIndex={-1} className={`day ${kind}${changed.includes(day) ? ' changed' : ''}`} title={`${day} ${t(`cal.${kind}`)} ${special?.name ?? ''}`.trim()} onClick={() => onPick(day)}>{Number(day.slice(8))}{mark ? <small>{mark}</small> : null}</button></td>;
        })}</tr>
      ))}</tbody>
    </table>
  );
}

type What = 'weekday' | 'holiday' | 'made_up';

function DayForm({ year, day: given, days, disabled, onPut }: { year: number; day: string; days: CalendarDay[]; disabled: boolean; onPut: (days: CalendarDay[]) => void }) {
  const { t } = useI18n();
  const [day, setDay] = useState(given);
  const was = days.find((d) => d.day === day);
  const [what, setWhat] = useState<What>(was ? (was.worked ? 'made_up' : 'holiday') : weekdayOf(given) >= 6 ? 'made_up' : 'holiday');
  const [name, setName] = useState(was?.name ?? '');
  const fits = weekdayOf(day) > 0 && day.startsWith(`${year}-`);
  return (
    <section className="card"><h2>{t('cal.edit_day')}</h2>
      <div className="stack">
        <label className="stack">{t('cal.day')}<Input type="date" name="day" min={`${year}-01-01`} max={`${year}-12-31`} value={day} onChange={(e) => setDay(e.target.value)} /></label>
        <Segmented<What> aria-label={t('cal.kind')} value={what} onChange={setWhat} options={[{ value: 'weekday', label: t('cal.by_weekday') }, { value: 'holiday', label: t('cal.holiday') }, { value: 'made_up', label: t('cal.made_up') }]} />
        <label className="stack">{t('cal.name')}<Input name="holiday" maxLength={40} value={name} disabled={what === 'weekday'} onChange={(e) => setName(e.target.value)} /></label>
        <div><Button disabled={disabled || !fits} onClick={() => onPut(withDay(days, day, what === 'weekday' ? null : { day, worked: what === 'made_up', name: name.trim() }))}>{t('cal.put_day')}</Button></div>
      </div>
    </section>
  );
}

function Several({ year, days, disabled, onPut }: { year: number; days: CalendarDay[]; disabled: boolean; onPut: (days: CalendarDay[]) => void }) {
  const { t } = useI18n();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<{ line: number; text: string }[]>([]);
  const take = () => {
    const read = readDays(text, year);
    setWrong(read.wrong);
    if (read.wrong.length) return;
    onPut(read.days.reduce((all, d) => withDay(all, d.day, d), days));
    setText('');
  };
  return (
    <section className="card"><h2>{t('cal.paste')}</h2>
      <div className="stack">
        <p id="paste-help" className="muted small">{t('cal.paste_help')}</p>
        <Input.TextArea name="several" aria-label={t('cal.paste')} aria-describedby="paste-help" rows={5} value={text} status={wrong.length ? 'error' : undefined} onChange={(e) => setText(e.target.value)} />
        {wrong.length ? <div role="alert">{wrong.map((w) => <p key={w.line} className="error-text">{t('cal.paste_fault', { n: w.line, text: w.text })}</p>)}</div> : null}
        <div><Button disabled={disabled || !text.trim()} onClick={take}>{t('cal.paste_take')}</Button></div>
      </div>
    </section>
  );
}

/** Where a clock that moved is to be seen; a timer is named after its case. */
export function movedPage({ kind, id }: Pick<Moved, 'kind' | 'id'>): string {
  if (kind === 'start') return '/operator/processes';
  return `/desk/${kind === 'task' ? 'tasks' : 'cases'}/${encodeURIComponent(kind === 'timer' ? (id.split('-')[0] ?? id) : id)}`;
}

function MovedTable({ moved }: { moved: Moved[] }) {
  const { t } = useI18n();
  if (moved.length === 0) return <p role="status" style={{ marginTop: 12 }}>{t('cal.moved_none')}</p>;
  return (
    <div style={{ marginTop: 12 }} role="status">
      <h3>{t('cal.moved')} ({number(moved.length, 0)})</h3>
      <SimpleTable<Moved> quiet caption={t('cal.moved_caption')} rows={moved} rowKey={(m) => `${m.kind} ${m.id} ${m.before ?? ''}`} columns={[
        { title: t('cal.what'), cell: (m) => <Link to={movedPage(m)}>{t(`cal.${m.kind}`)} <code>{m.id}</code></Link> },
        { title: t('cal.before'), cell: (m) => dateTime(m.before) },
        { title: t('cal.after'), cell: (m) => dateTime(m.after) }]} />
    </div>
  );
}
