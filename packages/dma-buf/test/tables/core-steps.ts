// Steps of scripts about the core around an exporter: exporting, attaching, mapping, pinning, telling importers.
// Simplified: as for scripts about one buffer; an export takes words that say what is wrong with it.

import type { ModelTask } from '@sgfree/hw-model';
import { mapAttachment, unmapAttachment } from '../../src/buffer/map-attachment.ts';
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  dmaBufAttachmentIsDynamic,
  dmaBufAttachRevocable,
  dmaBufDetach,
  dmaBufInvalidateMappings,
  dmaBufPin,
  dmaBufUnpin,
  dmaResvLock,
  dmaResvUnlock,
} from '../../src/index.ts';
import { type DmaBufOps, dmaBufDynamicAttach, dmaBufExport } from '../../src/stage-6.ts';
import { Exporter, face, type Mapping } from '../buffer-rig.ts';
import { type BufferBench, bufferSteps } from './buffer-steps.ts';
import type { Steps } from './step-script.ts';

/** Operations without those that `words` take away. */
function opsOf(words: readonly string[]): Partial<DmaBufOps<Mapping>> | null {
  if (words.includes('no-ops')) return null;
  const pinning = words.includes('pin-and-unpin') || words.some((word) => word.startsWith('only-'));
  const { ops } = new Exporter(pinning);
  const lacking: Readonly<Record<string, keyof DmaBufOps<Mapping>>> = {
    'no-map': 'mapDmaBuf',
    'no-unmap': 'unmapDmaBuf',
    'no-release': 'release',
    'only-pin': 'unpin',
    'only-unpin': 'pin',
  };
  const gone = new Set(words.map((word) => lacking[word]));
  return Object.fromEntries(
    Object.entries(ops).filter(([name]) => !gone.has(name as keyof DmaBufOps<Mapping>)),
  );
}

function exportSteps(b: BufferBench): Steps {
  const owner = { refs: 0 };
  const made: DmaBuf<Mapping>[] = [];
  return {
    export: (words) => {
      const flags = words.find((word) => word.startsWith('flags='));
      b.platform.allocate = () => !words.includes('no-memory');
      const got = dmaBufExport<Mapping>(b.platform, {
        expName: 'row',
        ops: opsOf(words),
        size: 4096,
        priv: words.includes('no-priv') ? null : {},
        owner: {
          tryGet: () => {
            const here = !words.includes('owner-gone');
            owner.refs += here ? 1 : 0;
            return here;
          },
          put: () => {
            owner.refs -= 1;
          },
        },
        ...(flags === undefined ? {} : { flags: Number(flags.slice(6)) }),
      });
      if (got.ok) made.push(got.value);
      return got.ok ? 0 : -got.errno;
    },
    'owner-refs': () => owner.refs,
    mode: () => made[0]?.fileFlags,
    'inodes-grow': () => made.every(({ inode }, i) => i === 0 || inode > (made[i - 1]?.inode ?? 0)),
  };
}

/** Runs `body` as a task with the reservation lock held; `hit`: with a signal pending. */
function locked<T>(b: BufferBench, body: () => ModelTask<T>, hit = false): T {
  const { resv } = b.bench.dmabuf;
  const results: T[] = [];
  function* inside(): ModelTask<number> {
    yield* dmaResvLock(resv);
    results.push(yield* body());
    dmaResvUnlock(resv);
    return 0;
  }
  b.wait(inside(), hit);
  if (results.length === 0) throw new Error('blocked');
  return results[0] as T;
}

/** Everything about the core. */
export function coreSteps(b: BufferBench): Steps {
  const { dmabuf, exporter, dev } = b.bench;
  const attachments = new Map<string, DmaBufAttachment<Mapping>>();
  const told: string[] = [];
  const at = (name = ''): DmaBufAttachment<Mapping> => {
    const attach = attachments.get(name);
    if (attach === undefined) throw new Error(`no importer ${name}`);
    return attach;
  };
  const opsFor = (name: string, kind: string): DmaBufAttachOps<Mapping> | null => {
    if (kind === 'static') return null;
    const allowPeer2peer = !kind.endsWith('no-p2p');
    function* invalidateMappings(): ModelTask<void> {
      yield { at: 'importer:told' };
      told.push(name);
    }
    return kind.startsWith('revocable') ? { allowPeer2peer, invalidateMappings } : { allowPeer2peer };
  };
  return {
    ...bufferSteps(b),
    ...exportSteps(b),
    'attach-as': ([name = '', kind = '']) => {
      const got = b.bench.run(dmaBufDynamicAttach(dmabuf, dev, opsFor(name, kind), null));
      if (got.ok) attachments.set(name, got.value);
      return got.ok ? 0 : -got.errno;
    },
    detach: ([name]) => b.bench.run(dmaBufDetach(dmabuf, at(name))),
    attached: () => dmabuf.attachments.length,
    'is-dynamic': ([name]) => dmaBufAttachmentIsDynamic(at(name)),
    'is-revocable': ([name]) => dmaBufAttachRevocable(at(name)),
    map: ([name, hit]) => locked(b, () => mapAttachment(at(name), 'to-device', face), hit === 'hit'),
    unmap: ([name]) => locked(b, () => unmapAttachment(at(name), 'mapping', 'to-device', face)),
    pin: ([name]) => locked(b, () => dmaBufPin(at(name))),
    unpin: ([name]) => locked(b, () => dmaBufUnpin(at(name))),
    invalidate: () => locked(b, () => dmaBufInvalidateMappings(dmabuf)),
    calls: () => exporter.calls.splice(0),
    told: () => told.splice(0),
  };
}
