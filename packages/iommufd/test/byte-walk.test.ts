// Every valid call with every byte changed, in three ways, answers what the oracle says of those bytes.
import { Errno } from '@sgfree/mm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IOMMUFD_STRUCTS, iommufdStruct } from '../src/index.ts';
import { AbiWorld, NOTHING_LEFT } from './abi-world.ts';
import { expectedAnswer } from './oracle/abi-oracle.ts';
import { VALID_CALLS, validBytes } from './valid-calls.ts';

const CHANGES = [0x01, 0x80, 0xff];

it('has a valid call for every structure', () => {
  const names = new Set(VALID_CALLS.map(([name]) => name));
  expect(IOMMUFD_STRUCTS.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
});

describe.each(VALID_CALLS.map(([name], index) => [`${name} (${index})`, index] as const))(
  '%s',
  (_, index) => {
    let world: AbiWorld;
    beforeAll(() => {
      world = new AbiWorld().populate();
    });
    afterAll(() => {
      expect(world.close()).toEqual(NOTHING_LEFT);
    });

    /** Makes a call; a world that a call has changed is closed and replaced. */
    const answers = (bytes: Uint8Array, name: string): readonly [expected: number, got: number] => {
      const expected = expectedAnswer(world, name, bytes);
      const got = world.raw(iommufdStruct(name).request, bytes);
      if (got === 0) {
        expect(world.close()).toEqual(NOTHING_LEFT);
        world = new AbiWorld().populate();
      }
      return [expected === null ? 0 : Errno[expected], got];
    };

    it('answers the call itself', () => {
      const { name, bytes } = validBytes(world, index);
      const [expected, got] = answers(bytes, name);
      expect(got).toBe(expected);
    });

    it.each(CHANGES)('answers with each byte changed by %i', (change) => {
      const { bytes: original } = validBytes(world, index);
      for (let at = 0; at < original.length; at += 1) {
        const { name, bytes } = validBytes(world, index);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const text = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        const [expected, got] = answers(bytes, name);
        expect(got, `${name}, byte ${at}: ${text}`).toBe(expected);
      }
    });
  },
);
