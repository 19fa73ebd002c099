// TraceLeak: of the trace beside a file only where and on which CPU the whole domain was flushed may reach the model, and
// which device and domain the lines are of. All other numbers of the trace that the model is fed with are displaced,
// while the trace it is compared with stays as it is: no record may differ.
// Simplified: lines keep their number, order, task, flags and CPU, which decide what a position is.

import type { ComparedTrace } from '../suite.ts';
import { traceNameOf } from '../suites/recorded-trace.ts';
import { moveHex } from './alteration.ts';
import type { Leak } from './independence.ts';
import type { SelfTestFile } from './self-test-file.ts';
import { type TraceWord, traceWords } from './trace-words.ts';

const NUMBER = /^(?:0x)?[0-9a-f]+$/;
const MARKER = /: tracing_mark_write: /;
/** Lines of a flush of the whole domain: its position is an input. */
const WHOLE_FLUSH = /\[0x0-0xffffffffffffffff\]|: qi_submit: \S+ \S+: 0x[0-9a-f]*e2 /;
const STEP = 0x1000n;

/** True for the words that tell whose line it is: a domain id, alone or in the first word of a command. */
function tellsDomain(line: string, { word, slot, index }: TraceWord): boolean {
  if (line.slice(0, index).endsWith(' did ')) return true;
  return slot === 'qi_submit word 3' && word.startsWith('0x');
}

/** A line with all its numbers moved but those that say whose it is. */
function displacedLine(line: string): string {
  if (MARKER.test(line) || WHOLE_FLUSH.test(line)) return line;
  return traceWords(line).reduceRight((text, found) => {
    const { word, index } = found;
    if (!NUMBER.test(word) || tellsDomain(line, found)) return text;
    return text.slice(0, index) + moveHex(word, STEP) + text.slice(index + word.length);
  }, line);
}

/** The trace with the numbers of its lines moved. */
export const displacedTrace = (trace: string): string => trace.split('\n').map(displacedLine).join('\n');

const namesOf = (file: SelfTestFile, compared: ComparedTrace | undefined): string[] =>
  compared === undefined ? [traceNameOf(file.context)] : [compared.nameOf(file.context)];

/** The first record of a file that depends on numbers of the trace that the model is fed with, or null. */
export function findTraceLeak(file: SelfTestFile): Leak | null {
  for (const name of namesOf(file, file.suite.comparedTrace)) {
    const trace = file.context.readInput(name);
    if (trace === null) continue;
    const altered = displacedTrace(trace);
    const replayer = file.open({
      ...file.context,
      readInput: (other) => (other === name ? altered : file.context.readInput(other)),
    });
    for (const [index, record] of file.records.entries()) {
      const [found] = file.step(replayer, record, index);
      if (found === undefined) continue;
      const { field, expected, got } = found;
      const kind = file.suite.kindOf(record);
      const place = { suite: file.suite.name, kind, file: file.name, line: file.lineOf(index) };
      return { ...place, field: `${name}: ${field}`, first: expected, second: got };
    }
  }
  return null;
}
