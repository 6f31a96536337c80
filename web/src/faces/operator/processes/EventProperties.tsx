// Operator: what a timer or a condition of a drawing waits for, beside the drawing.
import { useState } from 'react';
import { Input, Select } from 'antd';
import { useI18n } from '../../../i18n';
import { TIMINGS, type Timing } from './properties';

export function EventProperties({ now, put }: { now: { kind: Timing | 'condition'; text: string }; put: (kind: Timing | 'condition', text: string) => void }) {
  const { t } = useI18n();
  const [kind, setKind] = useState(now.kind);
  const [text, setText] = useState(now.text);
  const keep = () => { if (kind !== now.kind || text.trim() !== now.text) put(kind, text); };
  const field = (label: string, help?: string) => (
    <label className="stack">{label}
      <Input name={kind} value={text} aria-describedby={help ? 'event-help' : undefined} onChange={(e) => setText(e.target.value)} onBlur={keep} onPressEnter={(e) => e.currentTarget.blur()} />
      {help ? <span id="event-help" className="muted small">{help}</span> : null}
    </label>
  );
  if (kind === 'condition') return field(t('proc.p.event_condition'));
  return (
    <>
      <label className="stack">{t('proc.p.timer_kind')}
        <Select<Timing> value={kind} onChange={(next) => { setKind(next); if (text.trim()) put(next, text); }} options={TIMINGS.map((timing) => ({ value: timing, label: t(`proc.timer.${timing}`) }))} />
      </label>
      {field(t('proc.p.timer'), t(`proc.timer.${kind}_help`))}
    </>
  );
}
