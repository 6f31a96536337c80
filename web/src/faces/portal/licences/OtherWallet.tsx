// Portal: a licence into a wallet of another maker: an offer that is good once and briefly, as a QR
// code and a link, with the digits to type there; whether a wallet has it; and taking it back. The
// code lives in this component only.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Below, Offer, OfferInfo, Verdict } from '../../../api/licences';
import { FormFault, useAct } from '../../../components/Inputs';
import { QrCode } from '../../../components/QrCode';
import { useI18n } from '../../../i18n';
import { secondsLeft } from '../../../lib/licences';
import { useNow } from '../../../lib/now';
import { clock, dateTime, ms } from '../../../lib/time';

const LOOK_MS = 3_000;
const SOON_S = 60;

/** No offer is good for longer. */
const MOST_S = 3_600;

function Shown({ made, info, busy, onAgain, onBack }: { made: Offer; info: OfferInfo | undefined; busy: boolean; onAgain: () => void; onBack: () => void }) {
  const { t } = useI18n();
  const now = useNow(1_000);
  const [copied, setCopied] = useState(false);
  const left = secondsLeft(ms(made.expires_at), now, MOST_S);
  const open = left > 0 && (info === undefined || info.state === 'open' || info.state === 'redeemed');
  const copy = async () => {
    await navigator.clipboard.writeText(made.url).then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <div className="shown-code" data-offer={info?.state}>
      {open ? (
        <>
          <p>{t('wal.put_scan')}</p>
          <QrCode text={made.url} label={t('wal.put_label')} />
          <p>{t('wal.put_type')}</p>
          <p className="typed-code"><code>{made.code}</code></p>
          <p className="muted small">{t('wal.put_secret')}</p>
          <p role="timer" className={left <= SOON_S ? 'countdown soon' : 'countdown'}>{t('wal.put_left', { time: clock(made.expires_at), min: Math.floor(left / 60), s: left % 60 })}</p>
        </>
      ) : null}
      <div role="status">
        {open ? (copied ? <p>{t('wal.put_copied')}</p> : info?.state === 'redeemed' ? <p>{t('wal.offer_redeemed')}</p> : null) : info?.state === 'fetched' ? <p className="confirmed">{t('wal.offer_fetched')}</p> : info?.state === 'taken_back' ? <p className="confirmed">{t('wal.put_taken')}</p> : <p className="stale">{t(info?.state === 'guessed' ? 'wal.offer_guessed' : 'wal.offer_over')}</p>}
      </div>
      <p className="row">
        {open ? (
          <>
            <a className="button strong" href={made.url}>{t('wal.put_open')}</a>
            {'clipboard' in navigator ? <button type="button" className="button" onClick={() => { void copy(); }}>{t('wal.put_copy')}</button> : null}
            <button type="button" className="button" disabled={busy} onClick={onBack}>{t('wal.put_back')}</button>
          </>
        ) : <button type="button" className="button strong" disabled={busy} onClick={onAgain}>{t('wal.put_again')}</button>}
      </p>
    </div>
  );
}

export function OtherWallet({ path, verdict }: { path: string; verdict: Verdict }) {
  const { t } = useI18n();
  const act = useAct();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<Offer | null>(null);
  const list = `${path}/offers`;
  const query = useApi<Below<OfferInfo>>(open ? list : null, undefined, { every: made ? LOOK_MS : 0 });
  const offers = query.data?.items ?? [];
  const info = made ? offers.find((o) => o.id === made.id) : undefined;
  const renew = () => Promise.all([list, `${path}/uses`].map((key) => client.invalidateQueries({ predicate: (q) => q.queryKey[0] === key })));
  const make = async () => {
    setMade(null);
    const offer = await act.run(() => send<Offer>('POST', `${path}/offer`));
    if (offer) setMade(offer);
    await renew();
  };
  const back = async (id: string) => {
    await act.run(() => send<OfferInfo>('DELETE', `${list}/${encodeURIComponent(id)}`));
    await renew();
  };
  const others = offers.filter((o) => o.id !== made?.id);
  return (
    <details className="card" data-part="wallet" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary><strong>{t('wal.put')}</strong></summary>
      <div className="stack">
        <p className="muted small">{t('wal.put_help')}</p>
        <FormFault error={act.error} />
        {made ? <Shown made={made} info={info} busy={act.busy} onAgain={() => { void make(); }} onBack={() => { void back(made.id); }} />
          : verdict === 'valid' || verdict === 'not_yet_valid' ? <p><button type="button" className="button strong" disabled={act.busy} onClick={() => { void make(); }}>{t('wal.put_make')}</button></p>
            : <p className="stale">{t('wal.put_not_valid')}</p>}
        {others.length ? (
          <>
            <h3>{t('wal.put_recent')}</h3>
            <ul className="tie-list">
              {others.map((o) => (
                <li key={o.id}>
                  <p>{t('wal.put_made_at', { time: dateTime(o.created_at) })} · <strong>{t(`wal.offer_${o.state}`)}</strong></p>
                  {o.state === 'open' || o.state === 'redeemed' ? <p><button type="button" className="button" disabled={act.busy} aria-label={t('wal.put_back_of', { time: dateTime(o.created_at) })} onClick={() => { void back(o.id); }}>{t('wal.put_back')}</button></p> : null}
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </div>
    </details>
  );
}
