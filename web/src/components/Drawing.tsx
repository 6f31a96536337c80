// Component: a BPMN drawing (bpmn-js, a chunk of its own): where a case was, where it is, where it is
// stuck, by shape and colour; the same as a list for those who do not see it. The watermark of
// bpmn.io in the corner must stay visible (its licence).
import { useEffect, useMemo, useRef, useState } from 'react';
import { Button } from 'antd';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import type { Marked } from '../api/cases';
import { useI18n } from '../i18n';
import { isDrawn, stepsOf } from '../lib/bpmn';
import { useTheme } from '../theme/theme';
import '../faces/desk/cases/cases.css';

interface Canvas { zoom: (to?: 'fit-viewport' | number, centre?: 'auto') => number; addMarker: (id: string, marker: string) => void; resized: () => void }
interface Overlays { add: (id: string, overlay: { position: { top: number; left: number }; html: HTMLElement }) => void }
interface Elements { get: (id: string) => unknown }

type Look = 'passed' | 'current' | 'stuck';
const BADGES: Record<Look, string> = { passed: '✓', current: '▶', stuck: '!' };

/** How each node stands; where it is now goes before where it was. */
export function looksOf(passed: readonly string[], marks: readonly Marked[]): Map<string, Look> {
  const looks = new Map<string, Look>(passed.map((node) => [node, 'passed']));
  for (const mark of marks) if (looks.get(mark.node) !== 'stuck') looks.set(mark.node, mark.stuck ? 'stuck' : 'current');
  return looks;
}

export default function Drawing({ xml, passed = [], marks = [], tall }: { xml: string; passed?: readonly string[]; marks?: readonly Marked[]; tall?: boolean }) {
  const { t, w } = useI18n();
  const { palette } = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const viewer = useRef<NavigatedViewer | null>(null);
  const [error, setError] = useState<string | null>(null);
  const looks = useMemo(() => looksOf(passed, marks), [passed, marks]);
  const steps = useMemo(() => stepsOf(xml), [xml]);
  const drawn = isDrawn(xml);

  useEffect(() => {
    if (!box.current || !drawn) return undefined;
    const made = new NavigatedViewer({
      container: box.current,
      // The wheel belongs to the page; the buttons below and dragging move the drawing.
      zoomScroll: { enabled: false },
      bpmnRenderer: { defaultFillColor: palette.surface, defaultStrokeColor: palette.text, defaultLabelColor: palette.text },
    } as ConstructorParameters<typeof NavigatedViewer>[0]);
    viewer.current = made;
    let gone = false;
    setError(null);
    made.importXML(xml).then(() => {
      if (gone) return;
      const canvas = made.get<Canvas>('canvas');
      const overlays = made.get<Overlays>('overlays');
      const elements = made.get<Elements>('elementRegistry');
      for (const [node, look] of looks) {
        if (!elements.get(node)) continue;
        canvas.addMarker(node, `node-${look}`);
        const badge = document.createElement('span');
        badge.className = `node-badge ${look}`;
        badge.textContent = BADGES[look];
        badge.setAttribute('aria-hidden', 'true');
        overlays.add(node, { position: { top: -11, left: -11 }, html: badge });
      }
      canvas.zoom('fit-viewport', 'auto');
    }).catch((e: unknown) => { if (!gone) setError(e instanceof Error ? e.message : String(e)); });
    return () => { gone = true; viewer.current = null; made.destroy(); };
  }, [xml, looks, drawn, palette]);

  const zoom = (by: number | null) => {
    const canvas = viewer.current?.get<Canvas>('canvas');
    if (!canvas) return;
    if (by === null) canvas.zoom('fit-viewport', 'auto');
    else canvas.zoom(Math.min(4, Math.max(0.2, canvas.zoom() * by)), 'auto');
  };
  const marked = looks.size > 0;
  const stuck = marks.flatMap((m) => (m.stuck ? [{ node: m.node, words: m.stuck }] : []));
  return (
    <div>
      {marked ? (
        <ul className="drawing-key" aria-label={t('drawing.legend')}>
          {(['passed', 'current', 'stuck'] as const).map((look) => <li key={look}><span className={`node-badge ${look}`} aria-hidden="true">{BADGES[look]}</span>{t(`drawing.${look}`)}</li>)}
        </ul>
      ) : null}
      {drawn && !error ? (
        <>
          <div ref={box} className={tall ? 'drawing tall' : 'drawing'} role="region" aria-label={t('drawing.region')} />
          <div className="row no-print" style={{ marginTop: 6 }}>
            <Button size="small" onClick={() => zoom(1.25)}>{t('drawing.bigger')}</Button>
            <Button size="small" onClick={() => zoom(0.8)}>{t('drawing.smaller')}</Button>
            <Button size="small" onClick={() => zoom(null)}>{t('drawing.fit')}</Button>
          </div>
        </>
      ) : <p className="muted" role="status">{error ? t('drawing.failed', { why: error }) : t('drawing.none')}</p>}
      {stuck.map((s) => <p key={s.node} className="error-box"><code>{s.node}</code> {w(s.words)}</p>)}
      <details open={!drawn}>
        <summary>{t('drawing.steps')}</summary>
        <ul>{steps.map((s) => { const look = looks.get(s.id); return <li key={s.id}>{s.name}{marked ? <span className="muted"> · {look ? `${BADGES[look]} ${t(`drawing.${look}`)}` : t('drawing.not_yet')}</span> : null}</li>; })}</ul>
      </details>
    </div>
  );
}
