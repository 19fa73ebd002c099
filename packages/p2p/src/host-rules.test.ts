// Host-bridge rules by kernel and CPU, and what is known of a host bridge that is known in part.

import { describe, expect, it } from 'vitest';
import { hostBridgeListOf, hostBridgeRowOf, hostBridgeWhitelist } from './host-bridge-list.ts';
import { cpuSupportsP2pdma, HostRules, type P2pCpu } from './host-rules.ts';
import { knownKernel, knownKernels } from './kernel-version.ts';
import type { RootDevice, RouteView } from './route-view.ts';
import type { Truth } from './truth.ts';

const zen: P2pCpu = { vendor: 'AuthenticAMD', family: 0x17 };
const intel: P2pCpu = { vendor: 'GenuineIntel', family: 6 };

describe('kernel versions', () => {
  it.each([
    ['7.3.4', '7.3.4'],
    ['6.12.117-1~deb12u1', '6.12.117'],
    ['6.1.192-2', '6.1.192'],
    ['7.3.4-dmalab', '7.3.4'],
    ['7.3.41', null],
    ['7.3.4.1', null],
    ['7.3', null],
    ['v7.3.4', null],
    ['', null],
  ])('%j is %j', (version, known) => {
    expect(knownKernel(version)).toBe(known);
  });

  it('have lists that only grow', () => {
    expect(knownKernels.map((kernel) => hostBridgeListOf(kernel).length)).toEqual([10, 10, 21, 25]);
  });
});

describe('the CPU', () => {
  it.each<[P2pCpu | 'unknown', Truth]>([
    [zen, true],
    [{ ...zen, family: 0x1a }, true],
    [{ ...zen, family: 0x16 }, false],
    [{ vendor: 'HygonGenuine', family: 0x18 }, false],
    [intel, false],
    ['unknown', 'unknown'],
  ])('%j allows every pair: %s', (cpu, allows) => {
    expect(cpuSupportsP2pdma(cpu)).toBe(allows);
  });

  it.each<[string, Truth, Truth]>([
    ['6.1.192', true, false],
    ['6.6.30', true, false],
    ['7.0.0-22-generic', true, false],
    ['7.3.4', true, false],
    ['6.1.191', 'unknown', 'unknown'],
    ['7.3.5', 'unknown', 'unknown'],
    ['5.15.0', 'unknown', 'unknown'],
    ['7.4.0', 'unknown', 'unknown'],
    ['next', 'unknown', 'unknown'],
  ])('under %s: of kind Zen %s, another %s', (kernel, ofZen, ofAnother) => {
    expect(new HostRules(kernel, zen).cpuAllows).toBe(ofZen);
    expect(new HostRules(kernel, intel).cpuAllows).toBe(ofAnother);
  });
});

type Facts = { readonly same: Truth; readonly roots: readonly (RootDevice | null | 'unknown')[] };

function asked(
  { same, roots }: Facts,
  kernel = '7.3.4',
): { readonly answer: Truth; readonly unlisted: number } {
  const functions = [{ at: 0 }, { at: 1 }] as const;
  const view: RouteView<{ readonly at: number }> = {
    upstream: () => null,
    acsControl: () => 'absent',
    sameHost: () => same,
    rootDevice: ({ at }) => roots[at] ?? null,
  };
  let unlisted = 0;
  const { list } = new HostRules(kernel, intel);
  const answer = hostBridgeWhitelist(view, functions[0], functions[1], list, () => {
    unlisted += 1;
  });
  return { answer, unlisted };
}

const root = (
  vendorId: number | 'unknown',
  deviceId: number | 'unknown',
  rest: Partial<RootDevice> = {},
): RootDevice => ({
  vendorId,
  deviceId,
  devfn: 0,
  isRootPort: false,
  ...rest,
});
const skylake = root(0x8086, 0x2030);
const sandyBridge = root(0x8086, 0x3c00);
const nobody = root(0x8086, 0x29c0);

describe('the list', () => {
  it.each<[string, Facts, Truth]>([
    ['a listed host bridge', { same: true, roots: [skylake, skylake] }, true],
    ['two listed ones', { same: false, roots: [skylake, root(0x1ae0, 0x77)] }, true],
    ['one that is not', { same: true, roots: [nobody, nobody] }, false],
    ['a listed and another one', { same: false, roots: [skylake, nobody] }, false],
    ['one for itself only', { same: true, roots: [sandyBridge, sandyBridge] }, true],
    ['two for themselves only', { same: false, roots: [sandyBridge, sandyBridge] }, false],
    ['no function on the root bus', { same: true, roots: [null, null] }, false],
    ['a first function that is not 00.0', { same: true, roots: [{ ...skylake, devfn: 16 }, null] }, false],
    [
      'a root port that is not 00.0',
      { same: true, roots: [{ ...skylake, devfn: 16, isRootPort: true }, null] },
      true,
    ],
    [
      'perhaps a root port',
      { same: true, roots: [{ ...skylake, devfn: 16, isRootPort: 'unknown' }, null] },
      'unknown',
    ],
    [
      'perhaps a root port, not listed',
      { same: true, roots: [{ ...nobody, devfn: 16, isRootPort: 'unknown' }, null] },
      false,
    ],
    ['an unknown one', { same: true, roots: ['unknown', 'unknown'] }, 'unknown'],
    ['an unknown and an unlisted one', { same: false, roots: ['unknown', nobody] }, false],
    ['an unlisted and an unknown one', { same: false, roots: [nobody, 'unknown'] }, false],
    ['perhaps one, listed everywhere', { same: 'unknown', roots: [skylake, skylake] }, true],
    ['perhaps one, for itself only', { same: 'unknown', roots: [sandyBridge, sandyBridge] }, 'unknown'],
    ['any device of a listed vendor', { same: false, roots: [root(0x1ae0, 'unknown'), skylake] }, true],
    ['some device of a vendor with rows', { same: true, roots: [root(0x8086, 'unknown'), null] }, 'unknown'],
    ['some device of a vendor without', { same: true, roots: [root(0x1022, 'unknown'), null] }, false],
    [
      'a listed device number of some vendor',
      { same: true, roots: [root('unknown', 0x2030), null] },
      'unknown',
    ],
  ])('%s', (_, facts, answer) => {
    expect(asked(facts).answer).toBe(answer);
  });

  it.each<[string, RootDevice | null, number | 'any' | null | 'unknown']>([
    ['a listed one', skylake, 0x2030],
    ['any of a vendor', root(0x1ae0, 'unknown'), 'any'],
    ['one that is not', nobody, null],
    ['one that does not count', { ...skylake, devfn: 8 }, null],
    ['one that may count', { ...skylake, devfn: 8, isRootPort: 'unknown' }, 'unknown'],
    ['one of some device number', root(0x8086, 'unknown'), 'unknown'],
    ['none at all', null, null],
  ])('has the row of %s', (_, device, expected) => {
    const row = hostBridgeRowOf(device, hostBridgeListOf('7.3.4'));
    expect(row === null || row === 'unknown' ? row : row.deviceId).toBe(expected);
  });

  it('grows with the kernel', () => {
    const nvidia: Facts = { same: true, roots: [root(0x10de, 0x2f95), null] };
    const google: Facts = { same: true, roots: [root(0x1ae0, 1), null] };
    expect(knownKernels.map((kernel) => asked(nvidia, kernel).answer)).toEqual([false, false, false, true]);
    expect(knownKernels.map((kernel) => asked(google, kernel).answer)).toEqual([false, false, true, true]);
    expect(asked(google, '6.6.0').answer).toBe('unknown');
    expect(asked({ same: true, roots: [null, null] }, '6.6.0').answer).toBe(false);
  });

  it('speaks of the first host bridge that no row matches', () => {
    expect(asked({ same: false, roots: [nobody, nobody] }).unlisted).toBe(1);
    expect(asked({ same: false, roots: [skylake, nobody] }).unlisted).toBe(1);
    expect(asked({ same: false, roots: [sandyBridge, nobody] }).unlisted).toBe(0);
  });
});
