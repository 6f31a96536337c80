// Operator: a decision tried out with an input of one's own, kept nowhere.
import { useState } from 'react';
import { Button, Input, Select } from 'antd';
import { send } from '../../../api/client';
import type { Data, Json } from '../../../api/cases';
import type { ModelShape, Outcome as Made } from '../../../api/decisions';
import { Faults } from '../../../components/Faults';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { readJson } from '../../../lib/cases';
import { Outcome } from './Outcome';

/** An input with a value for each name the model knows. */
export function sample(shape: ModelShape): string {
  const value = (type: string): Json => (/number/i.test(type) ? 0 : /bool/i.test(type) ? false : /string/i.test(type) ? '' : null);
  return JSON.stringify(Object.fromEntries(shape.inputs.map((input) => [input.name, value(input.type_name)])), null, 2);
}

export function TryOut({ shape, xml }: { shape: ModelShape; xml: () => Promise<string> }) {
  const { t } = useI18n();
  const names = [...shape.decisions.map((d) => d.name), ...shape.services];
  const [decision, setDecision] = useState(names[names.length - 1] ?? '');
  const [text, setText] = useState(() => sample(shape));
  const [wrong, setWrong] = useState<{ what: Key; fill?: Record<string, string> } | null>(null);
  const [made, setMade] = useState<{ outcome: Made; xml: string } | null>(null);
  const { error, busy, attempt } = useAttempt();
  const run = async () => {
    const read = readJson(text);
    const fault = 'what' in read ? read : read.value === null || typeof read.value !== 'object' || Array.isArray(read.value) ? { what: 'dec.need_object' as const } : null;
    setWrong(fault);
    if (fault || !('value' in read)) return;
    const source = await xml();
    await attempt(async () => setMade({ outcome: await send<Made>('POST', '/decisions/try', { xml: source, decision, input: read.value as Data }), xml: source }));
  };
  return (
    <div className="stack">
      <label className="stack">{t('dec.decision')}<Select aria-label={t('dec.decision')} value={decision || undefined} onChange={setDecision} options={names.map((name) => ({ value: name, label: name }))} /></label>
      <label className="stack">{t('dec.input')}<Input.TextArea name="input" className="xml-text" autoSize={{ minRows: 4, maxRows: 16 }} spellCheck={false} value={text} status={wrong ? 'error' : undefined} aria-invalid={wrong ? true : undefined} onChange={(e) => setText(e.target.value)} /></label>
      {wrong ? <p className="error-text" role="alert">{t(wrong.what, wrong.fill)}</p> : null}
      <div><Button type="primary" loading={busy} disabled={!decision} onClick={() => { void run(); }}>{t('dec.run')}</Button></div>
      <Faults error={error} />
      {made && !error ? <Outcome outcome={made.outcome} xml={made.xml} /> : null}
    </div>
  );
}
