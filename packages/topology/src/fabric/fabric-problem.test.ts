// What stands in the way of a fabric: facts that the dump does not show are named, never filled in, and memory stays as it was.
import { fc, test as property } from '@fast-check/vitest';
import { type PciFunction, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { at, builtOf, outcomeOf, partOf, problems, read, send, without } from '../../test/fabric-trial.ts';
import { deviceBlock, hostBlock, switchMachine } from '../../test/invented-listing.ts';
import { type FabricPart, functionAt, type MachineDump } from '../index.ts';

describe('what is missing', () => {
  const text = switchMachine();

  it.each<[string, string, string, RegExp, string]>([
    [
      'ACS and the port type',
      '02:01.0',
      '04:00.0',
      /Capabilities|ACS/,
      'acs-control 02:01.0,port-type 02:01.0',
    ],
    ['the windows above the target', '02:00.0', '04:00.0', /behind bridge/, 'bridge-windows 02:00.0'],
    ['the size of the BAR', '03:00.0', '04:00.0', /^$/, ''],
    ['the command register above the target', '00:01.0', '05:00.0', /Control:/, 'command 00:01.0'],
  ])('is named: %s', (_what, hidden, initiator, line, expected) => {
    const dump = read(without(text, hidden, line));
    expect(problems(outcomeOf(dump, { part: partOf(dump, initiator, '03:00.0') })).join()).toBe(expected);
  });

  it('is a BAR size, unless assumed', () => {
    const dump = read(text.replace(' [size=16G]', ''));
    const part = partOf(dump, '04:00.0', '03:00.0');
    expect(problems(outcomeOf(dump, { part }))).toEqual(['bar-size 03:00.0 2']);
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0', 0) }))).toEqual([]);
    const assume = { busOffset: 0, barBytes: () => 2 ** 30 };
    const built = builtOf(dump, { part, assume });
    expect(built.bar).toBe(2);
    expect(built.assumed.map(({ assumption }) => assumption).sort()).toEqual(['barBytes', 'busOffset']);
  });

  it('is the offset of bus addresses, unless assumed or shown', () => {
    const dump = read(text);
    const part = partOf(dump, '04:00.0', '03:00.0');
    expect(problems(outcomeOf(dump, { part, assume: {} }))).toEqual(['bus-offset 04:00.0']);
    expect(builtOf(dump, { part }).assumed.map(({ assumption }) => assumption)).toEqual(['busOffset']);
  });

  it('is nothing that the part does not need', () => {
    const hidden = without(without(text, '00:02.0', /./), '05:00.0', /./);
    const dump = read(without(hidden, '02:01.0', /behind bridge/));
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0') }))).toEqual([]);
    const answering = { ...partOf(dump, '04:00.0', '03:00.0'), initiatorAnswers: true };
    expect(problems(outcomeOf(dump, { part: answering }))).toEqual(['bridge-windows 02:01.0']);
  });

  it('is the first function of a root bus, unless the one shown may be taken for it', () => {
    const dump = read(text.slice(text.indexOf('00:01.0')));
    const part = partOf(dump, '04:00.0', '03:00.0');
    expect(problems(outcomeOf(dump, { part }))).toEqual(['root-device 04:00.0']);
    expect(problems(outcomeOf(dump, { part, assume: { busOffset: 0, rootDeviceAsShown: true } }))).toEqual(
      [],
    );
  });

  it('is the vector of egress control, which no text prints', () => {
    const dump = read(text);
    const acs = new Map([[at(dump, '02:01.0'), 0x20]]);
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0'), acs }))).toEqual([
      'egress-vector 02:00.0',
      'egress-vector 02:01.0',
    ]);
  });

  it('is not looked for behind bridges that are missing', () => {
    const dump = read(
      text
        .split('\n\n')
        .filter((block) => !block.startsWith('01:00.0'))
        .join('\n\n'),
    );
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0') }))).toEqual([
      'upstream 02:00.0',
      'upstream 02:01.0',
    ]);
  });

  it('leaves memory as it was', () => {
    const dump = read(without(text, '02:01.0', /Capabilities/));
    const memory = new PhysicalMemory();
    expect(outcomeOf(dump, { memory }).ok).toBe(false);
    memory.addRam(physAddr(0xc0000000), 0x1000000);
    expect(memory.isRam(physAddr(0xc0000000), 1)).toBe(true);
  });
});

describe('what cannot be', () => {
  const part = (dump: MachineDump, bar?: number): FabricPart => partOf(dump, '00:04.0', '00:05.0', bar);
  const machine = (...bars: string[]): MachineDump =>
    read([hostBlock('00:00.0'), deviceBlock('00:04.0', [], ''), deviceBlock('00:05.0', bars, '')].join(''));

  it.each<[string, string[], string]>([
    ['no BAR at all', [], 'no-memory-bar! 00:05.0'],
    ['ports only', ['0: I/O ports at e000 [size=32]'], 'no-memory-bar! 00:05.0'],
    [
      'a BAR at address 0',
      ['0: Memory at 00000000 (32-bit, non-prefetchable) [size=1M]'],
      'bar-unassigned! 00:05.0 0',
    ],
    [
      'a BAR off its alignment',
      ['0: Memory at c0080000 (32-bit, non-prefetchable) [size=1M]'],
      'bar-malformed! 00:05.0 0',
    ],
    [
      'a BAR beyond 32 bits',
      ['0: Memory at 380000000000 (32-bit, non-prefetchable) [size=1M]'],
      'bar-malformed! 00:05.0 0',
    ],
    [
      'a BAR at 2^52',
      ['0: Memory at 10000000000000 (64-bit, prefetchable) [size=1M]'],
      'address-out-of-range! 00:05.0',
    ],
  ])('is a target with %s', (_what, bars, expected) => {
    const dump = machine(...bars);
    expect(problems(outcomeOf(dump, { part: part(dump) }))).toEqual([expected]);
  });

  it('is a BAR that the target does not have, or a bridge as the target', () => {
    const dump = read(switchMachine());
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0', 4) }))).toEqual([
      'no-memory-bar! 03:00.0 4',
    ]);
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '02:00.0') }))).toEqual([
      'no-memory-bar! 02:00.0',
    ]);
  });

  it('is a window that no register holds', () => {
    const dump = read(
      switchMachine().replace(
        'Memory behind bridge: c0000000-c00fffff',
        'Memory behind bridge: c0000400-c00fffff',
      ),
    );
    expect(problems(outcomeOf(dump, { part: partOf(dump, '04:00.0', '03:00.0') }))).toEqual([
      'window-malformed! 02:00.0',
    ]);
  });

  it('is memory where devices are', () => {
    const dump = read(switchMachine());
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0xc0000000), 0x1000);
    expect(problems(outcomeOf(dump, { memory, part: partOf(dump, '04:00.0', '03:00.0') }))).toEqual([
      'ranges-overlap! 04:00.0',
    ]);
  });
});

property.prop([fc.array(fc.nat(120), { maxLength: 12 }), fc.constantFrom('04:00.0', '05:00.0')], {
  numRuns: 300,
})('goes the same way or names what is missing, whatever lines are gone', (gone, from) => {
  const lines = switchMachine().split('\n');
  const text = lines.filter((line, index) => !(gone.includes(index) && line.startsWith('\t'))).join('\n');
  const dump = read(text);
  const [initiator, target] = [functionAt(dump, from), functionAt(dump, '03:00.0')];
  if (initiator === undefined || target === undefined) return;
  const outcome = outcomeOf(dump, { part: { initiator, target, bar: 2 }, enabled: [initiator, target] });
  if (!outcome.ok) {
    expect(outcome.missing.length + outcome.obstacles.length).toBeGreaterThan(0);
    return;
  }
  const built = outcome.value;
  expect(send(built, built.functionOf(initiator) as PciFunction, 0x380000000000)).toBe('success');
  const { switchLocal, hostBridge } = built.fabric.counters;
  expect([switchLocal.requests, hostBridge.requests]).toEqual(from === '04:00.0' ? [1, 0] : [0, 1]);
});
