// Theme: the one palette for pages, charts and maps, light and dark. Colours carry only national
// meanings (AQI classes, warning levels); everything normal is grey.
import type { Level } from '../api/types';
import type { StationState } from '../api/environment';

export type Mode = 'light' | 'dark';
export type Shape = 'circle' | 'diamond' | 'triangle' | 'square' | 'octagon' | 'cross' | 'ring' | 'pentagon';

export interface Palette {
  page: string; surface: string; raised: string; text: string; muted: string; line: string; accent: string;
  grid: string; district: string; districtLine: string; series: string[];
}

export const palettes: Record<Mode, Palette> = {
  light: {
    page: '#f4f6f8', surface: '#ffffff', raised: '#eef2f6', text: '#16202b', muted: '#4d5b69', line: '#ccd5dd',
    accent: '#0b5cad', grid: '#e3e9ee', district: '#e9eef2', districtLine: '#98a6b3',
    series: ['#0b5cad', '#7a4a00', '#116149', '#7d2b8b', '#8a1c34', '#3d5a6c'],
  },
  dark: {
    page: '#0d141b', surface: '#141d26', raised: '#1c2833', text: '#e6edf3', muted: '#a3b1bf', line: '#33424f',
    accent: '#62b0f5', grid: '#24313c', district: '#18232d', districtLine: '#46586a',
    series: ['#62b0f5', '#e0b062', '#5fd0a5', '#d08ae0', '#f08a9c', '#9fb8c9'],
  },
};

/** Warning levels: fill, the text colour readable on it, shape. */
export const levels: Record<Level, { fill: string; ink: string; shape: Shape }> = {
  blue: { fill: '#1f6fd6', ink: '#ffffff', shape: 'circle' },
  yellow: { fill: '#ffd400', ink: '#1b1b00', shape: 'diamond' },
  orange: { fill: '#ff8a1f', ink: '#1f0f00', shape: 'triangle' },
  red: { fill: '#c81e1e', ink: '#ffffff', shape: 'octagon' },
};
export const LEVELS: readonly Level[] = ['red', 'orange', 'yellow', 'blue'];

/** AQI classes of HJ 633 by number 1–6: the standard's colours, readable text, shape. */
export const aqiClasses: readonly { fill: string; ink: string; shape: Shape }[] = [
  { fill: 'rgb(0,228,0)', ink: '#00210a', shape: 'circle' },
  { fill: 'rgb(255,255,0)', ink: '#1f1f00', shape: 'ring' },
  { fill: 'rgb(255,126,0)', ink: '#1f0f00', shape: 'diamond' },
  { fill: 'rgb(255,0,0)', ink: '#000000', shape: 'triangle' },
  { fill: 'rgb(153,0,76)', ink: '#ffffff', shape: 'square' },
  { fill: 'rgb(126,0,35)', ink: '#ffffff', shape: 'octagon' },
];

/** Class 1–6 of an index; 0 when there is none. */
export function aqiClass(aqi: number | null | undefined): number {
  if (aqi === null || aqi === undefined || !Number.isFinite(aqi)) return 0;
  const tops = [50, 100, 150, 200, 300];
  const found = tops.findIndex((top) => aqi <= top);
  return found === -1 ? 6 : found + 1;
}

/** Station states on maps and in lists. */
export const stationStates: Record<StationState, { light: string; dark: string; shape: Shape }> = {
  online: { light: '#52616e', dark: '#8fa0b0', shape: 'circle' },
  offline: { light: '#52616e', dark: '#8fa0b0', shape: 'ring' },
  stopped: { light: '#52616e', dark: '#8fa0b0', shape: 'square' },
  quarantined: { light: '#0b5cad', dark: '#62b0f5', shape: 'cross' },
  exceeding: { light: '#b34700', dark: '#ff8a1f', shape: 'triangle' },
  alert: { light: '#c81e1e', dark: '#ff5d5d', shape: 'octagon' },
};
export const STATES: readonly StationState[] = ['alert', 'exceeding', 'quarantined', 'offline', 'stopped', 'online'];
