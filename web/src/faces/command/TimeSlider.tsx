// Command: a slider over the past 24 hours in steps of ten minutes; its right end is now. A native
// range input: arrow keys work, screen readers read the time.
import { useEffect, useState } from 'react';
import { useI18n } from '../../i18n';
import { useAt } from '../../lib/at';
import { useNow } from '../../lib/now';
import { DAY_MS, dateTime, MINUTE_MS, ms, rfc3339 } from '../../lib/time';

const STEP_MS = 10 * MINUTE_MS;
const STEPS = DAY_MS / STEP_MS;
const PAUSE_MS = 250;

export function TimeSlider() {
  const { t } = useI18n();
  const { at, setAt } = useAt();
  const now = useNow();
  const right = Math.floor(now / STEP_MS) * STEP_MS;
  const fromAddress = at ? Math.max(0, Math.min(STEPS, Math.round((ms(at) - (right - DAY_MS)) / STEP_MS))) : STEPS;
  const [held, setHeld] = useState<number | null>(null);
  const position = held ?? fromAddress;
  useEffect(() => {
    if (held === null) return undefined;
    // Dragging asks once it rests, not at every pixel.
    const timer = setTimeout(() => {
      setAt(held >= STEPS ? null : rfc3339(right - DAY_MS + held * STEP_MS));
      setHeld(null);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [held, right, setAt]);
  const text = position >= STEPS ? t('command.slider_now') : dateTime(right - DAY_MS + position * STEP_MS);
  return (
    <div className="slider">
      <label htmlFor="past">{t('command.slider')}</label>
      <input id="past" type="range" min={0} max={STEPS} step={1} value={position} aria-valuetext={text} title={t('command.slider_hint')} onChange={(e) => setHeld(Number(e.target.value))} />
      <output htmlFor="past">{text}</output>
    </div>
  );
}
