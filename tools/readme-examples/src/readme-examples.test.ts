import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readmeExamples } from './readme-example.ts';
import { runExample } from './run-example.ts';

const packages = fileURLToPath(new URL('../../../packages', import.meta.url));
const names = readdirSync(packages).filter((name) => existsSync(join(packages, name, 'package.json')));

test.each(names)('the README of %s has an example and it prints what it says', (name) => {
  const examples = readmeExamples(readFileSync(join(packages, name, 'README.md'), 'utf8'));
  expect(examples).not.toEqual([]);
  for (const { code, output } of examples) expect(runExample(code, join(packages, name))).toBe(output);
});

test('an example is a block of code and the block of text behind it', () => {
  const markdown = 'Text.\n\n```ts\nconst a = 1;\n```\n\n```text\n1\n```\n\n```ts\nalone();\n```\n';
  expect(readmeExamples(markdown)).toEqual([{ code: 'const a = 1;\n', output: '1\n' }]);
});

test('an example that throws fails', () => {
  expect(() => runExample("throw new Error('broken');", packages)).toThrow('broken');
});
