// Routes: which page answers at which address. Every face is a chunk of its own; maps, charts and
// Ant Design come only with the rooms that need them.
import { lazy, Suspense, type ReactNode } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { Shell } from './shell/Shell';
import { Skeleton } from './components/Skeleton';
import { NotFound } from './shell/NotFound';
import { Home } from './faces/portal/Home';

const AntTheme = lazy(() => import('./theme/antd'));
const Account = lazy(() => import('./faces/account/Account'));
const SignIn = lazy(() => import('./shell/SignIn'));
const AirPage = lazy(() => import('./faces/portal/Air'));
const About = lazy(() => import('./faces/portal/About'));
const Register = lazy(() => import('./faces/portal/Register'));
const Recover = lazy(() => import('./faces/portal/Recover'));
const Me = lazy(() => import('./faces/portal/me/Me'));
const Phone = lazy(() => import('./faces/portal/me/Phone'));
const Identity = lazy(() => import('./faces/portal/me/Identity'));
const NewAgent = lazy(() => import('./faces/portal/me/NewAgent'));
const NewWard = lazy(() => import('./faces/portal/me/NewWard'));
const Rights = lazy(() => import('./faces/portal/me/Rights'));
const Wallet = lazy(() => import('./faces/portal/licences/Wallet'));
const WalletLicence = lazy(() => import('./faces/portal/licences/WalletLicence'));
const Verify = lazy(() => import('./faces/portal/licences/Verify'));
const Licences = lazy(() => import('./faces/desk/licences/Licences'));
const LicenceDetail = lazy(() => import('./faces/desk/licences/LicenceDetail'));
const IssueLicence = lazy(() => import('./faces/desk/licences/Issue'));
const WalletRequests = lazy(() => import('./faces/desk/licences/Requests'));
const IssueMany = lazy(() => import('./faces/desk/licences/IssueMany'));
const Parties = lazy(() => import('./faces/desk/parties/Parties'));
const PartyPage = lazy(() => import('./faces/desk/parties/PartyPage'));
const Services = lazy(() => import('./faces/portal/services/Services'));
const ServicePage = lazy(() => import('./faces/portal/services/ServicePage'));
const Guide = lazy(() => import('./faces/portal/services/Guide'));
const Apply = lazy(() => import('./faces/portal/apply/Apply'));
const MyMatters = lazy(() => import('./faces/portal/applications/Mine'));
const ApplicationPage = lazy(() => import('./faces/portal/applications/ApplicationPage'));
const Visits = lazy(() => import('./faces/portal/visits/Visits'));
const Board = lazy(() => import('./faces/portal/visits/Board'));
const Terminal = lazy(() => import('./faces/portal/visits/Terminal'));
const Messages = lazy(() => import('./faces/portal/Messages'));
const PublicNotices = lazy(() => import('./faces/portal/PublicNotices'));
const DeskMessages = lazy(() => import('./faces/portal/Messages').then((m) => ({ default: m.DeskMessages })));
const Letter = lazy(() => import('./faces/portal/Letter'));
const Progress = lazy(() => import('./faces/portal/Progress'));
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
const SetAside = lazy(() => import('./faces/operator/SetAside'));
const Backups = lazy(() => import('./faces/operator/Backups'));
const Audit = lazy(() => import('./faces/operator/Audit'));
const Access = lazy(() => import('./faces/operator/Access'));
const Grants = lazy(() => import('./faces/operator/Grants'));
const BreakGlass = lazy(() => import('./faces/desk/BreakGlass'));
const Meters = lazy(() => import('./faces/operator/Meters'));
const Posture = lazy(() => import('./faces/operator/Posture'));
const Keys = lazy(() => import('./faces/operator/Keys'));
const MyData = lazy(() => import('./faces/portal/MyData'));
const DataQuestions = lazy(() => import('./faces/desk/DataQuestions'));
const Accounts = lazy(() => import('./faces/operator/Accounts'));
const Applications = lazy(() => import('./faces/operator/Applications'));
const Providers = lazy(() => import('./faces/operator/Providers'));
const Consent = lazy(() => import('./faces/consent/Consent'));
const SignOut = lazy(() => import('./faces/consent/SignOut'));
const SignedOut = lazy(() => import('./faces/consent/SignOut').then((m) => ({ default: m.SignedOut })));
const Organisations = lazy(() => import('./faces/operator/Organisations'));
const Member = lazy(() => import('./faces/operator/Member'));
const Directory = lazy(() => import('./faces/desk/Directory'));
const Tasks = lazy(() => import('./faces/desk/cases/Tasks'));
const TaskPage = lazy(() => import('./faces/desk/cases/TaskPage'));
const Cases = lazy(() => import('./faces/desk/cases/Cases'));
const CasePage = lazy(() => import('./faces/desk/cases/CasePage'));
const Processes = lazy(() => import('./faces/operator/processes/Processes'));
const Simulation = lazy(() => import('./faces/operator/processes/Simulation'));
const Decisions = lazy(() => import('./faces/operator/processes/Decisions'));
const Calendar = lazy(() => import('./faces/operator/processes/Calendar'));
const Intake = lazy(() => import('./faces/desk/intake/Intake'));
const Matter = lazy(() => import('./faces/desk/intake/Matter'));
const ApplyFor = lazy(() => import('./faces/desk/apply/ApplyFor'));
const ItemList = lazy(() => import('./faces/desk/items/ItemList'));
const ItemDesigner = lazy(() => import('./faces/desk/items/ItemDesigner'));
const ServiceFigures = lazy(() => import('./faces/services/ServiceFigures'));
const WindowPage = lazy(() => import('./faces/desk/window/Window'));
const OfficeMail = lazy(() => import('./faces/desk/office/Mail'));
const OfficeNotices = lazy(() => import('./faces/desk/office/Notices'));
const OfficeCirculars = lazy(() => import('./faces/desk/office/Circulars'));
const OfficeCalendar = lazy(() => import('./faces/desk/office/OfficeCalendar'));
const OutgoingMessages = lazy(() => import('./faces/operator/Messages'));
const Delegations = lazy(() => import('./faces/account/Delegations'));

/** A page that uses Ant Design. */
function rich(page: ReactNode) {
  return (
    <Suspense fallback={<Skeleton />}>
      <AntTheme>{page}</AntTheme>
    </Suspense>
  );
}

/** A page that needs no library. */
function plain(page: ReactNode) {
  return <Suspense fallback={<Skeleton />}>{page}</Suspense>;
}

export function App() {
  return (
    <Routes>
      <Route path="board/:hall" element={plain(<Board />)} />
      <Route path="terminal/:hall" element={plain(<Terminal />)} />
      <Route element={<Shell />}>
        <Route index element={<Navigate to="/portal" replace />} />
        <Route path="portal" element={<Home />} />
        <Route path="portal/air" element={<Suspense fallback={<Skeleton />}><AirPage /></Suspense>} />
        <Route path="portal/register" element={plain(<Register />)} />
        <Route path="portal/recover" element={plain(<Recover />)} />
        <Route path="portal/me" element={plain(<Me />)} />
        <Route path="portal/me/phone" element={plain(<Phone />)} />
        <Route path="portal/me/identity" element={plain(<Identity />)} />
        <Route path="portal/me/agents/new" element={plain(<NewAgent />)} />
        <Route path="portal/me/wards/new" element={plain(<NewWard />)} />
        <Route path="portal/me/rights" element={plain(<Rights />)} />
        <Route path="portal/licences" element={plain(<Wallet />)} />
        <Route path="portal/licences/:identifier" element={plain(<WalletLicence />)} />
        <Route path="services" element={plain(<Services />)} />
        <Route path="services/:item" element={plain(<ServicePage />)} />
        <Route path="services/:item/guide" element={plain(<Guide />)} />
        <Route path="apply/:draft" element={plain(<Apply />)} />
        <Route path="portal/applications" element={plain(<MyMatters />)} />
        <Route path="portal/applications/:id" element={plain(<ApplicationPage />)} />
        <Route path="progress" element={plain(<Progress />)} />
        <Route path="portal/visits" element={plain(<Visits />)} />
        <Route path="portal/messages" element={plain(<Messages />)} />
        <Route path="portal/notices" element={rich(<PublicNotices />)} />
        <Route path="portal/notices/:id" element={rich(<PublicNotices />)} />
        <Route path="verify/letter" element={plain(<Letter />)} />
        <Route path="verify" element={plain(<Verify />)} />
        <Route path="desk/licences" element={plain(<Licences />)} />
        <Route path="desk/licences/new" element={plain(<IssueLicence />)} />
        <Route path="desk/licences/batch" element={plain(<IssueMany />)} />
        <Route path="desk/presentations" element={plain(<WalletRequests />)} />
        <Route path="desk/presentations/:id" element={plain(<WalletRequests />)} />
        <Route path="desk/licences/:identifier" element={plain(<LicenceDetail />)} />
        <Route path="desk/parties" element={plain(<Parties />)} />
        <Route path="desk/parties/:id" element={plain(<PartyPage />)} />
        <Route path="portal/my-data" element={<Suspense fallback={<Skeleton />}><MyData /></Suspense>} />
        <Route path="about" element={<Suspense fallback={<Skeleton />}><About /></Suspense>} />
        <Route path="sign-in" element={<Suspense fallback={<Skeleton />}><SignIn /></Suspense>} />
        <Route path="account" element={<Suspense fallback={<Skeleton />}><Account /></Suspense>} />
        <Route path="command" element={rich(<Command />)} />
        <Route path="desk" element={<Navigate to="/desk/alerts" replace />} />
        <Route path="desk/stations" element={rich(<Stations />)} />
        <Route path="desk/stations/:station" element={rich(<Station />)} />
        <Route path="desk/stations/:station/:tab" element={rich(<Station />)} />
        <Route path="desk/alerts" element={rich(<Alerts />)} />
        <Route path="desk/alerts/:id" element={rich(<AlertPage />)} />
        <Route path="desk/devices" element={rich(<Devices />)} />
        <Route path="desk/bulletin" element={rich(<Bulletin />)} />
        <Route path="desk/data-questions" element={rich(<DataQuestions />)} />
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
        <Route path="operator/set-aside" element={rich(<SetAside />)} />
        <Route path="operator/backups" element={rich(<Backups />)} />
        <Route path="operator/audit" element={rich(<Audit />)} />
        <Route path="operator/access" element={rich(<Access />)} />
        <Route path="operator/grants" element={rich(<Grants />)} />
        <Route path="desk/break-glass" element={rich(<BreakGlass />)} />
        <Route path="operator/meters" element={rich(<Meters />)} />
        <Route path="operator/posture" element={rich(<Posture />)} />
        <Route path="operator/keys" element={rich(<Keys />)} />
        <Route path="operator/accounts" element={rich(<Accounts />)} />
        <Route path="operator/applications" element={rich(<Applications />)} />
        <Route path="operator/providers" element={rich(<Providers />)} />
        <Route path="consent" element={<Suspense fallback={<Skeleton />}><Consent /></Suspense>} />
        <Route path="sign-out" element={<Suspense fallback={<Skeleton />}><SignOut /></Suspense>} />
        <Route path="signed-out" element={<Suspense fallback={<Skeleton />}><SignedOut /></Suspense>} />
        <Route path="operator/organisations" element={rich(<Organisations />)} />
        <Route path="operator/organisations/:code" element={rich(<Organisations />)} />
        <Route path="operator/members/:account" element={rich(<Member />)} />
        <Route path="desk/directory" element={rich(<Directory />)} />
        <Route path="desk/tasks" element={rich(<Tasks />)} />
        <Route path="desk/tasks/:id" element={rich(<TaskPage />)} />
        <Route path="desk/cases" element={rich(<Cases />)} />
        <Route path="desk/cases/:id" element={rich(<CasePage />)} />
        <Route path="operator/processes" element={rich(<Processes />)} />
        <Route path="operator/processes/simulation" element={rich(<Simulation />)} />
        <Route path="operator/decisions" element={rich(<Decisions />)} />
        <Route path="operator/calendar" element={rich(<Calendar />)} />
        <Route path="desk/intake" element={rich(<Intake />)} />
        <Route path="desk/applications/:id" element={rich(<Matter />)} />
        <Route path="desk/apply" element={rich(<ApplyFor />)} />
        <Route path="desk/items" element={rich(<ItemList />)} />
        <Route path="desk/items/:item" element={rich(<ItemDesigner />)} />
        <Route path="desk/service-figures" element={plain(<ServiceFigures />)} />
        <Route path="services/figures" element={plain(<ServiceFigures />)} />
        <Route path="desk/window" element={rich(<WindowPage />)} />
        <Route path="desk/office/mail" element={rich(<OfficeMail />)} />
        <Route path="desk/office/mail/:id" element={rich(<OfficeMail />)} />
        <Route path="desk/office/messages" element={plain(<DeskMessages />)} />
        <Route path="desk/office/notices" element={rich(<OfficeNotices />)} />
        <Route path="desk/office/notices/:id" element={rich(<OfficeNotices />)} />
        <Route path="desk/office/circulars" element={rich(<OfficeCirculars />)} />
        <Route path="desk/office/circulars/:id" element={rich(<OfficeCirculars />)} />
        <Route path="desk/office/calendar" element={rich(<OfficeCalendar />)} />
        <Route path="desk/office/directory" element={<Navigate to="/desk/directory" replace />} />
        <Route path="operator/messages" element={rich(<OutgoingMessages />)} />
        <Route path="account/delegations" element={rich(<Delegations />)} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
