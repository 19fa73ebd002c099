// User memory: faults, sharing after fork, pins and their limits, watchers and their sequence numbers, range faults.
import { type ModelTask, PhysicalMemory, physAddr, physOfFrame, Scheduler } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { Errno } from '../errno.ts';
import { PageAllocator } from '../page-allocator.ts';
import { dupMm, exitMmap, migratePage, vmMunmap, zapPageRange } from './change-user-pages.ts';
import { HmmPfn, HmmPfns, hmmRangeFaultUnlockedTimeout } from './hmm-range-fault.ts';
import {
  type MmuIntervalNotifier,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
} from './mmu-interval-notifier.ts';
import { type GupFlags, type PinnedPage, pinUserPagesFast, unpinUserPage } from './pin-user-pages.ts';
import { ProcessMemory } from './process-memory.ts';
import { copyFromUser, copyToUser } from './user-copy.ts';
import { handleMmFault } from './user-fault.ts';

const PAGE = 4096;
const MIB = 2 ** 20;

function process() {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 64 * MIB);
  const pages = new PageAllocator(memory, { base: physAddr(16 * MIB), bytes: 32 * MIB });
  const scheduler = new Scheduler();
  const mm = new ProcessMemory({ memory, pages, scheduler });
  const run = <T>(body: ModelTask<T>): T => scheduler.runTask('test', body);
  const pin = (at: number, count: number, flags: GupFlags = { longterm: true, write: true }) => {
    const got: PinnedPage[] = [];
    return { count: run(pinUserPagesFast(mm, at, count, flags, got)), pages: got };
  };
  return { memory, pages, scheduler, mm, run, pin };
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('pinning', () => {
  it('keeps the frames of unmapped memory until the last pin goes', () => {
    const { pages, mm, run, pin } = process();
    const at = mm.mmap(3 * PAGE);
    const pinned = pin(at, 3);
    expect(pinned.count).toBe(3);
    run(vmMunmap(mm, at, 3 * PAGE));
    expect(pages.liveFrames).toBe(3);
    for (const page of pinned.pages) unpinUserPage(page, true);
    expect(pages.liveFrames).toBe(0);
    expect(pinned.pages.every(({ folio }) => folio.dirty)).toBe(true);
  });

  it('stops where the memory stops and says how far it came', () => {
    const { mm, pin } = process();
    const at = mm.mmap(2 * PAGE);
    expect(pin(at, 5).count).toBe(2);
    expect(pin(at + 2 * PAGE, 1).count).toBe(-Errno.EFAULT);
  });

  const refused: [string, GupFlags, 'pci-p2pdma' | 'io' | 'read-only', number][] = [
    ['peer pages for the long term', { longterm: true }, 'pci-p2pdma', -Errno.EREMOTEIO],
    [
      'peer pages that exclude the long term',
      { longterm: true, pciP2pdma: true },
      'pci-p2pdma',
      -Errno.EINVAL,
    ],
    ['peer pages that were asked for', { pciP2pdma: true }, 'pci-p2pdma', 1],
    ['a BAR without pages', { longterm: true }, 'io', -Errno.EFAULT],
    ['read-only memory to write', { longterm: true, write: true }, 'read-only', -Errno.EFAULT],
    ['read-only memory to read', { longterm: true }, 'read-only', 1],
  ];
  it.each(refused)('%s', (_name, flags, kind, expected) => {
    const { mm, pin } = process();
    const at = kind === 'read-only' ? mm.mmap(PAGE, { writable: false }) : mm.mmapFrames(kind, [0x80000]);
    expect(pin(at, 1, flags).count).toBe(expected);
  });

  it('fork copies a pinned page at once and shares the others until they are written', () => {
    const { pages, mm, run, pin, memory } = process();
    const at = mm.mmap(2 * PAGE);
    run(copyToUser(mm, at, bytesOf(1)));
    run(copyToUser(mm, at + PAGE, bytesOf(2)));
    const pinned = pin(at, 1);
    const child = run(dupMm(mm));
    if (!child.ok) throw new Error('fork failed');
    expect(pages.liveFrames).toBe(3);
    run(copyToUser(mm, at, bytesOf(7)));
    run(copyToUser(mm, at + PAGE, bytesOf(8)));
    expect(pages.liveFrames).toBe(4);
    const seen = new Uint8Array(1);
    memory.read(physOfFrame(pinned.pages[0]?.frame ?? 0), seen);
    expect(seen[0]).toBe(7);
    for (const [offset, value] of [
      [0, 1],
      [PAGE, 2],
    ] as const) {
      run(copyFromUser(child.value, at + offset, seen));
      expect(seen[0]).toBe(value);
    }
    for (const page of pinned.pages) unpinUserPage(page, false);
    run(exitMmap(mm));
    run(exitMmap(child.value));
    expect(pages.liveFrames).toBe(0);
  });

  it('a pinned page is not migrated, another is, with its bytes', () => {
    const { mm, run, pin } = process();
    const at = mm.mmap(2 * PAGE);
    run(copyToUser(mm, at, bytesOf(5)));
    const before = mm.ptes.get(at / PAGE)?.frame;
    expect(run(migratePage(mm, at))).toBe(0);
    expect(mm.ptes.get(at / PAGE)?.frame).not.toBe(before);
    const seen = new Uint8Array(1);
    run(copyFromUser(mm, at, seen));
    expect(seen[0]).toBe(5);
    pin(at, 1);
    expect(run(migratePage(mm, at))).toBe(-Errno.EBUSY);
    expect(run(migratePage(mm, at + PAGE))).toBe(-Errno.EFAULT);
  });

  it('memory that runs out is an error and leaves no page behind', () => {
    const { pages, mm, run } = process();
    const at = mm.mmap(2 * PAGE);
    run(copyToUser(mm, at, bytesOf(1)));
    run(copyToUser(mm, at + PAGE, bytesOf(1)));
    const held: PinnedPage[] = [];
    run(pinUserPagesFast(mm, at, 2, { longterm: true }, held));
    pages.failAfter = 1;
    expect(run(dupMm(mm))).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(pages.liveFrames).toBe(2);
  });
});

describe('watchers', () => {
  function watched() {
    const rig = process();
    const at = rig.mm.mmap(4 * PAGE);
    for (let page = 0; page < 4; page += 1) rig.run(copyToUser(rig.mm, at + page * PAGE, bytesOf(page)));
    const told: string[] = [];
    const sub = mmuIntervalNotifierInsert(rig.mm.notifiers, at + PAGE, 2 * PAGE, {
      *invalidate(self: MmuIntervalNotifier, range, seq): ModelTask<boolean> {
        if (!range.blockable) return false;
        yield { at: 'test:callback' };
        mmuIntervalSetSeq(self, seq);
        told.push(`${(range.start - at) / PAGE}-${(range.end - at) / PAGE}`);
        return true;
      },
    });
    return { ...rig, at, told, sub };
  }

  it('are told of overlapping changes only, before the pages go', () => {
    const { mm, run, at, told, sub } = watched();
    const seq = run(mmuIntervalReadBegin(sub));
    run(zapPageRange(mm, at, PAGE));
    expect(told).toEqual([]);
    expect(mmuIntervalReadRetry(sub, seq)).toBe(false);
    run(zapPageRange(mm, at, 2 * PAGE));
    expect(told).toEqual(['0-2']);
    expect(mmuIntervalReadRetry(sub, seq)).toBe(true);
    run(mmuIntervalNotifierRemove(sub));
    run(zapPageRange(mm, at, 4 * PAGE));
    expect(told).toEqual(['0-2']);
  });

  it('that must not sleep refuse, and nothing changes', () => {
    const { mm, run, at } = watched();
    expect(run(zapPageRange(mm, at, 4 * PAGE, false))).toBe(-Errno.EAGAIN);
    expect(mm.ptes.size).toBe(4);
    expect(run(zapPageRange(mm, at, 4 * PAGE))).toBe(0);
    expect(mm.ptes.size).toBe(0);
  });

  it('that refuse although they may sleep are not obeyed', () => {
    const { mm, run } = process();
    const at = mm.mmap(2 * PAGE);
    for (const page of [0, 1]) run(copyToUser(mm, at + page * PAGE, bytesOf(page)));
    let asked = 0;
    mmuIntervalNotifierInsert(mm.notifiers, at, 2 * PAGE, {
      *invalidate(): ModelTask<boolean> {
        yield { at: 'test:callback' };
        asked += 1;
        return false;
      },
    });
    expect([run(zapPageRange(mm, at, PAGE)), asked, mm.ptes.size]).toEqual([0, 1, 1]);
    expect([run(vmMunmap(mm, at, 2 * PAGE)), asked, mm.ptes.size]).toEqual([0, 2, 0]);
    expect(mm.notifiers.activeRanges).toBe(0);
  });

  it('that come while something is invalidated have collided until it is over', () => {
    const { mm, scheduler } = process();
    const seen: string[] = [];
    function* reader(): ModelTask<void> {
      yield* mm.notifiers.invalidateStart({ start: 0, end: PAGE, blockable: true });
      const sub = mmuIntervalNotifierInsert(mm.notifiers, 0, PAGE, {
        *invalidate(): ModelTask<boolean> {
          yield { at: 'test:callback' };
          return true;
        },
      });
      scheduler.spawn('end', endIt());
      const seq = yield* mmuIntervalReadBegin(sub);
      seen.push('read');
      expect(mmuIntervalReadRetry(sub, seq)).toBe(false);
      expect(mm.notifiers.watchers.has(sub)).toBe(true);
    }
    function* endIt(): ModelTask<void> {
      yield { at: 'test:late' };
      yield { at: 'test:later' };
      seen.push('ended');
      mm.notifiers.invalidateEnd();
    }
    scheduler.spawn('reader', reader());
    expect(scheduler.run().status).toBe('idle');
    expect(seen).toEqual(['ended', 'read']);
    expect(mm.notifiers.invalidateSeq % 2).toBe(0);
  });

  it('under every seed a read that passes the retry check saw the frames of now', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { mm, at, sub } = watched();
      const scheduler = new Scheduler({ seed });
      let good = 0;
      function* reader(): ModelTask<void> {
        for (let round = 0; round < 6; round += 1) {
          const seq = yield* mmuIntervalReadBegin(sub);
          const frame = mm.ptes.get(at / PAGE + 1)?.frame;
          yield { at: 'test:between' };
          if (mmuIntervalReadRetry(sub, seq)) continue;
          good += 1;
          // A page that comes is no change of what was seen.
          if (frame !== undefined) expect(mm.ptes.get(at / PAGE + 1)?.frame).toBe(frame);
        }
      }
      function* mover(): ModelTask<void> {
        for (let round = 0; round < 3; round += 1) yield* migrateUnlocked(mm, at + PAGE);
      }
      scheduler.spawn('reader', reader());
      scheduler.spawn('mover', mover());
      expect(scheduler.run().status).toBe('idle');
      expect(good).toBeGreaterThan(0);
    }
  });
});

/** Invalidates and moves one page as migration does; the mmap lock belongs to another scheduler. */
function* migrateUnlocked(mm: ProcessMemory, address: number): ModelTask<void> {
  yield* mm.notifiers.invalidateStart({ start: address, end: address + PAGE, blockable: true });
  mm.clearPte(address / PAGE);
  mm.notifiers.invalidateEnd();
  yield { at: 'test:refault' };
  yield* handleMmFault(mm, address, true);
}

describe('range fault', () => {
  it('a snapshot shows what is there; a fault brings the rest, writable when asked', () => {
    const { mm, run } = process();
    const at = mm.mmap(3 * PAGE);
    run(copyToUser(mm, at + PAGE, bytesOf(1)));
    const notifier = mmuIntervalNotifierInsert(mm.notifiers, at, 3 * PAGE, {
      *invalidate(self, _range, seq): ModelTask<boolean> {
        yield { at: 'test:callback' };
        mmuIntervalSetSeq(self, seq);
        return true;
      },
    });
    const pfns = new HmmPfns(3);
    pfns.flags[1] = HmmPfn.DMA_MAPPED;
    const look = (fault: boolean, write: boolean): number =>
      run(
        hmmRangeFaultUnlockedTimeout(
          mm,
          { notifier, notifierSeq: 0, start: at, end: at + 3 * PAGE, pfns, first: 0, fault, write },
          1000,
        ),
      );
    expect(look(false, false)).toBe(0);
    expect([...pfns.flags]).toEqual([0, HmmPfn.VALID + HmmPfn.WRITE + HmmPfn.DMA_MAPPED, 0]);
    expect(look(true, true)).toBe(0);
    expect([...pfns.flags].every((flags) => (flags & HmmPfn.WRITE) !== 0)).toBe(true);
    expect((pfns.flags[1] ?? 0) & HmmPfn.DMA_MAPPED).toBe(HmmPfn.DMA_MAPPED);
    run(vmMunmap(mm, at, 3 * PAGE));
    expect(look(true, false)).toBe(-Errno.EFAULT);
  });

  it('a write to what is read-only is not permitted, and memory that runs out is a bad address', () => {
    const { pages, mm, run } = process();
    const fixed = mm.mmap(PAGE, { writable: false });
    const at = mm.mmap(PAGE);
    const notifier = mmuIntervalNotifierInsert(mm.notifiers, fixed, at + PAGE - fixed, {
      *invalidate(self, _range, seq): ModelTask<boolean> {
        yield { at: 'test:callback' };
        mmuIntervalSetSeq(self, seq);
        return true;
      },
    });
    const look = (start: number, write: boolean): number => {
      const range = { start, end: start + PAGE, pfns: new HmmPfns(1), first: 0, fault: true, write };
      return run(hmmRangeFaultUnlockedTimeout(mm, { notifier, notifierSeq: 0, ...range }, 1000));
    };
    expect(look(fixed, true)).toBe(-Errno.EPERM);
    expect(look(fixed, false)).toBe(0);
    pages.failAfter = 0;
    expect(look(at, true)).toBe(-Errno.EFAULT);
  });

  it('huge memory is brought whole and its order is told', () => {
    const { pages, mm, run } = process();
    const at = mm.mmap(2 * MIB, { huge: true });
    run(copyToUser(mm, at + 5 * PAGE, bytesOf(1)));
    expect(pages.liveFrames).toBe(512);
    expect(mm.ptes.get(at / PAGE + 511)?.folio.order).toBe(9);
    expect(run(vmMunmap(mm, at, PAGE))).toBe(-Errno.EINVAL);
    expect(run(zapPageRange(mm, at + PAGE, PAGE))).toBe(-Errno.EINVAL);
    expect(mm.ptes.size).toBe(512);
    expect(run(zapPageRange(mm, at, 2 * MIB))).toBe(0);
    expect([mm.ptes.size, pages.liveFrames]).toEqual([0, 0]);
    run(copyToUser(mm, at + 5 * PAGE, bytesOf(1)));
    expect(run(vmMunmap(mm, at, 2 * MIB))).toBe(0);
    expect(pages.liveFrames).toBe(0);
  });
});
