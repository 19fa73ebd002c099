// NvioLimits: the limits of the disk's queue and the driver's choices that a list ran under.
// Field meanings: vectors/kernel/README.md, section io/ (queue_limits.txt is /sys/block/nvme0n1/queue/*, nvme_params.txt the
// parameters of the nvme module). A queue without virt_boundary_mask belongs to a controller that takes SGLs.
// Simplified: every disk of a boot has the limits of the first; segments may lie anywhere within 4 GiB, the kernel's default.

import { NVME_SGL_THRESHOLD, type QueueLimits, type SglPolicy } from '@sgfree/block/stage-1';
import { BrokenHeader, type FileContext } from '../suite.ts';

/** What shapes requests and their descriptors. */
export interface NvioLimits {
  readonly queue: QueueLimits;
  readonly policy: SglPolicy;
}

const SEGMENT_BOUNDARY_MASK = 0xffffffff;

/** Reads the limits of a list; throws {@link BrokenHeader} when one is missing. */
export function nvioLimits(context: FileContext): NvioLimits {
  const limits = numbersIn(context.readInput('queue_limits.txt'));
  const parameters = numbersIn(context.readInput('nvme_params.txt'));
  const limit = (name: string): number => {
    const value = limits.get(name);
    if (value === undefined) throw new BrokenHeader(`queue_limits.txt does not give ${name}`);
    return value;
  };
  const virtBoundaryMask = limit('virt_boundary_mask');
  return {
    queue: {
      logicalBlockBytes: limit('logical_block_size'),
      maxBytes: limit('max_sectors_kb') * 1024,
      maxSegments: limit('max_segments'),
      maxSegmentBytes: limit('max_segment_size'),
      segmentBoundaryMask: SEGMENT_BOUNDARY_MASK,
      virtBoundaryMask,
      dmaAlignmentMask: limit('dma_alignment'),
    },
    policy: {
      sglSupport: virtBoundaryMask === 0 ? 1 : 0,
      sglThreshold: parameters.get('sgl_threshold') ?? NVME_SGL_THRESHOLD,
    },
  };
}

/** The `name=number` lines of a text. */
function numbersIn(text: string | null): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [, name = '', value] of (text ?? '').matchAll(/^(\w+)=(\d+)$/gm))
    numbers.set(name, Number(value));
  return numbers;
}
