// Shell: the few icons of menus, drawn here so that the first page need not load an icon library.
// Names follow Ant Design's; an unknown name gets a plain dot.
const paths: Record<string, string> = {
  home: 'M3 11l9-8 9 8M5 10v10h5v-6h4v6h5V10',
  cloud: 'M7 18h10a4 4 0 0 0 .6-8A6 6 0 0 0 6 9.5 4.3 4.3 0 0 0 7 18z',
  info: 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 11v6M12 7v1',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
  alert: 'M12 3L2 20h20zM12 9v5M12 17v1',
  environment: 'M12 21s7-6.5 7-11.5A7 7 0 0 0 5 9.5C5 14.5 12 21 12 21zM12 7a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5z',
  api: 'M8 8l-4 4 4 4M16 8l4 4-4 4M13 5l-2 14',
  table: 'M3 5h18v14H3zM3 10h18M3 15h18M9 5v14',
  database: 'M12 3c4.4 0 8 1.3 8 3v12c0 1.7-3.6 3-8 3s-8-1.3-8-3V6c0-1.7 3.6-3 8-3zM4 6c0 1.7 3.6 3 8 3s8-1.3 8-3M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  chart: 'M4 4v16h16M7 15l4-5 3 3 5-7',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  heart: 'M3 12h4l2-6 4 12 2-6h6',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4.2 4.2 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4.2 4.2 0 0 0 6 6l1-1',
  stop: 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM6 6l12 12',
  clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 7v5l3 3',
  audit: 'M5 3h11v6M5 3v18h7M8 8h5M8 12h3M16 12a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM19 19l3 3',
  user: 'M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM4 21c0-4 3.5-7 8-7s8 3 8 7',
  key: 'M8 11a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM11 12l8-8M16 7l3 3M13.5 9.5l2 2',
  gauge: 'M4 18a9 9 0 1 1 16 0M12 14l4-5',
  sun: 'M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  moon: 'M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z',
  service: 'M4 4h10l6 6v10H4zM14 4v6h6M8 13l2.5 2.5L16 11',
  inbox: 'M4 5h16v14H4zM4 13h4l2 3h4l2-3h4',
  ticket: 'M4 7h16v4a2 2 0 0 0 0 4v3H4v-3a2 2 0 0 0 0-4zM14 7v11',
  dot: 'M12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6z',
};
const aliases: Record<string, string> = {
  dashboard: 'gauge', 'line-chart': 'chart', 'area-chart': 'chart', 'bar-chart': 'chart', 'file-text': 'file',
  schedule: 'clock', 'clock-circle': 'clock', team: 'user', warning: 'alert', notification: 'bell', 'info-circle': 'info',
  book: 'database', profile: 'file', container: 'database', monitor: 'heart', heartbeat: 'heart', 'close-circle': 'stop',
  'safety-certificate': 'audit', experiment: 'chart', fund: 'chart', compass: 'environment', hdd: 'api', cluster: 'link',
  global: 'environment', read: 'file', aim: 'gauge', trophy: 'gauge', exception: 'stop', solution: 'audit', 'pie-chart': 'chart',
  map: 'environment', indicator: 'gauge', register: 'database', bulletin: 'file', device: 'api', station: 'environment',
  account: 'user', connection: 'link', health: 'heart', job: 'clock', rejected: 'stop', air: 'cloud', analysis: 'chart', alerts: 'bell', devices: 'api', registers: 'database', series: 'chart',
};

export function Icon({ name }: { name: string }) {
  const plain = name.toLowerCase().replace(/(outlined|filled|-o)$/i, '');
  const d = paths[plain] ?? paths[aliases[plain] ?? 'dot'] ?? paths['dot'];
  return (
    <svg className="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round">
      <path d={d} />
    </svg>
  );
}
