import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blamed, DISK, mapPhys, NIC, pageFault, unmapPhys } from '../../test/planted-trace.ts';

const BASE = 0xe000_0000;
const DIRECTIONS = ['TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'] as const;

interface Life {
  readonly device: string;
  readonly page: number;
  readonly direction: (typeof DIRECTIONS)[number];
  readonly from: number;
  to: number;
}

interface Planted {
  readonly lives: Life[];
  readonly lines: string[];
}

/** Each step maps a free page of a device, or unmaps a mapped one; a device has one mapping a page at a time. */
function planted(steps: readonly (readonly [second: boolean, page: number, direction: number])[]): Planted {
  const lives: Life[] = [];
  const lines: string[] = [];
  steps.forEach(([second, page, direction], index) => {
    const at = 10 + index;
    const device = second ? DISK : NIC;
    const open = lives.find((life) => life.device === device && life.page === page && life.to === Infinity);
    if (open === undefined) {
      const life: Life = {
        device,
        page,
        direction: DIRECTIONS[direction] ?? 'TO_DEVICE',
        from: at,
        to: Infinity,
      };
      lives.push(life);
      lines.push(...mapPhys(at, device, life.direction, BASE + page * 4096, 4096, 2 ** 33 + index * 4096));
    } else {
      open.to = at;
      lines.push(...unmapPhys(at, device, open.direction, BASE + page * 4096, 4096));
    }
  });
  return { lives, lines };
}

/** The last mapping of the device at the page that began before the fault, or else the first that began later. */
function ownerOf(lives: readonly Life[], device: string, page: number, at: number): Life | undefined {
  const mine = lives.filter((life) => life.device === device && life.page === page);
  return mine.findLast(({ from }) => from < at) ?? mine[0];
}

function codesOf(life: Life, at: number, write: boolean): string[] {
  if (life.from > at) return ['mapped-only-later'];
  if (life.to < at) return ['use-after-unmap'];
  const wrong = life.direction === (write ? 'TO_DEVICE' : 'FROM_DEVICE');
  return wrong ? ['wrong-direction'] : ['live-but-refused'];
}

describe('the owner of a fault', () => {
  it('is the one that a search through all lines finds, and its life decides the reason', () => {
    const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 }));
    const args = [
      fc.array(step, { minLength: 1, maxLength: 80 }),
      fc.nat(),
      fc.boolean(),
      fc.boolean(),
    ] as const;
    fc.assert(
      fc.property(...args, (steps, where, second, write) => {
        const { lives, lines } = planted(steps);
        const at = 9.5 + (where % (steps.length + 1));
        const page = where % 6;
        const device = second ? DISK : NIC;
        const fault = pageFault(at, device, BASE + page * 4096 + 12, write ? 1 : 0);
        // The lines of a step are in order of time, and two a step.
        const story = blamed([
          ...lines.slice(0, 2 * Math.floor(at - 9)),
          fault,
          ...lines.slice(2 * Math.floor(at - 9)),
        ]).stories[0];
        const expected = ownerOf(lives, device, page, at);
        expect(story?.owner?.mapped.time).toBe(expected === undefined ? undefined : expected.from * 1e9);
        if (expected !== undefined) {
          expect(story?.owner?.device).toBe(device);
          expect(story?.reasons.map(({ code }) => code)).toEqual(
            expect.arrayContaining(codesOf(expected, at, write)),
          );
        }
      }),
    );
  });
});
