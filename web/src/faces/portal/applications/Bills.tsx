// Portal: the bills of an application: paid on the page of the payment service or at the counter.
// Whoever comes back from there is told to wait, then what became of it; nobody is led to pay twice.
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { ApplicationFile, Bill } from '../../../api/applications';
import { money } from '../../../components/form';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';

const LOOK_MS = 3_000;
/** So long one waits before it is said that nothing came. */
const WAIT_MS = 60_000;
/** Names the bill somebody comes back from paying. */
const PAID = 'paid';

/** Where a bill is paid, of the address the city is told; null where there is none. */
export function payAddress(template: string | null | undefined, bill: Pick<Bill, 'id' | 'fen'>, page: string): string | null {
  if (!template) return null;
  const back = `${page}?${PAID}=${encodeURIComponent(bill.id)}`;
  const parts: Record<string, string> = { bill: bill.id, fen: String(bill.fen), back };
  return template.replace(/\{(bill|fen|back)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
}

/** Somebody comes back from paying a bill: which, and whether it is still time to wait. */
export function usePaying(): { bill: string | null; waiting: boolean; every: (usual: number) => number } {
  const [params] = useSearchParams();
  const bill = params.get(PAID);
  const [waiting, setWaiting] = useState(true);
  useEffect(() => {
    setWaiting(true);
    const timer = setTimeout(() => setWaiting(false), WAIT_MS);
    return () => clearTimeout(timer);
  }, [bill]);
  return { bill, waiting, every: (usual) => (bill && waiting ? LOOK_MS : usual) };
}

export function Bills({ file, paying }: { file: ApplicationFile; paying: ReturnType<typeof usePaying> }) {
  const { t, w } = useI18n();
  return (
    <ul className="tie-list">
      {file.bills.map((b) => (
        <li key={b.id} data-bill={b.state}>
          <div><strong>{w(b.title)}</strong> {money(b.fen)} <span className="tag plain">{t(`app.bill_${b.state}`)}</span></div>
          <div role="status">{paying.bill !== b.id ? null : b.state === 'paid' ? <p className="confirmed">{t('app.bill_done')}</p> : b.state === 'open' ? <p className="stale">{t(paying.waiting ? 'app.bill_waiting' : 'app.bill_late')}</p> : null}</div>
          {b.state === 'open' ? <Open bill={b} application={file.application.id} hold={paying.bill === b.id && paying.waiting} /> : null}
          {b.state === 'paid' ? <div className="muted small">{t('app.bill_paid_at', { time: dateTime(b.paid_at), reference: b.reference ?? '—' })}</div> : null}
        </li>
      ))}
    </ul>
  );
}

function Open({ bill, application, hold }: { bill: Bill; application: string; hold: boolean }) {
  const { t, w } = useI18n();
  const { city } = useSession();
  const address = payAddress(city?.payment_url, bill, `${location.origin}/portal/applications/${encodeURIComponent(application)}`);
  return (
    <>
      <p>{t('app.bill_hint')} <code>{bill.id}</code></p>
      {address && !hold ? <p><a className="button strong" href={address} aria-label={t('app.bill_go_of', { title: w(bill.title), money: money(bill.fen) })}>{t('app.bill_go')}</a></p> : null}
      {hold ? null : <p className="muted small">{t(address ? 'app.bill_online' : 'app.bill_counter')}</p>}
    </>
  );
}
