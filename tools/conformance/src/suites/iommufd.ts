// Suite iommufd: random calls on I/O address spaces, with and without mock devices attached.
// Field meanings: vectors/kernel/README.md, section iommufd. Everything is computed from the inputs: numbers of objects,
// IOVAs, errnos, ranges; `check_map` compares the page table of the attached device with the process's memory.
// Simplified: none.

import {
  IommufdHwptPaging,
  type IommufdIoas,
  IommuOption,
  iommufdDestroy,
  iommufdIoasAlloc,
  iommufdIoasAllowIovas,
  iommufdIoasCopy,
  iommufdIoasIovaRanges,
  iommufdIoasMap,
  iommufdIoasUnmap,
  iommufdObjectFinalize,
  iommufdOption,
  iommufdTestAddReserved,
  iommufdTestMdCheckPa,
  iommufdTestMockDomain,
  type U64,
  u64,
  u64At,
  u64Hex,
  u64Number,
} from '@sgfree/iommufd';
import { Errno } from '@sgfree/mm';
import {
  bits,
  count,
  exactly,
  flag,
  hexNumber,
  kindWord,
  listOf,
  matching,
  orAbsent,
  type Reader,
  read,
  tupleOf,
  wideAddress,
  within,
} from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { checkReturn, errnoOf } from './call-return.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { IommufdMachine } from './iommufd-machine.ts';

/** More ranges do not fit the recording program's array. */
const RANGES = 64;
const PAGE = 4096;

/** A 64-bit number as a hex string. */
export const u64Field: Reader<U64> = (value) => {
  const { frame, offset } = wideAddress(value);
  return u64At(frame, offset);
};

/** Number of a step of the recording program; -1 before the first. */
export const step: Reader<number> = within(-1, Number.MAX_SAFE_INTEGER);

/** The only aperture that mock devices have. */
const mockAperture = tupleOf(matching(/^0x1000000$/, '0x1000000'), matching(/^0x7fffffff$/, '0x7fffffff'));

const smallU64: Reader<U64> = (value) => u64(count(value));

/** What a kind of record does with the machine. */
type Player = (replayer: IommufdReplayer, record: JsonRecord, output: RecordedOutput) => void;

class IommufdReplayer implements Replayer {
  readonly machine: IommufdMachine;
  /** Page table of the mock device attached to an address space, by the number of the space. */
  readonly hwpts = new Map<number, number>();

  constructor(header: JsonRecord) {
    this.machine = new IommufdMachine(read(header, 'uva_base', hexNumber), read(header, 'uva_len', count));
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    read(record, 'k', orAbsent(step));
    PLAYERS[kindWord(record, 'op')]?.(this, record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const [objects, pinned, tables] = this.machine.close();
    output.check('objects left', 0, objects);
    output.check('pages left pinned', 0, pinned);
    output.check('table pages left', 0, tables);
    return output.mismatches;
  }

  /** The address space of a field; errno -ENOENT without one. */
  ioas(record: JsonRecord, field: string): IommufdIoas | null {
    return this.machine.ioasOf(read(record, field, count));
  }
}

function allocIoas({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const made = iommufdIoasAlloc(machine.ctx);
  if (made.ok) iommufdObjectFinalize(machine.ctx, made.value);
  checkReturn(output, record, errnoOf(made));
  output.check('id', record['id'], made.ok ? made.value.id : 0);
}

function iovaRanges({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const offer = machine.run(iommufdIoasIovaRanges(machine.ctx, read(record, 'ioas', count)));
  // A call that fails before it counts leaves the program's request as it was.
  const { ranges, alignment } = offer.ok ? offer.value : { ranges: [], alignment: 0 };
  const fits = ranges.length <= RANGES;
  checkReturn(output, record, offer.ok && !fits ? Errno.EMSGSIZE : errnoOf(offer));
  output.check('align', record['align'], alignment);
  output.check('num', record['num'], offer.ok ? ranges.length : RANGES);
  const printed = ranges.map(({ first, last }) => [u64Hex(first), u64Hex(last)]);
  output.check('ranges', record['ranges'], fits ? printed : []);
}

function map({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const iova = read(record, 'iova_in', u64Field);
  const call = {
    flags: read(record, 'flags', bits),
    ioasId: read(record, 'ioas', count),
    userVa: read(record, 'user_va', u64Field),
    length: read(record, 'length', u64Field),
    iova,
  };
  const mapped = machine.run(iommufdIoasMap(machine.ctx, call));
  checkReturn(output, record, errnoOf(mapped));
  output.check('iova', record['iova'], u64Hex(mapped.ok ? mapped.value : iova));
}

function unmap({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const length = read(record, 'length', u64Field);
  const iova = read(record, 'iova', u64Field);
  const unmapped = machine.run(iommufdIoasUnmap(machine.ctx, read(record, 'ioas', count), iova, length));
  checkReturn(output, record, errnoOf(unmapped));
  output.check('unmapped', record['unmapped'], u64Hex(unmapped.ok ? unmapped.value : length));
}

function copy({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const dstIova = read(record, 'dst_iova_in', u64Field);
  const call = {
    flags: read(record, 'flags', bits),
    dstIoasId: read(record, 'dst', count),
    srcIoasId: read(record, 'src', count),
    length: read(record, 'length', u64Field),
    srcIova: read(record, 'src_iova', u64Field),
    dstIova,
  };
  const copied = machine.run(iommufdIoasCopy(machine.ctx, call));
  checkReturn(output, record, errnoOf(copied));
  output.check('dst_iova', record['dst_iova'], u64Hex(copied.ok ? copied.value : dstIova));
}

function allowIovas({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const pairs = read(record, 'ranges', listOf(tupleOf(u64Field, u64Field)));
  const ranges = pairs.map(([first, last]) => ({ first, last }));
  const errno = machine.run(iommufdIoasAllowIovas(machine.ctx, read(record, 'ioas', count), ranges));
  checkReturn(output, record, errno);
}

function addReserved(replayer: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const start = read(record, 'start', u64Field);
  const length = read(record, 'length', u64Field);
  const ioas = replayer.ioas(record, 'ioas');
  const added =
    ioas === null ? -Errno.ENOENT : replayer.machine.run(iommufdTestAddReserved(ioas.iopt, start, length));
  checkReturn(output, record, added);
}

function optionHuge({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const set = read(record, 'set', flag);
  const wanted = read(record, 'val_in', smallU64);
  const call = {
    optionId: IommuOption.HUGE_PAGES,
    op: set ? IommuOption.OP_SET : IommuOption.OP_GET,
    objectId: read(record, 'ioas', count),
    value: wanted,
  };
  const answered = machine.run(iommufdOption(machine.ctx, call));
  checkReturn(output, record, errnoOf(answered));
  output.check('val', record['val'], u64Number(answered.ok && !set ? answered.value : wanted));
}

function mockAttach({ machine, hwpts }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const ioas = read(record, 'ioas', count);
  const made = machine.run(iommufdTestMockDomain(machine.ctx, ioas, machine.mockDevice()));
  checkReturn(output, record, errnoOf(made));
  output.check('stdev', record['stdev'], made.ok ? made.value.stdevId : 0);
  output.check('hwpt', record['hwpt'], made.ok ? made.value.hwptId : 0);
  if (made.ok) hwpts.set(ioas, made.value.hwptId);
}

function mockDetach({ machine }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  read(record, 'ioas', count);
  checkReturn(output, record, machine.run(iommufdDestroy(machine.ctx, read(record, 'stdev', count))));
}

function checkMap({ machine, hwpts }: IommufdReplayer, record: JsonRecord, output: RecordedOutput): void {
  const hwpt = machine.ctx.objects.at(hwpts.get(read(record, 'ioas', count)) ?? 0);
  const [iova, length, uptr] = ['iova', 'length', 'uptr'].map((field) => read(record, field, u64Field)) as [
    U64,
    U64,
    U64,
  ];
  const domain = hwpt instanceof IommufdHwptPaging ? hwpt.domain : null;
  const errno =
    domain === null ? -Errno.ENOENT : iommufdTestMdCheckPa(domain, machine.mm, iova, length, uptr);
  checkReturn(output, record, errno);
}

const PLAYERS: Readonly<Record<string, Player>> = {
  ioas_alloc: allocIoas,
  iova_ranges: iovaRanges,
  map,
  unmap,
  copy,
  allow_iovas: allowIovas,
  add_reserved: addReserved,
  option_huge: optionHuge,
  mock_attach: mockAttach,
  mock_detach: mockDetach,
  check_map: checkMap,
};

/** The suite of random iommufd calls. */
export const iommufdSuite: Suite = {
  name: 'iommufd',
  accepts: (header) => header['suite'] === 'iommufd',
  open(header) {
    read(header, 'page_size', exactly(PAGE));
    read(header, 'n', count);
    read(header, 'mode', bits);
    read(header, 'mock_aperture', mockAperture);
    return new IommufdReplayer(header);
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    ioas_alloc: ['ret', 'errno', 'id'],
    iova_ranges: ['ret', 'errno', 'align', 'num', 'ranges'],
    map: ['ret', 'errno', 'iova'],
    unmap: ['ret', 'errno', 'unmapped'],
    copy: ['ret', 'errno', 'dst_iova'],
    allow_iovas: ['ret', 'errno'],
    add_reserved: ['ret', 'errno'],
    option_huge: ['ret', 'errno', 'val'],
    mock_attach: ['ret', 'errno', 'stdev', 'hwpt'],
    mock_detach: ['ret', 'errno'],
    check_map: ['ret', 'errno'],
  },
};
