// P2pCase: a dumped machine with the rules it is judged by; and the judge, who answers for pairs of its functions.
// Source followed: drivers/pci/p2pdma.c as modelled in the package p2p. The verdict is the same in both directions: the
// walk asks for the nearest common port and for redirecting bits on both sides of it.
// Simplified: a CPU that is not known is asked for twice: AMD Zen, and every other.

import {
  calcMapTypeAndDist,
  dumpRouteView,
  HostRules,
  type P2pdmaMapType,
  type P2pdmaRoute,
  type RouteView,
} from '@sgfree/p2p';
import {
  type AcsControl,
  type DerivedGroups,
  type DumpedFunction,
  deriveIommuGroups,
  type GroupOptions,
  type MachineDump,
} from '@sgfree/topology';
import { type AskedCpu, OTHER_CPU, ZEN_CPU } from './cpu-choice.ts';
import type { KernelChoice } from './kernel-choice.ts';

/** What `--iommu` says: translating, on with identity domains, off, or nothing. */
export type IommuChoice = 'on' | 'pt' | 'off' | 'unknown';

/** The machine and all that is assumed of it. */
export interface P2pCase {
  /** Name of the input. */
  readonly source: string;
  readonly dump: MachineDump;
  readonly kernel: KernelChoice;
  readonly cpu: AskedCpu;
  readonly iommu: IommuChoice;
}

/** ACS control registers that differ from the dump. */
export type ChangedControls = ReadonlyMap<DumpedFunction, AcsControl>;

/** A map type, or that the dump does not tell. */
export type Answer = P2pdmaMapType | 'unknown';

/** The kernel's answer for a pair; the same whichever of the two is the provider. */
export interface PairVerdict {
  readonly provider: DumpedFunction;
  readonly client: DumpedFunction;
  readonly route: P2pdmaRoute<DumpedFunction>;
  /** Where nothing but the CPU is missing for at least one of them: the answers on AMD Zen and on any other CPU. */
  readonly byCpu: { readonly zen: Answer; readonly other: Answer } | null;
}

/** Answers for one state of the machine's registers. */
export class Judge {
  readonly view: RouteView<DumpedFunction>;
  readonly rules: HostRules;
  readonly #zen: HostRules;
  readonly #other: HostRules;
  readonly #dump: MachineDump;
  readonly #controls: ChangedControls;
  readonly #groupOptions: GroupOptions;
  #groups: DerivedGroups | null = null;

  constructor({ dump, kernel, cpu, iommu }: P2pCase, controls: ChangedControls = new Map()) {
    this.#dump = dump;
    this.#controls = controls;
    this.view = dumpRouteView(dump, controls);
    this.rules = new HostRules(kernel.version, cpu.cpu);
    this.#zen = new HostRules(kernel.version, ZEN_CPU);
    this.#other = new HostRules(kernel.version, OTHER_CPU);
    // Whose IOMMU it is, the dump tells better than a CPU that somebody asks about.
    this.#groupOptions = { kernel: kernel.acs, controls, ...(iommu === 'off' && { iommu }) };
  }

  /** Derived when first asked for. */
  get groups(): DerivedGroups {
    this.#groups ??= deriveIommuGroups(this.#dump, this.#groupOptions);
    return this.#groups;
  }

  /** The ACS control register of `fn`, bit by bit. */
  registerOf(fn: DumpedFunction): AcsControl | 'absent' {
    const changed = this.#controls.get(fn);
    if (changed !== undefined) return changed;
    const { control } = fn.acs;
    if (control === 'absent') return control;
    return control === 'unknown' ? { value: 0, unknownBits: 0x7f } : { value: control, unknownBits: 0 };
  }

  /** The verdict for requests of `client` to the memory of `provider`. */
  pair(provider: DumpedFunction, client: DumpedFunction): PairVerdict {
    const route = this.#route(provider, client, this.rules);
    if (!route.missing.some(({ kind }) => kind === 'cpu')) return { provider, client, route, byCpu: null };
    if (onlyCpuMissing(route)) {
      return { provider, client, route, byCpu: { zen: 'thru-host-bridge', other: 'not-supported' } };
    }
    const zen = this.#route(provider, client, this.#zen).mapType;
    const other = this.#route(provider, client, this.#other).mapType;
    const byCpu = zen === 'unknown' && other === 'unknown' ? null : { zen, other };
    return { provider, client, route, byCpu };
  }

  /** Every pair of `functions` once, in their order; `step` hears of each row. */
  allPairs(functions: readonly DumpedFunction[], step: (done: number) => void = () => {}): PairVerdict[] {
    return functions.flatMap((provider, position) => {
      step(position);
      return functions.slice(position + 1).map((client) => this.pair(provider, client));
    });
  }

  #route(provider: DumpedFunction, client: DumpedFunction, rules: HostRules): P2pdmaRoute<DumpedFunction> {
    return calcMapTypeAndDist(this.view, provider, client, rules);
  }
}

/** The request leaves the switch for certain, and the allow list is known to refuse: the two answers need no second walk. */
const onlyCpuMissing = ({ missing, possible }: P2pdmaRoute<DumpedFunction>): boolean =>
  missing.length === 1 && !possible.includes('bus-addr');
