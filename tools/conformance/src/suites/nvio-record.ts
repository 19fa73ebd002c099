// NvioRecord: one recorded preadv or pwritev on a raw NVMe disk, read strictly, with the exact memory it used.
// Field meanings: vectors/kernel/README.md, section io/ ("nvio record"). `ret` and `errno` are results and stay unread.
// Simplified: none.

import type { BioVec, DirectIo, IoOperation } from '@sgfree/block/stage-1';
import { physAddr } from '@sgfree/hw-model';
import {
  count,
  hexNumber,
  listOf,
  MalformedValue,
  type Reader,
  read,
  tupleOf,
  within,
} from '../recorded-value.ts';
import type { JsonRecord } from '../suite.ts';

/** One request of a list: what was asked for, as inputs of the block layer. */
export interface NvioRecord {
  readonly k: number;
  readonly io: DirectIo;
  /** Bytes asked for. */
  readonly total: number;
}

const ADDRESS_LIMIT = 2 ** 52;

const operation: Reader<IoOperation> = (value) => {
  if (value === 'read' || value === 'write') return value;
  throw new MalformedValue('', value, 'read or write');
};

const piece: Reader<BioVec> = (value) => {
  const [phys, bytes] = tupleOf(hexNumber, within(1, 2 ** 32 - 1))(value);
  if (phys >= ADDRESS_LIMIT) throw new MalformedValue('[0]', value, 'an address below 2^52');
  return { phys: physAddr(phys), bytes };
};

/** The pieces of one iovec, which add up to its length. */
const iovec: Reader<BioVec[]> = (value) => {
  const [bytes, pieces] = tupleOf(count, listOf(piece))(value);
  const sum = pieces.reduce((total, { bytes: length }) => total + length, 0);
  if (sum !== bytes) throw new MalformedValue('[1]', sum, `pieces of ${bytes} bytes in all`);
  return pieces;
};

/** True when a first line has the shape of these records. */
export function isNvioRecord(record: JsonRecord): boolean {
  const { op, iov } = record;
  const first: unknown = Array.isArray(iov) ? iov[0] : undefined;
  return (op === 'read' || op === 'write') && 'pos' in record && 'total' in record && Array.isArray(first);
}

/** Reads the inputs of a record; throws {@link MalformedValue}. */
export function nvioRecord(record: JsonRecord): NvioRecord {
  const iovecs = read(record, 'iov', listOf(iovec));
  const total = read(record, 'total', count);
  const sum = iovecs.flat().reduce((bytes, { bytes: length }) => bytes + length, 0);
  if (sum !== total) throw new MalformedValue('total', total, `the sum of the iovecs, ${sum}`);
  const io: DirectIo = {
    operation: read(record, 'op', operation),
    position: read(record, 'pos', count),
    iovecs,
  };
  return { k: read(record, 'k', count), io, total };
}
