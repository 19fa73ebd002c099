// `docs/api/stage-<a>-to-<b>.md`: one step of the road as a readable diff, package by package, with the migration notes.
// Simplified: symbols that stay as they are are only counted.

import { noteOf, type PackageStep, type RoadStep } from './road-step.ts';
import type { ChangeKind, SurfaceChange } from './surface-change.ts';

const headings: readonly (readonly [ChangeKind, string])[] = [
  ['added', 'Added'],
  ['changed', 'Changed'],
  ['deprecated', 'Deprecated'],
  ['removed', 'Removed'],
];

/** The page of a step. */
export function stepPage(step: RoadStep): string {
  const moved = step.packages.filter(({ changes }) => changes.some(({ kind }) => kind !== 'kept'));
  const still = step.packages.filter((candidate) => !moved.includes(candidate));
  const parts = [
    `# From stage ${step.from} to stage ${step.to}`,
    'Written by `npm run api:update` from the API reports; what a driver can call before and after this step.',
    step.introduction,
    ...moved.map((candidate) => packagePart(step, candidate)),
    still.length === 0
      ? ''
      : `## Unchanged\n\n${still.map(({ name, changes }) => `- ${name}: ${changes.length} symbols`).join('\n')}`,
    notesPart(step),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function packagePart(step: RoadStep, { name, isNew, changes }: PackageStep): string {
  const kept = changes.filter(({ kind }) => kind === 'kept').length;
  const intro = isNew ? `New at stage ${step.to}.` : `${kept} symbols stay as they are.`;
  const parts = headings.flatMap(([kind, heading]) => {
    const own = changes.filter((change) => change.kind === kind);
    return own.length === 0
      ? []
      : [`### ${heading}`, `\`\`\`diff\n${own.flatMap(diffOf).join('\n')}\n\`\`\``];
  });
  return [`## ${name}`, intro, ...parts].join('\n\n');
}

function diffOf({ kind, before, after }: SurfaceChange): string[] {
  const marked = (mark: string, text: string | undefined): string[] =>
    text === undefined ? [] : text.split('\n').map((line) => `${mark} ${line}`);
  if (kind === 'deprecated') {
    return [...marked('-', before?.text), '+ /** @deprecated */', ...marked('+', after?.text)];
  }
  return [...marked('-', before?.text), ...marked('+', after?.text)];
}

function notesPart(step: RoadStep): string {
  if (step.notes.length === 0) return '';
  const sections = step.notes.map((note) => {
    const state = step.packages
      .find(({ name }) => name === note.packageName)
      ?.changes.find(({ name }) => name === note.symbol)?.kind;
    const replacement = note.replacement === '' ? '' : `Replacement: ${note.replacement}\n\n`;
    const found = noteOf(step, note.packageName, note.symbol);
    return `### \`${note.symbol}\` (${note.packageName}, ${state ?? 'unknown'})\n\n${replacement}${found?.text ?? ''}`;
  });
  return ['## Migration notes', ...sections].join('\n\n');
}
