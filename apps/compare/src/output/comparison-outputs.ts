// ComparisonOutputs: the files that a comparison is asked to write beside what it prints.
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

/** What a file can be of. */
type OutputKind = 'html' | 'perfetto';

/** Every file that was asked for. */
export class ComparisonOutputs {
  /** True: standard output belongs to a file, and nothing else may be printed there. */
  readonly tookStdout: boolean;
  readonly #world: World;
  readonly #files = new Map<OutputKind, OutputFile | null>();

  /** Throws {@link InputError} for a place that cannot be written to. */
  constructor(world: World, options: Pick<CompareOptions, OutputKind>) {
    this.#world = world;
    this.tookStdout = options.html === '-' || options.perfetto === '-';
    try {
      for (const kind of ['html', 'perfetto'] as const) this.#open(kind, options[kind]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Builds and writes what was asked for; one that cannot be written does not keep the other from it. Loading the builders
   * takes time, so only those that are needed are. Rejects with {@link InputError}.
   */
  async write(finished: FinishedComparison): Promise<void> {
    const failures: unknown[] = [];
    for (const kind of this.#files.keys()) {
      await this.#put(kind, finished).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Lets go of pipes and devices. */
  close(): void {
    for (const file of this.#files.values()) file?.close();
  }

  #open(kind: OutputKind, path: string | undefined): void {
    if (path === undefined) return;
    if (path === '') throw new InputError(`--${kind}`, 0, 'an empty name', 'a file');
    const file = path === '-' ? null : new OutputFile(`--${kind} ${path}`, path);
    const twice = file?.regular && [...this.#files.values()].some((other) => other?.place === file.place);
    if (twice) throw new InputError(`--${kind} ${path}`, 0, 'the same file twice', 'a file for each');
    this.#files.set(kind, file);
  }

  async #put(kind: OutputKind, finished: FinishedComparison): Promise<void> {
    const content = await CONTENT[kind](finished);
    const file = this.#files.get(kind) ?? null;
    if (file !== null) await file.write(content);
    else if (typeof content === 'string') this.#world.out(content);
    else this.#world.outBytes?.(content);
  }
}

const CONTENT: Readonly<Record<OutputKind, (of: FinishedComparison) => Promise<string | Uint8Array>>> = {
  html: async (of) => (await import('../html/road-page.ts')).roadPage(of),
  perfetto: async (of) => (await import('../perfetto/road-trace.ts')).roadTrace(of).bytes,
};
