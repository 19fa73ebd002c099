// What takes pages away: who is told when, which pages stay, and what two changes at once leave.
import { type ModelTask, PhysicalMemory, physAddr, physOfFrame, Scheduler } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { Errno } from '../errno.ts';
import { PageAllocator } from '../page-allocator.ts';
import { dupMm, exitMmap, migratePage, vmMunmap, zapPageRange } from './change-user-pages.ts';
import { mmuIntervalNotifierInsert, mmuIntervalSetSeq } from './mmu-interval-notifier.ts';
import { type PinnedPage, pinUserPagesFast, unpinUserPage } from './pin-user-pages.ts';
import { ProcessMemory } from './process-memory.ts';
import { copyFromUser, copyToUser } from './user-copy.ts';
import type { UserPte } from './vm-area.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const TO_WRITE = { longterm: true, write: true } as const;

function process(seed = 1) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 64 * MIB);
  const pages = new PageAllocator(memory, { base: physAddr(16 * MIB), bytes: 32 * MIB });
  const scheduler = new Scheduler({ seed });
  const mm = new ProcessMemory({ memory, pages, scheduler });
  const run = <T>(body: ModelTask<T>): T => scheduler.runTask('test', body);
  const at = mm.mmap(2 * PAGE);
  run(copyToUser(mm, at, Uint8Array.of(1, 2)));
  const pte = (): UserPte | undefined => mm.ptes.get(at / PAGE);
  const byte = (): number => {
    const seen = new Uint8Array(1);
    run(copyFromUser(mm, at, seen));
    return seen[0] ?? -1;
  };
  const fork = (): ProcessMemory => {
    const child = run(dupMm(mm));
    if (!child.ok) throw new Error('fork failed');
    return child.value;
  };
  return { memory, pages, scheduler, mm, run, at, pte, byte, fork };
}

/** Watches the first page; `during` runs in the callback, after it has slept. */
function watch({ mm, at }: ReturnType<typeof process>, during: () => void): void {
  mmuIntervalNotifierInsert(mm.notifiers, at, PAGE, {
    *invalidate(self, _range, seq): ModelTask<boolean> {
      yield { at: 'test:callback' };
      mmuIntervalSetSeq(self, seq);
      during();
      return true;
    },
  });
}

describe('a watcher', () => {
  const changes: [string, (rig: ReturnType<typeof process>) => ModelTask<unknown>, boolean][] = [
    ['munmap', ({ mm, at }) => vmMunmap(mm, at, PAGE), true],
    ['zapping', ({ mm, at }) => zapPageRange(mm, at, PAGE), true],
    ['exit', ({ mm }) => exitMmap(mm), true],
    ['migration', ({ mm, at }) => migratePage(mm, at), true],
    ['a write to a shared page', ({ mm, at }) => copyToUser(mm, at, Uint8Array.of(9)), true],
    ['fork', ({ mm }) => dupMm(mm), false],
  ];
  it.each(changes)('is told of %s while the page is still there, and once', (name, change, goes) => {
    const rig = process();
    if (name.startsWith('a write')) rig.fork();
    const before = rig.pte();
    const seen: unknown[] = [];
    watch(rig, () => seen.push([rig.pte(), rig.pages.liveFrames]));
    const frames = rig.pages.liveFrames;
    rig.run(change(rig));
    expect(seen).toEqual([[before, frames]]);
    expect(rig.pte()?.frame === before?.frame).toBe(!goes);
  });

  it('is not told when the last process writes to a page that was shared: it keeps its frame', () => {
    const rig = process();
    rig.run(exitMmap(rig.fork()));
    const before = rig.pte()?.frame;
    let told = 0;
    watch(rig, () => {
      told += 1;
    });
    expect(rig.run(copyToUser(rig.mm, rig.at, Uint8Array.of(9)))).toBe(0);
    expect([rig.pte()?.frame, rig.pte()?.writable, told, rig.pages.liveFrames]).toEqual([before, true, 0, 1]);
  });
});

describe('migration', () => {
  it('takes along what a device writes until the watchers have let go', () => {
    const rig = process();
    const frame = rig.pte()?.frame ?? 0;
    watch(rig, () => rig.memory.write(physOfFrame(frame), Uint8Array.of(77)));
    expect(rig.run(migratePage(rig.mm, rig.at))).toBe(0);
    expect([rig.pte()?.frame === frame, rig.byte(), rig.pages.liveFrames]).toEqual([false, 77, 1]);
  });

  it.each([true, false])('keeps a page dirty or clean (%s)', (dirty) => {
    const rig = process();
    const before = rig.pte();
    if (before === undefined) throw new Error('no page');
    before.folio.dirty = dirty;
    expect(rig.run(migratePage(rig.mm, rig.at))).toBe(0);
    expect([rig.pte()?.folio === before.folio, rig.pte()?.folio.dirty]).toEqual([false, dirty]);
  });

  it('keeps a page read-only', () => {
    const { mm, run } = process();
    const at = mm.mmap(PAGE, { writable: false });
    run(copyFromUser(mm, at, new Uint8Array(1)));
    expect(run(migratePage(mm, at))).toBe(0);
    expect(mm.ptes.get(at / PAGE)?.writable).toBe(false);
  });

  it('leaves a page alone that another process shows, too', () => {
    const rig = process();
    const child = rig.fork();
    const before = rig.pte();
    expect(rig.run(migratePage(rig.mm, rig.at))).toBe(-Errno.EBUSY);
    expect([rig.pte(), child.ptes.get(rig.at / PAGE)?.frame]).toEqual([before, before?.frame]);
    expect([rig.mm.notifiers.activeRanges, rig.mm.mmapLock.tryWriteLock()]).toEqual([0, true]);
  });

  it('leaves a page alone that is pinned before the watchers have been told, under every seed tried', () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const rig = process(seed);
      const before = rig.pte();
      watch(rig, () => undefined);
      const pinned: PinnedPage[] = [];
      const move = rig.scheduler.spawn('move', migratePage(rig.mm, rig.at));
      rig.scheduler.spawn('pin', pinUserPagesFast(rig.mm, rig.at, 1, TO_WRITE, pinned));
      expect(rig.scheduler.run().status).toBe('idle');
      // Whichever came first, the pin holds the page that the process has.
      expect(pinned.map(({ folio }) => folio)).toEqual([rig.pte()?.folio]);
      expect([rig.pte()?.folio.pins, rig.pages.liveFrames]).toEqual([1, 1]);
      expect(rig.pte() === before).toBe(move.result === -Errno.EBUSY);
      seen.add(move.result ?? 1);
    }
    expect([...seen].sort((one, other) => one - other)).toEqual([-Errno.EBUSY, 0]);
  });

  it('of a page that goes meanwhile brings nothing back, under every seed tried', () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const rig = process(seed);
      watch(rig, () => undefined);
      const move = rig.scheduler.spawn('move', migratePage(rig.mm, rig.at));
      rig.scheduler.spawn('zap', zapPageRange(rig.mm, rig.at, PAGE));
      expect(rig.scheduler.run().status).toBe('idle');
      expect([rig.pte(), rig.pages.liveFrames]).toEqual([undefined, 0]);
      seen.add(move.result ?? 1);
    }
    expect(seen).toContain(-Errno.EBUSY);
  });
});

describe('a write to a shared page', () => {
  it('by two at once makes one copy, which both pin, under every seed tried', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const rig = process(seed);
      const child = rig.fork();
      watch(rig, () => undefined);
      const pinned: PinnedPage[] = [];
      for (const name of ['first', 'second']) {
        rig.scheduler.spawn(name, pinUserPagesFast(rig.mm, rig.at, 1, TO_WRITE, pinned));
      }
      expect(rig.scheduler.run().status).toBe('idle');
      const mine = rig.pte();
      expect(pinned.map(({ folio }) => folio)).toEqual([mine?.folio, mine?.folio]);
      expect([mine?.folio.pins, mine?.folio.mapCount, rig.pages.liveFrames]).toEqual([2, 1, 2]);
      expect(child.ptes.get(rig.at / PAGE)?.frame).not.toBe(mine?.frame);
      for (const page of pinned) unpinUserPage(page, false);
      for (const each of [rig.mm, child]) rig.run(exitMmap(each));
      expect(rig.pages.liveFrames).toBe(0);
    }
  });
});
