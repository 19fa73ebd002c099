// Fabrics of every machine that is known: a part routes as the whole does, and no dump makes the builder throw.
import { Clock, dmaAddr, type PciFunction, PhysicalMemory } from '@sgfree/hw-model';
import { describe, expect, test } from 'vitest';
import { folderTree } from '../../test/folder-tree.ts';
import {
  published,
  publishedFiles,
  publishedRoot,
  recordedMachines,
  recordedRoot,
  withoutPublished,
} from '../../test/known-inputs.ts';
import {
  type DumpedFabric,
  type DumpedFunction,
  type FabricOptions,
  fabricOfDump,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
  TopologyInputError,
} from '../index.ts';

const ground = (): FabricOptions => ({ memory: new PhysicalMemory(), clock: new Clock() });

const memoryBar = ({ bars }: PciFunction): number | undefined => bars[0]?.address;

/** Requests by route after one write from one function to another's first BAR; undefined without a BAR. */
function routed(built: DumpedFabric, a: DumpedFunction, b: DumpedFunction, address: number): string {
  const [from, to] = [built.functionOf(a), built.functionOf(b)] as [PciFunction, PciFunction];
  const before = { ...built.fabric.counters.switchLocal };
  const hosts = built.fabric.counters.hostBridge.requests;
  const status = built.fabric.write(from, dmaAddr(address), Uint8Array.of(1));
  const inside = built.fabric.counters.switchLocal.requests > before.requests;
  const across = built.fabric.counters.hostBridge.requests > hosts;
  return `${to.name} ${status} ${inside ? 'inside' : across ? 'across' : 'nowhere'}`;
}

describe.each(recordedMachines())('%s', (folder) => {
  const dump = readTopologyTree(folderTree(`${recordedRoot}/${folder}`));

  test('routes alike, as a whole and in parts', () => {
    const whole = fabricOfDump(dump, { ...ground(), enabled: dump.functions });
    if (!whole.ok) throw new Error(whole.missing.map(({ fact, fn }) => `${fact} ${fn.name}`).join());
    const devices = dump.functions.filter(({ headerType }) => headerType === 0);
    let compared = 0;
    for (const initiator of devices) {
      for (const target of devices) {
        const address = memoryBar(whole.value.functionOf(target) as PciFunction);
        if (address === undefined || initiator === target) continue;
        const enabled = [initiator, target];
        const bar = whole.value.functionOf(target)?.bars[0]?.index ?? 0;
        const part = fabricOfDump(dump, { ...ground(), enabled, part: { initiator, target, bar } });
        if (!part.ok) throw new Error(`${initiator.name} ${target.name}`);
        const [one, other] = [whole.value, part.value].map((built) =>
          routed(built, initiator, target, address),
        );
        expect(other).toBe(one);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(10);
  });
});

test('published machines', ({ annotate }) => {
  if (publishedRoot === undefined) void annotate(withoutPublished);
  expect(recordedMachines().length).toBeGreaterThan(0);
});

function readable(path: string): MachineDump | undefined {
  try {
    return readTopologyText(published(path));
  } catch (error) {
    if (error instanceof TopologyInputError) return undefined;
    throw error;
  }
}

/** Any two functions and the whole: an answer of either kind, and reasons where it is no. */
function tryAll(dump: MachineDump): number {
  const step = Math.max(1, Math.floor(dump.functions.length / 12));
  const some = dump.functions.filter((_, index) => index % step === 0);
  const parts = some.flatMap((initiator) => some.map((target) => ({ initiator, target })));
  let made = 0;
  for (const part of [undefined, ...parts]) {
    const options = { ...ground(), assume: { busOffset: 0 } };
    const outcome = fabricOfDump(dump, part === undefined ? options : { ...options, part });
    if (outcome.ok) made += 1;
    else expect(outcome.missing.length + outcome.obstacles.length).toBeGreaterThan(0);
  }
  return made;
}

const folders = ['gpud', 'pciutils', 'rccl-topo', 'azhpc', 'aws-ofi-nccl', 'gvisor'];
const files = folders.flatMap((folder) => publishedFiles(folder).map((name) => `${folder}/${name}`));

/** What is not here is not tested; the test above says so. */
const describeHere: (name: string, tests: () => void) => void = files.length > 0 ? describe : () => {};

describeHere('published dumps', () => {
  test.each(files)('%s', (path) => {
    const dump = readable(path);
    if (dump === undefined) return;
    const made = tryAll(dump);
    if (path.endsWith('.xml')) expect(made).toBe(0);
  });
});
