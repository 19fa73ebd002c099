// AlterationPlan: which recorded values are altered. For each suite, file variant, record kind, place in the record
// and class of value, the plan keeps the few records that are reached soonest, from different files.
// Simplified: reached soonest stands for cheapest; records are not weighed by size.

import { alterationSites } from './alteration.ts';
import { type Location, locate } from './output-path.ts';
import type { SelfTestFile } from './self-test-file.ts';

/** A record to alter, and where in it. */
export interface PlannedSite {
  readonly file: number;
  readonly index: number;
  readonly kind: string;
  readonly location: Location;
  readonly path: string;
  readonly shape: string;
}

const SITES_PER_CLASS = 2;

/** Collects sites file by file. */
export class AlterationPlan {
  readonly #sites = new Map<string, PlannedSite[]>();
  /** One value that is not null by suite, kind and place: what a null or an empty list is filled with. */
  readonly #samples = new Map<string, unknown>();

  /** Adds what a file offers. */
  addFile(file: SelfTestFile, fileNumber: number): void {
    const variant = `${file.suite.name}|${file.variant()}`;
    for (const [index, record] of file.records.entries()) {
      const kind = file.suite.kindOf(record);
      for (const output of file.suite.outputs[kind] ?? []) {
        for (const location of locate(record, output)) {
          const value = location.reduce<unknown>(
            (inner, step) => (inner as Record<string | number, unknown>)[step],
            record,
          );
          for (const site of alterationSites(value, location, output)) {
            this.#noteSample(`${file.suite.name}|${kind}|${site.path}`, site.value);
            const key = `${variant}|${kind}|${site.path}|${site.shape}`;
            this.#offer(key, fileNumber, index, () => ({
              file: fileNumber,
              index,
              kind,
              location: site.location,
              path: site.path,
              shape: site.shape,
            }));
          }
        }
      }
    }
  }

  #noteSample(key: string, value: unknown): void {
    if (value === null || this.#samples.has(key)) return;
    this.#samples.set(key, value);
  }

  #offer(key: string, file: number, index: number, make: () => PlannedSite): void {
    let kept = this.#sites.get(key);
    if (kept === undefined) {
      kept = [];
      this.#sites.set(key, kept);
    }
    if (kept.some((site) => site.file === file)) return;
    if (kept.length < SITES_PER_CLASS) kept.push(make());
    else {
      const dearest = kept.reduce(
        (worst, site, at) => (site.index > (kept[worst]?.index ?? 0) ? at : worst),
        0,
      );
      if (index < (kept[dearest]?.index ?? 0)) kept[dearest] = make();
    }
  }

  /** What stands at a place in some record: for a list, one of its elements. */
  sampleFor(suite: string, kind: string, path: string, value: unknown): unknown {
    if (Array.isArray(value)) {
      return (
        this.#samples.get(`${suite}|${kind}|${path}[]`) ?? this.#samples.get(`${suite}|${kind}|${path}[0]`)
      );
    }
    return this.#samples.get(`${suite}|${kind}|${path}`);
  }

  /** The sites of one file, in the order of its records. */
  sitesOf(file: number): PlannedSite[] {
    return [...this.#sites.values()]
      .flat()
      .filter((site) => site.file === file)
      .sort((a, b) => a.index - b.index);
  }
}
