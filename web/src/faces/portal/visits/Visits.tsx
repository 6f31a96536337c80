// Portal: visits to a service hall: my number, my appointments, booking a time, taking a number. Halls
// and free times are public; booking needs an account.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useApi } from '../../../api/hooks';
import type { Page } from '../../../api/types';
import { bookVisit, cancelVisit, checkIn, hallPath, takeNumber, type Appointment, type Hall, type Slot } from '../../../api/visiting';
import { FormFault, SelectField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useNow } from '../../../lib/now';
import { clock, date, dateTime, ms, weekday } from '../../../lib/time';
import { bookableDays, keepTicket, keptTicket } from '../../../lib/visits';
import { useSession } from '../../../shell/session';
import { MyTicket } from './Ticket';
import '../../../components/form/form.css';

function Appointments({ halls, onTicket }: { halls: readonly Hall[]; onTicket: (id: string) => void }) {
  const { t, w } = useI18n();
  const client = useQueryClient();
  const query = useApi<Page<Appointment>>('/me/visits', { limit: 20 });
  const act = useAct();
  const now = useNow();
  const cancel = async (a: Appointment) => {
    if (await act.run(() => cancelVisit(a.id))) void client.invalidateQueries({ queryKey: ['/me/visits'] });
  };
  const arrive = async (a: Appointment) => {
    const ticket = await act.run(() => checkIn(a.hall, a.id));
    if (!ticket) return;
    onTicket(ticket.id);
    void client.invalidateQueries({ queryKey: ['/me/visits'] });
  };
  return (
    <section className="card" aria-labelledby="my-visits">
      <h2 id="my-visits">{t('visit.mine')}</h2>
      <FormFault error={act.error} />
      <View query={query}>
        {(d) => d.items.length === 0 ? <p className="muted">{t('visit.mine_none')}</p> : (
          <ul className="tie-list">
            {d.items.map((a) => {
              const hall = halls.find((h) => h.code === a.hall);
              const matter = hall?.matters.find((m) => m.code === a.matter);
              const ahead = a.state === 'booked' && ms(a.from) > now;
              return (
                <li key={a.id} data-appointment={a.id}>
                  <div><strong>{dateTime(a.from)}–{clock(a.to)}</strong> <span className="tag plain">{t(`visit.state_${a.state}`)}</span></div>
                  <div>{w(hall?.title) || a.hall} · {w(matter?.title) || a.matter}</div>
                  {a.state === 'booked' ? <div>{t('visit.code')} <code>{a.code}</code> <span className="muted small">{t('visit.code_help')}</span></div> : null}
                  <div className="row">
                    {a.state === 'booked' && date(a.from) === date(now) ? <button type="button" className="button strong" disabled={act.busy} onClick={() => { void arrive(a); }}>{t('visit.check_in')}</button> : null}
                    {ahead ? <button type="button" className="button" disabled={act.busy} aria-label={t('visit.cancel_named', { time: dateTime(a.from) })} onClick={() => { void cancel(a); }}>{t('visit.cancel')}</button> : null}
                    {a.ticket ? <button type="button" className="link" onClick={() => onTicket(a.ticket as string)}>{t('ticket.mine')}</button> : null}
                  </div>
                </li>
              );
            })}
          </ul>
        )}
      </View>
    </section>
  );
}

function Slots({ hall, matter, day, chosen, onChoose, fault }: { hall: Hall; matter: string; day: string; chosen: string; onChoose: (from: string) => void; fault: string | null }) {
  const { t } = useI18n();
  const query = useApi<{ items: Slot[] }>(`${hallPath(hall.code)}/slots`, { matter, day });
  return (
    <View query={query} lines={2}>
      {(d) => d.items.length === 0 ? <p role="status">{t('visit.no_slots')}</p> : (
        <fieldset className={fault ? 'input form-field faulty' : 'input form-field'} aria-describedby={fault ? 'slot-fault' : undefined}>
          <legend>{t('visit.slot')}</legend>
          {fault ? <p id="slot-fault" role="alert" className="error-text">{fault}</p> : null}
          <div className="pick slots">
            {d.items.map((s) => <label key={s.from} className={chosen === s.from ? 'chosen' : undefined}><input type="radio" name="slot" value={s.from} disabled={s.free === 0} checked={chosen === s.from} onChange={() => onChoose(s.from)} /><span>{clock(s.from)}–{clock(s.to)} <span className="muted small">{s.free ? t('visit.free', { n: s.free }) : t('visit.full')}</span></span></label>)}
          </div>
        </fieldset>
      )}
    </View>
  );
}

function Book({ halls, onTicket }: { halls: readonly Hall[]; onTicket: (id: string) => void }) {
  const { t, w, lang } = useI18n();
  const client = useQueryClient();
  const { session } = useSession();
  const { get, set } = useFilters();
  const now = useNow();
  const act = useAct();
  const take = useAct();
  const [from, setFrom] = useState('');
  const [tried, setTried] = useState(false);
  const [done, setDone] = useState<Appointment | null>(null);
  const hall = halls.find((h) => h.code === get('hall')) ?? halls[0];
  if (!hall) return null;
  const matter = hall.matters.find((m) => m.code === get('matter')) ?? hall.matters[0];
  const days = bookableDays(hall, now);
  const day = days.includes(get('day')) ? get('day') : (days[0] ?? date(now));
  const change = (changes: Record<string, string>) => { setFrom(''); setDone(null); set(changes); };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!from || !matter) return;
    const made = await act.run(() => bookVisit({ hall: hall.code, matter: matter.code, from }));
    if (!made) { void client.invalidateQueries({ queryKey: [`${hallPath(hall.code)}/slots`] }); return; }
    setDone(made);
    setFrom('');
    setTried(false);
    void client.invalidateQueries({ queryKey: ['/me/visits'] });
    void client.invalidateQueries({ queryKey: [`${hallPath(hall.code)}/slots`] });
  };
  const number = async () => {
    const ticket = matter ? await take.run(() => takeNumber({ hall: hall.code, matter: matter.code, priority: 'ordinary' })) : undefined;
    if (ticket) onTicket(ticket.id);
  };
  return (
    <form className="card stack" noValidate aria-labelledby="book" onSubmit={(e) => { void submit(e); }}>
      <h2 id="book">{t('visit.book')}</h2>
      {done ? <div className="confirmed" role="status" data-booked={done.id}><p><strong>{t('visit.booked')}</strong> {dateTime(done.from)}–{clock(done.to)}</p><p>{t('visit.code')} <code>{done.code}</code></p><p>{t('visit.code_help')}</p></div> : null}
      <FormFault error={act.error} />
      <SelectField name="hall" label={t('visit.hall')} value={hall.code} onChange={(v) => change({ hall: v, matter: '', day: '' })} choices={halls.map((h) => ({ value: h.code, text: w(h.title) }))} />
      <p className="small">{t('visit.address')}: {w(hall.address)} · {t(hall.open ? 'visit.open' : 'visit.closed')} · <Link to={`/board/${encodeURIComponent(hall.code)}`}>{t('visit.board')}</Link></p>
      <SelectField name="matter" label={t('visit.matter')} value={matter?.code ?? ''} onChange={(v) => change({ matter: v })} choices={hall.matters.map((m) => ({ value: m.code, text: w(m.title) }))} />
      <SelectField name="day" label={t('visit.day')} value={day} onChange={(v) => change({ day: v })} choices={days.map((d) => ({ value: d, text: `${d} ${weekday(`${d}T12:00:00+08:00`, lang)}` }))} />
      {matter ? <Slots hall={hall} matter={matter.code} day={day} chosen={from} onChoose={setFrom} fault={tried && !from ? t('visit.need_slot') : null} /> : null}
      {session ? <p><button type="submit" className="button strong" disabled={act.busy}>{t('visit.book_do')}</button></p> : <p><Link className="button strong" to={`/sign-in?then=${encodeURIComponent('/portal/visits')}`}>{t('visit.sign_in_book')}</Link></p>}
      {session && hall.open && matter ? (
        <>
          <h3>{t('visit.take')}</h3>
          <p className="muted small">{t('visit.take_help')}</p>
          <FormFault error={take.error} />
          <p><button type="button" className="button" disabled={take.busy} onClick={() => { void number(); }}>{t('visit.take_do')}</button></p>
        </>
      ) : null}
    </form>
  );
}

export default function Visits() {
  const { t, w } = useI18n();
  const { session } = useSession();
  const query = useApi<Page<Hall>>('/halls', { limit: 200 });
  const [ticket, setTicket] = useState(keptTicket);
  const keep = (id: string | null) => { keepTicket(id); setTicket(id); };
  return (
    <div className="one-thing">
      <PageHead title={t('visit.title')} sub={t('visit.sub')} back={{ to: '/services', text: t('svc.title') }} />
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('visit.no_halls')}>
        {({ items }) => (
          <>
            {ticket ? <MyTicket key={ticket} id={ticket} onAway={() => keep(null)} names={(x) => { const hall = items.find((h) => h.code === x.hall); return { hall: w(hall?.title) || x.hall, matter: w(hall?.matters.find((m) => m.code === x.matter)?.title) || x.matter }; }} /> : null}
            {session ? <Appointments halls={items} onTicket={keep} /> : null}
            <Book halls={items} onTicket={keep} />
          </>
        )}
      </View>
    </div>
  );
}
