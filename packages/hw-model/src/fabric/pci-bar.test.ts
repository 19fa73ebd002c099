// BARs: what software learns by writing all ones, and where a BAR answers.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { pciBusAddr } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import { BarMemory } from './bar-memory.ts';
import { ConfigSpace } from './config-space.ts';
import { type BarSpec, PciBar } from './pci-bar.ts';

const spec = (index: number, bytes: number, more: Partial<BarSpec> = {}): BarSpec => ({
  index,
  bytes,
  target: new BarMemory(bytes),
  ...more,
});

/** What a kernel does: save, write ones, read, restore; the size is the lowest settable address bit. */
function sizeOf(config: ConfigSpace, register: number): { bytes: bigint; flags: number } {
  const wide = (config.read(register, 4) & 6) === 4;
  const saved = [config.read(register, 4), wide ? config.read(register + 4, 4) : 0];
  config.write(register, 4, 0xffffffff);
  if (wide) config.write(register + 4, 4, 0xffffffff);
  const low = config.read(register, 4);
  const high = wide ? config.read(register + 4, 4) : 0xffffffff;
  config.write(register, 4, saved[0] as number);
  if (wide) config.write(register + 4, 4, saved[1] as number);
  const mask = (BigInt(high) << 32n) + BigInt(low - (low & 0xf));
  return { bytes: 2n ** 64n - mask, flags: low & 0xf };
}

describe('sizing', () => {
  it('shows 16 KiB in a 64-bit BAR', () => {
    const config = new ConfigSpace();
    new PciBar(config, spec(0, 0x4000));
    config.write(0x10, 4, 0xffffffff);
    config.write(0x14, 4, 0xffffffff);
    expect([config.read(0x10, 4), config.read(0x14, 4)]).toEqual([0xffffc004, 0xffffffff]);
  });

  it('shows 1 MiB in a 32-bit BAR and leaves the next register alone', () => {
    const config = new ConfigSpace();
    new PciBar(config, spec(5, 0x100000, { width: 32 }));
    config.write(0x24, 4, 0xffffffff);
    config.write(0x28, 4, 0xffffffff);
    expect([config.read(0x24, 4), config.read(0x28, 4)]).toEqual([0xfff00000, 0]);
  });

  test.prop([fc.integer({ min: 12, max: 40 }), fc.boolean()])(
    'shows every size of a 64-bit BAR, and the address survives it',
    (shift, prefetchable) => {
      const config = new ConfigSpace();
      const bar = new PciBar(config, spec(2, 2 ** shift, { prefetchable }));
      bar.assign(pciBusAddr(3 * 2 ** 40));
      expect(sizeOf(config, 0x18)).toEqual({ bytes: 2n ** BigInt(shift), flags: prefetchable ? 0xc : 4 });
      expect(bar.address).toBe(3 * 2 ** 40);
    },
  );
});

describe('an assigned BAR', () => {
  it('keeps address bits above its size and drops those below', () => {
    const bar = new PciBar(new ConfigSpace(), spec(0, 0x10000));
    bar.assign(pciBusAddr(0x812345fff));
    expect(bar.address).toBe(0x812340000);
  });

  it('does not take an address beyond its width', () => {
    const bar = new PciBar(new ConfigSpace(), spec(0, 0x1000, { width: 32 }));
    expect(() => bar.assign(pciBusAddr(2 ** 32))).toThrow(InternalError);
  });
});

it.each([
  ['not a power of two', 0, 0x3000, {}],
  ['less than 16 bytes', 0, 8, {}],
  ['a 64-bit BAR in the last register', 5, 0x1000, {}],
  ['no such register', 6, 0x1000, { width: 32 as const }],
])('refuses a BAR that is %s', (_name, index, bytes, more) => {
  expect(() => new PciBar(new ConfigSpace(), spec(index, bytes, more))).toThrow(InternalError);
});
