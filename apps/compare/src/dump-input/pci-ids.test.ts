// The database of names: both directions, damaged lines, and names that stand for more than one device.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InputError } from '../request-list/input-error.ts';
import { findPciIds } from './find-pci-ids.ts';
import { PciIds } from './pci-ids.ts';

const TEXT = `# invented
0abc  Invented Corp
\t0001  Bridge One
\t\t0abc 0002  A card with it
\t0002  Twin
\t0003  Twin
0abd  Invented Corp Twin Works
\t0001  Drive
zzzz  No number
\t00g1  No number either
0abe  Same Name
0abf  Same Name
C 01  Mass storage controller
\t08  Non-Volatile memory controller
`;
const ids = new PciIds(TEXT);

it.each([
  [0x0abc, 0x0001, 'Invented Corp Bridge One'],
  [0x0abc, 0x0009, 'Invented Corp Device 0009'],
  [0x0abd, 0x0001, 'Invented Corp Twin Works Drive'],
  [0x1234, 0x0001, undefined],
])('%i:%i is called %s', (vendor, device, title) => {
  expect(ids.titleOf(vendor, device)).toBe(title);
});

it.each([
  ['Invented Corp Bridge One', { vendorId: 0x0abc, deviceId: 1 }],
  ['Invented Corp Twin', { vendorId: 0x0abc }],
  ['Invented Corp Twin Works Drive', { vendorId: 0x0abd, deviceId: 1 }],
  ['Invented Corp Device 0042', { vendorId: 0x0abc }],
  ['Invented Corp', { vendorId: 0x0abc }],
  ['Same Name Thing', undefined],
  ['Unheard Of', undefined],
])('the title %s is %j', (title, numbers) => {
  expect(ids.lookup(title)).toEqual(numbers);
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgfree-ids-'));
  writeFileSync(join(folder, 'plain'), TEXT);
  writeFileSync(join(folder, 'packed'), gzipSync(TEXT));
  writeFileSync(join(folder, 'other'), 'nothing of the kind\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is found where it was asked for, else where distributions put it, else nowhere', () => {
  const at = (name: string): string => join(folder, name);
  expect(findPciIds(at('packed'), [])?.vendorCount).toBe(4);
  expect(findPciIds(undefined, [at('missing'), at('plain')])?.vendorCount).toBe(4);
  expect(findPciIds(undefined, [at('missing')])).toBe(null);
  expect(() => findPciIds(at('missing'), [at('plain')])).toThrow(InputError);
  expect(() => findPciIds(at('other'), [])).toThrow(InputError);
});
