// Expectations derived from what the kernel does, without a look at our code, played on the byte face.
import { describe, expect, it } from 'vitest';
import { COPYING, OBJECTS, OPTIONS, UNMAPPING } from './call-scripts.ts';
import { AUTOMATIC, FIXED, OFFERS } from './iova-scripts.ts';
import { play } from './script.ts';

const ALL = { AUTOMATIC, FIXED, OFFERS, UNMAPPING, COPYING, OPTIONS, OBJECTS };

describe.each(Object.entries(ALL))('%s', (_, scripts) => {
  it.each(scripts.map((script) => [script.key, script] as const))('%s', (_key, script) => {
    play(script);
  });
});

it('has stable keys, each once', () => {
  const keys = Object.values(ALL).flatMap((scripts) => scripts.map(({ key }) => key));
  expect(new Set(keys).size).toBe(keys.length);
});
