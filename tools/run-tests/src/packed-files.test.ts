import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packedFiles, packingProblems } from './packed-files.ts';

function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).map(([name, text]) => {
    const content = Buffer.from(text);
    const padded = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
    padded.write(`package/${name}`, 0);
    padded.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    content.copy(padded, 512);
    return padded;
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

test('the files of a tarball are listed whatever their sizes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-packed-'));
  const path = join(folder, 'a.tgz');
  writeFileSync(path, tarball({ 'b.js': 'x'.repeat(513), 'a.js': '', 'dist/c.js': 'y'.repeat(512) }));
  expect(packedFiles(path)).toEqual(['a.js', 'b.js', 'dist/c.js']);
  rmSync(folder, { recursive: true });
});

const manifest = {
  exports: {
    '.': { '@sgfree/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
  bin: { sgfree: 'dist/cli.js' },
};
const fit = [
  'LICENSE',
  'README.md',
  'package.json',
  'src/index.ts',
  'dist/index.d.ts',
  'dist/index.js',
  'dist/cli.js',
];

test('a package that ships what its manifest promises is fit', () => {
  expect(packingProblems([...fit, 'dist/other.js'], manifest)).toEqual([]);
});

test.each(fit)('a package without %s is not', (name) => {
  const names = fit.filter((other) => other !== name);
  expect(packingProblems(names, manifest)).toEqual([`${name} is missing`]);
});

test.each(['src/a.test.ts', 'dist/.tsbuildinfo', 'test/a.ts', 'api/index.api.md', 'node_modules/a/index.js'])(
  'a package with %s is not',
  (name) => {
    expect(packingProblems([...fit, name], manifest)).toEqual([`${name} does not belong in a package`]);
  },
);
