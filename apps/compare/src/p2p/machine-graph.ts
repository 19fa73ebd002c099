// MachineGraph: host bridges, the ports below them and the devices of interest as nodes and edges, for any drawing tool.
// Source followed: the PCI tree of the dump; a route is marked on it as calc_map_type_and_dist walks it.
// Simplified: ports with no device of interest below them are left out.

import { classNameOf, type DumpedFunction, type DumpedHostBridge, hostBridgeOf } from '@sgfree/topology';
import { redirectingBits } from './acs-words.ts';
import type { LabelledDevice } from './device-selection.ts';
import { deviceName, idsText, portWords } from './device-words.ts';
import type { Judge, P2pCase, PairVerdict } from './p2p-case.ts';
import { hopsOf } from './route-text.ts';
import { codeWords, verdictCode } from './verdict-words.ts';

/** A box of the graph. */
export interface GraphNode {
  readonly id: string;
  /** Lines of its text, not escaped. */
  readonly lines: readonly string[];
  readonly shape: 'host' | 'port' | 'device' | 'hidden';
  /** Whether its ACS control redirects; `hidden`: not shown by the dump. */
  readonly acs: 'redirects' | 'hidden' | 'clear';
  readonly onPath: boolean;
}

/** A link, from above to below. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'link' | 'hidden' | 'root-complex';
  readonly onPath: boolean;
}

/** A machine to draw. */
export interface MachineGraph {
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The graph of `devices` and all above them; the way of `pair` is marked. */
export function machineGraph(
  asked: P2pCase,
  judge: Judge,
  devices: readonly LabelledDevice[],
  pair: PairVerdict | null,
): MachineGraph {
  const graph = new GraphBuilder(asked, judge, devices, pair);
  for (const { fn } of devices) graph.hang(fn);
  if (pair !== null) {
    graph.hang(pair.client);
    graph.hang(pair.provider);
    graph.joinHosts(pair);
  }
  return graph;
}

class GraphBuilder implements MachineGraph {
  readonly title: string;
  readonly nodes: GraphNode[] = [];
  readonly edges: GraphEdge[] = [];
  readonly #asked: P2pCase;
  readonly #judge: Judge;
  readonly #labels: ReadonlyMap<DumpedFunction, string>;
  readonly #path: ReadonlySet<DumpedFunction>;
  readonly #common: boolean;
  readonly #ids: Map<DumpedFunction | DumpedHostBridge | string, string> = new Map();

  constructor(asked: P2pCase, judge: Judge, devices: readonly LabelledDevice[], pair: PairVerdict | null) {
    this.title =
      pair === null
        ? asked.source
        : `${pair.client.name} -> ${pair.provider.name}: ${codeWords(verdictCode(pair))}`;
    this.#asked = asked;
    this.#judge = judge;
    this.#labels = new Map(devices.map(({ fn, label }) => [fn, label]));
    this.#path = new Set(pair === null ? [] : hopsOf(judge, pair).map(({ at }) => at));
    this.#common = typeof pair?.route.common === 'object' && pair.route.common !== null;
  }

  /** Draws `fn` and whatever is above it. */
  hang(fn: DumpedFunction): string {
    const drawn = this.#ids.get(fn);
    if (drawn !== undefined) return drawn;
    const id = this.#newId(fn, 'f');
    const onPath = this.#path.has(fn);
    this.nodes.push({ id, lines: this.#functionLines(fn), shape: shapeOf(fn), acs: this.#acsOf(fn), onPath });
    const { upstream } = fn;
    if (typeof upstream === 'object') {
      const from = this.hang(upstream);
      this.edges.push({ from, to: id, kind: 'link', onPath: onPath && this.#path.has(upstream) });
    } else if (upstream === 'root') {
      this.edges.push({ from: this.#host(fn), to: id, kind: 'link', onPath: onPath && !this.#common });
    } else {
      this.edges.push({ from: this.#hidden(), to: id, kind: 'hidden', onPath: onPath && !this.#common });
    }
    return id;
  }

  /** A way between two host bridges. */
  joinHosts({ provider, client, route }: PairVerdict): void {
    if (route.common !== null || this.#judge.view.sameHost(provider, client) !== false) return;
    const [from, to] = [this.#host(client), this.#host(provider)];
    this.edges.push({ from, to, kind: 'root-complex', onPath: true });
  }

  #host(fn: DumpedFunction): string {
    const host = hostBridgeOf(this.#asked.dump, fn);
    if (host === 'unknown') return this.#hidden();
    const drawn = this.#ids.get(host);
    if (drawn !== undefined) return drawn;
    const id = this.#newId(host, 'h');
    const root = this.#judge.view.rootDevice(fn);
    const first = typeof root === 'object' && root !== null ? idsText(root) : 'first function not shown';
    const onPath = !this.#common && host.functions.some((one) => this.#path.has(one));
    this.nodes.push({ id, lines: [host.name, first], shape: 'host', acs: 'clear', onPath });
    return id;
  }

  #hidden(): string {
    const drawn = this.#ids.get('hidden');
    if (drawn !== undefined) return drawn;
    const id = this.#newId('hidden', 'u');
    this.nodes.push({ id, lines: ['not shown by the dump'], shape: 'hidden', acs: 'hidden', onPath: false });
    return id;
  }

  #newId(of: DumpedFunction | DumpedHostBridge | string, letter: string): string {
    const id = `${letter}${this.#ids.size}`;
    this.#ids.set(of, id);
    return id;
  }

  #functionLines(fn: DumpedFunction): string[] {
    const label = this.#labels.get(fn);
    const control = this.#judge.view.acsControl(fn);
    const bits = typeof control === 'number' ? redirectingBits(control).map((name) => `${name}+`) : [];
    const kind = fn.classId === 'unknown' || shapeOf(fn) === 'port' ? undefined : classNameOf(fn.classId);
    return [
      label === undefined ? fn.name : `${label}  ${fn.name}`,
      kind ?? portWords(fn),
      deviceName(fn, 40),
      ...(bits.length > 0 ? [`redirects: ${bits.join(' ')}`] : []),
      ...(control === 'unknown' ? ['ACS not shown'] : []),
    ];
  }

  #acsOf(fn: DumpedFunction): GraphNode['acs'] {
    const control = this.#judge.view.acsControl(fn);
    if (control === 'unknown') return 'hidden';
    return typeof control === 'number' && redirectingBits(control).length > 0 ? 'redirects' : 'clear';
  }
}

const shapeOf = ({ buses }: DumpedFunction): GraphNode['shape'] =>
  typeof buses === 'object' ? 'port' : 'device';
