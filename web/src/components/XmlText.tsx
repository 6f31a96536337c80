// Component: the XML of a file as text, and the way to a line of it.
import { useEffect, useRef } from 'react';
import { Input } from 'antd';
import type { TextAreaRef } from 'antd/es/input/TextArea';

export function XmlText({ label, value, onChange, line }: { label: string; value: string; onChange: (xml: string) => void; line?: { n: number } | null }) {
  const area = useRef<TextAreaRef>(null);
  useEffect(() => {
    const box = area.current?.resizableTextArea?.textArea;
    if (!box || !line) return;
    const lines = box.value.split('\n');
    const from = lines.slice(0, line.n - 1).reduce((sum, l) => sum + l.length + 1, 0);
    box.focus();
    box.setSelectionRange(from, from + (lines[line.n - 1]?.length ?? 0));
    box.scrollTop = Math.max(0, (box.scrollHeight / lines.length) * (line.n - 4));
  }, [line]);
  return <Input.TextArea ref={area} className="xml-text" aria-label={label} rows={22} spellCheck={false} value={value} onChange={(e) => onChange(e.target.value)} />;
}

const MOST = 2 * 1024 * 1024;
/** The text of a chosen file; null when it is too large. */
export async function fileText(file: File): Promise<string | null> {
  return file.size > MOST ? null : file.text();
}
