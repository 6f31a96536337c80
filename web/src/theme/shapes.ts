// Theme: outlines of the marks, so that no meaning hangs on colour alone. One path per shape in a
// 20 × 20 box, used by page marks (SVG) and by map icons (canvas).
import type { Shape } from './palette';

export const shapePaths: Record<Shape, string> = {
  circle: 'M10 2a8 8 0 1 1 0 16a8 8 0 1 1 0-16z',
  ring: 'M10 2a8 8 0 1 1 0 16a8 8 0 1 1 0-16zM10 6a4 4 0 1 0 0 8a4 4 0 1 0 0-8z',
  diamond: 'M10 1l9 9l-9 9l-9-9z',
  triangle: 'M10 2l9 16h-18z',
  square: 'M3 3h14v14h-14z',
  octagon: 'M6 1h8l5 5v8l-5 5h-8l-5-5v-8z',
  cross: 'M7 1h6v6h6v6h-6v6h-6v-6h-6v-6h6z',
  pentagon: 'M10 1l9 7l-3.5 11h-11l-3.5-11z',
};
