// What the mapping calls answer on a populated world.
// Source followed: ioas.c and io_pagetable.c of iommufd; `iopt_alloc_pages` refuses lengths near 2^64.
// Simplified: for tests only.

import type { ErrnoName } from '@sgfree/mm';
import { type AbiWorld, P } from '../abi-world.ts';
import { automaticIova } from './automatic-iova.ts';
import { type KnownSpace, LAST, meet, SPACE, SPACES, type Span } from './known-state.ts';
import type { UserView } from './user-view.ts';

const PAGE = BigInt(P);

/** An errno by name; null = success. */
export type Answer = ErrnoName | null;

/** Reads a field as a number of any width. */
export type Fields = (name: string) => bigint;

function early(fields: Fields, wide: readonly string[]): Answer {
  const flags = fields('flags');
  if (flags > 7n) return 'EOPNOTSUPP';
  if (wide.some((name) => fields(name) === LAST)) return 'EOVERFLOW';
  return flags < 2n ? 'EINVAL' : null;
}

function fixedAnswer(space: KnownSpace, iova: bigint, length: bigint): Answer {
  if (iova % space.alignment !== 0n) return 'EINVAL';
  if (iova + length - 1n >= SPACE) return 'EOVERFLOW';
  const wanted: Span = { first: iova, last: iova + length - 1n };
  if (space.reserved.some((range) => meet(range, wanted))) return 'EINVAL';
  return space.areas.some((range) => meet(range, wanted)) ? 'EEXIST' : null;
}

function place(space: KnownSpace, fields: Fields, iova: string, hint: bigint): Answer {
  const length = fields('length');
  if (length === 0n || length % space.alignment !== 0n) return 'EINVAL';
  if ((fields('flags') & 1n) === 1n) return fixedAnswer(space, fields(iova), length);
  const found = automaticIova(space, hint, length);
  return typeof found === 'bigint' ? null : found;
}

const spaceOf = (fields: Fields, name: string): KnownSpace | undefined => SPACES.get(Number(fields(name)));

/** IOMMU_IOAS_MAP. */
export function mapAnswer(fields: Fields, view: UserView): Answer {
  const refused = early(fields, ['iova', 'length']);
  if (refused !== null) return refused;
  const space = spaceOf(fields, 'ioas_id');
  if (space === undefined) return 'ENOENT';
  const [va, length] = [fields('user_va'), fields('length')];
  if (length === 0n) return 'EINVAL';
  if (va + length >= SPACE) return 'EOVERFLOW';
  if (length > LAST - PAGE) return 'EINVAL';
  const placed = place(space, fields, 'iova', va);
  if (placed !== null) return placed;
  if ((va % PAGE) % space.alignment !== 0n) return 'EINVAL';
  const write = (fields('flags') & 2n) !== 0n;
  return space.shown && !view.covers(va, length, write) ? 'EFAULT' : null;
}

const buffersOf = ({ lent, takenBack }: AbiWorld) => [lent, takenBack];

/** Before an IOVA is looked for: a buffer has to have the whole range and not be taken back. */
function fileAnswer(fields: Fields, world: AbiWorld): Answer {
  const fd = Number(fields('fd'));
  const buffer = buffersOf(world).find((other) => other.fd === fd);
  if (buffer !== undefined) {
    if (BigInt(buffer.dmabuf.size) <= fields('start') + fields('length') - 1n) return 'EINVAL';
    return buffer.state.revoked ? 'ENODEV' : null;
  }
  if (world.dmaBufs.files.at(fd) === null) return 'EBADF';
  return fields('length') > LAST - PAGE ? 'EINVAL' : null;
}

/** IOMMU_IOAS_MAP_FILE. */
export function mapFileAnswer(fields: Fields, world: AbiWorld): Answer {
  const refused = early(fields, ['iova', 'length']);
  if (refused !== null) return refused;
  const space = spaceOf(fields, 'ioas_id');
  if (space === undefined) return 'ENOENT';
  const [start, length] = [fields('start'), fields('length')];
  if (length === 0n) return 'EINVAL';
  if (start + length - 1n >= SPACE) return 'EOVERFLOW';
  const answer = fileAnswer(fields, world) ?? place(space, fields, 'iova', start);
  if (answer !== null) return answer;
  if ((start % PAGE) % space.alignment !== 0n) return 'EINVAL';
  const fd = Number(fields('fd'));
  // Nothing of a buffer is looked for when it is shown.
  if (!space.shown || buffersOf(world).some((buffer) => buffer.fd === fd)) return null;
  return fd === world.memfd && (start + length + PAGE - 1n) / PAGE <= 8n ? null : 'EINVAL';
}

/** IOMMU_IOAS_COPY: on this world a source is one area or a part of it. */
export function copyAnswer(fields: Fields): Answer {
  const refused = early(fields, ['length', 'src_iova', 'dst_iova']);
  if (refused !== null) return refused;
  const source = spaceOf(fields, 'src_ioas_id');
  if (source === undefined) return 'ENOENT';
  const [first, length] = [fields('src_iova'), fields('length')];
  if (length === 0n) return 'EINVAL';
  if (first + length - 1n >= SPACE) return 'EOVERFLOW';
  const area = source.areas.find((a) => a.first <= first && first + length - 1n <= a.last);
  if (area === undefined) return 'ENOENT';
  const space = spaceOf(fields, 'dst_ioas_id');
  if (space === undefined) return 'ENOENT';
  const offset = (area.offset + first - area.first) % PAGE;
  const placed = place(space, fields, 'dst_iova', sourceHint(first, area.first, fields));
  if (placed !== null) return placed;
  if (!area.writable && (fields('flags') & 2n) !== 0n) return 'EPERM';
  return offset % space.alignment !== 0n ? 'EINVAL' : null;
}

/** The user address behind the first byte: the buffer is aligned to 2 MiB, the areas show it from page 0, 4 and 8 on. */
function sourceHint(first: bigint, start: bigint, fields: Fields): bigint {
  const page = Number(fields('src_ioas_id')) === 2 ? 8n : start === 0x10000n ? 0n : 4n;
  return 0x700000000000n + page * PAGE + first - start;
}

/** IOMMU_IOAS_UNMAP. */
export function unmapAnswer(fields: Fields): Answer {
  const space = spaceOf(fields, 'ioas_id');
  if (space === undefined) return 'ENOENT';
  const [first, length] = [fields('iova'), fields('length')];
  if (first === 0n && length === LAST) return null;
  if (first === LAST || length === LAST) return 'EOVERFLOW';
  if (length === 0n) return 'EINVAL';
  if (first + length - 1n >= SPACE) return 'EOVERFLOW';
  const last = first + length - 1n;
  const touched = space.areas.filter((range) => meet(range, { first, last }));
  const cut = touched.some((range) => range.first < first || range.last > last);
  return touched.length === 0 || cut ? 'ENOENT' : null;
}
