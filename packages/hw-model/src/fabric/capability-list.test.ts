// Capability lists: what software finds by walking the bytes, and that a loop in them ends the walk.
import { describe, expect, it } from 'vitest';
import { InternalError } from '../internal-error.ts';
import {
  addCapability,
  addExtendedCapability,
  findCapability,
  findExtendedCapability,
} from './capability-list.ts';
import { ConfigSpace } from './config-space.ts';

/** Ids and offsets as a driver reads them: pointer at 0x34, id and next pointer at each capability. */
function walk(config: ConfigSpace): [number, number][] {
  const found: [number, number][] = [];
  for (let at = config.read(0x34, 1); at !== 0; at = config.read(at + 1, 1)) {
    found.push([config.read(at, 1), at]);
  }
  return found;
}

describe('the capability list', () => {
  it('is chained in order of adding, and announced in the status register', () => {
    const config = new ConfigSpace();
    expect([findCapability(config, 0x10), config.read(0x06, 2) & 0x10]).toEqual([0, 0]);
    addCapability(config, 0x01, 0x40, 8);
    addCapability(config, 0x10, 0x50, 60);
    addCapability(config, 0x11, 0x90, 12);
    expect(walk(config)).toEqual([
      [0x01, 0x40],
      [0x10, 0x50],
      [0x11, 0x90],
    ]);
    expect(config.read(0x06, 2) & 0x10).toBe(0x10);
    expect([0x01, 0x10, 0x11, 0x05].map((id) => findCapability(config, id))).toEqual([0x40, 0x50, 0x90, 0]);
  });

  it('ignores the two low bits of a pointer and ends at a loop', () => {
    const config = new ConfigSpace();
    addCapability(config, 0x01, 0x40, 8);
    config.preset(0x34, 1, 0x43);
    config.preset(0x41, 1, 0x40);
    expect([findCapability(config, 0x01), findCapability(config, 0x10)]).toEqual([0x40, 0]);
  });

  it.each([
    [0x3c, 8],
    [0x42, 8],
    [0xfc, 8],
  ])('has no room at 0x%s for %d bytes', (at, bytes) => {
    expect(() => addCapability(new ConfigSpace(), 0x05, at, bytes)).toThrow(InternalError);
  });
});

describe('the extended list', () => {
  it('is chained through bits 31:20 of each header', () => {
    const config = new ConfigSpace();
    expect(findExtendedCapability(config, 0x0d)).toBe(0);
    addExtendedCapability(config, 0x0001, 2, 0x100, 0x48);
    addExtendedCapability(config, 0x000d, 1, 0x148, 12);
    addExtendedCapability(config, 0x000f, 1, 0xff0, 16);
    expect([0x100, 0x148, 0xff0].map((at) => config.read(at, 4))).toEqual([
      0x14820001, 0xff01000d, 0x0001000f,
    ]);
    expect(findExtendedCapability(config, 0x0f)).toBe(0xff0);
  });

  it('ends at a loop and at all ones', () => {
    const looped = new ConfigSpace();
    looped.preset(0x100, 4, 0x10010001);
    expect(findExtendedCapability(looped, 0x0d)).toBe(0);
    const empty = new ConfigSpace();
    empty.preset(0x100, 4, 0xffffffff);
    expect(findExtendedCapability(empty, 0xffff)).toBe(0);
  });

  it('starts at 0x100 and stays inside the space', () => {
    expect(() => addExtendedCapability(new ConfigSpace(), 0x0d, 1, 0x140, 12)).toThrow(InternalError);
    const config = new ConfigSpace();
    addExtendedCapability(config, 0x0001, 2, 0x100, 0x48);
    expect(() => addExtendedCapability(config, 0x0d, 1, 0xff8, 12)).toThrow(InternalError);
  });
});
