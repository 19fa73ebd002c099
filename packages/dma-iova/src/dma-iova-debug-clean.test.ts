// A correct driver of the two-step API gets no finding, on its way through and on its way out after a failure.

import { dmaDebugDeviceChange, NO_ATTRS } from '@sgfree/dma-core';
import { describe, expect, it } from 'vitest';
import { BAR, BUFFER, MMIO, PAGE, ready, type Watched, watched } from '../test/watched-two-step.ts';
import { DmaIovaState, dmaIovaDestroy } from './index.ts';

describe('a correct driver', () => {
  it.each<[string, (m: Watched) => void]>([
    [
      'links, makes visible, destroys',
      (m) => {
        ready(m);
        m.destroy(4 * PAGE);
      },
    ],
    [
      'links in any order, one page at a time, each made visible and taken away on its own',
      (m) => {
        m.alloc(4 * PAGE, 0);
        for (const page of [2, 0, 3]) {
          m.link(page * PAGE, PAGE);
          m.sync(page * PAGE, PAGE);
        }
        for (const page of [3, 2, 0]) m.unlink(page * PAGE, PAGE);
        m.free();
      },
    ],
    [
      'starts within a page',
      (m) => {
        m.alloc(0x1e00, BUFFER + 0x200);
        m.link(0, 0xe00, BUFFER + 0x200);
        m.link(0xe00, PAGE, BUFFER + 0x8000);
        m.sync(0, 0x1e00);
        m.destroy(0x1e00);
      },
    ],
    [
      'fails to link a piece and destroys what it has, never made visible',
      (m) => {
        m.alloc(3 * PAGE);
        m.link(0, PAGE);
        expect(m.link(PAGE, PAGE, BUFFER + 0x10)).toBe(-5);
        m.destroy(PAGE);
      },
    ],
    [
      'has nothing linked when it gives up',
      (m) => {
        m.alloc(PAGE);
        m.destroy(0);
      },
    ],
    [
      'uses a copy of its state',
      (m) => {
        ready(m);
        const copy = Object.assign(new DmaIovaState(), m.state);
        dmaIovaDestroy(m.dev, copy, 4 * PAGE, 'from-device', NO_ATTRS);
      },
    ],
    [
      'uses its state again after destroying',
      (m) => {
        ready(m);
        m.destroy(4 * PAGE);
        ready(m, 2);
        m.destroy(2 * PAGE);
      },
    ],
    [
      "links a peer's BAR as MMIO",
      (m) => {
        m.alloc(PAGE, 0);
        m.link(0, PAGE, BAR, MMIO);
        m.sync(0, PAGE);
        m.destroy(PAGE, MMIO);
      },
    ],
  ])('%s', (_name, drive) => {
    const machine = watched();
    drive(machine);
    expect(machine.findings).toEqual([]);
    expect([machine.debug.liveRanges, machine.iovad.liveRanges]).toEqual([0, 0]);
    dmaDebugDeviceChange(machine.dev);
    expect(machine.findings).toEqual([]);
  });

  it('links nothing at the start of memory: the checker has no opinion on the byte before it', () => {
    const machine = watched();
    machine.alloc(PAGE, 0);
    const errno = machine.link(0, 0, 0);
    expect(machine.findings).toEqual([]);
    machine.dev.platform.debug = null;
    expect(machine.link(0, 0, 0)).toBe(errno);
  });

  it('bounces the edges of an untrusted device, and what a failing bounce takes back is no misuse', () => {
    const machine = watched({ device: { untrusted: true } });
    machine.dev.minAlignMask = PAGE - 1;
    machine.alloc(2 * PAGE, BUFFER + 0x200);
    machine.pool.failAfter = 1;
    expect(machine.link(0, 2 * PAGE, BUFFER + 0x200)).toBe(-12);
    machine.pool.failAfter = -1;
    expect(machine.link(0, 2 * PAGE, BUFFER + 0x200)).toBe(0);
    machine.sync(0, 2 * PAGE);
    machine.destroy(2 * PAGE);
    expect(machine.findings).toEqual([]);
  });
});
