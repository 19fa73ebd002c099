// Suite p2p: map type and distance of every pair of a provider and a client of a booted machine.
// Field meanings: vectors/kernel/README.md, section p2p. The functions of the header are plugged together and asked.
// Some files have the identity of root-bus functions, or an ACS control register, overwritten: the header shows the
// machine as it was then.
// Simplified: none.

import { hex } from '@sgfree/hw-model';
import {
  type P2pdmaMapType,
  P2pPlatform,
  type PciDev,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
  pciP2pdmaDistance,
  pciP2pdmaMapType,
} from '@sgfree/p2p';
import { cpuCount, exactly, kindWord, MalformedValue, read, within } from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { busAddress } from './recorded-device.ts';
import { firstMemoryBar, type RecordedFabric, recordedFabric } from './recorded-fabric.ts';
import { cpuOfHeader, functionsOfHeader } from './recorded-functions.ts';

/** Map types by the kernel's numbers. */
export const mapTypeNumber: Readonly<Record<P2pdmaMapType, number>> = {
  'not-supported': 2,
  'bus-addr': 3,
  'thru-host-bridge': 4,
};

class PairsReplayer implements Replayer {
  readonly #fabric: RecordedFabric;
  readonly #platform: P2pPlatform;

  constructor(fabric: RecordedFabric, platform: P2pPlatform) {
    this.#fabric = fabric;
    this.#platform = platform;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const provider = this.#named(record, 'provider');
    const client = this.#named(record, 'client');
    const bar = firstMemoryBar(provider.fn);
    if (bar < 0) throw new MalformedValue('provider', provider.name, 'a function with a memory BAR');
    output.check('init', record['init'], pcimP2pdmaInit(provider));
    output.check('bar', record['bar'], bar);
    const memory = pcimP2pdmaProvider(provider, bar);
    output.check('bus_offset', record['bus_offset'], memory === null ? null : hex(memory.busOffset));
    output.check('distance', record['distance'], pciP2pdmaDistance(provider, client, false));
    const mapType = memory === null ? null : mapTypeNumber[pciP2pdmaMapType(memory, client)];
    output.check('map_type', record['map_type'], mapType);
    return output.mismatches;
  }

  #named(record: JsonRecord, field: string): PciDev {
    const name = read(record, field, busAddress);
    const fn = this.#fabric.functions.get(name);
    if (fn === undefined) throw new MalformedValue(field, name, 'a function of the header');
    return this.#platform.devOf(fn);
  }
}

/** The suite of provider and client pairs. */
export const p2pPairsSuite: Suite = {
  name: 'p2p',
  accepts: (header) => header['suite'] === 'p2p',
  open(header: JsonRecord) {
    read(header, 'page_size', exactly(4096));
    read(header, 'cpu', within(0, read(header, 'ncpus', cpuCount) - 1));
    const fabric = recordedFabric(functionsOfHeader(header));
    return new PairsReplayer(fabric, new P2pPlatform({ hosts: fabric.hosts, cpu: cpuOfHeader(header) }));
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { pair: ['init', 'bar', 'bus_offset', 'distance', 'map_type'] },
};
