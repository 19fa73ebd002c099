// A machine printed as `lspci -vvvxxxx -nn` would print it: text dumps for tests, made from recorded machines.
// Source followed: the output of pciutils.
// Simplified: one name for every vendor and device; of the capabilities only PCI Express and ACS are told in words. What
// a machine is stands here by shape, so that the readers' package can use this in its tests without a circle.

type Known<T> = T | 'unknown';

/** A range of a function, as the readers of dumps give it. */
export interface PrintedResource {
  readonly kind: string;
  readonly index: number;
  readonly space: string;
  readonly base: Known<number>;
  readonly bytes: Known<number>;
  readonly prefetchable: Known<boolean>;
  readonly width: number | string;
}

/** A function of a machine, as the readers of dumps give it. */
export interface PrintedFunction {
  readonly address: { readonly domain: number };
  readonly name: string;
  readonly config: Uint8Array;
  readonly vendorId: Known<number>;
  readonly deviceId: Known<number>;
  readonly classId: Known<number>;
  readonly className: string;
  readonly memoryEnabled: Known<boolean>;
  readonly busMaster: Known<boolean>;
  readonly iommuGroup: number | undefined;
  readonly driver: string | undefined;
  readonly portType: number | 'absent' | 'unknown';
  readonly buses:
    | { readonly primary: Known<number>; readonly secondary: number; readonly subordinate: number }
    | 'absent'
    | 'unknown';
  readonly acs: { readonly offset: unknown; readonly capability: unknown; readonly control: unknown };
  readonly resources: readonly PrintedResource[];
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const flag = (on: boolean): string => (on ? '+' : '-');
const ports = new Map<number, string>([
  [0, 'Endpoint'],
  [1, 'Legacy Endpoint'],
  [4, 'Root Port (Slot+)'],
  [5, 'Upstream Port'],
  [6, 'Downstream Port (Slot+)'],
  [9, 'Root Complex Integrated Endpoint'],
]);
const acsWords = [
  'SrcValid',
  'TransBlk',
  'ReqRedir',
  'CmpltRedir',
  'UpstreamFwd',
  'EgressCtrl',
  'DirectTrans',
];

const acsLine = (name: string, value: number): string =>
  `\t\t${name}:\t${acsWords.map((word, bit) => `${word}${flag(((value >> bit) & 1) === 1)}`).join(' ')}`;

const sizeText = (bytes: number): string =>
  bytes >= 2 ** 20 ? `${bytes / 2 ** 20}M` : bytes >= 1024 ? `${bytes / 1024}K` : `${bytes}`;

/** The whole machine; with `bytes`, hex dumps follow each function. */
export function renderLspci(
  dump: { readonly functions: readonly PrintedFunction[] },
  bytes: boolean,
): string {
  return dump.functions
    .map((fn) => `${[...textLines(fn), ...(bytes ? hexLines(fn) : [])].join('\n')}\n\n`)
    .join('');
}

function textLines(fn: PrintedFunction): string[] {
  const at = fn.address.domain === 0 ? fn.name.slice(5) : fn.name;
  const ids = `[${hex(Number(fn.vendorId), 4)}:${hex(Number(fn.deviceId), 4)}]`;
  return [
    `${at} ${fn.className || 'Unclassified device'} [${hex(Number(fn.classId), 4)}]: Some Vendor Some Device ${ids} (rev 01)`,
    `\tControl: I/O+ Mem${flag(fn.memoryEnabled === true)} BusMaster${flag(fn.busMaster === true)} SpecCycle- MemWINV-`,
    `\tStatus: Cap${flag(((fn.config[6] ?? 0) & 0x10) !== 0)} 66MHz- UDF- FastB2B-`,
    '\tNUMA node: 0',
    ...(fn.iommuGroup === undefined ? [] : [`\tIOMMU group: ${fn.iommuGroup}`]),
    ...fn.resources.map(resourceLine).filter((line) => line !== ''),
    ...busLines(fn),
    ...capabilityLines(fn),
    ...(fn.driver === undefined ? [] : [`\tKernel driver in use: ${fn.driver}`]),
  ];
}

function busLines({ buses }: PrintedFunction): string[] {
  if (typeof buses === 'string') return [];
  const { primary, secondary, subordinate } = buses;
  const numbers = [Number(primary), secondary, subordinate].map((number) => hex(number, 2));
  return [`\tBus: primary=${numbers[0]}, secondary=${numbers[1]}, subordinate=${numbers[2]}, sec-latency=0`];
}

function resourceLine({ kind, index, space, base, bytes, prefetchable, width }: PrintedResource): string {
  if (bytes === 'unknown' || base === 'unknown') return '';
  if (kind === 'bar' && space === 'memory') {
    return `\tRegion ${index}: Memory at ${hex(base, 8)} (${width}-bit, ${prefetchable ? '' : 'non-'}prefetchable) [size=${sizeText(bytes)}]`;
  }
  if (kind !== 'window') return '';
  const name = index === 0 ? 'I/O' : index === 1 ? 'Memory' : 'Prefetchable memory';
  return `\t${name} behind bridge: ${hex(base, 8)}-${hex(Number(base) + bytes - 1, 8)} [size=${sizeText(bytes)}]`;
}

function capabilityLines(fn: PrintedFunction): string[] {
  const lines: string[] = [];
  if (((fn.config[6] ?? 0) & 0x10) === 0) return lines;
  for (let at = fn.config[0x34] ?? 0; at >= 0x40; at = fn.config[at + 1] ?? 0) {
    const port = ports.get(Number(fn.portType)) ?? 'Endpoint';
    const name =
      fn.config[at] === 0x10 ? `Express (v2) ${port}, MSI 00` : 'Vendor Specific Information: Len=00 <?>';
    lines.push(`\tCapabilities: [${hex(at, 2)}] ${name}`);
    if (fn.config[at] === 0x10) lines.push('\t\tDevCap:\tMaxPayload 128 bytes, PhantFunc 0');
  }
  return fn.config.length > 256 ? [...lines, ...extendedLines(fn)] : lines;
}

function extendedLines(fn: PrintedFunction): string[] {
  const lines: string[] = [];
  const view = new DataView(fn.config.buffer);
  for (let at = 0x100; at >= 0x100; at = (view.getUint32(at, true) >>> 20) & 0xffc) {
    const header = view.getUint32(at, true);
    if (header === 0) break;
    if (at !== fn.acs.offset) lines.push(`\tCapabilities: [${hex(at, 3)} v1] Advanced Error Reporting`);
    else {
      lines.push(`\tCapabilities: [${hex(at, 3)} v1] Access Control Services`);
      lines.push(acsLine('ACSCap', Number(fn.acs.capability)), acsLine('ACSCtl', Number(fn.acs.control)));
    }
  }
  return lines;
}

function hexLines(fn: PrintedFunction): string[] {
  const lines: string[] = [];
  for (let at = 0; at < fn.config.length; at += 16) {
    const bytes = [...fn.config.subarray(at, at + 16)].map((value) => hex(value, 2));
    lines.push(`${hex(at, 2)}: ${bytes.join(' ')}`);
  }
  return lines;
}
