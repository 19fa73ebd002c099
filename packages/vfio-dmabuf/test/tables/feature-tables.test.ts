// Walks the tables about requests for an export: single checks, every pair of checks that one request can break, and what
// a good request makes. A request that fails leaves nothing behind.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { type FeatureFields, featureBytes, VfioMachine } from '../vfio-machine.ts';
import { exportRows, featureRows } from './feature-rows.ts';
import { featureViolations, type RequestChange, together } from './feature-violations.ts';

const GET = 0x10000;
const DMA_BUF = 11;

function machineOf({ machine: options = {}, failing, gone }: RequestChange): VfioMachine {
  const machine = new VfioMachine({ ...options, ...(gone ? { open: false } : {}) });
  if (gone) machine.run(machine.vdev.registration.unregister());
  let allocations = 0;
  machine.platform.allocate = () => {
    allocations += 1;
    return allocations !== failing;
  };
  return machine;
}

function fieldsOf(change: RequestChange): FeatureFields {
  const { set = 0, clear = 0, machine: _, failing: __, gone: ___, ...fields } = change;
  return { ...fields, flags: ((GET + DMA_BUF) | set) & ~clear };
}

/** Asks, and checks that a failure left nothing; a descriptor counts as 0. */
function ask(machine: VfioMachine, fields: FeatureFields): number {
  const before = machine.leftovers;
  const answer = machine.ioctl(featureBytes(fields));
  if (answer < 0) {
    expect(machine.leftovers).toEqual(before);
    expect(machine.vdev.dmabufs).toEqual([]);
  }
  return Math.min(answer, 0);
}

describe('single checks', () => {
  it.each(featureViolations)('feature.check-$check $key', (violation) => {
    expect(ask(machineOf(violation), fieldsOf(violation))).toBe(violation.answer);
  });
  it.each(featureRows)('$key', (row) => {
    expect(ask(new VfioMachine(), row)).toBe(row.answer);
  });
});

const pairs = featureViolations.flatMap((first) =>
  featureViolations.flatMap((later) => {
    const change = later.check > first.check ? together(first, later) : null;
    const key = `feature.pair.${first.check}-${first.key}.${later.check}-${later.key}`;
    return change === null ? [] : [{ key, first, later, change }];
  }),
);

describe('the earlier of two checks answers', () => {
  it.each(pairs)('$key', ({ first, change }) => {
    expect(ask(machineOf(change), fieldsOf(change))).toBe(first.answer);
  });

  it('for every two of the checks that one request can break', () => {
    const covered = new Set(pairs.map(({ first, later }) => `${first.check}.${later.check}`));
    const missing = [];
    for (let i = 0; i < 16; i += 1)
      for (let j = i + 1; j < 16; j += 1) if (!covered.has(`${i}.${j}`)) missing.push(`${i}.${j}`);
    // A region that is not claimed has no provider either: each row of check 7 breaks both by itself.
    expect(missing).toEqual(['7.11']);
  });
});

describe('a good request', () => {
  it.each(exportRows)('$key', ({ ranges, openFlags, mode, closesOnExec, size }) => {
    const machine = new VfioMachine();
    const asked = ranges.map(([offset, length]) => [BigInt(offset), BigInt(length)] as const);
    const fd = machine.ioctl(featureBytes({ ranges: asked, openFlags }));
    expect(fd).toBeGreaterThanOrEqual(0);
    const [priv] = machine.vdev.dmabufs;
    if (priv === undefined) throw new Error('no buffer');
    const start = Number(machine.vdev.pdev.fn.bar(0)?.address);
    const got = priv.physVec.map(({ paddr, len }) => [Number(paddr) - start, len]);
    expect(got).toEqual(ranges.map(([offset, length]) => [offset, length]));
    expect([priv.size, priv.dmabuf.size]).toEqual([size, size]);
    expect(priv.dmabuf.fileFlags).toBe(mode);
    expect(machine.platform.files.closesOnExec(fd)).toBe(closesOnExec);
    expect(priv.kref).toBe(1);
    machine.run(machine.platform.files.close(fd));
    expect(machine.leftovers).toEqual(new VfioMachine().leftovers);
  });

  it('needs no room for a descriptor that is never made', () => {
    const machine = new VfioMachine({ fdLimit: 0 });
    expect(machine.ioctl(featureBytes({ flags: 0x5000b }))).toBe(0);
    expect(machine.ioctl(featureBytes())).toBe(-Errno.EMFILE);
  });
});
