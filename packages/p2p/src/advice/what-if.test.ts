// What-ifs in the kernel's syntax and in our own: registers afterwards, mistakes, losses and remarks.

import { describe, expect, it } from 'vitest';
import { type AcsByAddress, at, dumpOf, switchMachine } from '../../test/advice/described-machine.ts';
import { intel } from '../../test/peer-tree.ts';
import { HostRules } from '../host-rules.ts';
import { adviceFor } from './advice-for.ts';
import { compareStates, groupsOf } from './machine-state.ts';
import { type WhatIf, type WhatIfOptions, whatIf } from './what-if.ts';

const machine: AcsByAddress = {
  '00:01.0': [0x5f, 0x1d],
  '02:00.0': [0x7f, 0x3d],
  '02:01.0': [0x5f, 0x1d],
  '04:00.0': 'hidden',
};
const dump = switchMachine(machine);

const registers = ({ changes }: WhatIf): string[] =>
  changes.map(
    ({ fn, after }) => `${fn.name.slice(5)} ${after.value.toString(16)}/${after.unknownBits.toString(16)}`,
  );

describe('registers afterwards', () => {
  it.each<[string, string[], WhatIfOptions, string[]]>([
    ['cleared at run time', ['clear-acs-redirect=02:00.0'], {}, ['02:00.0 11/0']],
    ['two at once', ['clear-acs-redirect=02:00.0;0000:02:01.0'], {}, ['02:00.0 11/0', '02:01.0 11/0']],
    ['a hidden register', ['clear-acs-redirect=04:00.0'], {}, ['04:00.0 0/53']],
    ['from firmware', ['disable_acs_redir=02:01.0'], {}, ['02:01.0 0/11']],
    ['from zeros', ['pci=disable_acs_redir=02:01.0'], { firmware: 'zero' }, ['02:01.0 0/0']],
    ['in 6.1', ['disable_acs_redir=02:01.0'], { kernel: '6.1' }, ['02:01.0 11/0']],
    ['flags', ['config_acs=xx100x1@02:01.0'], {}, ['02:01.0 11/0']],
    ['flags in 6.1', ['config_acs=xx100x1@02:01.0'], { kernel: '6.1' }, []],
    [
      'both parameters',
      ['disable_acs_redir=02:00.0', 'config_acs=1@02:01.0'],
      { firmware: 'zero' },
      ['02:00.0 0/0', '02:01.0 1/0'],
    ],
    ['the last of two', ['config_acs=0000000@02:00.0', 'config_acs=0000000@02:01.0'], {}, ['02:01.0 0/0']],
    ['a command line', ['quiet pci=noaer,config_acs=0000000@02:01.0 rw'], {}, ['02:01.0 0/0']],
    [
      'a boot, then the running machine',
      ['config_acs=1111111@02:01.0', 'clear-acs-redirect=02:01.0'],
      {},
      ['02:01.0 53/0'],
    ],
    [
      'what is clear already',
      ['clear-acs-redirect=02:01.0', 'config_acs=xxx00xx@02:01.0'],
      {},
      ['02:01.0 0/11'],
    ],
  ])('%s', (_, texts, options, expected) => {
    expect(registers(whatIf(dump, texts, options))).toEqual(expected);
  });
});

describe('mistakes', () => {
  it.each<[string, WhatIfOptions, string[]]>([
    ['clear-acs-redirect=02:00.0', {}, []],
    ['clear-acs-redirect=eth0', {}, ['address-invalid']],
    ['clear-acs-redirect=', {}, ['no-device']],
    ['clear-acs-redirect=09:00.0;02:00.0', {}, ['no-such-function']],
    ['clear-acs-redirect=02:02.0', {}, ['no-acs']],
    ['clear_acs=02:00.0', {}, ['change-unknown']],
    ['', {}, ['change-unknown']],
    ['config_acs=1@02:00.0,0@02:01.0', {}, ['comma']],
    ['config_acs=1@02:00.0', { kernel: '6.1' }, ['not-in-kernel']],
    ['disable_acs_redir=09:00.0', {}, ['matches-nothing']],
    ['disable_acs_redir=02:02.0', {}, ['no-acs']],
    ['disable_acs_redir', {}, ['no-device']],
  ])('%s', (text, options, expected) => {
    expect(whatIf(dump, [text], options).mistakes.map(({ code }) => code)).toEqual(expected);
  });

  it('do not hide what the rest of the text does', () => {
    const { changes, mistakes } = whatIf(dump, ['clear-acs-redirect=09:00.0;02:00.0', 'nonsense']);
    expect([changes.length, mistakes.length]).toEqual([1, 2]);
  });
});

describe('remarks', () => {
  const remarks = (text: string, options?: WhatIfOptions): string[] =>
    whatIf(dump, [text], options).remarks.map(({ code, of }) => `${code} ${of.length}`);

  it('tell of egress control that refuses what was redirected', () => {
    expect(remarks('config_acs=x1xx0xx@02:00.0')).toEqual(['egress-refuses 1']);
    expect(remarks('config_acs=x0xx0xx@02:00.0')).toEqual([]);
    expect(remarks('disable_acs_redir=02:00.0')).toEqual([]);
  });

  it('tell of an entry that means several functions', () => {
    expect(remarks('disable_acs_redir=pci:1234:0')).toEqual(['many-functions 4']);
    expect(remarks('config_acs=0000000@pci:1234:0', { kernel: '6.1' })).toEqual([]);
  });

  it('tell how the running machine differs from a boot', () => {
    expect(remarks('clear-acs-redirect=02:00.0')).toEqual([
      'groups-stay 1',
      'map-types-cached 1',
      'not-permanent 1',
    ]);
  });
});

describe('a root port with registers of its own kind', () => {
  const sunrise = (ids: string, control: number): ReturnType<typeof dumpOf> =>
    dumpOf([
      { at: '00:00.0', kind: '', ids: '8086:ffff' },
      { at: '00:1c.0', kind: 'Root Port (Slot+)', ids, buses: [1, 1], acs: [0x0f, control] },
      { at: '01:00.0', kind: 'Endpoint' },
      { at: '01:00.1', kind: 'Endpoint' },
    ]);

  it.each(['disable_acs_redir=00:1c.0', 'config_acs=0000000@00:1c.0', 'clear-acs-redirect=00:1c.0'])(
    '%s does not reach the word that decides routes',
    (text) => {
      const { changes, remarks } = whatIf(sunrise('8086:a110', 0x0c), [text]);
      expect(changes).toEqual([]);
      expect(remarks[0]).toMatchObject({ code: 'own-register', of: [{ name: '0000:00:1c.0' }] });
      expect(whatIf(sunrise('8086:a100', 0x0c), [text]).changes).toHaveLength(1);
    },
  );

  it('makes the groups that rest on it unknown, by a boot parameter', () => {
    const before = { dump: sunrise('8086:a110', 0), rules: new HostRules('7.3.4', intel) };
    const { controls } = whatIf(before.dump, ['disable_acs_redir=00:1c.0']);
    expect([...controls.keys()].map(({ name }) => name)).toEqual(['0000:00:1c.0']);
    const { undecided } = compareStates(before, { ...before, controls }, []).groups;
    expect(undecided.map(({ name }) => name)).toEqual(['0000:01:00.0', '0000:01:00.1']);
  });

  it('is never named as something to clear', () => {
    const machineWith = sunrise('8086:a110', 0x04);
    const advice = adviceFor(
      machineWith,
      at(machineWith, '01:00.0'),
      at(machineWith, '01:00.1'),
      new HostRules('7.3.4', intel),
    );
    expect(advice.busAddress).toBe('not-clearable');
    expect(advice.changes.map(({ kind }) => kind)).toEqual(['cpu']);
  });
});

describe('two states', () => {
  it('differ in the pairs whose verdict changes, and in groups', () => {
    const rules = new HostRules('7.3.4', intel);
    const known = switchMachine({ ...machine, '04:00.0': [0, 0] });
    const before = { dump: known, rules };
    const { controls } = whatIf(known, ['clear-acs-redirect=02:00.0;02:01.0']);
    const names = ['03:00.0', '04:00.0', '06:00.0'].map((address) => at(known, address));
    const pairs = names.flatMap((a) => names.map((b) => [a, b] as const));
    const { verdicts, groups } = compareStates(before, { ...before, controls }, pairs);
    expect(
      verdicts.map(({ provider, client, after }) => [provider.name, client.name, after.mapType]),
    ).toEqual([
      ['0000:03:00.0', '0000:04:00.0', 'bus-addr'],
      ['0000:04:00.0', '0000:03:00.0', 'bus-addr'],
    ]);
    expect(groups.merged.length).toBeGreaterThan(0);
    expect(groups.before.groups.length).toBe(groupsOf(before).groups.length);
    const back = compareStates({ ...before, controls }, before, pairs);
    expect(back.groups.split.length).toBe(groups.merged.length);
    expect(back.groups.losesIsolation).toEqual([]);
  });

  it('are the same without a change', () => {
    const state = { dump, rules: new HostRules('7.3.4', intel) };
    expect(compareStates(state, state, [[at(dump, '03:00.0'), at(dump, '04:00.0')]]).verdicts).toEqual([]);
  });
});
