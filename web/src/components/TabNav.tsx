// Component: the tabs of a page as a row of links: each is an address, the keyboard and screen
// readers know links, and on a phone the row scrolls.
import { NavLink } from 'react-router';

export function TabNav({ label, items, now }: { label: string; now: string; items: { key: string; title: string; to: string }[] }) {
  return (
    <nav className="tabs" aria-label={label}>
      {items.map((i) => <NavLink key={i.key} to={i.to} className={i.key === now ? 'tab now' : 'tab'} aria-current={i.key === now ? 'page' : undefined}>{i.title}</NavLink>)}
    </nav>
  );
}
