// Desk: a clerk at a counter or on the hotline applies for somebody: the item, who it is and how that
// was checked, the form on one sheet, handed in, the receipt printed.
import { useState } from 'react';
import { Link } from 'react-router';
import { useApi } from '../../../api/hooks';
import { beginDraft, type Behalf, type Draft, type Receipt } from '../../../api/applications';
import type { ItemLine } from '../../../api/items';
import type { HolderDocument } from '../../../api/licences';
import { isCitizenNumber, isCreditCode } from '../../../components/form';
import { FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { behalfFaults, DESK_CHANNELS, documentsFor, tidyBehalf, type BehalfField, type DeskChannel } from '../../../lib/behalf';
import { useSession } from '../../../shell/session';
import { ReceiptPage } from './ReceiptPage';
import { Sheet } from './Sheet';
import '../../../components/inputs.css';
import '../intake/intake.css';

export default function ApplyFor() {
  const { t } = useI18n();
  const { may } = useSession();
  const filters = useFilters();
  const [line, setLine] = useState<ItemLine | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const again = () => { setReceipt(null); setDraft(null); setLine(null); filters.set({ text: null }); };
  if (receipt) return <ReceiptPage receipt={receipt} onNext={again} />;
  return (
    <>
      <PageHead title={t('counter.title')} sub={t('counter.sub')} back={{ to: '/desk/intake', text: t('intake.title') }} />
      {may('write', 'service_applications') ? null : <p className="error-box">{t('counter.no_may')}</p>}
      {draft ? <Sheet key={draft.id} draft={draft} onDone={setReceipt} onLeave={again} />
        : line ? <Who item={line} onBack={() => setLine(null)} onBegun={setDraft} />
          : <Find onPick={setLine} />}
    </>
  );
}

function Find({ onPick }: { onPick: (line: ItemLine) => void }) {
  const { t, w } = useI18n();
  const filters = useFilters();
  const text = filters.get('text');
  const query = useApi<{ items: ItemLine[]; total: number }>('/items', { text, limit: 50 }, { keep: true });
  return (
    <section className="card" aria-label={t('counter.find')}>
      <h2>{t('counter.step_item')}</h2>
      <form className="filters" role="search" onSubmit={(e) => { e.preventDefault(); filters.set({ text: String(new FormData(e.currentTarget).get('text') ?? '').trim() || null }); }}>
        <label className="input">{t('counter.find')}<input data-search id="search" name="text" type="search" defaultValue={text} key={text} placeholder={t('counter.find_help')} /></label>
        <button type="submit" className="button">{t('verb.search')}</button>
      </form>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('counter.none')}>
        {(d) => (
          <ul className="pick-list">
            {d.items.filter((i) => i.state === 'in_force').map((i) => {
              const closed = !i.channels.some((c) => (DESK_CHANNELS as readonly string[]).includes(c));
              return (
                <li key={i.item}>
                  <button type="button" className="pick-item" disabled={closed} aria-describedby={closed ? `closed-${i.item}` : undefined} onClick={() => onPick(i)}><strong>{w(i.title)}</strong><span className="muted small">{w(i.summary)}</span></button>
                  {closed ? <p id={`closed-${i.item}`} className="muted small">{t('counter.closed')}</p> : null}
                </li>
              );
            })}
          </ul>
        )}
      </View>
    </section>
  );
}

const SHOWN = ['holder/number', 'holder/name', 'mobile', 'seen'].map((at) => `on_behalf/${at}`);

function Who({ item, onBack, onBegun }: { item: ItemLine; onBack: () => void; onBegun: (draft: Draft) => void }) {
  const { t, w } = useI18n();
  const { busy, error, run } = useAct();
  const documents = documentsFor(item.serves);
  const channels = DESK_CHANNELS.filter((c) => item.channels.includes(c));
  const [channel, setChannel] = useState<DeskChannel>(channels[0] ?? 'counter');
  const [who, setWho] = useState<Behalf>({ holder: { document: documents[0] ?? 'citizen_number', number: '', name: '' }, mobile: '', seen: '' });
  const [tried, setTried] = useState(false);
  const faults = tried ? behalfFaults(who, { isCitizenNumber, isCreditCode }) : {};
  const wrong = (field: BehalfField) => { const key = faults[field]; return key ? t(key) : null; };
  const put = (part: Partial<Behalf['holder']>) => setWho({ ...who, holder: { ...who.holder, ...part } });
  const begin = () => {
    setTried(true);
    if (Object.keys(behalfFaults(who, { isCitizenNumber, isCreditCode })).length) return;
    void run(async () => onBegun(await beginDraft({ item: item.item, channel, on_behalf: tidyBehalf(who) })));
  };
  return (
    <form className="card stack" noValidate aria-label={t('counter.step_who')} onSubmit={(e) => { e.preventDefault(); begin(); }}>
      <h2>{t('counter.step_who')}</h2>
      <p>{t('counter.item')} <strong>{w(item.title)}</strong> <button type="button" className="link" onClick={onBack}>{t('party.change')}</button></p>
      <FormFault error={error} shown={SHOWN} />
      <div className="grid two">
        <SelectField name="channel" label={t('counter.channel')} value={channel} onChange={(c) => setChannel(c as DeskChannel)} choices={channels.map((c) => ({ value: c, text: t(`desk_channel.${c}`) }))} />
        <SelectField name="document" label={t('counter.document')} value={who.holder.document} onChange={(d) => put({ document: d as HolderDocument })} choices={documents.map((d) => ({ value: d, text: t(`proof.${d}`) }))} />
        <TextField name="number" label={t('counter.number')} value={who.holder.number} error={error} at="on_behalf/holder/number" wrong={wrong('number')} autoComplete="off" autoCapitalize="characters" spellCheck={false} maxLength={40} onChange={(e) => put({ number: e.target.value })} />
        <TextField name="name" label={t(who.holder.document === 'credit_code' ? 'counter.name_legal' : 'counter.name')} value={who.holder.name} error={error} at="on_behalf/holder/name" wrong={wrong('name')} autoComplete="off" maxLength={100} onChange={(e) => put({ name: e.target.value })} />
        <TextField name="mobile" label={t('counter.mobile')} hint={t('counter.mobile_help')} value={who.mobile} error={error} at="on_behalf/mobile" wrong={wrong('mobile')} type="tel" autoComplete="off" maxLength={20} onChange={(e) => setWho({ ...who, mobile: e.target.value })} />
        <TextField name="seen" label={t('counter.seen')} hint={t(channel === 'hotline' ? 'counter.seen_hotline' : 'counter.seen_help')} value={who.seen} error={error} at="on_behalf/seen" wrong={wrong('seen')} autoComplete="off" maxLength={100} onChange={(e) => setWho({ ...who, seen: e.target.value })} />
      </div>
      <p className="row"><button type="submit" className="button strong" disabled={busy}>{t('counter.begin')}</button><Link to="/desk/intake">{t('verb.cancel')}</Link></p>
    </form>
  );
}
