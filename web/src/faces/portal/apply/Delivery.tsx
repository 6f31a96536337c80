// Portal, applying: how the result is to come, and where the post takes it.
import type { WantedDelivery } from '../../../api/applications';
import type { DeliveryWay } from '../../../api/items';
import { useI18n } from '../../../i18n';

const EMPTY = { name: '', mobile: '', address: '' };

export function DeliveryFields({ ways, wanted, faults, onChange }: { ways: readonly DeliveryWay[]; wanted: WantedDelivery | null; faults: Record<string, string[]>; onChange: (wanted: WantedDelivery, settled: boolean) => void }) {
  const { t } = useI18n();
  const address = wanted?.address ?? EMPTY;
  const own = faults['delivery'] ?? [];
  const text = (name: keyof typeof EMPTY, complete: string, most: number) => {
    const id = `delivery-${name}`;
    const wrong = faults[id] ?? [];
    return (
      <div className={wrong.length ? 'input form-field faulty' : 'input form-field'}>
        <label htmlFor={id}>{t(`apply.a_${name}`)}</label>
        {wrong.map((f, i) => <p key={i} id={`${id}-fault`} className="error-text">{f}</p>)}
        <input id={id} name={id} value={address[name]} maxLength={most} autoComplete={complete} inputMode={name === 'mobile' ? 'tel' : undefined} aria-invalid={wrong.length ? true : undefined} aria-describedby={wrong.length ? `${id}-fault` : undefined}
          onChange={(e) => onChange({ way: 'post', address: { ...address, [name]: name === 'mobile' ? e.target.value.replace(/[\s-]/g, '') : e.target.value } }, false)} />
      </div>
    );
  };
  return (
    <>
      <fieldset className={own.length ? 'input form-field faulty' : 'input form-field'} aria-describedby={own.length ? 'delivery-fault' : undefined}>
        <legend className="hidden">{t('apply.delivery')}</legend>
        {own.length ? <p id="delivery-fault" className="error-text">{own.join(' ')}</p> : null}
        <div className="pick">
          {ways.map((way, i) => (
            <label key={way} className={wanted?.way === way ? 'chosen' : undefined}>
              <input id={i === 0 ? 'delivery' : `delivery-way-${way}`} type="radio" name="delivery" value={way} checked={wanted?.way === way} onChange={() => onChange(way === 'post' ? { way, address } : { way }, true)} />
              <span>{t(`svc.way_${way}`)}<br /><span className="muted small">{t(`apply.way_${way}_help`)}</span></span>
            </label>
          ))}
        </div>
      </fieldset>
      {wanted?.way === 'post' ? <>{text('name', 'name', 50)}{text('mobile', 'tel', 15)}{text('address', 'street-address', 200)}</> : null}
    </>
  );
}
