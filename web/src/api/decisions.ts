// API: shapes of decisions, as sent (kernel::decisions).
import type { Data, Json } from './cases';

export interface ModelVersion { model: string; version: number; title: string; digest: string; note: string; published_at: string; published_by: string }
export interface DecisionShape { name: string; question?: string | null; type_name: string; logic: string; asks: string[]; inputs: string[] }
export interface ModelShape { title: string; decisions: DecisionShape[]; services: string[]; inputs: { name: string; type_name: string }[] }
export interface ModelXml { version: ModelVersion; xml: string; shape: ModelShape }
export interface MatchedRule { row: number; id?: string; conditions: string[]; outputs: Json[]; annotations?: [string, string][]; counted: boolean }
export interface TableReading {
  name: string; hit_policy: string; inputs: { label: string; expression: string; value: Json }[]; outputs: string[];
  matched: MatchedRule[]; rules: number; by_default?: boolean;
}
export interface Explained { decision: string; value: Json; why_null?: string | null; tables?: TableReading[] }
export interface Outcome { model: string; version: number; decision: string; input: Data; result: Json; why_null?: string | null; explanation: Explained[]; id?: string }
export interface Keeping { purpose: string; basis: string; case: string | null; person: string | null }
export interface Evaluation { id: string; at: string; account: string; keeping: Keeping; outcome: Outcome }
