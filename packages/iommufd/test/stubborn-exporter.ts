// An exporter that may refuse to pin: the machine's interconnect would know its buffer, so that nothing but the pin refuses.
// Source followed: ib_uverbs_dmabuf_pin in drivers/infiniband/core/uverbs_std_types_dmabuf.c.
// Simplified: for tests only.

import { dmaBufFd } from '@sgfree/dma-buf';
import { dmaBufExport } from '@sgfree/dma-buf/stage-6';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { BUFFERS, type CoreMachine } from './core-machine.ts';

const BYTES = 4 * 4096;

/** A descriptor for four pages whose pin answers `errno` (0 = it pins), and what the exporter was asked. */
export function stubbornBuffer(
  machine: CoreMachine,
  errno: number,
): { readonly fd: number; readonly seen: string[] } {
  const seen: string[] = [];
  const say = function* (word: string): ModelTask<void> {
    yield { at: `test:${word}` };
    seen.push(word);
  };
  const ops = {
    *attach(): ModelTask<number> {
      yield* say('attach');
      return 0;
    },
    detach: (): ModelTask<void> => say('detach'),
    *pin(): ModelTask<number> {
      yield* say('pin');
      return -errno;
    },
    unpin: (): ModelTask<void> => say('unpin'),
    *mapDmaBuf(): ModelTask<Outcome<never>> {
      yield* say('map');
      return failure(Errno.EOPNOTSUPP);
    },
    unmapDmaBuf: (): ModelTask<void> => say('unmap'),
    release: (): ModelTask<void> => say('release'),
  };
  const priv = { test: true, revoked: false, ranges: 1, base: BUFFERS, bytes: BYTES };
  const dmabuf = dmaBufExport<never>(machine.dmaBufs, { expName: 'stubborn', size: BYTES, priv, ops });
  if (!dmabuf.ok) throw new Error('no buffer');
  return { fd: dmaBufFd(dmabuf.value, 0), seen };
}
