// API: office: mail, notices, circulated documents and calendar, as sent (kernel::office), and the
// message centre of the operator (kernel::messages). Every address of the office stands here.
import type { FileLine } from './applications';
import { address, send, upload } from './client';
import type { Words } from '../i18n/lang';

export type Addressee = { account: string } | { position: string } | { organisation: string };
export const FOLDERS = ['inbox', 'unread', 'sent'] as const;
export type Folder = (typeof FOLDERS)[number];
export interface NewMail { to: Addressee[]; subject: string; body: string; files: string[]; reply_to?: string | null; forward_of?: string | null }
export interface OfficeMail {
  id: string; thread: string; from: string; from_name: string; to: Addressee[]; to_names: string[]; subject: string; body: string; files: string[]; attachments: FileLine[]; at: string;
  reply_to: string | null; forward_of: string | null; read_at: string | null; recalled_at: string | null; sent_to: number; read_by: number;
}
export interface ReadReceipt { account: string; name: string; read_at: string | null }
export interface Recalled { taken_back: number; kept_by: string[] }

export type Audience = 'public' | 'members' | { organisations: string[] };
export const NOTICE_LISTS = ['mine', 'unread', 'published'] as const;
export interface NewNotice { title: string; body: string; files: string[]; audience: Audience; from?: string | null; to?: string | null; pinned: boolean; confirm: boolean }
export interface Notice {
  id: string; title: string; body: string; files: string[]; attachments: FileLine[]; audience: Audience; from: string; to: string | null; pinned: boolean; confirm: boolean;
  organisation: string | null; by: string | null; at: string; withdrawn_at: string | null; read_at: string | null; confirmed_at: string | null;
}

export const CIRCULAR_LISTS = ['todo', 'done', 'sent'] as const;
export type Round = 'ordered' | 'parallel';
export interface NewCirculation { title: string; body: string; files: string[]; round: Round; readers: string[]; countersign: boolean; due?: string | null }
export type ReaderState = 'waiting' | 'open' | 'received' | 'done';
export interface Reader {
  account: string; name: string; place: number; state: ReaderState; came_at: string | null; received_at: string | null; done_at: string | null;
  agrees: boolean | null; opinion: string; urged_at: string | null;
}
export interface Circulation {
  id: string; title: string; body: string; files: string[]; attachments: FileLine[]; round: Round; countersign: boolean; from: string; from_name: string; at: string;
  due: string | null; state: 'running' | 'finished' | 'withdrawn'; ended_at: string | null; done: number; of: number; readers: Reader[]; version: number;
}

export interface NewEntry { title: string; place: string; note: string; all_day: boolean; from: string; to: string; attendees: string[]; shared: boolean; remind_min?: number | null }
export interface Entry extends Omit<NewEntry, 'attendees'> {
  id: string; owner: string; owner_name: string; organisation: string | null; cancelled_at: string | null; version: number;
  attendees: { account: string; name: string; answer: 'asked' | 'accepted' | 'declined' }[];
}
export interface Waiting { mails: number; notices: number; circulations: number }

export const MESSAGE_STATES = ['queued', 'sending', 'sent', 'failed', 'given_up'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];
export const MESSAGE_CHANNELS = ['sms', 'email', 'inbox'] as const;
export interface MessageRow {
  id: string; channel: (typeof MESSAGE_CHANNELS)[number]; to: string; template: string; about: string; state: MessageState; attempts: number;
  maybe_repeated: boolean; reason: Words | null; at: string; next_at: string | null; done_at: string | null; by: string;
}
export interface MessageCounts { states: Partial<Record<MessageState, number>>; sms_ready: boolean; email_ready: boolean }
export interface NewTemplate { name: string; title: Words; subject: Words; text: Words; sms: Words }
export interface Template extends NewTemplate { fields: string[]; known: string[]; version: number; at: string; by: string }

const part = encodeURIComponent;
export const paths = {
  waiting: '/office/waiting',
  mail: '/office/mail', oneMail: (id: string) => `/office/mail/${part(id)}`, thread: (id: string) => `/office/mail/${part(id)}/thread`, mailReceipts: (id: string) => `/office/mail/${part(id)}/receipts`,
  notices: '/office/notices', notice: (id: string) => `/office/notices/${part(id)}`, noticeReaders: (id: string) => `/office/notices/${part(id)}/readers`,
  circulars: '/office/circulars', circular: (id: string) => `/office/circulars/${part(id)}`,
  calendar: '/office/calendar', entry: (id: string) => `/office/calendar/${part(id)}`,
  publicNotices: '/notices', publicNotice: (id: string) => `/notices/${part(id)}`,
  messages: '/outgoing', messageCounts: '/outgoing/counts', message: (id: string) => `/outgoing/${part(id)}`, templates: '/message-templates',
} as const;

/** Keeps a file that goes out with what is written next; tells how far it got, 0 to 1. */
export const uploadOfficeFile = (file: File, onShare: (share: number) => void): Promise<FileLine> => upload<FileLine>('/office/files', { name: file.name }, file, onShare);
/** Address of an attached file, for whoever sees what it is attached to. */
export const officeFileAddress = (file: string): string => address(`/office/files/${part(file)}`);
/** Address of a file attached to a notice to the public. */
export const publicFileAddress = (notice: string) => (file: string): string => address(`/notices/${part(notice)}/files/${part(file)}`);
export const sendMail = (mail: NewMail): Promise<OfficeMail> => send<OfficeMail>('POST', paths.mail, mail);
export const recallMail = (id: string): Promise<Recalled> => send<Recalled>('POST', `${paths.oneMail(id)}/recall`);
export const publishNotice = (notice: NewNotice): Promise<Notice> => send<Notice>('POST', paths.notices, notice);
export const confirmNotice = (id: string): Promise<Notice> => send<Notice>('POST', `${paths.notice(id)}/confirm`);
export const withdrawNotice = (id: string, reason: string): Promise<Notice> => send<Notice>('POST', `${paths.notice(id)}/withdraw`, { reason });
export const circulate = (circular: NewCirculation): Promise<Circulation> => send<Circulation>('POST', paths.circulars, circular);
export const signCircular = (id: string, opinion: { agrees?: boolean; opinion: string }): Promise<Circulation> => send<Circulation>('POST', `${paths.circular(id)}/sign`, opinion);
export const urgeCircular = (id: string): Promise<{ urged: number }> => send<{ urged: number }>('POST', `${paths.circular(id)}/urge`);
export const withdrawCircular = (id: string, reason: string): Promise<Circulation> => send<Circulation>('POST', `${paths.circular(id)}/withdraw`, { reason });
export const addEntry = (entry: NewEntry): Promise<Entry> => send<Entry>('POST', paths.calendar, entry);
export const changeEntry = (of: Entry, entry: NewEntry): Promise<Entry> => send<Entry>('PUT', paths.entry(of.id), entry, { ifMatch: of.version });
export const cancelEntry = (id: string): Promise<Entry> => send<Entry>('POST', `${paths.entry(id)}/cancel`);
export const answerEntry = (id: string, comes: boolean): Promise<Entry> => send<Entry>('POST', `${paths.entry(id)}/answer`, { comes });
export const retryMessage = (id: string): Promise<MessageRow> => send<MessageRow>('POST', `${paths.message(id)}/retry`);
export const giveUpMessage = (id: string, reason: string): Promise<MessageRow> => send<MessageRow>('POST', `${paths.message(id)}/give-up`, { reason });
export const putTemplate = ({ name, title, subject, text, sms, version }: Template): Promise<Template> => send<Template>('PUT', paths.templates, { name, title, subject, text, sms } satisfies NewTemplate, { ifMatch: version });
