// Suite vfio_dmabuf: slices of a BAR as dma-bufs, mapped by iommufd into the page table of a VT-d unit, taken back whenever
// the owner switches the memory off. Every dump of the page table is compared entry by entry.
// Field meanings: vectors/kernel/README.md, section vfio. Inputs are the requests, the machine beside the file and the page
// frames of the user's memory; everything else is computed.
// Simplified: none.

import { hex, InternalError, type PhysAddr, physAddr } from '@sgfree/hw-model';
import {
  bigintOfU64,
  type IommufdDevice,
  type IommufdIoas,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdIoasAlloc,
  iommufdIoasMap,
  iommufdIoasMapFile,
  iommufdIoasUnmap,
  iommufdObjectFinalize,
  ioptIovaRanges,
  type U64,
  U64_ZERO,
  u64Hex,
  u64Number,
} from '@sgfree/iommufd';
import { Errno } from '@sgfree/mm';
import { pciResourceLen } from '@sgfree/p2p';
import {
  VFIO_FEATURE,
  VFIO_FEATURE_FLAG,
  vfioIoctlDeviceFeature,
  vfioPciConfigRead,
  vfioPciConfigWrite,
  vfioPciMemoryEnabled,
} from '@sgfree/vfio-dmabuf';
import {
  bits,
  count,
  hexNumber,
  kindWord,
  listOf,
  matching,
  orAbsent,
  type Reader,
  read,
  tupleOf,
  within,
} from '../recorded-value.ts';
import type { ComparedAmount, FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { checkReturn, errnoOf } from './call-return.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { dumpedTopTable, hasDumpFrame } from './dump-frame.ts';
import { step, u64Field } from './iommufd.ts';
import { LiveAreas } from './live-areas.ts';
import { dumpRows, firstDifferingRow, liveRows } from './map-debugfs.ts';
import { VfioDmaBufMachine } from './vfio-dmabuf-machine.ts';

const COMMAND = 4;
const BUS_MASTER = 0x4;
const BAR_0 = 0x10;
const BARS = 6;
/** VFIO_REGION_INFO_FLAG_READ, _WRITE and _MMAP: what every memory BAR of a page or more offers. */
const REGION_FLAGS = 7;
/** FLAGS of a `map` record: the program asks for both directions. */
const READ_WRITE = 6;
const CLOSED = -1;
/** What closing everything counts. */
const LEFT = ['objects', 'domains', 'buffers', 'pinned pages'];

const fileName = matching(/^pt_\d+\.txt$/, 'the name of a dump');
/** Which file the exporter was opened through means nothing, and neither do the numbers of descriptors. */
const deviceFile = matching(/^\/\S+$/, 'the path of a file');
const descriptors = listOf(count);
const physical: Reader<PhysAddr> = (value) => physAddr(hexNumber(value));

/** The bytes of a request to export slices of a region. */
function featureBytes(region: number, ranges: readonly (readonly [U64, U64])[]): Uint8Array {
  const bytes = new Uint8Array(24 + ranges.length * 16);
  const view = new DataView(bytes.buffer);
  const flags = VFIO_FEATURE_FLAG.get + VFIO_FEATURE.dmaBuf;
  for (const [at, word] of [bytes.length, flags, region, 0, 0, ranges.length].entries()) {
    view.setUint32(at * 4, word, true);
  }
  for (const [at, [offset, length]] of ranges.entries()) {
    setU64(view, 24 + at * 16, offset);
    setU64(view, 32 + at * 16, length);
  }
  return bytes;
}

function setU64(view: DataView, at: number, value: U64): void {
  view.setBigUint64(at, bigintOfU64(value), true);
}

/** What a kind of record does with the machine. */
type Player = (replayer: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput) => void;

class VfioDmaBufReplayer implements Replayer {
  readonly machine: VfioDmaBufMachine;
  readonly context: FileContext | undefined;
  readonly bar: number;
  readonly live = new LiveAreas();
  /** Descriptors by the program's number of a buffer. */
  readonly fds: number[] = [];
  readonly devices: IommufdDevice[] = [];
  #ioas: IommufdIoas | null = null;
  rows = 0;
  sameRows = 0;
  /** Printed addresses of top tables by the model's frame of them. */
  readonly topTables = new Map<number, string | null>();

  constructor(header: JsonRecord, context: FileContext | undefined) {
    this.context = context;
    read(header, 'n', count);
    read(header, 'exporter_cdev', deviceFile);
    read(header, 'fds', descriptors);
    this.bar = read(header, 'bar', within(0, BARS - 1));
    this.machine = new VfioDmaBufMachine(header, context);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    read(record, 'k', orAbsent(step));
    PLAYERS[kindWord(record, 'op')]?.(this, record, output);
    return output.mismatches;
  }

  /** The address space, which the program makes after it has bound its devices. */
  get ioas(): IommufdIoas {
    if (this.#ioas === null) {
      const made = iommufdIoasAlloc(this.machine.ctx);
      if (!made.ok) throw new InternalError('no address space');
      iommufdObjectFinalize(this.machine.ctx, made.value);
      this.#ioas = made.value;
    }
    return this.#ioas;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const left = this.machine.close(this.devices, this.fds);
    for (const [at, what] of LEFT.entries()) output.check(`${what} left`, 0, left[at]);
    return output.mismatches;
  }

  alsoCompared(): readonly ComparedAmount[] {
    return [{ what: 'page-table entries', same: this.sameRows, of: this.rows }];
  }
}

/** The exporter is bound first, then the importer. */
function bind({ machine, devices }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const device = devices.length === 0 ? machine.exporter : machine.importer;
  const bound = iommufdDeviceBind(machine.ctx, device);
  checkReturn(output, record, errnoOf(bound));
  output.check('devid', record['devid'], bound.ok ? bound.value.id : 0);
  if (bound.ok) devices.push(bound.value);
}

/** The program has switched bus mastering on before it reads the registers. */
function region({ machine, bar }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const { vdev } = machine;
  const command = vfioPciConfigRead(vdev, COMMAND, 2) | BUS_MASTER;
  machine.run(vfioPciConfigWrite(vdev, COMMAND, Uint8Array.of(command & 0xff, command >>> 8)));
  output.check('size', record['size'], hex(pciResourceLen(vdev.pdev, bar)));
  output.check('flags', record['flags'], REGION_FLAGS);
  output.check('bar_lo', record['bar_lo'], hex(vfioPciConfigRead(vdev, BAR_0 + bar * 4, 4)));
  output.check('bar_hi', record['bar_hi'], hex(vfioPciConfigRead(vdev, BAR_0 + 4 + bar * 4, 4)));
  output.check('pci_command', record['pci_command'], hex(vfioPciConfigRead(vdev, COMMAND, 2)));
}

function iovaRanges({ machine, ioas }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const { ranges, alignment } = machine.run(ioptIovaRanges(ioas.iopt));
  output.check('ret', record['ret'], 0);
  output.check('align', record['align'], alignment);
  output.check(
    'ranges',
    record['ranges'],
    ranges.map(({ first, last }) => [u64Hex(first), u64Hex(last)]),
  );
}

function attach(
  { machine, devices, ioas }: VfioDmaBufReplayer,
  record: JsonRecord,
  output: RecordedOutput,
): void {
  const [, importer] = devices;
  const attached = importer === undefined ? null : machine.run(iommufdDeviceAttach(importer, ioas.id));
  checkReturn(output, record, attached === null ? Errno.ENODEV : errnoOf(attached));
  output.check('pt', record['pt'], attached?.ok === true ? attached.value : 0);
}

function dmabuf({ machine, fds }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const ranges = read(record, 'ranges', listOf(tupleOf(u64Field, u64Field)));
  const bytes = featureBytes(read(record, 'region', count), ranges);
  const fd = machine.run(vfioIoctlDeviceFeature(machine.vdev, bytes));
  checkReturn(output, record, Math.min(fd, 0));
  output.check('id', record['id'], fd < 0 ? -1 : fds.length);
  if (fd >= 0) fds.push(fd);
}

function closeDmabuf({ machine, fds }: VfioDmaBufReplayer, record: JsonRecord): void {
  const id = read(record, 'id', count);
  machine.run(machine.platform.files.close(fds[id] ?? CLOSED));
  fds[id] = CLOSED;
}

function mapFile(replayer: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const { machine, fds, ioas } = replayer;
  const iovaIn = read(record, 'iova_in', u64Field);
  read(record, 'nr_ranges', count);
  const call = {
    flags: read(record, 'flags', bits),
    ioasId: ioas.id,
    fd: fds[read(record, 'id', count)] ?? CLOSED,
    start: read(record, 'start', u64Field),
    length: read(record, 'length', u64Field),
    iova: iovaIn,
  };
  const mapped = machine.run(iommufdIoasMapFile(machine.ctx, call));
  if (mapped.ok) replayer.live.add(mapped.value, call.length);
  checkReturn(output, record, errnoOf(mapped));
  output.check('iova', record['iova'], u64Hex(mapped.ok ? mapped.value : iovaIn));
}

function map({ machine, ioas, live }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const userVa = read(record, 'user_va', u64Field);
  const call = {
    flags: READ_WRITE,
    ioasId: ioas.id,
    userVa,
    length: read(record, 'length', u64Field),
    iova: U64_ZERO,
  };
  machine.showUserPages(u64Number(userVa), read(record, 'phys', listOf(physical)));
  const mapped = machine.run(iommufdIoasMap(machine.ctx, call));
  if (mapped.ok) live.add(mapped.value, call.length);
  checkReturn(output, record, errnoOf(mapped));
  output.check('iova', record['iova'], u64Hex(mapped.ok ? mapped.value : U64_ZERO));
}

function unmap(
  { machine, ioas, live }: VfioDmaBufReplayer,
  record: JsonRecord,
  output: RecordedOutput,
): void {
  const iova = read(record, 'iova', u64Field);
  const length = read(record, 'length', u64Field);
  const unmapped = machine.run(iommufdIoasUnmap(machine.ctx, ioas.id, iova, length));
  if (unmapped.ok) live.remove(iova);
  checkReturn(output, record, errnoOf(unmapped));
  output.check('unmapped', record['unmapped'], u64Hex(unmapped.ok ? unmapped.value : length));
}

function pciCommand({ machine }: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const value = read(record, 'value', hexNumber);
  machine.run(vfioPciConfigWrite(machine.vdev, COMMAND, Uint8Array.of(value & 0xff, (value >>> 8) & 0xff)));
  output.check('mem_enable', record['mem_enable'], Number(vfioPciMemoryEnabled(machine.vdev)));
}

function ptdump(replayer: VfioDmaBufReplayer, record: JsonRecord, output: RecordedOutput): void {
  const { machine, context, live } = replayer;
  const file = read(record, 'file', fileName);
  output.check('live', record['live'], live.areas);
  const number = /_(\d+)$/.exec(context?.stem ?? '')?.[1] ?? '';
  const text = context?.readSibling(`pt_${number}/${file}`) ?? '';
  output.check('titles', true, hasDumpFrame(text));
  const domain = machine.importerDomain;
  const top = domain?.table.rootFrame ?? -1;
  const printed = dumpedTopTable(text, machine.importerName);
  // The first dump tells which address stands for which table.
  const known = replayer.topTables.get(top) ?? printed;
  replayer.topTables.set(top, known);
  output.check('top table', printed, known);
  const computed = domain === null ? [] : liveRows(domain);
  const recorded = dumpRows(text, machine.importerName);
  replayer.rows += recorded?.length ?? 0;
  const differing = firstDifferingRow(recorded ?? [], computed);
  if (recorded !== null && differing < 0) replayer.sameRows += recorded.length;
  else output.check(`row ${differing}`, recorded?.[differing] ?? 'no dump', computed[differing] ?? 'no row');
}

const PLAYERS: Readonly<Record<string, Player>> = {
  bind,
  region,
  iova_ranges: iovaRanges,
  attach,
  dmabuf,
  close_dmabuf: closeDmabuf,
  map_file: mapFile,
  map,
  unmap,
  pci_command: pciCommand,
  ptdump,
};

/** The suite of BAR slices in a page table. */
export const vfioDmaBufSuite: Suite = {
  name: 'vfio_dmabuf',
  accepts: (header) => header['suite'] === 'vfio_dmabuf',
  open: (header, context) => new VfioDmaBufReplayer(header, context),
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    bind: ['ret', 'errno', 'devid'],
    region: ['size', 'flags', 'bar_lo', 'bar_hi', 'pci_command'],
    iova_ranges: ['ret', 'align', 'ranges'],
    attach: ['ret', 'errno', 'pt'],
    dmabuf: ['ret', 'errno', 'id'],
    close_dmabuf: [],
    map_file: ['ret', 'errno', 'iova'],
    map: ['ret', 'errno', 'iova'],
    unmap: ['ret', 'errno', 'unmapped'],
    pci_command: ['mem_enable'],
    ptdump: ['live'],
  },
};
