// Portal: showing a licence: what to show, a code that is good once and briefly, and who used it.
// The code lives in this component only: it is kept nowhere and written nowhere.
import { useEffect, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Below, Licence, LicenceType, LicenceUse, Presentation, Verdict } from '../../../api/licences';
import { FormFault, useAct } from '../../../components/Inputs';
import { Choices, FieldTicks, useFieldWords } from '../../../components/Licence';
import { QrCode } from '../../../components/QrCode';
import { useI18n } from '../../../i18n';
import { HOLDER_NAME, isVerdict, secondsLeft } from '../../../lib/licences';
import { ms } from '../../../lib/time';

const SECONDS = ['60', '120'] as const;
const LOOK_MS = 3_000;
/** The last seconds are said in another colour and weight. */
const SOON_S = 10;

/** `until` is of this device's clock, counted from before the code was asked for: however wrong the clock, never too long. */
interface Made { presentation: Presentation; seconds: number; until: number }

function useTick(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The use that this code was good for, once there is one. */
export function useOf(uses: readonly LicenceUse[], made: Pick<Made, 'presentation' | 'seconds'>): LicenceUse | undefined {
  const from = ms(made.presentation.expires_at) - made.seconds * 1000;
  return uses.find((u) => u.way === 'token' && ms(u.at) >= from);
}

function Code({ made, path, type, onAgain, onClose, busy }: { made: Made; path: string; type: LicenceType | undefined; onAgain: () => void; onClose: () => void; busy: boolean }) {
  const { t } = useI18n();
  const words = useFieldWords(type);
  const client = useQueryClient();
  const now = useTick();
  const [copied, setCopied] = useState(false);
  const left = secondsLeft(made.until, now, made.seconds);
  const uses = useApi<Below<LicenceUse>>(`${path}/uses`, undefined, { every: left > 0 ? LOOK_MS : 0 });
  const used = useOf(uses.data?.items ?? [], made);
  const over = left === 0 || used !== undefined;
  const usedId = used?.id;
  useEffect(() => {
    if (usedId) void client.invalidateQueries({ queryKey: [`${path}/uses`, {}, 'below'] });
  }, [usedId, client, path]);
  const copy = async () => {
    await navigator.clipboard.writeText(made.presentation.url).then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <div className="shown-code">
      {over ? null : (
        <>
          <QrCode text={made.presentation.url} label={t('lic.show_label')} />
          <p role="timer" className={left <= SOON_S ? 'countdown soon' : 'countdown'}>{t('lic.show_left', { n: left })}</p>
          {made.presentation.fields.length ? <p>{t('lic.show_sees', { fields: made.presentation.fields.map(words.title).join('、') })}</p> : null}
        </>
      )}
      <div role="status">
        {used ? <p className="confirmed">{t('lic.show_used', { verifier: used.verifier, purpose: used.purpose, verdict: isVerdict(used.verdict) ? t(`lic.verdict_${used.verdict}`) : used.verdict })}</p> : over ? <p className="stale">{t('lic.show_over')}</p> : copied ? <p>{t('lic.show_copied')}</p> : null}
      </div>
      <p className="row">
        <button type="button" className={over ? 'button strong' : 'button'} disabled={busy} onClick={onAgain}>{t('lic.show_again')}</button>
        {over || !('clipboard' in navigator) ? null : <button type="button" className="button" onClick={() => { void copy(); }}>{t('lic.show_copy')}</button>}
        <button type="button" className="button" onClick={onClose}>{t('lic.show_close')}</button>
      </p>
    </div>
  );
}

export function Present({ licence, verdict, type, path }: { licence: Licence; verdict: Verdict; type: LicenceType | undefined; path: string }) {
  const { t } = useI18n();
  const words = useFieldWords(type);
  const act = useAct();
  const minimum = type?.minimum ?? [HOLDER_NAME];
  const [how, setHow] = useState<'minimum' | 'chosen'>('minimum');
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [seconds, setSeconds] = useState<(typeof SECONDS)[number]>('60');
  const [fault, setFault] = useState<string | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const names = chosen ?? minimum;
  const make = async () => {
    // None would be taken for the minimum: it is refused here instead.
    if (how === 'chosen' && names.length === 0) return setFault(t('lic.show_none'));
    setFault(null);
    setMade(null);
    const asked = Number(seconds);
    const until = Date.now() + asked * 1000;
    const presentation = await act.run(() => send<Presentation>('POST', `${path}/present`, { fields: how === 'chosen' ? names : [], seconds: asked }));
    if (presentation) setMade({ presentation, seconds: asked, until });
  };
  return (
    <section className="card stack" aria-labelledby="present">
      <h2 id="present">{t('lic.show')}</h2>
      <p className="muted small">{t('lic.show_help')}</p>
      {verdict === 'valid' ? null : <p className="stale">{t('lic.show_not_valid')}</p>}
      <FormFault error={act.error} />
      {made ? <Code made={made} path={path} type={type} busy={act.busy} onAgain={() => { void make(); }} onClose={() => setMade(null)} /> : (
        <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); void make(); }}>
          <Choices name="how" legend={t('lic.show_what')} value={how} onChange={setHow} options={[{ value: 'minimum', text: t('lic.show_minimum') }, { value: 'chosen', text: t('lic.show_chosen') }]} />
          {how === 'chosen'
            ? <FieldTicks licence={licence} type={type} chosen={names} onChange={(next) => { setChosen(next); setFault(null); }} legend={t('lic.show_fields')} fault={fault} />
            : type ? <p>{t('lic.show_sees', { fields: minimum.map(words.title).join('、') })}</p> : null}
          <Choices name="seconds" legend={t('lic.show_seconds')} value={seconds} onChange={setSeconds} options={SECONDS.map((s) => ({ value: s, text: t('lic.show_n_seconds', { n: s }) }))} />
          <p><button type="submit" className="button strong wide" disabled={act.busy}>{t('lic.show_make')}</button></p>
        </form>
      )}
    </section>
  );
}
