// Suite p2p_sg: dma_map_sg of lists that mix RAM with pages of a peer's BAR.
// Field meanings: vectors/kernel/README.md, section p2p (`p2psg`).
// The route is found on the machine beside the file; the header's distance is compared with it, never used.
// Simplified: none.

import { dmaSetMaxSegSize, dmaSetSegBoundary, NO_ATTRS } from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable, type SgTable, sgDmaIsBusAddress } from '@sgfree/dma-sg';
import { dmaAddr, hex } from '@sgfree/hw-model';
import { pciP2pdmaAddResource, pciP2pdmaDistance } from '@sgfree/p2p';
import {
  count,
  exactly,
  flag,
  hexNumber,
  kindWord,
  listOf,
  MalformedValue,
  matching,
  read,
  tupleOf,
  within,
  word,
} from '../recorded-value.ts';
import type { FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { mappedRuns } from './dma-readback.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type RecordedDevice, recordedDevice } from './recorded-device.ts';
import { checkBar, type RecordedPeer, recordedPeer } from './recorded-peer.ts';
import { firstChangedEntry, type RecordedEntry, tableOf } from './sg-recorded-list.ts';

const entriesOf = listOf(tupleOf(hexNumber, word, word, flag));

class P2pSgReplayer implements Replayer {
  readonly #machine: RecordedDevice;
  readonly #head = new RecordedOutput();

  constructor(header: JsonRecord, machine: RecordedDevice, peer: RecordedPeer) {
    this.#machine = machine;
    const { provider, client, bar } = peer;
    const isAdded = pciP2pdmaAddResource(provider, bar, 0, 0);
    this.#head.check('add_ret', header['add_ret'], isAdded);
    const distance = pciP2pdmaDistance(provider, client, false);
    this.#head.check('distance', read(header, 'distance', within(-1, 512)), distance);
    checkBar(header, peer, this.#head);
    const busStart = provider.fn.bar(bar)?.address ?? null;
    this.#head.check('bar_bus', read(header, 'bar_bus', hexNumber), busStart);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    if (record['op'] === 'params') this.#params(record);
    else this.#mapSg(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const { domain } = this.#machine;
    const output = new RecordedOutput();
    output.check('page-table entries left', 0, domain?.table.liveLeafEntries ?? 0);
    return [...this.#head.mismatches, ...output.mismatches];
  }

  #params(record: JsonRecord): void {
    const { dev } = this.#machine;
    const boundary = read(record, 'boundary', hexNumber);
    const maxSegment = read(record, 'max_seg', word);
    dmaSetSegBoundary(dev, boundary);
    dmaSetMaxSegSize(dev, maxSegment);
  }

  #mapSg(record: JsonRecord, output: RecordedOutput): void {
    const { dev, domain } = this.#machine;
    const entries = this.#entries(record);
    read(record, 'id', count);
    const table = tableOf(entries);
    const ret = dmaMapSgtable(dev, table, 'bidirectional', NO_ATTRS);
    const isMapped = ret === 0;
    output.check('ret', record['ret'], ret);
    output.check('nents', record['nents'], isMapped ? table.mappedCount : 0);
    output.check('out', record['out'], segmentsOf(table));
    output.check('pt', record['pt'], isMapped && domain !== null ? this.#runs(table) : undefined);
    if (isMapped) dmaUnmapSgtable(dev, table, 'bidirectional', NO_ATTRS);
    output.check('entry changed', -1, firstChangedEntry(table, entries));
  }

  /** The entries of a list; which of them are peer pages must be what the model has registered. */
  #entries(record: JsonRecord): RecordedEntry[] {
    const { frames } = this.#machine.dev.platform;
    return read(record, 'in', entriesOf).map(([pfn, offset, bytes, isPeer], at) => {
      if ((frames.pagemapOf(pfn) !== undefined) === isPeer) return [pfn, offset, bytes];
      throw new MalformedValue(`in[${at}]`, hex(pfn), isPeer ? 'a page of the BAR' : 'a page of RAM');
    });
  }

  #runs(table: SgTable): unknown[] {
    const { domain } = this.#machine;
    const { dmaAddress, dmaLength } = table.list;
    return Array.from({ length: table.mappedCount }, (_, sg) =>
      domain === null || sgDmaIsBusAddress(table.list, sg)
        ? null
        : mappedRuns(domain, dmaAddr(dmaAddress[sg] ?? -1), dmaLength[sg] ?? -1),
    );
  }
}

/** `[address, bytes, is a bus address]` of every segment. */
function segmentsOf({ list, mappedCount }: SgTable): [string, number, number][] {
  return Array.from({ length: mappedCount }, (_, sg) => [
    hex(list.dmaAddress[sg] ?? -1),
    list.dmaLength[sg] ?? -1,
    sgDmaIsBusAddress(list, sg) ? 1 : 0,
  ]);
}

/** The suite of lists with peer pages. */
export const p2pSgSuite: Suite = {
  name: 'p2p_sg',
  accepts: (header) => header['suite'] === 'p2p_sg',
  open(header: JsonRecord, context?: FileContext) {
    read(header, 'cmd', matching(/^p2psg /, 'a p2psg command'));
    // Devices with a DMA API of their own are not modelled.
    read(header, 'supported', exactly(1));
    const machine = recordedDevice(header, context);
    return new P2pSgReplayer(header, machine, recordedPeer(header, context, machine));
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { params: [], map_sg: ['ret', 'nents', 'out', 'pt'] },
};
