// A server that does not exist, printed as `lspci -vvv` prints real ones: 517 functions below eight root complexes, each
// with a switch of eight ports and an endpoint behind every port, and integrated endpoints beside it.
// The text has the size of a real one (about 0.9 MB), since the lines that say nothing of topology are most of it.
// Simplified: every number follows from a function's place; no two kinds of switch, no virtual functions.

/** Functions of the server. */
export const SERVER_FUNCTIONS = 517;
/** Root complexes. */
export const SERVER_HOSTS = 8;
/** Downstream ports of each switch. */
export const SERVER_PORTS = 8;
/** Functions of a root complex that share its switch: root port, upstream port, downstream ports, endpoints. */
export const SERVER_SWITCHED: number = 2 + 2 * SERVER_PORTS;

interface Block {
  readonly at: string;
  readonly kind: string;
  readonly ids: string;
  readonly port: string;
  readonly buses?: readonly [number, number, number];
  readonly acs: boolean;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const place = (bus: number, device: number, fn = 0): string => `${hex(bus, 2)}:${hex(device, 2)}.${fn}`;

/** The listing. */
export function serverListing(): string {
  return serverBlocks().map(printed).join('\n');
}

function serverBlocks(): Block[] {
  const hosts = Array.from({ length: SERVER_HOSTS }, (_, host) => hostBlocks(host * 0x20));
  const left = SERVER_FUNCTIONS - hosts.flat().length;
  return hosts.flatMap((blocks, host) => [...blocks, ...integrated(host * 0x20, share(left, host))]);
}

const share = (left: number, host: number): number =>
  Math.floor(left / SERVER_HOSTS) + (host < left % SERVER_HOSTS ? 1 : 0);

function hostBlocks(root: number): Block[] {
  const [upper, lower] = [root + 1, root + 2];
  const last = lower + SERVER_PORTS;
  const ports = Array.from({ length: SERVER_PORTS }, (_, port) => ({ port, bus: lower + 1 + port }));
  return [
    {
      at: place(root, 0),
      kind: 'Host bridge [0600]',
      ids: '8086:09a2',
      port: 'Root Complex Integrated Endpoint',
      acs: false,
    },
    {
      at: place(root, 1),
      kind: 'PCI bridge [0604]',
      ids: '8086:1234',
      port: 'Root Port (Slot+)',
      buses: [root, upper, last],
      acs: true,
    },
    {
      at: place(upper, 0),
      kind: 'PCI bridge [0604]',
      ids: '1234:0010',
      port: 'Upstream Port',
      buses: [upper, lower, last],
      acs: false,
    },
    ...ports.map(
      ({ port, bus }): Block => ({
        at: place(lower, port),
        kind: 'PCI bridge [0604]',
        ids: '1234:0011',
        port: 'Downstream Port (Slot+)',
        buses: [lower, bus, bus],
        acs: true,
      }),
    ),
    ...ports.map(
      ({ bus }): Block => ({
        at: place(bus, 0),
        kind: '3D controller [0302]',
        ids: '1234:0020',
        port: 'Endpoint',
        acs: false,
      }),
    ),
  ];
}

const integrated = (root: number, count: number): Block[] =>
  Array.from({ length: count }, (_, i) => ({
    at: place(root, 8 + Math.floor(i / 8), i % 8),
    kind: 'System peripheral [0880]',
    ids: '1234:0030',
    port: 'Root Complex Integrated Endpoint',
    acs: false,
  }));

function printed({ at, kind, ids, port, buses, acs }: Block, index: number): string {
  const base = 0x80000000 + index * 0x200000;
  const node = index % 2;
  return `${at} ${kind}: Nobody Device of a synthetic server [${ids}] (rev 01)
\tSubsystem: Nobody Board of a synthetic server [1234:9999]
\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr+ Stepping- SERR+ FastB2B- DisINTx+
\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-
\tLatency: 0, Cache Line Size: 64 bytes
\tInterrupt: pin A routed to IRQ ${16 + (index % 200)}
\tNUMA node: ${node}
\tIOMMU group: ${index}
\tRegion 0: Memory at ${hex(base, 8)} (32-bit, non-prefetchable) [size=1M]
${busLines(buses, base)}\tCapabilities: [40] Express (v2) ${port}, MSI 00
${filler('DevCap', 14)}\tCapabilities: [80] MSI: Enable+ Count=1/1 Maskable+ 64bit+
\t\tAddress: 00000000fee00000  Data: 0000
\tCapabilities: [c0] Power Management version 3
\t\tStatus: D0 NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-
\tCapabilities: [100 v2] Advanced Error Reporting
${filler('UESta', 8)}${acs ? acsLines : ''}\tKernel driver in use: ${buses === undefined ? 'nobody' : 'pcieport'}
`;
}

const acsLines = `\tCapabilities: [148 v1] Access Control Services
\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+
\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-
`;

const busLines = (buses: Block['buses'], base: number): string =>
  buses === undefined
    ? ''
    : `\tBus: primary=${hex(buses[0], 2)}, secondary=${hex(buses[1], 2)}, subordinate=${hex(buses[2], 2)}, sec-latency=0
\tI/O behind bridge: 0000f000-00000fff [disabled] [32-bit]
\tMemory behind bridge: ${hex(base + 0x100000, 8)}-${hex(base + 0x1fffff, 8)} [size=1M] [32-bit]
\tPrefetchable memory behind bridge: 00000000fff00000-00000000000fffff [disabled] [64-bit]
\tSecondary status: 66MHz- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- <SERR- <PERR-
\tBridgeCtl: Parity+ SERR+ NoISA- VGA- VGA16+ MAbort- >Reset- FastB2B-
`;

/** Lines of registers that tell nothing of topology. */
const filler = (name: string, lines: number): string =>
  Array.from(
    { length: lines },
    (_, i) =>
      `\t\t${i === 0 ? name : `${name}${i}`}:\tMaxPayload 512 bytes, PhantFunc 0, Ext+ Attn- Pwr- FLReset- RelaxOrd+\n`,
  ).join('');
