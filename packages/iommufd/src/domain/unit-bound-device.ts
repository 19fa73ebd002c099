// UnitBoundDevice: a device behind a modelled IOMMU unit as a driver binds it: which functions its group has, and where their
// requests go.
// Source followed: what drivers/iommu/iommufd asks of the IOMMU drivers through the group functions of drivers/iommu/iommu.c.
// Simplified: no nesting, no PASIDs; the devices of a group are attached one by one, all or none.

import type { ModelTask, RegisterPair } from '@sgfree/hw-model';
import { iommuDomainFree, type PagingDomain, type ReservedRegion } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdBoundDevice, IommuHardwareInfo, IommuUserData } from '../objects/bound-device.ts';
import { IommuGroup } from '../objects/iommu-group.ts';
import type { IoptDomain } from './iopt-domain.ts';

/**
 * What a unit's driver does for functions behind the unit.
 * @public
 */
export interface IommuUnitDriver {
  /** 0 or a negative errno. */
  attachDevice(domain: PagingDomain, requesterId: number): number;
  detachDevice(requesterId: number): void;
  reservedRegions(requesterId: number): readonly ReservedRegion[];
}

/**
 * A device and the unit in front of it.
 * @public
 */
export interface UnitBoundDeviceOptions<Driver extends IommuUnitDriver> {
  readonly name: string;
  readonly iommu: Driver;
  readonly requesterId: number;
  /** Devices that the unit cannot tell from it; default a group of its own. */
  readonly group?: IommuGroup;
  /** Requester ids of the whole group; default this device's. */
  readonly groupRequesterIds?: readonly number[];
}

/**
 * A device behind a unit whose driver is a `Driver`.
 * @public
 */
export abstract class UnitBoundDevice<Driver extends IommuUnitDriver> implements IommufdBoundDevice {
  readonly name: string;
  readonly group: IommuGroup;
  readonly reservedRegions: readonly ReservedRegion[];
  readonly cacheCoherent = true;
  abstract readonly dirtyTracking: boolean;
  readonly iommuDriver: Driver;
  /** What the group's DMA goes through; null = blocked. */
  domain: IoptDomain | null = null;
  readonly #requesterIds: readonly number[];

  constructor(options: UnitBoundDeviceOptions<Driver>) {
    const { name, iommu, requesterId } = options;
    this.name = name;
    this.group = options.group ?? new IommuGroup(name);
    this.iommuDriver = iommu;
    this.reservedRegions = iommu.reservedRegions(requesterId);
    this.#requesterIds = options.groupRequesterIds ?? [requesterId];
  }

  abstract allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>>;

  /** What {@link UnitBoundDevice.hardwareInfo} tells: the type of its structure, and the registers that it holds. */
  protected abstract readonly hardware: {
    readonly type: number;
    readonly registers: readonly RegisterPair[];
  };

  /** Registers of the unit; -EOPNOTSUPP for another type than the driver's own. */
  hardwareInfo(wanted: number): Outcome<IommuHardwareInfo> {
    const { type, registers } = this.hardware;
    if (wanted !== 0 && wanted !== type) return failure(Errno.EOPNOTSUPP);
    const data = new DataView(new ArrayBuffer(registers.length * 8));
    for (const [at, [low, high]] of registers.entries()) {
      data.setUint32(at * 8, low, true);
      data.setUint32(at * 8 + 4, high, true);
    }
    return success({ type, data: new Uint8Array(data.buffer) });
  }

  freeDomain({ domain }: IoptDomain): void {
    iommuDomainFree(domain);
  }

  attachGroup(domain: IoptDomain): number {
    for (const requesterId of this.#requesterIds) {
      const errno = this.iommuDriver.attachDevice(domain.domain, requesterId);
      if (errno === 0) continue;
      this.detachGroup();
      return errno;
    }
    this.domain = domain;
    return 0;
  }

  detachGroup(): void {
    this.domain = null;
    for (const requesterId of this.#requesterIds) this.iommuDriver.detachDevice(requesterId);
  }
}
