// Operator, simulation: what is to be assumed otherwise than it was: workers by role or step, minutes of
// a step, minutes until something else answers. What is left empty stays as it really was.
import { Input } from 'antd';
import type { Simulated } from '../../../api/cases';
import { SimpleTable } from '../../../components/SimpleTable';
import { useI18n, type Key } from '../../../i18n';
import { number } from '../../../lib/format';
import { useRoles } from '../../../lib/roles';
import type { Assumable, Fault, Person, Typed, Waiting } from '../../../lib/simulation';
import { Said } from './SimulationChoice';

interface Props { drawn: Assumable; typed: Typed; faults: Fault[]; last: Simulated | null; onChange: (typed: Typed) => void }

/** A number, or nothing; what is wrong with it below. */
function Amount({ name, label, value, was, faults, onChange }: { name: string; label: string; value: string; was: string; faults: Fault[]; onChange: (text: string) => void }) {
  const { t } = useI18n();
  const id = `sim ${name}`.replace(/[^\w]+/g, '-');
  return (
    <>
      <Input inputMode="decimal" name={name} aria-label={label} value={value} maxLength={16} placeholder={was || t('sim.as_was')} status={faults.length ? 'error' : undefined} aria-invalid={faults.length ? true : undefined} aria-describedby={faults.length ? `${id}-fault` : undefined} style={{ width: '8.5rem' }} onChange={(e) => onChange(e.target.value)} />
      <Said id={`${id}-fault`} faults={faults} />
    </>
  );
}

export function Assumptions({ drawn, typed, faults, last, onChange }: Props) {
  const roleTitle = useRoles();
  const { t } = useI18n();
  const at = (place: string) => faults.filter((f) => f.at === place);
  // How many people a group was, as the last replay counted them.
  const then = (name: string): string => {
    const found = last?.baseline.people.find((p) => p.name === name) ?? null;
    return found ? t('sim.was', { n: number(found.workers, 0) }) : '';
  };
  const took = (node: string): string => {
    const load = last?.by_node.find((n) => n.node === node)?.baseline;
    return load && load.work.count > 0 ? t('sim.was', { n: number(load.work.p50, 0) }) : '';
  };
  const workers = (name: string, label: string) => <Amount name={`capacity/${name}`} label={label} value={typed.workers[name] ?? ''} was={then(name)} faults={at(`/capacity/${name}`)} onChange={(text) => onChange({ ...typed, workers: { ...typed.workers, [name]: text } })} />;
  const minutes = (node: string, label: string) => <Amount name={`service/${node}`} label={label} value={typed.minutes[node] ?? ''} was={took(node)} faults={at(`/service/${node}`)} onChange={(text) => onChange({ ...typed, minutes: { ...typed.minutes, [node]: text } })} />;
  return (
    <section className="card sim" aria-label={t('sim.assume')}>
      <h2>{t('sim.assume')}</h2>
      <p className="muted small">{t('sim.assume_help')}</p>
      {drawn.people.length === 0 && drawn.waits.length === 0 ? <p className="muted">{t('sim.no_steps')}</p> : null}
      {drawn.roles.length ? (
        <SimpleTable<string> caption={t('sim.by_role')} rows={drawn.roles} rowKey={(role) => role} columns={[
          { title: t('sim.role'), cell: (role) => roleTitle(role) },
          { title: t('sim.does'), cell: (role) => drawn.people.filter((p) => p.roles.includes(role)).map((p) => p.name).join('、') },
          { title: t('sim.workers'), cell: (role) => workers(role, t('sim.workers_of', { name: roleTitle(role) })) }]} />
      ) : null}
      {drawn.people.length ? (
        <SimpleTable<Person> caption={t('sim.by_step')} rows={drawn.people} rowKey={(p) => p.node} columns={[
          { title: t('sim.step'), cell: (p) => p.name },
          { title: t('sim.roles'), cell: (p) => (p.roles.length ? p.roles.map(roleTitle).join('、') : '—') },
          { title: t('sim.minutes'), cell: (p) => minutes(p.node, t('sim.minutes_of', { name: p.name })) },
          { title: t('sim.workers_own'), cell: (p) => workers(p.node, t('sim.workers_of', { name: p.name })) }]} />
      ) : null}
      <details open={faults.some((f) => f.at === 'limit' || f.at === 'seed' || drawn.waits.some((w) => f.at === `/service/${w.node}`)) || undefined}>
        <summary>{t('sim.more')}</summary>
        {drawn.waits.length ? (
          <SimpleTable<Waiting> caption={t('sim.by_wait')} rows={drawn.waits} rowKey={(p) => p.node} columns={[
            { title: t('sim.step'), cell: (p) => p.name },
            { title: t('sim.waits_for'), cell: (p) => t(`sim.wait.${p.kind}` as Key) },
            { title: t('sim.minutes_answer'), cell: (p) => minutes(p.node, t('sim.minutes_of', { name: p.name })) }]} />
        ) : null}
        <div className="filters" style={{ marginTop: '.6rem' }}>
          <label>{t('sim.limit')}<Amount name="limit" label={t('sim.limit')} value={typed.limit} was="10,000" faults={at('limit')} onChange={(limit) => onChange({ ...typed, limit })} /></label>
          <label>{t('sim.seed')}<Amount name="seed" label={t('sim.seed')} value={typed.seed} was="0" faults={at('seed')} onChange={(seed) => onChange({ ...typed, seed })} /></label>
        </div>
        <p className="muted small">{t('sim.seed_help')}</p>
      </details>
    </section>
  );
}
