// Types of what crosses the WebSocket (telecare/wire/signalling.py). Read by tsc only, never by a browser.
// tests/web/test_protocol.py holds both together.

export type CallKind = "visit"|"video_call"|"call_in"|"look"|"robot"|"alarm";
export type CallState = "requested"|"ready"|"ringing"|"connecting"|"open"|"dark"|"ended";
export type Language = "sv"|"fi"|"en";
export type AbsenceKind = "hospital"|"short_term"|"travel"|"other";
export type SignalKind = "offer"|"answer"|"candidate";
export interface Hello {
  type: "hello";
  version: string;
  now: string;
}
export interface VisitRow {
  row: "visit";
  id: string;
  starts_at: string;
  minutes: number;
  insats: string;
  resident_id: string;
  resident_name: string;
  resident_given_name: string;
  resident_language: Language;
  staff_id: string|null;
  staff_name: string|null;
  state: "planned"|"ringing"|"in_call"|"unfinished"|"needs_step"|"stepped"|"done"|"cancelled"|"absent";
  call_id: string|null;
  outcome: string|null;
  step: string|null;
  step_at: string|null;
  screen: "here"|"silent"|"off"|"none";
  overdue_at: string|null;
  tasks: number;
  unit_name: string|null;
}
export interface CallRow {
  row: "call";
  id: string;
  since: string;
  resident_id: string;
  resident_name: string;
  resident_language: Language;
  source: "tv"|"unit";
  first_for: Language|null;
  first_until: string|null;
  taken_by: string|null;
  next_unit_at: string|null;
  unit_name: string|null;
  absent: AbsenceKind|null;
}
export interface TaskRow {
  row: "task";
  id: string;
  kind: "call_back"|"second_talk"|"visit_overdue"|"ask_again"|"follow_up"|"check_devices"|"break_glass"|"review_overdue"|"log_question"|"alarm_unanswered"|"mend_device"|"camera_withdrawn"|"nobody_there"|"night_visit_late"|"reassess";
  since: string;
  resident_id: string;
  resident_name: string;
  unit_name: string|null;
  taken_by: string|null;
  taken_by_id: string|null;
  absent: AbsenceKind|null;
}
export interface DispatchRow {
  row: "dispatch";
  id: string;
  state: "asked"|"accepted"|"arrived"|"done";
  asked_at: string;
  resident_id: string;
  resident_name: string;
  accepted_by: string|null;
  unit_name: string|null;
  absent: AbsenceKind|null;
  accepted_by_id: string|null;
  arrive_by: string|null;
}
export interface HandOverRow {
  row: "hand_over";
  id: string;
  kind: string;
  state: "asked"|"declined"|"unanswered";
  since: string;
  resident_id: string;
  resident_name: string;
  from_id: string;
  from_name: string;
  to_id: string|null;
  to_name: string;
  to_here: boolean;
}
export interface AbsenceRow {
  row: "absence";
  id: string;
  kind: AbsenceKind;
  since: string;
  until: string|null;
  resident_id: string;
  resident_name: string;
  unit_name: string|null;
}
export interface AlarmRow {
  row: "alarm";
  id: string;
  state: "new"|"taken"|"handled";
  since: string;
  trigger: string;
  device: string;
  place: string;
  priority: number;
  resident_id: string;
  resident_name: string;
  taken_by: string|null;
  taken_by_id: string|null;
  cancelled: boolean;
  returned_from: string|null;
  returned_why: string|null;
  returned_at: string|null;
  next_at: string|null;
  unit_name: string|null;
  absent: AbsenceKind|null;
}
export interface ReceiversRow {
  row: "receivers";
  id: string;
  names: string[];
  records_owed: number|null;
}
export interface TechnicalRow {
  row: "technical";
  id: string;
  kind: string;
  since: string;
  device: string;
  detail: string;
  resident_id: string|null;
  resident_name: string;
  taken_by: string|null;
  taken_by_id: string|null;
  unit_name: string|null;
}
export interface SilentHome {
  resident_id: string;
  resident_name: string;
}
export interface OutageRow {
  row: "outage";
  id: string;
  shares: "area"|"provider"|"broker";
  name: string;
  since: string;
  homes: SilentHome[];
  taken_by: string|null;
  taken_by_id: string|null;
}
export type Row = ReceiversRow|AlarmRow|TechnicalRow|OutageRow|VisitRow|CallRow|TaskRow|DispatchRow|HandOverRow|AbsenceRow;
export interface Snapshot {
  type: "snapshot";
  view: "today";
  unit: string;
  version: number;
  rows: Row[];
}
export interface Rows {
  type: "rows";
  view: "today";
  unit: string;
  version: number;
  changed: Row[];
  gone: string[];
}
export interface IceServer {
  urls: string[];
  username: string|null;
  credential: string|null;
}
export interface Media {
  home_picture: boolean;
  home_sound: boolean;
  staff_picture: boolean;
  staff_sound: boolean;
}
export interface CallFrame {
  type: "call";
  call_id: string;
  kind: CallKind;
  state: CallState;
  resident_id: string;
  resident_name: string;
  resident_given_name: string;
  staff_id: string|null;
  staff_name: string|null;
  staff_given_name: string|null;
  unit_name: string|null;
  visit_id: string|null;
  answered_by: "tv"|"unit"|null;
  mine: boolean;
  ring_until: string|null;
  answers_itself_at: string|null;
  opened_at: string|null;
  ended_at: string|null;
  end_reason: string|null;
  media: Media|null;
  max_s: number|null;
  ice_servers: IceServer[];
  relay_only: boolean;
  connects_early: boolean;
  phone: string|null;
}
export interface SignalFrame {
  type: "signal";
  call_id: string;
  n: number;
  generation: number;
  kind: SignalKind;
  body: string;
}
export interface Lease {
  type: "lease";
  call_id: string;
  echo_ms: number;
  lease_ms: number;
}
export interface NextThing {
  at: string;
  kind: "visit";
  who: string|null;
  insats: string;
  state: "planned"|"late"|"moved"|"taken_over";
}
export interface HomeAlarm {
  id: string;
  taken: boolean;
  by: string;
  cancelled: boolean;
}
export interface Home {
  type: "home";
  version: number;
  resident_given_name: string;
  language: Language;
  next: NextThing|null;
  today: NextThing[];
  cameras: "off"|"on"|"unknown";
  camera_heard_at: string|null;
  unit_phone: string;
  unit_name: string;
  scale_percent: number;
  ask_faces_for: string|null;
  yes: Array<"video_visit"|"auto_answer"|"camera_check">;
  shows_looks: boolean;
  alarm: HomeAlarm|null;
  night: "none"|"planned"|"paused";
}
export interface Refused {
  type: "refused";
  code: string;
  about: string|null;
}
export interface Waits {
  id: string;
  since: string;
}
export interface Locked {
  type: "locked";
  waiting: Array<Waits>;
}
export interface Touched {
  type: "touched";
}
export interface Ready {
  type: "ready";
  sound: boolean;
}
export interface Lock {
  type: "lock";
}
export interface Watch {
  type: "watch";
  nights: boolean;
}
export interface Nights {
  type: "nights";
}
export type ToPage = Hello|Snapshot|Rows|Locked|Nights|CallFrame|SignalFrame|Lease|Home|Refused;
export interface Subscribe {
  type: "subscribe";
  view: "today";
  unit: string;
}
export interface Join {
  type: "join";
  call_id: string;
  after: number;
}
export interface Signal {
  type: "signal";
  call_id: string;
  generation: number;
  kind: SignalKind;
  body: string;
}
export interface Alive {
  type: "alive";
  call_id: string;
  mono_ms: number;
}
export interface Report {
  type: "report";
  call_id: string;
  what: "first_frame"|"dark"|"lit"|"quality"|"stopped"|"camera_on"|"camera_off";
  loss_percent?: number|null;
  round_trip_ms?: number|null;
  width?: number|null;
  height?: number|null;
}
export type FromPage = Subscribe|Join|Signal|Alive|Report|Touched|Lock|Ready|Watch;
