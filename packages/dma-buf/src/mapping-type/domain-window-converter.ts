// The core's converter: exporters that can only say where their memory lies, importers that only have a page table, and
// nobody but the core sees both.
// Source followed: our own, after J. Gunthorpe's proposal in the review of the RFC. Each window holds a list of its own, so the
// exporter counts it as a mapping and a revoke waits until it was given back.
// Simplified: none.

import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { mapWindowRuns, unmapWindow } from './domain-window-map.ts';
import type { DmaBufDomainExpOps, DmaBufDomainMapping, DmaBufDomainWindow } from './domain-window-type.ts';
import { domainExporterMatch } from './domain-window-type.ts';
import type { DmaBufMappingMatch } from './mapping-match.ts';
import { takePhysList } from './phys-list-taken.ts';
import type { DmaBufMappingPalExpOps, DmaBufPhysList } from './phys-list-type.ts';
import { windowRuns } from './window-runs.ts';

/** A window and the list behind it, which its holder cannot reach. */
class ConvertedWindow implements DmaBufDomainMapping {
  readonly window: DmaBufDomainWindow;
  readonly #list: DmaBufPhysList;

  constructor(window: DmaBufDomainWindow, list: DmaBufPhysList) {
    this.window = window;
    this.#list = list;
  }

  static listOf(mapping: DmaBufDomainMapping): DmaBufPhysList {
    if (mapping instanceof ConvertedWindow) return mapping.#list;
    throw new InternalError('a window of another maker is hidden');
  }
}

const listed = (attach: DmaBufAttachment<unknown>): DmaBufAttachment<DmaBufPhysList> =>
  attach as DmaBufAttachment<DmaBufPhysList>;

function* ready(pal: DmaBufMappingPalExpOps, attach: DmaBufAttachment<unknown>): ModelTask<number> {
  const list = yield* takePhysList(listed(attach), pal);
  if (!list.ok) return -list.errno;
  yield* pal.unmapPhys(listed(attach), list.value);
  return 0;
}

function* map(
  pal: DmaBufMappingPalExpOps,
  attach: DmaBufAttachment<unknown>,
  window: DmaBufDomainWindow,
): ModelTask<Outcome<DmaBufDomainMapping>> {
  const list = yield* takePhysList(listed(attach), pal);
  if (!list.ok) return list;
  const errno = mapWindowRuns(window, windowRuns(list.value.phys, window.offset, window.length));
  if (errno === 0) return success(new ConvertedWindow(window, list.value));
  yield* pal.unmapPhys(listed(attach), list.value);
  return failure(-errno as Errno);
}

/**
 * The offer of an exporter that says only to the core where its memory lies, by the operations it would have for physical lists.
 * A list that {@link DmaBufMappingPalExpOps} should not give is -EINVAL, as for an importer of lists.
 * @alpha
 */
export const convertedExporterMatch = (pal: DmaBufMappingPalExpOps): DmaBufMappingMatch => {
  const ops: DmaBufDomainExpOps = {
    domainReady: (attach) => ready(pal, attach),
    mapDomain: (attach, window) => map(pal, attach, window),
    *unmapDomain(attach, mapping) {
      unmapWindow(mapping.window, mapping.window.length);
      yield* pal.unmapPhys(listed(attach), ConvertedWindow.listOf(mapping));
    },
  };
  return domainExporterMatch(ops);
};
