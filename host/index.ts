/** The public API of Loom. Everything else may change without notice. */
export type {
  ActorClass,
  ActorContext,
  ActorState,
  ActorTarget,
  FetchAnswer,
  FetchOptions,
  ReminderDescription,
  Reminders,
  SimpleState,
  TickOptions,
  Timers,
} from './actor/typescript/typescript-actor.ts'
export { Actor } from './actor/typescript/typescript-actor.ts'
export type { Clock, Timer } from './base/clock.ts'
export { systemClock, VirtualClock } from './base/clock.ts'
export type { Digest } from './base/digest.ts'
export type { ErrorCode, ErrorKind, LoomErrorOptions } from './base/errors.ts'
export { ERRORS, isLoomError, LoomError } from './base/errors.ts'
export type { ActorKey } from './base/names.ts'
export type { Random } from './base/random.ts'
export { seededRandom, systemRandom } from './base/random.ts'
export type { BlobStore, NamedBlob } from './blob/blob-store.ts'
export type { JsonValue, WitValue } from './component/wit/wit.ts'
export type {
  HttpAnswer,
  HttpDriver,
  HttpFailureReason,
  HttpHeader,
  HttpRequest,
} from './http/http-driver.ts'
export { HttpFailure } from './http/http-driver.ts'
export type {
  CreatedEntry,
  JournalEntry,
  RecordedCall,
  TurnEntry,
  TurnOutcome,
} from './journal/entry.ts'
export type {
  ActorDescription,
  ActorFacts,
  ActorHandle,
  ActorLimits,
  ActorTypeDefinition,
  ActorTypeDescription,
  CallRequest,
  CloseOptions,
  FetchPolicy,
  FetchRule,
  GuestLimits,
  HostCallLimits,
  Inspector,
  JournalLine,
  JournalPolicy,
  JsonRequest,
  LogLine,
  Message,
  MethodDescription,
  ProvidedInterface,
  ReminderHandle,
  ReplayReport,
  Runtime,
  RuntimeLimits,
  RuntimeOptions,
  RuntimeStats,
  SetOptions,
  TimerHandle,
  TypedActorHandle,
} from './runtime/api.ts'
export { createRuntime } from './runtime/create-runtime.ts'
export type { DataFolder } from './runtime/data-folder.ts'
export { openDataFolder } from './runtime/data-folder.ts'
export { fsBlobs, lmdb, memory } from './runtime/drivers.ts'
export type { InspectorOptions } from './runtime/inspector.ts'
export { openInspector } from './runtime/inspector.ts'
export type { Published, PublishOptions } from './runtime/publish.ts'
export { publishComponent } from './runtime/publish.ts'
export type {
  ActorRecord,
  ActorSummary,
  HostRecord,
  QuarantineRow,
  Store,
  StoreDriver,
} from './store/store.ts'
