// Translation through root, context and page tables in memory, in both modes, and what each broken entry is answered with.
import { describe, expect, test } from 'vitest';
import { LARGE, RW, VtdRig } from '../../test/vtd-rig.ts';
import {
  recordedVtdCapabilitiesScalable,
  VtdCommand,
  VtdFaultReason,
  VtdRegister,
  VtdRootMode,
} from '../index.ts';

const DEVICE = 0x0108;
const DOMAIN = 24;
const PAGE = 0x12345;

const lastReason = (rig: VtdRig): number => {
  const words = [0, 1, 2, 3].map((word) => rig.unit.faults.readWord(0, word));
  return (words[3] as number) & 0xff;
};

describe('second stage, legacy mode', () => {
  test('nothing is translated before translation is enabled', () => {
    const rig = new VtdRig();
    rig.unit.writeRegister32(VtdRegister.GCMD, VtdCommand.queueEnable);
    expect(rig.unit.translationEnabled).toBe(false);
    expect(rig.translate(DEVICE, PAGE)).toBe(PAGE);
    expect(rig.unit.counters.translations).toBe(0);
  });

  test.each([3, 4])('a page through %i levels, and its neighbours are not there', (levels) => {
    const rig = new VtdRig();
    rig.map(rig.attach(DEVICE, DOMAIN, levels), PAGE, 0xabc, RW, 0, levels);
    expect(rig.unit.translate(DEVICE, rig.address(PAGE), true)).toBe(0xabc000);
    expect(rig.translate(DEVICE, PAGE - 1)).toBe(-1);
    expect(rig.translate(DEVICE, PAGE + 1)).toBe(-1);
    expect(rig.unit.counters).toMatchObject({ walks: 3, contextLookups: 1, faults: 2 });
  });

  test('leaves of 2 MiB and 1 GiB translate every page in them', () => {
    const rig = new VtdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, 512, 0x400, RW, 1);
    rig.map(root, 2 * 512 * 512, 0x40000, RW, 2);
    expect(rig.translate(DEVICE, 512 + 511)).toBe(0x400 + 511);
    expect(rig.translate(DEVICE, 2 * 512 * 512 + 0x31234)).toBe(0x40000 + 0x31234);
    expect(rig.unit.iotlb.live).toBe(2);
  });

  test('permissions are those of all levels together', () => {
    const rig = new VtdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    const above = rig.slot(root, PAGE, 1);
    above[0] = (above[0] as number) & ~2;
    expect(rig.translate(DEVICE, PAGE, false)).toBe(0x500);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(lastReason(rig)).toBe(VtdFaultReason.writeNotPermitted);
  });

  test('pass-through leaves addresses as they are, up to the width of the entry', () => {
    const rig = new VtdRig();
    rig.contextEntry(DEVICE).set([0x9, 0, 0x102, 0]);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(PAGE);
    expect(rig.unit.counters.passThrough).toBe(1);
    expect(rig.translate(DEVICE, 2 ** 36, true)).toBe(-1);
    expect(lastReason(rig)).toBe(VtdFaultReason.addressBeyondWidth);
  });

  test('the interrupt range is not translated, even where the tables map it; a read there finds nobody', () => {
    const rig = new VtdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    for (const page of [0xfedff, 0xfee00, 0xfeeff, 0xfef00]) rig.map(root, page, 0x500, RW);
    const seen = (write: boolean): number[] =>
      [0xfedff, 0xfee00, 0xfeeff, 0xfef00].map((page) => rig.translate(DEVICE, page, write));
    expect(seen(true)).toEqual([0x500, 0xfee00, 0xfeeff, 0x500]);
    expect(seen(false)).toEqual([0x500, -1, -1, 0x500]);
    expect(rig.unit.counters.faults).toBe(0);
  });

  const broken: readonly [string, number, boolean, (rig: VtdRig, root: number) => void][] = [
    ['no root entry', VtdFaultReason.rootNotPresent, false, (rig) => rig.rootWords.fill(0)],
    ['reserved root bit', VtdFaultReason.rootReserved, false, (rig) => setWord(rig.rootWords, 6, 1)],
    [
      'context table outside RAM',
      VtdFaultReason.contextUnreadable,
      false,
      (rig) => setWord(rig.rootWords, 5, 1),
    ],
    ['no context entry', VtdFaultReason.contextNotPresent, true, (rig) => rig.contextEntry(DEVICE).fill(0)],
    [
      'reserved context bit',
      VtdFaultReason.contextReserved,
      false,
      (rig) => setWord(rig.contextEntry(DEVICE), 3, 1),
    ],
    [
      'domain id beyond CAP.ND',
      VtdFaultReason.contextReserved,
      false,
      (rig) => setWord(rig.contextEntry(DEVICE), 2, 0x1000 * 256 + 2),
    ],
    ['type 3', VtdFaultReason.contextInvalid, false, (rig) => addBits(rig.contextEntry(DEVICE), 0, 0xc)],
    [
      'type 1 without ATS',
      VtdFaultReason.contextInvalid,
      false,
      (rig) => addBits(rig.contextEntry(DEVICE), 0, 0x4),
    ],
    [
      '5 levels where 4 is most',
      VtdFaultReason.contextInvalid,
      false,
      (rig) => setWord(rig.contextEntry(DEVICE), 2, DOMAIN * 256 + 3),
    ],
    ['no page, read', VtdFaultReason.readNotPermitted, false, (rig, root) => rig.map(root, PAGE, 0, 0)],
    ['no page, write', VtdFaultReason.writeNotPermitted, true, (rig, root) => rig.map(root, PAGE, 0, 0)],
    ['no table', VtdFaultReason.writeNotPermitted, true, (rig, root) => rig.slot(root, PAGE, 2).fill(0)],
    [
      'snoop bit without support',
      VtdFaultReason.pagingEntryReserved,
      false,
      (rig, root) => addBits(rig.slot(root, PAGE), 0, 0x800),
    ],
    [
      'large leaf at the top',
      VtdFaultReason.pagingEntryReserved,
      false,
      (rig, root) => addBits(rig.slot(root, PAGE, 3), 0, LARGE),
    ],
    [
      'table outside RAM',
      VtdFaultReason.nextTableUnreadable,
      false,
      (rig, root) => setWord(rig.slot(root, PAGE, 1), 1, 1),
    ],
  ];
  test.each(broken)('%s', (_title, reason, write, breakIt) => {
    // 4096 domains, no snoop control.
    const rig = new VtdRig({ capabilities: { cap: [0x222f0604, 0x00d2008c], ecap: [0x0e42, 0] } });
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    breakIt(rig, root);
    expect(rig.translate(DEVICE, PAGE, write)).toBe(-1);
    expect(lastReason(rig)).toBe(reason);
    expect(rig.unit.iotlb.live).toBe(0);
  });

  test('FPD keeps a fault out of the log, the request is blocked all the same', () => {
    const rig = new VtdRig();
    rig.attach(DEVICE, DOMAIN);
    addBits(rig.contextEntry(DEVICE), 0, 2);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    expect(rig.unit.counters.faults).toBe(1);
    expect(rig.unit.readRegister32(VtdRegister.FSTS)).toBe(0);
  });

  test('abort-all refuses everything and records nothing', () => {
    const rig = new VtdRig();
    rig.attach(DEVICE, DOMAIN);
    rig.unit.writeRegister64(VtdRegister.RTADDR, [0x100000 + VtdRootMode.abortAll * 0x400, 0]);
    rig.unit.writeRegister32(
      VtdRegister.GCMD,
      (VtdCommand.translationEnable | VtdCommand.setRootPointer) >>> 0,
    );
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    expect(rig.unit.readRegister32(VtdRegister.FSTS)).toBe(0);
  });
});

describe('scalable mode', () => {
  const FIRST_STAGE = 0x8000;
  const newRig = (ecapHigh = 0x4800) =>
    new VtdRig({
      scalable: true,
      wide: true,
      capabilities: { ...recordedVtdCapabilitiesScalable, ecap: [0x80f00f4a, ecapHigh] },
    });

  test('second stage through context, PASID directory and PASID table, in both halves of a bus', () => {
    const rig = newRig();
    for (const [at, sourceId] of [0x0010, 0x0090, 0x0110].entries()) {
      rig.map(rig.attach(sourceId, DOMAIN + at), PAGE, 0x500 + at, RW);
    }
    expect([0x0010, 0x0090, 0x0110].map((sourceId) => rig.translate(sourceId, PAGE))).toEqual([
      0x500, 0x501, 0x502,
    ]);
    expect(rig.contextEntry(0x0010)[0]).toBe(((rig.contextEntry(0x0010)[0] as number) & ~0xfff) + 0x401);
  });

  test('first stage: x86-64 tables of four levels, the lower half only', () => {
    const rig = newRig(0x4800 + FIRST_STAGE);
    const root = rig.newFrame();
    rig.pasidEntry(DEVICE).set([(2 << 2) + (1 << 6) + 1, 0, DOMAIN, 0, root * 4096, 0]);
    rig.slot(root, PAGE);
    // The tables above the page carry second-stage bits: they become present, writable, user, accessed.
    for (const level of [3, 2, 1]) {
      const entry = rig.slot(root, PAGE, level);
      setWord(entry, 0, ((entry[0] as number) & ~0xfff) + 0x27);
    }
    rig.slot(root, PAGE).set([0x500 * 4096 + 0x67, 0]);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
    expect(rig.translate(DEVICE, PAGE + 1)).toBe(-1);
    expect(lastReason(rig)).toBe(VtdFaultReason.firstStageNotPresent);
    expect(rig.translate(DEVICE, 2 ** 35)).toBe(-1);
    expect(rig.unit.counters.faults).toBe(2);
  });

  test('pass-through', () => {
    const rig = newRig();
    rig.pasidEntry(DEVICE).set([(2 << 2) + (4 << 6) + 1, 0, 1, 0]);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(PAGE);
  });

  const broken: readonly [string, number, (rig: VtdRig) => void][] = [
    ['no root half', VtdFaultReason.scalableRootNotPresent, (rig) => rig.rootWords.fill(0)],
    ['reserved root bit', VtdFaultReason.scalableRootReserved, (rig) => addBits(rig.rootWords, 4, 2)],
    ['no context entry', VtdFaultReason.scalableContextNotPresent, (rig) => rig.contextEntry(DEVICE).fill(0)],
    [
      'reserved context bit',
      VtdFaultReason.scalableContextReserved,
      (rig) => addBits(rig.contextEntry(DEVICE), 0, 0x100),
    ],
    [
      'reserved bit behind RID_PASID',
      VtdFaultReason.scalableContextReserved,
      (rig) => setWord(rig.contextEntry(DEVICE), 2, 0x200000),
    ],
    [
      'reserved context word',
      VtdFaultReason.scalableContextReserved,
      (rig) => setWord(rig.contextEntry(DEVICE), 7, 1),
    ],
    [
      'ATS in a unit without',
      VtdFaultReason.scalableContextReserved,
      (rig) => addBits(rig.contextEntry(DEVICE), 0, 4),
    ],
    [
      'context table address beyond the platform',
      VtdFaultReason.scalableRootReserved,
      (rig) => setWord(rig.rootWords, 5, 0x10000),
    ],
    [
      'directory address beyond the platform',
      VtdFaultReason.scalableContextReserved,
      (rig) => setWord(rig.contextEntry(DEVICE), 1, 0x10000),
    ],
    [
      'RID_PASID just inside the directory',
      VtdFaultReason.pasidDirectoryNotPresent,
      (rig) => setWord(rig.contextEntry(DEVICE), 2, 0x7fff),
    ],
    [
      'RID_PASID behind the directory',
      VtdFaultReason.ridPasidInvalid,
      (rig) => setWord(rig.contextEntry(DEVICE), 2, 0x8000),
    ],
    ['reserved directory bit', VtdFaultReason.pasidDirectoryReserved, (rig) => addBits(directory(rig), 0, 4)],
    [
      'PASID table address beyond the platform',
      VtdFaultReason.pasidDirectoryReserved,
      (rig) => setWord(directory(rig), 1, 0x10000),
    ],
    [
      'reserved PASID entry bit',
      VtdFaultReason.pasidReserved,
      (rig) => addBits(rig.pasidEntry(DEVICE), 0, 0x400),
    ],
    ['no directory entry', VtdFaultReason.pasidDirectoryNotPresent, (rig) => directory(rig).fill(0, 0, 2)],
    ['no PASID entry', VtdFaultReason.pasidNotPresent, (rig) => rig.pasidEntry(DEVICE).fill(0)],
    [
      'first stage without support',
      VtdFaultReason.pasidInvalid,
      (rig) => setWord(rig.pasidEntry(DEVICE), 0, 0x49),
    ],
    ['nested', VtdFaultReason.pasidInvalid, (rig) => setWord(rig.pasidEntry(DEVICE), 0, 0xc9)],
    [
      'no page',
      VtdFaultReason.secondStageDenied,
      (rig) => setWord(rig.pasidEntry(DEVICE), 0, rig.newFrame() * 4096 + 0x89),
    ],
  ];
  test.each(broken)('%s', (_title, reason, breakIt) => {
    const rig = newRig();
    rig.map(rig.attach(DEVICE, DOMAIN), PAGE, 0x500, RW);
    breakIt(rig);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    expect(lastReason(rig)).toBe(reason);
  });

  test.each([
    ['context entry', (rig: VtdRig) => rig.contextEntry(DEVICE)],
    ['directory entry', (rig: VtdRig) => directory(rig)],
    ['PASID entry', (rig: VtdRig) => rig.pasidEntry(DEVICE)],
  ])('FPD in the %s keeps a missing page out of the log', (_title, entryOf) => {
    const rig = newRig();
    rig.attach(DEVICE, DOMAIN);
    addBits(entryOf(rig), 0, 2);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    expect(rig.unit.counters.faults).toBe(1);
    expect(rig.unit.readRegister32(VtdRegister.FSTS)).toBe(0);
  });

  const directory = (rig: VtdRig): Uint32Array =>
    rig.memory.frameWords((rig.contextEntry(DEVICE)[0] as number) >>> 12);
});

function setWord(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
}

function addBits(words: Uint32Array, at: number, bits: number): void {
  words[at] = ((words[at] as number) | bits) >>> 0;
}
