// Opening dumps: texts, folders, archives and packings of one invented machine read alike; what is none is told what it is.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietWorld } from '../../test/run-command.ts';
import { InputError } from '../request-list/input-error.ts';
import type { World } from '../world.ts';
import { isTar, MOST_ENTRIES, readArchive } from './archive-tree.ts';
import { FolderTree } from './folder-tree.ts';
import { openDump } from './open-dump.ts';
import { unpackDump } from './unpack-dump.ts';

const world = (stdin: Uint8Array | null = null): World =>
  quietWorld(stdin === null ? [] : [stdin], { readStdin: () => stdin });

/** A bridge on the root bus and a drive behind it, as 64 configuration bytes. */
function config(kind: 'bridge' | 'drive'): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0abc, true);
  view.setUint16(2, kind === 'bridge' ? 1 : 2, true);
  view.setUint16(10, kind === 'bridge' ? 0x0604 : 0x0108, true);
  if (kind === 'bridge') bytes.set([1], 14);
  if (kind === 'bridge') bytes.set([0, 1, 1], 24);
  return bytes;
}

const BRIDGE = 'sys/devices/pci0000:00/0000:00:01.0';
const DRIVE = `${BRIDGE}/0000:01:00.0`;
const FILES: Readonly<Record<string, Uint8Array>> = {
  [`${BRIDGE}/config`]: config('bridge'),
  [`${DRIVE}/config`]: config('drive'),
};
const LINKS: Readonly<Record<string, string>> = {
  'sys/bus/pci/devices/0000:00:01.0': '../../../devices/pci0000:00/0000:00:01.0',
  'sys/bus/pci/devices/0000:01:00.0': '../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0',
};
const LISTING = `00:01.0 PCI bridge: Invented Corp Bridge
\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0
01:00.0 Non-Volatile memory controller: Invented Corp Drive
`;
/** The listing, packed by bzip2. */
const BZIP2 =
  'QlpoOTFBWSZTWTjpuIYAABDfgAAwQAdgEhwhQQA+p98gIACShqZJoPSaADRoPU0Gp6IJGyj9SHqMjMo9Q1Et/IOYUNiL+bqRO+qqzBQkqIERXDla+T5iB009I6pA8Wr2sP0cwXoDcNfGSY7giZgITEg8oaYSkzhBrTMgUgta9CegwcHoi1L9k5kxGxhxBAt0zUUYj+LuSKcKEgcdNxDA';

const archive = async (top: string, extra: readonly TarEntry[] = []): Promise<Uint8Array> => {
  const files = Object.entries(FILES).map(([name, body]): TarEntry => {
    return { header: { name: top + name, size: body.length, type: 'file' }, body };
  });
  const links = Object.entries(LINKS).map(([name, linkname]): TarEntry => {
    return { header: { name: top + name, size: 0, type: 'symlink', linkname } };
  });
  return await packTar([...files, ...links, ...extra]);
};

let folder = '';
const at = (name: string): string => join(folder, name);
const write = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgfree-dump-'));
  for (const [name, bytes] of Object.entries(FILES)) {
    mkdirSync(join(folder, 'tree', name, '..'), { recursive: true });
    writeFileSync(join(folder, 'tree', name), bytes);
  }
  mkdirSync(at('tree/sys/bus/pci/devices'), { recursive: true });
  for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(folder, 'tree', name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The listing, packed `times` times. */
const packed = (times: number): Uint8Array =>
  times === 0 ? new TextEncoder().encode(LISTING) : gzipSync(packed(times - 1));

/** The functions of a dump and who is above each. */
async function machine(path: string, stdin: Uint8Array | null = null): Promise<string[]> {
  const { dump } = await openDump(world(stdin), path);
  return dump.functions.map(({ name, upstream }) => {
    const above = typeof upstream === 'object' ? upstream.name : upstream;
    return `${name} below ${above}`;
  });
}

const MACHINE = ['0000:00:01.0 below root', '0000:01:00.0 below 0000:00:01.0'];

describe('the machine is the same', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  it('as text, packed or not, in UTF-16, from a file or standard input', async () => {
    const utf16 = new Uint8Array([
      0xff,
      0xfe,
      ...new Uint8Array(
        Uint16Array.from({ length: LISTING.length }, (_, index) => LISTING.charCodeAt(index)).buffer,
      ),
    ]);
    const sources: (Uint8Array | string)[] = [
      LISTING,
      `\ufeff${LISTING}`,
      packed(1),
      packed(3),
      utf16,
      new Uint8Array(Buffer.from(BZIP2, 'base64')),
    ];
    for (const source of sources) {
      expect(await machine(write('dump', source))).toEqual(MACHINE);
      const piped = typeof source === 'string' ? bytes(source) : source;
      expect(await machine('-', piped)).toEqual(MACHINE);
    }
  });

  it('as a copy of /sys, of a part of it, and below a folder', async () => {
    expect(await machine(at('tree'))).toEqual(MACHINE);
    expect(await machine(at('tree/sys'))).toEqual(MACHINE);
    mkdirSync(at('more'));
    symlinkSync(at('tree'), at('more/host7'));
    expect(await machine(at('more'))).toEqual(MACHINE);
    cpSync(at('tree/sys/bus/pci/devices'), at('devices'), { recursive: true, dereference: true });
    expect(await machine(at('devices'))).toEqual(MACHINE);
  });

  it('as a tar archive, packed or not, with a folder around it or not', async () => {
    for (const top of ['', './', 'host7/']) {
      const tar = await archive(top);
      expect(await machine(write('a', tar))).toEqual(MACHINE);
      expect(await machine('-', gzipSync(tar))).toEqual(MACHINE);
    }
  });

  it('whatever else an archive holds: names that leave it, loops of links, a file in the place of a folder', async () => {
    const file = (name: string): TarEntry => ({ header: { name, size: 1, type: 'file' }, body: 'x' });
    const tar = await archive('', [
      file('../../etc/passwd'),
      file('/sys/devices/pci0000:00/0000:00:01.0/config/below'),
      { header: { name: 'sys/loop', size: 0, type: 'symlink', linkname: '../sys/loop' } },
      { header: { name: 'sys/bus/pci/devices/0000:02:00.0', size: 0, type: 'symlink', linkname: '/gone' } },
    ]);
    expect(await machine(write('a', tar))).toEqual(MACHINE);
  });
});

describe('names of devices', () => {
  it('come from the database where a dump has numbers only', async () => {
    const pciIds = write('pci.ids', '0abc  Invented Corp\n\t0002  Drive Two\n');
    const { dump } = await openDump(world(), at('tree'), { pciIds });
    expect(dump.functions.map(({ title }) => title)).toEqual([
      'Invented Corp Device 0001',
      'Invented Corp Drive Two',
    ]);
    const standard = { ...world(), pciIdsFiles: [at('missing'), pciIds] };
    expect((await openDump(standard, at('tree'))).dump.functions[1]?.title).toBe('Invented Corp Drive Two');
  });

  it('give the numbers where a dump has names only', async () => {
    const pciIds = write('pci.ids', '0abc  Invented Corp\n\t0002  Drive\n');
    const { dump } = await openDump(world(), write('dump', LISTING), { pciIds });
    const [, drive] = dump.functions;
    expect([drive?.vendorId, drive?.deviceId]).toEqual([0x0abc, 2]);
  });
});

describe('what is no dump', () => {
  it.each([
    ['an empty file', '', 'an empty text'],
    ['a kernel log', '[    0.000000] Linux version 7.3.4\n', 'a kernel log'],
    ['a kernel trace', '# tracer: nop\n#\n', 'a kernel trace'],
    ['a request list', '{"op":"read","pos":0}\n', 'a request list'],
    ['a kernel log with dates', '[Thu Nov 26 00:00:01 2026] Linux version 7.3.4\n', 'a kernel log'],
    ['a journal', 'Nov 26 00:00:01 host7 kernel: Linux version 7.3.4\n', 'a kernel log'],
    ['/dev/kmsg', '6,339,5140900,-;NET: Registered\n', 'a kernel log'],
    ['a listing for programs', '00:00.0 "Host bridge" "Invented Corp" "Bridge" "" ""\n', 'lspci -mm'],
    ['lsusb', 'Bus 001 Device 001: ID 0abc:0001 Invented Corp\n', 'lsusb output'],
    [
      'an hwloc topology',
      '<?xml version="1.0"?>\n<topology version="2.0">\n</topology>\n',
      'an hwloc topology',
    ],
    ['a web page', '<!DOCTYPE html>\n<html></html>\n', 'a web page'],
    ['a program', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0]), 'binary data'],
    ['a dump packed four times', packed(4), 'data packed more than 3 times'],
    ['a matrix', '\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPIX\n', 'an nvidia-smi topo matrix'],
    ['zstd data', new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), 'zstd data'],
    ['torn gzip data', gzipSync(LISTING).subarray(0, 40), 'damaged gzip data'],
    ['torn bzip2 data', new Uint8Array(Buffer.from(BZIP2, 'base64')).subarray(0, 90), 'damaged bzip2 data'],
  ])('%s is called by its name', async (_, content, found) => {
    const path = write('dump', content);
    const error: unknown = await openDump(world(), path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toContain(`${path}`);
    expect((error as InputError).found).toContain(found);
  });

  it('an empty folder', async () => {
    mkdirSync(at('hollow'));
    const error: unknown = await openDump(world(), at('hollow')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'InputError', found: 'an empty folder' });
  });

  it('a torn archive, a missing file, an empty folder, too much input', async () => {
    const torn = (await archive('')).subarray(0, 1300);
    mkdirSync(at('empty'));
    const failures: unknown[] = [];
    for (const path of [write('a', torn), at('gone'), at('empty'), '-']) {
      await openDump(world(), path).catch((reason: unknown) => failures.push(reason));
    }
    expect(failures.map((failure) => failure instanceof InputError)).toEqual([true, true, true, true]);
  });
});

describe('what a small file cannot do', () => {
  it.each([
    ['gzip', gzipSync(LISTING)],
    ['bzip2', new Uint8Array(Buffer.from(BZIP2, 'base64'))],
  ])('unpack to more than the bound, by %s', async (_, bytes) => {
    const error: unknown = await unpackDump('a', bytes, () => undefined, 64).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).found).toContain('more than');
    expect(await unpackDump('a', bytes, () => undefined, 4096)).toHaveLength(LISTING.length);
  });

  it('hold more entries than a machine has files, and lose the rest silently', async () => {
    const empty = { header: { name: 'x', size: 0, type: 'file' } } as const;
    const header = (await packTar([empty])).subarray(0, 512);
    const error: unknown = await readArchive('a', Buffer.alloc(512 * (MOST_ENTRIES + 1), header)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).found).toContain('entries');
  });
});

describe('folders of the running kernel', () => {
  const there = existsSync('/proc/self');
  it(`are not read file by file (/proc is there: ${there})`, async () => {
    if (!there) return;
    await expect(openDump(world(), '/proc')).rejects.toBeInstanceOf(InputError);
    expect(new FolderTree('/proc').read('self/stat')?.length).toBeGreaterThan(0);
  });
});

it('an archive from before POSIX is known by its checksum, and the bytes stay as they are', async () => {
  const tar = Buffer.from(await archive(''));
  for (let at = 0; at < tar.length; at += 512) {
    if (ascii(tar, at + 257, 5) === 'ustar') beforePosix(tar.subarray(at, at + 512));
  }
  const before = Buffer.from(tar);
  expect(isTar(tar)).toBe(true);
  expect(tar.equals(before)).toBe(true);
  expect(await machine(write('a', tar))).toEqual(MACHINE);
  tar[0] = 0x78;
  expect(isTar(tar)).toBe(false);
});

const ascii = (bytes: Uint8Array, at: number, count: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + count));

/** Takes the magic out of a header, and corrects its checksum. */
function beforePosix(header: Uint8Array): void {
  header.fill(0, 257, 512).fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
}

const published = fileURLToPath(new URL('../../../../../shared/data/hwloc/linux/', import.meta.url));

it(`says whether published machines are there: ${existsSync(published)}`, () => {
  expect(typeof existsSync(published)).toBe('boolean');
});

const absent = (_name: string, _tests: () => void): void => undefined;
const whenThere = existsSync(published) ? describe : absent;

whenThere('published archives', () => {
  const names = readdirSync(published).filter((name) => name.endsWith('.tar.bz2'));
  it.each(names)('%s opens as it is or says that it holds no PCI devices', async (name) => {
    const opened = await openDump(world(), join(published, name)).catch((reason: unknown) => reason);
    if (opened instanceof InputError) expect(opened.expected).toContain('sys/bus/pci/devices');
    else expect((opened as { dump: { functions: unknown[] } }).dump.functions.length).toBeGreaterThan(0);
  });
});

describe('an archive of a folder of texts', () => {
  const text = (name: string): TarEntry => ({
    header: { name, size: LISTING.length, type: 'file' },
    body: LISTING,
  });
  const folderEntry = (name: string): TarEntry => ({ header: { name, size: 0, type: 'directory' } });

  it.each<[string, readonly TarEntry[]]>([
    ['from inside the folder', [folderEntry('./'), text('./machine.txt')]],
    ['with the folder', [folderEntry('tt/'), text('tt/machine.txt')]],
    ['with the folder, which has no entry of its own', [text('tt/machine.txt')]],
    ['with a path to the folder', [text('home/me/tt/machine.txt')]],
  ])('is read when it was made %s', async (_, entries) => {
    const { dump } = await openDump(world(), write('texts', await packTar([...entries])));
    expect(dump.functions.map(({ name }) => name)).toEqual(['0000:00:01.0', '0000:01:00.0']);
  });

  it('is refused when it holds nothing', async () => {
    const path = write('texts', await packTar([folderEntry('tt/')]));
    await expect(openDump(world(), path)).rejects.toBeInstanceOf(InputError);
  });
});
