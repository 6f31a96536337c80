// Portal: a queue number: the number large, who is before, where to go.
import { useApi } from '../../../api/hooks';
import { ticketPath, type Ticket } from '../../../api/visiting';
import { useI18n } from '../../../i18n';
import { clock } from '../../../lib/time';
import './visits.css';

const AGAIN_MS = 8_000;
const over = (ticket: Ticket) => ['finished', 'skipped', 'expired'].includes(ticket.state);

export function TicketShown({ ticket, matter, hall }: { ticket: Ticket; matter: string; hall: string }) {
  const { t } = useI18n();
  return (
    <div className={`ticket ${ticket.state}`} data-ticket={ticket.number}>
      <p className="ticket-number">{ticket.number}</p>
      <p role="status"><strong>{t(`ticket.${ticket.state}`)}</strong>{ticket.window ? <strong> {t('ticket.window', { window: ticket.window })}</strong> : null}</p>
      {ticket.before !== null ? <p>{t('ticket.before', { n: ticket.before })}{ticket.wait_min !== null ? ` · ${t('ticket.wait', { n: ticket.wait_min })}` : ''}</p> : null}
      <p className="muted small">{hall} · {matter} · {t('ticket.taken', { time: clock(ticket.at) })}</p>
    </div>
  );
}

/** The number as it stands now. */
export function MyTicket({ id, names, onAway }: { id: string; names: (ticket: Ticket) => { hall: string; matter: string }; onAway: () => void }) {
  const { t } = useI18n();
  const query = useApi<Ticket>(ticketPath(id), undefined, { every: AGAIN_MS });
  if (!query.data) return null;
  return (
    <section className="card stack" aria-labelledby="my-ticket">
      <h2 id="my-ticket">{t('ticket.mine')}</h2>
      <TicketShown ticket={query.data} {...names(query.data)} />
      {over(query.data) ? <p><button type="button" className="button" onClick={onAway}>{t('ticket.forget')}</button></p> : null}
    </section>
  );
}
