// RoadOutputs: the files that a comparison is asked to write beside what it prints.
// Source followed: the project's command-line conventions: `-` is standard output.
// Simplified: page and trace are built when everything has been run.

import type { Verdict } from '@sgfree/roadmap';
import type { CompareOptions } from '../compare-command.ts';
import type { Shown } from '../compare-json.ts';
import { InputError } from '../request-list/input-error.ts';
import type { RequestList } from '../request-list/request-list.ts';
import type { World } from '../world.ts';
import { OutputFile } from './output-file.ts';

/** A comparison that is over. */
export interface FinishedComparison {
  readonly shown: Shown;
  readonly options: CompareOptions;
  readonly verdict: Verdict;
  /** The list whose first I/Os are the stream. */
  readonly list: RequestList;
}

/** Every file that was asked for. */
export class RoadOutputs {
  /** True: standard output belongs to a file, and nothing else may be printed there. */
  readonly tookStdout: boolean;
  readonly #world: World;
  readonly #files = new Map<'html' | 'perfetto', OutputFile | null>();

  /** Throws {@link InputError} for a place that cannot be written to. */
  constructor(world: World, options: Pick<CompareOptions, 'html' | 'perfetto'>) {
    this.#world = world;
    this.tookStdout = options.html === '-' || options.perfetto === '-';
    try {
      for (const name of ['html', 'perfetto'] as const) this.#open(name, options[name]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Builds and writes what was asked for. Loading the builders takes time, so only those that are needed are. */
  async write(finished: FinishedComparison): Promise<void> {
    if (this.#files.has('html')) {
      const { roadPage } = await import('../html/road-page.ts');
      this.#put('html', roadPage(finished));
    }
    if (this.#files.has('perfetto')) {
      const { roadTrace } = await import('../perfetto/road-trace.ts');
      this.#put('perfetto', roadTrace(finished).bytes);
    }
  }

  /** Leaves nothing half-written. */
  close(): void {
    for (const file of this.#files.values()) file?.close();
  }

  #open(name: 'html' | 'perfetto', path: string | undefined): void {
    if (path === undefined) return;
    if (path === '') throw new InputError(`--${name}`, 0, 'an empty name', 'a file');
    this.#files.set(name, path === '-' ? null : new OutputFile(`--${name} ${path}`, path));
  }

  #put(name: 'html' | 'perfetto', content: string | Uint8Array): void {
    const file = this.#files.get(name) ?? null;
    if (file !== null) file.write(content);
    else if (typeof content === 'string') this.#world.out(content);
    else this.#world.outBytes?.(content);
  }
}
