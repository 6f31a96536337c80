// Library: names of the forms the tasks of a process ask for (`jicheng:form`), read from its XML.

/** Each once, in the order of the file. */
export const formsOf = (xml: string): string[] => [...new Set([...xml.matchAll(/\bjicheng:form\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map((m) => (m[1] ?? m[2] ?? '').trim()).filter(Boolean))];
