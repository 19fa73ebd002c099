import { describe, expect, test } from 'vitest';
import { deriveIommuGroups, type GroupOptions, type MachineDump, readTopologyText } from '../src/index.ts';

const acsCap =
  '\tCapabilities: [148 v1] Access Control Services\n\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n';
const acsOn = `${acsCap}\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n`;
const aer = '\tCapabilities: [100 v1] Advanced Error Reporting\n';

interface Plan {
  readonly ids?: string;
  readonly kind?: string;
  readonly buses?: readonly [number, number];
  readonly acs?: string;
}

/** A function in the form of lspci -vvv -nn; `kind` empty for one that is not PCI Express. */
function fn(at: string, { ids = '1234:0001', kind = 'Endpoint', buses, acs = aer }: Plan): string {
  const lines = [
    `${at} ${buses === undefined ? 'Ethernet controller [0200]' : 'PCI bridge [0604]'}: A Device [${ids}]`,
  ];
  lines.push('\tControl: I/O+ Mem+ BusMaster+', '\tStatus: Cap+ 66MHz-');
  if (buses !== undefined) {
    const [secondary, subordinate] = buses.map((bus) => bus.toString(16).padStart(2, '0'));
    lines.push(`\tBus: primary=00, secondary=${secondary}, subordinate=${subordinate}, sec-latency=0`);
  }
  if (kind !== '') lines.push(`\tCapabilities: [40] Express (v2) ${kind}, MSI 00`);
  else lines.push('\tCapabilities: [40] Power Management version 3');
  return `${lines.join('\n')}\n${kind === '' ? '' : acs}\n`;
}

const partition = (text: string, options: GroupOptions = {}): string[] =>
  deriveIommuGroups(readTopologyText(text), options).groups.map(({ members }) =>
    members.map(({ name }) => name.slice(5)).join(' '),
  );

const rootPort: Plan = { kind: 'Root Port (Slot+)', buses: [1, 4], acs: acsOn };

describe('by the ordinary rule', () => {
  test('below a root port without ACS everything joins it', () => {
    const text = fn('00:01.0', { ...rootPort, acs: aer }) + fn('01:00.0', {}) + fn('01:00.1', {});
    expect(partition(text)).toEqual(['00:01.0 01:00.0 01:00.1']);
  });

  test('functions of one slot share, unless they have ACS', () => {
    expect(partition(fn('00:01.0', rootPort) + fn('01:00.0', {}) + fn('01:00.1', {}))).toEqual([
      '00:01.0',
      '01:00.0 01:00.1',
    ]);
    expect(partition(fn('00:01.0', rootPort) + fn('01:00.1', {}) + fn('01:00.2', {}))).toEqual([
      '00:01.0',
      '01:00.1 01:00.2',
    ]);
    expect(
      partition(fn('00:01.0', rootPort) + fn('01:00.1', { acs: acsOn }) + fn('01:00.2', { acs: acsOn })),
    ).toEqual(['00:01.0', '01:00.1', '01:00.2']);
  });

  test('everything behind a bridge to conventional PCI shares with the bridge', () => {
    const pci = fn('01:00.0', { kind: 'PCI-Express to PCI/PCI-X Bridge', buses: [2, 2] });
    const text = fn('00:01.0', rootPort) + pci + fn('02:04.0', { kind: '' }) + fn('02:05.0', { kind: '' });
    expect(partition(text)).toEqual(['00:01.0', '01:00.0 02:04.0 02:05.0']);
  });

  test('conventional functions of the root bus stay apart', () => {
    expect(partition(fn('00:04.0', { kind: '' }) + fn('00:05.0', { kind: '' }))).toEqual([
      '00:04.0',
      '00:05.0',
    ]);
  });
});

describe('by the tables', () => {
  test('a NIC whose functions do not talk to each other', () => {
    const x520: Plan = { ids: '8086:10fb' };
    expect(partition(fn('00:01.0', rootPort) + fn('01:00.1', x520) + fn('01:00.2', x520))).toEqual([
      '00:01.0',
      '01:00.1',
      '01:00.2',
    ]);
  });

  test('a controller that sends as function 1', () => {
    const marvell: Plan = { ids: '1b4b:9230', acs: acsOn };
    expect(
      partition(fn('00:01.0', rootPort) + fn('01:00.0', marvell) + fn('01:00.1', { acs: acsOn })),
    ).toEqual(['00:01.0', '01:00.0 01:00.1']);
  });

  test('integrated endpoints of Intel, and old PCH ports that no dump can judge', () => {
    const integrated: Plan = { ids: '8086:0b25', kind: 'Root Complex Integrated Endpoint' };
    expect(partition(fn('00:03.1', integrated) + fn('00:03.2', integrated))).toEqual(['00:03.1', '00:03.2']);
    const pch: Plan = { ids: '8086:1c10', kind: 'Root Port (Slot+)', buses: [1, 1] };
    expect(partition(fn('00:1c.0', pch) + fn('01:00.0', {}))).toEqual(['00:1c.0']);
  });
});

describe('when the dump does not show enough', () => {
  const hidden = (text: string): string =>
    text.replaceAll(/(?:\tCapabilities.*\n(?:\t\t.*\n)*)+/g, '\tCapabilities: <access denied>\n');

  test('a group that rests on hidden registers is unknown, and says where the function may belong', () => {
    const dump: MachineDump = readTopologyText(
      hidden(fn('00:01.0', rootPort) + fn('01:00.0', {}) + fn('01:00.1', {})),
    );
    const { groups, groupOf } = deriveIommuGroups(dump);
    expect(dump.functions.map((found) => groupOf(found) === 'unknown')).toEqual([false, true, true]);
    expect(groups[0]?.mayAlsoHold.map(({ name }) => name)).toEqual(['0000:01:00.0', '0000:01:00.1']);
  });

  test('a function whose bridge is missing has no known group', () => {
    const dump = readTopologyText(fn('00:02.0', { ...rootPort, buses: [5, 5] }) + fn('01:00.0', {}));
    expect(dump.functions.map((found) => deriveIommuGroups(dump).groupOf(found) === 'unknown')).toEqual([
      false,
      true,
    ]);
  });

  test('without an IOMMU nobody has a group', () => {
    const dump = readTopologyText(fn('00:01.0', rootPort));
    expect(deriveIommuGroups(dump, { iommu: 'off' }).groups).toEqual([]);
  });
});
