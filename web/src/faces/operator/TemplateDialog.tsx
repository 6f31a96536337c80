// Operator, messages: the words of a template, both languages; its fields stand above, in braces.
import { useState } from 'react';
import { Input, Modal } from 'antd';
import { putTemplate, type Template } from '../../api/office';
import { Faults } from '../../components/Faults';
import { useI18n } from '../../i18n';
import type { Words } from '../../i18n/lang';
import { useAttempt } from '../../lib/attempt';

const PARTS = [['title', 'word.title', 120, 1], ['subject', 'office.subject', 120, 1], ['text', 'office.body', 10_000, 5], ['sms', 'messages.sms_text', 500, 3]] as const;

export function TemplateDialog({ template, onClose, onDone }: { template: Template; onClose: () => void; onDone: () => void }) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const [made, setMade] = useState(template);
  const put = (part: (typeof PARTS)[number][0], words: Partial<Words>) => setMade({ ...made, [part]: { ...made[part], ...words } });
  return (
    <Modal open width={760} title={`${t('messages.template')} ${template.name}`} onCancel={onClose} onOk={() => { void attempt(() => putTemplate(made)).then((done) => { if (done) onDone(); }); }} confirmLoading={busy} okText={t('verb.save')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted small">{t('messages.fields', { fields: (template.known.length ? template.known : template.fields).map((f) => `{{${f}}}`).join(' ') || '—' })}</p>
        {PARTS.map(([part, label, most, rows]) => (['zh', 'en'] as const).map((lang) => (
          <label key={`${part}.${lang}`} className="stack">{t(lang === 'zh' ? 'design.zh' : 'design.en', { label: t(label) })}<Input.TextArea autoSize={{ minRows: rows, maxRows: 12 }} maxLength={most} value={made[part][lang]} onChange={(e) => put(part, { [lang]: e.target.value })} /></label>
        )))}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
