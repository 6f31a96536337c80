// Routes: which page answers at which address. Every face is a chunk of its own; maps, charts and
// Ant Design come only with the rooms that need them.
import { lazy, Suspense, type ReactNode } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { Shell } from './shell/Shell';
import { Skeleton } from './components/Skeleton';
import { NotFound } from './shell/NotFound';
import { Home } from './faces/portal/Home';

const AntTheme = lazy(() => import('./theme/antd'));
const SignIn = lazy(() => import('./shell/SignIn'));
const AirPage = lazy(() => import('./faces/portal/Air'));
const About = lazy(() => import('./faces/portal/About'));
const Command = lazy(() => import('./faces/command/Command'));
const Stations = lazy(() => import('./faces/desk/Stations'));
const Station = lazy(() => import('./faces/desk/Station'));
const Alerts = lazy(() => import('./faces/desk/Alerts'));
const AlertPage = lazy(() => import('./faces/desk/AlertPage'));
const Devices = lazy(() => import('./faces/desk/Devices'));
const Bulletin = lazy(() => import('./faces/desk/Bulletin'));
const Analysis = lazy(() => import('./faces/desk/Analysis'));
const Registers = lazy(() => import('./faces/data/Registers'));
const RegisterPage = lazy(() => import('./faces/data/RegisterPage'));
const RecordPage = lazy(() => import('./faces/data/RecordPage'));
const Series = lazy(() => import('./faces/data/Series'));
const Indicators = lazy(() => import('./faces/data/Indicators'));
const Health = lazy(() => import('./faces/operator/Health'));
const Connections = lazy(() => import('./faces/operator/Connections'));
const Rejected = lazy(() => import('./faces/operator/Rejected'));
const Jobs = lazy(() => import('./faces/operator/Jobs'));
const Audit = lazy(() => import('./faces/operator/Audit'));
const Accounts = lazy(() => import('./faces/operator/Accounts'));
const Organisations = lazy(() => import('./faces/operator/Organisations'));
const Member = lazy(() => import('./faces/operator/Member'));
const Directory = lazy(() => import('./faces/desk/Directory'));
const Delegations = lazy(() => import('./faces/account/Delegations'));

/** A page that uses Ant Design. */
function rich(page: ReactNode) {
  return (
    <Suspense fallback={<Skeleton />}>
      <AntTheme>{page}</AntTheme>
    </Suspense>
  );
}

export function App() {
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<Navigate to="/portal" replace />} />
        <Route path="portal" element={<Home />} />
        <Route path="portal/air" element={<Suspense fallback={<Skeleton />}><AirPage /></Suspense>} />
        <Route path="about" element={<Suspense fallback={<Skeleton />}><About /></Suspense>} />
        <Route path="sign-in" element={<Suspense fallback={<Skeleton />}><SignIn /></Suspense>} />
        <Route path="command" element={rich(<Command />)} />
        <Route path="desk" element={<Navigate to="/desk/alerts" replace />} />
        <Route path="desk/stations" element={rich(<Stations />)} />
        <Route path="desk/stations/:station" element={rich(<Station />)} />
        <Route path="desk/stations/:station/:tab" element={rich(<Station />)} />
        <Route path="desk/alerts" element={rich(<Alerts />)} />
        <Route path="desk/alerts/:id" element={rich(<AlertPage />)} />
        <Route path="desk/devices" element={rich(<Devices />)} />
        <Route path="desk/bulletin" element={rich(<Bulletin />)} />
        <Route path="desk/analysis" element={<Navigate to="/desk/analysis/exceedances" replace />} />
        <Route path="desk/analysis/:tab" element={rich(<Analysis />)} />
        <Route path="data" element={<Navigate to="/data/registers" replace />} />
        <Route path="data/registers" element={rich(<Registers />)} />
        <Route path="data/registers/:register" element={rich(<RegisterPage />)} />
        <Route path="data/registers/:register/:key" element={rich(<RecordPage />)} />
        <Route path="data/series" element={rich(<Series />)} />
        <Route path="data/indicators" element={rich(<Indicators />)} />
        <Route path="operator" element={<Navigate to="/operator/health" replace />} />
        <Route path="operator/health" element={rich(<Health />)} />
        <Route path="operator/connections" element={rich(<Connections />)} />
        <Route path="operator/rejected" element={rich(<Rejected />)} />
        <Route path="operator/jobs" element={rich(<Jobs />)} />
        <Route path="operator/audit" element={rich(<Audit />)} />
        <Route path="operator/accounts" element={rich(<Accounts />)} />
        <Route path="operator/organisations" element={rich(<Organisations />)} />
        <Route path="operator/organisations/:code" element={rich(<Organisations />)} />
        <Route path="operator/members/:account" element={rich(<Member />)} />
        <Route path="desk/directory" element={rich(<Directory />)} />
        <Route path="account/delegations" element={rich(<Delegations />)} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
