// A machine graph as a Mermaid flowchart.
// Source followed: Mermaid's flowchart syntax: text in quotes, special characters as `#name;` or `#code;`.
// Simplified: one style.

import type { GraphEdge, GraphNode, MachineGraph } from './machine-graph.ts';

const ENTITY: Readonly<Record<string, string>> = { '"': 'quot', '<': 'lt', '>': 'gt', '&': 'amp' };

const escaped = (text: string): string =>
  text.replace(/["<>&#`\\]/g, (character) => `#${ENTITY[character] ?? character.charCodeAt(0)};`);

/** The graph, ready for a ```mermaid block. */
export function graphMermaid({ title, nodes, edges }: MachineGraph): string {
  const onPath = edges.flatMap((edge, position) => (edge.onPath ? [position] : []));
  return [
    '---',
    `title: ${JSON.stringify(title)}`,
    '---',
    'flowchart LR',
    ...nodes.map(nodeLine),
    ...edges.map(edgeLine),
    '  classDef host fill:#dde7ff,stroke:#335',
    '  classDef redirects fill:#ffb3b3,stroke:#c00',
    '  classDef hidden fill:#eee,stroke-dasharray:4',
    '  classDef path stroke-width:4px',
    ...(onPath.length === 0 ? [] : [`  linkStyle ${onPath.join(',')} stroke:#05c,stroke-width:4px`]),
    '',
  ].join('\n');
}

function nodeLine({ id, lines, shape, acs, onPath }: GraphNode): string {
  const text = `"${lines.map(escaped).join('<br/>')}"`;
  const box = shape === 'device' ? `([${text}])` : `[${text}]`;
  const classes = [
    ...(shape === 'host' ? ['host'] : []),
    ...(acs === 'clear' ? [] : [acs]),
    ...(onPath ? ['path'] : []),
  ];
  return [`  ${id}${box}`, ...classes.map((name) => `  class ${id} ${name}`)].join('\n');
}

function edgeLine({ from, to, kind }: GraphEdge): string {
  if (kind === 'link') return `  ${from} --- ${to}`;
  return kind === 'hidden' ? `  ${from} -.- ${to}` : `  ${from} -. root complex .- ${to}`;
}
