// The matching loop: the expectations that the RFC ships, as data with stable keys, and every pair of lists against a plain
// restatement of the rule.
import { fc, test } from '@fast-check/vitest';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Bench } from '../../test/buffer-rig.ts';
import type { DmaBufMappingMatch, DmaBufMappingType } from './mapping-match.ts';
import { dmaBufMatchMapping } from './match-mapping.ts';
import { blankMatch } from './matched-attachment.ts';

type Kind = 'A' | 'B' | 'N' | 'soft' | 'hard';

/** Two kinds that take every pair, one without a callback, one that never goes together, one whose match fails. */
class Kinds {
  /** `match` and `finish` with the places of the two offers. */
  readonly calls: string[] = [];
  exp: DmaBufMappingMatch[] = [];
  imp: DmaBufMappingMatch[] = [];
  readonly #types: Readonly<Record<Kind, DmaBufMappingType>>;

  constructor() {
    const answers = { A: 0, B: 0, soft: -Errno.EOPNOTSUPP, hard: -Errno.ENOMEM };
    this.#types = {
      A: this.#type('A', answers.A),
      B: this.#type('B', answers.B),
      N: this.#type('N', null),
      soft: this.#type('soft', answers.soft),
      hard: this.#type('hard', answers.hard),
    };
  }

  run(exp: readonly Kind[], imp: readonly Kind[]): number {
    this.exp = exp.map((kind) => ({ type: this.#types[kind], expOps: {} }));
    this.imp = imp.map((kind) => ({ type: this.#types[kind], expOps: null }));
    const args = { dmabuf: new Bench().dmabuf, attach: blankMatch(), impMatches: this.imp };
    return dmaBufMatchMapping(args, this.exp);
  }

  #type(name: string, answer: number | null): DmaBufMappingType {
    const at = (exp: DmaBufMappingMatch, imp: DmaBufMappingMatch) =>
      `exp[${this.exp.indexOf(exp)}]/imp[${this.imp.indexOf(imp)}]`;
    const finishMatch: DmaBufMappingType['finishMatch'] = (_, exp, imp) => {
      this.calls.push(`finish ${at(exp, imp)}`);
    };
    if (answer === null) return { name, finishMatch };
    const match: DmaBufMappingType['match'] = (_, exp, imp) => {
      this.calls.push(`match ${at(exp, imp)}`);
      return answer;
    };
    return { name, match, finishMatch };
  }
}

describe('the expectations of the RFC', () => {
  const rows: { key: string; exp: Kind[]; imp: Kind[]; errno: number; calls: string[] }[] = [
    { key: 'match_fail.exporter-empty', exp: [], imp: ['A'], errno: -Errno.EINVAL, calls: [] },
    { key: 'match_fail.importer-empty', exp: ['A'], imp: [], errno: -Errno.EINVAL, calls: [] },
    { key: 'match_fail.types-differ', exp: ['A'], imp: ['B'], errno: -Errno.EINVAL, calls: [] },
    { key: 'no_match_callback', exp: ['N'], imp: ['N'], errno: 0, calls: ['finish exp[0]/imp[0]'] },
    {
      key: 'callback_returns.eopnotsupp',
      exp: ['soft'],
      imp: ['soft'],
      errno: -Errno.EINVAL,
      calls: ['match exp[0]/imp[0]'],
    },
    {
      key: 'callback_returns.enomem',
      exp: ['hard'],
      imp: ['hard'],
      errno: -Errno.ENOMEM,
      calls: ['match exp[0]/imp[0]'],
    },
    {
      key: 'exporter_priority.both',
      exp: ['A', 'B'],
      imp: ['A', 'B'],
      errno: 0,
      calls: ['match exp[0]/imp[0]', 'finish exp[0]/imp[0]'],
    },
    {
      key: 'exporter_priority.second-of-importer',
      exp: ['B'],
      imp: ['A', 'B'],
      errno: 0,
      calls: ['match exp[0]/imp[1]', 'finish exp[0]/imp[1]'],
    },
    {
      key: 'importer_priority.second-of-exporter',
      exp: ['A', 'B'],
      imp: ['B'],
      errno: 0,
      calls: ['match exp[1]/imp[0]', 'finish exp[1]/imp[0]'],
    },
    {
      key: 'importer_priority.reversed',
      exp: ['A', 'B'],
      imp: ['B', 'A'],
      errno: 0,
      calls: ['match exp[0]/imp[1]', 'finish exp[0]/imp[1]'],
    },
    {
      key: 'soft-then-next-of-importer',
      exp: ['soft', 'A'],
      imp: ['soft', 'soft', 'A'],
      errno: 0,
      calls: ['match exp[0]/imp[0]', 'match exp[0]/imp[1]', 'match exp[1]/imp[2]', 'finish exp[1]/imp[2]'],
    },
    {
      key: 'hard-ends-before-a-later-match',
      exp: ['soft', 'hard', 'A'],
      imp: ['A', 'hard', 'soft'],
      errno: -Errno.ENOMEM,
      calls: ['match exp[0]/imp[2]', 'match exp[1]/imp[1]'],
    },
  ];
  it.each(rows)('$key', ({ exp, imp, errno, calls }) => {
    const kinds = new Kinds();
    expect([kinds.run(exp, imp), kinds.calls]).toEqual([errno, calls]);
  });
});

const kind = fc.constantFrom<Kind>('A', 'B', 'N', 'soft', 'hard');
const list = fc.array(kind, { maxLength: 6 });

test.prop([list, list])('the first pair in exporter order that does not refuse decides', (exp, imp) => {
  const pairs = exp.flatMap((e, i) =>
    imp.flatMap((m, j) => (e === m ? [{ e, at: `exp[${i}]/imp[${j}]` }] : [])),
  );
  const decisive = pairs.find(({ e }) => e !== 'soft');
  const kinds = new Kinds();
  const errno = kinds.run(exp, imp);
  const finished = kinds.calls.filter((call) => call.startsWith('finish'));
  if (decisive === undefined) expect([errno, finished]).toEqual([-Errno.EINVAL, []]);
  else if (decisive.e === 'hard') expect([errno, finished]).toEqual([-Errno.ENOMEM, []]);
  else expect([errno, finished]).toEqual([0, [`finish ${decisive.at}`]]);
});
