// API: answers of the reports of systems/environment, /api/v1/environment/<name>.
import type { Device, LevelCounts, RecordVersion } from './types';
import type { Words } from '../i18n/lang';

/** Some reports may name things in one or both languages. */
export type Text = Words | string;

export interface AqiLevel { number: number; title: Text; colour: string; advice?: Text }
export interface AirStation {
  station: string; name: Text; district: string | null; place: [number, number] | null;
  aqi: number | null; level: AqiLevel | null; primary: string[];
  concentrations: Record<string, { value: number | null; unit: string; iaqi: number | null; title?: Text }>;
  period_start: string | null; reason?: Text | null;
}
export interface CityAir { aqi: number | null; level: AqiLevel | null; primary?: string[]; reason?: Text | null }
export interface Air { at: string; edition: string; items: AirStation[]; city: CityAir | null }
export interface AirHistory { items: { time: string; aqi: number | null; primary: string[] }[] }

export type StationState = 'online' | 'offline' | 'exceeding' | 'alert' | 'quarantined' | 'stopped';
export interface MapStation {
  station: string; name: Text; kind: string; district: string | null; enterprise: string | null;
  place: [number, number] | null; state: StationState; level: string | number | AqiLevel | null; aqi: number | null;
  headline: { property: string; title: Text; value: number | null; unit: string } | null;
  last_received: string | null;
}
export interface StationMap { at: string; items: MapStation[] }

export interface Vital { value: number | null; unit?: string; target?: number | null; trend?: [number, number | null][] }
export type VitalFigure = number | null | Vital;
export interface Vitals {
  stations: VitalFigure; online: VitalFigure; offline: VitalFigure; exceeding: VitalFigure;
  open_alerts: LevelCounts | VitalFigure; transmission_rate: VitalFigure; validity_rate: VitalFigure;
  aqi_city: VitalFigure; values_today: VitalFigure; frames_today: VitalFigure;
  values_total?: VitalFigure; frames_total?: VitalFigure; online_rate?: VitalFigure;
  trend?: Record<string, [number, number | null][]>; at?: string;
}

export interface StationProperty {
  property: string; title: Text; unit: string; kind: string;
  latest?: { time: string; value: number; flag: string } | null;
  time?: string | null; value?: number | null; flag?: string | null;
  limit: number | null; ratio: number | null; digits?: number;
}
/** Rates are per cent. */
export interface Station {
  state?: StationState;
  record: RecordVersion; outlet?: RecordVersion | null; enterprise?: RecordVersion | null; device?: Device | null;
  limits: { property: string; title?: Text; unit?: string; limit: number; source: Text }[];
  properties: StationProperty[];
  rates: { transmission: number | null; validity: number | null; online: number | null };
  conditions: { production: Text | number | boolean | null; treatment: Text | number | boolean | null } | null;
}
export interface Exceedance {
  station: string; name: Text; property: string; title?: Text; unit?: string; period_start: string; mean: number;
  limit: number; ratio: number; valid_share: number | null; source: Text;
}
export interface Exceedances { items: Exceedance[]; valid_rule: Text }
/** Rates are per cent. */
export interface Rate {
  key: string; title: Text; expected: number; received: number; valid: number;
  transmission_rate: number | null; validity_rate: number | null; online_rate: number | null;
}
export interface Suspect {
  station: string; name?: Text; other: string | null; other_name?: Text; property: string; title?: Text;
  from: string; to: string; count: number; reason: Text;
}
export interface WorkingCondition {
  station: string; name?: Text; from: string; to: string | null; production: Text | number | boolean | null;
  treatment: Text | number | boolean | null; finding: Text;
}
export interface Emission { key: string; title: Text; property: string; property_title?: Text; total: number; unit: string; hours: number }
export interface Energy { enterprise: string; title: Text; electricity_kwh: number | null; coal_t: number | null }
