// The layers of docs/architecture.md as rules. A folder may import any lower rank; never a sibling of
// its own rank, never upward.
const RANKS = [
  ['base'],
  ['component', 'store', 'blob', 'http'],
  ['journal', 'image'],
  ['hostcalls'],
  ['actor'],
  ['pool'],
  ['cluster'],
  ['runtime'],
  ['queue', 'server', 'cli', 'testing'],
]
// Two layers are large enough to have rooms, ranked in the same way. Files beside the rooms are either the layer's face
// or words that all of its rooms use, and have no rank.
const ROOMS = {
  component: [
    ['wit'],
    ['core', 'values'],
    ['binary'],
    ['abi'],
    ['validate', 'link'],
    ['instance', 'contract'],
  ],
  actor: [['ticks', 'program'], ['turn', 'typescript'], ['journal'], ['mailbox'], ['activation']],
}
const EDGES = RANKS.at(-1)
  .map((edge) => `${edge}/`)
  .join('|')

const layering = RANKS.flatMap((folders, rank) =>
  folders.map((folder) => {
    // `loom serve` is the one place where an edge uses another.
    const allowed = folder === 'cli' ? [folder, 'server'] : [folder]
    const banned = RANKS.slice(rank)
      .flat()
      .filter((other) => !allowed.includes(other))
    return {
      name: `layer-${folder}`,
      severity: 'error',
      from: { path: `^host/${folder}/` },
      to: { path: `^host/(${banned.join('|') || 'none'})/` },
    }
  }),
)

const rooms = Object.entries(ROOMS).flatMap(([layer, ranks]) =>
  ranks.flatMap((names, rank) =>
    names.map((room) => ({
      name: `room-${layer}-${room}`,
      severity: 'error',
      from: { path: `^host/${layer}/${room}/` },
      to: {
        path: `^host/${layer}/(${
          ranks
            .slice(rank)
            .flat()
            .filter((other) => other !== room)
            .join('|') || 'none'
        })/`,
      },
    })),
  ),
)

module.exports = {
  forbidden: [
    ...layering,
    ...rooms,
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'drivers-only-from-runtime',
      severity: 'error',
      from: { path: '^host/(?!store/|blob/|http/|runtime/)' },
      to: { path: '^host/(store|blob|http)/[^/]+/' },
    },
    {
      name: 'edges-see-runtime-and-base',
      severity: 'error',
      from: { path: `^host/(${EDGES})` },
      to: { path: `^host/(?!${EDGES}|runtime/|base/)` },
    },
    {
      name: 'io-at-the-edges',
      severity: 'error',
      from: { path: '^host/(?!base/|store/[^/]+/|blob/[^/]+/|http/[^/]+/|runtime/|server/|cli/)' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|fs/promises|net|http|http2|https|child_process|worker_threads|os|process)$',
      },
    },
    {
      name: 'host-imports-host-only',
      severity: 'error',
      from: { path: '^host/' },
      to: { path: '^(guest-sdk|actors|test|bench|scripts)/' },
    },
    {
      name: 'guest-imports-guest-only',
      severity: 'error',
      from: { path: '^(guest-sdk|actors)/' },
      to: { path: '^(host|test|bench|scripts)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
