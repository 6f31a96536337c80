// Desk, office: an act that needs a reason.
import { useState } from 'react';
import { Input, Modal } from 'antd';
import { Faults } from '../../../components/Faults';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';

export function ReasonDialog({ title, onClose, onReason }: { title: string; onClose: () => void; onReason: (reason: string) => Promise<void> }) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const finish = async () => {
    setMissing(!reason.trim());
    if (reason.trim() && (await attempt(() => onReason(reason.trim())))) onClose();
  };
  return (
    <Modal open title={title} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okButtonProps={{ danger: true }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <label className="stack">{t('word.reason')}<Input.TextArea rows={3} maxLength={500} value={reason} status={missing ? 'error' : undefined} onChange={(e) => setReason(e.target.value)} /></label>
        {missing ? <p className="error-text" role="alert">{t('task.need_reason')}</p> : null}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
