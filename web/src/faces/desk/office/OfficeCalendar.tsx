// Desk, office: the calendar by week: one's own entries, those one is invited to and those colleagues
// share; made, changed, cancelled, answered.
import { useState } from 'react';
import { App, Button, Checkbox, Input, Modal } from 'antd';
import { address } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { addEntry, answerEntry, cancelEntry, changeEntry, paths, type Entry, type NewEntry } from '../../../api/office';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { useNow } from '../../../lib/now';
import { clock, date, dateTime, DAY_MS, fromBeijing, rfc3339, weekday } from '../../../lib/time';
import { onDay, otherWeek, weekOf } from '../../../lib/week';
import { useSession } from '../../../shell/session';
import { useOfficeRefresh } from './Mail';
import { OfficeTabs } from './OfficeTabs';
import { PeopleSelect } from './PeopleSelect';
import './office.css';

export default function OfficeCalendar() {
  const { t, lang } = useI18n();
  const { session, may } = useSession();
  const filters = useFilters();
  const now = useNow();
  const today = date(now);
  const day = /^\d{4}-\d{2}-\d{2}$/.test(filters.get('day')) ? filters.get('day') : today;
  const days = weekOf(day);
  const params = { from: rfc3339(fromBeijing(days[0] ?? day)), to: rfc3339(fromBeijing(days[6] ?? day) + DAY_MS) };
  const query = useApi<{ items: Entry[] }>(paths.calendar, params, { keep: true, every: 60_000 });
  const [open, setOpen] = useState<Entry | 'new' | null>(null);
  return (
    <>
      <PageHead title={t('office.calendar')} sub={t('office.calendar_sub')}><Button type="primary" disabled={!may('handle', 'office')} onClick={() => setOpen('new')}>{t('office.new_entry')}</Button></PageHead>
      <OfficeTabs now="calendar" />
      <div className="months-nav">
        <Button onClick={() => filters.set({ day: otherWeek(day, -1) })}>{t('office.week_before')}</Button>
        <Button onClick={() => filters.set({ day: null })}>{t('office.this_week')}</Button>
        <Button onClick={() => filters.set({ day: otherWeek(day, 1) })}>{t('office.week_after')}</Button>
        <strong>{days[0]} – {days[6]}</strong>
        <a href={address(`${paths.calendar}.ics`, params)} download="calendar.ics">{t('office.ics')}</a>
      </div>
      <View query={query} lines={6}>
        {({ items: entries }) => (
            <ul className="week">
              {days.map((one) => (
                <li key={one} className={one === today ? 'today' : undefined}>
                  <h3>{one.slice(5)} {weekday(fromBeijing(one), lang)}</h3>
                  {onDay(entries, one).map((e) => <button key={e.id} type="button" className={`entry${e.owner === session?.account ? '' : ' other'}${e.cancelled_at ? ' gone' : ''}`} onClick={() => setOpen(e)}>{e.all_day ? t('office.all_day') : clock(e.from)} {e.title}{e.place ? <span className="muted"> · {e.place}</span> : null}</button>)}
                </li>
              ))}
            </ul>
        )}
      </View>
      {open ? <EntryDialog key={open === 'new' ? 'new' : open.id} entry={open === 'new' ? null : open} day={day} mine={open === 'new' || open.owner === session?.account} me={session?.account ?? ''} onClose={() => setOpen(null)} /> : null}
      <Provenance asOf={query.dataUpdatedAt} source="office" path={paths.calendar} params={params} />
    </>
  );
}

/** `2026-11-21T10:30` as the browser's field has it, in Beijing time. */
const local = (at: string) => dateTime(at).replace(' ', 'T');

interface Draft { title: string; place: string; note: string; all_day: boolean; from: string; to: string; attendees: string[]; shared: boolean; remind: string }

/** The entry as it is sent, or what is wrong with it. */
export function entryOf(d: Draft): NewEntry | Key {
  if (!d.title.trim()) return 'office.need_entry_title';
  const from = fromBeijing(d.all_day ? d.from.slice(0, 10) : d.from);
  const to = d.all_day ? fromBeijing(d.to.slice(0, 10)) + DAY_MS : fromBeijing(d.to);
  if (!Number.isFinite(from) || !Number.isFinite(to) || to <= from) return 'office.need_times';
  const remind = d.remind === '' ? null : Number(d.remind);
  if (remind !== null && !(Number.isInteger(remind) && remind >= 0 && remind <= 40_320)) return 'office.need_remind';
  return { title: d.title.trim(), place: d.place.trim(), note: d.note.trim(), all_day: d.all_day, from: rfc3339(from), to: rfc3339(to), attendees: d.attendees, shared: d.shared, remind_min: remind };
}

function EntryDialog({ entry, day, mine, me, onClose }: { entry: Entry | null; day: string; mine: boolean; me: string; onClose: () => void }) {
  const { t } = useI18n();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const [wrong, setWrong] = useState<Key | null>(null);
  const [d, setD] = useState<Draft>(() => entry
    ? { title: entry.title, place: entry.place, note: entry.note, all_day: entry.all_day, from: local(entry.from), to: entry.all_day ? local(rfc3339(Date.parse(entry.to) - DAY_MS)) : local(entry.to), attendees: entry.attendees.map((a) => a.account), shared: entry.shared, remind: entry.remind_min === null || entry.remind_min === undefined ? '' : String(entry.remind_min) }
    : { title: '', place: '', note: '', all_day: false, from: `${day}T09:00`, to: `${day}T10:00`, attendees: [], shared: false, remind: '15' });
  const put = (part: Partial<Draft>) => setD({ ...d, ...part });
  const act = async (work: () => Promise<unknown>) => { if (await attempt(work)) { void message.success(t('office.saved')); await refresh(); onClose(); } };
  const save = () => {
    const made = entryOf(d);
    setWrong(typeof made === 'string' ? made : null);
    if (typeof made !== 'string') void act(() => (entry ? changeEntry(entry, made) : addEntry(made)));
  };
  const invited = entry?.attendees.find((a) => a.account === me);
  const gone = entry?.cancelled_at !== null && entry !== null;
  return (
    <Modal open title={entry ? entry.title : t('office.new_entry')} onCancel={onClose} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}
      footer={<div className="row">
        {mine ? <Button type="primary" loading={busy} disabled={gone} onClick={save}>{t('verb.save')}</Button> : null}
        {mine && entry ? <Button danger disabled={gone} onClick={() => { void act(() => cancelEntry(entry.id)); }}>{t('office.cancel_entry')}</Button> : null}
        {invited && entry ? <><Button disabled={gone} onClick={() => { void act(() => answerEntry(entry.id, true)); }}>{t('office.come')}</Button><Button disabled={gone} onClick={() => { void act(() => answerEntry(entry.id, false)); }}>{t('office.not_come')}</Button></> : null}
        <Button onClick={onClose}>{t('verb.close_dialog')}</Button></div>}>
      {mine ? (
        <div className="stack">
          <label className="stack">{t('word.title')}<Input name="title" maxLength={200} value={d.title} onChange={(e) => put({ title: e.target.value })} /></label>
          <Checkbox checked={d.all_day} onChange={(e) => put({ all_day: e.target.checked })}>{t('office.all_day')}</Checkbox>
          <div className="row">
            <label className="stack">{t('word.from')}<Input type={d.all_day ? 'date' : 'datetime-local'} value={d.all_day ? d.from.slice(0, 10) : d.from} onChange={(e) => put({ from: d.all_day ? `${e.target.value}T09:00` : e.target.value })} /></label>
            <label className="stack">{t('word.to')}<Input type={d.all_day ? 'date' : 'datetime-local'} value={d.all_day ? d.to.slice(0, 10) : d.to} onChange={(e) => put({ to: d.all_day ? `${e.target.value}T10:00` : e.target.value })} /></label>
          </div>
          <label className="stack">{t('office.place')}<Input maxLength={200} value={d.place} onChange={(e) => put({ place: e.target.value })} /></label>
          <label className="stack">{t('office.attendees')}<PeopleSelect label={t('office.attendees')} value={d.attendees} onChange={(attendees) => put({ attendees })} /></label>
          <label className="stack">{t('office.note')}<Input.TextArea rows={3} maxLength={2000} value={d.note} onChange={(e) => put({ note: e.target.value })} /></label>
          <div className="row"><label className="stack">{t('office.remind')}<Input type="number" min={0} style={{ width: 120 }} value={d.remind} onChange={(e) => put({ remind: e.target.value })} /></label><Checkbox checked={d.shared} onChange={(e) => put({ shared: e.target.checked })}>{t('office.share')}</Checkbox></div>
          {wrong ? <p className="error-text" role="alert">{t(wrong)}</p> : null}
          <Faults error={error} />
        </div>
      ) : entry ? (
        <>
          <dl className="facts"><dt>{t('office.owner')}</dt><dd>{entry.owner_name}</dd><dt>{t('word.time')}</dt><dd>{dateTime(entry.from)} – {dateTime(entry.to)}</dd>{entry.place ? <><dt>{t('office.place')}</dt><dd>{entry.place}</dd></> : null}{entry.note ? <><dt>{t('office.note')}</dt><dd className="prose">{entry.note}</dd></> : null}</dl>
          <Faults error={error} />
        </>
      ) : null}
      {entry?.attendees.length ? <ul className="plain-list" style={{ marginTop: 8 }}>{entry.attendees.map((a) => <li key={a.account}>{a.name || a.account} · {t(`office.answer_${a.answer}`)}</li>)}</ul> : null}
    </Modal>
  );
}
