// RecordedDomain: the domain of a recorded device, with the page-table format of its machine.
// Field meanings: vectors/kernel/README.md, "Header fields". Where a trace lies beside the file, flushes show: then a VT-d
// domain has its driver and unit behind it.
// Simplified: without a trace, and behind an AMD unit, flushes have no effect and leave no event.

import type { PhysicalMemory } from '@sgfree/hw-model';
import {
  type DomainGeometry,
  type IntelIommu,
  PageTable,
  PagingDomain,
  type PagingDomainType,
} from '@sgfree/iommu';
import type { FrameAllocator } from '@sgfree/mm';
import {
  exactly,
  flag,
  hexNumber,
  orNull,
  type Reader,
  read,
  tupleOf,
  wideAddress,
} from '../recorded-value.ts';
import { BrokenHeader, type FileContext, type JsonRecord } from '../suite.ts';
import type { RecordedFlushTimer } from './recorded-flush-timer.ts';
import { isVtd, recordedTableShape } from './recorded-table-shape.ts';
import { FIRST_DOMAIN_ID, recordedDomainId, requesterIdOf } from './recorded-trace.ts';
import { recordedVtdUnit } from './recorded-vtd-unit.ts';

const STRICT = 3;
const LAZY = 11;
const domainType: Reader<PagingDomainType> = (value) =>
  value === LAZY ? 'dma-fq' : exactly(STRICT)(value) === STRICT ? 'dma' : 'unmanaged';

/** What a domain is built in. */
export interface DomainSurroundings {
  readonly frames: FrameAllocator;
  readonly memory: PhysicalMemory;
  readonly flushTimer: RecordedFlushTimer;
  /** True when a trace lies beside the file. */
  readonly isTraced: boolean;
}

/** The domain that a header describes, null without an IOMMU; throws {@link BrokenHeader}. */
export function recordedDomain(
  header: JsonRecord,
  context: FileContext | undefined,
  surroundings: DomainSurroundings,
): PagingDomain | null {
  const { frames, memory, flushTimer, isTraced } = surroundings;
  const type = read(header, 'domain_type', orNull(domainType));
  if (type === null) return null;
  const geometry = geometryOf(header);
  const { log } = flushTimer;
  const shape = recordedTableShape(read(header, 'pgsize_bitmap', hexNumber), geometry.apertureLastFrame);
  if (isTraced && isVtd(shape)) {
    const iommu = recordedVtdUnit(shape, context, { memory, frames, log });
    return attachedDomain(iommu, String(header['dev']), context, type, geometry);
  }
  const table = new PageTable({ ...shape, memory, frames });
  // Flushes have no effect that these suites record; those of the whole domain tell how far the trace is.
  const ops = {
    iotlbSync(): void {},
    flushIotlbAll: (): void => flushTimer.noteFlush(),
    iotlbSyncMap: null,
  };
  return new PagingDomain({ table, ops, type, geometry, log });
}

/** The device's domain as the driver of its unit makes it; it must be the one that the header describes. */
function attachedDomain(
  iommu: IntelIommu,
  device: string,
  context: FileContext | undefined,
  type: PagingDomainType,
  geometry: DomainGeometry,
): PagingDomain {
  const domainId = context === undefined ? null : recordedDomainId(device, context);
  const domain = iommu.allocPagingDomain(domainId === null ? null : domainId - FIRST_DOMAIN_ID, type);
  const errno = iommu.attachDevice(domain, requesterIdOf(device));
  const fields = ['apertureFirstFrame', 'apertureLastFrame', 'forceAperture'] as const;
  const isDescribed =
    errno === 0 &&
    domain.type === type &&
    fields.every((field) => domain.geometry[field] === geometry[field]);
  if (!isDescribed) throw new BrokenHeader('no VT-d unit has a domain of this type, aperture and page sizes');
  return domain;
}

function geometryOf(header: JsonRecord): DomainGeometry {
  const [first, last] = read(header, 'aperture', tupleOf(wideAddress, wideAddress));
  return {
    apertureFirstFrame: first.frame,
    apertureLastFrame: last.frame,
    forceAperture: read(header, 'geometry_force', flag),
  };
}
