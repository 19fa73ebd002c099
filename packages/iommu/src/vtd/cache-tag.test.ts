// Cache tags: several devices, device-TLBs and units behind one domain, and how their commands share waits.
import { type ModelEvent, recordedVtdCapabilities, VtdUnit } from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import { intelEvent, intelEventsOf } from '../../test/intel-events.ts';
import {
  deviceSees,
  mapPage,
  PAGE,
  pageAddress,
  type VtdMachine,
  vtdMachine,
} from '../../test/vtd-machine.ts';
import { IntelIommu, iommuUnmap, type PagingDomain } from '../index.ts';

const withAts = { capabilities: { ...recordedVtdCapabilities, ecap: [0xf46, 0] as [number, number] } };

/** The driver's events of one unmap of `pages` pages at 0x42000. */
function unmapEvents({ log }: VtdMachine, domain: PagingDomain, pages: number): ModelEvent[] {
  for (let page = 0; page < pages; page += 1) mapPage(domain, 0x42 + page, 0x100 + page);
  log.clear();
  log.enabled = true;
  iommuUnmap(domain, pageAddress(0x42), pages * PAGE);
  log.enabled = false;
  return intelEventsOf(log);
}

test('two devices of one unit and domain are one IOTLB flush, until both are gone', () => {
  const machine = vtdMachine();
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, 8);
  machine.iommu.attachDevice(domain, 9);
  expect(unmapEvents(machine, domain, 1)).toHaveLength(2);
  machine.iommu.detachDevice(8);
  expect(unmapEvents(machine, domain, 1)).toHaveLength(2);
  machine.iommu.detachDevice(9);
  expect(unmapEvents(machine, domain, 1)).toEqual([]);
});

test('a device with a TLB of its own gets a command with its size coded into the address', () => {
  const machine = vtdMachine(withAts);
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, 0x0108, { name: '0000:01:01.0', pfsid: 0x0123, queueDepth: 5 });
  expect(unmapEvents(machine, domain, 1)).toEqual(
    [
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 2 [0x42000-0x42fff] addr 0x42000 mask 0x0',
      'cache_tag_flush_range: dmar0 0000:01:01.0[0] type devtlb did 2 [0x42000-0x42fff] addr 0x42000 mask 0x0',
      'qi_submit: iotlb_inv dmar0: 0x200f2 0x42040 0x0 0x0',
      'qi_submit: dev_tlb_inv dmar0: 0x120010800053003 0x42000 0x0 0x0',
    ].map(intelEvent),
  );
  expect(unmapEvents(machine, domain, 2).at(-1)).toMatchObject({ words: { 2: 0x42001, 3: 0 } });
  expect(unmapEvents(machine, domain, 6).at(-1)).toMatchObject({ words: { 2: 0x43001, 3: 0 } });
  expect(deviceSees(machine, 0x42, 0x0108)).toBe(-1);
  expect(machine.iommu.counters.errors).toBe(0);
});

test('the device-TLB is flushed whole when its device is detached', () => {
  const machine = vtdMachine(withAts);
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, 0x0108, { name: 'nvme', pfsid: 0, queueDepth: 0 });
  machine.log.enabled = true;
  machine.iommu.detachDevice(0x0108);
  expect(intelEventsOf(machine.log)).toEqual(
    [
      'qi_submit: cc_inv dmar0: 0x10800020031 0x0 0x0 0x0',
      'qi_submit: iotlb_inv dmar0: 0x200e2 0x0 0x0 0x0',
      'qi_submit: dev_tlb_inv dmar0: 0x10800000003 0x7ffffffffffff001 0x0 0x0',
    ].map(intelEvent),
  );
});

test('up to 16 commands share one wait', () => {
  const machine = vtdMachine(withAts);
  const domain = machine.iommu.allocPagingDomain();
  const commandsAndWaits: number[][] = [];
  for (let device = 0; device < 34; device += 1) {
    machine.iommu.attachDevice(domain, device, { name: `device ${device}`, pfsid: 0, queueDepth: 0 });
    const { commands, waits } = machine.iommu.counters;
    unmapEvents(machine, domain, 1);
    const after = machine.iommu.counters;
    commandsAndWaits.push([after.commands - commands, after.waits - waits]);
  }
  expect(commandsAndWaits[0]).toEqual([2, 1]);
  expect(commandsAndWaits[14]).toEqual([16, 1]);
  expect(commandsAndWaits[15]).toEqual([17, 2]);
  expect(commandsAndWaits[31]).toEqual([33, 3]);
});

test('two units: each knows the domain under its own id and gets its own command and wait', () => {
  const machine = vtdMachine();
  const unit = new VtdUnit(machine.memory, { name: 'dmar1', capabilities: recordedVtdCapabilities });
  const second = new IntelIommu({
    unit,
    memory: machine.memory,
    frames: machine.frames,
    log: machine.log,
  });
  const domain = machine.iommu.allocPagingDomain();
  second.attachDevice(second.allocPagingDomain(), 0x20);
  machine.iommu.attachDevice(domain, 8);
  second.attachDevice(domain, 9);
  machine.iommu.attachDevice(domain, 10);
  expect([machine.iommu.domainIdOf(domain), second.domainIdOf(domain)]).toEqual([2, 3]);
  expect(unmapEvents(machine, domain, 1).filter(({ kind }) => kind.endsWith('qi_submit'))).toEqual(
    [
      'qi_submit: iotlb_inv dmar0: 0x200f2 0x42040 0x0 0x0',
      'qi_submit: iotlb_inv dmar1: 0x300f2 0x42040 0x0 0x0',
    ].map(intelEvent),
  );
});
