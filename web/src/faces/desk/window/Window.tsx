// Desk: the queue at a window: the number in hand, the next one called, those that wait.
import { useState } from 'react';
import { App, Button, Modal, Select } from 'antd';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../../api/hooks';
import type { Page } from '../../../api/types';
import type { Board, Hall, Ticket } from '../../../api/visiting';
import { actAtTicket, callNext, visitPaths, windowPath, type InHand } from '../../../api/visits';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { number } from '../../../lib/format';
import { remember, remembered } from '../../../lib/memory';
import { clock } from '../../../lib/time';
import { WINDOW_VERBS, windowRefusal, type WindowVerb } from '../../../lib/window';
import { useSession } from '../../../shell/session';
import './window.css';

export default function WindowPage() {
  const { t, w } = useI18n();
  const filters = useFilters();
  const halls = useApi<Page<Hall>>(visitPaths.halls, { limit: 200 });
  const [kept, keptWindow] = (remembered('window') ?? '').split('|');
  const list = halls.data?.items ?? [];
  const hall = list.find((h) => h.code === (filters.get('hall') || kept)) ?? (list.length === 1 ? list[0] : undefined);
  const window = hall?.windows.find((one) => one.code === (filters.get('window') || keptWindow));
  const choose = (code: string, own: string | null) => { remember('window', `${code}|${own ?? ''}`); filters.set({ hall: code, window: own }); };
  return (
    <>
      <PageHead title={t('window.title')} sub={t('window.sub')} />
      <View query={halls} empty={(d) => d.items.length === 0} emptyText={t('window.no_halls')}>
        {() => (
          <>
            <div className="filters">
              <label>{t('window.hall')}<Select aria-label={t('window.hall')} style={{ minWidth: 220 }} value={hall?.code} onChange={(code: string) => choose(code, null)} options={list.map((h) => ({ value: h.code, label: w(h.title) }))} /></label>
              <label>{t('window.window')}<Select aria-label={t('window.window')} style={{ minWidth: 200 }} disabled={!hall} value={window?.code} onChange={(code: string) => { if (hall) choose(hall.code, code); }} options={(hall?.windows ?? []).map((one) => ({ value: one.code, label: `${one.code} · ${w(one.title)}` }))} /></label>
            </div>
            {hall && window ? <AtWindow key={`${hall.code}/${window.code}`} hall={hall} window={window.code} /> : <p className="muted">{t('window.choose')}</p>}
          </>
        )}
      </View>
    </>
  );
}

function AtWindow({ hall, window }: { hall: Hall; window: string }) {
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt } = useAttempt();
  const [handing, setHanding] = useState(false);
  const hand = useApi<InHand>(windowPath(hall.code, window), undefined, { every: 5_000, keep: true });
  const board = useApi<Board>(visitPaths.board(hall.code), undefined, { every: 5_000, keep: true });
  const queue = useApi<Page<Ticket>>(visitPaths.queue(hall.code), { limit: 100 }, { every: 10_000, keep: true });
  const ticket = hand.data?.ticket ?? null;
  const matter = (code: string) => { const found = hall.matters.find((m) => m.code === code); return found ? w(found.title) : code; };
  const refresh = () => client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/halls') });
  const act = async (verb: WindowVerb, to?: string) => {
    await attempt(async () => {
      if (verb === 'next') {
        const { ticket: called } = await callNext(hall.code, window);
        void message.info(called ? t('window.called', { number: called.number }) : t('window.nobody'));
      } else if (ticket) {
        await actAtTicket(hall.code, window, ticket.id, verb === 'transfer' ? { what: verb, window: to ?? '' } : { what: verb });
        void message.success(t('window.done', { verb: t(`window.${verb}`), number: ticket.number }));
      }
    });
    await refresh();
  };
  const refusals = WINDOW_VERBS.map((verb) => [verb, windowRefusal(ticket, verb, may('handle', 'visits'))] as const);
  const reasons = [...new Set(refusals.map(([, why]) => why).filter((why) => why !== null))];
  const waiting = (queue.data?.items ?? []).filter((one) => one.state === 'waiting');
  return (
    <>
    <div className="grid side">
      <div>
        <section className="card window-now" aria-label={t('window.in_hand')}>
          <div role="status" aria-live="polite">
            <p className="window-number">{ticket ? ticket.number : '—'}</p>
            <p>{ticket ? `${matter(ticket.matter)} · ${t(`window.state_${ticket.state}`)}${ticket.priority === 'ordinary' ? '' : ` · ${t(`window.priority_${ticket.priority}`)}`}` : t('window.free')}</p>
            {ticket ? <p className="muted small">{t('window.taken_at', { at: clock(ticket.at) })}{ticket.called_at ? ` · ${t('window.called_at', { at: clock(ticket.called_at), n: ticket.calls })}` : ''}{ticket.appointment_at ? ` · ${t('window.appointment', { at: clock(ticket.appointment_at) })}` : ''}</p> : null}
          </div>
          <div className="row">
            {refusals.map(([verb, why]) => <Button key={verb} size="large" type={verb === 'next' || (verb === 'start' && !why) || (verb === 'finish' && !why) ? 'primary' : 'default'} danger={verb === 'skip' && !why} disabled={why !== null || busy} aria-describedby={why ? `why-${why}` : undefined} onClick={() => { if (verb === 'transfer') setHanding(true); else void act(verb); }}>{t(`window.${verb}`)}</Button>)}
          </div>
          {reasons.map((why) => <p key={why} id={`why-${why}`} className="muted small">{t('case.verb_why', { verbs: refusals.filter(([, r]) => r === why).map(([verb]) => t(`window.${verb}`)).join(lang === 'zh' ? '、' : ', '), why: t(why) })}</p>)}
          <Faults error={error} />
          <p><Link to="/desk/apply">{t('window.apply')}</Link></p>
        </section>
        <section className="card"><h2>{t('window.waiting', { n: number(waiting.length, 0) })}</h2>
          <View query={queue} empty={() => waiting.length === 0} emptyText={t('window.nobody')}>
            {() => (
              <SimpleTable<Ticket> quiet caption={t('window.waiting_caption')} rows={waiting} rowKey={(one) => one.id} columns={[
                { title: t('window.number'), cell: (one) => one.number },
                { title: t('window.matter'), cell: (one) => matter(one.matter) },
                { title: t('window.priority'), cell: (one) => t(`window.priority_${one.priority}`) },
                { title: t('window.taken'), cell: (one) => clock(one.at) },
                { title: t('window.handed_to'), cell: (one) => one.window ?? '—' }]} />
            )}
          </View>
        </section>
      </div>
      <div>
        <section className="card"><h2>{t('window.board')}</h2>
          <View query={board}>
            {(b) => (
              <>
                <p>{t(b.open ? 'window.open' : 'window.closed')}</p>
                <SimpleTable quiet caption={t('window.queues')} rows={b.queues} rowKey={(q) => q.letter} columns={[
                  { title: t('window.queue'), cell: (q) => q.letter }, { title: t('window.how_many'), cell: (q) => number(q.waiting, 0), right: true },
                  { title: t('window.wait'), cell: (q) => t('window.minutes', { n: q.wait_min }), right: true }]} />
                <h3 className="part">{t('window.called_now')}</h3>
                {b.called.length ? <ul className="plain-list">{b.called.map((c) => <li key={c.number}><strong>{c.number}</strong> → {c.window}{c.serving ? <span className="muted"> · {t('window.state_serving')}</span> : null}</li>)}</ul> : <p className="muted">{t('window.nobody_called')}</p>}
              </>
            )}
          </View>
        </section>
      </div>
    </div>
      {handing ? <HandOver hall={hall} from={window} onClose={() => setHanding(false)} onPick={(to) => { setHanding(false); void act('transfer', to); }} /> : null}
      <Provenance asOf={queue.dataUpdatedAt} source="visits" path={visitPaths.queue(hall.code)} />
    </>
  );
}

function HandOver({ hall, from, onClose, onPick }: { hall: Hall; from: string; onClose: () => void; onPick: (to: string) => void }) {
  const { t, w } = useI18n();
  const [to, setTo] = useState<string | null>(null);
  return (
    <Modal open title={t('window.transfer')} onCancel={onClose} onOk={() => { if (to) onPick(to); }} okButtonProps={{ disabled: to === null }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} closable={{ 'aria-label': t('verb.close_dialog') }}>
      <label className="stack">{t('window.transfer_to')}<Select aria-label={t('window.transfer_to')} value={to} onChange={setTo} options={hall.windows.filter((one) => one.code !== from).map((one) => ({ value: one.code, label: `${one.code} · ${w(one.title)}` }))} /></label>
    </Modal>
  );
}
