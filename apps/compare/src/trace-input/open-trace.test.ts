// Traces from files, streams and gzip data in every state: what can be unpacked is used, the rest is said.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../request-list/input-error.ts';
import { openTrace } from './open-trace.ts';

const folder = mkdtempSync(join(tmpdir(), 'sgfree-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const noStdin = {
  streamStdin: (): AsyncIterable<Uint8Array> => {
    throw new Error('standard input is not wanted');
  },
};
const stdinOf = (chunks: readonly Uint8Array[]) => ({
  async *streamStdin() {
    yield* chunks;
  },
});

async function readAll(path: string, world: Parameters<typeof openTrace>[1] = noStdin) {
  const input = openTrace(path, world);
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString(), damage: input.damage, bytesRead: input.bytesRead };
}

const text = Array.from(
  { length: 20_000 },
  (_, line) => `line ${line} ${(line * 2654435761) % 4294967296}\n`,
).join('');

describe('openTrace', () => {
  it('reads a plain file', async () => {
    expect(await readAll(file('plain', text))).toEqual({ text, damage: null, bytesRead: text.length });
  });

  it('reads gzip data whatever the name says, and counts packed bytes', async () => {
    const packed = gzipSync(text);
    expect(await readAll(file('plain.txt', packed))).toEqual({
      text,
      damage: null,
      bytesRead: packed.length,
    });
  });

  it('reads members that follow each other', async () => {
    const path = file(
      'members',
      Buffer.concat([gzipSync('one\n'), gzipSync(''), gzipSync(text), gzipSync('end\n')]),
    );
    expect(await readAll(path)).toMatchObject({ text: `one\n${text}end\n`, damage: null });
  });

  it('reads a header with every optional field', async () => {
    const packed = gzipSync('text\n');
    const header = Uint8Array.of(
      0x1f,
      0x8b,
      8,
      2 + 4 + 8 + 16,
      0,
      0,
      0,
      0,
      0,
      3,
      3,
      0,
      1,
      2,
      3,
      110,
      0,
      99,
      0,
      7,
      7,
    );
    const path = file('fields', Buffer.concat([header, packed.subarray(10)]));
    expect(await readAll(path)).toMatchObject({ text: 'text\n', damage: null });
  });

  it('uses what came before the end of half a file', async () => {
    const packed = gzipSync(text);
    const half = await readAll(file('half', packed.subarray(0, packed.length / 2)));
    expect(half.damage).toBe('gzip data that breaks off');
    expect(text.startsWith(half.text)).toBe(true);
    expect(half.text.length).toBeGreaterThan(text.length / 3);
  });

  it('uses all of the data when only the checksum is wrong or missing', async () => {
    const packed = gzipSync(text);
    const wrong = Uint8Array.from(packed);
    wrong[packed.length - 8] = (wrong[packed.length - 8] ?? 0) ^ 1;
    expect(await readAll(file('sum', wrong))).toMatchObject({
      text,
      damage: 'gzip data whose checksum is wrong',
    });
    const short = await readAll(file('short', packed.subarray(0, -3)));
    expect(short).toMatchObject({ text, damage: 'gzip data that breaks off' });
  });

  it('uses what stands before damaged data', async () => {
    const packed = gzipSync(text);
    packed.fill(0xff, packed.length - 9000, packed.length - 8000);
    const some = await readAll(file('damaged', packed));
    expect(some.damage).not.toBeNull();
    expect(some.text.slice(0, 100_000)).toBe(text.slice(0, 100_000));
  });

  it('says what follows the gzip data', async () => {
    const path = file('tail', Buffer.concat([gzipSync(text), Buffer.from('tail')]));
    expect(await readAll(path)).toMatchObject({ text, damage: 'bytes after the end of the gzip data' });
  });

  it('reads standard input, whatever the chunks', async () => {
    const packed = Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }), async (sizes) => {
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const size of sizes) {
          chunks.push(packed.subarray(at, at + size));
          at += size;
        }
        chunks.push(packed.subarray(at));
        expect(await readAll('-', stdinOf(chunks))).toMatchObject({ text: 'one\ntwo\n', damage: null });
      }),
    );
  });

  it('reads nothing from nothing', async () => {
    expect(await readAll(file('empty', ''))).toEqual({ text: '', damage: null, bytesRead: 0 });
    expect(await readAll('-', stdinOf([]))).toMatchObject({ text: '', damage: null });
  });

  it('survives any bytes behind the two of gzip', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const input = await readAll('-', stdinOf([Uint8Array.of(0x1f, 0x8b), bytes]));
        expect(input.damage).not.toBeNull();
      }),
    );
  });

  it.each([
    ['a missing file', () => join(folder, 'missing'), 'found no such file'],
    ['a directory', () => folder, 'found a directory'],
    ['no name', () => '', 'found no such file'],
    ['a name with a zero byte', () => 'a\u0000b', 'found a name that no file can have'],
    ['zstd data', () => file('z', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1)), 'found zstd data, expected'],
    ['xz data', () => file('x', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)), 'found xz data, expected'],
    ['a perf.data file', () => file('p', 'PERFILE2....'), 'perf script'],
  ])('refuses %s', async (_what, path, message) => {
    const failure = await readAll(path()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as InputError).message).toContain(message);
  });

  it('lets go of the source when its reader stops early', async () => {
    let closed = false;
    const world = {
      async *streamStdin() {
        try {
          for (;;) yield new Uint8Array(1000).fill(0x20);
        } finally {
          closed = true;
        }
      },
    };
    for await (const chunk of openTrace('-', world)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(closed).toBe(true);
  });
});
