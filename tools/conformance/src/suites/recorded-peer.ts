// RecordedPeer: the provider and the client of a file, on the machine that lies beside it, with the DMA layer told of
// the routes.
// Field meanings: vectors/kernel/README.md, section p2p (`p2psg`, `physvec`).
// Simplified: none.

import { P2pPlatform, PageRoutes, type PciDev, pciResourceLen, pciResourceStart } from '@sgfree/p2p';
import { hexNumber, MalformedValue, type Reader, read, within } from '../recorded-value.ts';
import type { FileContext, JsonRecord } from '../suite.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';
import { busAddress, type RecordedDevice } from './recorded-device.ts';
import { recordedFabric } from './recorded-fabric.ts';
import { recordedTopology } from './recorded-topology.ts';

/** Both ends of a file. */
export interface RecordedPeer {
  readonly provider: PciDev;
  readonly client: PciDev;
  readonly bar: number;
}

/** The start or length of a BAR. */
const barPlace: Reader<number> = (value) => within(0, 2 ** 52 - 1)(hexNumber(value));

/** Builds both ends and hands the routes to the DMA layer of `machine`; throws BrokenHeader or MalformedValue. */
export function recordedPeer(
  header: JsonRecord,
  context: FileContext | undefined,
  { dev, log }: RecordedDevice,
): RecordedPeer {
  const { functions, cpu } = recordedTopology(context);
  const fabric = recordedFabric(functions);
  const platform = new P2pPlatform({ hosts: fabric.hosts, cpu, frames: dev.platform.frames, log });
  const named = (field: string): PciDev => {
    const name = read(header, field, busAddress);
    const fn = fabric.functions.get(name);
    if (fn === undefined) throw new MalformedValue(field, name, 'a function of the machine beside the file');
    return platform.devOf(fn);
  };
  const client = named('dev');
  dev.platform.p2p = new PageRoutes(platform);
  const provider = named('provider');
  const bar = read(header, 'bar', within(0, 5));
  if (pciResourceStart(provider, bar) === null) throw new MalformedValue('bar', bar, 'a memory BAR');
  return { provider, client, bar };
}

/** Compares where the header says the BAR is with where the machine has it. */
export function checkBar(header: JsonRecord, { provider, bar }: RecordedPeer, output: RecordedOutput): void {
  output.check('bar_start', read(header, 'bar_start', barPlace), pciResourceStart(provider, bar));
  output.check('bar_len', read(header, 'bar_len', barPlace), pciResourceLen(provider, bar));
}
