// Desk, on behalf: how the result comes, and where to when by post.
import type { Address, WantedDelivery } from '../../../api/applications';
import type { DeliveryWay } from '../../../api/items';
import { TextField } from '../../../components/Inputs';
import { useI18n } from '../../../i18n';

export function DeliveryFields({ ways, value, onChange }: { ways: readonly DeliveryWay[]; value: WantedDelivery | null; onChange: (value: WantedDelivery) => void }) {
  const { t } = useI18n();
  const address: Address = value?.address ?? { name: '', mobile: '', address: '' };
  const put = (part: Partial<Address>) => onChange({ way: 'post', address: { ...address, ...part } });
  return (
    <>
      <fieldset className="checks">
        <legend className="hidden">{t('counter.delivery')}</legend>
        {ways.map((way) => <label key={way}><input type="radio" name="delivery" value={way} checked={value?.way === way} onChange={() => onChange(way === 'post' ? { way, address } : { way })} />{t(`desk_delivery.${way}`)}</label>)}
      </fieldset>
      {value?.way === 'post' ? (
        <>
          <TextField name="post_name" label={t('counter.post_name')} value={address.name} autoComplete="off" maxLength={60} onChange={(e) => put({ name: e.target.value })} />
          <TextField name="post_mobile" label={t('counter.post_mobile')} type="tel" value={address.mobile} autoComplete="off" maxLength={20} onChange={(e) => put({ mobile: e.target.value })} />
          <TextField name="post_address" label={t('counter.post_address')} value={address.address} autoComplete="off" maxLength={200} onChange={(e) => put({ address: e.target.value })} />
        </>
      ) : null}
    </>
  );
}
