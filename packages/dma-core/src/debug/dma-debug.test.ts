// The checker as a whole: what is printed, where it stops, cachelines, entries that are handed out again, and what an
// address is told that the kernel only calls unknown.

import { addOffset, type DmaAddr, dmaAddr, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { mapped, testMachine } from '../../test/vtd-machine.ts';
import {
  checkDmaAccess,
  type DmaAttrs,
  DmaDebug,
  type DmaDebugFinding,
  type DmaDebugOptions,
  dmaAllocAttrs,
  dmaDebugDeviceChange,
  dmaDebugLine,
  dmaDevNeedSync,
  dmaFreeAttrs,
  dmaMapPhys,
  dmaMappingError,
  dmaNeedUnmap,
  dmaSyncSingleForCpu,
  dmaUnmapPhys,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
} from '../index.ts';

const PAGE = 4096;
const BUFFER = 0x100_0000;

function watched(options: DmaDebugOptions = {}, iommu = true) {
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ ...options, onFinding: (finding) => findings.push(finding) });
  const machine = testMachine({ platform: { debug } });
  const { dev, domain } = machine;
  const other = pciDevice({ name: '0000:00:09.0', platform: dev.platform });
  for (const each of [dev, other]) iommuSetupDmaOps(each, iommu ? domain : null);
  const map = (phys = BUFFER, attrs: DmaAttrs = NO_ATTRS, size = PAGE): DmaAddr => {
    const address = mapped(dmaMapPhys(dev, physAddr(phys), size, 'from-device', attrs));
    dmaMappingError(dev, address);
    return address;
  };
  const unmap = (address: DmaAddr, attrs: DmaAttrs = NO_ATTRS, size = PAGE): void =>
    dmaUnmapPhys(dev, address, size, 'from-device', attrs);
  const rules = (): string[] => findings.splice(0).map(({ rule }) => rule);
  return { ...machine, other, debug, findings, map, unmap, rules };
}

/** An address that nothing was mapped at. */
const WILD = dmaAddr(0x7777_7000);

describe('what is printed', () => {
  const printed = ({ findings }: ReturnType<typeof watched>): boolean[] =>
    findings.filter(({ rule }) => rule.startsWith('dma-debug')).map((finding) => finding.printed);

  it('the first error only, every error counted', () => {
    const machine = watched();
    for (const _ of [1, 2, 3]) machine.unmap(WILD);
    expect(printed(machine)).toEqual([true, false, false]);
    expect(machine.debug.report).toMatchObject({ errorCount: 3, numErrors: 0 });
  });

  it('as many as asked for, or all', () => {
    const some = watched({ numErrors: 2 });
    const all = watched({ allErrors: true });
    for (const machine of [some, all]) for (const _ of [1, 2, 3]) machine.unmap(WILD);
    expect([printed(some), printed(all)]).toEqual([
      [true, true, false],
      [true, true, true],
    ]);
    expect(all.debug.report.numErrors).toBe(1);
  });

  it('only those of the filtered driver, and a hidden one uses up its turn', () => {
    const machine = watched({ driverFilter: 'nvme', numErrors: 2 });
    machine.unmap(WILD);
    machine.dev.driver = 'nvme';
    machine.unmap(WILD);
    machine.unmap(WILD);
    expect(printed(machine)).toEqual([false, true, false]);
    expect(machine.findings.map(({ driver }) => driver)).toEqual(
      ['pci', 'pci', 'nvme', 'nvme', 'nvme', 'nvme'], // each with the finding that explains it
    );
  });

  it('what a driver left is not printed under its filter: it has no name any more', () => {
    const machine = watched({ driverFilter: 'nvme' });
    machine.dev.driver = 'nvme';
    machine.map();
    machine.dev.driver = null;
    dmaDebugDeviceChange(machine.dev);
    const leaked = { rule: 'dma-debug-leaked-at-unbind', driver: 'pci', printed: false };
    expect(machine.findings).toMatchObject([leaked]);
  });

  it('as a line: driver, device, words, numbers', () => {
    const machine = watched();
    machine.dev.driver = 'nvme';
    machine.unmap(WILD);
    expect(dmaDebugLine(machine.findings[0] as DmaDebugFinding)).toBe(
      'DMA-API: nvme 0000:00:08.0: tries to free DMA memory it has not allocated' +
        ' [address=0x77777000] [size=0x1000] [candidates=0]',
    );
  });

  it('findings reach their receiver with the log off, and the log without a receiver', () => {
    const machine = watched();
    machine.log.enabled = false;
    machine.unmap(WILD);
    expect(machine.rules()).toEqual(['dma-debug-free-unknown', 'dma-shadow-unknown-address']);
    expect(machine.log.events.filter(({ kind }) => kind === 'violation')).toEqual([]);
    expect(machine.debug.report.counts.get('dma-debug-free-unknown')).toBe(1);
  });
});

describe('being there', () => {
  it('makes the DMA layer go through all motions, even when switched off', () => {
    const machine = watched({ disabled: true }, false);
    expect(machine.dev.dmaSkipSync).toBe(true);
    expect([dmaDevNeedSync(machine.dev), dmaNeedUnmap(machine.dev)]).toEqual([true, true]);
    machine.unmap(WILD);
    expect(machine.rules()).toEqual([]);
    machine.dev.platform.debug = null;
    expect([dmaDevNeedSync(machine.dev), dmaNeedUnmap(machine.dev)]).toEqual([false, false]);
  });

  it('entries come in pages of 32, and are counted', () => {
    const { debug, map, unmap } = watched({ entries: 33 });
    const addresses = Array.from({ length: 65 }, (_, at) => map(BUFFER + at * PAGE));
    expect(debug.pool).toMatchObject({ total: 96, free: 31, leastFree: 0 });
    for (const address of addresses) unmap(address);
    expect(debug.pool).toMatchObject({ total: 96, free: 96, leastFree: 0 });
  });

  it('has no entries where not even one page finds memory', () => {
    const { debug, map, rules } = watched({ mostEntries: 31 });
    expect(debug.pool.total).toBe(0);
    map();
    expect([debug.disabled, rules()]).toEqual([true, ['dma-debug-out-of-memory']]);
    expect(watched({ mostEntries: 65 }).debug.pool.total).toBe(64);
  });

  it('stops for good when entries run out: later misuse is not seen', () => {
    const { debug, map, unmap, rules } = watched({ entries: 32, mostEntries: 32 });
    for (let at = 0; at < 33; at += 1) map(BUFFER + at * PAGE);
    expect(rules()).toEqual(['dma-debug-out-of-memory']);
    unmap(WILD);
    expect([debug.disabled, rules()]).toEqual([true, []]);
  });

  it('does not track a block without kernel mapping on the direct map', () => {
    const attrs = { noKernelMapping: true };
    for (const [iommu, tracked] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const { dev, debug, rules } = watched({}, iommu);
      const block = dmaAllocAttrs(dev, PAGE, attrs);
      expect(debug.liveMappings).toBe(tracked);
      if (block !== null) dmaFreeAttrs(dev, block, attrs);
      expect(rules()).toEqual([]);
    }
  });
});

describe('the mapping error question', () => {
  it('marks one mapping of an address, the first that was not asked about', () => {
    const { dev, map, unmap, rules } = watched({}, false);
    const first = map();
    dmaMapPhys(dev, physAddr(BUFFER), PAGE, 'from-device', NO_ATTRS);
    unmap(first);
    unmap(first);
    expect(rules()).toEqual(['dma-debug-unchecked-map-error']);
  });

  it('is asked by the checker itself at every mapping, which marks an older one of the same address', () => {
    const { dev, unmap, rules } = watched({}, false);
    const sizes = [PAGE, 128, 64];
    for (const size of sizes) dmaMapPhys(dev, physAddr(BUFFER), size, 'from-device', NO_ATTRS);
    for (const size of sizes) {
      unmap(dmaAddr(BUFFER), NO_ATTRS, size);
      expect(rules()).toEqual(size === 64 ? ['dma-debug-unchecked-map-error'] : []);
    }
  });

  it('is asked by the checker itself when it finds no entry, which marks one', () => {
    const { dev, unmap, rules } = watched({}, false);
    for (const size of [PAGE, 64]) dmaMapPhys(dev, physAddr(BUFFER), size, 'from-device', NO_ATTRS);
    unmap(dmaAddr(BUFFER), NO_ATTRS, 128);
    expect(rules()).toEqual(['dma-debug-free-unknown']);
    unmap(dmaAddr(BUFFER));
    unmap(dmaAddr(BUFFER), NO_ATTRS, 64);
    expect(rules()).toEqual([]);
  });
});

describe('a sync of DMA_MAPPING_ERROR, whose end wraps around 2^64', () => {
  const FAILED = -1 as DmaAddr;

  it('is lost on Linux as soon as one mapping reaches far enough, not on us', () => {
    const { dev, map, rules } = watched({}, false);
    dmaSyncSingleForCpu(dev, FAILED, PAGE, 'from-device');
    expect(rules()).toEqual(['dma-debug-sync-unknown', 'dma-shadow-unknown-address']);
    map();
    dmaSyncSingleForCpu(dev, FAILED, PAGE, 'from-device');
    expect(rules()).toEqual(['dma-shadow-unknown-address']);
    dmaSyncSingleForCpu(dev, FAILED, PAGE, 'bidirectional');
    expect(rules()).toEqual(['dma-debug-sync-direction', 'dma-shadow-unknown-address']);
    dmaSyncSingleForCpu(dev, FAILED, 2 * BUFFER, 'from-device');
    expect(rules()).toEqual(['dma-debug-sync-unknown', 'dma-shadow-unknown-address']);
  });

  it('is not found where several mappings of one bucket do', () => {
    const { dev, map, rules } = watched({}, false);
    for (const phys of [BUFFER, BUFFER + PAGE]) map(phys);
    dmaSyncSingleForCpu(dev, FAILED, PAGE, 'from-device');
    expect(rules()).toEqual(['dma-debug-sync-unknown']);
  });
});

describe('cachelines', () => {
  const clean = { debuggingIgnoreCachelines: true };
  const overlap = (options: DmaDebugOptions, ...attrs: readonly DmaAttrs[]): string[] => {
    const { map, rules } = watched(options);
    for (const each of attrs) map(BUFFER, each);
    return rules();
  };

  it.each<[string, DmaDebugOptions, readonly DmaAttrs[], readonly string[]]>([
    ['plain', { cacheAlignment: 64 }, [{}, {}], ['dma-debug-cacheline-overlap']],
    ['on x86-64', {}, [{}, {}], []],
    ['alignment below a line', { cacheAlignment: 32 }, [{}, {}], []],
    ['the new one skips the sync', { cacheAlignment: 64 }, [{}, { skipCpuSync: true }], []],
    [
      'only the old one skips it',
      { cacheAlignment: 64 },
      [{ skipCpuSync: true }, {}],
      ['dma-debug-cacheline-overlap'],
    ],
    ['both meant', { cacheAlignment: 64 }, [clean, { requireCoherent: true }], []],
    ['only the new one meant', { cacheAlignment: 64 }, [{}, clean], ['dma-debug-cacheline-overlap']],
    ['only the old one meant', { cacheAlignment: 64 }, [clean, {}], ['dma-debug-cacheline-overlap']],
  ])('%s', (_name, options, attrs, rules) => expect(overlap(options, ...attrs)).toEqual(rules));

  it('the eighth overlap is the first that is too many, unless it is meant', () => {
    const plain = (count: number): DmaAttrs[] => new Array<DmaAttrs>(count).fill({});
    expect(overlap({}, ...plain(8))).toEqual([]);
    expect(overlap({}, ...plain(9))).toEqual(['dma-debug-cacheline-overflow']);
    expect(overlap({}, ...plain(8), clean)).toEqual([]);
    expect(overlap({}, ...plain(10))).toHaveLength(2);
  });

  it('is forgotten too early after more overlaps than can be counted', () => {
    const { debug, map, unmap } = watched();
    const addresses = Array.from({ length: 10 }, () => map());
    for (const address of addresses.slice(0, 8)) unmap(address);
    expect([debug.liveMappings, debug.cachelines.count]).toEqual([2, 0]);
  });

  it('judges by the first mapping even when that is gone, and by whatever its entry was handed out for since', () => {
    const { map, unmap, rules } = watched({ cacheAlignment: 64 });
    const first = map(BUFFER, clean);
    map(BUFFER, clean);
    unmap(first, clean);
    const elsewhere = map(BUFFER + PAGE, NO_ATTRS);
    map(BUFFER, clean);
    expect(rules()).toEqual(['dma-debug-cacheline-overlap']);
    unmap(elsewhere);
    map(BUFFER + PAGE, clean);
    map(BUFFER, clean);
    expect(rules()).toEqual([]);
  });
});

describe('where an unknown address comes from', () => {
  it.each<[string, (m: ReturnType<typeof watched>) => void, string, Readonly<Record<string, unknown>>]>([
    [
      'inside a mapping',
      (m) => m.unmap(addOffset(m.map(BUFFER, {}, 2 * PAGE), PAGE)),
      'inside-mapping',
      { api: 'phy', mappingSize: 2 * PAGE },
    ],
    [
      'a sync that runs past its mapping',
      (m) => dmaSyncSingleForCpu(m.dev, addOffset(m.map(), 64), PAGE, 'from-device'),
      'outside-mapping',
      { use: 'sync', mappingSize: PAGE },
    ],
    [
      'gone, three calls ago',
      (m) => {
        const address = m.map();
        m.unmap(address);
        m.map(BUFFER + 0x8000, {}, 3 * PAGE);
        m.unmap(address);
      },
      'use-after-unmap',
      { use: 'unmap', callsAgo: 3 },
    ],
    [
      'of another device',
      (m) => dmaUnmapPhys(m.other, m.map(), PAGE, 'from-device', NO_ATTRS),
      'foreign-device',
      { owner: '0000:00:08.0' },
    ],
    [
      'the physical address',
      (m) => {
        m.map();
        m.unmap(dmaAddr(BUFFER));
      },
      'physical-address',
      { address: BUFFER },
    ],
    ['never mapped', (m) => m.unmap(WILD), 'unknown-address', { use: 'unmap', size: PAGE }],
  ])('%s', (_name, drive, rule, data) => {
    const machine = watched();
    drive(machine);
    expect(machine.findings.map((finding) => finding.rule).at(-1)).toBe(`dma-shadow-${rule}`);
    expect(machine.findings.at(-1)).toMatchObject(data);
  });

  it('is forgotten with the oldest of the history', () => {
    const { map, unmap, rules } = watched({ history: 2 });
    const addresses = [0, 1, 2].map((at) => map(BUFFER + at * PAGE));
    for (const address of addresses) unmap(address);
    rules();
    for (const address of addresses) unmap(address);
    expect(rules().filter((rule) => rule.startsWith('dma-shadow'))).toEqual([
      'dma-shadow-unknown-address',
      'dma-shadow-use-after-unmap',
      'dma-shadow-use-after-unmap',
    ]);
  });
});

describe('attributes that Linux lets differ', () => {
  it.each<[DmaAttrs, DmaAttrs, readonly string[]]>([
    [{ skipCpuSync: true }, {}, ['dma-shadow-attrs-differ']],
    [{}, { weakOrdering: true }, ['dma-shadow-attrs-differ']],
    [{ noWarn: true }, { debuggingIgnoreCachelines: true }, []],
  ])('%o, then %o', (one, two, expected) => {
    const strict = watched();
    strict.unmap(strict.map(BUFFER, one), two);
    expect(strict.findings.every(({ grade }) => grade === 'advice')).toBe(true);
    expect(strict.rules()).toEqual(expected);
    const linux = watched({ attrAgreement: 'linux' });
    linux.unmap(linux.map(BUFFER, one), two);
    expect(linux.rules()).toEqual([]);
  });
});

describe("a device's access", () => {
  it('may span neighbouring mappings and use any of several on one buffer', () => {
    const { dev, debug, map, rules } = watched({}, false);
    map(BUFFER, {}, 64);
    map(BUFFER + 64, {}, 64);
    dmaMapPhys(dev, physAddr(BUFFER), 32, 'to-device', NO_ATTRS);
    expect(checkDmaAccess(dev, dmaAddr(BUFFER + 8), 120, 'write')).toBeNull();
    expect(checkDmaAccess(dev, dmaAddr(BUFFER + 8), 24, 'read')).toBeNull();
    expect(checkDmaAccess(dev, dmaAddr(BUFFER + 8), 25, 'read')).toBe('dma-shadow-access-direction');
    expect(checkDmaAccess(dev, dmaAddr(BUFFER + 8), 121, 'write')).toBe('dma-shadow-outside-mapping');
    expect(checkDmaAccess(dev, dmaAddr(BUFFER + 128), 1, 'write')).toBe('dma-shadow-outside-mapping');
    expect(rules()).toHaveLength(3);
    debug.disabled = true;
    expect(checkDmaAccess(dev, WILD, 1, 'write')).toBeNull();
  });
});

it('mapping memory that is no RAM wants the MMIO attribute', () => {
  const { dev, map, rules } = watched({}, false);
  dev.platform.frames.addZoneDevice('generic', 2 ** 21, 16);
  map(2 ** 40);
  map(2 ** 40, { mmio: true });
  map(256 * 2 ** 20 - 64);
  map(2 ** 33);
  expect(rules()).toEqual(['dma-shadow-mmio-unmarked', 'dma-shadow-mmio-unmarked']);

  const unsure = watched({ knowsRam: false }, false);
  unsure.map(2 ** 40);
  unsure.map(BUFFER, { mmio: true });
  expect(unsure.rules()).toEqual([]);
});
