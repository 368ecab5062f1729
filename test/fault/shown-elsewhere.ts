// Where faults of earlier frameworks, and rows of the table of recovery, are tested: files below test/, and a test's
// title in them. known-holes.test.ts checks that they are there.

export const SHOWN_ELSEWHERE: readonly (readonly [fault: string, file: string, title: string])[] = [
  [
    'a host whose claim is over works on, and both accept calls',
    'fault/store-takeover.test.ts',
    'takes over from a host frozen between writes: it lives, and is fenced when it goes on',
  ],
  [
    'a write says nothing of who writes: the late one wins',
    'fault/store-takeover.test.ts',
    'takes over from a host that is busy writing',
  ],
  [
    'a host cannot notice that it was displaced',
    'unit/runtime/residency.test.ts',
    'a host that was displaced is told also when nobody calls it',
  ],
  [
    'two processes own one folder',
    'fault/store-takeover.test.ts',
    'lets exactly one of several racing processes claim a folder',
  ],
  [
    'after a crash callers are refused until a lock expires',
    'fault/store-takeover.test.ts',
    'claims at once after the owner died',
  ],
  [
    'making room leaves locks behind',
    'unit/runtime/residency.test.ts',
    'many more actors than the pool holds all keep their state',
  ],
  [
    'an actor is evicted in the middle of a turn',
    'unit/runtime/residency.test.ts',
    'an actor in the middle of a turn is not evicted',
  ],
  [
    'the journal is written and never used for recovery',
    'fault/store-kill.test.ts',
    'keeps every acknowledged commit',
  ],
  [
    'what was acknowledged is lost by kill -9',
    'fault/host-kill.test.ts',
    'times under load keeps every answered turn, once',
  ],
  [
    "a host call's answer is taken for another's",
    'unit/hostcalls/recorder.test.ts',
    'in replay refuses a call too many and a call too few',
  ],
  [
    'time and random numbers differ in a replay',
    'unit/hostcalls/recorder.test.ts',
    'keeps recorded calls in order and gives them back without performing them',
  ],
  [
    'a swallowed failure hides that replay went another way',
    'unit/hostcalls/recorder.test.ts',
    'fails the turn when a host function failed, whatever the guest does with it',
  ],
  [
    'compaction loses what is written meanwhile',
    'unit/store/sweeper.test.ts',
    'goes on with what a host left behind',
  ],
  [
    'a snapshot is written and the journal cut, and one of the two is lost',
    'unit/runtime/snapshots.test.ts',
    'the journal is not cut behind a snapshot that cannot be read',
  ],
  [
    'what is given up is never given back',
    'unit/store/sweeper.test.ts',
    'uses the room again: the file does not grow with the turns of trimmed journals',
  ],
  ['state and journal are two writes', 'contract/store-effects-contract.ts', 'S8: '],
  [
    'a call that was under way is never taken up again',
    'unit/runtime/open-turns.test.ts',
    'open turns go on when a host starts, and their callers find the answers',
  ],
  [
    'an idempotency key is looked up, and then used: two deliveries run twice',
    'sim/engine.test.ts',
    'every answered call happened once, whatever else did',
  ],
  [
    'a message is lost between two steps',
    'unit/runtime/effects.test.ts',
    'outlives a crash before its delivery, and is then delivered once',
  ],
  [
    'messages of different actors share an id',
    'sim/effects.test.ts',
    'effects happen with their turns, and money is conserved',
  ],
  [
    'a message that nobody takes is lost without a word',
    'unit/runtime/effects.test.ts',
    'that nobody can take is given up, and said',
  ],
  [
    'a worker with much work starves the event loop',
    'unit/runtime/hardening.test.ts',
    'is worked off in slices, in order, while other actors have their time',
  ],
  [
    'a sweep starves the event loop',
    'unit/store/sweep-bounds.test.ts',
    'a step of a sweep reads a bounded part, however many actors gave something up',
  ],
  [
    "memory is the host's, and modules that bring their own do not run",
    'guest/languages.test.ts',
    'in $language does what the model says',
  ],
  [
    'memory limits are looked at afterwards',
    'unit/runtime/guest-limits.test.ts',
    'a guest that hoards memory is stopped at its limit, and keeps what it had',
  ],
  [
    'a time limit does not end code that never waits',
    'unit/runtime/guest-limits.test.ts',
    'a guest that never returns is stopped, changes nothing, and others answer',
  ],
  [
    'JSON is cut at the first brace, text at the first NUL',
    'unit/component/json.test.ts',
    'every value of every type survives the way through JSON text',
  ],
  [
    'a binary is run whatever its bytes are',
    'contract/blob-fs.test.ts',
    'names the digest and the path of a damaged blob, and mends it with the next put',
  ],
  [
    'a damaged binary ends the host',
    'unit/component/hostile-binaries.test.ts',
    'with any byte replaced is refused or only traps',
  ],
  [
    'a step that nobody wired returns made-up success',
    'unit/hostcalls/host-interface.test.ts',
    'is refused by name, with what to do',
  ],
  [
    'a capability "network" is an empty promise, or no limit',
    'fault/fetch.test.ts',
    'is refused, and the refusal names the URL and the option',
  ],
  [
    'a disk that is full',
    'fault/data-folder.test.ts',
    'survives a full disk: says so, loses nothing, and goes on when there is room',
  ],
  [
    'EIO from a sync',
    'fault/store-disk.test.ts',
    'fails the commit whose sync fails, and only that',
  ],
  [
    'EIO from a write',
    'fault/store-disk.test.ts',
    'loses nothing acknowledged whichever write fails, and says that it failed',
  ],
  [
    'a slow sync',
    'fault/store-disk.test.ts',
    'acknowledges nothing before a slow sync has ended, also when it is taken over',
  ],
  [
    'a file that was cut off',
    'fault/data-folder.test.ts',
    'refuses a data file that was cut off, instead of dying when it reads behind its end',
  ],
  [
    'flipped bytes',
    'fault/data-folder.test.ts',
    'quarantines the actor whose entry has a flipped bit, and serves the others',
  ],
  [
    'a missing blob',
    'fault/payloads.test.ts',
    'quarantines its actor; once it is back, the actor goes on',
  ],
  [
    'a folder that two hosts open',
    'fault/store-takeover.test.ts',
    'refuses a second host, naming the pid, also when the first is frozen',
  ],
  [
    'a clock that jumps',
    'fault/data-folder.test.ts',
    'serves, recovers and replays the same while the wall clock jumps back and forth',
  ],
]

/** Rows of the table in host/actor/journal/recovery.ts, in its order. */
export const RECOVERY_ROWS: Readonly<Record<string, readonly [file: string, title: string]>> = {
  'none | intact': [
    'unit/runtime/recovery.test.ts',
    'rejects all damaged snapshots and replays from the first entry',
  ],
  'valid | intact': [
    'unit/runtime/recovery.test.ts',
    'without damage restores the newest snapshot and replays the suffix',
  ],
  'damaged or foreign | -': ['unit/runtime/recovery.test.ts', 'rejects a snapshot of another'],
  'any | damaged entry': [
    'unit/runtime/recovery.test.ts',
    'quarantines a damaged entry of the suffix, naming actor and seq',
  ],
  'any | missing entry': [
    'unit/runtime/recovery.test.ts',
    'quarantines a journal with a missing end',
  ],
  'any | blob missing, damaged': [
    'fault/payloads.test.ts',
    'quarantines its actor; once it is back, the actor goes on',
  ],
  'valid | diverges': [
    'unit/runtime/recovery.test.ts',
    'rejects a snapshot from which the suffix diverges, and replays from an older one',
  ],
  'none | diverges': [
    'unit/runtime/recovery.test.ts',
    'quarantines a divergence, saying what was expected and what came',
  ],
  'any | uses up the stack': [
    'e2e/deep-stack.test.ts',
    'a turn that went deeper than this process can is replayed on a larger stack',
  ],
  'none | begins behind a cut': [
    'unit/runtime/snapshots.test.ts',
    'a cut journal whose only snapshot is damaged is quarantined, naming the cut',
  ],
  'any | ends in an open turn': [
    'unit/runtime/awaiting.test.ts',
    'is run again after a crash in the middle, and its caller may ask again with the key',
  ],
}
