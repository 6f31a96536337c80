// Desk, alerts: the words an act needs before it is done: to whom, why, what is said.
import { useState } from 'react';
import { Button, Input, Modal } from 'antd';
import type { AlertVerb } from '../../../api/types';
import { useI18n } from '../../../i18n';
import { useSession } from '../../../shell/session';

export type VerbName = AlertVerb['do'];

export function VerbDialog({ verb, onClose, onDone }: { verb: VerbName | null; onClose: () => void; onDone: (verb: AlertVerb) => Promise<void> }) {
  const { t } = useI18n();
  const { session } = useSession();
  const [text, setText] = useState('');
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  if (!verb || verb === 'acknowledge') return null;
  const label = verb === 'assign' ? t('alerts.assign_to') : verb === 'close' ? t('alerts.reason') : t('alerts.comment_text');
  const finish = async () => {
    const said = text.trim();
    setMissing(!said);
    if (!said) return;
    setBusy(true);
    try {
      await onDone(verb === 'assign' ? { do: 'assign', to: said } : verb === 'close' ? { do: 'close', reason: said } : { do: 'comment', text: said });
      setText('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal open title={t(`alerts.${verb}`)} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden>
      <label className="stack">{label}
        {verb === 'assign'
          ? <Input autoFocus value={text} onChange={(e) => setText(e.target.value)} status={missing ? 'error' : undefined} onPressEnter={() => { void finish(); }} />
          : <Input.TextArea autoFocus rows={4} value={text} onChange={(e) => setText(e.target.value)} status={missing ? 'error' : undefined} />}
      </label>
      {verb === 'assign' && session ? <Button type="link" onClick={() => setText(session.account)}>{t('alerts.assign_me')}</Button> : null}
      {verb === 'close' ? <p className="muted small">{t('alerts.reason_help')}</p> : null}
      {missing ? <p className="error-text" role="alert">{t('alerts.need_text')}</p> : null}
    </Modal>
  );
}
