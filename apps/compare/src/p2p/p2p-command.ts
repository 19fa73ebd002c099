// `sgfree p2p`: whether one device of a dumped machine reaches another, by which way, and what decides.
// Source followed: the project's design; the kernel's rules are in the packages p2p and topology.
// Simplified: a dump is read whole.

import type { MachineDump } from '@sgfree/topology';
import { type DumpOptions, openDump } from '../dump-input/open-dump.ts';
import { Progress } from '../progress.ts';
import type { World } from '../world.ts';
import { askedCpu } from './cpu-choice.ts';
import { graphDot } from './graph-dot.ts';
import { graphMermaid } from './graph-mermaid.ts';
import { machineGraph } from './machine-graph.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import { Judge, type P2pCase } from './p2p-case.ts';
import { p2pDocument } from './p2p-document.ts';
import type { P2pOptions, P2pOutput } from './p2p-options.ts';
import { p2pQuestion } from './p2p-question.ts';
import { p2pText } from './p2p-text.ts';
import { whatIfState } from './what-if-state.ts';

/** Reads the dump and answers; exit code 0 whatever the answer is. Throws {@link InputError}. */
export async function runP2p(world: World, path: string, options: P2pOptions & DumpOptions): Promise<number> {
  const { name, dump } = await openDump(world, path, options);
  world.out(answered(world, name, dump, options));
  return 0;
}

/** The answer about a dump, ready to print. Throws {@link InputError}. */
export function answered(world: World, source: string, dump: MachineDump, options: P2pOptions): string {
  const cpu = askedCpu(options.cpu, dump);
  const asked: P2pCase = { source, dump, kernel: options.kernel, cpu, iommu: options.iommu };
  const question = p2pQuestion(asked, options);
  const judge = new Judge(asked);
  const whatIf = whatIfState(asked, judge, options.whatIf);
  const progress = new Progress(world);
  try {
    return PRINTER[options.output](world, { asked, question, judge, whatIf, progress });
  } finally {
    progress.end();
  }
}

const PRINTER: Readonly<Record<P2pOutput, (world: World, answer: P2pAnswer) => string>> = {
  text: p2pText,
  json: (_world, answer) => p2pDocument(answer),
  dot: (_world, answer) => graphDot(graphOf(answer)),
  mermaid: (_world, answer) => graphMermaid(graphOf(answer)),
};

function graphOf({ asked, question, judge, whatIf }: P2pAnswer): ReturnType<typeof machineGraph> {
  const now = whatIf?.judge ?? judge;
  const pair = question.pair === null ? null : now.pair(question.pair.provider, question.pair.client);
  return machineGraph(asked, now, question.devices, pair);
}
