import { expect, it } from 'vitest';
import { acsKernelOf } from './acs-kernel-of.ts';

it.each([
  ['5.15.0', '6.1'],
  ['6.1.192-2', '6.1'],
  ['6.11.0', '6.1'],
  ['6.12', '6.12'],
  ['6.12.117-1~deb12u1', '6.12'],
  ['7.1.9', '6.12'],
  ['7.2.13', '7.2'],
  ['7.3.4-dmalab', '7.3'],
  ['7.10.0', '7.3'],
  ['10.0', '7.3'],
  ['mainline', '7.3'],
])('%s has the ACS code of %s', (version, expected) => {
  expect(acsKernelOf(version)).toBe(expected);
});
