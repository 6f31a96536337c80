// Data: one record: what it says now, its form, its history, and ending it with a reason.
import { useState } from 'react';
import { App, Button, Input, Modal } from 'antd';
import { useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import { useRegister } from '../../api/registers';
import type { RecordVersion } from '../../api/types';
import { fieldText } from '../../components/fields';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { RecordForm } from '../../components/RecordForm';
import RecordHistory from '../../components/RecordHistory';
import { TabNav } from '../../components/TabNav';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { csv, saveFile } from '../../lib/csv';
import { useDistrictName } from '../../lib/places';
import { useAt, useFilters } from '../../lib/at';
import { clock, dateTimeSeconds } from '../../lib/time';
import { useSession } from '../../shell/session';

export default function RecordPage() {
  const { register: name = '', key = '' } = useParams();
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const { at } = useAt();
  const { message } = App.useApp();
  const client = useQueryClient();
  const filters = useFilters();
  const tab = filters.get('tab') || 'record';
  const [reason, setReason] = useState('');
  const [ending, setEnding] = useState(false);
  const [endReason, setEndReason] = useState('');
  const path = `/registers/${name}/${encodeURIComponent(key)}`;
  const query = useApi<RecordVersion>(path, { valid_at: at });
  const { register } = useRegister(name);
  const districtName = useDistrictName();
  const writable = may('write', `register.${name}`);

  const end = async () => {
    if (!endReason.trim()) return;
    try {
      await send('DELETE', `${path}?reason=${encodeURIComponent(endReason.trim())}`);
      void message.success(t('data.ended'));
      setEnding(false);
      void client.invalidateQueries();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error(e.say(lang));
    }
  };

  return (
    <View query={query}>
      {(r) => {
        const title = String(r.fields['name'] ?? r.fields['title'] ?? r.key);
        return (
          <>
            {r.hidden ? <p role="note">{t('access.hidden_note')}</p> : null}
            <PageHead title={title} back={{ to: `/data/registers/${name}`, text: register ? w(register.title) : name }} sub={`${t('data.version', { n: r.version })} · ${t('data.recorded', { time: dateTimeSeconds(r.recorded_at), who: r.by })}`}>
              <Button danger disabled={!writable || r.valid_to !== null} onClick={() => setEnding(true)}>{t('data.end_record')}</Button>
            </PageHead>
            <TabNav label={title} now={tab} items={[
              { key: 'record', title: t('data.record'), to: '?tab=record' },
              ...(writable ? [{ key: 'edit', title: t('data.edit_record'), to: '?tab=edit' }] : []),
              { key: 'history', title: t('data.history'), to: '?tab=history' },
            ]} />
            {tab === 'record' ? (
              <section className="card">
                <dl className="facts">{(register?.fields ?? []).map((f) => [<dt key={`${f.name} t`}>{f.title[lang]}</dt>, <dd key={f.name}>{f.name === 'district' && r.fields[f.name] ? `${districtName(r.fields[f.name])} (${String(r.fields[f.name])})` : fieldText(f, r.fields[f.name], lang)}</dd>])}</dl>
                <p className="muted small" style={{ marginTop: 12 }}>{t('data.valid', { from: dateTimeSeconds(r.valid_from), to: r.valid_to ? dateTimeSeconds(r.valid_to) : t('data.now') })}</p>
              </section>
            ) : null}
            {tab === 'edit' && register && writable ? (
              <section className="card" style={{ maxWidth: 640 }}>
                <RecordForm key={r.version} register={register} initial={r.fields} fixed={[register.key]} submitText={t('verb.save')}
                  onSubmit={async (fields) => {
                    await send('PUT', path, { fields, reason: reason || undefined }, { ifMatch: r.version });
                    void message.success(t('data.saved', { time: clock(Date.now()) }));
                    setReason('');
                    filters.set({ tab: null });
                    void client.invalidateQueries();
                  }}>
                  <label className="stack" style={{ marginBottom: 16 }}>{t('data.reason')}<Input value={reason} onChange={(e) => setReason(e.target.value)} /></label>
                </RecordForm>
              </section>
            ) : null}
            {tab === 'history' ? <RecordHistory register={name} recordKey={key} here /> : null}
            <Modal open={ending} title={t('data.end_record')} onCancel={() => setEnding(false)} onOk={() => { void end(); }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} okButtonProps={{ danger: true, disabled: !endReason.trim() }}>
              <p>{t('data.end_help')}</p>
              <label className="stack">{t('word.reason')}<Input.TextArea rows={3} value={endReason} onChange={(e) => setEndReason(e.target.value)} /></label>
            </Modal>
            <Provenance asOf={at ?? query.dataUpdatedAt} source={`${register?.owner ?? ''} · register.${name}`} path={path} params={{ valid_at: at }} downloads={register ? [{ text: 'CSV', save: () => saveFile(`${name}-${key}.csv`, csv(register.fields.map((f) => f.name), [register.fields.map((f) => r.fields[f.name])])) }] : undefined} />
          </>
        );
      }}
    </View>
  );
}
