// What the center's answers look like, as far as the desk reads them.

export interface Place { lon: number; lat: number; grid?: string | null; address?: string | null }
export interface Step { at: string; change: string; by: string; note?: string }
export interface Words { text_zh?: string; text_en?: string; zh?: string; en?: string; text?: string }
export interface Candidate {
  worker: string; name?: string; distance_m: number; travel_s: number; position_age_s?: number | null; load: number;
  skilled: boolean; in_grid: boolean; note?: string; note_zh?: string; offers?: number; way_m?: number | null; by?: string;
}
export interface Ticket {
  id: string; rev: number; incident: string; kind: string; stage: string; lane: string; worker: string | null;
  utility: string | null; parent: string | null; grid: string | null; severity: number; place: Place; opened_at: string;
  updated_at: string; deadlines: Record<string, string | null>; code?: string | null; reason: Record<string, any>;
  timeline: Step[]; helpers?: string[]; runners_up?: Candidate[]; brief?: boolean;
}
export interface Event {
  id: string; rev: number; kind: string; site: string; device: string | null; at: string; severity: number; place: Place;
  evidence: Record<string, any>; links?: Record<string, string> | null; chain?: { hash: string; number: number } | null;
  [fact: string]: any;
}
export interface Incident {
  id: string; rev: number; kind: string; events: string[]; reason: string; place: Place; opened_at: string; closed_at?: string | null;
  held?: any; merged_into?: string | null; split_from?: string | null; cause?: any; children?: string[]; parent?: string | null; name?: string;
}
export interface Offer {
  action: string; text_zh: string; text_en: string; to: string | null; says: string[]; also?: string[]; by: string[];
  answers?: string | null; choices?: Record<string, { id: string; text_zh: string; text_en: string }[]>;
}
export interface Dossier extends Ticket {
  incident_detail: Incident | null; group_detail: Incident | null; events: Event[]; actions?: Offer[];
  photographs?: { name: string; photo: string; by: string; at: string }[];
}
export interface Answered { status: number; reason?: string | null; stale?: boolean }
export interface More { reason?: string; note?: string; by?: string; data?: Record<string, any> }
/** What panels and cards ask the page to do. */
export interface On {
  select(id: string): void;
  visit(id: string): Promise<void>;
  close(): void;
  act(id: string, action: string, button: HTMLButtonElement | null, more?: More): Promise<Answered>;
  acknowledge(ids: string[], button?: HTMLButtonElement | null): Promise<void>;
  filter(change: Partial<Filters>): void;
  pick(id: string): void;
}
export interface Filters {
  sort: 'urgent' | 'newest'; scope: 'open' | 'all'; kind: string | null; stage: string | null; severity: number[];
  grid: string | null; utility: string | null; show: 'overdue' | 'unacknowledged' | 'mine' | null; q: string;
}
/** What a panel is given. `kept` are elements of the same ticket that must outlive a redraw, by their `data-keep`. */
export interface View { ticket: Ticket; dossier: Dossier | undefined; on: On; kept: Map<string, HTMLElement> }
/** What `panels/<name>/panel.js` exports. */
export interface Panel { order: number; render(view: View): Node | null }
export interface Me {
  name: string; role: string | null; display_zh?: string; display_en?: string; account: string | null; accounts?: boolean; areas?: { id: string; name: string }[];
}
