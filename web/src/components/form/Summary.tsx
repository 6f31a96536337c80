// Form: the summary of faults on top of a page: it takes the focus when it appears, and every line
// leads to its field.
import { useEffect, useRef } from 'react';
import { useI18n } from '../../i18n';

/** A fault of the page; `to` is the identification of the control, none for a fault of the whole. */
export interface Fault { text: string; to: string | null; title?: string; onGo?: () => void }

/** Moves to a control of this page. */
export function goTo(id: string): void {
  const control = document.getElementById(id);
  if (!control) return;
  control.scrollIntoView({ block: 'center' });
  control.focus();
}

export function Summary({ faults, help, round }: { faults: readonly Fault[]; help?: string; /** Grows with every attempt: the focus comes back. */ round: number }) {
  const { t } = useI18n();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    box.current.scrollIntoView({ block: 'start' });
    box.current.focus();
  }, [round]);
  if (faults.length === 0) return null;
  return (
    <div ref={box} className="error-box fault-summary" role="alert" tabIndex={-1} aria-labelledby="fault-summary">
      <h2 id="fault-summary">{t('form.summary', { n: faults.length })}</h2>
      {help ? <p>{help}</p> : null}
      <ul>
        {faults.map((f, i) => (
          <li key={i}>
            {f.to || f.onGo ? <a href={f.to ? `#${f.to}` : '#main'} onClick={(e) => { e.preventDefault(); if (f.onGo) f.onGo(); else if (f.to) goTo(f.to); }}>{f.title ? `${f.title}: ` : ''}{f.text}</a> : <>{f.title ? `${f.title}: ` : ''}{f.text}</>}
          </li>
        ))}
      </ul>
    </div>
  );
}
