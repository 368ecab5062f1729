/**
 * The BlobStore contract as tests: run against every driver.
 *
 * Owns: B1 to B3 as far as a living process can see them. Does not own: how a driver stores bytes.
 */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../host/base/digest.ts'
import { seededRandom } from '../../host/base/random.ts'
import type { BlobStore } from '../../host/blob/blob-store.ts'
import { rejects, text } from '../support/store-fixtures.ts'

const BAD_NAMES = [
  '',
  '.',
  '..',
  '../up',
  'a/../b',
  'a/..',
  '/absolute',
  'a//b',
  'a/',
  '.hidden',
  'a/.hidden',
  'back\\slash',
  'C:\\x',
  'new\nline',
  'nul\0',
  '\u2028',
  'lone \ud800',
  'x'.repeat(300),
]

/** @param make  A blob store over an empty place. */
export function describeBlobContract(name: string, make: () => BlobStore): void {
  describe(`the ${name} blob store`, () => {
    let blobs: BlobStore

    beforeEach(() => {
      blobs = make()
    })

    it('gives back the bytes of a digest, whatever they are', async () => {
      const random = seededRandom(11)
      for (const size of [0, 1, 4_096, 3_000_000]) {
        const bytes = random.bytes(size)
        const digest = await blobs.put(bytes)
        expect(digest).toBe(digestOf(bytes))
        expect(Buffer.compare(await blobs.get(digest), bytes)).toBe(0)
        expect(await blobs.has(digest)).toBe(true)
      }
    })

    it('gives a blob up when it is told to, and no other', async () => {
      const [gone, kept] = [await blobs.put(text('gone')), await blobs.put(text('kept'))]
      await blobs.remove(gone)
      await blobs.remove(gone)
      await rejects(blobs.get(gone), 'ERR_BLOB_UNKNOWN')
      expect(await blobs.has(gone)).toBe(false)
      expect(await blobs.get(kept)).toEqual(Buffer.from(text('kept')))
      await blobs.put(text('gone'))
      expect(await blobs.has(gone)).toBe(true)
      await rejects(blobs.remove('../../etc/passwd' as never), 'ERR_NAME')
    })

    it('takes the same bytes many times at once', async () => {
      const bytes = text('same')
      const digests = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes)))
      expect(new Set(digests).size).toBe(1)
      expect(await blobs.get(digestOf(bytes))).toEqual(Buffer.from(bytes))
    })

    it('takes many blobs and names at once', async () => {
      await Promise.all(
        Array.from({ length: 30 }, async (_, index) =>
          blobs.setName(`many/${index}`, await blobs.put(text(`blob ${index}`))),
        ),
      )
      const names = await blobs.names('many/')
      expect(names.length).toBe(30)
      for (const { name, digest } of names)
        expect(Buffer.from(await blobs.get(digest)).toString()).toBe(`blob ${name.slice(5)}`)
    })

    it('says which blob it does not have', async () => {
      const digest = digestOf(text('missing'))
      expect(await blobs.has(digest)).toBe(false)
      const error = await rejects(blobs.get(digest), 'ERR_BLOB_UNKNOWN')
      expect(error.message).toContain(digest)
      await rejects(blobs.setName('x', digest), 'ERR_BLOB_UNKNOWN')
      expect(await blobs.names()).toEqual([])
    })

    it('refuses what is not a digest', async () => {
      for (const bad of ['sha256:..', `sha256:${'A'.repeat(64)}`, 'md5:00', '']) {
        await rejects(blobs.get(bad as `sha256:${string}`), 'ERR_NAME')
        await rejects(blobs.has(bad as `sha256:${string}`), 'ERR_NAME')
        await rejects(blobs.setName('x', bad as `sha256:${string}`), 'ERR_NAME')
      }
    })

    it('points a name to a blob, and to another one later', async () => {
      const one = await blobs.put(text('one'))
      const two = await blobs.put(text('two'))
      await blobs.setName('counter.wasm', one)
      expect(await blobs.resolve('counter.wasm')).toBe(one)
      await blobs.setName('counter.wasm', two)
      expect(await blobs.resolve('counter.wasm')).toBe(two)
      expect(await blobs.resolve(one)).toBe(one)
      await rejects(blobs.resolve('other.wasm'), 'ERR_BLOB_UNKNOWN')
    })

    it('lists names in order, by prefix', async () => {
      const digest = await blobs.put(text('x'))
      const names = ['a', 'a/b', 'types/Counter', 'types/Counter2', 'types/é %2F', 'typesX', 'B']
      for (const name of names) await blobs.setName(name, digest)
      expect(await blobs.names()).toEqual(names.toSorted().map((name) => ({ name, digest })))
      const typed = await blobs.names('types/')
      expect(typed.map(({ name }) => name)).toEqual([
        'types/Counter',
        'types/Counter2',
        'types/é %2F',
      ])
      expect(await blobs.names('none')).toEqual([])
    })

    it.each(BAD_NAMES)('refuses the name %j', async (bad) => {
      const digest = await blobs.put(text('x'))
      await rejects(blobs.setName(bad, digest), 'ERR_NAME')
      await rejects(blobs.resolve(bad), 'ERR_NAME')
      expect(await blobs.names()).toEqual([])
    })

    const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))
    it(`keeps every name apart, or refuses it (LOOM_SEED=${seed})`, async () => {
      const one = await blobs.put(text('one'))
      const two = await blobs.put(text('two'))
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (a, b) => {
          const results = await Promise.allSettled([blobs.setName(a, one)])
          if (results[0]?.status === 'rejected') {
            expect(results[0].reason).toMatchObject({ code: 'ERR_NAME' })
            return
          }
          if (a === b) return
          await blobs.setName(b, two).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'ERR_NAME' })
          })
          expect(await blobs.resolve(a)).toBe(one)
        }),
        { seed, numRuns: 40 },
      )
    })
  })
}
