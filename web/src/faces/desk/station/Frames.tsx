// Desk, station: the frames last received, as they came and as they were understood.
import { useState } from 'react';
import { Segmented } from 'antd';
import { useApi } from '../../../api/hooks';
import type { Frame, List } from '../../../api/types';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { dateTimeSeconds } from '../../../lib/time';

type Look = 'raw' | 'decoded';

export function FrameItem({ frame, look }: { frame: Frame; look: Look }) {
  const { t } = useI18n();
  const decoded = look === 'decoded' && frame.decoded;
  return (
    <li>
      <p className="row small"><strong>{dateTimeSeconds(frame.at)}</strong><span className="muted">#{frame.seq} · {frame.peer}{frame.thing ? ` · ${frame.thing}` : ''}</span>
        <span className={frame.rejected ? 'over' : 'muted'}>{frame.rejected ? t('frames.rejected', { reason: frame.rejected }) : t('frames.accepted')}</span></p>
      <pre className="frame-raw" tabIndex={0}>{decoded ? JSON.stringify(frame.decoded, null, 2) : frame.raw}</pre>
    </li>
  );
}

export default function Frames({ thing }: { thing: string }) {
  const { t } = useI18n();
  const [look, setLook] = useState<Look>('raw');
  const frames = useApi<List<Frame>>(`/devices/${encodeURIComponent(thing)}/frames`, { limit: 50 }, { every: 10_000, keep: true });
  return (
    <section className="card">
      <div className="row"><Segmented value={look} aria-label={t('station.tab_frames')} options={[{ value: 'raw', label: t('frames.raw') }, { value: 'decoded', label: t('frames.decoded') }]} onChange={(v) => setLook(v as Look)} /><span className="muted">{t('frames.caption')}</span></div>
      <View query={frames} empty={(d) => d.items.length === 0} emptyText={t('frames.empty')}>
        {(d) => <ol style={{ listStyle: 'none', padding: 0 }}>{d.items.map((f) => <FrameItem key={f.seq} frame={f} look={look} />)}</ol>}
      </View>
    </section>
  );
}
