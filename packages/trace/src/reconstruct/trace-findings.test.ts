// Direct users of the IOMMU, machines without one, and what does not fit together.

import { describe, expect, test } from 'vitest';
import {
  A,
  hex,
  map,
  mapPhys,
  pieces,
  reconstruct,
  unmap,
  unmapPhys,
} from '../../test/reconstruct/trace-lines.ts';
import type { TracedMapping } from '../traced-mapping.ts';
import { reconstructionRules } from './reconstruction-rules.ts';

describe('direct users of the IOMMU', () => {
  test('a virtual machine maps, and unmaps in parts and several at once', () => {
    const log = reconstruct([
      map('qemu-kvm-9', 0, 0x40000, 0x4000),
      map('qemu-kvm-9', 0x4000, 0x90000, 0x1000),
      map('qemu-kvm-9', 0x8000, 0xa0000, 0x1000),
      unmap('qemu-kvm-9', 0x1000, 0x1000),
      unmap('qemu-kvm-9', 0x2000, 0x7000, 0x3000),
      unmap('qemu-kvm-9', 0, 0x1000),
    ]);
    expect(log.mappings.map(({ kind }) => kind)).toEqual(['iommu-api', 'iommu-api', 'iommu-api']);
    expect(log.mappings[0]?.rules).toEqual(['iommu-api-by-task']);
    expect(log.ends.map(({ id, line }) => [id, line])).toEqual([
      [1, 5],
      [0, 6],
    ]);
    expect(log.codes).toEqual(['unmap-incomplete', 'live-at-end']);
  });

  test('a reserved region is mapped one to one', () => {
    const log = reconstruct([map('swapper/0-1', 0x8000, 0x8000, 0x2000)]);
    expect(log.mappings[0]).toMatchObject({ kind: 'iommu-api', rules: ['iommu-api-by-identity'] });
  });
});

describe('what does not fit', () => {
  test('an unmapping of nothing is certain when the device is traced since it was found', () => {
    const lines = [unmap('a-1', 0x10000, 0x1000), unmapPhys('a-1', A, 0x10000, 0x1000)];
    expect(reconstruct(lines).findings).toMatchObject([
      { code: 'unmap-without-map', confidence: 'possible', device: A },
    ]);
    const found = `k-9: add_device_to_group: IOMMU: groupID=22 device=${A}`;
    expect(reconstruct([found, ...lines]).findings).toMatchObject([
      { code: 'unmap-without-map', confidence: 'certain', device: A },
    ]);
    expect(reconstruct([found, 'CPU:0 [LOST 3 EVENTS]', ...lines]).findings).toMatchObject([
      { code: 'unmap-without-map', confidence: 'possible' },
    ]);
  });

  test('an iommu:unmap line of nothing', () => {
    const log = reconstruct([unmap('a-1', 0x10000, 0x1000)]);
    expect(log.findings).toMatchObject([
      { code: 'unmap-without-map', device: '', dmaAddr: 0x10000, bytes: 0x1000 },
    ]);
  });

  test('a device that maps an address twice: the end of the first is inferred', () => {
    const once = [map('a-1', 0x10000, 0x5000, 0x1000), mapPhys('a-1', A, 0x10000, 0x5000, 0x1000)];
    const log = reconstruct([
      ...once,
      ...once,
      unmap('a-1', 0x10000, 0x1000),
      unmapPhys('a-1', A, 0x10000, 0x1000),
    ]);
    expect(log.findings).toMatchObject([{ code: 'double-map', device: A, mapping: { id: 0 } }]);
    expect(log.ends).toMatchObject([
      { id: 0, from: 'inferred', rules: ['superseded'] },
      { id: 1, line: 5 },
    ]);
  });

  test('an unmapping that does less than it was asked for', () => {
    const log = reconstruct([
      map('qemu-9', 0x10000, 0x5000, 0x2000),
      unmap('qemu-9', 0x10000, 0x2000, 0x1000),
    ]);
    expect(log.codes).toEqual(['unmap-incomplete', 'live-at-end']);
    expect(log.findings[0]).toMatchObject({ confidence: 'certain', bytes: 0x1000 });
  });

  test('syncs inside and outside of mappings', () => {
    const sync = (dma: number, size: number): string =>
      `a-1: dma_sync_single_for_cpu: ${A} dir=FROM_DEVICE dma_addr=${hex(dma)} size=${size}`;
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x3000),
      mapPhys('a-1', A, 0x10200, 0x5200, 0x2000),
      sync(0x10200, 0x2000),
      sync(0x11800, 64),
      sync(0x13800, 64),
    ]);
    expect(log.codes).toEqual(['sync-outside-mapping', 'live-at-end']);
    expect(log.findings[0]).toMatchObject({ line: 5, dmaAddr: 0x13800 });
  });

  test('after losses a transfer says that lines may be missing', () => {
    const log = reconstruct([
      'CPU:0 [LOST 3 EVENTS]',
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap('a-1', 0x10000, 0x1000),
    ]);
    expect(log.mappings[0]?.rules).toContain('lost-events');
  });

  test('a mapping whose API line is missing is known from the line that ends it', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap('b-2', 0x10000, 0x1000),
      unmapPhys('b-2', A, 0x10100, 64, 'FROM_DEVICE'),
    ]);
    expect(log.mappings[0]).toMatchObject({
      kind: 'phys',
      device: A,
      deviceFrom: 'inferred',
      direction: 'FROM_DEVICE',
      directionFrom: 'inferred',
      rules: ['owner-by-line'],
    });
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([[0x10100, 0x5100, 64]]);
  });
});

describe('without an IOMMU', () => {
  test('the driver may leave the unmapping out: mapping again ends the earlier one', () => {
    const again = mapPhys('a-1', A, 0x5000, 0x5000, 64);
    const log = reconstruct([again, again, unmapPhys('a-1', A, 0x5000, 64), unmapPhys('a-1', A, 0x5000, 64)]);
    expect(log.order).toEqual(['map 0', 'unmap 0', 'map 1', 'unmap 1']);
    expect(log.ends[0]).toMatchObject({ from: 'inferred', rules: ['direct-remap'] });
  });

  test('so many are held and no more', () => {
    const lines = Array.from({ length: 10 }, (_, at) => mapPhys('a-1', A, 0x1000 * at, 0x1000 * at, 64));
    const log = reconstruct(lines, { mostDirect: 4 });
    expect(log.ends.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.ends[0]).toMatchObject({ line: 5, from: 'inferred', rules: ['direct-not-held'] });
    expect(log.codes).toEqual(Array(4).fill('live-at-end'));
  });
});

test('every rule says what it is', () => {
  for (const text of Object.values(reconstructionRules)) expect(text.length).toBeGreaterThan(20);
});
