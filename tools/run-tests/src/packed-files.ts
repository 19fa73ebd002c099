// What is inside a packed package: the names of the files of an npm tarball, and what must and must not be there.
// Source followed: the ustar header (name at 0, size at 124, prefix at 345), which npm and pnpm write.
// Simplified: long-name extensions are not read; the house has no such paths.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const block = 512;

/** The file names of a tarball, without the leading `package/`. */
export function packedFiles(tarball: string): string[] {
  const bytes = gunzipSync(readFileSync(tarball));
  const names: string[] = [];
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const prefix = text(345, 155);
    names.push(`${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`.replace(/^package\//, ''));
    const size = Number.parseInt(text(124, 12), 8);
    at += block + Math.ceil(size / block) * block;
  }
  return names.sort();
}

/** What a manifest promises to ship. */
export interface ShippedManifest {
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const always = ['LICENSE', 'README.md', 'package.json'];
const unwanted = /[.]test[.]|[.]tsbuildinfo$|^test\/|^api\/|^node_modules\//;

function promisedFiles({ exports = {}, bin = {} }: ShippedManifest): string[] {
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  return [
    ...new Set([...always, ...targets, ...Object.values(bin)].map((path) => path.replace(/^[.]\//, ''))),
  ];
}

/** What is wrong with the files of a packed package. */
export function packingProblems(names: readonly string[], manifest: ShippedManifest): string[] {
  return [
    ...promisedFiles(manifest)
      .filter((name) => !names.includes(name))
      .map((name) => `${name} is missing`),
    ...names.filter((name) => unwanted.test(name)).map((name) => `${name} does not belong in a package`),
  ];
}
