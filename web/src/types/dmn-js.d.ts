// Types of the little of dmn-js that is used; the package brings none.
declare module 'dmn-js/lib/Modeler' {
  export interface DmnView { id?: string; name?: string; type: string; element: { id: string; name?: string } }
  export default class Modeler {
    constructor(options: Record<string, unknown>);
    importXML(xml: string): Promise<{ warnings: string[] }>;
    saveXML(options?: { format?: boolean }): Promise<{ xml: string }>;
    getViews(): DmnView[];
    getActiveView(): DmnView | undefined;
    open(view: DmnView): Promise<unknown>;
    on(name: string, hear: (event: unknown) => void): void;
    destroy(): void;
  }
}
