// Account: for whom this session acts, and choosing anew. The server holds the choice and checks it
// at every request; when the tie is over nothing is changed until one has chosen.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { ActingFor as Acting } from '../../api/types';
import { FormFault, SelectField, useAct } from '../../components/Inputs';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';

export function ActingFor() {
  const { t } = useI18n();
  const client = useQueryClient();
  const query = useApi<Acting>('/session/acting-for');
  const [chosen, setChosen] = useState<string | null>(null);
  const act = useAct();
  const submit = async (event: FormEvent, now: string) => {
    event.preventDefault();
    const answer = await act.run(() => send<Acting>('POST', '/session/acting-for', { tie: (chosen ?? now) || null }));
    if (!answer) return;
    setChosen(null);
    client.setQueryData(['/session/acting-for', {}], answer);
    void client.invalidateQueries();
  };
  return (
    <section className="card stack" aria-labelledby="acting-for">
      <h2 id="acting-for">{t('acting.title')}</h2>
      <View query={query}>
        {(d) => (
          <>
            {d.ended ? <p role="alert" className="error-box">{t('acting.ended')}</p> : null}
            {d.now ? <p role="status"><strong>{t('acting.now', { name: d.now.display })}</strong></p> : null}
            {d.options.length === 0 && !d.ended ? <p className="muted">{t('acting.none')}</p> : (
              <form className="stack" onSubmit={(e) => { void submit(e, d.now?.id ?? ''); }}>
                <p className="muted">{t('acting.help')}</p>
                <FormFault error={act.error} />
                <SelectField name="tie" label={t('acting.title')} value={chosen ?? d.now?.id ?? ''} onChange={setChosen} choices={[{ value: '', text: t('acting.self') }, ...d.options.map((o) => ({ value: o.id, text: `${o.display}（${t(`tie.${o.tie}`)}）` }))]} />
                <p><button type="submit" className="button strong" disabled={act.busy}>{t('acting.switch')}</button></p>
              </form>
            )}
          </>
        )}
      </View>
    </section>
  );
}
