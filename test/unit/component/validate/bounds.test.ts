// Aim: a component of a few kilobytes cannot keep the host busy, or overflow its stack, by what its types say. Method:
// binaries in which small parts are referred to many times; each must be refused by the bound it exceeds.
import { expect, test } from 'vitest'
import { readComponent } from '../../../../host/component/read.ts'

function leb(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d]
const text = (value: string): number[] => [...leb(value.length), ...Buffer.from(value)]
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...leb(items.length),
  ...items.flat(),
]
const section = (id: number, body: readonly number[]): Buffer =>
  Buffer.from([id, ...leb(body.length), ...body])
const component = (...sections: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([...MAGIC, 0x0d, 0x00, 0x01, 0x00]), ...sections])
const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => item(index))

const named = (name: string): number[] => [0x00, ...text(name)]
const types = (...items: readonly number[][]): Buffer => section(7, vector(items))
const instanceType = (declarations: readonly number[][]): number[] => [
  0x42,
  ...vector(declarations),
]
/** `(export name (type (sub resource)))` */
const resource = (name: string): number[] => [0x04, ...named(name), 0x03, 0x01]
/** Imports of instance type 0. */
const instances = (count: number): Buffer =>
  section(10, vector(many(count, (index) => [...named(`i${index}`), 0x05, 0x00])))

const RESOURCES = instanceType(many(500, (index) => resource(`r${index}`)))
/** Imports 500 resources, and exports them. */
const PASSING = component(
  types(RESOURCES),
  instances(1),
  section(11, vector([[...named('o'), 0x05, 0x00, 0x00]])),
)

test.each<[string, Buffer, string]>([
  [
    'an instance of an instance of an instance, and so on',
    component(
      types(instanceType([])),
      ...many(200, (index) =>
        types(
          instanceType([
            [0x02, 0x03, 0x02, 0x01, ...leb(index)],
            [0x04, ...named('x'), 0x05, 0x00],
          ]),
        ),
      ),
    ),
    'types nest deeper than 100',
  ],
  [
    'instances of instances that become tenfold at each level',
    component(
      types(
        instanceType([
          [0x01, 0x40, 0x00, 0x01, 0x00],
          [0x04, ...named('f'), 0x01, 0x00],
        ]),
      ),
      ...many(7, (index) =>
        types(
          instanceType([
            [0x02, 0x03, 0x02, 0x01, ...leb(index)],
            ...many(10, (each) => [0x04, ...named(`x${each}`), 0x05, 0x00]),
          ]),
        ),
      ),
    ),
    'a type has more than 1000000 parts, written out',
  ],
  [
    'one instance type imported time and again',
    component(types(RESOURCES), instances(1_500)),
    'validation takes more than 2000000 steps',
  ],
  [
    'one component instantiated time and again',
    component(
      types(RESOURCES),
      instances(1),
      section(4, [...PASSING]),
      section(5, vector(many(3_000, () => [0x00, 0x00, 0x01, ...text('i0'), 0x05, 0x00]))),
    ),
    'validation takes more than 2000000 steps',
  ],
  [
    'one large type asked for its resources time and again',
    component(
      types(instanceType(many(2_000, (index) => resource(`r${index}`)))),
      ...many(1_000, () => section(4, [...component(section(6, [1, 0x03, 0x02, 0x01, 0x00]))])),
    ),
    'validation takes more than 2000000 steps',
  ],
  [
    'more core modules than anybody compiles',
    component(...many(1_001, () => section(1, [...MAGIC, 0x01, 0x00, 0x00, 0x00]))),
    'more than 1000 core modules',
  ],
])('%s', (_, bytes, message) => {
  expect(() => readComponent(bytes)).toThrow(
    expect.objectContaining({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(message),
    }),
  )
})

test('what is as large as components are is validated', () => {
  const links = many(50, () => [0x00, 0x00, 0x01, ...text('i0'), 0x05, 0x00])
  const bytes = component(
    types(RESOURCES),
    instances(1),
    section(4, [...PASSING]),
    section(5, vector(links)),
  )
  expect(readComponent(bytes).link.modules).toEqual([])
})
