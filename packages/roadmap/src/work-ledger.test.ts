// The books of a run: work goes to the class that caused it, pool pages to set-up, and tallies count each request once.
import { physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { meteredSource } from './metered-source.ts';
import type { StackCommand, StorageStack } from './storage-stack.ts';
import { NO_WORK } from './work-counts.ts';
import { WorkLedger } from './work-ledger.ts';

const piece = (phys: number, bytes: number) => ({ phys: physAddr(phys), bytes });

const command: StackCommand = {
  request: {
    operation: 'read',
    position: 0,
    bytes: 12288,
    vecs: [piece(0x1000, 4096), piece(0x2000, 4096), piece(0x8000, 4096)],
  },
  dmaRangesOut: 1,
  entry: { prp1: 0, dataPointer: new DataView(new ArrayBuffer(16)) },
};

it('books maps, unmaps and pool growth where they belong', () => {
  let mapCalls = 0;
  const tracking = { taken: {}, takenBytes: 0, held: 0, peak: 0 };
  const ledger = new WorkLedger(() => ({ ...NO_WORK, mapCalls, unmapCalls: mapCalls * 2 }));
  ledger.stack = { tracking } as unknown as StorageStack;
  const pool = meteredSource<object>(
    {
      alloc: (bytes) => {
        mapCalls += 100;
        return bytes > 4096 ? null : {};
      },
      free: () => {
        mapCalls += 1000;
      },
    },
    ledger,
  );
  const block = ledger.map('two-step', () => {
    mapCalls += 3;
    tracking.takenBytes += 24;
    return pool.alloc(4096);
  });
  ledger.mapped('two-step', command);
  ledger.unmap('two-step', () => {
    mapCalls += 1;
  });
  expect(pool.alloc(8192)).toBeNull();
  pool.free(block as object);
  expect(ledger.poolPages).toBe(1);
  expect(ledger.classReport('two-step')).toEqual({
    ...NO_WORK,
    mapCalls: 4,
    unmapCalls: 8,
    requests: 1,
    bytes: 12288,
    segments: 2,
    dmaRangesOut: 1,
    trackingBytes: 24,
  });
  expect(ledger.classReport('single')).toMatchObject({ requests: 0, mapCalls: 0 });
});
