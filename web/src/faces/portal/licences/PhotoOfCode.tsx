// Portal: reading a QR code from a photo, where the browser itself can (BarcodeDetector); elsewhere
// this is not there. A photo asks for no right to the camera and leaves this page nowhere.
import { useEffect, useState } from 'react';
import { useI18n } from '../../../i18n';

interface Detector { detect: (image: ImageBitmap) => Promise<{ rawValue: string }[]> }
interface DetectorClass { new (options: { formats: string[] }): Detector; getSupportedFormats: () => Promise<string[]> }

const detectorHere = (): DetectorClass | undefined => (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;

export function PhotoOfCode({ onCode }: { onCode: (text: string) => void }) {
  const { t } = useI18n();
  const [can, setCan] = useState(false);
  const [none, setNone] = useState(false);
  useEffect(() => {
    let here = true;
    void detectorHere()?.getSupportedFormats().then((formats) => { if (here) setCan(formats.includes('qr_code')); }, () => undefined);
    return () => { here = false; };
  }, []);
  const read = async (file: File | undefined) => {
    const Known = detectorHere();
    if (!file || !Known) return;
    setNone(false);
    try {
      const image = await createImageBitmap(file);
      const [found] = await new Known({ formats: ['qr_code'] }).detect(image);
      image.close();
      if (found?.rawValue) return onCode(found.rawValue);
    } catch {
      // No picture, or one the browser cannot read: said below like a picture without a code.
    }
    setNone(true);
  };
  if (!can) return null;
  return (
    <div className="input">
      <label htmlFor="photo">{t('verify.photo')}</label>
      {none ? <p role="alert" className="error-text">{t('verify.photo_none')}</p> : null}
      <input id="photo" type="file" accept="image/*" capture="environment" onChange={(e) => { void read(e.target.files?.[0]); e.target.value = ''; }} />
    </div>
  );
}
