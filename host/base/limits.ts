/**
 * Limits: every cap of the host, with its unit and the reason for its value.
 */

/** HTTP request body. Dapr's sidecar accepts 4 MiB by default; a call's arguments should be far below. */
export const BODY_SIZE_MAX_BYTES = 4 * 1024 * 1024

/** An exported actor that is imported over HTTP: it is held in memory whole. */
export const IMPORT_SIZE_MAX_BYTES = 256 * 1024 * 1024

/** Levels of arrays and objects in a request body. WIT types are finite; deeper values are attacks. */
export const JSON_DEPTH_MAX = 128

/** One journal entry, value of keyed state, reminder or message. Bounds the memory of group commit and of readers (J7). */
export const ENTRY_SIZE_MAX_BYTES = 16 * 1024 * 1024

/**
 * An entry beyond this has its payload in a blob: a few syncs of their own, beside which the bytes are cheap. Below it a
 * store's own pages are.
 */
export const PAYLOAD_INLINE_MAX_BYTES = 256 * 1024

/** One call's arguments, as journaled: half an entry, so that a turn that fails can always be journaled. */
export const ARGUMENTS_SIZE_MAX_BYTES = ENTRY_SIZE_MAX_BYTES / 2

/** Message of a failed turn, in characters: it goes into the journal and to the caller. */
export const FAILURE_MESSAGE_LENGTH_MAX = 16_384

/** Turns of a host that wait on their own stacks at once. Each keeps an instance's memory, which is scarce. */
export const PARKED_COUNT_MAX = 1_000

/** How long a turn waits on its own stack: running it again later costs a thousandth of this, or less. */
export const PARKED_TIMEOUT_MS = 1_000

/** Turns that one actor runs in one go; then other actors and the network have their time. */
export const TURNS_AT_ONCE_MAX = 256

/** Calls that wait in one actor's mailbox. Beyond it, waiting times are seconds: shed load instead. */
export const MAILBOX_COUNT_MAX = 10_000

/** Arguments that wait in one actor's mailbox, as values of this process: sixteen such actors fit a small host. */
export const MAILBOX_SIZE_MAX_BYTES = 64 * 1024 * 1024

/** A caller that was refused for load should not come back at once: a full mailbox takes about this to empty. */
export const BUSY_RETRY_AFTER_MS = 1_000

/** How long an HTTP client waits unless it says otherwise: proxies and browsers give up about then. */
export const HTTP_TIMEOUT_MS = 60_000

/** A component binary. StarlingMonkey components are 12 MB; four times that is not a mistake. */
export const COMPONENT_SIZE_MAX_BYTES = 64 * 1024 * 1024

/** Turns between automatic snapshots: bounds the replay of a cold activation to milliseconds. */
export const SNAPSHOT_INTERVAL_TURNS = 1_000

/** Journaled bytes between automatic snapshots: reading them back takes tens of milliseconds. */
export const SNAPSHOT_INTERVAL_BYTES = 8 * 1024 * 1024

/** Time between automatic snapshots: of an actor with few turns, a host that crashed replays at most this much. */
export const SNAPSHOT_INTERVAL_MS = 10 * 60 * 1_000

/** Instances with their own linear memory at once. V8 allows about 13,000 per process on Node 20. */
export const RESIDENT_COUNT_MAX = 4_000

/** Actors as images in memory: a million counters take about 1 GB. */
export const WARM_COUNT_MAX = 1_000_000

/** What they take, with what the host keeps of each. A small server has 2 to 4 GB. */
export const WARM_SIZE_MAX_BYTES = 1024 * 1024 * 1024

/** Instances without an actor: what one round of eviction frees. */
export const SPARE_INSTANCE_COUNT_MAX = 256

/** An actor type's name: it appears in paths, keys and file names. */
export const TYPE_NAME_LENGTH_MAX = 64

/** An actor id, in UTF-8 bytes: it is part of a store key (LMDB keys end at 1,978 bytes). */
export const ACTOR_ID_SIZE_MAX_BYTES = 256

/** An idempotency key, in UTF-8 bytes. UUIDs and queue job ids are far shorter. */
export const IDEMPOTENCY_KEY_SIZE_MAX_BYTES = 256

/** A key of keyed state, in UTF-8 bytes: it is part of a store key (LMDB keys end at 1,978 bytes). */
export const STATE_KEY_SIZE_MAX_BYTES = 512

/** A reminder's name, in UTF-8 bytes: it is part of a store key and of a URL, as an actor's id is. */
export const REMINDER_NAME_SIZE_MAX_BYTES = 256

/** Handles of one component instance. A snapshot keeps 8 bytes for each; more is a guest that forgets to drop. */
export const HANDLE_COUNT_MAX = 100_000

/** One string, list or memory range that crosses the component boundary. */
export const VALUE_SIZE_MAX_BYTES = 64 * 1024 * 1024

/**
 * A call between actors whose callee is refused for load is tried again, after pauses that double: nothing was run,
 * and the calling turn could not be run again under its key. Units: milliseconds.
 */
export const CALL_RETRY_MIN_MS = 10
export const CALL_RETRY_MAX_MS = 320
/** Then it fails: actors that wait for room may hold the room that others wait for. Units: milliseconds. */
export const CALL_RETRY_TIMEOUT_MS = 10_000

/** Turns of different actors on one stack: an actor that calls an idle one runs it there (a frame each way). */
export const NESTED_TURNS_MAX = 8

/** Actors with an open turn that are recovered at once when a host starts. */
export const OPEN_TURNS_AT_ONCE_MAX = 32

/** Threads with a large stack that replay journals at once: each has an engine and the actor's memory of its own. */
export const DEEP_REPLAYS_AT_ONCE_MAX = 4

/** Messages of one actor to another that are under way at once. */
export const OUTBOX_IN_FLIGHT_MAX = 256

/** Pauses before the host tries again what nobody waits for; each is twice the last. Units: milliseconds. */
export const RETRY_MIN_MS = 50
export const RETRY_MAX_MS = 60_000

/** Keys that one `list-keys` returns at most: they are recorded in the journal. */
export const STATE_LIST_COUNT_MAX = 10_000

/** Fuel of one turn: about a second of guest code, and a bound of a few for the worst (ADR 20). */
export const FUEL_PER_TURN = 2_000_000_000

/** Recorded host calls of one turn: as many as the fuel of its host calls allows by default. */
export const HOST_CALLS_PER_TURN_MAX = 1_000_000

/**
 * Recorded calls of a turn before one that waits. Each wait may run the turn again from its start, which answers
 * all of them: 10,000 waits answer 50 million, which takes some ten seconds; a hundred thousand would take a quarter of an hour.
 */
export const AWAITED_CALLS_PER_TURN_MAX = 10_000

/** What one turn is told by the host in all: four entries. It is held in memory until the turn ends. */
export const RECORDED_BYTES_PER_TURN_MAX = 64 * 1024 * 1024

/** Memories and tables of one instance, in pages of 64 KiB: 256 MiB. Sixteen such actors fit a small host. */
export const MEMORY_PAGES_MAX = 4_096

/** One result, or the arguments of one host call, as values of this process. An entry must hold it (J7). */
export const RESULT_SIZE_MAX_BYTES = 16 * 1024 * 1024

/** Times that a store keeps are whole milliseconds since 1970 that fit 48 bits: until the year 10,889. */
export const TIME_MAX_MS = 2 ** 48 - 1

/** A due time, period or ttl as an author writes it. */
export const SCHEDULE_TEXT_LENGTH_MAX = 256

/** A tick of a reminder that failed is run again this often, with this pause; then it is given up. */
export const REMINDER_RETRY_COUNT_MAX = 3
export const REMINDER_RETRY_MS = 1_000

/** A tick is missed when it is later than this, or than its period. */
export const TICK_LATE_MAX_MS = 60_000

/** Ticks of reminders of a host that are under way at once. */
export const REMINDERS_IN_FLIGHT_MAX = 1_024

/** Ticks that begin in one macrotask: each may make a cold actor hot, in a quarter of a millisecond. */
export const REMINDERS_STARTED_AT_ONCE_MAX = 16

/** Longest time between two looks at the wall clock while a reminder or timer is waited for: it may jump. */
export const WALL_CLOCK_CHECK_MS = 10_000

/** Pauses before a tick is handed over again that no turn could take; each is twice the last. */
export const TICK_BLOCKED_MIN_MS = 1_000
export const TICK_BLOCKED_MAX_MS = 60_000

/** Timers of one activation: each takes host memory that no snapshot bounds. */
export const TIMERS_COUNT_MAX = 10_000

/** One body of a guest's HTTP request or response: half an entry, which has to hold it beside the rest of its turn. */
export const FETCH_BODY_SIZE_MAX_BYTES = ENTRY_SIZE_MAX_BYTES / 2

/** What types have that do not say: JSON interfaces need less. */
export const FETCH_REQUEST_SIZE_BYTES = 1024 * 1024
export const FETCH_RESPONSE_SIZE_BYTES = 4 * 1024 * 1024

/** A guest's HTTP request. Its actor takes no other turn meanwhile. */
export const FETCH_TIMEOUT_MS = 30_000
export const FETCH_TIMEOUT_MAX_MS = 3_600_000

/** As browsers allow. */
export const FETCH_REDIRECT_COUNT_MAX = 20
