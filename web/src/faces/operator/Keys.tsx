// Operator: the rings of keys, their versions and age; a new version, the end of an old one, each
// with a reason. Nothing secret comes here.
import { useState } from 'react';
import { App, Button, Input, Modal } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { number } from '../../lib/format';
import { dateTime } from '../../lib/time';

type Rings = components['schemas']['KeyRings'];
type Ring = Rings['rings'][number];
type Version = components['schemas']['KeyVersion'];
type Act = { do: 'rotate'; ring: Ring['ring'] } | { do: 'retire'; ring: Ring['ring']; key: string };

export default function Keys() {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const query = useApi<Rings>('/operator/keys', undefined, { keep: true });
  const session = useApi<components['schemas']['Session']>('/session');
  const may = (session.data?.may ?? []).some((m) => m['do'] === 'operate' && m['on'] === 'keys');
  const [act, setAct] = useState<Act | null>(null);
  const [reason, setReason] = useState('');
  const [error, setError] = useState<string | null>(null);
  const close = () => { setAct(null); setReason(''); setError(null); };
  const go = async () => {
    if (!act) return;
    if (!reason.trim()) { setError(t('keys.need_reason')); return; }
    const path = act.do === 'rotate' ? `/operator/keys/${act.ring}/rotate` : `/operator/keys/${act.ring}/${encodeURIComponent(act.key)}/retire`;
    try {
      await send('POST', path, { reason });
      void message.success(t('operator.done'));
      close();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/keys'] });
  };
  const age = (key: Version, now: string) => {
    const days = Math.floor((Date.parse(now) - Date.parse(key.created_at)) / 86_400_000);
    return `${dateTime(key.created_at)}${days > 0 ? ` · ${t('keys.days', { n: number(days, 0) })}` : ''}`;
  };
  const state = (key: Version) => key.current ? t('keys.current') : key.retired_at ? t('keys.retired', { time: dateTime(key.retired_at) }) : t('keys.old');
  return (
    <>
      <PageHead title={t('keys.title')} />
      <View query={query}>
        {(d) => (
          <>
            <section className="card">
              <p>{t('keys.help')}</p>
              <p>{t('keys.suite')}：<strong>{t(`keys.suite.${d.suite}`)}</strong> · {t('keys.master')}：<code>{d.master.id}</code></p>
              <p className="small muted">{t('keys.escrow_help')}</p>
            </section>
            {d.rings.map((ring) => (
              <section className="card" key={ring.ring}>
                <div className="row spread">
                  <h2>{t(`keys.ring.${ring.ring}`)} <code>{ring.ring}</code></h2>
                  <span className="row">
                    <a href={`/api/v1/operator/keys/${ring.ring}/public`} download={`${ring.ring}.pub.json`}>{t('keys.public')}</a>
                    {may ? <Button aria-label={`${t('keys.rotate')} ${ring.ring}`} onClick={() => setAct({ do: 'rotate', ring: ring.ring })}>{t('keys.rotate')}</Button> : null}
                  </span>
                </div>
                <SimpleTable<Version> quiet caption={t('keys.caption', { ring: t(`keys.ring.${ring.ring}`) })} rows={ring.keys} rowKey={(k) => k.id} columns={[
                  { title: t('keys.version'), cell: (k) => number(k.version, 0) },
                  { title: t('keys.id'), cell: (k) => <code>{k.id}</code> },
                  { title: t('keys.algorithm'), cell: (k) => `${k.algorithm} / ${k.cipher}` },
                  { title: t('keys.age'), cell: (k) => age(k, d.now) },
                  { title: t('word.state'), cell: state },
                  { title: t('keys.reason'), cell: (k) => k.reason },
                  { title: t('keys.retire'), cell: (k) => may && !k.current && !k.retired_at ? <Button size="small" danger aria-label={`${t('keys.retire')} ${k.id}`} onClick={() => setAct({ do: 'retire', ring: ring.ring, key: k.id })}>{t('keys.retire')}</Button> : '—' }]} />
              </section>
            ))}
          </>
        )}
      </View>
      <Modal open={act !== null} onCancel={close} onOk={() => { void go(); }} destroyOnHidden okText={act?.do === 'retire' ? t('keys.retire') : t('keys.rotate')} cancelText={t('verb.cancel')} okButtonProps={{ danger: act?.do === 'retire' }} closable={{ 'aria-label': t('verb.close_dialog') }}
        title={act?.do === 'retire' ? t('keys.retire_title', { key: act.key }) : act ? t('keys.rotate_title', { ring: t(`keys.ring.${act.ring}`) }) : ''}>
        <p>{act?.do === 'retire' ? t('keys.retire_help') : t('keys.rotate_help')}</p>
        <label>{t('keys.reason')}<Input.TextArea rows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} /></label>
        {error ? <p className="error-box" role="alert">{error}</p> : null}
      </Modal>
      <Provenance asOf={query.dataUpdatedAt} source="crypto" path="/operator/keys" />
    </>
  );
}
