// Recorded machines as the ground of a comparison: configuration bytes, resources and /proc/iomem are all there, so nothing
// is assumed of addresses; every byte takes the way that the kernel decides, at every stage.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machineShape, runnableStages } from '@sgfree/roadmap';
import { type DumpedFunction, type MachineDump, readTopologyTree } from '@sgfree/topology';
import { describe, expect, it } from 'vitest';
import { quietWorld } from '../../test/run-command.ts';
import { kernelChoice } from '../p2p/kernel-choice.ts';
import { Progress } from '../progress.ts';
import { parseRequestList } from '../request-list/request-list.ts';
import { pairIn } from './machine-pair.ts';
import { runMachine } from './machine-run.ts';

const folder = fileURLToPath(new URL('../../../../vectors/kernel/p2p/', import.meta.url));
const MIB = 2 ** 20;

const world = quietWorld();

function recorded(name: string): MachineDump {
  const topo = `${folder}${name}/topo/`;
  return readTopologyTree({
    list: (path) => (path === '' ? readdirSync(topo) : undefined),
    read: (path) => (existsSync(topo + path) ? readFileSync(topo + path) : undefined),
    link: () => undefined,
  });
}

/** Devices with room for the controller's registers and for the data. */
function withMemory(dump: MachineDump): DumpedFunction[] {
  return dump.functions.filter(
    ({ headerType, resources }) =>
      headerType === 0 &&
      resources.some(
        ({ kind, space, bytes }) => kind === 'bar' && space === 'memory' && Number(bytes) >= MIB,
      ),
  );
}

const LINES = [
  '{"op":"write","pos":4096,"total":16384,"iov":[[16384,[["0x10000000",8192],["0x10004000",8192]]]]}',
  '{"op":"read","pos":4096,"total":8192,"iov":[[8192,[["0x10008200",4096],["0x1000a200",4096]]]]}',
].join('\n');
const list = parseRequestList('two requests', LINES, machineShape(2 ** 30), undefined, 'two requests');

describe.each(readdirSync(folder))('%s', (name) => {
  const dump = recorded(name);
  const devices = withMemory(dump);
  const pairs = devices.flatMap((initiator) =>
    devices.filter((target) => target !== initiator).map((target) => [initiator.name, target.name] as const),
  );
  const some = pairs.filter((_, index) => index % Math.ceil(pairs.length / 12) === 0);

  it('moves every byte by the way the kernel decides', () => {
    const ways = new Set<string>();
    for (const [initiator, target] of some) {
      const kernel = kernelChoice('7.3.4');
      if (kernel === undefined) throw new RangeError('7.3.4');
      const options = { topology: name, initiator, target, targetBar: null, kernel, cpu: undefined };
      const pair = pairIn(name, dump, options);
      const { variants, verdict, site } = runMachine(
        pair,
        list,
        { seed: 7, stages: runnableStages },
        new Progress(world),
      );
      expect(`${initiator} ${target} ${verdict.line}`).toContain(' OK');
      for (const { peer, fabric, bytesVerified } of variants.flatMap(({ reports }) => reports)) {
        expect([peer?.mapType, peer?.distance ?? -1]).toEqual([
          pair.route.mapType,
          pair.route.mapType === 'not-supported' ? -1 : pair.route.distance,
        ]);
        const moved = { 'bus-addr': fabric.switchLocal, 'thru-host-bridge': fabric.hostBridge };
        if (peer?.mapType === 'not-supported') expect(bytesVerified).toBe(0);
        else if (peer !== null) expect(moved[peer.mapType].bytes).toBe(bytesVerified);
        ways.add(peer?.mapType ?? '');
      }
      expect(site.assumed.filter((words) => !words.startsWith('root complexes'))).toEqual([]);
    }
    expect(some.length).toBeGreaterThan(5);
    expect(ways.size).toBeGreaterThan(0);
  });
});
