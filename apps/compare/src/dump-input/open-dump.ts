// OpenDump: the dump of a machine from wherever a person has it: a text, a folder, an archive, this machine, a pipe.
// Source followed: none; what something is shows in its first bytes and in what a folder holds, never in its name.
// Simplified: everything is held in memory.

import { closeSync, openSync, realpathSync, statSync } from 'node:fs';
import {
  type FileTree,
  type MachineDump,
  parsePciAddress,
  readTopologyText,
  readTopologyTree,
  type TopologyInputCode,
  TopologyInputError,
  type TopologyOptions,
} from '@sgfree/topology';
import { Progress } from '../progress.ts';
import { readToEnd } from '../request-list/bounded-read.ts';
import { InputError } from '../request-list/input-error.ts';
import { unreadable } from '../request-list/read-input.ts';
import { foreignFormat } from '../trace-input/foreign-format.ts';
import type { World } from '../world.ts';
import { isTar, readArchive } from './archive-tree.ts';
import { BelowTree } from './below-tree.ts';
import { confusedWith } from './confused-with.ts';
import { findPciIds } from './find-pci-ids.ts';
import { FolderTree } from './folder-tree.ts';
import { MOST_DUMP_BYTES, unpackDump } from './unpack-dump.ts';
import { withinTops } from './within-tree.ts';

const EXPECTED =
  'lspci -vvv or -vvvxxxx text, an NCCL topology file, a copy of /sys as a folder or tar archive, or another dump';
const DEVICES = 'sys/bus/pci/devices';
/** What the readers say of text of another kind. */
const UNKNOWN: ReadonlySet<TopologyInputCode> = new Set(['unknown-format', 'malformed']);

/** How a dump is opened. */
export interface DumpOptions {
  /** A pci.ids database to use instead of the distribution's. */
  readonly pciIds?: string;
}

/** A machine and where it came from. */
export interface OpenedDump {
  /** The path, `<stdin>`, or `this machine`. */
  readonly name: string;
  readonly dump: MachineDump;
}

/** The machine at `path`; `-` = standard input, `/sys` = this machine. Throws {@link InputError}. */
export async function openDump(world: World, path: string, options: DumpOptions = {}): Promise<OpenedDump> {
  const ids = findPciIds(options.pciIds, world.pciIdsFiles ?? []);
  const names: TopologyOptions = ids === null ? {} : { lookup: ids.lookup, titleOf: ids.titleOf };
  if (path !== '-' && isFolder(path)) {
    const live = isBelow(path, '/sys');
    // Files there answer with what is going on; reading the log of the kernel would even take it from others.
    if (isBelow(path, '/proc')) throw new InputError(path, 0, 'a folder of /proc', '/sys for this machine');
    const name = live ? 'this machine' : path;
    const tree = folderAt(path, live);
    if (tree.list('')?.length === 0) throw new InputError(name, 0, 'an empty folder', EXPECTED);
    return { name, dump: read(name, () => readTopologyTree(tree, names)) };
  }
  const name = path === '-' ? '<stdin>' : path || '""';
  return { name, dump: await fromBytes(world, name, bytesOf(world, path, name), names) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Whether the folder `path` is `top` or lies in it. */
function isBelow(path: string, top: string): boolean {
  const real = realpathSync(path);
  return real === top || real.startsWith(`${top}/`);
}

/** A folder of /sys, of device folders, or of texts. */
function folderAt(path: string, live: boolean): FileTree {
  return live ? new FolderTree('/') : wholeTree(new FolderTree(path));
}

/** Puts the devices' own folder where /sys would have it. */
function wholeTree(tree: FileTree): FileTree {
  const names = tree.list('') ?? [];
  return names.some((name) => parsePciAddress(name) !== undefined) ? new BelowTree(tree, DEVICES) : tree;
}

async function fromBytes(
  world: World,
  name: string,
  packed: Uint8Array,
  names: TopologyOptions,
): Promise<MachineDump> {
  const progress = new Progress(world);
  const bytes = await unpackDump(name, packed, (unpacked) =>
    progress.show(() => `${name}: ${Math.floor(unpacked / 2 ** 20)} MiB unpacked`),
  ).finally(() => progress.end());
  if (isTar(bytes)) return read(name, await archiveReader(name, bytes, names));
  const foreign = foreignFormat(bytes);
  if (foreign !== null) throw new InputError(name, 0, foreign, EXPECTED);
  const text = decoded(bytes);
  return read(name, () => readTopologyText(text, names), text);
}

/** UTF-8, or UTF-16 where the text says so itself; names in an old encoding lose letters only. */
function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const wide =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(wide).decode(bytes);
}

async function archiveReader(
  name: string,
  bytes: Uint8Array,
  names: TopologyOptions,
): Promise<() => MachineDump> {
  try {
    const tree = wholeTree(withinTops(await readArchive(name, bytes)));
    if (tree.list('')?.length === 0) throw new InputError(name, 0, 'an empty archive', EXPECTED);
    return () => readTopologyTree(tree, names);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(name, 0, `a damaged tar archive (${(error as Error).message})`, EXPECTED);
  }
}

/** Reads, and gives what the readers refuse the file's name; text of another kind is called by its name. */
function read(name: string, reader: () => MachineDump, text = ''): MachineDump {
  try {
    return reader();
  } catch (error) {
    if (!(error instanceof TopologyInputError)) throw error;
    const other = UNKNOWN.has(error.code) ? confusedWith(text) : null;
    if (other !== null) throw new InputError(name, 0, other, EXPECTED);
    const file = error.file === '' ? name : `${name} (${error.file})`;
    throw new InputError(file, error.line, error.found, error.expected);
  }
}

function bytesOf(world: World, path: string, name: string): Uint8Array {
  let bytes: Uint8Array | null;
  try {
    bytes = path === '-' ? world.readStdin(MOST_DUMP_BYTES) : readFile(path);
  } catch (error) {
    throw unreadable(name, error, EXPECTED);
  }
  if (bytes === null) throw new InputError(name, 0, 'more than 512 MiB', 'at most 512 MiB');
  return bytes;
}

function readFile(path: string): Uint8Array | null {
  const descriptor = openSync(path, 'r');
  try {
    return readToEnd(descriptor, MOST_DUMP_BYTES);
  } finally {
    closeSync(descriptor);
  }
}
