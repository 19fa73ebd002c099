import { describe, expect, it } from 'vitest';
import {
  at,
  BUFFER,
  blamed,
  DISK,
  mapPhys,
  NIC,
  only,
  PHYS,
  pageFault,
  streamed,
  tableMap,
  tableUnmap,
  unmapPhys,
} from '../../test/planted-trace.ts';

describe('the story of a free', () => {
  const report = blamed([
    tableMap(4, BUFFER, PHYS, 0x10000, 'probe-5'),
    at(
      4.1,
      `dma_alloc: ${NIC} dma_addr=fd400000 size=65536 virt_addr=00000000aa00bb11 flags=GFP_KERNEL attrs=`,
      'probe-5',
    ),
    at(
      9,
      `dma_free: ${NIC} dma_addr=fd400000 size=65536 virt_addr=00000000aa00bb11 attrs=`,
      'kworker/3:1-60',
    ),
    tableUnmap(9.000004, BUFFER, 0x10000, 'kworker/3:1-60'),
    pageFault(9.004, NIC, BUFFER + 0x3000, 0),
  ]);

  it('names the owner, both ends and both gaps', () => {
    expect(only(report).owner).toMatchObject({
      ...{
        kind: 'coherent',
        device: NIC,
        dmaAddr: BUFFER,
        bytes: 65536,
        offset: 0x3000,
        physAddr: PHYS + 0x3000,
      },
      ...{ state: 'ended', owner: 'own', mapped: { line: 1, task: 'probe-5' } },
      released: { line: 3, time: 9e9 },
      ended: { line: 4, task: 'kworker/3:1-60' },
      ...{ sinceReleased: 4_000_000, sinceEnded: 3_996_000 },
    });
  });

  it('says that the mode of invalidation is not in the trace', () => {
    expect(only(report).notes.map(({ code }) => code)).toEqual(['flush-mode-unknown']);
  });
});

describe('equal addresses in two domains', () => {
  const lines = [
    ...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 4096, PHYS),
    ...mapPhys(5.1, DISK, 'TO_DEVICE', BUFFER, 4096, PHYS + 0x9000),
    ...unmapPhys(5.2, NIC, 'FROM_DEVICE', BUFFER, 4096),
  ];

  it('let the faulting device decide, and mention the other', () => {
    const story = only(blamed([...lines, pageFault(5.3, NIC, BUFFER + 4, 1)]));
    expect(story.owner).toMatchObject({ device: NIC, state: 'ended', physAddr: PHYS + 4 });
    expect(story.reasons[0]?.code).toBe('use-after-unmap');
    expect(story.notes.map(({ code }) => code)).toContain('other-devices-here');
  });

  it('give the other device its own live mapping', () => {
    const story = only(blamed([...lines, pageFault(5.3, DISK, BUFFER + 4, 1)]));
    expect(story.owner).toMatchObject({ device: DISK, state: 'live', physAddr: PHYS + 0x9004 });
    expect(story.reasons[0]?.code).toBe('wrong-direction');
  });
});

describe('many faults', () => {
  it('of one page are one story with a count', () => {
    const faults = Array.from({ length: 50 }, (_one, index) =>
      pageFault(7 + index, NIC, BUFFER + 8 * index, 1),
    );
    const story = only(blamed([...streamed, ...faults]));
    expect(story).toMatchObject({ count: 50, addressLow: BUFFER, addressHigh: BUFFER + 392 });
    expect(story.first.time).toBe(7e9);
    expect(story.last.time).toBe(56e9);
  });

  it('over the pages of one buffer are one story', () => {
    const lines = [
      ...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 65536, PHYS),
      ...unmapPhys(6, NIC, 'TO_DEVICE', BUFFER, 65536),
    ];
    const faults = Array.from({ length: 16 }, (_one, index) => pageFault(6.1, NIC, BUFFER + 4096 * index, 0));
    expect(only(blamed([...lines, ...faults]))).toMatchObject({ count: 16, addressHigh: BUFFER + 15 * 4096 });
  });

  it('of different kinds are different stories', () => {
    const lines = [
      ...streamed,
      pageFault(7, NIC, BUFFER, 1),
      pageFault(7, NIC, BUFFER, 0),
      pageFault(7, NIC, 64, 0),
    ];
    expect(blamed(lines).stories.map(({ count }) => count)).toEqual([1, 1, 1]);
  });

  it('told by the event and by the console line are counted once, and the console line says more', () => {
    const story = only(
      blamed([
        ...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS),
        pageFault(7, NIC, BUFFER, 1),
        `[    7.000010] drv ${NIC}: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0xfd400000 flags=0x0070]`,
      ]),
    );
    expect(story).toMatchObject({ count: 1, fault: { reading: { kind: 'denied', access: 'write' } } });
    expect(story.tellings.map(({ source }) => source)).toEqual(['io_page_fault', 'amd-vi']);
  });

  it('beyond the bound are counted', () => {
    const faults = Array.from({ length: 9 }, (_one, index) =>
      pageFault(7, NIC, 2 ** 32 + 2 ** 20 * index, 1),
    );
    expect(blamed([...streamed, ...faults], { mostFaults: 4 })).toMatchObject({ faults: 9, notExplained: 5 });
  });

  it('between which the address was mapped again are judged one by one', () => {
    const lines = [
      ...streamed,
      pageFault(6.1, NIC, BUFFER + 0x100, 1),
      ...mapPhys(6.2, NIC, 'TO_DEVICE', BUFFER, 4096, PHYS),
      pageFault(6.3, NIC, BUFFER + 0x100, 1),
    ];
    const codes = blamed(lines).stories.map(({ reasons }) => reasons[0]?.code);
    expect(codes).toEqual(['use-after-unmap', 'wrong-direction']);
  });
});

describe('console lines', () => {
  const line = `[    6.250000] drv ${NIC}: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0xfd400480 flags=0x0020]`;

  it.each([
    ['behind the trace', [...streamed, ...mapPhys(7, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS), line]],
    ['before the trace', [line, ...streamed, ...mapPhys(7, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS)]],
  ])('%s are placed by their time', (_name, lines) => {
    const story = only(blamed(lines));
    expect(story.reasons[0]).toMatchObject({ code: 'use-after-unmap', confidence: 'strong' });
    expect(story.owner?.state).toBe('ended');
  });

  it('from another boot are placed by their line', () => {
    const story = only(blamed([...streamed, line.replace('6.250000', '912345.000000')]));
    expect(story.notes.map(({ code }) => code)).toContain('placed-by-line');
    expect(story.owner?.sinceEnded).toBeNaN();
    expect(story.reasons[0]).toMatchObject({ code: 'use-after-unmap', confidence: 'likely' });
  });

  it('of VT-d tell the page, and find buffers that begin inside it', () => {
    const dmar = `[    6.250000] DMAR: [DMA Write NO_PASID] Request device [41:00.0] fault addr 0xfd400000 [fault reason 0x05] PTE Write access is not set`;
    const story = only(blamed([...streamed, dmar]));
    expect(story.owner).toMatchObject({ inside: true, distance: 0 });
    expect(story.reasons[0]).toMatchObject({ code: 'use-after-unmap', confidence: 'strong' });
    expect(story.notes.map(({ code }) => code)).toContain('page-only');
  });
});

describe('what a trace does not hold', () => {
  it('a buffer from before the trace is known by its unmapping', () => {
    const story = only(
      blamed([...unmapPhys(6, NIC, 'FROM_DEVICE', BUFFER, 8192), pageFault(6.1, NIC, BUFFER + 4, 1)]),
    );
    expect(story.owner).toMatchObject({ device: NIC, mapped: { line: -1 }, state: 'ended' });
    expect(story.reasons[0]?.code).toBe('use-after-unmap');
  });

  it('a mapping without a line of the DMA API has no owner by name', () => {
    const lines = [
      ...mapPhys(4, NIC, 'TO_DEVICE', BUFFER + 0x10000, 4096, PHYS),
      tableMap(5, BUFFER, PHYS + 0x8000, 0x3000),
      tableUnmap(6, BUFFER, 0x3000),
      ...mapPhys(6.05, DISK, 'TO_DEVICE', 0x1000_0000, 4096, PHYS),
      pageFault(6.1, NIC, BUFFER + 0x2004, 0),
    ];
    const story = only(blamed(lines));
    expect(story.owner).toMatchObject({
      state: 'ended',
      owner: 'unnamed',
      device: '',
      physAddr: PHYS + 0xa004,
    });
    expect(story.reasons[0]).toMatchObject({ code: 'use-after-unmap', confidence: 'likely' });
    const note = story.notes.find(({ code }) => code === 'owner-unnamed');
    expect(note?.text).toContain(NIC);
  });

  it('is said when the history was too short, and the live mappings stay known', () => {
    const churn = Array.from({ length: 3000 }, (_one, index) => [
      ...mapPhys(10 + index, NIC, 'TO_DEVICE', 0x1000_0000 + 4096 * index, 4096, PHYS),
      ...unmapPhys(10.5 + index, NIC, 'TO_DEVICE', 0x1000_0000 + 4096 * index, 4096),
    ]).flat();
    const keeps = mapPhys(1, NIC, 'TO_DEVICE', BUFFER + 0x4000, 4096, PHYS);
    const report = blamed(
      [
        ...streamed,
        ...keeps,
        ...churn,
        pageFault(9000, NIC, BUFFER, 1),
        pageFault(9000, NIC, BUFFER + 0x4000, 1),
      ],
      { history: 500 },
    );
    expect(report.forgotten).toBeGreaterThan(2400);
    const [gone, kept] = report.stories;
    expect(gone?.reasons.map(({ code }) => code)).not.toContain('never-mapped');
    expect(gone?.notes.map(({ code }) => code)).toContain('history-forgotten');
    expect(kept?.reasons[0]).toMatchObject({ code: 'wrong-direction', confidence: 'strong' });
  });

  it('a fault is explained before its past is forgotten, and learns of a later mapping', () => {
    const churn = Array.from({ length: 3000 }, (_one, index) => [
      ...mapPhys(10 + index, NIC, 'TO_DEVICE', 0x1000_0000 + 4096 * index, 4096, PHYS),
      ...unmapPhys(10.5 + index, NIC, 'TO_DEVICE', 0x1000_0000 + 4096 * index, 4096),
    ]).flat();
    const later = mapPhys(5000, NIC, 'TO_DEVICE', 0x7000_0000, 4096, PHYS);
    const report = blamed(
      [
        ...streamed,
        pageFault(6.5, NIC, BUFFER + 0x90, 1),
        pageFault(6.6, NIC, 0x7000_0000, 0),
        ...churn,
        ...later,
      ],
      { history: 500 },
    );
    expect(report.stories.map(({ reasons }) => reasons[0]?.code)).toEqual([
      'use-after-unmap',
      'mapped-only-later',
    ]);
    expect(report.stories[1]?.owner?.mapped.time).toBe(5000e9);
  });

  it.each([
    [
      'a refusal of an entry that the trace does not show',
      `[    6.500000] drv ${NIC}: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x30000000 flags=0x0070]`,
      'mapped-unseen',
    ],
    ['a device that is not traced', pageFault(6.5, '0000:99:00.0', 0x3000_0000, 0), 'not-traced'],
  ])('%s', (_name, line, code) => {
    expect(only(blamed([...streamed, line])).reasons[0]?.code).toBe(code);
  });
});

describe('lazy invalidation', () => {
  const flush = at(
    6.004,
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 5 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34',
  );
  it('is said with the window in which accesses went unseen', () => {
    const report = blamed([...streamed, flush, pageFault(6.25, NIC, BUFFER + 0x480, 1)]);
    expect(report.flushMode).toBe('lazy');
    const note = only(report).notes.find(({ code }) => code === 'lazy-window');
    expect(note?.text).toContain('6.004000, 4 ms later');
  });

  it('is not said in strict mode', () => {
    const strict = at(
      6.001,
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 5 [0xfd400000-0xfd401fff] addr 0xfd400000 mask 0x1',
    );
    const report = blamed([...streamed, strict, pageFault(6.25, NIC, BUFFER + 0x480, 1)]);
    expect(report.flushMode).toBe('strict');
    expect(only(report).notes).toEqual([]);
  });
});

describe('an address that is asked about', () => {
  it('is told as it stands at the end', () => {
    const report = blamed([...streamed, ...mapPhys(7, DISK, 'TO_DEVICE', BUFFER, 4096, PHYS)], {
      address: BUFFER + 0x100,
    });
    expect(only(report)).toMatchObject({ count: 0, owner: { device: DISK, state: 'live' }, reasons: [] });
    expect(only(report).around.covering.map(({ device }) => device)).toEqual([DISK, NIC]);
  });

  it('can be narrowed to one device', () => {
    const lines = [...streamed, ...mapPhys(7, DISK, 'TO_DEVICE', BUFFER, 4096, PHYS)];
    const story = only(blamed(lines, { address: BUFFER + 0x100, device: '41:00.0' }));
    expect(story.owner).toMatchObject({ device: NIC, state: 'ended' });
  });

  it('brings the faults of its page along, and no others', () => {
    const lines = [...streamed, pageFault(6.1, NIC, BUFFER + 0x90, 1), pageFault(6.1, NIC, 0, 1)];
    expect(blamed(lines, { address: BUFFER }).stories.map(({ count }) => count)).toEqual([0, 1]);
  });

  it('is judged by its value when nobody had it', () => {
    const lines = mapPhys(5, NIC, 'TO_DEVICE', 0x3_5000_0000, 8192, PHYS);
    expect(only(blamed(lines, { address: 0x5000_0000 })).reasons[0]?.code).toBe('truncated-to-32-bits');
  });
});
