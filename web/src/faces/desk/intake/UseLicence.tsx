// Desk: the licence that answers a material, used for the application in hand: which content, for
// the purpose that is the application's, and what was found under its watermark. Every use is
// written down and shown to its holder, which is said before.
import { useState } from 'react';
import { Button, Modal } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { useLicenceTypes, type Verification } from '../../../api/licences';
import { FormFault, useAct } from '../../../components/Inputs';
import { TypeTicks } from '../../../components/Licence';
import { Verified } from '../../../components/Verified';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useSession } from '../../../shell/session';
import '../../../components/licences.css';

/** An application an office works on. */
export interface InHand { number: string; title: string }
interface Props { of: InHand; material: string; identifier: string }

export function UseLicence({ of, material, identifier }: Props) {
  const { t } = useI18n();
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  if (!may('read', 'licences')) return null;
  return (
    <>
      <Button size="small" aria-label={t('use.open_of', { title: material })} onClick={() => setOpen(true)}>{t('use.open')}</Button>
      {open ? <Dialog of={of} material={material} identifier={identifier} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function Dialog({ of, material, identifier, onClose }: Props & { onClose: () => void }) {
  const { t } = useI18n();
  const act = useAct();
  const client = useQueryClient();
  const { types, query } = useLicenceTypes();
  const type = [...types.values()].find((known) => identifier.includes(`.${known.code}.`));
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [found, setFound] = useState<Verification | null>(null);
  const fields = chosen ?? type?.minimum ?? [];
  const use = async () => {
    // None would be taken for the minimum: it is refused here instead.
    if (fields.length === 0) return setFault(t('use.none'));
    setFault(null);
    const answer = await act.run(() => send<Verification>('POST', `/licences/${encodeURIComponent(identifier)}/consult`, { matter: of.number, fields }));
    if (!answer) return;
    setFound(answer);
    void client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/licences/') });
  };
  const footer = found
    ? [<Button key="again" onClick={() => setFound(null)}>{t('use.again')}</Button>, <Button key="close" type="primary" onClick={onClose}>{t('verb.close_dialog')}</Button>]
    : [<Button key="close" onClick={onClose}>{t('verb.cancel')}</Button>, <Button key="go" type="primary" disabled={!type} loading={act.busy} onClick={() => { void use(); }}>{t('use.go')}</Button>];
  return (
    <Modal open width="min(42rem, 96vw)" title={t('use.open_of', { title: material })} onCancel={onClose} closable={{ 'aria-label': t('verb.close_dialog') }} footer={footer}>
      <div className="stack" data-use={found?.verdict ?? 'asking'}>
        <dl className="facts">
          <dt>{t('lic.identifier')}</dt><dd><code className="licence-code">{identifier}</code></dd>
          <dt>{t('use.purpose')}</dt><dd>{t('use.purpose_is', { title: of.title, matter: of.number })}</dd>
        </dl>
        {found ? <><p role="status" className="confirmed">{t('use.done')}</p><Verified answer={found} shown={t('use.shown')} /></> : (
          <>
            <p className="muted small">{t('use.help')}</p>
            <FormFault error={act.error} />
            <View query={query}>{() => (type ? <TypeTicks type={type} chosen={fields} onChange={(next) => { setChosen(next); setFault(null); }} legend={t('use.fields')} fault={fault} /> : <p className="stale">{t('lic.desk_no_types')}</p>)}</View>
          </>
        )}
      </div>
    </Modal>
  );
}
