// The register file as a driver sees it through BAR 0: what it promises, what it takes, and how CC changes CSTS.
import { describe, expect, it } from 'vitest';
import { NvmeHost } from '../../../test/nvme-host.ts';
import { NvmeMachine } from '../../../test/nvme-machine.ts';
import { addOffset } from '../../addresses.ts';
import { NVME_REGISTER } from './nvme-registers.ts';

const { cap, vs, cc, csts, aqa, asq, acq, doorbells } = NVME_REGISTER;
const READY = 1;
const FATAL = 2;
const SHUTDOWN_COMPLETE = 8;
const ENABLE = 0x460001;

function setUp(): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine({ controller: { maxQueueEntries: 64 } });
  return { machine, host: new NvmeHost(machine) };
}

describe('capabilities', () => {
  it('say the largest queue, contiguous rings, the NVM command set and the page sizes', () => {
    const { host } = setUp();
    const [low, high] = [host.read32(cap), host.read32(cap + 4)];
    expect([low & 0xffff, (low >> 16) & 1, high & 0xf]).toEqual([63, 1, 0]);
    expect([(high >> 5) & 1, (high >> 16) & 0xf, (high >> 20) & 0xf]).toEqual([1, 0, 4]);
    expect(host.read32(vs)).toBe(0x00010400);
  });

  it('and status cannot be written', () => {
    const { host } = setUp();
    for (const register of [cap, cap + 4, vs, csts]) {
      const before = host.read32(register);
      expect(host.write32(register, 0xffffffff)).toBe(true);
      expect(host.read32(register)).toBe(before);
    }
  });

  it('refuse accesses of other widths and outside the registers', () => {
    const { machine, host } = setUp();
    const base = machine.fabric.barPhys(machine.controller.endpoint, 0);
    for (const [offset, bytes] of [
      [cc, 1],
      [cc, 2],
      [cap + 4, 8],
      [0x40, 4],
      [0xffc, 4],
    ] as const) {
      expect(machine.memory.read(addOffset(base, offset), new Uint8Array(bytes))).toBe(false);
      expect(machine.memory.write(addOffset(base, offset), new Uint8Array(bytes))).toBe(false);
    }
    expect(machine.memory.read(addOffset(base, cap), new Uint8Array(8))).toBe(true);
    expect(host.read32(doorbells)).toBe(0);
  });
});

describe('interrupt masks', () => {
  it('are set by one register and cleared by the other', () => {
    const { host } = setUp();
    host.write32(0x0c, 0b1100);
    host.write32(0x0c, 0b0011);
    host.write32(0x10, 0b0110);
    expect([host.read32(0x0c), host.read32(0x10)]).toEqual([0b1001, 0b1001]);
  });
});

describe('CC.EN', () => {
  it('makes the controller ready, and clearing it makes it not ready', () => {
    const { host } = setUp();
    expect(host.read32(csts)).toBe(0);
    host.enable();
    expect(host.read32(csts)).toBe(READY);
    host.write32(cc, 0);
    expect(host.read32(csts)).toBe(0);
  });

  it.each<[string, (host: NvmeHost) => void]>([
    ['a submission queue of one entry', (host) => host.write32(aqa, 0x000f0000)],
    ['a completion queue of one entry', (host) => host.write32(aqa, 0x0000000f)],
    ['a submission queue that no bus reaches', (host) => host.write32(asq + 4, 0x00100000)],
    ['a completion queue that no bus reaches', (host) => host.write32(acq + 4, 0x80000000)],
  ])('is fatal with %s', (_name, spoil) => {
    const { host } = setUp();
    host.write32(aqa, 0x000f000f);
    spoil(host);
    host.write32(cc, ENABLE);
    expect(host.read32(csts)).toBe(FATAL);
    host.write32(cc, 0);
    expect(host.read32(csts)).toBe(0);
  });

  it('takes page sizes up to the largest it promised', () => {
    const { host } = setUp();
    host.enable(16, ENABLE + (4 << 7));
    expect(host.read32(csts)).toBe(READY);
    host.write32(cc, 0);
    host.enable(16, ENABLE + (5 << 7));
    expect(host.read32(csts)).toBe(FATAL);
  });
});

it('answers a shutdown notification, and a reset takes the answer back', () => {
  const { host } = setUp();
  host.enable();
  host.write32(cc, ENABLE + 0x4000);
  expect(host.read32(csts)).toBe(READY + SHUTDOWN_COMPLETE);
  host.write32(cc, 0);
  expect(host.read32(csts)).toBe(0);
});
