// Portal: a licence as a signed file (SD-JWT VC) with the content its holder chooses.
import { useState } from 'react';
import { send } from '../../../api/client';
import type { Licence, LicenceType } from '../../../api/licences';
import { FormFault, useAct } from '../../../components/Inputs';
import { FieldTicks } from '../../../components/Licence';
import { useI18n } from '../../../i18n';
import { saveFile } from '../../../lib/csv';
import { HOLDER_NAME } from '../../../lib/licences';

export function OfflineFile({ licence, type, path }: { licence: Licence; type: LicenceType | undefined; path: string }) {
  const { t } = useI18n();
  const act = useAct();
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [saved, setSaved] = useState<string | null>(null);
  const names = chosen ?? type?.minimum ?? [HOLDER_NAME];
  const make = async () => {
    setSaved(null);
    // None would be taken for everything: it is refused here instead.
    if (names.length === 0) return setFault(t('lic.file_none'));
    setFault(null);
    const answer = await act.run(() => send<{ document: string }>('POST', `${path}/document`, { fields: names }));
    if (!answer) return;
    const name = `${licence.identifier}.sd-jwt`;
    saveFile(name, answer.document, 'application/dc+sd-jwt');
    setSaved(name);
  };
  return (
    <details className="card" data-part="file">
      <summary><strong>{t('lic.file')}</strong></summary>
      <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); void make(); }}>
        <p className="muted small">{t('lic.file_help')}</p>
        <FormFault error={act.error} />
        <FieldTicks licence={licence} type={type} chosen={names} onChange={(next) => { setChosen(next); setFault(null); }} legend={t('lic.show_fields')} fault={fault} />
        <p><button type="submit" className="button strong" disabled={act.busy}>{t('lic.file_get')}</button></p>
        {saved ? <p role="status" className="confirmed licence-code">{t('lic.file_got', { name: saved })}</p> : null}
      </form>
    </details>
  );
}
