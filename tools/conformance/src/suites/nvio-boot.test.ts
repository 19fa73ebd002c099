// How the mode of a boot is read from its command lines and logs.

import { recordedVtdCapabilities, recordedVtdCapabilitiesScalable } from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import { BrokenHeader, type FileContext } from '../suite.ts';
import { nvioBoot } from './nvio-boot.ts';
import { nvioLimits } from './nvio-limits.ts';

const iomem =
  '00001000-0009fbff : System RAM\n00100000-7ffc6fff : System RAM\n  01000000-01ffffff : Kernel code\n';

function contextWith(files: Readonly<Record<string, string>>): FileContext {
  const read = (name: string): string | null => files[name] ?? null;
  return { stem: 'nvio_small', readSibling: read, readInput: read, siblingNames: () => [] };
}

const bootOf = (kernel: string, emulator = '-device intel-iommu,aw-bits=48', more = {}) =>
  nvioBoot(
    contextWith({
      'RUN.txt': `kernel_cmdline=console=ttyS0 ${kernel}\nqemu=qemu -smp 3 -m 3G ${emulator}\n`,
      'topo/iomem': iomem,
      ...more,
    }),
  );

test.each([
  ['intel_iommu=on iommu.strict=1', 'strict'],
  ['intel_iommu=on iommu.strict=0', 'lazy'],
  ['intel_iommu=on', 'lazy'],
  ['intel_iommu=on,strict', 'strict'],
  ['iommu.passthrough=1 intel_iommu=on', 'identity'],
  ['iommu=pt intel_iommu=on', 'identity'],
  ['iommu=pt iommu.passthrough=0 intel_iommu=on iommu.strict=1', 'strict'],
  ['intel_iommu=off', 'no-iommu'],
  ['intel_iommu=on,sm_on iommu=off', 'no-iommu'],
  ['intel_iommu=on intel_iommu=off', 'no-iommu'],
  ['', 'no-iommu'],
])('%s: %s', (kernel, mapping) => {
  expect(bootOf(kernel).mapping).toBe(mapping);
});

test.each([
  ['iommu.strict=1', 'strict'],
  ['amd_iommu=off', 'no-iommu'],
  ['iommu=pt', 'identity'],
])('an AMD machine, %s: %s', (kernel, mapping) => {
  expect(bootOf(kernel, '-device amd-iommu,intremap=off')).toMatchObject({ unit: 'amd', mapping });
});

test('switches, CPUs and RAM', () => {
  const boot = bootOf('intel_iommu=on,sm_on iommu.forcedac=1');
  expect(boot).toMatchObject({ scalableMode: true, forcedac: true, cpus: 3 });
  expect(boot.ram).toEqual([
    { base: 0x1000, bytes: 0x9e000 },
    { base: 0x100000, bytes: 0x7fec7000 },
  ]);
  expect(bootOf('intel_iommu=on')).toMatchObject({ scalableMode: false, forcedac: false });
});

test('the registers that the kernel printed come before what the emulator was told', () => {
  const log = '[ 0.0] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c22260286 ecap f42\n';
  const { capabilities } = bootOf('intel_iommu=on', '-device intel-iommu', { 'dmesg.txt': log });
  expect(capabilities).toEqual({ cap: [0x22260286, 0xd2008c], ecap: [0xf42, 0] });
  expect(bootOf('intel_iommu=on').capabilities).toBe(recordedVtdCapabilities);
  const scalable = '-device intel-iommu,x-scalable-mode=on,caching-mode=on';
  expect(bootOf('intel_iommu=on,sm_on', scalable).capabilities).toBe(recordedVtdCapabilitiesScalable);
});

test('without the files there is no machine', () => {
  expect(() => nvioBoot(contextWith({}))).toThrow(BrokenHeader);
  expect(() => nvioBoot(contextWith({ 'RUN.txt': 'run=x\n' }))).toThrow(BrokenHeader);
  expect(() => bootOf('intel_iommu=on', '', { 'topo/iomem': '' })).toThrow(BrokenHeader);
});

const limitsText =
  'dma_alignment=3\nlogical_block_size=512\nmax_sectors_kb=128\nmax_segment_size=4294967295\nmax_segments=33\n';

test('limits of the queue, and what they say of the controller', () => {
  const limits = nvioLimits(
    contextWith({
      'queue_limits.txt': `scheduler=[none] kyber\n${limitsText}virt_boundary_mask=0\n`,
      'nvme_params.txt': 'sgl_threshold=65536\nnoacpi=N\n',
    }),
  );
  expect(limits.queue).toMatchObject({ maxBytes: 131072, maxSegments: 33, dmaAlignmentMask: 3 });
  expect(limits.policy).toEqual({ sglSupport: 1, sglThreshold: 65536 });
  const withoutSgls = contextWith({ 'queue_limits.txt': `${limitsText}virt_boundary_mask=4095\n` });
  expect(nvioLimits(withoutSgls).policy).toEqual({ sglSupport: 0, sglThreshold: 32768 });
  expect(() => nvioLimits(contextWith({ 'queue_limits.txt': limitsText }))).toThrow(BrokenHeader);
});
