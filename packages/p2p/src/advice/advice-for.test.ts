// Advice on an invented machine: what is advised for each cause of a verdict, and what is not.

import { describe, expect, it } from 'vitest';
import { type AcsByAddress, at, dumpOf, switchMachine } from '../../test/advice/described-machine.ts';
import { intel, zen } from '../../test/peer-tree.ts';
import { HostRules } from '../host-rules.ts';
import type { Advice, AdvisedChange, ClearRedirectChange } from './advice.ts';
import { type AdviceOptions, adviceFor } from './advice-for.ts';

const [A, A1, B, C, E] = ['03:00.0', '03:00.1', '04:00.0', '06:00.0', '83:00.0'] as const;
const SET = [0x5f, 0x1d] as const;
const rules = new HostRules('7.3.4', intel);

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly acs?: AcsByAddress;
  readonly identity?: string;
  readonly rules?: HostRules;
  readonly options?: AdviceOptions;
}

function ask({ from = A, to = B, acs = {}, identity, rules: under = rules, options }: Asked): Advice {
  const dump = switchMachine(acs, identity);
  return adviceFor(dump, at(dump, from), at(dump, to), under, options);
}

const kinds = ({ changes }: Advice): string[] => changes.map(({ kind }) => kind);
const only = <K extends AdvisedChange['kind']>(
  { changes }: Advice,
  kind: K,
): (AdvisedChange & { kind: K })[] =>
  changes.filter((change): change is AdvisedChange & { kind: K } => change.kind === kind);
const clearing = (advice: Advice): ClearRedirectChange => {
  const [found] = only(advice, 'clear-redirect');
  if (found === undefined) throw new Error('clearing is not advised');
  return found;
};
const names = (change: ClearRedirectChange): string[] =>
  change.targets.map(({ fn, bits }) => `${fn.name.slice(5)}=${bits.toString(16)}`);

describe('which functions, and which of their bits', () => {
  it.each<[string, AcsByAddress, string[]]>([
    ['one downstream port', { '02:00.0': SET }, ['02:00.0=c']],
    ['both downstream ports', { '02:00.0': SET, '02:01.0': SET }, ['02:00.0=c', '02:01.0=c']],
    ['the common port', { '01:00.0': [0x7f, 0x04], '02:01.0': [0x7f, 0x08] }, ['01:00.0=4', '02:01.0=8']],
    ['egress control alone', { '02:01.0': [0x7f, 0x20] }, ['02:01.0=20']],
    ['all three bits', { '02:00.0': [0x7f, 0x3d] }, ['02:00.0=2c']],
    ['a function with ACS of its own', { [A]: [0x2c, 0x04], [B]: [0x2c, 0x28] }, [`${A}=4`, `${B}=28`]],
    ['not the port above the common one', { '00:01.0': SET, '02:00.0': SET }, ['02:00.0=c']],
    ['not a third port of the switch', { '02:02.0': SET, '02:00.0': SET }, ['02:00.0=c']],
    ['not a sibling function', { [A1]: [0x2c, 0x2c], '02:00.0': SET }, ['02:00.0=c']],
    ['not bits that do not redirect', { '02:00.0': SET, '02:01.0': [0x5f, 0x51] }, ['02:00.0=c']],
  ])('%s', (_, acs, expected) => {
    const advice = ask({ acs });
    expect(names(clearing(advice))).toEqual(expected);
    expect(clearing(advice).route).toMatchObject({ mapType: 'bus-addr', distance: 4, redirecting: [] });
    expect(advice).toMatchObject({ busAddress: 'clear-redirect', today: { mapType: 'not-supported' } });
  });

  it('of two functions of one device, where the port between them and the root redirects', () => {
    expect(names(clearing(ask({ from: A, to: A1, acs: { '02:00.0': SET, '01:00.0': SET } })))).toEqual([
      '02:00.0=c',
    ]);
  });

  it('of a function that meets itself', () => {
    expect(names(clearing(ask({ from: A, to: A, acs: { [A]: SET, '02:00.0': SET } })))).toEqual([`${A}=c`]);
  });
});

describe('texts that do it', () => {
  const acs = { '02:00.0': SET, '02:01.0': [0x7f, 0x3d] } as const;
  const texts = (options: AdviceOptions, kernel = '7.3.4'): string[] =>
    clearing(ask({ acs, options, rules: new HostRules(kernel, intel) })).ways.map(({ argument }) => argument);

  it('keep with config_acs what perhaps only the kernel had set', () => {
    expect(texts({})).toEqual([
      'clear-acs-redirect=0000:02:00.0;0000:02:01.0',
      'pci=disable_acs_redir=0000:02:00.0;0000:02:01.0',
      'pci=config_acs=xx100x1@0000:02:00.0;x0100x1@0000:02:01.0',
    ]);
  });

  it('have no config_acs before 6.12', () => {
    expect(texts({}, '6.1.192')).toHaveLength(2);
    expect(texts({ acsKernel: '6.12' }, '6.1.192')).toHaveLength(3);
  });

  it('come with commands for the running machine only', () => {
    const { ways } = clearing(ask({ acs }));
    expect(ways.map(({ commands }) => commands)).toEqual([
      ['setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:c', 'setpci -s 0000:02:01.0 ECAP_ACS+6.w=0:2c'],
      [],
      [],
    ]);
    expect(ways[0]?.effect.remarks.map(({ code }) => code)).toEqual([
      'groups-stay',
      'map-types-cached',
      'not-permanent',
    ]);
  });

  it.each<[string, string, AdviceOptions, string[][]]>([
    ['since 6.12, firmware unknown', '6.12.117', {}, [[], ['0/11', '0/11'], []]],
    ['since 6.12, firmware zero', '7.3.4', { firmware: 'zero' }, [[], ['11/0', '11/0'], []]],
    ['in 6.1', '6.1.192', {}, [[], []]],
  ])('lose SV and UF by disable_acs_redir: %s', (_, kernel, options, expected) => {
    const { ways } = clearing(ask({ acs, options, rules: new HostRules(kernel, intel) }));
    const losses = ways.map(({ effect }) =>
      effect.losses.map(({ lost, maybeLost }) => `${lost.toString(16)}/${maybeLost.toString(16)}`),
    );
    expect(losses).toEqual(expected);
  });
});

describe('what it does to groups', () => {
  const everywhere: AcsByAddress = Object.fromEntries(
    ['00:01.0', '00:02.0', '02:00.0', '02:01.0', '02:02.0'].map((address) => [address, SET]),
  );

  it('merges what is below a cleared port with the port, and nothing else', () => {
    for (const { groups } of clearing(ask({ acs: everywhere })).ways) {
      const merged = groups.merged.map(({ after }) => after.members.map(({ name }) => name.slice(5)));
      expect(merged).toEqual(
        [
          ['02:00.0', A, A1],
          ['02:01.0', B],
        ].map((members) => expect.arrayContaining(members)),
      );
      expect(groups.merged.map(({ from }) => from.length)).toEqual([2, 2]);
      expect(groups.same).toBe(false);
      expect(groups.undecided).toEqual([]);
      expect(groups.losesIsolation).toHaveLength(5);
    }
  });

  it('says nothing of groups that rest on hidden registers', () => {
    const { ways } = clearing(ask({ acs: { ...everywhere, '00:02.0': 'hidden' } }));
    expect(ways[1]?.groups.undecided.map(({ name }) => name)).toEqual([`0000:${C}`]);
    expect(ways[1]?.groups.merged).toHaveLength(2);
  });

  it('has no groups without an IOMMU', () => {
    const { ways } = clearing(ask({ acs: everywhere, options: { iommu: 'off' } }));
    expect(ways[1]?.groups).toMatchObject({ same: true, merged: [], undecided: [] });
  });
});

describe('the host bridge', () => {
  it.each<[string, Asked, string[]]>([
    [
      'in a newer list',
      { from: A, to: C, identity: '8086:4940', rules: new HostRules('6.12.117', intel) },
      ['7.2.13', '7.3.4'],
    ],
    [
      'in the newest list',
      { from: A, to: E, identity: '10de:2f95', rules: new HostRules('7.2.13', intel) },
      ['7.3.4'],
    ],
    [
      'under a kernel nobody knows',
      { from: A, to: C, identity: '8086:2030', rules: new HostRules('6.8.0', intel) },
      ['6.1.192', '6.12.117', '7.2.13', '7.3.4'],
    ],
    [
      'where the way inside redirects',
      { acs: { '02:00.0': SET }, identity: '1ae0:0001', rules: new HostRules('6.1.192', intel) },
      ['7.2.13', '7.3.4'],
    ],
    ['in no list', { from: A, to: C }, []],
    ['in this list already', { from: A, to: C, identity: '8086:2030' }, []],
    ['listed for one host bridge only', { from: A, to: E, identity: '8086:3c00' }, []],
  ])('%s', (_, asked, expected) => {
    const found = only(ask(asked), 'kernel-version');
    expect(found.flatMap(({ kernels }) => kernels)).toEqual(expected);
    for (const { route, rows } of found) {
      expect(route).toMatchObject({ mapType: 'thru-host-bridge', rule: 'host-bridge-listed' });
      expect(rows).toHaveLength(2);
    }
  });

  it('does not matter on a Zen CPU', () => {
    const [found] = only(ask({ from: A, to: E }), 'cpu');
    expect(found).toMatchObject({
      cpu: zen,
      route: { mapType: 'thru-host-bridge', rule: 'cpu', distance: 8 },
    });
    expect(kinds(ask({ from: A, to: E, rules: new HostRules('7.3.4', zen) }))).not.toContain('cpu');
    expect(kinds(ask({ from: A, to: E, rules: new HostRules('5.4.0', intel) }))).not.toContain('cpu');
  });
});

describe('another place', () => {
  const moves = (asked: Asked): string[] =>
    only(ask(asked), 'move-device').map(({ device, to, ports, route }) => {
      const where = typeof to === 'string' ? to : to.name.slice(5);
      const listed = ports.map(({ port, clear }) => `${port.name.slice(5)}${clear.length > 0 ? '!' : ''}`);
      return `${device.name.slice(5)} ${where} ${listed.join()} ${route.mapType} ${route.distance}`;
    });

  it('is below a switch of the other device', () => {
    expect(moves({ from: A, to: C })).toEqual(['06:00.0 01:00.0 02:02.0 bus-addr 4']);
    expect(moves({ from: A, to: E })).toEqual([
      '83:00.0 01:00.0 02:02.0 bus-addr 4',
      '03:00.0 81:00.0 82:01.0 bus-addr 4',
    ]);
  });

  it('may need bits cleared too', () => {
    expect(moves({ from: A, to: C, acs: { '02:02.0': SET } })).toEqual([
      '06:00.0 01:00.0 02:02.0! bus-addr 4',
    ]);
  });

  it('is below the same host bridge, where the list asks for that', () => {
    expect(moves({ from: C, to: E, identity: '8086:2f00' })).toEqual([
      '83:00.0 host-bridge 00:03.0 thru-host-bridge 4',
      '06:00.0 81:00.0 82:01.0 bus-addr 4',
    ]);
  });

  it('is not looked for where a common port exists', () => {
    expect(moves({ acs: { '02:00.0': SET } })).toEqual([]);
    expect(ask({ from: A, to: C }).busAddress).toBe('no-common-switch');
  });
});

describe('what a dump hides', () => {
  it('is to be found out first; clearing everything that may redirect helps too', () => {
    const advice = ask({ acs: { '02:00.0': 'hidden', '02:01.0': SET } });
    expect(advice.today.mapType).toBe('not-supported');
    expect(clearing(advice).targets.map(({ fn, bits, certain }) => [fn.name, bits, certain])).toEqual([
      ['0000:02:00.0', 0x2c, false],
      ['0000:02:01.0', 0x0c, true],
    ]);
    const open = ask({ acs: { '02:00.0': 'hidden' } });
    expect(kinds(open)).toEqual(['reveal', 'clear-redirect']);
    expect(only(open, 'reveal')[0]?.facts).toMatchObject([
      {
        fact: { kind: 'acs-control', of: { name: '0000:02:00.0' } },
        outcomes: [{ possible: ['bus-addr'] }, { possible: ['not-supported'] }],
      },
    ]);
  });

  it('may be the CPU or the kernel', () => {
    const [facts] = only(ask({ from: A, to: C, rules: new HostRules('6.8.0', 'unknown') }), 'reveal');
    expect(facts?.facts.map(({ fact, outcomes }) => [fact.kind, outcomes.length])).toEqual([
      ['cpu', 2],
      ['kernel-version', 4],
    ]);
  });

  it('is not asked for when it does not matter', () => {
    expect(ask({ acs: { '00:01.0': 'hidden' } })).toMatchObject({ busAddress: 'today', changes: [] });
  });
});

describe('egress control without request redirect', () => {
  it.each<[string, AcsByAddress, string[]]>([
    ['refuses', { '02:00.0': [0x7f, 0x20], '02:01.0': [0x7f, 0x28] }, ['0000:02:00.0', '0000:02:01.0']],
    ['redirects with it', { '02:00.0': [0x7f, 0x24] }, []],
    ['does not matter above the common port', { '00:01.0': [0x7f, 0x20] }, []],
  ])('%s', (_, acs, expected) => {
    const found = ask({ acs }).remarks.flatMap(({ code, of }) => of.map(({ name }) => [code, name]));
    expect(found).toEqual(expected.map((name) => ['egress-refuses', name]));
  });
});

describe('virtual functions', () => {
  const machine = (physical: number, virtual: number): ReturnType<typeof dumpOf> =>
    dumpOf([
      { at: '00:00.0', kind: '', ids: '8086:ffff' },
      { at: '00:01.0', kind: 'Root Port (Slot+)', buses: [1, 1], acs: [0x5f, 0x11] },
      { at: '01:00.0', kind: 'Endpoint', acs: [0x0c, physical] },
      { at: '01:00.1', kind: 'Endpoint', virtual: true, ids: '1234:0101', acs: [0x0c, virtual] },
      { at: '01:00.2', kind: 'Endpoint', virtual: true, ids: '1234:0101', acs: [0x0c, 0] },
    ]);
  const targets = (dump: ReturnType<typeof dumpOf>, from: string, to: string): string[] =>
    names(clearing(adviceFor(dump, at(dump, from), at(dump, to), rules)));

  it('are named for their own registers, not those of the physical one', () => {
    expect(targets(machine(0x0c, 0x04), '01:00.1', '01:00.2')).toEqual(['01:00.1=4']);
    expect(targets(machine(0x08, 0x04), '01:00.0', '01:00.1')).toEqual(['01:00.0=8', '01:00.1=4']);
    const apart = machine(0x0c, 0);
    expect(adviceFor(apart, at(apart, '01:00.1'), at(apart, '01:00.2'), rules).busAddress).toBe('today');
  });
});
