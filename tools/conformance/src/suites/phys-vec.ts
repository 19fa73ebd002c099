// Suite phys_vec: dma_buf_phys_vec_to_sgt over ranges of a peer's BAR.
// Field meanings: vectors/kernel/README.md, section p2p (`physvec`).
// The route is found on the machine beside the file; the header's map type is compared with it, never used. The
// kernel's own treatment of several ranges is asked for, since that is what was recorded.
// Simplified: the direction is not recorded and shows nowhere; bidirectional is taken.

import { dmaBufFreeSgt, dmaBufPhysVecToSgt, type SgtAttachment } from '@sgfree/dma-buf/sgt';
import { dmaAddr, hex, physAddr } from '@sgfree/hw-model';
import { type P2pdmaProvider, pcimP2pdmaInit, pcimP2pdmaProvider, pciP2pdmaMapType } from '@sgfree/p2p';
import {
  count,
  hexNumber,
  kindWord,
  listOf,
  MalformedValue,
  matching,
  type Reader,
  read,
  tupleOf,
  within,
} from '../recorded-value.ts';
import type { FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { mappedRuns } from './dma-readback.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { mapTypeNumber } from './p2p-pairs.ts';
import { type RecordedDevice, recordedDevice } from './recorded-device.ts';
import { checkBar, type RecordedPeer, recordedPeer } from './recorded-peer.ts';

/** Longer mappings were not read back. */
const READ_BACK_BELOW = 64 * 2 ** 20;
const place: Reader<number> = (value) => within(0, 2 ** 52 - 1)(hexNumber(value));
const rangesOf = listOf(tupleOf(place, place));

class PhysVecReplayer implements Replayer {
  readonly #machine: RecordedDevice;
  readonly #attach: SgtAttachment;
  readonly #provider: P2pdmaProvider;
  readonly #head = new RecordedOutput();

  constructor(header: JsonRecord, machine: RecordedDevice, peer: RecordedPeer) {
    this.#machine = machine;
    const linuxQuirks = { physVecOffsetZero: true };
    this.#attach = { dev: machine.dev, linuxQuirks };
    const { provider, client, bar } = peer;
    this.#head.check('init', header['init'], pcimP2pdmaInit(provider));
    const memory = pcimP2pdmaProvider(provider, bar);
    if (memory === null) throw new MalformedValue('bar', bar, 'a BAR with a provider');
    this.#provider = memory;
    this.#head.check('bus_offset', read(header, 'bus_offset', hexNumber), memory.busOffset);
    const mapType = mapTypeNumber[pciP2pdmaMapType(memory, client)];
    this.#head.check('map_type', read(header, 'map_type', within(1, 4)), mapType);
    checkBar(header, peer, this.#head);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const { domain } = this.#machine;
    const ranges = read(record, 'in', rangesOf).map(([start, len]) => ({ paddr: physAddr(start), len }));
    const size = read(record, 'size', place);
    read(record, 'id', count);
    if (ranges.reduce((sum, { len }) => sum + len, 0) !== size) {
      throw new MalformedValue('size', hex(size), 'the sum of the ranges');
    }
    const made = dmaBufPhysVecToSgt(this.#attach, this.#provider, ranges, size, 'bidirectional');
    output.check('ret', record['ret'], made.ok ? 0 : -made.errno);
    const table = made.ok ? made.value : null;
    output.check('nents', record['nents'], table?.mappedCount);
    output.check('orig_nents', record['orig_nents'], table?.segmentCount);
    const segments = Array.from({ length: table?.mappedCount ?? 0 }, (_, sg) => ({
      address: dmaAddr(table?.list.dmaAddress[sg] ?? -1),
      bytes: table?.list.dmaLength[sg] ?? -1,
    }));
    const out = segments.map(({ address, bytes }) => [hex(address), bytes]);
    output.check('out', record['out'], table === null ? undefined : out);
    const isTranslated = domain !== null && this.#mapType() === 'thru-host-bridge';
    const isReadBack = table !== null && isTranslated && size < READ_BACK_BELOW;
    const runs = isReadBack
      ? segments.map(({ address, bytes }) => mappedRuns(domain, address, bytes))
      : undefined;
    output.check('pt', record['pt'], runs?.flat());
    if (table !== null) dmaBufFreeSgt(this.#attach, table, 'bidirectional');
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const { domain } = this.#machine;
    const output = new RecordedOutput();
    output.check('page-table entries left', 0, domain?.table.liveLeafEntries ?? 0);
    return [...this.#head.mismatches, ...output.mismatches];
  }

  #mapType(): string {
    return pciP2pdmaMapType(this.#provider, this.#machine.dev);
  }
}

/** The suite of tables of physical ranges. */
export const physVecSuite: Suite = {
  name: 'phys_vec',
  accepts: (header) => header['suite'] === 'phys_vec',
  open(header: JsonRecord, context?: FileContext) {
    read(header, 'cmd', matching(/^physvec /, 'a physvec command'));
    const machine = recordedDevice(header, context);
    return new PhysVecReplayer(header, machine, recordedPeer(header, context, machine));
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { map: ['ret', 'nents', 'orig_nents', 'out', 'pt'] },
};
