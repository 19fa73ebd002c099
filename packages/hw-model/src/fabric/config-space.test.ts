// Configuration bytes: widths, read-only bits, and dumps as a starting point.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { InternalError } from '../internal-error.ts';
import { CONFIG_SPACE_BYTES, ConfigSpace, type ConfigWidth } from './config-space.ts';

describe('a configuration space', () => {
  it('is little endian in every width', () => {
    const config = new ConfigSpace();
    config.preset(0x40, 4, 0xa1b2c3d4);
    expect([0, 1, 2, 3].map((i) => config.read(0x40 + i, 1))).toEqual([0xd4, 0xc3, 0xb2, 0xa1]);
    expect([config.read(0x40, 2), config.read(0x42, 2)]).toEqual([0xc3d4, 0xa1b2]);
    expect(config.read(0x40, 4)).toBe(0xa1b2c3d4);
  });

  it('lets software change permitted bits only', () => {
    const config = new ConfigSpace();
    config.preset(0x04, 2, 0xf0f0);
    config.permit(0x04, 2, 0x00ff);
    config.write(0x04, 2, 0x1234);
    expect(config.read(0x04, 2)).toBe(0xf034);
    config.write(0x08, 4, 0xffffffff);
    expect(config.read(0x08, 4)).toBe(0);
  });

  it('starts from recorded bytes, read-only, and dumps a copy', () => {
    const config = new ConfigSpace(Uint8Array.from([0x36, 0x1b, 0x10, 0x00]));
    config.write(0, 4, 0);
    const dump = config.dump();
    expect([config.read(0, 4), dump.length, dump[1]]).toEqual([0x00101b36, CONFIG_SPACE_BYTES, 0x1b]);
    dump[0] = 0;
    expect(config.read(0, 1)).toBe(0x36);
  });

  it.each<[number, ConfigWidth]>([
    [1, 2],
    [2, 4],
    [-4, 4],
    [CONFIG_SPACE_BYTES, 1],
    [Number.NaN, 1],
  ])('refuses an access at %d of %d bytes', (offset, width) => {
    expect(() => new ConfigSpace().read(offset, width)).toThrow(InternalError);
    expect(() => new ConfigSpace().write(offset, width, 0)).toThrow(InternalError);
  });

  it('changes its generation with every write', () => {
    const config = new ConfigSpace();
    const before = config.generation;
    config.write(0x10, 4, 1);
    const written = config.generation;
    config.preset(0x10, 4, 1);
    expect(new Set([before, written, config.generation]).size).toBe(3);
  });
});

const word = fc.integer({ min: 0, max: 0xffffffff });

test.prop([word, word, word])('keeps masked bits whatever is written', (start, mask, written) => {
  const config = new ConfigSpace();
  config.preset(0x20, 4, start);
  config.permit(0x20, 4, mask);
  config.write(0x20, 4, written);
  expect(config.read(0x20, 4)).toBe(((start & ~mask) | (written & mask)) >>> 0);
});
